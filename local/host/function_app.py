"""Loads an unmodified function app, as the Functions worker indexes it: of the v2 programming model, or of v1."""

import importlib
import inspect
import json
import os
import sys
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from azure.functions.decorators.function_app import FunctionRegister

SERVED_TRIGGERS: Final = {
    "httptrigger": "http",
    "timertrigger": "timer",
    "orchestrationtrigger": "orchestration",
    "activitytrigger": "activity",
    "entitytrigger": "entity",
}
CLIENTS: Final = ("durableclient", "orchestrationclient")


class LoadError(Exception):
    """The app cannot be served; the message says what the worker, or this host, does not take."""


#: The folders that an app's packages are installed in, below its own.
_INSTALLED: Final = (".venv", ".python_packages")


@dataclass(frozen=True)
class Function:
    """One function of the app with its bindings."""

    name: str
    call: Callable[..., Any]
    kind: str
    trigger: dict[str, Any]
    clients: tuple[str, ...]
    outputs: tuple[str, ...]
    wants_context: bool
    directory: Path

    @property
    def is_async(self) -> bool:
        """Whether it is a coroutine function."""
        return inspect.iscoroutinefunction(self.call)

    @property
    def durable_name(self) -> str:
        """The name that orchestrators and clients use."""
        given = self.trigger.get("orchestration") or self.trigger.get("activity") or self.trigger.get("entityName")
        return str(given or self.name)


@dataclass(frozen=True)
class FunctionApp:
    """The functions of an app by kind and lower-case name, and its host.json."""

    directory: Path
    host: dict[str, Any]
    functions: tuple[Function, ...]
    #: Modules of its folder that this process had imported before; they come back when it is unloaded.
    displaced: dict[str, types.ModuleType] = field(default_factory=dict)
    _by_name: dict[tuple[str, str], Function] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for function in self.functions:
            self._by_name[function.kind, function.durable_name.lower()] = function

    def find(self, kind: str, name: str) -> Function | None:
        """The function of a kind under the name that orchestrators use."""
        return self._by_name.get((kind, name.lower()))

    def exists(self, kind: str, name: str) -> bool:
        """Whether there is such a function."""
        return self.find(kind, name) is not None

    def unknown(self, kind: str, name: str) -> str:
        """What the extension says of a function that does not exist."""
        kind_in_words = "orchestrator" if kind == "orchestration" else kind
        known = "', '".join(function.durable_name for function in self.of_kind(kind))
        missing = f"The function '{name}' doesn't exist, is disabled, or is not an {kind_in_words} function."
        return f"{missing} Additional info: The following are the known {kind_in_words} functions: '{known}'."

    def of_kind(self, kind: str) -> list[Function]:
        """All functions of a kind."""
        return [function for function in self.functions if function.kind == kind]

    @property
    def durable_settings(self) -> dict[str, Any]:
        """`extensions.durableTask` of host.json."""
        settings: dict[str, Any] = self.host.get("extensions", {}).get("durableTask", {})
        return settings

    @property
    def hub_name(self) -> str:
        """The name of its task hub."""
        return str(self.durable_settings.get("hubName", "TestHubName"))


def load_function_app(directory: Path) -> FunctionApp:
    """Import the app's `function_app.py` (or PYTHON_SCRIPT_FILE_NAME); read its settings.

    Args:
        directory: the app's folder.

    Raises:
        LoadError: the app has no host.json, not exactly one FunctionApp, or a function that cannot be served.
    """
    directory = directory.resolve()
    displaced = _take_modules(directory)
    host_file, settings_file = directory / "host.json", directory / "local.settings.json"
    if not host_file.is_file():
        raise LoadError(f"{host_file} does not exist")
    host = json.loads(host_file.read_text("utf-8-sig"))
    if settings_file.is_file():
        for name, value in json.loads(settings_file.read_text("utf-8-sig")).get("Values", {}).items():
            os.environ.setdefault(name, str(value))
    os.environ["AzureWebJobsScriptRoot"] = str(directory)
    script = os.environ.get("PYTHON_SCRIPT_FILE_NAME", "function_app.py")
    sys.path.insert(0, str(directory))
    if not (directory / script).exists():
        raise LoadError(f"{directory / script} does not exist")
    module = importlib.import_module(Path(script).stem)
    apps = {id(value): value for value in vars(module).values() if isinstance(value, FunctionRegister)}
    if len(apps) != 1:
        raise LoadError(f"{script} defines {len(apps)} function apps; it has to define one")
    (app,) = apps.values()
    functions = tuple(_built_function(directory, built) for built in app.get_functions())
    return FunctionApp(directory, host, functions, displaced)


