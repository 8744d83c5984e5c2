"""How long a deployment takes that has nothing to do: it is run often only when it costs little."""

from __future__ import annotations

from statistics import median

from tests.reconfigure.platform import Platform
from tests.reconfigure.results import Results

# Seconds, on two cores
LIMITS = {"local": 20, "ssh": 40}


def test_a_rerun_that_changes_nothing_is_quick(platform: Platform, results: Results) -> None:
    platform.deploy()
    runs = [platform.play() for _ in range(3)]
    assert [run.changed for run in runs if run.failed or run.changed_count] == []
    seconds = [run.seconds for run in runs]
    limit = LIMITS[platform.connection]
    results.add(
        f"A rerun that changes nothing ({platform.connection}; median of three, limit {limit} s)",
        f"{median(seconds):.1f} s",
    )
    assert median(seconds) <= limit, seconds
