"""What is read out of a token, and what is said of a text that is none."""

import base64
import json

import pytest

from activities.looks.token_claims import token_claims, token_roles


def token(**claims: object) -> str:
    """A token with these claims, whose signature nobody checks."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"header.{payload}.signature"


def test_the_claims_that_are_texts_and_the_roles_are_read() -> None:
    given = token(tid="tenant", oid="object", exp=7, roles=["Application.ReadWrite.All"])
    assert token_claims(given) == {"tid": "tenant", "oid": "object"}
    assert token_roles(given) == {"Application.ReadWrite.All"}
    assert token_roles(token(tid="tenant")) == set()


@pytest.mark.parametrize("given", ["opaque", "two.parts-that-are-no-json", "a.b.c", "header..signature"])
def test_a_text_that_is_no_token_is_named_as_such_and_not_repeated(given: str) -> None:
    with pytest.raises(ValueError, match=r"^the access token is not a JWT$") as refused:
        token_roles(given)
    assert refused.value.__suppress_context__
