"""The steps on Aiven's side: the VPC and its peering connection (article steps 11, 12 and 14)."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import Final, TypedDict

from activities.looks import remotes
from activities.looks.ahead import ahead
from activities.looks.diagnosis import LASTING, PASSING, diagnose
from activities.step import look_again, step, told_since
from clients.aiven import unreadable
from clients.aiven_answers import PeeringConnection, Vpc
from clients.aiven_vpcs import Fits, VpcClient, WantedConnection, has_connection_beside, vpc_client
from clients.remote_errors import RemoteError
from peering.aiven_vpc import AivenVpc
from peering.drift import BLOCKERS
from peering.facts import ConnectionRefusal, Facts, named, needed
from peering.naming import VNetId, VNetPeeringId, same_id
from peering.outcome import Occurrence, ProblemError, StepRequest
from peering.problems.codes import ProblemCode
from peering.sides import has_lost_its_side, side_of
from peering.spec import Peering
from peering.states import CONNECTION_ACTIVE, CONNECTION_BUILT, DELETE_FIRST, REQUEST_AGAIN, connection_problem
from peering.unfit import connection_exists

#: A list may be stale, so a missing entry is read again before anything is deleted because of it.
_LOOKS_BEFORE_DELETION: Final = 1
#: How often a connection that is shown in part is read again before it counts as one that needs a shared object.
_LOOKS_AT_A_PART: Final = 6
_LOOKS_BETWEEN_DIAGNOSES: Final = 10
#: The pause in seconds before the cause of a refusal is diagnosed again: the lists may lack a new right.
_LOOKS_BEFORE_THE_END: Final = 1
_PAUSE_BEFORE_THE_END: Final = 30
#: The seconds of a wait after which an unlisted connection counts as not requested, or as deleted.
_LISTED_AFTER: Final = 300
#: The accepted age of a response, as a share of the wait: half of the poll interval.
_SHARE_OF_A_WAIT: Final = 0.05
#: Failed states with a possibly transient reason.
_REFUSED: Final[frozenset[ProblemCode]] = frozenset({"connection-invalid-specification", "connection-rejected-by-peer"})
_CONFLICT: Final = 409
_VPC_PROBLEMS: Final[Mapping[str, ProblemCode]] = {
    "APPROVED": "project-vpc-not-active",
    "DELETING": "project-vpc-deleted",
    "DELETED": "project-vpc-deleted",
}


@step
async def project_vpc(peering: Peering, facts: Facts) -> Facts:
    """Look up the VPC, a project's or an organization's, and whether it has a connection to the VNet already."""
    wanted = AivenVpc.of(peering)
    vpc = await ahead(read_vpc, wanted)
    if "azure" not in vpc.cloud:
        raise ProblemError("project-vpc-not-azure", f"The {wanted} is in {vpc.cloud}.")
    _check_state(wanted, vpc)
    vnet = VNetId.parse(peering["vnet_id"])
    check_clear(vpc, vnet)
    is_beside = _is_beside_anothers(wanted, vpc, vnet, facts)
    connection = vpc.connection_to(vnet, named(facts, "application_id"), only_own=is_beside)
    found: Facts = {
        "cloud_name": vpc.cloud,
        "project_network_cidr": vpc.ranges,
        "found_connection_state": connection.state if connection else None,
        "found_connection_application_id": connection.peer_azure_app_id if connection else None,
    }
    if is_beside or "is_beside_anothers" in facts:
        found["is_beside_anothers"] = is_beside
    if vpc.still_lists(vnet):
        found["ended_connection_listed"] = True
    if connection is not None and connection.user_peer_network_cidrs:
        found["user_peer_network_cidrs"] = connection.user_peer_network_cidrs
    if connection is None or connection.state not in (DELETE_FIRST, "DELETING", "ACTIVE"):
        found["connection_is_clear"] = "nothing to delete"
    return found


def _is_beside_anothers(named_vpc: AivenVpc, vpc: Vpc, vnet: VNetId, facts: Facts) -> bool:
    """Whether Aiven lists the connection beside another application's, or did before: then it makes two.

    In a project VPC the VNet names a connection, so there is only one.
    """
    application_id = named(facts, "application_id")
    if named_vpc.kind == "project" or application_id is None or not vpc.has_anothers(vnet, application_id):
        return False
    return facts.get("is_beside_anothers", False) or vpc.connection_to(vnet, application_id, only_own=True) is not None


def _connection(vpc: Vpc, vnet_id: str, facts: Facts) -> PeeringConnection | None:
    """The connection of the pair; where Aiven makes two, only the application's own."""
    application_id, only_own = named(facts, "application_id"), facts.get("is_beside_anothers", False)
    return vpc.connection_to(VNetId.parse(vnet_id), application_id, only_own=only_own)


