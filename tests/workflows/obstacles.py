"""Everything that can stand in the way of a start, as it comes about in the world: a row for each obstacle."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from local.cloud.events import EVENTS
from local.cloud.scenario import Fault, scenario_of
from local.cloud.server.wire import Request
from local.cloud.world.records import VNetPeering
from local.cloud.world.world import (
    OWNER,
    READER,
    SECRETS_USER,
    USER_ACCESS_ADMINISTRATOR,
    Connection,
    RoleDefinition,
    VNet,
)
from local.deployment import Deployment
from tests.workflows.by_hand import made_by_hand

_ARM: Final = r"management\.azure\.com"
_FOR_EVER: Final = 10_000
_PROJECT_CIDR: Final = "10.240.4.0/24"


class Place:
    """Where obstacles come about: the world at this moment, and the pair that a start is about."""

    def __init__(self, deployment: Deployment) -> None:
        self.world, self.landscape, self.host = deployment.cloud.world, deployment.cloud.landscape, deployment.host
        self.vnet_id = str(deployment.request()["vnet_id"])
        self.project_vpc = self.world.vpcs[self.landscape.vpc.id]

    @property
    def vnet(self) -> VNet:
        """The VNet of the start."""
        return cast("VNet", self.world.vnet(self.vnet_id))

    @property
    def subscription(self) -> str:
        """Its subscription, as a scope."""
        return f"/subscriptions/{self.landscape.subscription}"

    def event(self, kind: str, **given: object) -> None:
        """Something happens behind everybody's back."""
        EVENTS[kind](self.world, **given)

    def knobs(self, **knobs: object) -> None:
        """The cloud behaves otherwise from now on."""
        self.world.knobs = scenario_of(knobs, self.world.knobs)

    def refuse(self, host: str, status: int, code: str, inner: str = "") -> None:
        """A service refuses everything from now on."""
        error: dict[str, object] = {"code": code, "message": f"Refused: {inner or code}."}
        if inner:
            error["innererror"] = {"code": inner}
        fault = Fault(host=host, status=status, code=code, body={"error": error}, times=_FOR_EVER)
        self.world.knobs.faults.append(fault)

    def keep_only(self, scope: str, *roles: str) -> None:
        """The app's identity has these roles on a scope, and no others."""
        world, me = self.world, self.landscape.automation.id
        for held in [a for a in world.assignments.by("principal", me) if a.scope == scope]:
            world.assignments.remove(held)
        for role in roles:
            world.assign(world.guid(), scope, cast("RoleDefinition", world.role(role)), me)

    def own_the_group_alone(self) -> None:
        """The app's identity has all rights on the VNet's resource group, and none in the whole subscription."""
        self.keep_only(self.subscription)
        self.keep_only(self.vnet_id.partition("/providers/")[0], OWNER)

    def permit(self, *permissions: str) -> None:
        """The app's identity has these Graph permissions, and no others; tokens from before are not taken any more."""
        self.landscape.automation.graph_roles = list(permissions)
        self.world.knobs.faults.append(
            Fault(host=r"graph\.microsoft\.com", status=401, code="InvalidAuthenticationToken", times=1)
        )

    def forbid(self, **policy: object) -> None:
        """The tenant has an app management policy that the app may read."""
        self.knobs(**policy)
        self.permit("Application.ReadWrite.All", "Policy.Read.ApplicationConfiguration")

    def crowd(self) -> None:
        """The subscription has more role assignments than Azure allows."""
        world = self.world
        role = cast("RoleDefinition", world.role(USER_ACCESS_ADMINISTRATOR))
        while len(world.assignments) < 4010:
            world.assign(world.guid(), self.subscription, role, world.guid())

    def peer_with_many(self) -> None:
        """The VNet has as many peerings as Azure allows."""
        vnet, now = self.vnet, self.world.now
        for number in range(len(vnet.peerings), 500):
            remote = f"{vnet.id.rpartition('/')[0]}/Many-{number}"
            side = VNetPeering(f"to-{number}", vnet.id, remote, "", self.world.guid(), "Initiated", now, now, now, [])
            vnet.peerings.append(side)

    def peer_with_another(self, *prefixes: str, name: str) -> None:
        """The VNet is peered with a further network."""
        kind = "add-vnet-peering-to-overlapping-network"
        self.event(kind, vnet_id=self.vnet_id, prefixes=list(prefixes), name=name)

    def request_elsewhere(self) -> None:
        """The pair is connected in Aiven for another application."""
        vnet, now, tenant = self.vnet, self.world.now, self.landscape.customer_tenant
        application = self.world.add_application(tenant, "theirs", "AzureADMultipleOrgs")
        names = (vnet.subscription_id, vnet.group.lower(), vnet.name.lower(), application.app_id, tenant)
        self.project_vpc.connections.append(Connection(*names, [], "PENDING_PEER", now, now))

    def make_role(self, name: str) -> None:
        """Create a role with a name that grants something else."""
        scopes = [self.subscription]
        made = RoleDefinition(
            *(self.world.guid(), name, ""),
            built_in=False,
            tenant_id=self.landscape.customer_tenant,
            scopes=scopes,
            actions=["Microsoft.Compute/*"],
        )
        self.world.roles.append(made)

    def disable(self, app_id: str) -> None:
        """An administrator switches an application's sign-in in the tenant off."""
        self.event("disable-service-principal", app_id=app_id, tenant_id=self.landscape.customer_tenant)

    def disable_own_application(self) -> None:
        """The same for the application that this app has made, after the last token that it was given."""
        self.disable(self.own_application)
        self.host.restart_worker("it keeps tokens for as long as it lives")

    def move_subscription(self) -> None:
        """The subscription belongs to another tenant now."""
        self.world.subscriptions[self.landscape.subscription].tenant_id = self.landscape.platform_tenant

    @property
    def own_application(self) -> str:
        """The application that this app has made."""
        return next(a.app_id for a in self.world.applications if a.unique_name)

    @property
    def platform_application(self) -> str:
        """The platform's application, which the tenant knows."""
        return next(a.app_id for a in self.world.applications if a.tenant_id == self.landscape.platform_tenant)


