"""Events of applications and service principals."""

from datetime import timedelta
from typing import Final

from local.cloud.events.named import UnknownEventError, named_application, named_principal
from local.cloud.world import directory
from local.cloud.world.world import World

_AUDIENCES: Final = ("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount")


def enable_service_principal(
    world: World,
    principal_id: str | None = None,
    enabled: bool = True,
    app_id: str | None = None,
    tenant_id: str | None = None,
) -> None:
    """An administrator enables (or disables) a service principal: by object id, or by application and tenant."""
    if principal_id is None:
        principal = named_principal(world, app_id or "", tenant_id or "")
    else:
        found = world.principal_with_id(principal_id)
        if found is None:
            raise UnknownEventError(f"there is no service principal {principal_id}")
        principal = found
    principal.enabled = enabled


def disable_service_principal(world: World, app_id: str, tenant_id: str) -> None:
    """An administrator disables an application's service principal in a tenant."""
    named_principal(world, app_id, tenant_id).enabled = False


def revoke_tokens(world: World, principal_id: str) -> None:
    """An administrator revokes what a service principal signed in for: no service takes its tokens from before."""
    if world.principal_with_id(principal_id) is None:
        raise UnknownEventError(f"there is no service principal {principal_id}")
    world.revoked[principal_id] = world.tokens


def delete_service_principal(world: World, app_id: str, tenant_id: str) -> None:
    """An administrator deletes an application's service principal in a tenant; it can be restored."""
    directory.delete_principal(world, named_principal(world, app_id, tenant_id))


def delete_application(world: World, app_id: str) -> None:
    """Delete an application, and with it its service principal in the home tenant; both can be restored."""
    directory.delete_application(world, named_application(world, app_id))


def restore_application(world: World, app_id: str) -> None:
    """Restore a deleted application, with the service principal that was deleted with it."""
    application = world.deleted_applications.first("app_id", app_id.lower())
    if application is None:
        raise UnknownEventError(f"there is no deleted application {app_id}")
    try:
        directory.restore_application(world, application)
    except directory.NameTakenError as error:
        raise UnknownEventError(str(error)) from None


def set_sign_in_audience(world: World, app_id: str, audience: str) -> None:
    """Change who may sign in to an application."""
    if audience not in _AUDIENCES:
        raise UnknownEventError(f"there is no audience {audience}; there are {', '.join(_AUDIENCES)}")
    named_application(world, app_id).sign_in_audience = audience


def expire_passwords(world: World, app_id: str) -> None:
    """All passwords of an application have run out a day ago."""
    set_password_end(world, app_id, -1)


def remove_passwords(world: World, app_id: str) -> None:
    """Remove all passwords of an application."""
    named_application(world, app_id).passwords.clear()


def set_password_end(world: World, app_id: str, days: float) -> None:
    """All passwords of an application end so many days from now."""
    for password in named_application(world, app_id).passwords:
        password.ends = world.now + timedelta(days=days)
