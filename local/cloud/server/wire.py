"""Requests, answers and routes, as every service of the local cloud uses them."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qs

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """One request as it came: header names in lower case, path and query decoded."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Headers
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            ValueError: it is none.
        """
        value = json.loads(self.body or b"null")
        if not isinstance(value, dict):
            raise ValueError("the body is not a JSON object")  # noqa: TRY004 - one error for all bad bodies
        return value

    def form(self) -> dict[str, str]:
        """The body as form fields."""
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def bearer(self) -> str | None:
        """The bearer token, if there is one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else None


@dataclass(frozen=True)
class Response:
    """One answer; `body` is JSON, or bytes of the type that a header names, or nothing."""

    status: int
    body: object = None
    headers: Headers = field(default_factory=dict)

    def with_headers(self, headers: Headers) -> "Response":
        """The answer with further headers; its own come before them."""
        return replace(self, headers={**headers, **self.headers})


class ApiError(Exception):
    """A service refuses a request with this answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.status} {response.body}")
        self.response = response


Handler = Callable[..., Response]


def answer_with(headers: Headers, answer: Callable[[Request], Response], request: Request) -> Response:
    """A service's answer to a request, with further headers.

    Raises:
        ApiError: the service refuses; the refusal has them, too.
    """
    try:
        return answer(request).with_headers(headers)
    except ApiError as error:
        raise ApiError(error.response.with_headers(headers)) from None


class Routes:
    """The routes of a service: a method, a pattern for the whole path, and what answers."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._routes: Final[list[tuple[str, re.Pattern[str], Handler]]] = []

    def add(self, method: str, pattern: str, handler: Handler) -> None:
        """Answer `method` on paths that match `pattern` (without case) with `handler(request, **groups)`."""
        self._routes.append((method, re.compile(pattern, re.IGNORECASE), handler))

    def answer(self, request: Request) -> Response:
        """Answer a request; a route that this cloud does not have is refused by name, never passed over.

        Raises:
            ApiError: the service refuses.
        """
        for method, pattern, handler in self._routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return handler(request, **match.groupdict())
        message = f"The local cloud's {self._service} does not serve {request.method} {request.path}"
        return Response(501, {"error": {"code": "NotServedLocally", "message": message}, "message": message})
