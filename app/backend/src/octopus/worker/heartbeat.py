"""Touches the heartbeat file from within the running consumer, so that it also tells that it consumes."""

from typing import Any

from celery import Celery, bootsteps

from octopus.broker import declare
from octopus.heartbeat import beat

EVERY = 2.0  # seconds


def install(celery: Celery, file: str) -> None:
    """Add the steps to an application's worker."""

    class Topology(bootsteps.StartStopStep):
        """Declares the queue of dead letters before the first task can fail."""

        requires = ("celery.worker.consumer.connection:Connection",)

        def start(self, consumer: Any) -> None:
            declare(consumer.connection)

    class Heartbeat(bootsteps.StartStopStep):
        """Beats while the consumer runs; a lost connection stops it until there is a new one."""

        requires = ("celery.worker.consumer.tasks:Tasks",)

        def __init__(self, consumer: Any, **options: Any) -> None:
            super().__init__(consumer, **options)
            self.timer: Any = None

        def start(self, consumer: Any) -> None:
            beat(file)
            self.timer = consumer.timer.call_repeatedly(EVERY, beat, (file,))

        def stop(self, _consumer: Any) -> None:
            if self.timer is not None:
                self.timer.cancel()
                self.timer = None

    celery.steps["consumer"].add(Topology)
    celery.steps["consumer"].add(Heartbeat)
