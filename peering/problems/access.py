"""Problems with role definitions and role assignments."""

from typing import Final

from peering.problems.problem import Problem

ACCESS: Final = (
    Problem(
        "scope-locked",
        "A lock blocks changes of the VNet",
        "A lock on the VNet, its resource group or its subscription forbids the change; the detail names it.",
        "Have the owner of the lock remove it temporarily, then send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "policy-denied",
        "Azure Policy denies the request",
        "A policy assignment denies the request; the detail names the assignments.",
        "Ask the owner of the policy assignment for an exemption, for the VNet or, where a role is denied, for its"
        " subscription; then send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "deny-assignment",
        "A deny assignment blocks the request",
        "A deny assignment blocks the action, whatever roles the identity has; the detail names it.",
        "Find what created the deny assignment, such as a managed application or a deployment stack, and have the"
        " identity excluded from it.",
        "an Azure administrator",
    ),
    Problem(
        "role-assignment-condition",
        "The condition on the app's role does not allow it",
        "The app's role lets it assign some roles to service principals only; this assignment is not one of them.",
        "Compare the condition of the app's role assignment with the one in infra/: it must name the roles that the"
        " request needs.",
        "an Azure administrator",
    ),
    Problem(
        "application-token-refused",
        "Azure rejects the application's token",
        "Azure Resource Manager rejected the token of the created application, and also a new one.",
        "Check that the application is enabled in both tenants, then send the request again.",
        "an Entra administrator",
    ),
    Problem(
        "peering-role-not-effective",
        "The application may not peer the VNet yet",
        "Its role assignment on the VNet exists; Azure takes up to ten minutes to apply a new one.",
        "Wait; if the deadline passed, look for a deny assignment or a policy on the VNet, then send the request"
        " again.",
        "an Azure administrator",
        "propagation",
    ),
    Problem(
        "platform-role-not-effective",
        "The application may not peer with the platform's network yet",
        "The platform gives the application that right in its own tenant; Azure needs time to apply it.",
        "Wait; if the deadline passed and the connection is not ACTIVE, delete it in Aiven and send the request"
        " again. If it is ACTIVE, ask Aiven's support to assign the application its role in the platform's tenant,"
        " then send the request again.",
        "an Aiven project administrator",
        "propagation",
    ),
    Problem(
        "role-name-taken",
        "A different role of this name exists",
        "A role's name is unique in its tenant; the existing one grants other actions or applies to other scopes.",
        "Have the existing role corrected by its owner, then send the request again. A start may name another role"
        " instead.",
        "an Azure administrator",
        status=422,
    ),
    Problem(
        "role-not-replicated",
        "Azure has not replicated the role or its assignment yet",
        "A new role definition takes time to replicate, and so does the deletion of an assignment.",
        "Wait; if the deadline passed, send the request again. If that fails the same way, compare the role's"
        " assignments (`az role assignment list`) with the detail.",
        "an Azure administrator",
        "propagation",
    ),
    Problem(
        "role-limit-reached",
        "An Azure limit for roles is reached",
        "A tenant holds at most 5,000 custom roles and a subscription 4,000 role assignments.",
        "Remove unused roles or assignments and send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "platform-role-assignment-missing",
        "The platform may not peer with the VNet",
        "The platform's service principal has no role on the VNet that grants virtualNetworks/peer/action. A working"
        " peering continues to work, but could not be recreated.",
        "No action with `repair: safe`: the role is assigned again. Otherwise send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "platform-role-assignment-elsewhere",
        "The platform's role is assigned at the wrong scope",
        "The platform's service principal has its role, but at another scope than this VNet.",
        "Assign the role on the VNet itself, or send the request again: this app assigns it there.",
        "an Azure administrator",
    ),
    Problem(
        "user-role-assignment-missing",
        "The application has no role on the VNet",
        "The created application can no longer manage the VNet's peerings. Traffic flows, but nothing could be"
        " repaired.",
        "No action with `repair: safe`: the role is assigned again. Otherwise send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "user-rights-not-released",
        "The application still has its role on the VNet",
        "With `privilege: setup-only` the application has its role only during setup and repair.",
        "No action with `repair: safe`: the role is removed. Otherwise send the request again.",
        "an Azure administrator",
    ),
    Problem(
        "surplus-rights",
        "The application, or the platform's, has more rights than requested",
        "The application has another role than the requested one, on the VNet, above it or elsewhere in its"
        " subscription. With `privilege: setup-only` this is any role that another owner assigned. Or the platform's"
        " service principal may do more on the VNet than create a peering that leads to it. The detail names the"
        " assignments and their scopes.",
        "Send the request again: rights that this app gave on the VNet earlier are removed. Have the others removed by"
        " their owner, unless they serve another purpose.",
        "an Azure administrator",
    ),
    Problem(
        "role-definition-changed",
        "A custom role was changed",
        "A role that this peering relies on grants other actions than it did when it was created.",
        "Restore the role's actions that the documentation lists; this app does not change existing roles.",
        "an Azure administrator",
    ),
)
