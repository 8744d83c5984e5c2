"""Write who reaches whom into docs/security.md, from networks.yml and the ports that the tests try."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.infra.services import ONLY_IN, PORTS

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/security.md"
BEGIN, END = "<!-- written by `make docs` -->\n", "<!-- until here -->"


def networks() -> dict[str, dict[str, Any]]:
    """Return the platform's networks by name."""
    content = yaml.safe_load((ROOT / "group_vars/all/networks.yml").read_text(encoding="utf-8"))
    return dict(content["platform_networks"])


def services() -> list[str]:
    """Return every service, in the order of the file."""
    return list(dict.fromkeys(name for network in networks().values() for name in network["members"]))


def open_ports(source: str, other: str) -> dict[int, list[str]]:
    """Return the ports of another service that one reaches, each with the networks in which it does."""
    shared = [name for name, network in networks().items() if {source, other} <= set(network["members"])]
    ports = {
        port: [name for name in shared if ONLY_IN.get((other, port), name) == name]
        for port in PORTS.get(other, ())
    }
    return {port: names for port, names in ports.items() if names}


def row(source: str) -> str:
    """Return a service's line."""
    reached = []
    for other in services():
        ports = open_ports(source, other) if other != source else {}
        if ports:
            reached.append(f"{other} {', '.join(map(str, ports))}")
    member = [name for name, network in networks().items() if source in network["members"]]
    return f"| {source} | {', '.join(member)} | {'; '.join(reached) or 'nobody'} |"


def table() -> str:
    """Return the whole table, and how much of what there is it opens."""
    pairs = [(source, other) for source in services() for other in services() if source != other]
    every = sum(len(PORTS.get(other, ())) for _, other in pairs)
    opened = sum(len(open_ports(source, other)) for source, other in pairs)
    head = "| from | sits in | reaches |\n|---|---|---|\n"
    lines = "\n".join(row(source) for source in services())
    return f"{head}{lines}\n\nThat is {opened} of {every} pairs of a service and another's port.\n"


def page(text: str) -> str:
    """Return a page with today's table between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
