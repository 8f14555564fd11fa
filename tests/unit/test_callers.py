"""Who asks: only App Service authentication is believed about it."""

import azure.functions as func
import pytest

from triggers.requests.callers import caller

HEADERS = {"x-ms-client-principal-name": "operator@example.com", "x-ms-client-principal-id": "1"}


def request(headers: dict[str, str]) -> func.HttpRequest:
    """A request with these headers."""
    return func.HttpRequest("POST", "https://app/api/peerings", headers=headers, body=b"")


def test_with_authentication_switched_on_the_headers_name_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "True")
    assert caller(request(HEADERS)) == {"name": "operator@example.com", "id": "1"}
    assert caller(request({}))["name"] == "holder of the function key"


def test_without_it_the_headers_are_whatever_a_client_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEBSITE_AUTH_ENABLED", raising=False)
    assert caller(request(HEADERS)) == {"name": "holder of the function key", "id": None}
