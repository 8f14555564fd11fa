"""Problems with the registry of peerings in Azure Table Storage."""

from typing import Final

from peering.problems.problem import Problem

REGISTRY: Final = (
    Problem(
        "registry-access-denied",
        "The app's own identity may not use the registry",
        "The registry of peerings is in the Table service of the app's storage account.",
        "Assign the identity Storage Table Data Contributor on the storage account, then send the request again.",
        "an Azure administrator",
        "propagation",
        status=503,
    ),
    Problem(
        "registry-firewall",
        "The storage account's firewall blocks the app",
        "The storage account of the registry accepts requests from some networks only, and the app's network is not one"
        " of them.",
        "Allow the app's network in the storage account's firewall, then send the request again.",
        "an Azure administrator",
        "propagation",
        status=503,
    ),
    Problem(
        "registry-key-refused",
        "The storage account does not accept the app's key",
        "The key in AzureWebJobsStorage is no key of the storage account any more, or the account accepts no keys.",
        "Set AzureWebJobsStorage to a connection string with a current key. If the account accepts no keys, replace the"
        " setting by AzureWebJobsStorage__accountName, and assign the app's identity Storage Table Data Contributor."
        " Then send the request again.",
        "the operator of this app",
        "propagation",
        status=503,
    ),
    Problem(
        "registry-contended",
        "The peering's record changes too often",
        "Other requests changed the record each time between read and write.",
        "Send the request again.",
        "the caller",
        "propagation",
        status=503,
    ),
    Problem(
        "registry-unavailable",
        "The registry does not answer",
        "The Table service of the app's storage account could not be reached, or answered with a server error.",
        "Send the request again; it is safe to repeat. Check the storage account's network rules if it persists.",
        "the operator of this app",
        "propagation",
        status=503,
    ),
    Problem(
        "registry-row-newer",
        "A newer version of the app wrote a row of the registry",
        "After a return to an earlier version, the registry may have rows in a form that this version does not know. It"
        " neither reads nor changes them. No removal begins meanwhile that may delete objects that they need.",
        "Deploy the newer version again. Connections are not affected meanwhile.",
        "the operator of this app",
        status=503,
    ),
    Problem(
        "registry-being-migrated",
        "The registry is being migrated from version 0.2.0",
        "Peerings are moved from Durable entities to Azure Table Storage; reads work, changes have to wait.",
        "Send the request again in a minute.",
        "the caller",
        status=503,
    ),
)
