"""docs/problems.md, generated from the catalogue: `python -m local.problems_table` writes it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from peering.problems import PROBLEMS
from peering.problems.remote_codes import (
    AS_APPLICATION,
    OTHERWISE,
    REMOTE_CODES,
    SIGN_IN_AT_HOME,
    SIGN_IN_CODES,
    STATUSES,
    STATUSES_ABOUT,
    STATUSES_AS_APPLICATION,
    STEP_READINGS,
    TEXTS,
)

DOCUMENT: Final = Path(__file__).resolve().parents[1] / "docs" / "problems.md"
_HEAD: Final = """# Problems

Everything that can block a peering, with its code as in `GET /api/problems`, and the codes of remote services that
map to it. The HTTP status decides first: 408, 429, 5xx, no response and an unreadable response are retried whatever
their code, as `remote-throttled` or `remote-unavailable`.

| Code | What it means | Who can fix it | How | Remote codes |
| --- | --- | --- | --- | --- |
"""


def readings() -> Iterator[tuple[str, str]]:
    """Every mapping of a remote service's answer: the problem, and the answer."""
    tables: list[tuple[str, Mapping[str, str]]] = [
        *REMOTE_CODES.items(),
        ("Azure Resource Manager, to the application", AS_APPLICATION),
        *(
            (f"Entra ID, to the {'app' if who == 'automation' else 'application'}", t)
            for who, t in SIGN_IN_CODES.items()
        ),
        ("Entra ID, to the application in the customer's tenant", SIGN_IN_AT_HOME),
        *((f"the step {step}", table) for step, table in STEP_READINGS.items()),
    ]
    for service, table in tables:
        for code, problem in table.items():
            yield problem, f"{service}: `{code}`"
    for service, texts in TEXTS.items():
        for pattern, problem in texts:
            yield problem, f"{service}: a text with “{pattern.pattern}”"
    for service, statuses in STATUSES.items():
        for status, problem in statuses.items():
            yield problem, f"{service}: {status}"
    for about, statuses in STATUSES_ABOUT.items():
        for status, problem in statuses.items():
            yield problem, f"Aiven, of an {about}: {status}"
    for status, problem in STATUSES_AS_APPLICATION.items():
        yield problem, f"Azure Resource Manager, to the application: {status}"
    for service, problem in OTHERWISE.items():
        yield problem, f"{service}: any other 4xx"


def document() -> str:
    """The whole document."""
    led_to = defaultdict[str, list[str]](list)
    for problem, reading in readings():
        led_to[problem].append(reading)
    rows = (
        (f"`{p.code}`", f"{p.title}. {p.meaning}", p.fixer, p.remedy, "<br>".join(led_to[p.code]))
        for p in sorted(PROBLEMS.values(), key=lambda problem: problem.code)
    )
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    DOCUMENT.write_text(document())
