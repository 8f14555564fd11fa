"""The report for a network team: the peered networks, the rights and their purpose, their dates, and the price."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from typing_extensions import TypedDict

from peering.addresses import ranges
from peering.aiven_vpc import AivenVpc, VpcNames
from peering.drift import connection_of, renewal_window
from peering.facts import VNetPeering, named
from peering.held_rights import Right, held_rights
from peering.look import Look, if_seen, unseen_of
from peering.record import Record
from peering.sides import side_of
from peering.steps import OBJECTS
from peering.unfit import connection_exists

_HOURS_A_MONTH: Final = 730
_MARKDOWN: Final = re.compile(r"([\\`*\[\]<>|&#!])")
_PRICE: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?", re.ASCII)


class MadeObject(TypedDict):
    """One object that the peering consists of, where it came from and when."""

    object: str
    id: str
    origin: str
    at: str
    app_version: str


class Network(TypedDict):
    """One side of the peering."""

    side: str
    id: str
    tenant_id: str
    address_prefixes: list[str]


class Report(VpcNames):
    """The report as data. Times are ISO 8601, prices US dollars."""

    id: str
    state: str
    connection: str | None
    requested_by: str
    requested: str
    connected: str | None
    networks: list[Network]
    options: dict[str, bool]
    rights: list[Right]
    credential: dict[str, str | None]
    objects: list[MadeObject]
    hourly_price_usd: str | None
    monthly_price_usd: str | None
    verdict: str | None
    checked: str | None
    problems: list[str]
    unseen: list[str]


def report(record: Record, look: Look) -> Report:
    """The report on one peering: rights, options, addresses and the connection are those that the clouds show now.

    Args:
        record: the peering's record.
        look: what both clouds show of it; unreadable parts are listed.
    """
    peering, facts, health = record["peering"], record["facts"], record.get("health")
    price = facts.get("hourly_price_usd")
    side = _side(record, look)
    return Report(
        id=peering["id"],
        state=record.get("state", "running"),
        **AivenVpc.of(peering).names,
        connection=_connection(record, look),
        requested_by=record["requested_by"]["name"],
        requested=record["requested"],
        connected=record.get("connected"),
        networks=_networks(record, look),
        options=dict(side["options"]) if side else {},
        rights=list(held_rights(record, look)),
        credential={
            "kind": facts.get("credential"),
            "secret": facts.get("secret_name"),
            "expires": facts.get("secret_expires"),
            "renewed": f"{renewal_window(peering['secret_lifetime_days']).days} days before it expires"
            if facts.get("credential") == "secret"
            else None,
        },
        objects=_objects(record),
        hourly_price_usd=price,
        monthly_price_usd=f"{float(price) * _HOURS_A_MONTH:.2f}" if price and _PRICE.fullmatch(price) else None,
        verdict=health["verdict"] if health else None,
        checked=health["checked"] if health else None,
        problems=_problems(record),
        unseen=[f"{name.replace('_', ' ')}: {problem['detail']}" for name, problem in unseen_of(look).items()],
    )


def _connection(record: Record, look: Look) -> str | None:
    vpc = if_seen(look["project_vpc"])
    found = connection_of(record["peering"]["vnet_id"], vpc, record["facts"]) if vpc else None
    return found["state"] if found else None


def _side(record: Record, look: Look) -> VNetPeering | None:
    vnet, vpc = if_seen(look["vnet"]), if_seen(look["project_vpc"])
    return side_of(record["facts"], vnet["peered_networks"], vpc["network_cidr"] if vpc else None) if vnet else None


def _networks(record: Record, look: Look) -> list[Network]:
    facts, vnet, vpc = record["facts"], if_seen(look["vnet"]), if_seen(look["project_vpc"])
    return [
        Network(
            side="customer",
            id=facts.get("vnet_id") or record["peering"]["vnet_id"],
            tenant_id=facts.get("tenant_id") or "",
            address_prefixes=vnet["address_prefixes"] if vnet else [],
        ),
        Network(
            side="Aiven",
            id=facts.get("to_network_id") or "",
            tenant_id=facts.get("to_tenant_id") or "",
            address_prefixes=ranges(vpc["network_cidr"]) if vpc else [],
        ),
    ]


def _objects(record: Record) -> list[MadeObject]:
    return [
        MadeObject(
            object=step.replace("_", " "),
            id=named(record["facts"], OBJECTS[step]) or "",
            origin=origin["origin"],
            at=origin["at"],
            app_version=origin["app_version"],
        )
        for step, origin in record["objects"].items()
    ]


def _problems(record: Record) -> list[str]:
    """What the last check found, and what the last run ended with, each in full."""
    health, last = record.get("health"), record["runs"][-1:]
    found = [finding["problem"] for finding in (health["problems"] if health else [])]
    found += [run["problem"] for run in last if "problem" in run]
    found += [connection_exists(record["facts"])] if record.get("state") == "existing" else []
    return list(dict.fromkeys(f"{problem['code']}: {problem['detail']}" for problem in found))


def markdown(document: Report) -> str:
    """The report as Markdown."""
    price, vpc = document["hourly_price_usd"], AivenVpc.of(document)
    monthly = f", about {document['monthly_price_usd']} USD a month" if document["monthly_price_usd"] else ""
    cost = f"{price} USD an hour{monthly}" if price else "not listed by Aiven"
    facts = [
        ("State", document["state"]),
        (f"Aiven {vpc.kind}", f"{vpc.owner}, {vpc} {vpc.id}"),
        ("Aiven's connection", document["connection"] or "none seen"),
        ("Verdict", f"{document['verdict'] or 'not checked yet'} ({document['checked'] or 'never'})"),
        ("Requested", f"{document['requested']} by {document['requested_by']}"),
        ("Connected", document["connected"] or "never"),
        ("Credential", ", ".join(f"{k} {v}" for k, v in document["credential"].items() if v) or "none"),
        ("Options", ", ".join(name for name, on in document["options"].items() if on) or "none seen"),
        ("Price", cost),
    ]
    parts = [
        f"# Peering {document['id']}",
        _table(("", ""), facts),
        "## Networks",
        _table(
            ("Side", "Network", "Tenant", "Addresses"),
            [(n["side"], n["id"], n["tenant_id"], ", ".join(n["address_prefixes"])) for n in document["networks"]],
        ),
        "## Rights",
        _table(
            ("Who", "Principal", "Role", "Actions", "Scope", "Why", "Held"),
            [
                (
                    *(r["holder"], r["principal_id"], r["role"], ", ".join(r["actions"]), r["scope"], r["why"]),
                    "always" if r["standing"] else "only during setup and repair",
                )
                for r in document["rights"]
            ],
        ),
        "## Objects",
        _table(
            ("Object", "Id", "Origin", "Since", "App version"),
            [(o["object"], o["id"], o["origin"], o["at"], o["app_version"]) for o in document["objects"]],
        ),
    ]
    if document["unseen"]:
        parts += ["## Not read", "\n".join(f"- {_escaped(one)}" for one in document["unseen"])]
    if document["problems"]:
        parts += ["## Problems", "\n".join(f"- {_escaped(problem)}" for problem in document["problems"])]
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_escaped(str(cell)) for cell in line) + " |" for line in lines)


def _escaped(text: str) -> str:
    """A text escaped for Markdown: no link, no HTML, no line break."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
