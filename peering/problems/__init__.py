"""The catalogue of everything that can block a peering: what it means, who can fix it, and how.

A problem with a `deadline` is transient: the step polls until then, and only afterwards does the problem count.
"""

from typing import Final

from peering.problems.access import ACCESS
from peering.problems.aiven import AIVEN
from peering.problems.configuration import CONFIGURATION
from peering.problems.directory import DIRECTORY
from peering.problems.network import NETWORK
from peering.problems.problem import Deadline, Fixer, Problem
from peering.problems.registry import REGISTRY
from peering.problems.remotes import REMOTES
from peering.problems.requests import REQUESTS
from peering.problems.runs import RUNS
from peering.problems.vault import VAULT

__all__ = ["PROBLEMS", "Deadline", "Fixer", "Problem"]

PROBLEMS: Final[dict[str, Problem]] = {
    problem.code: problem
    for group in (REQUESTS, RUNS, CONFIGURATION, AIVEN, NETWORK, ACCESS, DIRECTORY, VAULT, REGISTRY, REMOTES)
    for problem in group
}
