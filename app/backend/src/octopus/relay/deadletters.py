"""Marks as dead what the worker or the broker gave up."""

import logging
import threading
from typing import Any

from celery import Celery
from kombu import Connection, Consumer, Message

from octopus import store
from octopus.broker import DEAD_QUEUE, MESSAGES, declare
from octopus.database import Database, DatabaseUnavailable
from octopus.relay import numbers
from octopus.relay.backoff import Backoff

REASONS = {
    "rejected": "the worker gave up",
    "delivery_limit": "the worker died with it too often",
    "expired": "it waited too long",
    "maxlen": "the queue was full",
}
log = logging.getLogger(__name__)


def reason(headers: dict[str, Any]) -> str:
    """Return in words why a message was dead-lettered."""
    deaths = headers.get("x-death") or []
    found = next((death.get("reason") for death in deaths if death.get("queue") == MESSAGES), None)
    retries = headers.get("retries") or 0
    words = REASONS.get(str(found), str(found or "unknown"))
    return f"{words} after {retries} retries" if retries else words


class DeadLetters(threading.Thread):
    """Consumes the queue of dead letters; an entry is acknowledged after its row is committed."""

    def __init__(self, celery: Celery, database: Database, stop: threading.Event) -> None:
        super().__init__(name="dead-letters", daemon=True)
        self._celery, self._database, self._stop_event = celery, database, stop
        self._backoff = Backoff(stop)

    def run(self) -> None:
        """Consume until the process is to stop, whatever happens to the broker."""
        while not self._stop_event.is_set():
            try:
                with self._celery.connection_for_read() as connection:
                    connection.connect()
                    declare(connection)
                    self._consume(connection)
            except Exception as error:  # the thread has to outlive everything
                numbers.ERRORS.inc()
                log.warning(
                    "dead letters cannot be read", extra={"reason": str(error) or type(error).__name__}
                )
                self._backoff.pause()

    def _consume(self, connection: Connection) -> None:
        with connection.channel() as channel:
            consumer = Consumer(
                channel, [DEAD_QUEUE], on_message=self._mark, prefetch_count=10, auto_declare=False
            )
            with consumer:
                while not self._stop_event.is_set():
                    self._backoff.reset()
                    try:
                        connection.drain_events(timeout=1)
                    except TimeoutError:
                        connection.heartbeat_check()

    def _mark(self, message: Message) -> None:
        try:
            message_id = int(message.payload[0][0])
        except (ValueError, TypeError, LookupError):
            log.error("a dead letter is not one of ours", extra={"body": repr(message.body)[:500]})
            message.ack()
            return
        if self._set_dead(message_id, reason(message.headers)):
            message.ack()

    def _set_dead(self, message_id: int, why: str) -> bool:
        """Hold on to the letter until the database takes it: giving it back would count as a delivery."""
        backoff = Backoff(self._stop_event)
        while not self._stop_event.is_set():
            try:
                with self._database.write() as connection:
                    changed = store.set_dead(connection, message_id, why)
            except DatabaseUnavailable:
                backoff.pause()
                continue
            if changed:
                log.error("message %s is dead: %s", message_id, why, extra={"message_id": message_id})
            return True
        return False
