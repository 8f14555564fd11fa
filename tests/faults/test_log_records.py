"""The log has the app's own records only, and nothing secret is in it, in the registry or in the task hub."""

import base64
import http.server
import logging
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from local.cloud import LocalCloud
from local.cloud.server.authority import certificate_authority
from local.deployment import Deployment, deploy, deployed_on
from local.genuine import GenuinePlatform
from tests.collected_telemetry import collected, is_own
from tests.engine.storage_account import texts

SIGNATURE: Final = "sig=vjb2NjTx7M1aPzQe0rmzXw"
WEBHOOK_SECRET: Final = "the-key-of-the-webhook"
#: The logger below which the app's own are.
APP: Final = "aiven_azure_peering"
#: What one start may write, so that an operator can read it.
MOST_RECORDS: Final = 40


class Records(logging.Handler):
    """All records as text, with their logger's name and their level."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.kept: list[tuple[str, int, str]] = []
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append((record.name, record.levelno, f"{self.format(record)} {record.args!r}"))

    def names(self) -> set[str]:
        """What wrote records of INFO, without what runs the app here."""
        return {name.partition(".")[0] for name, level, _ in self.kept if level == logging.INFO} - {"local"}


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Iterator[Records]:
    """What is logged from now on, with the root logger as the Python worker has it."""
    root, handler = logging.getLogger(), Records()
    level = root.level
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


class _Taking(http.server.BaseHTTPRequestHandler):
    taken: Final[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def webhook(directory: Path) -> Iterator[str]:
    """A webhook on https whose address has a signature."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Taking)
    chain = directory / "webhook.pem"
    certificate_authority().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{server.server_port}/events?{SIGNATURE}"
    finally:
        server.shutdown()


def live(deployment: Deployment) -> None:
    """A peering's life: set up, found healthy, rotated, repaired, removed."""
    identity = deployment.settle()["id"]
    assert deployment.check(identity)["health"]["verdict"] == "healthy"
    assert deployment.rotate(identity)["state"] == "connected"
    facts = deployment.status(identity)["facts"]
    deployment.event(kind="delete-vnet-peering", vnet_id=facts["vnet_id"], remote_id=facts["to_network_id"])
    repaired = deployment.check(identity)
    assert [run["operation"] for run in repaired["runs"]][-1] == "repair"
    deadline = time.monotonic() + 30
    while not _Taking.taken:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert deployment.remove(identity)["state"] == "removed"


def custom_statuses(deployment: Deployment) -> str:
    """What all instances say of themselves."""
    url = f"{deployment.host.url}/runtime/webhooks/durabletask/instances"
    answer = httpx.get(url, params={"code": deployment.host.keys.system}, trust_env=False)
    return str([instance["customStatus"] for instance in answer.json()])


def rows(cloud: LocalCloud) -> str:
    """Every row of every table."""
    tables = [table for account in cloud.world.storage_accounts.values() for table in account.tables.values()]
    found = [str(entity) for table in tables for entity in table.scan(("", ""))]
    assert len(found) > 3
    return "\n".join(found)


def one_life(directory: Path, records: Records) -> tuple[dict[str, str], list[str]]:
    """Let a peering live; returns what is said of it everywhere, and what may not be there."""
    collected().empty()
    with webhook(directory) as url:
        settings = {"WEBHOOK_URL": url, "WEBHOOK_SECRET": WEBHOOK_SECRET}
        with deploy(directory, settings=settings) as deployment:
            live(deployment)
            environment = deployment.cloud.environment
            found = {"rows": rows(deployment.cloud), "custom statuses": custom_statuses(deployment)}
    found["log"] = "\n".join(text for *_, text in records.kept)
    assert "event=webhook-answered" in found["log"]
    found["spans"] = "\n".join(span.to_json() for span in collected().spans if is_own(span))
    assert '"POST 127.0.0.1"' in found["spans"]
    found["metrics"] = str(collected().points())
    return found, [SIGNATURE, WEBHOOK_SECRET, environment["AIVEN_AUTH_TOKEN"], environment["AZURE_CLIENT_SECRET"]]


@contextmanager
def watched(storage: str) -> Iterator[set[tuple[str, str]]]:
    """All that a storage account holds at any time meanwhile: what an execution has left goes with the next one."""
    held: set[tuple[str, str]] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            held.update(texts(storage))

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            yield held
        finally:
            over.set()
            watching.result()
            held.update(texts(storage))


def assert_nowhere(secrets: list[str], issued: list[str], passwords: list[str], found: dict[str, str]) -> None:
    """See that no secret is anywhere, nor what was issued meanwhile; of a token, neither its signature alone."""
    assert len(passwords) >= 3
    assert len(issued) >= 5
    for secret in (*secrets, *passwords, *issued, *(token.rpartition(".")[2] for token in issued)):
        for form in (secret, base64.b64encode(secret.encode()).decode()):
            assert [place for place, text in found.items() if form in text] == []


def test_a_life_leaves_no_secret_in_log_registry_or_task_hub(
    tmp_path: Path, records: Records, issued: list[str], passwords: list[str]
) -> None:
    found, secrets = one_life(tmp_path, records)
    for path in tmp_path.glob("app/task-hub.db*"):
        found[path.name] = path.read_bytes().decode("latin-1")
    assert "task-hub.db" in found
    assert_nowhere(secrets, issued, passwords, found)


@pytest.mark.engine
def test_a_life_leaves_no_secret_in_a_row_or_blob_of_the_genuine_task_hub(
    genuine_platform: GenuinePlatform, tmp_path: Path, records: Records, issued: list[str], passwords: list[str]
) -> None:
    with deployed_on(genuine_platform), watched(genuine_platform.storage) as held:
        found, secrets = one_life(tmp_path, records)
    # What the removal has left was seen.
    assert any("application_object_id" in text for place, text in held if "History" in place)
    assert any("run_order" in text for place, text in held if "Instances" in place)
    assert_nowhere(
        secrets, issued, passwords, {**found, **{f"{place} {n}": text for n, (place, text) in enumerate(held)}}
    )


def test_a_start_writes_the_records_of_the_app_alone(tmp_path: Path, records: Records) -> None:
    with deploy(tmp_path) as deployment:
        records.kept.clear()
        assert deployment.settle()["state"] == "connected"
        kept, names = list(records.kept), records.names()
    assert names == {APP}
    assert 24 <= len([name for name, *_ in kept if name.startswith(APP)]) <= MOST_RECORDS, kept
