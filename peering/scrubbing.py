"""Texts of remote services, without secrets, and with a maximum length.

A remote repeats a secret as it was sent: in a URL, in JSON, in a page, or in one inside the other. So a text is read as
it is, and again each time that its escapes are resolved. What is secret in any reading is hidden where it came from.
"""

import re
from array import array
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import unescape
from typing import Final
from urllib.parse import unquote

#: The maximum length of a remote service's text that is stored, in characters.
LONGEST_DETAIL: Final = 16_000
HIDDEN: Final = "[hidden]"
#: Shorter than this, a secret would be found in many a text that has nothing to do with it.
SHORTEST_SECRET: Final = 8
#: How often a text is read at the most: as it is, and with its escapes resolved up to four times.
_READINGS: Final = 5

_ESCAPE: Final = re.compile(
    r"(?P<octets>%[0-7][0-9a-f]|%[c-f][0-9a-f](?:%[89ab][0-9a-f]){1,3})"
    r"|(?P<number>\\u[0-9a-f]{4}|\\x[0-9a-f]{2})"
    r"|(?P<letter>\\[\"'\\/bfnrt])"
    r"|(?P<entity>&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});)",
    re.IGNORECASE,
)
_LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
#: What the escapes of URLs, of JSON and programs, and of pages stand for.
_MEANINGS: Final[Mapping[str | None, Callable[[str], str]]] = {
    "octets": unquote,
    "number": lambda escape: chr(int(escape[2:], 16)),
    "letter": lambda escape: _LETTERS.get(escape[1], escape[1]),
    "entity": unescape,
}
#: A form has a blank for a plus sign, and a URL the other alphabet of base64: these are compared as equal.
_ALIKE: Final = str.maketrans("+-_", "  /")

#: The separator of a name and its value.
_IS: Final = r"[\"']?\s*+[=:]\s*+"
#: The characters of a scheme's credentials.
_CHARACTER: Final = r"[A-Za-z0-9._~+/=:-]"
_WORD: Final = r"(?:[A-Z]{2,5}|[A-Za-z][a-z]{1,20}(?:[A-Z][a-z]{1,20}){0,3})"
_GUID: Final = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
#: The end of a word in a sentence, or of the name of a challenge's parameter.
_END: Final = rf"(?:=(?=[\"'\\]|https?:)|[.,;:!?]*+(?!{_CHARACTER}))"
#: What follows a scheme's name in a sentence: words, a GUID, an id of ARM.
_PLAIN: Final = rf"(?:(?:{_WORD}(?:[_/-]{_WORD}){{0,4}}|{_GUID}){_END}|/subscriptions/)"
_SCHEMES: Final = "bearer|aivenv1|SharedKey(?:Lite)?"
#: The separator of a scheme and its credentials: like that of a name and its value, or blanks alone.
_SET: Final = r"[\"']?\s*+[=:][\s=:]*+[\"']?+"
_APART: Final = r"[\"']?[\s+]++[\"']?+"
#: The names of secrets, the separator, and the characters of a value that is not in quotes.
_NAMED: Final = (
    (r"(?:access|refresh)[_-]?token|client[_-]?(?:secret|assertion)|secret[_-]?text|\bsig", _IS, r"[^&\s\"'\\]"),
    (r"account[_-]?key|shared[_-]?access[_-]?(?:key|signature)", _IS, r"[^;\s\"'\\]"),
    # A sentence about passwords may have a colon after the word.
    ("password|pwd", r"[\"']?\s*+(?:=\s*+|:\s*+(?=[\"']))", r"[^;\s\"'\\]"),
)
#: The patterns of secrets of any service, in a text without escapes; what follows the first group is hidden.
#: Each passes a character a bounded number of times, so that a search takes linear time.
PATTERNS: Final = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        # A JSON Web Token, signed or encrypted: an access token, an assertion.
        r"()\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,4}",
        rf"(\b(?i:{_SCHEMES})(?:{_SET}(?!(?i:{_SCHEMES})\b)|{_APART}(?!{_PLAIN}))){_CHARACTER}+",
        rf"(\b(?i:basic)(?:{_SET}|{_APART})(?!{_PLAIN})){_CHARACTER}{{8,}}",
        # A value in quotes ends at the same quote, or where a remote cut it.
        *(
            rf"((?i:{names}){separator}([\"'])?+)(?(2)(?:(?!\2)[^\\]|\\.)++|{unquoted}++)"
            for names, separator, unquoted in _NAMED
        ),
        # The password in a URL.
        r"(://[^\s/?#:@\"'<>]*+:)[^\s/?#\"'<>]+(?=@)",
        # A password that Entra creates: three characters, a digit, Q~ and 31 to 34 more.
        r"()[A-Za-z0-9._~-]{3}[0-9][Qq]~[A-Za-z0-9._~-]{31,34}",
    )
)


