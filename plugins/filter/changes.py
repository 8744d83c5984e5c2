"""Filters that tell what a deployment changes: as a plan beforehand, in the summary afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

ORDER = ("built", "created", "recreated", "updated", "reloaded", "removed")


def as_changes(
    names: Iterable[str], action: str, notices: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """Return a change for each name, with what users notice of it; those of containers say more."""
    return [{"name": name, "action": action, "notice": (notices or {}).get(name, "")} for name in names]


def first_changes(
    interruptions: Mapping[str, str], replicas: Mapping[str, list[str]], platform: str
) -> list[dict[str, str]]:
    """Return the changes of a first deployment: every container is created.

    `interruptions` has a key for each service, `replicas` the names of those that may have several.
    """
    return [
        {"name": name, "service": service, "action": "created"}
        for service in interruptions
        for name in replicas.get(service, [f"{platform}-{service}"])
    ]


def changes_table(changes: Iterable[Mapping[str, Any]], interruptions: Mapping[str, str]) -> list[str]:
    """Return a line for each change: what is done, to what, and what is noticed meanwhile."""
    rows = sorted(
        [(change["action"], change["name"], noticed(change, interruptions)) for change in changes],
        key=lambda row: ORDER.index(row[0]),
    )
    width = max((len(name) for _, name, _ in rows), default=0)
    return [f"  {action:<10} {name:<{width}}  {notice}".rstrip() for action, name, notice in rows]


def noticed(change: Mapping[str, Any], interruptions: Mapping[str, str]) -> str:
    """Return what users notice of a change; of containers, only what is recreated interrupts anybody."""
    if change["action"] == "recreated":
        return interruptions.get(change["service"], "")
    return change.get("notice", "")


def changes_done(changes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return one line for each kind of change, with the seconds that a container was away."""
    found: dict[str, list[str]] = {}
    for change in changes:
        away = f" (away {change['seconds']} s)" if change.get("seconds") else ""
        found.setdefault(change["action"], []).append(f"{change['name']}{away}")
    return [f"{action} {', '.join(found[action])}" for action in ORDER if action in found]


class FilterModule:
    """The filters, under the names that templates use."""

    def filters(self) -> dict[str, Any]:
        """Return this file's filters."""
        return {
            "as_changes": as_changes,
            "first_changes": first_changes,
            "changes_table": changes_table,
            "changes_done": changes_done,
        }
