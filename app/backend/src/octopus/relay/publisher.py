"""Publishes tasks, each confirmed by the broker."""

from celery import Celery
from kombu import Connection, Producer

from octopus.broker import CONFIRM_LIMIT, TASK, declare

# Every answer is limited, not the confirmation alone: a paused broker may leave any of them out. And no
# heartbeats: nobody reads here between two messages, so the broker's would seem to be missing.
CONNECTION = {
    "heartbeat": 0,
    "transport_options": {
        "confirm_publish": True,
        "read_timeout": CONFIRM_LIMIT,
        "write_timeout": CONFIRM_LIMIT,
    },
}


class BrokerUnavailable(Exception):
    """The broker cannot be reached or does not confirm."""


class Publisher:
    """Holds the connection, and opens a new one after a failure."""

    def __init__(self, celery: Celery) -> None:
        self._celery = celery
        self._connection: Connection | None = None
        self._producer: Producer | None = None

    def connect(self) -> None:
        """Be connected. Raise BrokerUnavailable."""
        if self._producer is not None:
            return
        try:
            self._connection = self._celery.connection_for_write().clone(**CONNECTION)
            self._connection.connect()
            declare(self._connection)
            self._producer = self._celery.amqp.Producer(self._connection.channel())
        except Exception as error:
            self.close()
            raise BrokerUnavailable(str(error) or type(error).__name__) from error

    def publish(self, message_id: int) -> None:
        """Publish one task and wait for the broker's word. Raise BrokerUnavailable."""
        try:
            self._celery.send_task(
                TASK, (message_id,), producer=self._producer, retry=False, confirm_timeout=CONFIRM_LIMIT
            )
        except Exception as error:  # whatever it was, this connection is not to be trusted any more
            self.close()
            raise BrokerUnavailable(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Drop the connection without waiting for the broker."""
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            connection.collect(socket_timeout=1)
