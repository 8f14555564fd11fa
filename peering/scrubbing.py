"""Texts of remote services, without secrets, and with a maximum length."""

import re
from collections.abc import Iterable
from typing import Final

#: The maximum length of a remote service's text that is stored, in characters.
LONGEST_DETAIL: Final = 16_000
HIDDEN: Final = "[hidden]"

_BLANK: Final = r"(?:[\s+]|%20)+"
_WORD: Final = r"(?:[A-Za-z0-9._~+/=-]|%[0-9A-Fa-f]{2}|\\/|&#\d+;)"
#: The separator of a name and its value, in a form, a connection string or JSON, with any level of escaping.
_IS: Final = r"(?:=|%3D|\\*[\"']?\s*:\s*)\\*[\"']?"
_NAMES: Final = "(?:access_token|refresh_token|client_secret|client_assertion|secretText)"
_TILDE: Final = r"(?:~|%7E|\\u007e|&#126;)"
#: The patterns of secrets of any service; ids of ARM and GUIDs match none of these. The first group is shown.
PATTERNS: Final = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        # A JSON Web Token, signed or encrypted: an access token, an assertion.
        (r"()\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4}", 0),
        (rf"(\b(?:bearer|aivenv1){_BLANK}[\"']?){_WORD}+", re.IGNORECASE),
        (rf"(\bbasic{_BLANK}){_WORD}{{8,}}", re.IGNORECASE),
        (rf"(\bSharedKey(?:Lite)?{_BLANK})[^\s\"']+", re.IGNORECASE),
        # Signatures of shared access; .NET writes an ampersand in JSON as \u0026.
        (r"((?:\b|u0026|%26)sig(?:=|%3D))[^&\s\"'\\]+", re.IGNORECASE),
        (rf"((?:AccountKey|SharedAccessKey|SharedAccessSignature){_IS})[^;\s\"'\\]+", re.IGNORECASE),
        (rf"({_NAMES}\\*\"\s*:\s*\\*\")[^\"\\]+", re.IGNORECASE),
        (rf"({_NAMES}{_IS})[^&\s\"'\\]+", re.IGNORECASE),
        # A password that Entra creates: three characters, a digit, Q~ and 31 to 34 more.
        (rf"()[A-Za-z0-9._~-]{{3}}[0-9]Q{_TILDE}(?:[A-Za-z0-9._~-]|{_TILDE}){{31,34}}", re.IGNORECASE),
    )
)


def scrubbed(text: str, secrets: Iterable[str] = (), longest: int = LONGEST_DETAIL) -> str:
    """A remote service's text as it may be stored and logged.

    Args:
        text: what the remote said; it may repeat a request and its headers.
        secrets: the secrets that the process knows.
        longest: the maximum number of characters.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern in PATTERNS:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
