"""Our own metrics, and how forked processes share them.

Importing this module decides where the numbers go: the commands set PROMETHEUS_MULTIPROC_DIR and empty
that directory before they start what imports it.
"""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

HTTP_REQUESTS = Counter("octopus_http_requests_total", "Requests answered.", ["method", "route", "status"])
HTTP_SECONDS = Histogram(
    "octopus_http_request_duration_seconds", "Time to answer a request.", ["method", "route"]
)
CACHE_REQUESTS = Counter("octopus_cache_requests_total", "Look-ups in the cache.", ["result"])
ACCEPTED = Counter("octopus_messages_accepted_total", "Messages stored.")
TASKS = Counter("octopus_worker_tasks_total", "Tasks run by the worker.", ["task", "state"])
TASK_SECONDS = Histogram("octopus_worker_task_duration_seconds", "Time to run a task.", ["task"])


def shared_registry() -> CollectorRegistry:
    """Return what all processes of this service have counted together."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def exposition() -> bytes:
    """Return the shared numbers in Prometheus' text format."""
    return generate_latest(shared_registry())


def serve(port: int) -> None:
    """Answer with the shared numbers on a port of their own, from a thread."""
    start_http_server(port, registry=shared_registry())


def count_cache_from_zero() -> None:
    """Show 0 before the first event: a rate over a number that has just appeared misses its beginning."""
    for result in ("hit", "miss", "error"):
        CACHE_REQUESTS.labels(result)


def count_tasks_from_zero(task: str) -> None:
    """Show 0 for the states of a task before its first run."""
    for state in ("success", "failure", "retry", "rejected"):
        TASKS.labels(task, state)
