"""The worker's task."""

import logging
from functools import cache
from typing import Any

from celery import Celery, Task
from celery.exceptions import Reject

from octopus import store
from octopus.broker import CONFIRM_LIMIT, TASK
from octopus.cache import Cache
from octopus.database import Database, DatabaseUnavailable
from octopus.deadline import deadline
from octopus.settings import Settings

LIMIT = 8.0  # seconds for one try
LONGEST_DELAY = 60  # seconds between two tries

log = logging.getLogger("octopus.worker")


def delay(retries: int) -> int:
    """Return after how many seconds to try again: 1, 2, 4, ... 60."""
    return min(1 << min(retries, 10), LONGEST_DELAY)


def log_once(database: Database, message_id: int) -> bool:
    """Log a message and note it in the same transaction; return False when there is nothing to do.

    The line comes before the commit: a crash in between logs the message twice, and never not at all.
    Raise DatabaseUnavailable.
    """
    with deadline(LIMIT), database.write() as connection:
        text = store.take_queued(connection, message_id)
        if text is None:
            return False
        log.info("Received message: %s", text, extra={"message_id": message_id})
        store.set_logged(connection, message_id)
    return True


def register(celery: Celery, settings: Settings) -> Task:
    """Add the task to an application and return it. Raise SettingError."""
    # Read now and not at the first task: a file that is gone by then would have its message given up.
    database_settings, cache_settings = settings.database, settings.cache

    # Opened at the first task, so after the fork, and once in each process.
    @cache
    def database() -> Database:
        return Database(database_settings, pool_size=1)

    @cache
    def copies() -> Cache:
        return Cache(cache_settings)

    @celery.task(name=TASK, bind=True, max_retries=None)
    def log_message(self: Any, message_id: int) -> None:
        try:
            changed = log_once(database(), message_id)
        except DatabaseUnavailable as error:
            _try_again(self, error, settings.worker_max_retries)
            return
        if changed:
            copies().changed(message_id)
        else:
            log.debug("nothing to do", extra={"message_id": message_id})

    return log_message


def _try_again(task: Any, error: Exception, most: int) -> None:
    retries = task.request.retries
    if retries >= most:
        raise Reject(str(error), requeue=False)
    log.warning("a task is tried again later", extra={"reason": str(error), "retries": retries})
    raise task.retry(exc=error, countdown=delay(retries), confirm_timeout=CONFIRM_LIMIT)
