"""Application Insights' endpoint, as far as its exporter asks it."""

import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final, NamedTuple

_KEY: Final = "00000000-0000-0000-0000-00000000000a"


class Ingestion(NamedTuple):
    """A running endpoint: the connection string that leads to it, and the envelopes that it has been sent."""

    connection_string: str
    envelopes: list[dict[str, Any]]

    def of_type(self, name: str) -> list[dict[str, Any]]:
        """The envelopes with data of a type, such as `RemoteDependencyData`."""
        return [one for one in self.envelopes if one["data"]["baseType"] == name]


class _Endpoint(http.server.BaseHTTPRequestHandler):
    envelopes: ClassVar[list[dict[str, Any]]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        found = [json.loads(line) for line in body.decode().splitlines()] if body[:1] == b"{" else json.loads(body)
        self.envelopes.extend(found)
        answer = json.dumps({"itemsReceived": len(found), "itemsAccepted": len(found), "errors": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def ingestion() -> Iterator[Ingestion]:
    """Serve the endpoint."""
    envelopes = list[dict[str, Any]]()
    handler = type("Endpoint", (_Endpoint,), {"envelopes": envelopes})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield Ingestion(f"InstrumentationKey={_KEY};IngestionEndpoint={url}", envelopes)
    finally:
        server.shutdown()
