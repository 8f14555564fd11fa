"""Problems with what a caller gets wrong, or asks for at the wrong moment."""

from typing import Final

from peering.problems.problem import Problem

REQUESTS: Final = (
    Problem(
        "invalid-request",
        "The request is not valid",
        "A field is missing, unknown, of the wrong type or breaks a rule; each one is listed in `errors`.",
        "Correct the named fields and send the request again. Nothing was started.",
        "the caller",
        status=400,
    ),
    Problem(
        "not-json",
        "The body is not JSON",
        "The request needs one JSON object in UTF-8 as its body.",
        "Send the body as JSON with `Content-Type: application/json`. Nothing was started.",
        "the caller",
        status=400,
    ),
    Problem(
        "body-too-large",
        "The body is too large",
        "A request for a peering is a few hundred bytes; more than 64 KiB is refused unread.",
        "Send only the documented fields. Nothing was started.",
        "the caller",
        status=413,
    ),
    Problem(
        "peering-not-found",
        "There is no such peering",
        "No peering with this id was ever requested here.",
        "List the known peerings with `GET /api/peerings`, or request this one with `POST /api/peerings`.",
        "the caller",
        status=404,
    ),
    Problem(
        "problem-not-found",
        "There is no such problem",
        "The catalogue has no problem with this code.",
        "List the catalogue with `GET /api/problems`.",
        "the caller",
        status=404,
    ),
    Problem(
        "running-with-other-options",
        "The peering is being set up with other options",
        "This pair of project VPC and VNet is under way already; the request asks for other options than that run.",
        "Wait until it has ended, then send the request again. The options that differ are listed in `errors`.",
        "the caller",
        status=409,
    ),
    Problem(
        "operation-under-way",
        "Another operation on the peering is under way",
        "A peering does one thing at a time: it is set up, repaired, rotated or removed.",
        "Wait until the operation that the detail names has ended, then send the request again.",
        "the caller",
        status=409,
    ),
    Problem(
        "nothing-to-cancel",
        "Nothing is under way",
        "A cancel stops what is under way on a peering, and nothing is.",
        "Nothing; see the peering's state and its last run.",
        "the caller",
        status=409,
    ),
    Problem(
        "peering-not-connected-yet",
        "The peering has not been connected yet",
        "A credential can be rotated only once a run has made the application.",
        "Start the peering with `POST /api/peerings`, wait until it is connected, then send the request again.",
        "the caller",
        status=409,
    ),
    Problem(
        "connection-exists",
        "Somebody else has connected this pair",
        "Aiven has a connection for the pair that another application asked for; this app leaves it alone.",
        "Send the request with `adopt: true` to take the connection over as it is, or leave it to its owner.",
        "the caller",
        status=409,
    ),
)
