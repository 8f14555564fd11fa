"""Durable Functions' HTTP API, which the client binding of the SDK calls.

Routes and shapes are those of the documented API (learn.microsoft.com, "HTTP API reference" of Durable Functions), and
error responses are those of extension 3.19. Only documented ids are accepted; the extension itself accepts most others.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.host.engine import Engine, InstanceRunsError
from local.host.function_app import FunctionApp
from local.host.history import EventType, HistoryEvent
from local.host.hostility import Hostility
from local.host.task_hub import FINAL, Instance, TaskHub

_BAD_ID: Final = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")
_LONGEST_ID: Final = 256
_HIDDEN: Final = ("EventId", "IsPlayed", "Version", "Tags", "TimerId", "TaskScheduledId")


def management_urls(base: str, hub_name: str, system_key: str, instance_id: str) -> dict[str, str]:
    """The addresses to manage one instance with, as the binding and `202` answers hold them."""
    path = f"{base}/instances/{quote(instance_id, safe='')}"
    query = f"taskHub={hub_name}&connection=Storage&code={system_key}"
    return {
        "id": instance_id,
        "statusQueryGetUri": f"{path}?{query}",
        "sendEventPostUri": f"{path}/raiseEvent/{{eventName}}?{query}",
        "terminatePostUri": f"{path}/terminate?reason={{text}}&{query}",
        "rewindPostUri": f"{path}/rewind?reason={{text}}&{query}",
        "purgeHistoryDeleteUri": f"{path}?{query}",
        "restartPostUri": f"{path}/restart?{query}",
        "suspendPostUri": f"{path}/suspend?reason={{text}}&{query}",
        "resumePostUri": f"{path}/resume?reason={{text}}&{query}",
    }


def _token(text: str | None) -> object:
    """Stored text as JSON; what is not JSON is shown as text."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _flag(query: QueryParams, name: str, *, default: bool = False) -> bool:
    return {"true": True, "false": False}.get(query.get(name, "").lower(), default)


def _status(instance: Instance, *, show_input: bool) -> dict[str, object]:
    return {
        "name": instance.name,
        "instanceId": instance.id,
        "runtimeStatus": instance.status,
        "input": _token(instance.input) if show_input else None,
        "customStatus": _token(instance.custom),
        "output": _token(instance.output),
        "createdTime": instance.created[:19] + "Z",
        "lastUpdatedTime": instance.updated[:19] + "Z",
    }


def _error(status: int, message: str, exception: str | None = None) -> JSONResponse:
    return JSONResponse({"Message": message, "ExceptionMessage": exception or message}, status)


