"""An answer that lacks a part names the service and the host that gave it."""

import pytest

from clients.aiven import _is_refusal
from clients.reads import complete
from clients.remote_errors import RemoteError


@pytest.mark.parametrize("found", [{}, {"id": None}, {"id": {"of": "another"}, "name": None}, [], "text"])
def test_what_lacks_a_part_is_no_answer_of_its_host(found: object) -> None:
    with pytest.raises(RemoteError) as refused:
        complete(found, ("id", "name"), "Microsoft Graph", "https://graph.microsoft.com/v1.0/applications")
    answer = refused.value.answer
    assert (answer.service, answer.host, answer.is_readable) == ("Microsoft Graph", "graph.microsoft.com", False)


def test_what_has_all_parts_is_the_answer() -> None:
    whole = {"id": "1", "properties": {"level": ""}}
    assert complete(whole, ("id", "properties.level")) is whole


@pytest.mark.parametrize(
    ("content", "refuses"),
    [
        (b'{"error": "no"}', True),
        (b'{"errors": [{"message": "no"}]}', True),
        (b'{"error": "", "errors": []}', False),
        (b'{"error": "n', False),
        (b'["error"]', False),
        (b'{"vpcs": []}', False),
    ],
)
def test_a_good_status_with_errors_is_aivens_refusal(content: bytes, refuses: bool) -> None:
    assert _is_refusal(content) is refuses
