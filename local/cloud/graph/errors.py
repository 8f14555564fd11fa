"""Errors as Microsoft Graph shows them."""

import uuid
from datetime import UTC, datetime
from typing import Any

from local.cloud.server.wire import ApiError, Response


def graph_error(status: int, code: str, message: str, detail: str | None = None, target: str = "appId") -> ApiError:
    """An error as Graph shows it."""
    request_id = str(uuid.uuid4())
    date = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    inner = {"date": date, "request-id": request_id, "client-request-id": request_id}
    error: dict[str, Any] = {"code": code, "message": message, "innerError": inner}
    if detail:
        error["details"] = [{"code": detail, "message": message, "target": target}]
    return ApiError(Response(status, {"error": error}))


def missing(name: str) -> ApiError:
    """The refusal of a request about what is not there, or not replicated yet."""
    text = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return graph_error(404, "Request_ResourceNotFound", text)


def denied(message: str = "Insufficient privileges to complete the operation.") -> ApiError:
    """The refusal of a caller who lacks a permission."""
    return graph_error(403, "Authorization_RequestDenied", message)
