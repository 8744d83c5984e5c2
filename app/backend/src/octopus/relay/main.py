"""The relay's loop. No missing database or broker ends it; SIGTERM does, after its batch."""

import logging
import signal
import threading
from typing import Any

from prometheus_client import start_http_server

from octopus.broker import make_celery
from octopus.connections import connector
from octopus.database import Database, DatabaseUnavailable
from octopus.heartbeat import beat
from octopus.relay import numbers
from octopus.relay.backoff import Backoff
from octopus.relay.deadletters import DeadLetters
from octopus.relay.housekeeping import Housekeeping
from octopus.relay.listener import Listener
from octopus.relay.outbox import Outbox
from octopus.relay.publisher import BrokerUnavailable, Publisher
from octopus.relay.waits import Waits
from octopus.settings import Settings

POLL = 1.0  # seconds without a notification after which the outbox is looked at anyway

log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Relay until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    start_http_server(settings.metrics_port)
    celery = make_celery(settings.broker)
    database = Database(settings.database, pool_size=2)
    letters = DeadLetters(celery, database, stop)
    letters.start()
    Waits(Database(settings.database, pool_size=1), stop).start()
    listener = Listener(connector(settings.database), stop)
    publisher = Publisher(celery)
    outbox = Outbox(database, publisher, alive=lambda: beat(settings.heartbeat_file))
    log.info("the relay has started")
    _loop(stop, outbox, Housekeeping(database), listener, settings.heartbeat_file)
    listener.close()
    publisher.close()
    letters.join(timeout=5)
    log.info("the relay has stopped")


def _loop(stop: threading.Event, outbox: Outbox, house: Housekeeping, listener: Listener, file: str) -> None:
    backoff = Backoff(stop)
    while not stop.is_set():
        beat(file)
        try:
            house.run()
            more = outbox.empty()
        except (BrokerUnavailable, DatabaseUnavailable) as error:
            _pause(backoff, error)
            continue
        except Exception as error:
            log.exception("unexpected error")
            _pause(backoff, error)
            continue
        backoff.reset()
        if not more:
            listener.wait(POLL)


def _pause(backoff: Backoff, error: Any) -> None:
    numbers.ERRORS.inc()
    log.warning("the relay pauses", extra={"reason": str(error), "kind": type(error).__name__})
    backoff.pause()