def check_clear(vpc: Vpc, vnet: VNetId, application_id: str | None = None) -> None:
    """Check that each connection that may lead to a VNet says so, and whose it is.

    Args:
        vpc: the VPC.
        vnet: the VNet.
        application_id: where only connections of this application matter, as far as it is known.

    Raises:
        RemoteError: Aiven shows one in part; a retry may show the whole of it.
    """
    if any(connection.is_unclear(vnet, application_id) for connection in vpc.peering_connections):
        raise unreadable("Aiven lists a connection to a VNet of this name without its resource group or application.")


async def may_be_connected(owner: AivenVpc, fits: Fits, facts: Facts) -> bool:
    """Whether a VPC of an owner in Aiven has a connection that fits; one that Aiven keeps showing in part may.

    Responses of Aiven since the wait began still count, because more VPCs than Aiven's rate limit per minute take
    several polls.

    Args:
        owner: the project or the organization.
        fits: whether a connection does; None, if Aiven leaves out what would say so.
        facts: of the step that asks.

    Raises:
        ProblemError: `connection-unseen`, Aiven shows one in part; the orchestrator polls again after some seconds.
        RemoteError: Aiven refused, or did not answer.
    """
    found = await has_connection_beside(owner, fits, older=told_since(facts))
    if found is None:
        look_again(facts, _LOOKS_AT_A_PART, "connection-unseen", f"Aiven shows a connection of {owner.owner} in part.")
    return found is not False


async def read_vpc(vpc: AivenVpc) -> Vpc:
    """A VPC with its connections.

    Args:
        vpc: which one.

    Raises:
        RemoteError: Aiven refused, or did not answer.
    """
    return await vpc_client(vpc).read()


def _client(peering: Peering) -> VpcClient:
    return vpc_client(AivenVpc.of(peering))


def _check_state(named: AivenVpc, vpc: Vpc) -> None:
    """Accept a VPC only in a state in which it accepts connections."""
    if vpc.state in _VPC_PROBLEMS:
        raise ProblemError(_VPC_PROBLEMS[vpc.state], f"The {named} is {vpc.state}.")


@step
async def stale_connection(peering: Peering, facts: Facts) -> Facts:
    """Before article step 11: delete an unusable connection, and wait until it is deleted.

    Unusable is a connection in a permanent failed state, or one whose Azure side is missing or Disconnected. Azure
    accepts a new side only after the platform's old one is deleted.
    """
    sides = facts["peered_networks"]
    if not has_lost_its_side(facts, sides):
        return {"connection_is_clear": "nothing to delete"}
    aiven = _client(peering)
    owner, vnet = facts["found_connection_application_id"], VNetId.parse(peering["vnet_id"])
    vpc, is_beside = await aiven.read(), facts.get("is_beside_anothers", False)
    connection = vpc.connection_to(vnet, owner, only_own=is_beside)
    if connection is None:
        return {"connection_is_clear": "deleted"}
    if not same_id(connection.peer_azure_app_id, owner):
        raise ProblemError(
            "connection-of-another-application", f"{connection.peer_azure_app_id} has requested it in the meantime."
        )
    # Another execution, or this call's first delivery, may have deleted it and requested it again.
    now: Facts = {**facts, "found_connection_state": connection.state}
    is_lost = has_lost_its_side(now, sides)
    if not is_lost or (connection.state == "ACTIVE" and not await _is_still_lost(peering, now, connection)):
        return {"connection_is_clear": "nothing to delete"}
    if not is_beside and vpc.has_anothers(vnet, owner):
        detail = "Another application has a connection to the VNet, too; a deleted one could not be requested again."
        raise ProblemError("connection-of-another-application", detail)
    if connection.state != "DELETING":
        await _begin_to_delete(aiven, connection)
    raise ProblemError("connection-being-deleted", f"The connection was {connection.state}.")


