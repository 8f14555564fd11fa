"""Problems with runs and their ends."""

from typing import Final

from peering.problems.problem import Problem

RUNS: Final = (
    Problem(
        "run-superseded",
        "Another order has taken this one's place",
        "A removal or a cancel was asked for while the run was under way; the run does nothing more.",
        "Nothing; see the run that took its place.",
        "the caller",
        status=422,
    ),
    Problem(
        "activity-lost",
        "The platform lost a call of the app",
        "A worker was restarted, scaled in or ran out of memory before its answer was recorded.",
        "Nothing; the call is repeated, and every step can be repeated safely.",
        "the operator of this app",
        "propagation",
    ),
    Problem(
        "interrupted",
        "The platform interrupted the run again and again",
        "The run could not be carried out although it was begun several times. What it has made is recorded.",
        "Look for restarts, memory and timeouts in the app's logs, then send the request again; it goes on from there.",
        "the operator of this app",
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
        "still-there",
        "Something of the peering is still there",
        "All was deleted, but a last look finds objects that the peering made; the detail names them.",
        "Wait; the app deletes them again. If the deadline passed, see who keeps them, such as a lock, and send the"
        " request again.",
        "an Azure administrator",
        "propagation",
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
        "Check that WEBHOOK_URL answers; the app tries again until the deadline, and then with every check.",
        "the operator of this app",
        "platform",
    ),
    Problem(
        "webhook-refused",
        "The webhook refuses events",
        "The operator's webhook answered that it does not take the event, or it is not configured any more.",
        "Check WEBHOOK_URL and WEBHOOK_SECRET, and that the receiver knows the form; every check tries again.",
        "the operator of this app",
    ),
)
