"""Whatever comes from a remote is scrubbed and bounded: what looks like a secret goes, what names things stays."""

import pytest

from clients.aiven_answers import StateInfo
from clients.known_secrets import readable, remember
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
    "a secret in JSON in JSON": "hunter2 hunter2",
    "a token without a form": "Zm9vYmFyYmF6cXV4",
    "a token of Aiven's in an address": "Zm9vYmFyYmF6cXV4",
    "a token that is encrypted": "eyJhbGciOiJSU0EtT0FFUCJ9.OKOawDo13gRp2oj.48V1ALb6US04.5eym8TWc8SuK0lt.XFBoMYUZod",
    "a signature in .NET's JSON": "Zm9vYmFyYmF6",
    "an account's key in an address": "Zm9vYmFyYmF6cXV4",
    "a password of Entra in an address": SECRETS["a password of Entra"].replace("~", "%7E"),
    "a password of Entra in .NET's JSON": SECRETS["a password of Entra"].replace("~", r"\u007e"),
    "a password of Entra in a page": SECRETS["a password of Entra"].replace("~", "&#126;"),
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
    "a secret in JSON in JSON": r'"{{\"client_secret\": \"{}\", \"scope\": 1}}"',
    "a token without a form": '{{"access_token":"{}"}}',
    "a token of Aiven's in an address": "Authorization=aivenv1%20{}",
    "a token that is encrypted": "the token {} is not valid",
    "a signature in .NET's JSON": r'{{"url": "https://h/x?sv=1\u0026sig={}\u0026se=2"}}',
    "an account's key in an address": "AccountName%3Da%3BAccountKey%3D{}%3D",
    "a password of Entra in an address": "https://h/?password={}",
    "a password of Entra in .NET's JSON": '{{"value": "{}"}}',
    "a password of Entra in a page": "<p>{}</p>",
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


@pytest.mark.parametrize("form", ["ab/cd+ef=12", "ab%2Fcd%2Bef%3D12", r"ab\/cd+ef=12", "YWIvY2QrZWY9MTI="])
def test_what_the_process_knows_goes_in_every_form(form: str) -> None:
    remember("ab/cd+ef=12")
    assert readable(f"x {form} y").startswith(f"x {HIDDEN}")


def test_ids_stay() -> None:
    assert scrubbed(PLAIN) == PLAIN


def test_a_text_without_end_is_cut() -> None:
    assert len(scrubbed("x" * 60_000)) == LONGEST_DETAIL


def test_what_aiven_says_of_a_connection_is_scrubbed_where_it_is_used() -> None:
    said = StateInfo(message=f"Azure answered: Bearer {SECRETS['a token']} is not valid")
    assert said.told == f"Azure answered: Bearer {HIDDEN} is not valid"
