"""What an event names, found in the world or refused."""

from typing import TypeVar

from local.cloud.world.peerings import peering_to
from local.cloud.world.world import (
    Application,
    Connection,
    RoleDefinition,
    ServicePrincipal,
    VNet,
    VNetPeering,
    Vpc,
    World,
    subscription_of,
)

T = TypeVar("T")


class UnknownEventError(Exception):
    """The event does not exist, or what it names does not, or it cannot happen."""


def _known(found: T | None, what: str) -> T:
    if found is None:
        raise UnknownEventError(f"there is no {what}")
    return found


def named_vnet(world: World, vnet_id: str) -> VNet:
    """The VNet with an ARM id.

    Raises:
        UnknownEventError: there is none.
    """
    return _known(world.vnet(vnet_id), f"VNet {vnet_id}")


def named_peering(world: World, vnet_id: str, remote_id: str) -> VNetPeering:
    """The side of a VNet peering that hangs on one VNet and leads to another.

    Raises:
        UnknownEventError: there is none.
    """
    return _known(peering_to(named_vnet(world, vnet_id), remote_id), f"peering from {vnet_id} to {remote_id}")


def named_application(world: World, app_id: str) -> Application:
    """The application with an application (client) id.

    Raises:
        UnknownEventError: there is none.
    """
    return _known(world.application(app_id), f"application {app_id}")


def named_principal(world: World, app_id: str, tenant_id: str) -> ServicePrincipal:
    """An application's service principal in a tenant.

    Raises:
        UnknownEventError: there is none.
    """
    return _known(world.principal(app_id, tenant_id), f"service principal of {app_id} in the tenant {tenant_id}")


def named_role(world: World, name: str) -> RoleDefinition:
    """The role with a name (GUID).

    Raises:
        UnknownEventError: there is none.
    """
    return _known(world.role(name), f"role {name}")


def named_scope(world: World, scope: str) -> str:
    """A scope in a subscription that exists.

    Raises:
        UnknownEventError: there is no such subscription.
    """
    _known(world.subscriptions.get(subscription_of(scope)), f"subscription of the scope {scope}")
    return scope


def named_project_vpc(world: World, project_vpc_id: str) -> Vpc:
    """The project VPC with an id.

    Raises:
        UnknownEventError: there is none.
    """
    return _known(world.vpcs.get(project_vpc_id.lower()), f"project VPC {project_vpc_id}")


def named_connection(world: World, project_vpc_id: str, vnet_id: str) -> tuple[Vpc, Connection]:
    """The connection of a project VPC to a VNet.

    Raises:
        UnknownEventError: there is none.
    """
    vpc = named_project_vpc(world, project_vpc_id)
    found = next((c for c in vpc.connections if c.vnet_id.lower() == vnet_id.lower()), None)
    return vpc, _known(found, f"connection of {project_vpc_id} to {vnet_id}")
