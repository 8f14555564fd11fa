"""The objects around a peering as the cloud holds them."""

from datetime import timedelta

from local.cloud.world.records import Password
from local.cloud.world.world import PLATFORM_APP, Application, Connection, VNet
from local.deployment import Deployment, Status
from peering.runs import FUNCTION_TIMEOUT


def vnet_of(deployment: Deployment) -> VNet:
    """The VNet that a request is about."""
    found = deployment.cloud.world.vnet(str(deployment.request()["vnet_id"]))
    assert found is not None
    return found


def the_connection(deployment: Deployment) -> Connection:
    """The only connection that there is."""
    ((_, found),) = deployment.cloud.world.connections()
    return found


def application_of(deployment: Deployment, application_id: str) -> Application:
    """The created application."""
    found = deployment.cloud.world.application(application_id)
    assert found is not None
    return found


def passwords_of(deployment: Deployment, status: Status) -> list[Password]:
    """The created application's passwords.

    A hostile host may have delivered the call twice that makes one. What the other delivery made stays until the first
    check after both must have ended.
    """
    application = application_of(deployment, status["facts"]["application_id"])
    if deployment.host.hostility.is_hostile and len(application.passwords) > 1:
        deployment.later(status["id"], 2 * FUNCTION_TIMEOUT + timedelta(seconds=1))
        deployment.check(status["id"])
    return application.passwords


def rights(deployment: Deployment, status: Status) -> int:
    """How many role assignments the application has."""
    user = status["facts"]["user_principal_id"]
    return len([a for a in deployment.cloud.world.assignments if a.principal_id == user])


def platform(deployment: Deployment) -> dict[str, str]:
    """The platform's application in the customer's tenant, as events name it."""
    return {
        "app_id": PLATFORM_APP,
        "tenant_id": deployment.cloud.landscape.customer_tenant,
    }