async def _is_still_lost(peering: Peering, facts: Facts, connection: PeeringConnection) -> bool:
    """Confirm, by a second read some time later, that a connection is unusable although Aiven reports it as usable."""
    named = connection.state_info.to_network_id if connection.state_info else None
    vnet = await remotes.vnet(peering["vnet_id"])
    if vnet is None:
        raise ProblemError("vnet-not-found", f"Azure finds no VNet {peering['vnet_id']}.")
    known = {**facts, "to_network_id": named} if named else facts
    recorded = facts.get("vnet_peering_id", VNetPeeringId(VNetId.parse(vnet["vnet_id"]), peering["peering_name"]))
    single = await remotes.vnet_peering(str(recorded))
    if not has_lost_its_side(known, [*vnet["peered_networks"], *([single] if single else [])]):
        return False
    if facts.get("tries", 0) < _LOOKS_BEFORE_DELETION:
        raise ProblemError("vnet-peering-unseen", "Azure lists no working VNet peering.", retry_after=5)
    return True


@step
async def peering_connection(peering: Peering, facts: Facts) -> Facts:
    """Article step 11: request the connection, unless it is under way; a failed one is requested again.

    If the preflight found none, the VPC is not read again before the request.
    """
    aiven, vnet = _client(peering), VNetId.parse(facts["vnet_id"])
    if facts["found_connection_state"] is not None or "tries" in facts:
        connection = _connection(await aiven.read(), facts["vnet_id"], facts)
        _check_owner(connection, facts)
        if connection is not None and connection.state == "DELETING":
            raise ProblemError("connection-being-deleted", "The connection is DELETING.")
        if connection is not None and connection.state not in REQUEST_AGAIN:
            return {"requested_connection_state": connection.state}
    # Its response says little; the wait for PENDING_PEER polls the result.
    await _request(aiven, peering, facts)
    if facts.get("ended_connection_listed") and (await aiven.read()).still_lists(vnet):
        raise ProblemError("connection-being-deleted", "Aiven still lists only the deleted connection.")
    return {"requested_connection_state": "APPROVED"}


def _check_owner(connection: PeeringConnection | None, facts: Facts) -> None:
    """Do not use a connection that another application has requested since the preflight."""
    if connection is not None and connection.peer_azure_app_id is None:
        raise unreadable("It does not say who owns the connection.")
    if connection is not None and not same_id(connection.peer_azure_app_id, facts["application_id"]):
        now: Facts = {
            "found_connection_state": connection.state,
            "found_connection_application_id": connection.peer_azure_app_id,
        }
        raise ProblemError.of([connection_exists(facts | now)])


async def _request(aiven: VpcClient, peering: Peering, facts: Facts) -> None:
    wanted = WantedConnection(
        VNetId.parse(facts["vnet_id"]),
        application_id=needed(facts["application_id"]),
        tenant_id=facts["tenant_id"],
        # A recreated connection keeps the networks of the old one.
        user_peer_network_cidrs=peering["user_peer_network_cidrs"] or (facts.get("user_peer_network_cidrs") or []),
        beside_anothers=facts.get("is_beside_anothers", False),
    )
    try:
        await aiven.request_connection(wanted)
    except RemoteError as error:
        if error.answer.status == _CONFLICT:
            # The answer's text is for people; the VPC itself says whether it is being deleted.
            _check_state(aiven.vpc, await aiven.read())
        raise


