"""Problems with remotes in general."""

from typing import Final

from peering.problems.problem import Problem

REMOTES: Final = (
    Problem(
        "remote-throttled",
        "A remote asks for fewer requests",
        "Azure, Entra, Graph, Key Vault or Aiven answered 429, or would do so; the app waits as long as it was told, or"
        " until it is this peering's turn.",
        "Wait; the app tries again by itself.",
        "the operator of this app",
        "platform",
    ),
    Problem(
        "remote-unavailable",
        "A remote does not answer",
        "The connection failed, timed out, or the remote answered with a server error.",
        "Wait; if the deadline passed, check the remote's status page and the app's network.",
        "the operator of this app",
        "propagation",
    ),
    Problem(
        "remote-refused",
        "A remote refused the request",
        "The answer has a code that this app does not know; the detail is the remote's own.",
        "Look the code up in the remote's documentation, correct the cause and send the request again.",
        "the operator of this app",
    ),
)
