"""Everything that the local cloud holds: tenants with their directories, Azure resources, vaults, and Aiven's side."""

import random
import secrets
import string
from collections.abc import Iterator
from datetime import datetime, timedelta
from operator import attrgetter
from uuid import UUID

from local.clock import Clock
from local.cloud.arm.holds import DenyAssignment, Lock, PolicyAssignment
from local.cloud.arm.roles import (
    ACCESS_ADMINISTRATOR,
    NETWORK_CONTRIBUTOR,
    OWNER,
    PLATFORM_APP,
    READER,
    SECRETS_OFFICER,
    SECRETS_USER,
    USER_ACCESS_ADMINISTRATOR,
)
from local.cloud.scenario import Scenario
from local.cloud.table_service.store import StorageAccount
from local.cloud.world.records import (
    Application,
    Connection,
    DeletedSecret,
    FederatedCredential,
    Operation,
    Password,
    Rest,
    RoleAssignment,
    RoleDefinition,
    SecretVersion,
    ServicePrincipal,
    Subscription,
    Vault,
    VNet,
    VNetPeering,
    Vpc,
)
from local.cloud.world.tables import Table

__all__ = [
    "ACCESS_ADMINISTRATOR",
    "NETWORK_CONTRIBUTOR",
    "OWNER",
    "PLATFORM_APP",
    "READER",
    "SECRETS_OFFICER",
    "SECRETS_USER",
    "USER_ACCESS_ADMINISTRATOR",
    "Application",
    "Connection",
    "DeletedSecret",
    "FederatedCredential",
    "Operation",
    "Password",
    "RoleAssignment",
    "RoleDefinition",
    "SecretVersion",
    "ServicePrincipal",
    "StorageAccount",
    "Subscription",
    "VNet",
    "VNetPeering",
    "Vault",
    "Vpc",
    "World",
    "subscription_of",
]


def subscription_of(scope: str) -> str:
    """The subscription that a scope lies in, in lower case."""
    return "".join(scope.split("/")[2:3]).lower()


# The keys of the tables have names, so that a world can be pickled.
def _scope(assignment: RoleAssignment) -> str:
    return assignment.scope.rstrip("/").lower()


def _subscription(assignment: RoleAssignment) -> str:
    return subscription_of(assignment.scope)


def _applications() -> Table[Application]:
    return Table(id=attrgetter("id"), app_id=attrgetter("app_id"), name=attrgetter("unique_name", "tenant_id"))


def _principals() -> Table[ServicePrincipal]:
    return Table(id=attrgetter("id"), presence=attrgetter("app_id", "tenant_id"), app_id=attrgetter("app_id"))


def _assignments() -> Table[RoleAssignment]:
    return Table(
        principal=attrgetter("principal_id"),
        scope=_scope,
        subscription=_subscription,
        name=attrgetter("name"),
        role=attrgetter("role"),
    )


