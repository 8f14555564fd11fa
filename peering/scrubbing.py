"""What remotes say, without what nobody may read, and no longer than it may be."""

import re
from collections.abc import Iterable
from typing import Final

#: The longest text of a remote that is kept, in characters.
LONGEST_DETAIL: Final = 16_000
HIDDEN: Final = "[hidden]"

_WORD: Final = r"[A-Za-z0-9._~+/=-]"
#: What secrets look like, whoever's they are; ids of ARM and GUIDs look like none of these.
PATTERNS: Final = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        # A JSON Web Token: an access token, an assertion.
        (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]*", 0),
        (rf"(?<=\bbearer )\s*{_WORD}+", re.IGNORECASE),
        (rf"(?<=\bbasic )\s*{_WORD}{{8,}}", re.IGNORECASE),
        (rf"(?<=\baivenv1 )\s*{_WORD}+", re.IGNORECASE),
        # Signatures of shared access, keys in connection strings.
        (r"(?:(?<=\bsig=)|(?<=sig%3D))[^&\s\"']+", re.IGNORECASE),
        (r"(?:(?<=\bSharedKey )|(?<=\bSharedKeyLite ))[^\s\"']+", re.IGNORECASE),
        (r"(?:(?<=AccountKey=)|(?<=SharedAccessKey=))[^;\s\"']+", re.IGNORECASE),
        (r"(?<=SharedAccessSignature=)[^;\s\"']+", re.IGNORECASE),
        (r"(?:(?<=client_secret=)|(?<=client_assertion=))[^&\s\"']+", re.IGNORECASE),
        (r"(?:(?<=client_secret\":\")|(?<=client_secret\": \"))[^\"]+", re.IGNORECASE),
        # A password that Entra makes: three characters, a digit, Q~ and 31 to 34 more.
        (r"[A-Za-z0-9._~-]{3}[0-9]Q(?:~|%7E)(?:[A-Za-z0-9._~-]|%7E){31,34}", 0),
    )
)


def scrubbed(text: str, secrets: Iterable[str] = (), longest: int = LONGEST_DETAIL) -> str:
    """A remote's text as it may be kept and logged.

    Args:
        text: what the remote said; it may repeat a request and its headers.
        secrets: what the process knows and nobody may read.
        longest: the most characters that are kept.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern in PATTERNS:
        text = pattern.sub(HIDDEN, text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
