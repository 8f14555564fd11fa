"""The function app: one DFApp with the blueprints of every kind of function, and quiet SDKs; nothing else."""

from typing import Final

from azure.durable_functions import DFApp

from activities.blueprint import blueprint as activities
from clients.loggers import quieten
from orchestrators.blueprint import blueprint as orchestrators
from triggers.health import blueprint as health
from triggers.peering import blueprint as peering
from triggers.peerings import blueprint as peerings
from triggers.problems import blueprint as problems
from triggers.resume import blueprint as resume

quieten()
app: Final = DFApp()
for _blueprint in (activities, orchestrators, peerings, peering, health, problems, resume):
    app.register_functions(_blueprint)