def spellings(secret: str) -> Iterator[str]:
    """What is looked for to find a secret: as it is, with its own escapes resolved, and in base64.

    Args:
        secret: the secret; of one that is very short there are none.
    """
    if len(secret) >= SHORTEST_SECRET:
        forms = (*(reading for reading, _ in _readings(secret)), *_in_base64(secret.encode()))
        yield from dict.fromkeys(form.translate(_ALIKE) for form in forms if len(form) >= SHORTEST_SECRET)


def _in_base64(secret: bytes) -> Iterator[str]:
    """A secret in base64, and what is the same in the base64 of any text that contains it."""
    yield b64encode(secret).decode()
    for before in range(3):
        first, last = -(-before * 4 // 3), (before + len(secret)) * 4 // 3
        yield b64encode(bytes(before) + secret).decode()[first:last]


class KnownSecrets:
    """The secrets that a process knows, so that a search for them takes as long with thousands as with one.

    Args:
        most: how many spellings are kept; the oldest leave.
    """

    def __init__(self, most: int) -> None:
        self._order = deque[str]()
        self._most = most
        #: By their first characters.
        self._by_beginning: dict[str, list[str]] = {}

    def add(self, secret: str) -> None:
        """Register a secret; one that is very short is ignored."""
        for spelling in spellings(secret):
            alike = self._by_beginning.setdefault(spelling[:SHORTEST_SECRET], [])
            if spelling not in alike:
                alike.append(spelling)
                self._order.append(spelling)
        while len(self._order) > self._most:
            oldest = self._order.popleft()
            alike = self._by_beginning[oldest[:SHORTEST_SECRET]]
            alike.remove(oldest)
            if not alike:
                del self._by_beginning[oldest[:SHORTEST_SECRET]]

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where a secret begins and ends in a text, in which what is compared as equal is equal."""
        for start in range(len(text) - SHORTEST_SECRET + 1 if self._order else 0):
            for secret in self._by_beginning.get(text[start : start + SHORTEST_SECRET], ()):
                if text.startswith(secret, start):
                    yield start, start + len(secret)


def scrubbed(text: str, known: KnownSecrets | None = None, longest: int = LONGEST_DETAIL) -> str:
    """A remote service's text as it may be stored and logged.

    Args:
        text: what the remote said; it may repeat a request and its headers.
        known: the secrets that the process knows.
        longest: the maximum number of characters.
    """
    spans = sorted(
        (origins[start], origins[end])
        for reading, origins in _readings(text)
        for start, end in _secret_spans(reading, known)
    )
    parts: list[str] = []
    shown = 0
    for start, end in spans:
        if start > shown or not parts:
            parts += [text[shown:start], HIDDEN]
        shown = max(shown, end)
    text = "".join((*parts, text[shown:]))
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _secret_spans(reading: str, known: KnownSecrets | None) -> Iterator[tuple[int, int]]:
    """Where something secret begins and ends."""
    for pattern in PATTERNS:
        for found in pattern.finditer(reading):
            yield found.end(1), found.end()
    if known is not None:
        yield from known.spans(reading.translate(_ALIKE))


def _readings(text: str) -> Iterator[tuple[str, Sequence[int]]]:
    """A text as it is, and each time that its escapes are resolved.

    With each reading comes where its characters begin in the text, and as the last number where the text ends.
    """
    origins: Sequence[int] = range(len(text) + 1)
    for _ in range(_READINGS):
        yield text, origins
        parts, places, resolved = [], array("Q"), 0
        for escape in _ESCAPE.finditer(text):
            meaning = _MEANINGS[escape.lastgroup](escape[0])
            parts += [text[resolved : escape.start()], meaning]
            places.extend(origins[resolved : escape.start()])
            places.extend([origins[escape.start()]] * len(meaning))
            resolved = escape.end()
        if not parts:
            return
        places.extend(origins[resolved:])
        text, origins = "".join((*parts, text[resolved:])), places
