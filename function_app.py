"""The function app: one DFApp with the blueprints of every kind of function, nothing else."""

from typing import Final

from azure.durable_functions import DFApp

from activities.blueprint import blueprint as activities
from entities.blueprint import blueprint as entities
from orchestrators.blueprint import blueprint as orchestrators
from triggers.health import blueprint as health
from triggers.peering import blueprint as peering
from triggers.peerings import blueprint as peerings
from triggers.problems import blueprint as problems

app: Final = DFApp()
for _blueprint in (activities, entities, orchestrators, peerings, peering, health, problems):
    app.register_functions(_blueprint)
