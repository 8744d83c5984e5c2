"""Ends commits that wait for a standby that is away, once nobody waits for them any more."""

import logging
import threading
from datetime import timedelta

from octopus import store
from octopus.database import Database, DatabaseUnavailable

EVERY = 2.0  # seconds
# Longer than any client of ours waits: one that still did would take this end for the standby's word.
LONGEST = timedelta(seconds=12)

log = logging.getLogger(__name__)


class Waits(threading.Thread):
    """Looks every other second, with a connection of its own: the relay's may wait itself."""

    def __init__(self, database: Database, stop: threading.Event) -> None:
        super().__init__(name="waits", daemon=True)
        self._database, self._stop_event = database, stop

    def run(self) -> None:
        """Look until the process is to stop."""
        while not self._stop_event.wait(EVERY):
            self.look()

    def look(self) -> None:
        """End what has waited too long."""
        try:
            with self._database.write() as connection:
                ended = store.end_waits(connection, LONGEST)
        except DatabaseUnavailable:
            return  # the loop tells
        except Exception:  # the thread has to outlive everything
            log.exception("unexpected error")
            return
        if ended:
            log.warning("%s commits waited in vain for the standby: their clients were told 503", ended)
