"""Whatever comes from a remote is scrubbed and bounded: what looks like a secret goes, what names things stays."""

import pytest

from peering.scrubbing import HIDDEN, LONGEST_DETAIL, scrubbed

SECRETS = {
    "a token": "eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiIxIn0.c2lnbmF0dXJl",
    "a bearer": "abcdef0123456789/+=",
    "a password of Entra": "aB18Q~" + "x9._~-K" * 4 + "abcdef",
    "a signature": "Zm9v%2FYmFy%3D",
    "an account's key": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr==",
}
TEXTS = {
    "a token": "the token {} is not valid",
    "a bearer": "headers: Authorization: Bearer {}",
    "a password of Entra": '{{"value": "{}"}}',
    "a signature": "https://h/x?sv=1&sig={}&se=2",
    "an account's key": "AccountName=a;AccountKey={};EndpointSuffix=core.windows.net",
}
PLAIN = (
    "The client '55f300d4-fc50-4c5e-9222-e90a6e2187fb' does not have authorization to perform action"
    " 'Microsoft.Network/virtualNetworks/peer/action' over scope '/subscriptions/5b1c0e5a-0000-4000-8000-000000000000"
    "/resourceGroups/Net-Prod/providers/Microsoft.Network/virtualNetworks/Hub-VNet'."
)


@pytest.mark.parametrize("kind", SECRETS)
def test_what_looks_like_a_secret_goes(kind: str) -> None:
    text = scrubbed(TEXTS[kind].format(SECRETS[kind]))
    assert SECRETS[kind] not in text
    assert HIDDEN in text


def test_what_the_process_knows_goes() -> None:
    assert scrubbed("x hunter2hunter2 y", ["hunter2hunter2"]) == f"x {HIDDEN} y"


def test_ids_stay() -> None:
    assert scrubbed(PLAIN) == PLAIN


def test_a_text_without_end_is_cut() -> None:
    assert len(scrubbed("x" * 60_000)) == LONGEST_DETAIL
