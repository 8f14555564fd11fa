"""Problems with VPCs of Aiven's and their peering connections."""

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
        "The token is good, but its user lacks project:networking:write on the project.",
        "Give the user the operator or admin role on the project.",
        "an Aiven project administrator",
    ),
    Problem(
        "aiven-organization-not-permitted",
        "The Aiven user may not manage the organization's networks",
        "The token is good, but its user lacks organization:networking:read to see the organization's VPCs, or"
        " organization:networking:write to change their peering connections. No role in a project includes them.",
        "Give the user both permissions in the organization, or make it an organization admin.",
        "an Aiven organization administrator",
    ),
    Problem(
        "project-vpc-not-found",
        "The VPC does not exist in Aiven",
        "Aiven knows no such project or organization, or no VPC of this id in it.",
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
        "Peering connections can be made once the project or organization VPC is ACTIVE.",
        "Wait for it; `avn vpc list`, or `avn organization vpc list`, shows its state.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "project-vpc-deleted",
        "The VPC in Aiven is being deleted",
        "A project or organization VPC that is DELETING or DELETED takes no more peering connections.",
        "Choose or create another VPC.",
        "the caller",
        status=422,
    ),
    Problem(
        "aiven-refused",
        "Aiven refused the request",
        "The detail is Aiven's own answer.",
        "Correct what the answer names and send the request again.",
        "the caller",
        status=422,
    ),
    Problem(
        "connection-not-built",
        "Aiven is still building its side of the peering",
        "The connection is APPROVED: the platform makes a service principal of the application in its tenant, then a"
        " VNet peering from its network.",
        "Wait; this takes a few minutes. If the deadline passed, ask Aiven's support and send the request again.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "connection-not-active",
        "Aiven has not seen the Azure side yet",
        "The VNet peering exists; the platform looks for it regularly and then sets the connection ACTIVE.",
        "Wait a few minutes. If the deadline passed, check that the VNet peering is Connected, then send the request"
        " again.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "connection-state-unknown",
        "The connection is in a state that this app does not know",
        "Aiven added a state; the detail names it. The app keeps looking, in case it passes.",
        "Look the state up in Aiven's documentation; a newer version of the app may know it.",
        "the operator of this app",
        "platform",
    ),
    Problem(
        "connection-invalid-specification",
        "Aiven could not build the connection",
        "INVALID_SPECIFICATION: the VNet does not exist under that name, its addresses overlap the project VPC's, or"
        " the platform's service principal may not peer with it.",
        "Correct the cause, then send the request again: the connection is requested anew (article step 12).",
        "the network team",
        "propagation",
    ),
    Problem(
        "connection-rejected-by-peer",
        "Azure rejected the connection",
        "REJECTED_BY_PEER: the application or tenant id is unknown to the platform, the application is not"
        " multi-tenant, or the platform may not peer with the VNet.",
        "Correct the cause, then send the request again: the connection is requested anew (article step 12).",
        "an Entra administrator",
        "propagation",
    ),
    Problem(
        "connection-deleted-by-peer",
        "The Azure side of the connection was deleted",
        "DELETED_BY_PEER: somebody removed the VNet peering after it had worked. Aiven never leaves this state.",
        "Send the request again: the connection is deleted and requested anew.",
        "the network team",
    ),
    Problem(
        "connection-error",
        "Aiven reports an error of the connection",
        "ERROR: the platform failed to build or keep the connection; the detail is its own message.",
        "Send the request again; if it fails the same way, ask Aiven's support with the detail.",
        "an Aiven project administrator",
    ),
    Problem(
        "connection-being-deleted",
        "An earlier connection is still being deleted",
        "Aiven is removing the previous connection of this pair; a new one can be made after that.",
        "Wait; the app goes on by itself.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "connection-absent",
        "The connection has vanished",
        "Aiven no longer lists the connection: somebody deleted it while it was being set up.",
        "Send the request again to make a new one.",
        "an Aiven project administrator",
        "propagation",
    ),
    Problem(
        "connection-unseen",
        "The connection does not show",
        "Aiven does not show a connection that was there before.",
        "Wait; the app looks once more before it takes the connection for deleted.",
        "an Aiven project administrator",
        "propagation",
    ),
    Problem(
        "peer-network-unknown",
        "Aiven has not named its network yet",
        "The Azure side needs to-tenant-id and to-network-id, which the connection's state_info does not hold.",
        "Wait; the app looks again. If the deadline passed, ask Aiven's support why the connection's state_info is"
        " empty.",
        "an Aiven project administrator",
        "propagation",
    ),
    Problem(
        "connection-of-another-application",
        "The connection belongs to another application",
        "Somebody requested the connection anew with an application that is not this peering's.",
        "Find out who did: while the connection is ACTIVE (`avn vpc peering-connection list`), traffic flows through"
        " it, and deleting it would cut that. Take it over with `adopt: true`; only one that is not ACTIVE, and that"
        " its owner does not need, may the owner delete before you send the request again.",
        "an Aiven project administrator",
    ),
    Problem(
        "connection-wrong-tenant",
        "The connection names another tenant",
        "The connection was requested with a tenant id that is not the one of the VNet's subscription.",
        "If the connection is not ACTIVE, delete it in Aiven and send the request again; one that is ACTIVE works as it"
        " is.",
        "an Aiven project administrator",
    ),
    Problem(
        "connection-name-case",
        "The connection's names are not in lower case",
        "Aiven looks Azure names up as they were given to it, and only finds them in lower case.",
        "If the connection is not ACTIVE, delete it in Aiven and send the request again: this app requests it in lower"
        " case.",
        "an Aiven project administrator",
    ),
    Problem(
        "nothing-to-adopt",
        "There is no working peering to take over",
        "Aiven has a connection of somebody else's for the pair, but its VNet peering is missing or Disconnected.",
        "Have its owner see whether traffic flows after all: the connection is ACTIVE (`avn vpc peering-connection"
        " list`) and a VNet peering to its network is Connected (`az network vnet peering list`); then send the request"
        " again. Otherwise have the owner mend the connection, or delete it if nobody needs it.",
        "an Aiven project administrator",
    ),
)