class DurableApi:
    """The API over one task hub."""

    def __init__(
        self,
        app: FunctionApp,
        hub: TaskHub,
        engine: Engine,
        links: Callable[[Request, str], dict[str, str]],
        hostility: Hostility | None = None,
    ) -> None:
        self._app, self._hub, self._engine, self._links = app, hub, engine, links
        self._hostility = hostility or Hostility.none()

    async def serve(self, request: Request) -> Response:
        """Answer one request; `rest` in its path parameters is the path below the API's base."""
        parts = [part for part in request.path_params["rest"].split("/") if part]
        if request.query_params.get("taskHub", self._app.hub_name).lower() != self._app.hub_name.lower():
            return Response(status_code=404)
        try:
            match parts:
                case ["orchestrators", name] if request.method == "POST":
                    return await self._start(request, name, None)
                case ["orchestrators", name, instance_id] if request.method == "POST":
                    return await self._start(request, name, instance_id)
                case ["instances"]:
                    return self._instances(request)
                case ["instances", instance_id, *rest]:
                    return await self._instance(request, instance_id, rest)
                case ["entities", *rest]:
                    return await self._entities(request, rest)
        except InstanceRunsError as error:
            return JSONResponse({"Message": str(error)}, 409)
        except ValueError as error:
            return _error(400, "Invalid JSON content", str(error))
        return Response(status_code=404)

    async def _start(self, request: Request, name: str, instance_id: str | None) -> Response:
        if instance_id and (instance_id[0] == "@" or _BAD_ID.search(instance_id) or len(instance_id) > _LONGEST_ID):
            rule = "Instance ids must not start with @, contain /, \\, #, ? or control characters, or exceed 256."
            return _error(400, "bad instance id", rule)
        body = (await request.body()).decode()
        given = json.dumps(json.loads(body)) if body else None
        version = request.query_params.get("version") or self._app.durable_settings.get("defaultVersion")
        # An orchestrator that does not exist is started as well; its instance fails.
        function = self._app.find("orchestration", name)
        name = function.durable_name if function else name
        return self._started(request, self._engine.start_instance(name, instance_id, given, version))

    def _started(self, request: Request, instance_id: str) -> Response:
        links = self._links(request, instance_id)
        headers = {"Location": links["statusQueryGetUri"], "Retry-After": "10"}
        return JSONResponse({k: v for k, v in links.items() if k != "rewindPostUri"}, 202, headers)

    def _instances(self, request: Request) -> Response:
        query = request.query_params
        statuses = [status for text in query.getlist("runtimeStatus") for status in text.split(",") if status]
        top, skip = int(query.get("top", 0)), int(request.headers.get("x-ms-continuation-token") or 0)
        created_from, created_to = query.get("createdTimeFrom", ""), query.get("createdTimeTo", "~")
        deletes = request.method == "DELETE"
        found = self._hub.find_instances(
            query.get("instanceIdPrefix", ""), created_from, created_to, statuses, -1 if deletes else top or -1, skip
        )
        if deletes:
            if not created_from:
                return JSONResponse("Please provide value for 'createdTimeFrom' parameter.", 400)
            purged = self._engine.purge(found)
            return JSONResponse({"instancesDeleted": purged}) if purged else Response(status_code=404)
        token = str(skip + top) if top and len(found) == top else ""
        visible = map(self._hostility.visible, found)
        shown = [_status(instance, show_input=_flag(query, "showInput")) for instance in visible]
        return JSONResponse(shown, headers={"x-ms-continuation-token": token})

    async def _instance(self, request: Request, instance_id: str, rest: list[str]) -> Response:
        instance = self._hub.instance(instance_id)
        if instance is None:
            return Response(status_code=404)
        if not rest:
            if request.method == "DELETE":
                return JSONResponse({"instancesDeleted": self._engine.purge([instance])})
            return self._show(request, instance)
        if request.method != "POST":
            return Response(status_code=404)
        return await self._control(request, instance, [rest[0].lower(), *rest[1:]])

    def _show(self, request: Request, instance: Instance) -> Response:
        query = request.query_params
        instance = self._hostility.visible(instance)
        shown = _status(instance, show_input=_flag(query, "showInput", default=True))
        if _flag(query, "showHistory"):
            events = [json.loads(text) for text in self._hub.history(instance.id)]
            output, given = _flag(query, "showHistoryOutput"), _flag(query, "showInput")
            shown["historyEvents"] = readable_history(events, show_output=output, show_input=given)
        if instance.status not in FINAL:
            return JSONResponse(shown, 202, {"Location": str(request.url), "Retry-After": "5"})
        failed = instance.status == "Failed" and _flag(query, "returnInternalServerErrorOnFailure")
        return JSONResponse(shown, 500 if failed else 200)

    async def _control(self, request: Request, instance: Instance, rest: list[str]) -> Response:
        reason = request.query_params.get("reason")
        if rest == ["restart"]:
            new = _flag(request.query_params, "restartWithNewInstanceId", default=True)
            target = None if new else instance.id
            return self._started(request, self._engine.start_instance(instance.name, target, instance.input))
        if instance.status in FINAL:
            return Response(status_code=410)
        match rest:
            case ["raiseevent", name]:
                if request.headers.get("content-type", "").partition(";")[0].lower() != "application/json":
                    return _error(400, "Only application/json request content is supported")
                body = (await request.body()).decode()
                given = json.dumps(json.loads(body))
                self._engine.send(instance, EventType.EVENT_RAISED, Name=name, Input=given)
            case ["terminate"]:
                self._engine.send(instance, EventType.EXECUTION_TERMINATED, Input=reason)
            case ["suspend"]:
                self._engine.send(instance, EventType.EXECUTION_SUSPENDED, Reason=reason)
            case ["resume"]:
                self._engine.send(instance, EventType.EXECUTION_RESUMED, Reason=reason)
            case _:
                return Response(status_code=404)
        return Response(status_code=202)

    async def _entities(self, request: Request, rest: list[str]) -> Response:
        if request.method == "GET" and len(rest) < 2:
            found = (([*entity.split("@", 2)], state, at) for entity, state, at in self._hub.entities(*rest))
            return JSONResponse(
                [
                    {"entityId": {"name": i[1], "key": i[2]}, "lastOperationTime": at, "state": _token(state)}
                    for i, state, at in found
                ]
            )
        name, key = rest
        entity = f"@{name.lower()}@{key}"
        if request.method == "GET":
            held = self._hub.entity(entity)
            return Response(held[0] or "null", media_type="application/json") if held else Response(status_code=404)
        if not self._app.exists("entity", name):
            return JSONResponse({"Message": self._app.unknown("entity", name)}, 400)
        body = (await request.body()).decode()
        is_json = request.headers.get("content-type", "").partition(";")[0].lower() == "application/json"
        given = json.dumps(json.loads(body) if is_json else body) if body else None
        operation = "delete" if request.method == "DELETE" else request.query_params.get("op", "")
        self._engine.signal_entity(entity, operation, given)
        return Response(status_code=202)


def readable_history(events: list[HistoryEvent], *, show_output: bool, show_input: bool) -> list[dict[str, Any]]:
    """A history as the status API shows it: scheduled work folded into its completion, named kinds."""
    scheduled: dict[int, tuple[HistoryEvent, dict[str, Any]]] = {}
    shown: list[dict[str, Any]] = []
    for past in events:
        kind = EventType(past["EventType"])
        if kind in (EventType.ORCHESTRATOR_STARTED, EventType.ORCHESTRATOR_COMPLETED):
            continue
        entry = {name: value for name, value in past.items() if name not in _HIDDEN}
        entry["EventType"] = "".join(word.capitalize() for word in kind.name.split("_"))
        if kind in (EventType.TASK_SCHEDULED, EventType.SUB_ORCHESTRATION_INSTANCE_CREATED):
            scheduled[past["EventId"]] = (past, entry)
        if "TaskScheduledId" in past and past["TaskScheduledId"] in scheduled:
            source, folded = scheduled.pop(past["TaskScheduledId"])
            entry |= {"ScheduledTime": source["Timestamp"], "FunctionName": source["Name"]}
            shown.remove(folded)
        if kind is EventType.EXECUTION_STARTED:
            entry["FunctionName"] = entry.pop("Name", None)
        if not show_output:
            entry.pop("Result", None)
        elif isinstance(entry.get("Result"), str):
            entry["Result"] = _token(entry["Result"])
        if not show_input:
            entry.pop("Input", None)
        shown.append(entry)
    return shown
