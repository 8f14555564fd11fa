"""Whatever comes from a remote is scrubbed and bounded: what looks like a secret goes, what names things stays."""

from base64 import b64encode, urlsafe_b64encode
from typing import Final

import pytest

from clients.aiven_answers import StateInfo
from clients.known_secrets import readable, remember
from peering.scrubbing import HIDDEN, LONGEST_DETAIL, KnownSecrets, scrubbed

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
#: What a remote says around a value; only the value, here `VALUE`, goes.
AROUND: Final = (
    '{"sig":"VALUE","se":1}',
    "https%253A%252F%252Fh%252Fx%253Fsv%253D1%2526sig%253DVALUE%2526se%253D2",
    "AccountName = a; AccountKey = VALUE; EndpointSuffix = core.windows.net",
    r"{\"authorization\": \"Basic VALUE\"}",
    r"Basic \"VALUE\" is refused",
    "Bearer: VALUE",
    "Bearer=VALUE",
    "Bearer: Bearer VALUE",
    "Bearer%3A%20VALUE",
    "aivenv1:VALUE",
    "aivenv1%09VALUE",
    r"aivenv1\tVALUE",
    "Server=tcp:h;User ID=u;Password=VALUE;Encrypt=True",
    "Server=h;Uid=u;Pwd = VALUE;",
    'Password="VALUE";',
    '{"adminPassword": "VALUE"}',
    "postgres://avnadmin:VALUE@h:5432/defaultdb?sslmode=require",
    r"redis:\/\/:VALUE@h:6379",
    "amqps%3A%2F%2Fu%3AVALUE%40h",
    '{"clientSecret":"VALUE"}',
    "client-secret: VALUE",
    "&lt;a href=&quot;?client_secret=VALUE&quot;",
)
VALUES: Final = ("Zm9vYmFyYmF6cXV4", "8Q+.9z==", r"8Q\u002b.9z\u003D=", "8Q%2b.9z%3d%3D", "8Q%252B.9z&#61;=")
JSON_WEB_TOKEN: Final = "eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiIxIn0.c2lnbmF0dXJl"
PASSWORD: Final = "aB18Q~x9._~-Kx9._~-Kx9._~-Kx9._~-Kabcdef"
SHAPES: Final = (
    JSON_WEB_TOKEN.replace(".", "%2E"),
    JSON_WEB_TOKEN.replace(".", "%252e"),
    PASSWORD.replace("~", "%257E"),
    PASSWORD.replace("~", "&#x7E;"),
    PASSWORD.replace("~", r"\\u007e").replace(".", "%2e"),
)
KNOWN: Final = "aB3+xY/9zQ=="
SPELLINGS: Final = (
    "aB3%2BxY%2F9zQ%3D%3D",
    "aB3%2bxY%2f9zQ%3d%3d",
    r"aB3\u002bxY\/9zQ==",
    r"aB3\u002BxY\u002F9zQ\u003D\u003D",
    r"aB3\\u002BxY\\/9zQ==",
    "aB3%252BxY%252F9zQ%253D%253D",
    "aB3 xY/9zQ==",
    "aB3 xY%2f9zQ%3D%3D",
    "aB3+xY%2F9zQ%3D%3D",
    "aB3&#x2B;xY&#x2f;9zQ==",
    "aB3&#43;xY/9zQ&#61;&#61;",
    "aB3&plus;xY&sol;9zQ==",
    "aB3%26%2343%3BxY/9zQ==",
    "aB3-xY_9zQ==",
    b64encode(KNOWN.encode()).decode(),
    urlsafe_b64encode(KNOWN.encode()).decode(),
)
PLAIN: Final = (
    "The client '55f300d4-fc50-4c5e-9222-e90a6e2187fb' does not have authorization to perform action"
    " 'Microsoft.Network/virtualNetworks/peer/action' over scope '/subscriptions/5b1c0e5a-0000-4000-8000-000000000000"
    "/resourceGroups/Net-Prod/providers/Microsoft.Network/virtualNetworks/Hub-VNet'.",
    "The bearer token is invalid",
    "Basic authentication is disabled: use bearer tokens. Basic LoadBalancers and the Basic SKU are retired.",
    "SharedKey authentication is not permitted on this storage account.",
    "AKV10000: Request is missing a Bearer or PoP token.",
    'Bearer authorization_uri="https://login.windows.net/x", error="invalid_token"',
    "Bearer authorization_uri=https://login.microsoftonline.com/x resource_id=https://storage.azure.com",
    "The bearer 55f300d4-fc50-4c5e-9222-e90a6e2187fb may not read it.",
    "Not allowed to the bearer /subscriptions/5b1c0e5a-0000-4000-8000-000000000000/resourceGroups/Net-Prod",
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    "The password: it needs another display name than the passwordCredentials that exist.",
    "https://management.azure.com:443/subscriptions/5b1c0e5a-0000-4000-8000-000000000000?of=me@example.com",
)
#: Repeated, each part begins many searches that fail late, or escapes without end.
PARTS: Final = (
    "a-",
    "%25",
    "\\\\",
    "&#",
    "eyJ-",
    "eyJabcdefgh.",
    "bearer ",
    "basic + ",
    "sig=",
    "sig ",
    "password ",
    'client_secret="',
    'client_secret="\\',
    "://",
    "://a:b",
    "a.1Q~",
    "aB3+xY/9zQ=",
)
LONG: Final = 1_000_000


