"""What `celery --app octopus.worker.app worker` runs."""

from typing import Any

from celery.signals import setup_logging

from octopus import logs
from octopus.broker import make_celery
from octopus.settings import Settings
from octopus.worker import heartbeat, numbers, tasks

settings = Settings()


@setup_logging.connect(weak=False)
def _configure_logging(**_more: Any) -> None:
    """Stand in for Celery's own logging, which is no JSON."""
    logs.configure(settings.log_level)


celery = make_celery(settings.broker)
tasks.register(celery, settings)
heartbeat.install(celery, settings.heartbeat_file)
numbers.install(settings.metrics_port)
app = celery
