"""`make bench`: measure everything and print it, each figure beside its limit; `make bench-all` more of it."""

import sys

from rich.console import Console
from rich.table import Table

from bench.article import article_seconds
from bench.genuine import operation_costs, sweep_of_a_thousand
from bench.genuine import starts_at_once as genuine_starts_at_once
from bench.imports import eager_imports, import_cost, memory_after_start, package_size
from bench.listing import FEW, MANY, ROWS_IN_A_PAGE, listing_cost
from bench.page import page_cost
from bench.runs import LATENCY, NEEDED, Throughput, run_cost, starts_at_once
from bench.sweep import EACH, READS_OF_A_VNET, SIZES, THOUSAND, Size, SweepCost, exponent, sweep_cost
from bench.throttled import throttled_starts
from bench.waits import WAITS, days_of_waits, wait_cost
from local.genuine import missing_parts
from tests.left_out import NEEDS

_MEGABYTE = 1e6
_MANY_STARTS = 1000


def main() -> None:
    """Measure and print."""
    console, table = Console(), Table("", "measured", "limit", title="aiven-azure-peering")
    everything = "--all" in sys.argv
    _add_cold_start(table)
    _add_waits(table, 1000 if everything else 20)
    _add_runs(table, everything)
    _add_genuine(table)
    _add_sweeps(table, SIZES if everything else SIZES[:2])
    _add_throttled(table, _MANY_STARTS if everything else 100)
    _add_lists(table)
    _add_page(table)
    console.print(table)


def _add_cold_start(table: Table) -> None:
    imports, package = import_cost(), package_size()
    detail = f"{imports['ratio']:.2f} ({imports['app_seconds']:.2f} s over {imports['durable_seconds']:.2f} s)"
    table.add_row("import of the app over Durable alone", detail, "<= 1.05")
    table.add_row("what only functions need, imported with it", ", ".join(eager_imports()) or "none", "none")
    memory = f"{_megabytes(imports['app_memory'])} ({_megabytes(imports['durable_memory'])} by Durable alone)"
    table.add_row("memory after the import", memory, "")
    table.add_row("memory after a start, with the local host's", _megabytes(memory_after_start()), "")
    table.add_row("the package", f"{package['files']} files, {_megabytes(package['bytes'])}", "")


def _add_waits(table: Table, count: int) -> None:
    for wait in map(wait_cost, WAITS):
        lag = f"{wait['looks']} looks, {wait['lag']:.1f} s late ({wait['lag'] / wait['wait']:.1%})"
        table.add_row(f"a wait of {wait['wait']:.0f} s", lag, "<= 10 % late, looks ~ log(wait)")
    first, second = days_of_waits(count)
    for name, day, limit in (("first", first, ""), ("second", second, "no more than on the first")):
        told = f"{day.cpu:.1f} s on a processor, {day.calls} remote calls, {day.memory:.0f} MB,"
        table.add_row(f"{count:,} waits for a day, the {name}", f"{told} task hub {day.task_hub:.0f} MB", limit)


def _add_runs(table: Table, everything: bool) -> None:
    run = run_cost()
    table.add_row("start to ACTIVE, no delays, a process's first", f"{run['first']:.2f} s", "")
    table.add_row("start to ACTIVE, no delays, later", f"{run['later']:.2f} s", "")
    if everything:
        by_hand = article_seconds()
        for what, seconds, limit in (
            ("a process's first", run["first"], ""),
            ("a later one", run["later"], ">= 30 times"),
        ):
            ratio = f"{by_hand / seconds:.0f} times ({by_hand:.1f} s)"
            table.add_row(f"the article by az and avn over {what}", ratio, limit)
    bound = f"{run['slow']:.2f} s over {NEEDED} calls of {LATENCY} s"
    table.add_row(
        "a process's second at 200 ms a remote call, over the calls needed", f"{run['ratio']:.2f} ({bound})", "<= 1.6"
    )
    table.add_row("its remote calls one after another", str(run["chain"]), "<= 12")
    table.add_row("those of its first, which makes what all share", str(run["first_chain"]), "")
    opened = f"{run['first_opens']} and {run['later_opens']}"
    table.add_row("connections that a process's first start and a later one open", opened, "<= 10 and 3")
    many = starts_at_once()
    table.add_row(f"{many['peerings']} peerings started at once", _pace(many), "")


