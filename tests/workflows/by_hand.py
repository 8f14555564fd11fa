"""A peering as the article makes it, with another application than this app would: real calls to Aiven and Azure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from local.clock import VirtualClock
from local.cloud import LocalCloud
from local.cloud.world.world import NETWORK_CONTRIBUTOR, PLATFORM_APP, Application, RoleDefinition, VNet
from peering.rights import PLATFORM_ACTIONS
from tests.cloud.article import Article

_ROLE = "peering by hand"


@dataclass
class ByHand(Article):
    """The article on a VNet of one's choice, where the platform may be known already."""

    vnet_id: str = ""

    @property
    def vnet(self) -> VNet:
        """The VNet to peer."""
        return cast("VNet", self.cloud.world.vnet(self.vnet_id))

    def steps_2_to_9(self) -> Application:
        """Everything in Entra and in access control; what a tenant has once is found."""
        world, tenant = self.cloud.world, self.cloud.landscape.customer_tenant
        application = world.add_application(tenant, "by hand", self.audience)
        self.password = world.add_password(application, "by hand", world.now + timedelta(days=300)).text
        contributor = cast("RoleDefinition", world.role(NETWORK_CONTRIBUTOR))
        world.assign(world.guid(), self.vnet.id, contributor, world.add_principal(application, tenant).id)
        platform = cast("Application", world.application(PLATFORM_APP))
        theirs = world.principal(PLATFORM_APP, tenant) or world.add_principal(platform, tenant)
        role = next((r for r in world.roles if r.role_name == _ROLE), None)
        if role is None:
            scopes = [f"/subscriptions/{self.cloud.landscape.subscription}"]
            role = RoleDefinition(
                world.guid(), _ROLE, "", built_in=False, tenant_id=tenant, scopes=scopes, actions=list(PLATFORM_ACTIONS)
            )
            world.roles.append(role)
        world.assign(world.guid(), self.vnet.id, role, theirs.id)
        return application


def made_by_hand(cloud: LocalCloud, vnet_id: str) -> Application:
    """Make a peering of the VNet with the first project VPC; returns its application."""
    article = ByHand(cloud, VirtualClock(), vnet_id=vnet_id)
    application = article.steps_2_to_9()
    article.step_11(application).raise_for_status()
    network = next(iter(cloud.world.vpcs.values())).network
    assert article.step_13(application, network.id) == "Connected"
    return application
