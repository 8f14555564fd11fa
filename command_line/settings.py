"""Where the app is and how to sign in there: from an option, the environment or a profile, in this order."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from platformdirs import user_config_path

from command_line.failures import ExitCode, Failure

#: What a profile may hold, and the environment variable of the same meaning.
VARIABLES: Final = {
    "endpoint": "PEERING_ENDPOINT",
    "key": "PEERING_KEY",
    "key_file": "PEERING_KEY_FILE",
    "scope": "PEERING_SCOPE",
}
#: A secret has no place in a profile, which people copy and commit.
_IN_PROFILES: Final = frozenset(VARIABLES) - {"key"}


@dataclass(frozen=True)
class Setting:
    """A value and where it comes from."""

    value: str
    source: str


@dataclass(frozen=True)
class Settings:
    """The settings that are there, by name."""

    found: Mapping[str, Setting]

    @property
    def endpoint(self) -> str:
        """The app's address.

        Raises:
            Failure: there is none, or it is one that a key must not be sent to.
        """
        if "endpoint" not in self.found:
            remedy = f"Give --endpoint, set PEERING_ENDPOINT, or write a profile into {profiles_path()}."
            raise Failure("Where is the app?", remedy, ExitCode.USAGE)
        url = self.found["endpoint"].value.rstrip("/")
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            where = self.found["endpoint"].source
            rule = "must begin with https://; http:// is for this machine only"
            raise Failure(f"endpoint, from {where}: {rule}.", "Correct it.", ExitCode.USAGE)
        return url

    @property
    def key(self) -> str | None:
        """The function key, if there is one.

        Raises:
            Failure: the file that should hold it cannot be read.
        """
        if "key" in self.found:
            return self.found["key"].value
        if "key_file" not in self.found:
            return None
        setting = self.found["key_file"]
        try:
            return Path(setting.value).expanduser().read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            what = f"key_file, from {setting.source}: {setting.value} cannot be read"
            raise Failure(what, f"{error}", ExitCode.NO_ACCESS) from None

    @property
    def scope(self) -> str | None:
        """The scope of the token that `az login` gives, if the app wants one."""
        return self.found["scope"].value if "scope" in self.found else None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def profiles_path() -> Path:
    """The file with the profiles."""
    named = os.environ.get("PEERING_CONFIG")
    return Path(named) if named else user_config_path("peering") / "profiles.toml"


def settings(options: Mapping[str, str]) -> Settings:
    """The settings, by the options of the command line.

    Raises:
        Failure: the file with the profiles, or the profile, is wrong.
    """
    found = _of_profile(options.get("profile") or os.environ.get("PEERING_PROFILE"))
    variables = {name: (os.environ.get(variable), variable) for name, variable in VARIABLES.items()}
    found |= {name: Setting(value, f"${variable}") for name, (value, variable) in variables.items() if value}
    if endpoint := options.get("endpoint"):
        found["endpoint"] = Setting(endpoint, "--endpoint")
    return Settings(found)


def _of_profile(wanted: str | None) -> dict[str, Setting]:
    path = profiles_path()
    try:
        written = tomllib.loads(path.read_text())
    except FileNotFoundError:
        written = {}
    except (OSError, ValueError) as error:
        raise Failure(f"{path}: {error}", "Correct the file.", ExitCode.USAGE) from None
    profiles, name = written.get("profiles", {}), wanted or written.get("default")
    if name is None:
        return {}
    if name not in profiles:
        known = ", ".join(profiles) or "none"
        remedy = f"Choose one of those in {path}: {known}."
        raise Failure(f"There is no profile {name}.", remedy, ExitCode.USAGE)
    for field, value in profiles[name].items():
        if field not in _IN_PROFILES or not isinstance(value, str):
            rule = f"a profile holds texts named {', '.join(sorted(_IN_PROFILES))}; a key stays in a file of its own"
            raise Failure(f"{path}: profiles.{name}.{field}: {rule}.", "Correct the file.", ExitCode.USAGE)
    return {field: Setting(_resolved(path, field, value), f"profile {name}") for field, value in profiles[name].items()}


def _resolved(path: Path, field: str, value: str) -> str:
    """A file's name is as seen from the file with the profiles."""
    return str(path.parent / Path(value).expanduser()) if field == "key_file" else value
