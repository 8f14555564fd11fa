"""Problems with runs and their ends."""

from typing import Final

from peering.problems.problem import Problem

RUNS: Final = (
    Problem(
        "run-superseded",
        "Another order has replaced this one",
        "A removal or a cancel was requested during the run; the run does nothing more.",
        "No action is needed; see the run that replaced it.",
        "the caller",
        status=422,
    ),
    Problem(
        "activity-lost",
        "The platform lost a call of the app",
        "A worker was restarted, scaled in or ran out of memory before its result was recorded.",
        "No action is needed; the call is repeated, and every step can be repeated safely.",
        "the operator of this app",
        "propagation",
    ),
    Problem(
        "interrupted",
        "The platform interrupted the run repeatedly",
        "The run could not be completed although it was started several times. What it created is recorded.",
        "Look for restarts, memory limits and timeouts in the app's logs, then send the request again; it resumes from"
        " there.",
        "the operator of this app",
    ),
    Problem(
        "being-removed",
        "The peering is being removed",
        "A removal of this peering is in progress.",
        "Wait until it has ended, then send the request again.",
        "the caller",
        status=409,
    ),
    Problem(
        "still-there",
        "An object of the peering still exists",
        "All objects were deleted, but a final check finds objects that the peering created; the detail names them.",
        "Wait; the app deletes them again. If the deadline passed, find out what keeps them, such as a lock, and send"
        " the request again.",
        "an Azure administrator",
        "propagation",
    ),
    Problem(
        "vnet-peering-still-there",
        "The VNet peering is still being deleted",
        "Azure deletes a VNet peering in the background.",
        "Wait; if the deadline passed, look up the deletion in the VNet's activity log, then send the request again.",
        "the network team",
        "propagation",
    ),
    Problem(
        "connection-still-there",
        "The connection is still being deleted",
        "Aiven removes its side of the peering, which takes a few minutes.",
        "Wait; if the deadline passed, contact Aiven's support and send the request again.",
        "an Aiven project administrator",
        "platform",
    ),
    Problem(
        "webhook-unreachable",
        "The webhook does not answer",
        "The operator's webhook could not be reached, or answered with a transient error.",
        "Check that WEBHOOK_URL answers. If the deadline passed, every check tries again.",
        "the operator of this app",
        "platform",
    ),
    Problem(
        "webhook-refused",
        "The webhook rejects events",
        "The operator's webhook rejected the event, or is no longer configured.",
        "Check WEBHOOK_URL and WEBHOOK_SECRET, and that the receiver accepts the format; every check tries again.",
        "the operator of this app",
    ),
)
