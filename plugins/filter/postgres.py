"""Filters about the two places of PostgreSQL: who is what, and which of them is settled first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


def postgres_states(results: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what each place has answered, from the results of a loop over them; who did not is missing."""
    return {result["item"]: json.loads(result["stdout"]) for result in results if result.get("rc") == 0}


def postgres_primary(states: Mapping[str, Mapping[str, Any]], places: Iterable[str]) -> str:
    """Return the place of the primary; where none says that it is, the first that may have been."""
    return sorted(places, key=lambda place: states.get(place, {}).get("standby", 0.5))[0]


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
            "postgres_states": postgres_states,
            "postgres_primary": postgres_primary,
            "settled_first": settled_first,
        }