@step
async def pending_peer(peering: Peering, facts: Facts) -> Facts:
    """Article step 12: whether Aiven has built its side, and where the other side has to lead to.

    `state_info` names the target with PENDING_PEER and may be null later, so what an earlier run saw still counts.
    """
    vpc = await _client(peering).read(**_new_enough(facts))
    # Aiven answers a request for an existing connection of any owner as it answers any other.
    _check_owner(_connection(vpc, facts["vnet_id"], facts), facts)
    try:
        connection = _expect(vpc, facts, CONNECTION_BUILT)
    except ProblemError as problem:
        raise await _explained(peering, facts, problem) from problem
    info = connection.state_info
    tenant = (info.to_tenant_id if info else None) or facts.get("to_tenant_id")
    network = (info.to_network_id if info else None) or facts.get("to_network_id")
    if network is None and connection.state == "ACTIVE":
        network = _network_of_connected_side(facts)
    if not network or (not tenant and connection.state != "ACTIVE"):
        raise ProblemError("peer-network-unknown", f"The connection is {connection.state} without a target network.")
    # The platform's tenant is needed only for a PUT.
    return {"to_tenant_id": tenant, "to_network_id": network}


def _network_of_connected_side(facts: Facts) -> str | None:
    """The network that the VNet's own Connected side leads to, where it is the VPC's by its addresses."""
    sides, cidr = facts["peered_networks"], facts["project_network_cidr"]
    side = side_of(facts, sides, cidr)
    return side["remote_id"] if side is not None and side["state"] == "Connected" else None


async def _explained(peering: Peering, facts: Facts, problem: ProblemError) -> ProblemError:
    """The problem of a poll of a connection that is not built: why Aiven refused it, also while it is recreated."""
    told, refusal = problem.occurrence, facts.get("refusal")
    if told["code"] in _REFUSED:
        refusal = ConnectionRefusal(code=told["code"], detail=told["detail"])
    try:
        await _explain(peering, facts, problem)
    except ProblemError as other:
        told = other.occurrence
    if refusal is not None and told["code"] == "connection-absent":
        told = Occurrence(code=refusal["code"], detail=refusal["detail"])
    if refusal is not None:
        told["seen"] = {"refusal": refusal}
    return ProblemError.of([told])


async def _explain(peering: Peering, facts: Facts, problem: ProblemError) -> None:
    """End a wait that cannot succeed, and repeat the request for a connection that was refused for no visible reason.

    Such a refusal may only mean that a new right or application has not propagated yet, which takes Azure up to ten
    minutes. Aiven may have built its side before. A long wait is diagnosed from time to time.
    """
    aiven, refused = _client(peering), problem.occurrence["code"] in _REFUSED
    if not refused and facts.get("tries", 0) % _LOOKS_BETWEEN_DIAGNOSES != _LOOKS_BETWEEN_DIAGNOSES - 1:
        return
    causes = {cause["code"] for cause in await diagnose(StepRequest(peering=peering, facts=facts))}
    if refused and causes and facts.get("tries", 0) < _LOOKS_BEFORE_THE_END:
        problem.occurrence["retry_after"] = _PAUSE_BEFORE_THE_END
    elif causes & (LASTING if refused else BLOCKERS):
        problem.occurrence["final"] = True
    elif (refused and causes.isdisjoint(PASSING)) or (aiven.deletes_failed and _is_gone(problem, facts)):
        await _request(aiven, peering, facts)


def _is_gone(problem: ProblemError, facts: Facts) -> bool:
    """Whether Aiven lists no connection, and has not for longer than a list may lag behind."""
    long_ago = facts.get("waited", 0.0) >= _LISTED_AFTER
    return long_ago and problem.occurrence["code"] == "connection-absent"


