"""Labels of a peering, such as its owner, a ticket or the environment, and its note. No secrets."""

import unicodedata
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic.config import JsonDict

MOST_LABELS: Final = 16


def _readable(text: str) -> str:
    """A text that is displayed as it is; a note may have several lines."""
    if any(unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp") for one in text if one != "\n"):
        raise ValueError("must not contain control characters, line separators or writing direction marks")
    return text


_NAME: Final = r"^[a-z][a-z0-9_.-]{0,39}$"
#: What the JSON schema of labels also says: `patternProperties` alone allows any other name.
NAMED: Final[JsonDict] = {"propertyNames": {"pattern": _NAME}}
LabelName = Annotated[str, Field(pattern=_NAME)]
LabelValue = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^,=\n]+$"), AfterValidator(_readable)]
Labels = Annotated[
    dict[LabelName, LabelValue],
    Field(
        max_length=MOST_LABELS,
        json_schema_extra=NAMED,
        description="Short values by name that describe the peering: owner, ticket, environment.",
    ),
]
Note = Annotated[
    str, Field(max_length=500, description="A note for readers of the peering."), AfterValidator(_readable)
]


def merged(labels: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """Labels after some were set, and those with None were removed."""
    return {name: value for name, value in sorted({**labels, **changes}.items()) if value is not None}
