"""Tests of which there is one for each row of a document's table."""

from collections.abc import Mapping, Sequence
from typing import Final

import pytest

from tests.workflows.document_events import Change, mention
from tests.workflows.markdown_tables import Row

#: What Azure, Entra and Key Vault alone know of: nothing of it depends on whose the VPC is.
_OF_ACCESS: Final = (
    *("$principal", "$platform_principal", "$role", "$platform_role", "$application", "$platform_application"),
    *("$secret", "$automation", "graph.microsoft.com", "vault.azure.net", "management.azure.com"),
)


def each(rows: list[Row], title: str, causes: Mapping[str, Sequence[Change]]) -> pytest.MarkDecorator:
    """One test for each row; a change of access alone is the same for any kind of VPC.

    Args:
        rows: of the table.
        title: the column that names the test.
        causes: the changes that cause the rows, by their titles.
    """
    found = []
    for row in rows:
        of_access = any(mention(causes.get(row[title], ()), name) for name in _OF_ACCESS)
        found.append(pytest.param(row, id=row[title], marks=pytest.mark.any_kind if of_access else ()))
    return pytest.mark.parametrize("row", found)