@step
async def active(peering: Peering, facts: Facts) -> Facts:
    """Article step 14: whether Aiven has seen the VNet peering and set the connection ACTIVE."""
    vpc = await _client(peering).read(**_new_enough(facts))
    try:
        connection = _expect(vpc, facts, CONNECTION_ACTIVE)
    except ProblemError as problem:
        if problem.occurrence["code"] == "connection-not-active":
            await _refresh(peering, facts)
        raise
    return {"connection_state": connection.state}


async def _refresh(peering: Peering, facts: Facts) -> None:
    """Ask Aiven to refresh; it may shorten the wait, and nothing depends on the response."""
    with suppress(RemoteError):
        await _client(peering).refresh(**_new_enough(facts))


class _Age(TypedDict):
    """How old a response may be, in seconds, and when the caller asked for it."""

    older: float
    at: datetime | None


def _new_enough(facts: Facts) -> _Age:
    """How old a response may be for a wait: waits for one VPC share its responses, within a share of their length."""
    if "looked_at" not in facts:
        return {"older": 0.0, "at": None}
    waited = facts["waited"]
    return {"older": _SHARE_OF_A_WAIT * waited, "at": datetime.fromisoformat(facts["looked_at"])}


def _expect(vpc: Vpc, facts: Facts, expected: Mapping[str, ProblemCode | None]) -> PeeringConnection:
    connection = _connection(vpc, facts["vnet_id"], facts)
    if connection is None:
        raise ProblemError("connection-absent", "Aiven no longer lists the connection.")
    problem = connection_problem(connection.state, expected)
    if problem is not None:
        message = connection.state_info.told if connection.state_info else None
        detail = f"The connection is {connection.state}" + (f": {message}" if message else ".")
        raise ProblemError(problem, detail)
    return connection


@step
async def price(peering: Peering, facts: Facts) -> Facts:
    """What the connection costs: US dollars an hour, or None if Aiven does not say."""
    prices = await ahead(hourly_prices, AivenVpc.of(peering))
    return {"hourly_price_usd": prices.get(facts["cloud_name"])}


async def hourly_prices(vpc: AivenVpc) -> dict[str, str | None]:
    """What connections of a VPC cost: US dollars an hour, by the name of the cloud; none if Aiven has no list.

    Args:
        vpc: which one.

    Raises:
        RemoteError: Aiven refused, or did not answer.
    """
    return await vpc_client(vpc).hourly_prices()


async def _begin_to_delete(aiven: VpcClient, connection: PeeringConnection) -> None:
    """Begin to delete a connection; with 409 Aiven says that it cannot do so yet: the next poll tries again."""
    try:
        await aiven.delete_connection(connection)
    except RemoteError as error:
        if error.answer.status != HTTPStatus.CONFLICT:
            raise


@step
async def remove_connection(peering: Peering, facts: Facts) -> Facts:
    """Undo article step 11: delete the connection if it is this peering's own, and wait until Aiven has done so."""
    if facts["connection_to_remove"] is None:
        return {"connection_removed": "nothing to delete"}
    aiven = _client(peering)
    vpc, vnet = await aiven.read_unless_gone(), VNetId.parse(peering["vnet_id"])
    application_id = named(facts, "application_id")
    if vpc is not None:
        check_clear(vpc, vnet, application_id)
    connection = vpc.connection_to(vnet, application_id) if vpc else None
    if connection is None:
        look_again(facts, 1, "connection-unseen", "Aiven does not list the connection.")
        return {"connection_removed": "deleted" if vpc else "with its project VPC"}
    if not same_id(connection.peer_azure_app_id, application_id):
        return {"connection_removed": "deleted"}
    if connection.state != "DELETING":
        await _begin_to_delete(aiven, connection)
    raise ProblemError("connection-still-there", f"The connection was {connection.state}.")
