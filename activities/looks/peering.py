"""The look of one peering, combined from looks that many peerings share."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, MutableMapping, Sequence
from functools import partial
from typing import TypedDict, TypeVar

from activities.looks import directory, remotes
from activities.looks.ahead import ahead
from activities.looks.remotes import part
from clients.settings import settings
from peering.aiven_vpc import AivenVpc
from peering.facts import AssignmentLook, Facts
from peering.look import (
    AccessLook,
    ApplicationLook,
    Look,
    Part,
    PrincipalLook,
    RoleLook,
    SecretLook,
    Thing,
    VNetLook,
    VpcLook,
    if_seen,
)
from peering.naming import VNetId, same_id, secret_name
from peering.spec import Peering

_Found = TypeVar("_Found")


class DirectoryParts(TypedDict):
    """The parts of a look from Entra."""

    application: Part[ApplicationLook]
    user_principal: Part[PrincipalLook]
    platform_principal: Part[PrincipalLook]


def one(looks: Part[dict[str, Thing]], name: str) -> Part[Thing]:
    """One object from a look that covers many."""
    if "problem" in looks:
        return {"problem": looks["problem"]}
    held = looks["found"]
    return {"found": held.get(name) if held is not None else None}


class Directory:
    """What Entra holds of some peerings: their applications, their service principals and the platform's own."""

    def __init__(
        self, applications: Part[dict[str, ApplicationLook]], principals: Part[dict[str, PrincipalLook]]
    ) -> None:
        self._applications, self._principals = applications, principals

    @classmethod
    async def of(cls, all_facts: Iterable[Facts]) -> "Directory":
        """Read some peerings at once, one call for every fifteen of them."""
        ids = sorted({application for facts in all_facts if (application := _application_id(facts))})
        applications, principals = await asyncio.gather(
            part(lambda: directory.applications(ids)),
            part(lambda: directory.principals([*ids, _platform()])),
        )
        return cls(applications, principals)

    def parts(self, facts: Facts) -> DirectoryParts:
        """The parts of one peering's look."""
        application_id = _application_id(facts)
        application = one(self._applications, application_id)
        user, platform = one(self._principals, application_id), one(self._principals, _platform())
        return DirectoryParts(application=application, user_principal=user, platform_principal=platform)

    def principal_ids(self, facts: Facts) -> set[str]:
        """The service principals whose rights matter to one peering."""
        parts = self.parts(facts)
        found = (if_seen(parts["user_principal"]), if_seen(parts["platform_principal"]))
        return {principal["id"] for principal in found if principal is not None}


def _application_id(facts: Facts) -> str:
    return str(facts.get("application_id") or "").lower()


def _platform() -> str:
    return str(settings().platform_application_id)


class Access:
    """The rights on VNets; the roles are read once for each subscription."""

    def __init__(self) -> None:
        self._custom: dict[str, asyncio.Task[dict[str, RoleLook]]] = {}
        self._named: dict[str, asyncio.Task[dict[str, RoleLook]]] = {}
        self._in_subscription: dict[str, asyncio.Task[list[AssignmentLook] | None]] = {}

    def custom_roles(self, vnet_id: str) -> "asyncio.Task[dict[str, RoleLook]]":
        """The custom roles of the VNet's subscription."""
        subscription = VNetId.parse(vnet_id).subscription_id.lower()
        return _begun_once(self._custom, subscription, lambda: ahead(remotes.custom_roles, vnet_id))

    async def on(self, vnet_id: str) -> list[AssignmentLook]:
        """The assignments in force on a VNet, of all principals; their roles are read in parallel."""
        held, _ = await asyncio.gather(ahead(remotes.assignments, vnet_id), self.custom_roles(vnet_id))
        return held

    async def of(self, vnet_id: str, assignments: Sequence[AssignmentLook], principal_ids: set[str]) -> AccessLook:
        """The assignments of some principals out of those on a VNet, with their roles."""
        held = [a for a in assignments if a["principal_id"] in principal_ids]
        roles = dict(await self.custom_roles(vnet_id))
        for name in {a["role"] for a in held} - set(roles):
            named = _begun_once(self._named, name, partial(remotes.role, vnet_id, name))
            roles |= await named
        return AccessLook(assignments=held, elsewhere=[], roles=roles)

    async def everywhere(
        self,
        vnet_id: str,
        assignments: Sequence[AssignmentLook],
        principal_ids: set[str],
        in_subscription: Sequence[AssignmentLook] | None = None,
    ) -> AccessLook:
        """The same with their assignments on other scopes: a list for each subscription, if the app may read it.

        Args:
            vnet_id: the VNet.
            assignments: the assignments in force on it.
            principal_ids: the principals.
            in_subscription: all their assignments in its subscription, where they are known.

        Raises:
            RemoteError: Azure did not answer.
        """
        there = {a["id"] for a in assignments}
        known = await self._listed(vnet_id) if in_subscription is None else in_subscription
        elsewhere = [a for a in known if a["id"] not in there]
        found = await self.of(vnet_id, [*assignments, *elsewhere], principal_ids)
        held = found["assignments"]
        found["assignments"] = [a for a in held if a["id"] in there]
        found["elsewhere"] = [a for a in held if a["id"] not in there]
        return found

    async def _listed(self, vnet_id: str) -> Sequence[AssignmentLook]:
        subscription = VNetId.parse(vnet_id).subscription_id.lower()
        listing = partial(remotes.assignments_in_subscription, subscription)
        return await _begun_once(self._in_subscription, subscription, listing) or []


