"""Problems with runs and their ends."""

from typing import Final

from peering.problems.problem import Problem

RUNS: Final = (
    Problem(
        "run-stopped",
        "The run was stopped",
        "Somebody asked for the peering to be removed while it was being set up.",
        "Nothing; send the request again to set the peering up after all.",
        "the caller",
    ),
    Problem(
        "run-still-ending",
        "The run is still ending",
        "The steps that had begun when the run was stopped are finished first, so that nothing is left half made.",
        "Wait; the removal goes on by itself.",
        "the operator of this app",
        "platform",
    ),
    Problem(
        "being-removed",
        "The peering is being removed",
        "A removal of this peering is under way.",
        "Wait until it has ended, then send the request again.",
        "the caller",
        status=409,
    ),
    Problem(
        "vnet-peering-still-there",
        "The VNet peering is still being deleted",
        "Azure deletes a VNet peering in the background.",
        "Wait; the app looks again by itself.",
        "the network team",
        "propagation",
    ),
    Problem(
        "connection-still-there",
        "The connection is still being deleted",
        "Aiven takes its side of the peering away, which takes a few minutes.",
        "Wait; if the deadline passed, ask Aiven's support and send the request again.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "webhook-unreachable",
        "The webhook does not answer",
        "The operator's webhook could not be reached, or answered with an error that may pass.",
        "Check that WEBHOOK_URL answers; the app tries again by itself until the deadline.",
        "the operator of this app",
        "platform",
    ),
    Problem(
        "webhook-refused",
        "The webhook refuses events",
        "The operator's webhook answered that it does not take the event, or it is not configured any more.",
        "Check WEBHOOK_URL and WEBHOOK_SECRET, and that the receiver knows the signature's form.",
        "the operator of this app",
    ),
)
