"""A strict local cloud: Entra ID, Graph, Azure Resource Manager, Key Vault and Aiven, on their real host names."""

from local.cloud.local_cloud import LocalCloud
from local.cloud.scenario import Fault, Scenario, ScenarioError, load_scenario
from local.cloud.server.request_log import LoggedRequest
from local.cloud.world.world import World

__all__ = ["Fault", "LocalCloud", "LoggedRequest", "Scenario", "ScenarioError", "World", "load_scenario"]
