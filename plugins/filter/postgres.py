"""Filters about the two places of PostgreSQL: who is what, and which of them is settled first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# What a place is, the likeliest primary first.
SAYS_SO = 0
HAS_ITS_DATA = 1
EMPTY = 2
STANDBY = 3
FENCED = 4


def postgres_primary(looked: Mapping[str, Any], places: Iterable[str]) -> str:
    """Return the place of the primary, by what postgres_look found; where none says so, who would be it."""
    return min(places, key=lambda place: likely(looked["states"].get(place), looked["volumes"].get(place)))


def likely(state: Mapping[str, Any] | None, volume: Mapping[str, Any] | None) -> int:
    """Return what a place is, by its answer or else by its volume."""
    if state:
        return STANDBY if state["standby"] else SAYS_SO
    if volume and volume["order"] == "fenced":
        return FENCED
    if not volume or not volume["data"]:
        return EMPTY
    return STANDBY if volume["signal"] else HAS_ITS_DATA


def postgres_trouble(looked: Mapping[str, Any], platform: str) -> str:
    """Return, in a sentence, why a deployment must not go on; nothing where it may."""
    states, volumes = looked["states"], looked["volumes"]
    if len(states) > 1 and not any(state["standby"] for state in states.values()):
        return (
            f"{' and '.join(states)} both say that they are primary, each with data of its own:"
            " choose whose data stay, and remove the container and the volume"
            f" ({platform}-PLACE-data) of the other."
        )
    kinds = {place: likely(states.get(place), volumes[place]) for place in volumes}
    standbys = [place for place, kind in kinds.items() if kind == STANDBY]
    others = [place for place, kind in kinds.items() if kind in (EMPTY, FENCED)]
    if standbys and others:
        state = "fenced" if kinds[others[0]] == FENCED else "empty"
        return (
            f"No place is primary: {standbys[0]} is a standby, and {others[0]} is {state}."
            f" playbooks/failover.yml makes {standbys[0]} the primary."
        )
    return ""


def postgres_unfinished(looked: Mapping[str, Any]) -> bool:
    """Return whether a switchover was broken off: two standbys, or a primary about to be one."""
    states, volumes = looked["states"], looked["volumes"]
    kinds = [likely(states.get(place), volumes[place]) for place in volumes]
    signed = [place for place, state in states.items() if not state["standby"] and volumes[place]["signal"]]
    return bool(signed) or (len(kinds) > 1 and set(kinds) == {STANDBY})


def settled_first(states: Mapping[str, Mapping[str, Any]], connections: int) -> str:
    """Return the place that is settled before the other; nothing where replication has no two ends yet.

    That is the standby, but for fewer connections: a standby does not start with fewer than its primary had.
    """
    roles = {state["standby"]: place for place, state in states.items()}
    if len(roles) < 2:
        return ""
    return roles[connections >= states[roles[False]]["connections"]]


class FilterModule:
    """The filters, under the names that templates use."""

    def filters(self) -> dict[str, Any]:
        """Return this file's filters."""
        return {
            "postgres_primary": postgres_primary,
            "postgres_trouble": postgres_trouble,
            "postgres_unfinished": postgres_unfinished,
            "settled_first": settled_first,
        }
