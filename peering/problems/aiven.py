"""Problems with VPCs in Aiven and their peering connections."""

from typing import Final

from peering.problems.problem import Problem

AIVEN: Final = (
    Problem(
        "aiven-token-rejected",
        "Aiven does not accept the token",
        "The token in AIVEN_AUTH_TOKEN is unknown to Aiven, expired or revoked.",
        "Create a token for a user with the operator role on the project and set AIVEN_AUTH_TOKEN.",
        "the operator of this app",
    ),
    Problem(
        "aiven-not-permitted",
        "The Aiven user may not manage the project's networks",
        "The token is valid, but its user lacks project:networking:write on the project.",
        "Give the user the operator or admin role on the project.",
        "an Aiven project administrator",
    ),
    Problem(
        "aiven-organization-not-permitted",
        "The Aiven user may not manage the organization's networks",
        "The token is valid, but its user lacks organization:networking:read to see the organization's VPCs, or"
        " organization:networking:write to change their peering connections. No role in a project includes them.",
        "Give the user both permissions in the organization, or make it an organization admin.",
        "an Aiven organization administrator",
    ),
    Problem(
        "aiven-not-offered",
        "Aiven does not offer this to the account",
        "Aiven has not enabled the feature for the project or organization, or does not offer it to users of Managed"
        " Service for TimescaleDB.",
        "Ask Aiven's support to enable it. For organization VPCs, peer with a project VPC instead.",
        "the caller",
        status=422,
    ),
    Problem(
        "aiven-user-not-accepted",
        "Aiven does not allow this to the kind of user that the token belongs to",
        "Some requests are forbidden to application users, whatever their permissions.",
        "Set AIVEN_AUTH_TOKEN to a token of a user who is not an application user.",
        "the operator of this app",
    ),
    Problem(
        "project-vpc-not-found",
        "The VPC does not exist in Aiven",
        "The project or organization is unknown to Aiven, or has no VPC with this id.",
        "Compare the two ids with `avn vpc list`, or `avn organization vpc list` for an organization.",
        "the caller",
        status=422,
    ),
    Problem(
        "project-vpc-not-azure",
        "The VPC in Aiven is not on Azure",
        "A VNet can only be peered with a project or organization VPC in an Azure region.",
        "Choose a VPC whose cloud name contains `azure`.",
        "the caller",
        status=422,
    ),
    Problem(
        "project-vpc-not-active",
        "The VPC in Aiven is still being built",
        "Peering connections can be created once the project or organization VPC is ACTIVE.",
        "Wait; `avn vpc list`, or `avn organization vpc list`, shows its state. If the deadline passed, send the"
        " request again once it is ACTIVE; contact Aiven's support if it stays as it is.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "project-vpc-deleted",
        "The VPC in Aiven is being deleted",
        "A project or organization VPC that is DELETING or DELETED accepts no more peering connections.",
        "Choose or create another VPC.",
        "the caller",
        status=422,
    ),
    Problem(
        "aiven-refused",
        "Aiven refused the request",
        "The detail is Aiven's own message.",
        "Correct what the message names and send the request again.",
        "the caller",
        status=422,
    ),
    Problem(
        "connection-not-built",
        "Aiven is still building its side of the peering",
        "The connection is APPROVED: the platform creates a service principal of the application in its tenant, then a"
        " VNet peering from its network.",
        "Wait; this takes a few minutes. If the deadline passed, contact Aiven's support and send the request again.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "connection-not-active",
        "Aiven has not detected the Azure side yet",
        "The VNet peering exists; the platform checks for it regularly and then sets the connection ACTIVE.",
        "Wait a few minutes. If the deadline passed, check that the VNet peering is Connected, then send the request"
        " again.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "connection-state-unknown",
        "The connection is in a state that this app does not know",
        "Aiven added a state; the detail names it. The app keeps polling, in case the state changes.",
        "Look up the state in Aiven's documentation; a newer version of the app may know it. If the deadline passed,"
        " send the request again.",
        "the operator of this app",
        "platform",
    ),
    Problem(
        "connection-invalid-specification",
        "Aiven could not build the connection",
        "INVALID_SPECIFICATION: the VNet does not exist under that name, its addresses overlap the project VPC's, or"
        " the platform's service principal may not peer with it.",
        "Correct the cause, then send the request again: the connection is recreated.",
        "the network team",
        "propagation",
    ),
    Problem(
        "connection-rejected-by-peer",
        "Azure rejected the connection",
        "REJECTED_BY_PEER: the application or tenant id is unknown to the platform, the application is not"
        " multi-tenant, or the platform may not peer with the VNet.",
        "Correct the cause, then send the request again: the connection is recreated.",
        "an Entra administrator",
        "propagation",
    ),
    Problem(
        "connection-deleted-by-peer",
        "The Azure side of the connection was deleted",
        "DELETED_BY_PEER: the VNet peering was deleted after it had worked. Aiven never leaves this state.",
        "Send the request again: the connection is deleted and recreated.",
        "the network team",
    ),
    Problem(
        "connection-error",
        "Aiven reports an error of the connection",
        "ERROR: the platform failed to build or keep the connection; the detail is its own message.",
        "Send the request again; if it fails the same way, contact Aiven's support with the detail.",
        "an Aiven project administrator",
    ),
    Problem(
        "connection-being-deleted",
        "An earlier connection is still being deleted",
        "Aiven is removing the previous connection of this pair; a new one can be created after that.",
        "Wait; if the deadline passed, contact Aiven's support and send the request again.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "connection-absent",
        "The connection no longer exists",
        "Aiven no longer lists the connection: it was deleted during setup.",
        "Send the request again to create a new one.",
        "an Aiven project administrator",
        "propagation",
    ),
    Problem(
        "connection-unseen",
        "The connection is not listed",
        "Aiven does not list a connection that existed before.",
        "Wait; the app reads again before it treats the connection as deleted. If the deadline passed, compare with"
        " `avn vpc peering-connection list` and send the request again.",
        "an Aiven project administrator",
        "propagation",
    ),
    Problem(
        "peer-network-unknown",
        "Aiven has not named its network yet",
        "The Azure side needs to-tenant-id and to-network-id, which the connection's state_info does not contain.",
        "Wait; if the deadline passed, ask Aiven's support why the connection's state_info is empty, then send the"
        " request again.",
        "an Aiven project administrator",
        "propagation",
    ),
    Problem(
        "connection-of-another-application",
        "The connection belongs to another application",
        "The connection was requested again with an application that is not this peering's.",
        "Find its owner first: while the connection is ACTIVE (`avn vpc peering-connection list`), traffic flows"
        " through it, and deleting it would stop that traffic. Take it over with `adopt: true`. Its owner may delete"
        " it only if it is not ACTIVE and not needed; then send the request again.",
        "an Aiven project administrator",
    ),
    Problem(
        "connection-wrong-tenant",
        "The connection names another tenant",
        "The connection was requested with a tenant id that is not that of the VNet's subscription.",
        "If the connection is not ACTIVE, delete it in Aiven and send the request again; an ACTIVE connection works"
        " unchanged.",
        "an Aiven project administrator",
    ),
    Problem(
        "connection-name-case",
        "The connection's names are not in lower case",
        "Aiven looks up Azure names exactly as given, and finds them only in lower case.",
        "If the connection is not ACTIVE, delete it in Aiven and send the request again: this app requests it in"
        " lower case. An ACTIVE connection works unchanged.",
        "an Aiven project administrator",
    ),
    Problem(
        "nothing-to-adopt",
        "There is no working peering to take over",
        "Aiven has a connection with another owner for the pair, but its VNet peering is missing or Disconnected.",
        "Have its owner check whether the connection is ACTIVE (`avn vpc peering-connection list`), and a VNet peering"
        " to its network Connected (`az network vnet peering list`). If so, traffic flows: send the request again."
        " Otherwise have the owner repair the connection, or delete it if it is not needed.",
        "an Aiven project administrator",
    ),
)
