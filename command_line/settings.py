"""The app's address and the sign-in: from an option, the environment or a profile, in this order."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx
from platformdirs import user_config_path

from command_line.failures import ExitCode, Failure

#: What a profile may hold, and the environment variable of the same meaning.
VARIABLES: Final = {
    "endpoint": "PEERING_ENDPOINT",
    "key": "PEERING_KEY",
    "key_file": "PEERING_KEY_FILE",
    "scope": "PEERING_SCOPE",
}
#: What a key is, as far as a header can hold it.
_KEY: Final = re.compile(r"[!-~]*")
#: Profiles must not contain secrets, because people copy and commit them.
_IN_PROFILES: Final = frozenset(VARIABLES) - {"key"}


@dataclass(frozen=True)
class Setting:
    """A value and its origin."""

    value: str
    source: str


@dataclass(frozen=True)
class Settings:
    """The existing settings, by name."""

    found: Mapping[str, Setting]

    @property
    def endpoint(self) -> str:
        """The app's address.

        Raises:
            Failure: there is none, or a key must not be sent to it.
        """
        if "endpoint" not in self.found:
            remedy = f"Give --endpoint, set PEERING_ENDPOINT, or write a profile into {profiles_path()}."
            raise Failure("Where is the app?", remedy, ExitCode.USAGE)
        url = self.found["endpoint"].value.rstrip("/")
        if rule := _broken_rule(url):
            # An address may hold a key, as the portal copies it: it is not repeated.
            raise Failure(f"endpoint, from {self.found['endpoint'].source}: {rule}.", "Correct it.", ExitCode.USAGE)
        return url

    @property
    def key(self) -> str | None:
        """The function key, if there is one.

        Raises:
            Failure: the file that should hold it cannot be read, or what is there is no key.
        """
        name = "key" if "key" in self.found else "key_file"
        if name not in self.found:
            return None
        setting = self.found[name]
        try:
            key = setting.value if name == "key" else Path(setting.value).expanduser().read_text().strip()
        except (OSError, ValueError) as error:
            what = f"key_file, from {setting.source}: {setting.value} cannot be read"
            raise Failure(what, f"{error}", ExitCode.NO_ACCESS) from None
        if not _KEY.fullmatch(key):
            rule = "a key is one line of ASCII characters, without a space"
            raise Failure(f"{name}, from {setting.source}: {rule}.", "Copy it again.", ExitCode.USAGE)
        return key

    @property
    def scope(self) -> str | None:
        """The scope of the token that `az login` gives, if the app wants one."""
        return self.found["scope"].value if "scope" in self.found else None


def _broken_rule(url: str) -> str:
    """What is wrong with an endpoint, if anything is."""
    try:
        parts, port = httpx.URL(url), urlsplit(url).port
    except (ValueError, httpx.InvalidURL):
        return "is no address"
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.host)):
        return "must begin with https://; http:// is for this machine only"
    if not parts.host or port == 0 or parts.userinfo or "?" in url or "#" in url:
        return "must be a host, and maybe a path, without user, password or query"
    return ""


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
    if not isinstance(profiles, dict) or not all(isinstance(one, dict) for one in profiles.values()):
        raise Failure(f"{path}: must have a table [profiles.NAME] for each.", "Correct the file.", ExitCode.USAGE)
    if name is None:
        return {}
    if not isinstance(name, str) or name not in profiles:
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