@pytest.mark.parametrize("kind", SECRETS)
def test_what_looks_like_a_secret_goes(kind: str) -> None:
    text = scrubbed(TEXTS[kind].format(SECRETS[kind]))
    assert SECRETS[kind] not in text
    assert HIDDEN in text


def test_what_the_process_knows_goes() -> None:
    known = KnownSecrets(100)
    known.add("hunter2hunter2")
    assert scrubbed("x hunter2hunter2 y", known) == f"x {HIDDEN} y"


def test_secrets_that_begin_alike_all_go_and_the_oldest_leave() -> None:
    known = KnownSecrets(8)
    for secret in ("password-one", "password-two"):
        known.add(secret)
    assert scrubbed("password-one password-two", known) == f"{HIDDEN} {HIDDEN}"
    for number in range(100):
        known.add(f"another-secret-{number}")
    assert scrubbed("password-one another-secret-99", known) == f"password-one {HIDDEN}"


@pytest.mark.parametrize("form", ["ab/cd+ef=12", "ab%2Fcd%2Bef%3D12", r"ab\/cd+ef=12", "YWIvY2QrZWY9MTI="])
def test_what_the_process_knows_goes_in_every_form(form: str) -> None:
    remember("ab/cd+ef=12")
    assert readable(f"x {form} y").startswith(f"x {HIDDEN}")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_the_process_knows_goes_in_every_spelling(spelling: str) -> None:
    remember(KNOWN)
    assert readable(f"x {spelling} y") == f"x {HIDDEN} y"


def test_a_very_short_text_is_no_known_secret() -> None:
    remember("gateway")
    remember("%67%61te")
    assert readable("The gateway: a gate") == "The gateway: a gate"


@pytest.mark.parametrize("before", ["", "u", "id", "id:"])
def test_what_the_process_knows_goes_in_the_base64_of_more(before: str) -> None:
    remember("ab?>cd+ef=123")
    encoded = b64encode(f"{before}ab?>cd+ef=123:more".encode()).decode()
    said = readable(f"x {encoded} y")
    # The characters at its two ends are also those of what surrounds it.
    assert HIDDEN in said
    assert len(said.replace(HIDDEN, "")) <= len(f"x {encoded} y") - 16


@pytest.mark.parametrize(
    "spelling", ["https://h/e?code=a%2Fb1", r"https:\/\/h\/e?code=a%2Fb1", "https://h/e?code=a/b1"]
)
def test_a_known_secret_with_escapes_goes_however_they_are_read(spelling: str) -> None:
    remember("https://h/e?code=a%2Fb1")
    assert readable(f"x {spelling} y") == f"x {HIDDEN} y"


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("text", AROUND)
def test_the_value_goes_and_what_surrounds_it_stays(text: str, value: str) -> None:
    assert scrubbed(text.replace("VALUE", value)) == text.replace("VALUE", HIDDEN)


@pytest.mark.parametrize("scheme", ["Bearer: ", "Bearer=", "aivenv1:", "aivenv1%09"])
def test_a_value_of_one_letter_goes(scheme: str) -> None:
    assert scrubbed(f"{scheme}x") == f"{scheme}{HIDDEN}"


def test_a_value_goes_to_its_end_quotes_and_blanks_within_or_not() -> None:
    assert scrubbed(r'{"clientSecret": "a \"b\" c", "d": 1}') == f'{{"clientSecret": "{HIDDEN}", "d": 1}}'
    assert scrubbed('{"clientSecret": "a b') == f'{{"clientSecret": "{HIDDEN}'


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_goes_in_every_spelling(shape: str) -> None:
    assert scrubbed(f"the value {shape} is wrong") == f"the value {HIDDEN} is wrong"


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_secret_stays(text: str) -> None:
    assert scrubbed(text) == text


@pytest.mark.parametrize("part", PARTS)
def test_the_steps_of_a_search_grow_with_the_length_alone(part: str) -> None:
    # Steps that grew with its square would need hours, and the runner's timeout would end the test.
    remember(KNOWN)
    assert len(readable((part * LONG)[:LONG])) <= LONGEST_DETAIL


def test_a_text_without_end_is_cut() -> None:
    assert len(scrubbed("x" * 60_000)) == LONGEST_DETAIL


def test_what_aiven_says_of_a_connection_is_scrubbed_where_it_is_used() -> None:
    said = StateInfo(message=f"Azure answered: Bearer {SECRETS['a token']} is not valid")
    assert said.told == f"Azure answered: Bearer {HIDDEN} is not valid"
