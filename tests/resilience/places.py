"""PostgreSQL's two places: who is primary is asked of the servers."""

from __future__ import annotations

import contextlib

from tests.infra.target import PSQL, wait_for
from tests.reconfigure.platform import Platform

PLACES = ("pg-primary", "pg-replica")
FOLLOWERS = "select count(*) from pg_stat_replication where state = 'streaming'"


def psql(platform: Platform, place: str, query: str, database: str = "postgres") -> str:
    """Return what a query prints in a place; fail where it does not answer."""
    call = f"timeout 10 docker exec %s {PSQL} --dbname=%s --command=%s"
    return platform.target.run(call, f"{platform.settings.name}-{place}", database, query).strip()


def standings(platform: Platform) -> dict[str, bool | None]:
    """Place -> whether it is a standby; None where it does not answer."""
    said: dict[str, bool | None] = {}
    for place in PLACES:
        try:
            said[place] = psql(platform, place, "select pg_is_in_recovery()") == "t"
        except AssertionError:
            said[place] = None
    return said


def primary(platform: Platform) -> str:
    """Return the one place that says it is primary."""
    found = [place for place, is_standby in standings(platform).items() if is_standby is False]
    assert len(found) == 1, f"primaries: {found}"
    return found[0]


def standby(platform: Platform) -> str:
    """Return the place that is not the primary."""
    return next(place for place in PLACES if place != primary(platform))


def follows(platform: Platform) -> bool:
    """Return whether there is a primary, and a standby streams from it."""
    with contextlib.suppress(AssertionError):
        return psql(platform, primary(platform), FOLLOWERS) == "1"
    return False


def wait_until_it_follows(platform: Platform, seconds: float = 60) -> None:
    wait_for("a standby follows the primary", lambda: follows(platform), seconds)
