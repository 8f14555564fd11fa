"""A webhook that takes the app's events, with a secret that it checks."""

import hashlib
import hmac
import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local.cloud.server.authority import certificate_authority

SECRET = "a-key-that-only-the-two-know"


class Receiver(http.server.BaseHTTPRequestHandler):
    """A webhook that refuses the first events, then takes them."""

    refusals = 2
    refusal = 503
    taken: list[dict[str, Any]]
    tries: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stamp, event = self.headers["X-Timestamp"], self.headers["X-Event-Id"]
        signed = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        genuine = hmac.compare_digest(self.headers["X-Signature-256"], f"sha256={signed}")
        type(self).tries.append(event)
        if genuine and len(type(self).tries) > self.refusals:
            type(self).taken.append(json.loads(body))
        self.send_response(204 if len(type(self).tries) > self.refusals else self.refusal)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def receiving(directory: Path) -> Iterator[tuple[str, type[Receiver]]]:
    """A webhook on https, with a certificate of the authority that the app trusts here."""
    handler = type("OneReceiver", (Receiver,), {"taken": [], "tries": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    chain = directory / "webhook.pem"
    certificate_authority().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_port}/events", handler
    finally:
        server.shutdown()