class World:
    """The state, and the time that it lives by. One request at a time touches it."""

    def __init__(self, scenario: Scenario, clock: Clock, seed: int | None = None) -> None:
        self.knobs, self.clock = scenario, clock
        # Ids that are the same at every start have to be predictable; they guard nothing outside this machine.
        self._random = random.Random(seed) if seed is not None else random.SystemRandom()  # noqa: S311
        self.tenants: list[str] = []
        self.subscriptions: dict[str, Subscription] = {}
        self.applications, self.deleted_applications = _applications(), _applications()
        self.principals, self.deleted_principals = _principals(), _principals()
        self.roles: Table[RoleDefinition] = Table(name=attrgetter("name"))
        #: The custom roles that were deleted, and when.
        self.dropped_roles: list[tuple[RoleDefinition, datetime]] = []
        self.assignments = _assignments()
        self.vnets: dict[str, VNet] = {}
        self.vaults: dict[str, Vault] = {}
        self.storage_accounts: dict[str, StorageAccount] = {}
        #: The names of Aiven's projects.
        self.projects: list[str] = []
        #: The ids of Aiven's organizations, and the VPCs of both by id.
        self.organizations: list[str] = []
        self.vpcs: dict[str, Vpc] = {}
        self.operations: dict[str, Operation] = {}
        self.locks: list[Lock] = []
        self.policies: list[PolicyAssignment] = []
        self.deny_assignments: list[DenyAssignment] = []
        #: The ids of the subscriptions that are disabled, in lower case.
        self.disabled: set[str] = set()
        #: How many tokens Entra has issued, and for a principal whose were revoked, how many those were.
        self.tokens, self.revoked = 0, dict[str, int]()
        # Commands take it as an argument.
        self.aiven_token = self.secret().replace("-", "A")
        self.identity_header = self.secret()
        self.rest = Rest()

    @property
    def now(self) -> datetime:
        """The present moment of the cloud."""
        return self.clock.now()

    def after(self, seconds: float) -> datetime:
        """The moment so many seconds from now."""
        return self.now + timedelta(seconds=seconds)

    def is_listed(self, created: datetime, ended: datetime | None = None) -> bool:
        """Whether ARM's lists, which may lag behind, show what was created, and has ended, at these moments."""
        seen = self.after(-self.knobs.list_stale)
        return created <= seen and (ended is None or seen < ended)

    def shown_roles(self) -> list[RoleDefinition]:
        """The roles that ARM shows, which may lag behind: not yet what is new, and still what was deleted."""
        seen = self.after(-self.knobs.role_definitions_stale)
        shown = [role for role in self.roles if role.created <= seen or role.built_in]
        names = {role.name for role in shown}
        return [*shown, *(role for role, ended in self.dropped_roles if ended > seen and role.name not in names)]

    def guid(self) -> str:
        """A new id; the same ones in the same order for a seed."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def secret(self) -> str:
        """A new secret text."""
        return secrets.token_urlsafe(30)

    # Look-ups. ARM compares ids without case.

    def application(self, app_id: str) -> Application | None:
        """The application with an application (client) id."""
        return self.applications.first("app_id", app_id.lower())

    def principal(self, app_id: str, tenant_id: str) -> ServicePrincipal | None:
        """An application's service principal in a tenant."""
        return self.principals.first("presence", (app_id.lower(), tenant_id))

    def principal_with_id(self, object_id: str) -> ServicePrincipal | None:
        """The service principal with an object id."""
        return self.principals.first("id", object_id)

    def vnet(self, arm_id: str) -> VNet | None:
        """The VNet with an ARM id."""
        return self.vnets.get(arm_id.lower())

    def password(self) -> str:
        """A password of the shape that Entra gives them: it never begins with a hyphen."""
        letters = string.ascii_letters + string.digits
        tail = "".join(secrets.choice(letters + "._~-") for _ in range(34))
        return f"{''.join(secrets.choice(letters) for _ in range(3))}8Q~{tail}"

    def role(self, role_id: str) -> RoleDefinition | None:
        """The role with a full id or a name (GUID)."""
        return self.roles.first("name", role_id.rpartition("/")[2].lower())

    def connections(self) -> Iterator[tuple[Vpc, Connection]]:
        """All peering connections with their VPCs."""
        return ((vpc, connection) for vpc in self.vpcs.values() for connection in list(vpc.connections))

    # Making things.

    def add_vnet(self, subscription_id: str, group: str, name: str, prefix: str) -> VNet:
        """Make a VNet."""
        vnet = VNet(subscription_id, group, name, "westeurope", [prefix], self.guid())
        self.vnets[vnet.id.lower()] = vnet
        return vnet

    def add_application(
        self,
        tenant_id: str,
        name: str,
        audience: str,
        owner: str | None = None,
        unique_name: str | None = None,
        app_id: str | None = None,
    ) -> Application:
        """Register an application; it shows once it is replicated."""
        visible = self.after(self.knobs.directory_visible)
        application = Application(
            self.guid(), app_id or self.guid(), tenant_id, name, audience, unique_name, owner, self.now, visible
        )
        self.applications.append(application)
        return application

    def add_principal(self, application: Application, tenant_id: str, at: datetime | None = None) -> ServicePrincipal:
        """Make an application's service principal in a tenant; it shows once it is replicated."""
        created = at or self.now
        visible = created + timedelta(seconds=self.knobs.directory_visible)
        principal = ServicePrincipal(
            self.guid(), application.app_id, tenant_id, application.display_name, created, visible
        )
        self.principals.append(principal)
        return principal

    def add_password(self, application: Application, name: str | None, ends: datetime) -> Password:
        """Give an application a password; it works once it is replicated."""
        accepted = self.after(self.knobs.secret_accepted)
        password = Password(self.guid(), name, self.password(), self.now, ends, accepted)
        application.passwords.append(password)
        return password

    def assign(
        self, name: str, scope: str, role: RoleDefinition, principal_id: str, at: datetime | None = None
    ) -> RoleAssignment:
        """Give a principal a role on a scope, or above all subscriptions; it takes effect after a while."""
        created = at or self.now
        effective = created + timedelta(seconds=self.knobs.role_effective)
        made = RoleAssignment(name, scope, role.name, principal_id, "ServicePrincipal", created, effective)
        principal = self.principal_with_id(principal_id)
        if principal is not None and not scope.lower().startswith("/subscriptions/"):
            made.tenant_id = principal.tenant_id
        self.assignments.append(made)
        return made