@dataclass(frozen=True)
class Moment:
    """A request of a start; host, method and path are patterns."""

    host: str
    method: str
    path: str

    def is_at(self, request: Request) -> bool:
        """Whether a request is the one."""
        fits = re.fullmatch(self.host, request.host) and re.fullmatch(self.method, request.method)
        return fits is not None and re.search(self.path, request.path) is not None


#: What comes after the last look: the first change, and those that a start makes one after the other.
A_CHANGE: Final = Moment(r"management\.azure\.com|graph\.microsoft\.com", "POST|PUT|PATCH", "")
A_ROLE: Final = Moment(r"management\.azure\.com", "PUT", "/roleDefinitions/")
AN_APPLICATION: Final = Moment(r"graph\.microsoft\.com", "PATCH", r"/applications\(uniqueName=")
A_PRINCIPAL: Final = Moment(r"graph\.microsoft\.com", "POST", "/servicePrincipals$")
THE_ADOPTION: Final = Moment(r"graph\.microsoft\.com", "GET", r"/applications\(appId=")
AN_ORDER: Final = Moment(r"api\.aiven\.io", "POST", "/peering-connections$")
A_PEERING: Final = Moment(r"management\.azure\.com", "PUT", "/virtualNetworkPeerings/")


@dataclass(frozen=True)
class Obstacle:
    """What stands in the way.

    Attributes:
        code: the problem that it is.
        appear: how it comes about.
        moment: the request before which it does when it comes after the looks; None where it cannot.
        prepare: what there is before it.
        options: of the request.
        beside: what a plan says besides.
        state: how a start ends that finds it.
        symptom: the problem whose first cause it is when it comes after the looks; empty where it is that itself.
    """

    code: str
    appear: Callable[[Place], None]
    moment: Moment | None = A_CHANGE
    prepare: Callable[[Deployment], object] = lambda _: None
    options: tuple[tuple[str, object], ...] = ()
    beside: tuple[str, ...] = ()
    state: str = "failed"
    symptom: str = ""


def _peered_by_hand(deployment: Deployment) -> None:
    made_by_hand(deployment.cloud, Place(deployment).vnet_id)


def _known_platform(deployment: Deployment) -> None:
    place = Place(deployment)
    application = place.world.application(place.platform_application)
    assert application is not None
    place.world.add_principal(application, place.landscape.customer_tenant)


def _lost_its_side(deployment: Deployment) -> None:
    deployment.settle()
    place = Place(deployment)
    place.event("delete-vnet-peering", vnet_id=place.vnet_id, remote_id=place.project_vpc.network.id)


def _lose_side_unseen(place: Place) -> None:
    place.knobs(detect=_FOR_EVER * 86400)
    place.event("delete-vnet-peering", vnet_id=place.vnet_id, remote_id=place.project_vpc.network.id)


