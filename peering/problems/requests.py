"""Problems with requests: their contents, and requests at a time when they cannot be accepted."""

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
        "A request for a peering is a few hundred bytes; the app does not read bodies above 64 KiB.",
        "Send only the documented fields. Nothing was started.",
        "the caller",
        status=413,
    ),
    Problem(
        "peering-not-found",
        "There is no such peering",
        "No peering with this id was ever requested in this app.",
        "List the known peerings with `GET /api/peerings`, or request this one with `POST /api/peerings`.",
        "the caller",
        status=404,
    ),
    Problem(
        "run-not-found",
        "There is no such run",
        "The peering never had a run of this name, or the run is older than the retention period.",
        "List the peering's runs with `GET /api/peerings/{id}/runs`.",
        "the caller",
        status=404,
    ),
    Problem(
        "role-missing",
        "The caller lacks an app role",
        "App Service authentication is enabled. The app roles `reader` and `operator` of the app's registration in"
        " Entra then decide what a caller may do; a function key alone is not sufficient.",
        "Sign in, and have an administrator assign you the role that the detail names (Enterprise applications, Users"
        " and groups). Nothing was started.",
        "an Entra administrator",
        status=403,
    ),
    Problem(
        "subscription-not-allowed",
        "The VNet's subscription is not allowed",
        "The setting `ALLOWED_SUBSCRIPTIONS` lists the subscriptions whose VNets this app may peer. The subscription of"
        " this VNet is not in it.",
        "Add the subscription to the setting, or name another VNet. Nothing was started.",
        "the operator of this app",
        status=403,
    ),
    Problem(
        "caller-limit-reached",
        "The caller has as many peerings as allowed",
        "The setting `PEERINGS_PER_CALLER` limits how many peerings of one caller exist at a time. Failed starts and"
        " adopted peerings count, too; with function keys alone all callers count as one.",
        "Have the setting raised, or free a place: one of your peerings that is not in use can be removed. Nothing was"
        " started.",
        "the operator of this app",
        status=409,
    ),
    Problem(
        "changed-meanwhile",
        "The peering has changed",
        "`If-Match` names a revision of the peering's record that is not the current one.",
        "Read the peering again. If the change is still wanted, send the request with the new `ETag`.",
        "the caller",
        status=412,
    ),
    Problem(
        "idempotency-key-reused",
        "The idempotency key was used for another request",
        "A request with this `Idempotency-Key` was answered before, and this one differs from it.",
        "Send the request with a new key. Nothing was started.",
        "the caller",
        status=422,
    ),
    Problem(
        "idempotency-key-in-use",
        "The first request with the idempotency key is in progress",
        "A request with this `Idempotency-Key` has not been answered yet.",
        "Send the request again in a few seconds; it then gets the response of the first one.",
        "the caller",
        status=409,
    ),
    Problem(
        "too-many-match",
        "Too many peerings match",
        "One request changes a limited number of peerings, so that it can be answered in time.",
        "Narrow the filter and send several requests; without a filter the request applies to all peerings. Nothing"
        " was started.",
        "the caller",
        status=409,
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
        "A run for this pair of project VPC and VNet is in progress; the request asks for other options.",
        "Wait until it has ended, then send the request again. The options that differ are listed in `errors`.",
        "the caller",
        status=409,
    ),
    Problem(
        "operation-under-way",
        "Another operation on the peering is in progress",
        "Only one operation at a time can run on a peering: setup, repair, rotation or removal.",
        "Wait until the operation that the detail names has ended, then send the request again.",
        "the caller",
        status=409,
    ),
    Problem(
        "nothing-to-cancel",
        "There is nothing to cancel",
        "A cancel stops the current run of a peering, and none is in progress.",
        "No action is needed; see the peering's state and its last run.",
        "the caller",
        status=409,
    ),
    Problem(
        "peering-not-connected-yet",
        "The peering has not been connected yet",
        "A credential can be rotated only after a run has created the application.",
        "Start the peering with `POST /api/peerings`, wait until it is connected, then send the request again.",
        "the caller",
        status=409,
    ),
    Problem(
        "connection-exists",
        "The pair has a connection with another owner",
        "Aiven has a connection for the pair that another application requested; this app does not change it.",
        "Send the request with `adopt: true` to take the connection over unchanged, or leave it to its owner.",
        "the caller",
        status=409,
    ),
)