def unload_function_app(app: FunctionApp) -> None:
    """Forget the modules that were imported for an app, so that it can be loaded from scratch."""
    sys.path.remove(str(app.directory))
    _take_modules(app.directory)
    sys.modules.update(app.displaced)


def _take_modules(directory: Path) -> dict[str, types.ModuleType]:
    """Take what was imported from the app's folder out of `sys.modules`; returns it."""
    root, taken = str(directory) + os.sep, dict[str, types.ModuleType]()
    for name, module in sys.modules.copy().items():  # threads may import meanwhile
        origin = getattr(module, "__file__", None) or ""
        # This host and its caller may live in the same folder as the app.
        installed = any(f"{os.sep}{folder}{os.sep}" in origin for folder in _INSTALLED)
        inside = origin.startswith(root) and not installed
        if inside and name.partition(".")[0] not in ("local", "tests", "bench", "__main__"):
            taken[name] = sys.modules.pop(name)
    return taken


def _built_function(directory: Path, built: Any) -> Function:  # noqa: ANN401 - untyped
    bindings = [
        json.loads(json.dumps(binding.get_dict_repr(), default=lambda value: getattr(value, "value", str(value))))
        for binding in built.get_bindings()
    ]
    return _function(directory, built.get_function_name(), built.get_user_function(), bindings)


def _function(directory: Path, name: str, call: Callable[..., Any], bindings: list[dict[str, Any]]) -> Function:
    triggers = [binding for binding in bindings if binding["type"].lower().endswith("trigger")]
    if len(triggers) != 1 or triggers[0]["type"].lower() not in SERVED_TRIGGERS:
        raise LoadError(
            f"{name}: the triggers {[t['type'] for t in triggers]} are not served; one of {list(SERVED_TRIGGERS)} is"
        )
    others = [binding for binding in bindings if binding is not triggers[0]]
    unserved = [b for b in others if b["type"].lower() not in (*CLIENTS, "http")]
    if unserved:
        raise LoadError(f"{name}: the bindings {[b['type'] for b in unserved]} are not served by this host")
    outputs = tuple(b["name"] for b in others if b["type"].lower() not in CLIENTS and b["name"] != "$return")
    clients = tuple(b["name"] for b in others if b["type"].lower() in CLIENTS)
    wants_context = _check_parameters(name, call, {triggers[0]["name"], *clients, *outputs})
    kind = SERVED_TRIGGERS[triggers[0]["type"].lower()]
    return Function(name, call, kind, triggers[0], clients, outputs, wants_context, directory)


def _check_parameters(name: str, call: Callable[..., Any], bound: set[str]) -> bool:
    """Refuse what the worker refuses at indexing; returns whether the function wants its invocation context."""
    declared = set(inspect.signature(call).parameters)
    wants_context = "context" in declared and "context" not in bound
    given = declared - {"context"} if wants_context else declared
    if given - bound:
        raise LoadError(f"{name}: the parameters {sorted(given - bound)} have no binding")
    if bound - given:
        raise LoadError(f"{name}: the bindings {sorted(bound - given)} have no parameter")
    for parameter, hint in typing.get_type_hints(call).items():
        is_out = getattr(typing.get_origin(hint), "__name__", "") == "Out"
        if parameter in bound and not isinstance(hint, type) and not is_out:
            raise LoadError(f"{name}: binding {parameter} has the annotation {hint!r}, which is not a type")
    return wants_context
