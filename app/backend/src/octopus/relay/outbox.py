"""Takes the outbox's entries in order and has them published."""

from collections.abc import Callable

from octopus import store
from octopus.database import Database
from octopus.relay import numbers
from octopus.relay.publisher import BrokerUnavailable, Publisher

BATCH = 100


class Outbox:
    """The outbox, as far as the relay works on it."""

    def __init__(self, database: Database, publisher: Publisher, alive: Callable[[], None]) -> None:
        """`alive` is called after each published message."""
        self._database, self._publisher, self._alive = database, publisher, alive

    def empty(self) -> bool:
        """Publish the next entries and remove them; return whether there may be more.

        An entry is removed only after its confirmation, so a crash in between publishes it twice and never
        not at all; the worker skips what is logged already. Raise DatabaseUnavailable or BrokerUnavailable.
        """
        self._publisher.connect()  # before the transaction: it must not wait for a connection
        failure: BrokerUnavailable | None = None
        with self._database.write() as connection:
            entries = store.take_outbox(connection, BATCH)
            confirmed: list[int] = []
            for entry in entries:
                try:
                    self._publisher.publish(entry.message_id)
                except BrokerUnavailable as error:
                    failure = error
                    break
                confirmed.append(entry.id)
                numbers.PUBLISHED.inc()
                self._alive()
            store.delete_outbox(connection, confirmed)
        if failure is not None:
            raise failure
        return len(entries) == BATCH
