"""Problems with remotes in general."""

from typing import Final

from peering.problems.problem import Problem

REMOTES: Final = (
    Problem(
        "remote-throttled",
        "A remote service throttles requests",
        "Azure, Entra, Graph, Key Vault or Aiven answered 429, or would do so; the app waits as long as the service"
        " asks, or until it is this peering's turn.",
        "Wait; if the deadline passed, find out what else sends the service many requests, such as other automation"
        " with the same identity or token. Then send the request again.",
        "the operator of this app",
        "platform",
    ),
    Problem(
        "remote-unavailable",
        "A remote service does not answer",
        "The connection failed, timed out, or the remote service answered with a server error.",
        "Wait; if the deadline passed, check the remote service's status page and the app's network, then send the"
        " request again.",
        "the operator of this app",
        "propagation",
    ),
    Problem(
        "remote-refused",
        "A remote service refused the request",
        "The response has a code that this app does not know; the detail is the service's own message.",
        "Look up the code in the service's documentation, correct the cause and send the request again.",
        "the operator of this app",
    ),
)
