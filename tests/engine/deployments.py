"""Deployments on the genuine engine for programs and tests, and their customer's VNets."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from local.cloud import Scenario
from local.deployment import Deployment, deploy, deployed_on
from local.genuine import GenuinePlatform

#: What warns of what these programs do on purpose.
_SILENT: Final = ("aiven_azure_peering", "asyncio")


@contextmanager
def genuine_deployment(platform: GenuinePlatform, directory: Path, **knobs: object) -> Iterator[Deployment]:
    """The app on the genuine engine against a cloud with these knobs, after a first start and removal.

    The first use of a process imports much: an order may seem forgotten meanwhile.
    """
    with deployed_on(platform), deploy(directory, Scenario.model_validate(knobs)) as deployment:
        deployment.remove(deployment.settle()["id"])
        yield deployment


@contextmanager
def standalone(**knobs: object) -> Iterator[tuple[GenuinePlatform, Deployment]]:
    """The same for a program: with a platform of its own."""
    for name in _SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as directory:
        platform = GenuinePlatform(Path(directory))
        try:
            with genuine_deployment(platform, Path(directory) / "deployment", **knobs) as deployment:
                yield platform, deployment
        finally:
            platform.stop()