_ADOPT: Final = (("adopt", True),)
_ROLE: Final = (("user_role_name", "a role"),)
_NAME: Final = (("peering_name", "to-Third"),)

OBSTACLES: Final = {
    # Azure.
    "the VNet is gone": Obstacle("vnet-not-found", lambda p: p.event("delete-vnet", vnet_id=p.vnet_id), A_PEERING),
    "its subscription has moved": Obstacle("subscription-in-other-tenant", Place.move_subscription),
    "its subscription is disabled": Obstacle(
        "subscription-disabled", lambda p: p.event("disable-subscription", subscription_id=p.landscape.subscription)
    ),
    "it is locked": Obstacle("scope-locked", lambda p: p.event("add-lock", scope=p.vnet_id, level="ReadOnly")),
    "a policy denies peerings": Obstacle("policy-denied", lambda p: p.event("assign-policy", scope=p.subscription)),
    "a policy denies roles": Obstacle(
        "policy-denied",
        lambda p: p.event(
            "assign-policy", scope=p.subscription, resource_type="Microsoft.Authorization/roleDefinitions"
        ),
    ),
    "a deny assignment": Obstacle(
        "deny-assignment",
        lambda p: p.event("add-deny-assignment", scope=p.vnet_id, actions=["Microsoft.Authorization/*/write"]),
    ),
    "its addresses overlap": Obstacle(
        "address-spaces-overlap",
        lambda p: p.event("change-address-space", vnet_id=p.vnet_id, prefixes=["10.0.0.0/24", _PROJECT_CIDR]),
        A_PEERING,
    ),
    "a neighbour's addresses overlap": Obstacle(
        "address-space-overlaps-peered-vnet", lambda p: p.peer_with_another(_PROJECT_CIDR, name="Third"), A_PEERING
    ),
    "the name of the peering is taken": Obstacle(
        "peering-name-taken", lambda p: p.peer_with_another("10.97.0.0/24", name="Third"), A_PEERING, options=_NAME
    ),
    "too many peerings": Obstacle("peering-limit-reached", Place.peer_with_many, A_PEERING),
    "too many role assignments": Obstacle("role-limit-reached", Place.crowd),
    "the name of a role is taken": Obstacle("role-name-taken", lambda p: p.make_role("a role"), A_ROLE, options=_ROLE),
    # A built-in role is there from the beginning.
    "the name of a role is a built-in one's": Obstacle(
        "role-name-taken", lambda _: None, None, options=(("user_role_name", "Network Contributor"),)
    ),
    "no right to assign roles or make them": Obstacle(
        "automation-not-authorized",
        lambda p: p.keep_only(p.subscription, READER),
        beside=("automation-not-authorized",),
    ),
    "no right to make roles, which are above the VNet": Obstacle(
        "automation-not-authorized", Place.own_the_group_alone, A_ROLE
    ),
    "the token is refused": Obstacle(
        "automation-token-refused", lambda p: p.refuse(r"management\.azure\.com", 401, "InvalidAuthenticationToken")
    ),
    # Entra.
    "no right to make applications": Obstacle(
        "automation-graph-permission-missing",
        lambda p: p.permit("Application.Read.All"),
        AN_APPLICATION,
        beside=("platform-principal-forbidden",),
    ),
    "no right to make the platform's principal": Obstacle(
        "platform-principal-forbidden", lambda p: p.permit("Application.ReadWrite.OwnedBy"), A_PRINCIPAL
    ),
    "the platform's principal is disabled": Obstacle(
        "platform-principal-disabled",
        lambda p: p.disable(p.platform_application),
        prepare=_known_platform,
        # Only Aiven signs in as it.
        symptom="connection-rejected-by-peer",
    ),
    "the application is disabled": Obstacle(
        "application-disabled", lambda p: p.disable(p.own_application), prepare=_lost_its_side
    ),
    "the application that is taken over is gone": Obstacle(
        "application-missing",
        lambda p: p.event("delete-application", app_id=p.project_vpc.connections[0].app_id),
        THE_ADOPTION,
        prepare=_peered_by_hand,
        options=_ADOPT,
    ),
    "passwords may not last so long": Obstacle("secret-policy", lambda p: p.forbid(password_lifetime_days=90)),
    "passwords are forbidden": Obstacle("secret-policy", lambda p: p.forbid(password_addition_forbidden=True)),
    # The vault.
    "no right to write secrets": Obstacle(
        "vault-access-denied",
        lambda p: p.keep_only(next(iter(p.world.vaults.values())).id, SECRETS_USER),
    ),
    "no access policy to write secrets": Obstacle(
        "vault-access-policy-missing",
        lambda p: setattr(
            next(iter(p.world.vaults.values())), "policies", {p.landscape.automation.id: ["get", "list"]}
        ),
    ),
    "the vault's firewall": Obstacle(
        "vault-firewall", lambda p: p.refuse(r".*\.vault\.azure\.net", 403, "Forbidden", "ForbiddenByFirewall")
    ),
    "the vault is another tenant's": Obstacle(
        "vault-in-other-tenant",
        lambda p: p.refuse(r".*\.vault\.azure\.net", 401, "Unauthorized", "AKV10032"),
    ),
    # A start after its looks asks the vault by its name alone.
    "the vault has another id": Obstacle(
        "setting-invalid",
        lambda p: p.world.knobs.faults.append(
            Fault(host=_ARM, path="/vaults/[^/]+$", status=404, code="ResourceNotFound", times=_FOR_EVER)
        ),
        None,
    ),
    # Aiven.
    "the Aiven token is revoked": Obstacle(
        "aiven-token-rejected", lambda p: setattr(p.world, "aiven_token", "another"), AN_ORDER
    ),
    "no right in Aiven": Obstacle("aiven-not-permitted", lambda p: p.knobs(aiven_role="developer")),
    "the project VPC is gone": Obstacle(
        "project-vpc-not-found", lambda p: p.event("delete-project-vpc", project_vpc_id=p.project_vpc.id), AN_ORDER
    ),
    "the project VPC is being deleted": Obstacle(
        "project-vpc-deleted", lambda p: setattr(p.project_vpc, "state", "DELETING"), AN_ORDER
    ),
    # A project VPC stays in its cloud.
    "the project VPC is not on Azure": Obstacle(
        "project-vpc-not-azure", lambda p: setattr(p.project_vpc, "cloud_name", "google-europe-west1"), None
    ),
    "another owner has connected the pair": Obstacle(
        "connection-exists", Place.request_elsewhere, AN_ORDER, state="existing"
    ),
    "there is nothing to take over": Obstacle(
        "nothing-to-adopt", _lose_side_unseen, THE_ADOPTION, prepare=_peered_by_hand, options=_ADOPT
    ),
}

