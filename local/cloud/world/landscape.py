"""What a new local cloud holds: a customer's tenant with networks, vault and storage, the platform's, and Aiven's."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from local.cloud.arm.roles import (
    PLATFORM_APP,
    READER,
    SECRETS_OFFICER,
    TABLE_CONTRIBUTOR,
    USER_ACCESS_ADMINISTRATOR,
    built_in_roles,
)
from local.cloud.world.world import ServicePrincipal, StorageAccount, Subscription, Vault, Vpc, World
from peering.aiven_vpc import KINDS, AivenVpc, Kind

GROUP: Final = "Net-Prod"
FIRST_VNET: Final = "Hub-VNet"
PROJECT: Final = "local-project"
ORGANIZATION: Final = "org0123456789a"


@dataclass(frozen=True)
class Landscape:
    """The ids that a client needs to begin; `subscriptions` are all of the customer's, the first one first."""

    customer_tenant: str
    platform_tenant: str
    subscription: str
    vault: str
    storage_account: str
    automation: ServicePrincipal
    secret: str
    vpc: AivenVpc
    managed_identity: ServicePrincipal
    subscriptions: tuple[str, ...]


def build(world: World) -> Landscape:
    """Fill a new world; all of it is long replicated."""
    customer, platform = world.guid(), world.guid()
    world.tenants += [customer, platform]
    ours, theirs = (
        Subscription(world.guid(), tenant, name) for tenant, name in ((customer, "Production"), (platform, "Platform"))
    )
    more = range(2, world.knobs.subscriptions + 1)
    all_ours = [ours, *(Subscription(world.guid(), customer, f"Production {number}") for number in more)]
    world.subscriptions |= {one.id: one for one in (*all_ours, theirs)}
    world.projects += [PROJECT, *(f"{PROJECT}-{number}" for number in range(2, world.knobs.projects + 1))]
    world.organizations.append(ORGANIZATION)
    world.roles.extend(built_in_roles())
    _platform_application(world, platform, customer)
    _networks(world, all_ours)
    vault = _vault(world, ours)
    automation, secret = _automation(world, ours.tenant_id)
    vpcs = [_vpc(world, theirs, number, kind) for number, kind in enumerate(_kinds(world))]
    identity = _managed_identity(world, ours.tenant_id)
    for principal in (automation, identity):
        _grant(world, all_ours, vault, principal)
    account = _storage_account(world, ours, (automation, identity))
    _replicated(world)
    subscriptions = tuple(one.id for one in all_ours)
    return Landscape(
        customer,
        platform,
        ours.id,
        vault.name,
        account.name,
        automation,
        secret,
        vpcs[0].named,
        identity,
        subscriptions,
    )


def _platform_application(world: World, platform: str, customer: str) -> None:
    application = world.add_application(platform, "Aiven VNet peering", "AzureADMultipleOrgs", app_id=PLATFORM_APP)
    world.add_principal(application, platform)
    if world.knobs.platform_principal:
        world.add_principal(application, customer)


def _networks(world: World, subscriptions: list[Subscription]) -> None:
    first = "10.240.8.0/22" if world.knobs.overlapping else "10.10.0.0/24"
    world.add_vnet(subscriptions[0].id, GROUP, FIRST_VNET, first)
    for number in range(1, world.knobs.vnets):
        subscription = subscriptions[number % len(subscriptions)]
        world.add_vnet(subscription.id, GROUP, f"Spoke-{number:03d}", f"10.{10 + number // 250}.{number % 250}.0/24")


def _vault(world: World, subscription: Subscription) -> Vault:
    name = f"kv-local-{world.guid()[:8]}"
    arm_id = f"/subscriptions/{subscription.id}/resourceGroups/{GROUP}/providers/Microsoft.KeyVault/vaults/{name}"
    vault = Vault(name, arm_id, subscription.tenant_id)
    world.vaults[name] = vault
    return vault


def _storage_account(
    world: World, subscription: Subscription, principals: tuple[ServicePrincipal, ...]
) -> StorageAccount:
    """An account whose tables these principals may read and write."""
    name = f"stlocal{world.guid()[:8]}"
    group = f"/subscriptions/{subscription.id}/resourceGroups/{GROUP}"
    account = StorageAccount(
        name, f"{group}/providers/Microsoft.Storage/storageAccounts/{name}", subscription.tenant_id
    )
    world.storage_accounts[name] = account
    role = world.role(TABLE_CONTRIBUTOR)
    if role is not None:
        for principal in principals:
            world.assign(world.guid(), account.id, role, principal.id)
    return account


def _automation(world: World, tenant: str) -> tuple[ServicePrincipal, str]:
    """The identity that the app, or a person with `az`, acts as; and its password."""
    application = world.add_application(tenant, "peering-automation", "AzureADMyOrg")
    principal = world.add_principal(application, tenant)
    password = world.add_password(application, "local", world.now + timedelta(days=3650))
    return principal, password.text


def _managed_identity(world: World, tenant: str) -> ServicePrincipal:
    """A user-assigned identity with the same rights; it has no application, and no password."""
    now = world.now
    made = ServicePrincipal(world.guid(), world.guid(), tenant, "peering-identity", now, now, kind="ManagedIdentity")
    world.principals.append(made)
    return made


def _grant(world: World, subscriptions: list[Subscription], vault: Vault, principal: ServicePrincipal) -> None:
    policy = "Policy.Read.ApplicationConfiguration" if world.knobs.graph_policy_read else ""
    principal.graph_roles = [role for role in (world.knobs.graph_role, policy) if role]
    scopes = [f"/subscriptions/{subscription.id}" for subscription in subscriptions]
    on_each = [(role, scope) for scope in scopes for role in (USER_ACCESS_ADMINISTRATOR, READER)]
    for role_name, where in (*on_each, (SECRETS_OFFICER, vault.id)):
        role = world.role(role_name)
        if role is not None:
            world.assign(world.guid(), where, role, principal.id)


def _kinds(world: World) -> list[Kind]:
    """Whose VPCs there are, one after the other; those of organizations come last."""
    return [kind for kind in KINDS for _ in range(world.knobs.project_vpcs) if world.knobs.vpcs_of in (kind, "both")]


def _vpc(world: World, subscription: Subscription, number: int, kind: Kind) -> Vpc:
    """A VPC with a network of its own; the networks lie one after the other from 10.240.0.0 on."""
    name = f"vpc-{world.guid()[:8]}"
    cidr = f"10.{240 + number // 16}.{number % 16 * 16}.0/20"
    network = world.add_vnet(subscription.id, "aiven-vpcs", name, cidr)
    owners = world.projects if kind == "project" else world.organizations
    named = AivenVpc(kind, owners[number % len(owners)], world.guid())
    vpc = world.vpcs[named.id] = Vpc(named, "timescale-azure-westeurope", cidr, "ACTIVE", network, world.now)
    return vpc


def _replicated(world: World) -> None:
    for application in world.applications:
        application.visible_at = application.created
        for password in application.passwords:
            password.accepted_at = password.starts
    for principal in world.principals:
        principal.visible_at = principal.created
    for assignment in world.assignments:
        assignment.effective_at = assignment.created
