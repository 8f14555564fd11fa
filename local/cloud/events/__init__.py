"""The events of the local cloud, changes behind the app's back: one function for each, and the table of them."""

from collections.abc import Callable
from typing import Final

from local.cloud.events import access, aiven, applications, holds, networks, vaults
from local.cloud.events.named import UnknownEventError

__all__ = ["EVENTS", "UnknownEventError"]

EVENTS: Final[dict[str, Callable[..., None]]] = {
    "delete-vnet-peering": networks.delete_vnet_peering,
    "fail-vnet-peering": networks.fail_vnet_peering,
    "set-vnet-peering-options": networks.set_vnet_peering_options,
    "change-address-space": networks.change_address_space,
    "delete-vnet": networks.delete_vnet,
    "rename-vnet": networks.rename_vnet,
    "set-vnet-provisioning-state": networks.set_vnet_provisioning_state,
    "occupy-vnet": networks.occupy_vnet,
    "add-vnet-peering-to-overlapping-network": networks.add_vnet_peering_to_overlapping_network,
    "remove-role-assignments": access.remove_role_assignments,
    "assign-role": access.assign_role,
    "move-role-assignment": access.move_role_assignment,
    "change-role-definition": access.change_role_definition,
    "enable-service-principal": applications.enable_service_principal,
    "disable-service-principal": applications.disable_service_principal,
    "revoke-tokens": applications.revoke_tokens,
    "delete-service-principal": applications.delete_service_principal,
    "delete-application": applications.delete_application,
    "restore-application": applications.restore_application,
    "set-sign-in-audience": applications.set_sign_in_audience,
    "expire-passwords": applications.expire_passwords,
    "remove-passwords": applications.remove_passwords,
    "set-password-end": applications.set_password_end,
    "add-lock": holds.add_lock,
    "remove-lock": holds.remove_lock,
    "assign-policy": holds.assign_policy,
    "remove-policy": holds.remove_policy,
    "add-deny-assignment": holds.add_deny_assignment,
    "remove-deny-assignments": holds.remove_deny_assignments,
    "disable-subscription": holds.disable_subscription,
    "enable-subscription": holds.enable_subscription,
    "delete-secret": vaults.delete_secret,
    "disable-secret": vaults.disable_secret,
    "set-secret-expiry": vaults.set_secret_expiry,
    "close-vault": vaults.close_vault,
    "open-vault": vaults.open_vault,
    "disconnect": aiven.disconnect,
    "delete-connection": aiven.delete_connection,
    "set-connection-state": aiven.set_connection_state,
    "set-connection-application": aiven.set_connection_application,
    "set-project-vpc-state": aiven.set_project_vpc_state,
    "delete-project-vpc": aiven.delete_project_vpc,
    "change-project-cidr": aiven.change_project_cidr,
}
