"""Soft deletion in a directory: what is deleted can be restored until it is deleted for good.

A deleted application takes its service principal in the home tenant along. Role assignments stay behind, and so do the
service principals in other tenants.
"""

from local.cloud.world.world import Application, ServicePrincipal, World


class NameTakenError(Exception):
    """Something else has the name of what is to be restored by now."""


def delete_application(world: World, application: Application) -> None:
    """Delete an application, and its service principal at home."""
    world.applications.remove(application)
    application.deleted = world.now
    world.deleted_applications.append(application)
    principal = world.principal(application.app_id, application.tenant_id)
    if principal is not None:
        delete_principal(world, principal)
        principal.deleted = application.deleted


def delete_principal(world: World, principal: ServicePrincipal) -> None:
    """Delete a service principal."""
    world.principals.remove(principal)
    principal.deleted = world.now
    world.deleted_principals.append(principal)


def restore_application(world: World, application: Application) -> None:
    """Take a deleted application back, with the service principal that went with it.

    Raises:
        NameTakenError: another application has its unique name.
    """
    key = (application.unique_name, application.tenant_id)
    if application.unique_name and world.applications.by("name", key):
        raise NameTakenError(f"the unique name {application.unique_name} is taken")
    world.deleted_applications.remove(application)
    went_at, application.deleted = application.deleted, None
    world.applications.append(application)
    for principal in _left(world, application):
        if principal.deleted == went_at:
            restore_principal(world, principal)


def restore_principal(world: World, principal: ServicePrincipal) -> None:
    """Take a deleted service principal back.

    Raises:
        NameTakenError: its application has another one in the tenant.
    """
    if world.principal(principal.app_id, principal.tenant_id) is not None:
        raise NameTakenError(f"the application {principal.app_id} has a service principal")
    world.deleted_principals.remove(principal)
    principal.deleted = None
    world.principals.append(principal)


def purge_application(world: World, application: Application) -> None:
    """Delete a deleted application for good, and its deleted service principal at home."""
    world.deleted_applications.remove(application)
    for principal in _left(world, application):
        world.deleted_principals.remove(principal)


def _left(world: World, application: Application) -> list[ServicePrincipal]:
    return list(world.deleted_principals.by("presence", (application.app_id, application.tenant_id)))
