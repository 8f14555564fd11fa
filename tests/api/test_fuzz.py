"""A short run of what `make fuzz-api` does at length."""

import pytest

from local.deployment import Deployment
from tests.api.fuzz import fuzz
from triggers.route_table import ROUTES

CASES = 6


@pytest.mark.slow
def test_every_answer_is_as_the_document_says(deployment: Deployment) -> None:
    sent = fuzz(deployment, CASES, seed=7)
    assert len(sent) == len(ROUTES)
