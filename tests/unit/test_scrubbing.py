"""Whatever comes from a remote is scrubbed and bounded: what looks like a secret goes, what names things stays."""

import pytest

from clients.aiven_answers import StateInfo
from peering.scrubbing import HIDDEN, LONGEST_DETAIL, scrubbed

SECRETS = {
    "a token": "eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiIxIn0.c2lnbmF0dXJl",
    "a bearer": "abcdef0123456789/+=",
    "a password of Entra": "aB18Q~" + "x9._~-K" * 4 + "abcdef",
    "a signature": "Zm9v%2FYmFy%3D",
    "an account's key": "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr==",
}
SECRETS |= {
    "a signature in a signature": SECRETS["a signature"],
    "a shared key": "Zm9vYmFyYmF6cXV4",
    "a bus's key": "Zm9vYmFyYmF6cXV4",
    "an assertion": "Zm9vYmFyYmF6cXV4",
    "a secret in JSON": "hunter2 hunter2",
    "a password of Entra in an address": SECRETS["a password of Entra"].replace("~", "%7E"),
}
TEXTS = {
    "a token": "the token {} is not valid",
    "a bearer": "headers: Authorization: Bearer {}",
    "a password of Entra": '{{"value": "{}"}}',
    "a signature": "https://h/x?sv=1&sig={}&se=2",
    "a signature in a signature": "https%3A%2F%2Fh%2Fx%3Fsv%3D1%26sig%3D{}",
    "a shared key": "Authorization: SharedKeyLite account:{}",
    "a bus's key": "Endpoint=sb://b;SharedAccessKeyName=n;SharedAccessKey={}",
    "an assertion": "grant_type=x&client_assertion={}&scope=y",
    "a secret in JSON": '{{"client_secret": "{}", "scope": "y"}}',
    "a password of Entra in an address": "https://h/?password={}",
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


def test_what_aiven_says_of_a_connection_is_scrubbed_where_it_is_read() -> None:
    said = StateInfo(message=f"Azure answered: Bearer {SECRETS['a token']} is not valid")
    assert said.message == f"Azure answered: Bearer {HIDDEN} is not valid"
