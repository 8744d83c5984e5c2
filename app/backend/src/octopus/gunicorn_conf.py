"""How gunicorn runs the API."""

from typing import Any

from prometheus_client import multiprocess

from octopus import gunicorn_errors
from octopus.settings import Settings

_settings = Settings()
bind = [f"0.0.0.0:{_settings.backend_port}"]
worker_class = "gthread"
workers = _settings.backend_workers
threads = _settings.backend_threads
# One import for all workers; connections are opened at first use, so after the fork.
preload_app = True
# Longer than the proxy keeps its idle connections, so that it never writes into one just closed.
keepalive = 75
timeout = 30
graceful_timeout = 20
worker_tmp_dir = "/tmp"  # noqa: S108 - the container's own tmpfs
control_socket_disable = True
# As much as the proxy passes on (lines of 8 KiB, 32 KiB in all), so that its limits are the ones that count.
limit_request_line = 8190
limit_request_fields = 1000
gunicorn_errors.install()
logger_class = "octopus.gunicorn_log.JsonLogger"
accesslog = "-"


def child_exit(_server: Any, worker: Any) -> None:
    """Remove a dead worker's live gauges; its counters stay, or the sums would jump back."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