def _begun_once(
    tasks: MutableMapping[str, asyncio.Task[_Found]], key: str, begin: Callable[[], Coroutine[object, object, _Found]]
) -> asyncio.Task[_Found]:
    """The task of a key, shared by all callers that need its result; a failed one is restarted for the next caller."""
    there = tasks.get(key)
    if there is None or (there.done() and (there.cancelled() or there.exception() is not None)):
        tasks[key] = asyncio.create_task(begin())
    return tasks[key]


async def look_of_peering(peering: Peering, facts: Facts) -> Look:
    """Everything that both clouds show of one peering now."""
    access, vnet_id = Access(), peering["vnet_id"]
    vpc, vnet, secrets, directory, held = await asyncio.gather(
        part(lambda: remotes.aiven_vpc(AivenVpc.of(peering))),
        part(lambda: _vnet_with_its_side(vnet_id, facts)),
        part(lambda: remotes.one_secret(secret_name(peering["id"]), *secret_in_use(facts))),
        Directory.of([facts]),
        part(lambda: access.on(vnet_id)),
    )
    rights = await rights_of(access, vnet_id, held, directory.principal_ids(facts))
    return assemble(peering, facts, vpc, vnet, rights, secrets, directory)


async def _vnet_with_its_side(vnet_id: str, facts: Facts) -> VNetLook | None:
    """A VNet with its peerings; the recorded one is read by its own id if it is not listed."""
    vnet, recorded = await remotes.vnet(vnet_id), facts.get("vnet_peering_id")
    if vnet is None or not isinstance(recorded, str):
        return vnet
    if all(not same_id(side["id"], recorded) for side in vnet["peered_networks"]):
        single = await remotes.vnet_peering(recorded)
        vnet["peered_networks"] += [single] if single is not None else []
    return vnet


def secret_in_use(facts: Facts) -> tuple[str | None, str | None]:
    """The version of the secret that a peering signs in with, and its password's key id, once recorded by a run."""
    return facts.get("secret_version"), facts.get("secret_key_id")


async def rights_of(
    access: Access,
    vnet_id: str,
    held: Part[list[AssignmentLook]],
    principal_ids: set[str],
    in_subscription: Part[list[AssignmentLook]] | None = None,
) -> Part[AccessLook]:
    """The rights of some principals, by the assignments on the VNet and by all; either look may have failed."""
    known: list[AssignmentLook] | None = None
    if in_subscription is not None:
        if "problem" in in_subscription:
            return {"problem": in_subscription["problem"]}
        known = in_subscription["found"] or []
    if "problem" in held:
        return {"problem": held["problem"]}
    assignments = held["found"] or []
    return await part(lambda: access.everywhere(vnet_id, assignments, principal_ids, known))


def assemble(
    peering: Peering,
    facts: Facts,
    project_vpc: Part[VpcLook],
    vnet: Part[VNetLook],
    access: Part[AccessLook],
    secrets: Part[dict[str, SecretLook]],
    directory: Directory,
) -> Look:
    """One peering's look out of the looks that it shares with others."""
    secret = one(secrets, secret_name(peering["id"]))
    return Look(project_vpc=project_vpc, vnet=vnet, access=access, secret=secret, **directory.parts(facts))
