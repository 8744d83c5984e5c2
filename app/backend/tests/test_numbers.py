"""Each process shows its own metrics, from the start, and nobody else's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from octopus import cache
from octopus.settings import ServerSettings

WORKER = (
    "from octopus.settings import Settings; from octopus.broker import TASK; import octopus.worker.tasks; "
    "from octopus import metrics; from octopus.worker import numbers; numbers.count_from_zero(TASK); "
    "print(metrics.exposition().decode())"
)
RELAY = (
    "import octopus.relay.main; from prometheus_client import generate_latest; "
    "print(generate_latest().decode())"
)


def _ours(code: str, folder: Path | None) -> set[str]:
    """Return the samples of ours that a fresh process shows after running the code, all of them 0."""
    environment = {key: value for key, value in os.environ.items() if key != "PROMETHEUS_MULTIPROC_DIR"}
    if folder is not None:
        environment["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    lines = [
        line for line in run.stdout.splitlines() if line.startswith("octopus_") and "_created" not in line
    ]
    assert {line.rsplit(" ", 1)[1] for line in lines} == {"0.0"}
    return {line.rsplit(" ", 1)[0] for line in lines}


def test_worker_shows_its_task_and_nothing_of_the_api(tmp_path: Path) -> None:
    samples = _ours(WORKER, tmp_path)
    assert 'octopus_worker_task_duration_seconds_count{task="octopus.log_message"}' in samples
    assert 'octopus_worker_tasks_total{state="rejected",task="octopus.log_message"}' in samples
    assert all(sample.startswith("octopus_worker_") for sample in samples)


def test_relay_shows_its_own_only() -> None:
    assert _ours(RELAY, None) == {
        "octopus_outbox_pending", "octopus_outbox_oldest_seconds",
        "octopus_relay_published_total", "octopus_relay_errors_total",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "result"), [(b'{"id": 1}', "hit"), (None, "miss"), (OSError, "error")], ids=str
)
def test_cache_tells_how_each_look_up_ended(
    monkeypatch: pytest.MonkeyPatch, answer: object, result: str
) -> None:
    results: list[str] = []
    copies = cache.Cache(ServerSettings("127.0.0.1", 1, "u", "p"), count=results.append)
    if answer is not OSError:  # else it is asked, and is not there
        monkeypatch.setattr(copies._redis, "get", lambda _key: answer)
    copies.get_message(1)
    assert results == [result]
