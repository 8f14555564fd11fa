"""Entity group transactions: a multipart body with one change set, which is carried out as a whole or not at all."""

import json
import uuid
from email.message import Message
from email.parser import BytesParser
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from local.cloud.server.wire import Request, Response
from local.cloud.table_service.changes import Change, Changes, read_change
from local.cloud.table_service.entities import Entity, Key
from local.cloud.table_service.errors import TableError, invalid_input, not_implemented
from local.cloud.table_service.shapes import content_type
from local.cloud.table_service.store import EntityTable, StorageAccount

_LARGEST: Final = 4 * 1024 * 1024
_MOST_CHANGES: Final = 100


def transact(request: Request, account: StorageAccount, changes: Changes) -> Response:
    """Carry a transaction out; a refusal names the operation that it is about.

    Raises:
        TableError: the body as a whole is too large, or malformed.
    """
    if len(request.body) > _LARGEST:
        text = "The request body is too large and exceeds the maximum permissible limit."
        raise TableError(413, "RequestBodyTooLarge", text)
    try:
        answers = _carry_out(_operations(request), account, changes)
    except TableError as error:
        answers = [error.response]
    return _multipart(answers)


def _operations(request: Request) -> list[Request]:
    outer = _parsed(request.body, request.headers.get("content-type", ""))
    sets = [part for part in _parts(outer) if part.get_content_maintype() == "multipart"]
    if len(sets) != 1:
        raise not_implemented()
    return [_operation(request.host, part) for part in _parts(sets[0])]


def _parsed(body: bytes, kind: str) -> Message:
    return BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)


def _parts(message: Message) -> list[Message]:
    parts = message.get_payload()
    if not isinstance(parts, list):
        raise invalid_input()
    return [part for part in parts if isinstance(part, Message)]


def _content(message: Message) -> bytes:
    content = message.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _operation(host: str, part: Message) -> Request:
    """A request that is written out in a part."""
    first, _, rest = _content(part).lstrip().partition(b"\n")
    words = first.decode("latin-1").split()
    if len(words) != len(("method", "URL", "version")):
        raise invalid_input()
    inner, url = BytesParser().parsebytes(rest), urlsplit(words[1])
    headers = {name.lower(): str(value) for name, value in inner.items()}
    return Request(words[0], host, unquote(url.path), dict(parse_qsl(url.query)), headers, _content(inner).strip())


def _carry_out(operations: list[Request], account: StorageAccount, changes: Changes) -> list[Response]:
    answers: list[Response] = []
    done: list[Change] = []
    before: list[tuple[EntityTable, Key, Entity | None]] = []
    for index, operation in enumerate(operations):
        try:
            change = read_change(operation)
            _check_fits(change, done)
            table = account.table(change.table)
            before.append((table, change.key, table.get(change.key)))
            answers.append(changes.apply(change))
        except TableError as error:
            for table, key, held in before:
                table.restore(key, held)
            return [error.at(index).response]
        done.append(change)
    return answers


def _check_fits(change: Change, others: list[Change]) -> None:
    """Whether a change may stand next to the others of its transaction."""
    if len(others) == _MOST_CHANGES:
        raise invalid_input(f"The batch request operation exceeds the maximum {_MOST_CHANGES} changes per change set.")
    if others and (change.table.lower(), change.key[0]) != (others[0].table.lower(), others[0].key[0]):
        text = "All commands in a batch must operate on same entity group."
        raise TableError(400, "CommandsInBatchActOnDifferentPartitions", text)
    if change.key in [other.key for other in others]:
        text = "The batch request contains multiple changes with same row key. An entity can appear only once."
        raise TableError(400, "InvalidDuplicateRow", text)


def _multipart(answers: list[Response]) -> Response:
    inner, outer = f"changesetresponse_{uuid.uuid4()}", f"batchresponse_{uuid.uuid4()}"
    head = f"--{outer}\r\nContent-Type: multipart/mixed; boundary={inner}\r\n\r\n".encode()
    parts = b"".join(f"--{inner}\r\n".encode() + _written(answer) + b"\r\n" for answer in answers)
    tail = f"--{inner}--\r\n--{outer}--\r\n".encode()
    return Response(202, head + parts + tail, {"Content-Type": f"multipart/mixed; boundary={outer}"})


def _written(answer: Response) -> bytes:
    """An answer, written out as a part."""
    body = b"" if answer.body is None else json.dumps(answer.body).encode()
    default = {} if answer.body is None else {"Content-Type": content_type("minimal")}
    headers = {"DataServiceVersion": "3.0;", **default, **answer.headers}
    lines = [
        "Content-Type: application/http",
        "Content-Transfer-Encoding: binary",
        "",
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
