"""Counts tasks through Celery's signals; the parent process serves what its children counted."""

import time
from typing import Any

from celery.signals import task_postrun, task_prerun, worker_init
from prometheus_client import Counter, Histogram

from octopus import metrics
from octopus.broker import TASK

TASKS = Counter("octopus_worker_tasks_total", "Tasks run by the worker.", ["task", "state"])
TASK_SECONDS = Histogram("octopus_worker_task_duration_seconds", "Time to run a task.", ["task"])
STATES = {"SUCCESS": "success", "FAILURE": "failure", "RETRY": "retry", "REJECTED": "rejected"}
_started: dict[str, float] = {}


def _begin(task_id: str, **_more: Any) -> None:
    _started[task_id] = time.monotonic()


def _end(task_id: str, task: Any, state: str | None, **_more: Any) -> None:
    began = _started.pop(task_id, None)
    TASKS.labels(task.name, STATES.get(state or "", "failure")).inc()
    if began is not None:
        TASK_SECONDS.labels(task.name).observe(time.monotonic() - began)


def count_from_zero(task: str) -> None:
    """Show 0 before a task's first run: a rate over a number that has just appeared misses its beginning."""
    TASK_SECONDS.labels(task)
    for state in STATES.values():
        TASKS.labels(task, state)


def install(port: int) -> None:
    """Have the tasks counted and the numbers served on a port."""
    count_from_zero(TASK)
    task_prerun.connect(_begin, weak=False)
    task_postrun.connect(_end, weak=False)
    worker_init.connect(lambda **_more: metrics.serve(port), weak=False)
