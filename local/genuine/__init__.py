"""The genuine Durable Task extension behind the local Functions host, in a process of its own, on Azurite."""

from local.genuine.engine import GenuineEngine
from local.genuine.engine_process import EngineProcess
from local.genuine.platform import AZURITE, GenuinePlatform, genuine_engine, missing_parts
from local.genuine.worker_calls import Interceptor, Verdict, WorkerCall

__all__ = [
    "AZURITE",
    "EngineProcess",
    "GenuineEngine",
    "GenuinePlatform",
    "Interceptor",
    "Verdict",
    "WorkerCall",
    "genuine_engine",
    "missing_parts",
]
