"""`/api/problems`: the catalogue of problems, the target of every problem document's `type`."""

import json
from dataclasses import asdict

import azure.functions as func

from clients.durable import DurableClient
from peering.problems import PROBLEMS
from triggers.documents.problem_documents import problem_response


async def list_problems(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/problems`: every problem of the catalogue."""
    catalogue = [asdict(problem) for problem in PROBLEMS.values()]
    return func.HttpResponse(json.dumps({"problems": catalogue}), mimetype="application/json")


async def show_problem(req: func.HttpRequest, client: DurableClient) -> func.HttpResponse:  # noqa: ARG001 - the route's
    """`GET /api/problems/{code}`: one problem of the catalogue."""
    code = req.route_params["code"]
    if code not in PROBLEMS:
        return problem_response("problem-not-found", f"There is no problem {code}.")
    return func.HttpResponse(json.dumps(asdict(PROBLEMS[code])), mimetype="application/json")
