"""`make bench`: measure everything and print it, each figure beside its goal; `make bench-all` more of it."""

import sys

from rich.console import Console
from rich.table import Table

from bench.imports import eager_imports, import_ratio
from bench.listing import listing_cost
from bench.runs import LATENCY, NEEDED, run_cost, throughput
from bench.sweep import SIZES, THOUSAND, exponent, sweep_cost
from bench.waits import WAITS, wait_cost


def main() -> None:
    """Measure and print."""
    console, table = Console(), Table("", "measured", "goal", title="aiven-azure-peering")
    imports = import_ratio()
    detail = f"{imports['ratio']:.2f} ({imports['app seconds']:.2f} s over {imports['durable seconds']:.2f} s)"
    table.add_row("import of the app over Durable alone", detail, "<= 1.5")
    table.add_row("Azure and Graph packages imported with it", ", ".join(eager_imports()) or "none", "none")
    for wait in map(wait_cost, WAITS):
        lag = f"{wait['looks']} looks, {wait['lag']:.1f} s late ({wait['lag'] / wait['wait']:.1%})"
        table.add_row(f"a wait of {wait['wait']:.0f} s", lag, "<= 10 % late, looks ~ log(wait)")
    run = run_cost()
    table.add_row("start to ACTIVE, no delays, a process's first", f"{run['first']:.2f} s", "")
    table.add_row("start to ACTIVE, no delays, later", f"{run['later']:.2f} s", "")
    bound = f"{run['slow']:.2f} s over {NEEDED} calls of {LATENCY} s"
    table.add_row(
        "a later one at 200 ms a remote call, over the calls needed", f"{run['ratio']:.2f} ({bound})", "<= 1.6"
    )
    table.add_row("its remote calls one after another", str(run["chain"]), "<= 12")
    opened = f"{run['first_opens']} and {run['later_opens']}"
    table.add_row("connections that a process's first start and a later one open", opened, "<= 10 and 3")
    table.add_row("history of a run", f"{run['events']} events, {run['bytes']} bytes", "")
    costs = {size: sweep_cost(size) for size in (SIZES if "--all" in sys.argv else SIZES[:2])}
    for size, swept in costs.items():
        asked = f"{swept['seconds']:.1f} s, {swept['reads'] / size.reads:.2f} of the reads, "
        asked += f"{swept['registry_requests']} requests to the registry"
        goal = f"{size.reads:.0f} reads"
        table.add_row(f"a check of {swept['peerings']} healthy peerings in {size.vnets} VNets", asked, goal)
    if SIZES[-1] in costs:
        grows = exponent(costs[THOUSAND], costs[SIZES[-1]])
        table.add_row("growth of a check from 1,000 peerings to 10,000", f"n^{grows:.2f}", "<= n^1.1")
    page = listing_cost()
    ratio = f"{page['many'] / page['few']:.2f} ({page['many']:.3f} s over {page['few']:.3f} s)"
    table.add_row("a page of the list with 10,000 peerings over one with 100", ratio, "<= 3")
    many = throughput()
    rate = f"{many['seconds']:.1f} s, {many['rate']:.1f} a second"
    table.add_row(f"{many['peerings']} peerings started at once", rate, "")
    console.print(table)


if __name__ == "__main__":
    main()
