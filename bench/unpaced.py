"""`python -m bench.unpaced`: the local host with an app that keeps no pace of its own, where no remote throttles."""

import sys
from importlib import import_module
from pathlib import Path

from local.host import __main__ as host
from local.host import worker
from local.host.function_app import FunctionApp, load_function_app

#: More than any check asks for.
_PLENTY = 1e9


def _loaded(directory: Path) -> FunctionApp:
    app = load_function_app(directory)
    budgets = import_module("clients.budgets")
    plenty = {kind: limit._replace(tokens=_PLENTY, per_second=_PLENTY) for kind, limit in budgets.LIMITS.items()}
    vars(budgets)["LIMITS"] = plenty
    return app


if __name__ == "__main__":
    vars(worker)["load_function_app"] = _loaded
    sys.exit(host.main())
