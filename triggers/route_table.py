"""The routes of the API: the module of each, and who may call it."""

from typing import Final, Literal, NamedTuple

#: Who may call a route: readers, or only operators.
AppRole = Literal["reader", "operator"]


class Route(NamedTuple):
    """A route: its module and function, its path below `/api/`, its query parameters, its role."""

    module: str
    name: str
    method: str
    path: str
    parameters: tuple[str, ...]
    role: AppRole


#: The filters of peerings, for lists and for changes of many.
FILTERS: Final = (
    *("project", "project_vpc_id", "organization_id", "organization_vpc_id"),
    *("vnet_id", "vnet", "subscription_id", "label", "paused"),
    *("state", "operation", "verdict", "problem", "requested_by"),
)
_LIST: Final = ("limit", "cursor", "sort", "count", "search", "changedSince", *FILTERS)
ROUTES: Final = (
    Route("peerings", "start_peering", "POST", "peerings", ("dryRun",), "operator"),
    Route("peerings", "list_peerings", "GET", "peerings", _LIST, "reader"),
    Route("peering", "show_peering", "GET", "peerings/{id}", (), "reader"),
    Route("peering", "show_runs", "GET", "peerings/{id}/runs", (), "reader"),
    Route("peering", "show_run", "GET", "peerings/{id}/runs/{run}", (), "reader"),
    Route("peering", "report_peering", "GET", "peerings/{id}/report", ("format",), "reader"),
    Route("changes", "change_peering", "PATCH", "peerings/{id}", ("dryRun",), "operator"),
    Route("changes", "remove_peering", "DELETE", "peerings/{id}", ("dryRun",), "operator"),
    Route("changes", "check_peering", "POST", "peerings/{id}/check", (), "operator"),
    Route("changes", "rotate_peering", "POST", "peerings/{id}/rotate", (), "operator"),
    Route("changes", "cancel_run", "POST", "peerings/{id}/cancel", (), "operator"),
    Route("pauses", "pause_peering", "POST", "peerings/{id}/pause", (), "operator"),
    Route("pauses", "resume_peering", "POST", "peerings/{id}/resume", (), "operator"),
    Route("pauses", "pause_peerings", "POST", "pause", FILTERS, "operator"),
    Route("pauses", "resume_peerings", "POST", "resume", FILTERS, "operator"),
    Route("checks", "check_peerings", "POST", "checks", FILTERS, "operator"),
    Route("erasure", "erase_caller", "POST", "callers/erase", (), "operator"),
    Route("overview", "show_overview", "GET", "overview", (), "reader"),
    Route("self_check", "check_app", "GET", "self-check", ("project", "organization_id", "vnet_id"), "reader"),
    Route("refusals", "list_refusals", "GET", "refusals", (), "reader"),
    Route("health", "list_unmanaged", "GET", "unmanaged", (), "reader"),
    Route("lost", "list_lost", "GET", "lost", (), "reader"),
    Route("problems", "list_problems", "GET", "problems", (), "reader"),
    Route("problems", "show_problem", "GET", "problems/{code}", (), "reader"),
    Route("description", "show_openapi", "GET", "openapi.json", (), "reader"),
    Route("description", "show_docs", "GET", "docs", (), "reader"),
)