#: Those that depend on the VPC in Aiven: an organization VPC has them, too.
OF_VPCS: Final = (
    *("the Aiven token is revoked", "the project VPC is gone", "the project VPC is being deleted"),
    *("the project VPC is not on Azure", "another owner has connected the pair", "there is nothing to take over"),
    *("its addresses overlap", "the application that is taken over is gone"),
)

_SIGN_IN: Final = "the registry is read as the same identity: such a request is refused without a plan"
#: Final refusals that no plan can foresee, and why.
UNFORESEEN: Final = {
    "aiven-not-offered": "Aiven says with a refusal alone what it does not offer",
    "aiven-user-not-accepted": "Aiven says with a refusal alone what it allows to no application user",
    "aiven-organization-not-permitted": "no route tells what a user may write in an organization; one who may not even"
    " read is told by the plan",
    "automation-sign-in-failed": _SIGN_IN,
    "automation-secret-expired": _SIGN_IN,
    "automation-secret-invalid": _SIGN_IN,
    "automation-not-in-tenant": _SIGN_IN,
    "automation-tenant-not-found": _SIGN_IN,
    "automation-disabled": _SIGN_IN,
    "automation-kept-out": _SIGN_IN,
    "automation-conditional-access": _SIGN_IN,
    "application-token-refused": "the application is made by the start",
    "application-sign-in-failed": "the application is made by the start",
    "application-kept-out": "the application is made by the start",
    "application-conditional-access": "the application is made by the start",
    "secret-expired": "a password that has ended is replaced by the start",
    "secret-missing": "a password that is gone is replaced by the start",
    "audience-policy": "Graph v1.0 does not show what its policy says of audiences",
    "directory-quota-reached": "reading the tenant's quota takes a permission that the app has no other use for",
    "role-assignment-condition": "what a condition comes to, Azure alone can tell; a plan warns of a role that"
    " it does not name",
    "network-peered-already": "a start takes the peering that leads to the network, whatever its name is",
    "remote-gateway-missing": "the platform's network is not the app's to look at",
    "remote-network-not-found": "the platform's network is not the app's to look at",
    "remote-peering-disconnected": "a start removes the old sides first",
    "aiven-refused": "what is left of Aiven's refusals",
}
