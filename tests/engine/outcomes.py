"""What callers were told, what became of it by the registry, and what the cloud holds: where they differ, in words."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from local.deployment import Deployment, Status

#: A run as `GET /api/peerings/{id}/runs` shows it, decoded.
RunDocument = Mapping[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a caller was told."""

    status: int
    body: Mapping[str, Any]

    @property
    def is_accepted(self) -> bool:
        """Whether it is 202."""
        return self.status == HTTPStatus.ACCEPTED

    @property
    def joined(self) -> bool:
        """Whether the caller was told that the same was under way already."""
        return bool(self.body.get("joined"))

    def __str__(self) -> str:
        told = self.body.get("code") or f"run {self.body.get('run')}{', joined' if self.joined else ''}"
        return f"{self.status} {told}"


def ask(deployment: Deployment, method: str, path: str, body: Mapping[str, object] | None = None) -> Answer:
    """Send a request to the app's API."""
    answer = deployment.api.request(method, f"/api/peerings{path}", json=body)
    return Answer(answer.status_code, answer.json())


def runs_of(deployment: Deployment, identity: str) -> list[RunDocument]:
    """The runs of a peering that have an outcome."""
    answer = deployment.api.get(f"/api/peerings/{identity}/runs")
    if answer.status_code == HTTPStatus.NOT_FOUND:
        return []
    return [run for run in answer.raise_for_status().json()["runs"] if "outcome" in run]


def unaccounted(answers: Sequence[Answer], runs: Sequence[RunDocument]) -> Iterator[str]:
    """Where accepted requests and the recorded outcomes differ."""
    accepted = [answer for answer in answers if answer.is_accepted]
    outcomes = {run["run"]: run for run in runs}
    recorded = Counter(run["run"] for run in runs)
    beginnings = Counter(answer.body["run"] for answer in accepted if not answer.joined)
    for run in {answer.body["run"] for answer in accepted}:
        if recorded[run] != 1:
            yield f"run {run} has {recorded[run]} outcomes"
            continue
        joined = sum(answer.joined for answer in accepted if answer.body["run"] == run)
        kept = outcomes[run].get("joins", 0)
        if joined != kept:
            yield f"{joined} callers joined run {run}, its record has {kept}"
        if beginnings[run] != 1:
            yield f"{beginnings[run]} callers were told that they began run {run}"
    for answer in accepted:
        if (old := answer.body.get("superseded")) is None:
            continue
        found = outcomes.get(old, {})
        if (found.get("outcome"), found.get("superseded_by")) != ("superseded", answer.body["run"]):
            yield f"run {old} was superseded by {answer.body['run']}, its record says {found.get('superseded_by')}"


def doubles(state: Mapping[str, Any]) -> Iterator[str]:
    """What the cloud holds twice, of any origin."""
    kinds: dict[str, Iterable[object]] = {
        "applications of one peering": (a["uniqueName"] for a in state["applications"] if a["uniqueName"]),
        "principals of one application": ((p["tenantId"], p["appId"]) for p in state["servicePrincipals"]),
        "roles of one name": (
            (tuple(_of(r)["assignableScopes"]), _of(r)["roleName"]) for r in state["roleDefinitions"]
        ),
        "assignments of one role": (
            (_of(a)["scope"], _of(a)["roleDefinitionId"], _of(a)["principalId"]) for a in state["roleAssignments"]
        ),
        "VNet peerings of one pair": (
            (p["id"].partition("/virtualNetworkPeerings/")[0], p["remote"]) for p in state["virtualNetworkPeerings"]
        ),
        "connections of one pair": (
            (c["project_vpc_id"], c["peer_resource_group"], c["peer_vpc"]) for c in state["peeringConnections"]
        ),
    }
    for kind, found in kinds.items():
        for thing, count in Counter(found).items():
            if count > 1:
                yield f"{count} {kind}: {thing}"


def credentials_beside_one(state: Mapping[str, Any], identity: str) -> Iterator[str]:
    """Whether a connected peering has one password, one version of its secret that holds it, and no others.

    A secret that was recovered has versions of an earlier peering, too: their passwords are gone.
    """
    applications = [a for a in state["applications"] if (a["uniqueName"] or "").endswith(identity)]
    passwords = [password["keyId"] for application in applications for password in application["passwordCredentials"]]
    versions = [
        version["tags"].get("key-id")
        for secret in state["secrets"]
        if secret["name"].endswith(identity)
        for version in secret["versions"]
        if version["enabled"]
    ]
    held = [key for key in versions if key in passwords]
    if len(applications) != 1 or len(passwords) != 1 or held != passwords:
        yield f"{len(applications)} applications, passwords {passwords}, versions in use {versions}"


def left_over(state: Mapping[str, Any], status: Status, vnet_id: str) -> Iterator[str]:
    """What the cloud still holds of a peering that was removed."""
    identity, vnet = status["id"], vnet_id.rpartition("/")[2].casefold()
    kept = {
        "application": [a for a in state["applications"] if (a["uniqueName"] or "").endswith(identity)],
        "secret": [s for s in state["secrets"] if s["name"].endswith(identity)],
        "connection": [c for c in state["peeringConnections"] if c["peer_vpc"].casefold() == vnet],
        "VNet peering": [
            p
            for p in state["virtualNetworkPeerings"]
            if vnet_id.casefold()
            in (p["remote"].casefold(), p["id"].casefold().partition("/virtualnetworkpeerings/")[0])
        ],
        "role assignment": [a for a in state["roleAssignments"] if _of(a)["scope"].casefold() == vnet_id.casefold()],
    }
    for kind, found in kept.items():
        if found:
            yield f"left over: {len(found)} {kind}"


def not_as_before(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """In which kinds of objects two states of a cloud differ."""
    for kind in before:
        if before[kind] != after[kind]:
            yield f"{kind}: {len(before[kind])} before, {len(after[kind])} after all was removed"


def _of(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = resource["properties"]
    return properties