def _add_genuine(table: Table) -> None:
    if missing := missing_parts():
        table.add_row("on the genuine engine", f"left out: {missing}", "")
        return
    for name, cost in operation_costs().items():
        told = f"{cost.seconds:.2f} s, {cost.calls} worker calls, {cost.events} events, {cost.bytes / 1000:.0f} KB"
        limit = "<= 38 calls, 60 events, 40 KB" if name == "start" else ""
        table.add_row(f"on the genuine engine: {name}", told, limit)
    many = genuine_starts_at_once()
    table.add_row(f"  {many['peerings']} starts at once", _pace(many), "")
    swept = sweep_of_a_thousand()
    table.add_row(f"  a check of {swept['peerings']:,} peerings", f"{swept['seconds']:.1f} s", "")


def _add_throttled(table: Table, count: int) -> None:
    for swept, beside in ((None, ""), (Size(count // EACH, EACH, 1), f", beside a check of {count:,}")):
        cost = throttled_starts(count, swept)
        told = f"{cost.ratio:.2f} ({cost.seconds:.0f} s over {cost.bound:.0f} s for {cost.bucket};"
        what = f"{count:,} starts at once under the throttles{beside}, over what these let through"
        # What a start takes alone counts for less, the more there are.
        table.add_row(what, f"{told} {cost.refused} refused)", "<= 1.3" if count >= _MANY_STARTS else "")


def _pace(many: Throughput) -> str:
    return f"{many['seconds']:.1f} s, {many['rate']:.1f} a second"


def _add_sweeps(table: Table, sizes: tuple[Size, ...]) -> None:
    costs: dict[Size, SweepCost] = {size: sweep_cost(size) for size in sizes}
    for size, cost in costs.items():
        what = f"a check of {size.peerings:,} peerings on {size.vnets:,} VNets"
        seconds = f"{cost['seconds']:.1f} s, {cost['cpu_seconds']:.1f} s of them the app's on a processor"
        table.add_row(what, seconds, "<= 60 s on two" if size == SIZES[-1] else "")
        table.add_row("  with news of all of them", f"{cost['news_seconds']:.1f} s", "")
        limit = f"<= 1 (of {size.reads:.0f}, {READS_OF_A_VNET} a VNet)"
        table.add_row("  reads over what they may be", f"{cost['reads']:.2f}", limit)
        requests = f"{cost['requests']}, with news of all {cost['news_requests']}"
        table.add_row("  requests to the registry", requests, "")
        table.add_row("  largest history", f"{cost['events']} events", "<= 200")
        table.add_row("  peak memory, with the local host's", _megabytes(cost["peak_memory"]), "")
    if SIZES[-1] in costs:
        grows = exponent(costs, THOUSAND, SIZES[-1])
        table.add_row("growth of a check from 1,000 peerings to 10,000", f"n^{grows:.2f}", "<= n^1.1")


def _add_lists(table: Table) -> None:
    cost = listing_cost()
    page = f"{cost['many'] / cost['few']:.2f} ({cost['many']:.3f} s over {cost['few']:.3f} s)"
    table.add_row(f"a page of the list with {MANY:,} peerings over one with {FEW}", page, "<= 1.2")
    limit = f"<= {-(-MANY // ROWS_IN_A_PAGE)}"
    table.add_row(f"pages of {ROWS_IN_A_PAGE:,} rows that a filtered list reads", str(cost["pages_read"]), limit)
    one = f"{cost['one_of_many'] / cost['one']:.2f} ({cost['one_of_many']:.3f} s over {cost['one']:.3f} s)"
    table.add_row(f"GET of one peering with {MANY:,} over one alone", one, "<= 1.1")


def _add_page(table: Table) -> None:
    if missing := NEEDS["chromium"]():
        table.add_row("the page", f"left out: {missing}", "")
        return
    cost = page_cost()
    name = f"the page's list of {MANY:,} peerings in Chromium"
    table.add_row(f"{name}: the first rows", f"{cost['first_rows']:.2f} s", "<= 1 s")
    table.add_row("  all of them", f"{cost['all_rows']:.1f} s", "")
    table.add_row("  a filter", f"{cost['filtering'] * 1000:.0f} ms", "<= 150 ms")


def _megabytes(count: int) -> str:
    return f"{count / _MEGABYTE:.0f} MB"


if __name__ == "__main__":
    main()
