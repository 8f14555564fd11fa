"""The function app: one DFApp with the blueprints of every kind of function, and quiet SDKs; nothing else."""

from typing import Final

from azure.durable_functions import DFApp

from activities.blueprint import blueprint as activities
from clients.loggers import quieten
from orchestrators.blueprint import blueprint as orchestrators
from triggers.blueprint import blueprint as triggers

quieten()
app: Final = DFApp()
for _blueprint in (activities, orchestrators, triggers):
    app.register_functions(_blueprint)
