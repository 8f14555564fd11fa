"""The Table service's refusals: an OData error whose message ends with the request's id and the time."""

import uuid
from datetime import UTC, datetime

from local.cloud.server.wire import ApiError, Response


class TableError(ApiError):
    """The Table service refuses a request."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        request_id, time = str(uuid.uuid4()), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
        text = f"{message}\nRequestId:{request_id}\nTime:{time}"
        body = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": text}}}
        super().__init__(Response(status, body, {"x-ms-request-id": request_id, **(headers or {})}))
        self.status, self.code, self.message = status, code, message

    def at(self, index: int) -> "TableError":
        """The same refusal for one operation of a transaction."""
        return TableError(self.status, self.code, f"{index}:{self.message}")


def invalid_input(message: str = "One of the request inputs is not valid.") -> TableError:
    """The request is malformed."""
    return TableError(400, "InvalidInput", message)


def not_implemented() -> TableError:
    """The service does not do that."""
    return TableError(501, "NotImplemented", "The requested operation is not implemented on the specified resource.")


def out_of_range(name: str, value: str) -> TableError:
    """A parameter has a value that it cannot have."""
    return TableError(400, "OutOfRangeInput", f"The '{name}' parameter of value '{value}' is out of range.")


def not_found() -> TableError:
    """There is no such entity, or no such table to delete."""
    return TableError(404, "ResourceNotFound", "The specified resource does not exist.")
