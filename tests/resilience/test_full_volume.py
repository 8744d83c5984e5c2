"""The primary's volume is full: writing is refused, reading goes on, and space is all that it needs."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.infra.target import wait_for
from tests.reconfigure.platform import Platform
from tests.reconfigure.results import Results
from tests.resilience.ledger import Ledger
from tests.resilience.places import primary, wait_until_it_follows
from tests.resilience.recovery import recovered
from tests.resilience.trial import Trial

FREE = 96  # MiB beside what the volume holds
REFUSES_WITHIN, BACK = 60, 60  # seconds
# A file system of its own, which ends there; in memory, because a test host may have no other device.
BOUND = """
set -e
docker stop {container}
cp -a {volume} {volume}.kept
size=$(( $(du -sm {volume} | cut -f 1) + {free} ))
owner=$(stat -c uid=%u,gid=%g {volume})
mount -t tmpfs -o size=${{size}}m,mode=0700,$owner octopus-bound {volume}
cp -a {volume}.kept/. {volume}/
docker start {container}
"""
UNBOUND = """
set -e
docker stop {container}
rm -rf {volume}.kept && cp -a {volume} {volume}.kept
umount {volume}
rm -rf {volume} && mv {volume}.kept {volume}
docker start {container}
"""


@pytest.fixture
def volume(platform: Platform) -> Iterator[str]:
    """The primary's volume, with an end, as a directory of the host."""
    container = f"{platform.settings.name}-{primary(platform)}"
    volume = platform.target.run(
        "docker volume inspect --format '{{.Mountpoint}}' %s", f"{container}-data"
    ).strip()
    names = {"container": container, "volume": volume, "free": FREE}
    platform.target.run(BOUND.format(**names))
    wait_until_it_follows(platform)
    yield volume
    platform.target.run(UNBOUND.format(**names))
    wait_until_it_follows(platform)


def test_full_volume(platform: Platform, volume: str, ledger: Ledger, results: Results) -> None:
    place = primary(platform)
    # Whatever fits: fallocate alone would take nothing where it cannot have all.
    fill = f"dd if=/dev/zero of={volume}/filler bs=64K 2>/dev/null; test -s {volume}/filler"

    def fault() -> float:
        refused = ledger.writes.failures
        platform.target.run(fill)

        def is_refused() -> bool:
            # What PostgreSQL gives back is taken, too.
            platform.target.run(f"dd if=/dev/zero bs=64K >>{volume}/filler 2>/dev/null || true")
            return ledger.writes.failures > refused + 10

        wait_for("writing is refused", is_refused, REFUSES_WITHIN)
        time.sleep(5)
        began = time.monotonic()
        platform.target.run(f"rm {volume}/filler")
        return recovered(platform, [place], began, BACK)

    Trial(ledger, results, "full volume: primary").run(fault)
    assert set(ledger.writes.failed) <= {"503"}, ledger.writes.failed
    assert not ledger.reads.failures, ledger.reads.failed
