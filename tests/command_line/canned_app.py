"""An HTTP server in an app's place: it answers every request as a test wants it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Answer:
    """An answer: its text, what kind of text that is, and its status."""

    text: str
    kind: str = "application/json"
    status: int = 200


#: Answers a request by its method and its path with the query.
Answering = Callable[[str, str], Answer]


def of(document: object) -> Answer:
    """The answer that holds a document."""
    return Answer(json.dumps(document))


@dataclass
class CannedApp:
    """A server that answers so; `asked` has the requests, each a method and a path, `bodies` what they sent."""

    url: str
    asked: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)


@contextmanager
def canned_app(answering: Answering) -> Iterator[CannedApp]:
    """Serve answers on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            app.bodies.append(self.rfile.read(int(self.headers.get("content-length", "0"))).decode())
            app.asked.append((self.command, self.path))
            found = answering(self.command, self.path)
            body = found.text.encode()
            self.send_response(found.status)
            self.send_header("content-type", found.kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815 - the names are the library's

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    app = CannedApp(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
