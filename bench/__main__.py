"""`make bench`: measure everything and print it, each figure beside its goal."""

from rich.console import Console
from rich.table import Table

from bench.imports import eager_imports, import_ratio
from bench.listing import listing_cost
from bench.runs import LATENCY, run_cost, throughput
from bench.sweep import sweep_cost
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
    bound = f"{run['with_latency']:.2f} s over {run['chain']} calls of {LATENCY} s"
    table.add_row("the same at 200 ms a remote call, over the chain", f"{run['ratio']:.2f} ({bound})", "<= 1.25")
    table.add_row("history of a run", f"{run['events']} events, {run['bytes']} bytes", "")
    swept = sweep_cost()
    asked = f"{swept['aiven_reads']} Aiven reads, {swept['peering_lists']} lists of peerings"
    asked += f", {swept['beside_each_vnet']:.1f} calls beside for each VNet, {swept['seconds']:.1f} s"
    table.add_row(f"a check of {swept['peerings']} peerings, 20 project VPCs, 100 VNets", asked, "20, 100, <= 5")
    page = listing_cost()
    ratio = f"{page['many'] / page['few']:.2f} ({page['many']:.3f} s over {page['few']:.3f} s)"
    table.add_row("a page of the list with 10,000 peerings over one with 100", ratio, "<= 3")
    many = throughput()
    rate = f"{many['seconds']:.1f} s, {many['rate']:.1f} a second"
    table.add_row(f"{many['peerings']} peerings started at once", rate, "")
    console.print(table)


if __name__ == "__main__":
    main()
