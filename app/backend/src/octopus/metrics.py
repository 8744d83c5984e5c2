"""How the forked processes of a service share their numbers, and show them.

Importing this module decides where the numbers go: the commands set PROMETHEUS_MULTIPROC_DIR and empty
that directory before they start what imports it. The metrics themselves are made where they are counted
(`api.numbers`, `worker.numbers`, `relay.numbers`), so that no service shows another one's.
"""

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector


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
