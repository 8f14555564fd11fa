"""A problem names the service that refused or did not answer, also where a step speaks to two of them in turn."""

import time

import pytest

from local.deployment import Deployment

SERVICES = pytest.mark.parametrize(
    ("service", "host", "method", "path"),
    [
        ("Microsoft Graph", "graph.microsoft.com", "POST", "/addPassword$"),
        ("Azure Key Vault", "{vault}.vault.azure.net", "PUT", "/secrets/"),
    ],
)


def fail(deployment: Deployment, host: str, method: str, path: str, **answer: object) -> str:
    """Let every request of a kind fail; returns the name of the host."""
    named = host.format(vault=deployment.cloud.landscape.vault)
    fault = {"host": named.replace(".", r"\."), "method": method, "path": path, "times": 10_000}
    deployment.knobs(faults=[fault | answer])
    return named


@SERVICES
def test_who_refused_is_named(deployment: Deployment, service: str, host: str, method: str, path: str) -> None:
    named = fail(deployment, host, method, path, status=403, body={"error": {"code": "Forbidden", "message": "No."}})
    problem = deployment.settle()["problem"]
    assert [problem["remote"][name] for name in ("service", "host", "status")] == [service, named, 403]


@SERVICES
def test_who_did_not_answer_is_named(deployment: Deployment, service: str, host: str, method: str, path: str) -> None:
    named = fail(deployment, host, method, path, breach="reset")
    identity = deployment.start()
    details: list[str] = []
    deadline = time.monotonic() + 30 * deployment.patience
    while not details:
        assert time.monotonic() < deadline
        details = [step["problem"]["detail"] for step in deployment.status(identity)["steps"] if "problem" in step]
        time.sleep(0.05)
    assert details == [f"{service} ({named}) was not reached."]
    deployment.knobs(faults=[])
    assert deployment.until(identity)["state"] == "connected"
