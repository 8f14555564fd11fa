"""An embedded Functions host for Durable Functions apps of the Python v2 model, on one machine."""

from local.host.function_app import LoadError
from local.host.functions_host import FunctionsHost, StateDirectoryInUseError
from local.host.hostility import Hostility, Kind
from local.host.keys import Keys

__all__ = ["FunctionsHost", "Hostility", "Keys", "Kind", "LoadError", "StateDirectoryInUseError"]
