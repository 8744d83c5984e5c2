"""Copies of answers in Redis. Without Redis everything works, only slower.

- One message: kept 60 s once its status is final; while queued only 1 s, because a reader may store a
  copy just after the worker dropped it, and the relay, which marks dead messages, has no way to Redis.
- Lists: their keys hold a version that every accepted and every logged message raises, so a list stored
  late is never read; 2 s at most for what changes without us.
"""

import json
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import redis

from octopus.breaker import Breaker
from octopus.connections import redis_client
from octopus.settings import ServerSettings

PREFIX = "octopus:"
LIST_VERSION = f"{PREFIX}list:version"
LIST_TTL = 2  # seconds
QUEUED_TTL = 1
FINAL_TTL = 60
PAUSE = 5.0  # seconds without a try after Redis failed

log = logging.getLogger(__name__)
T = TypeVar("T")
Answer = dict[str, Any]


def message_key(message_id: int) -> str:
    """Return the key of one message's copy."""
    return f"{PREFIX}message:{message_id}"


def message_ttl(answer: Answer) -> int:
    """Return for how many seconds a message's copy may be used."""
    return QUEUED_TTL if answer["status"] == "queued" else FINAL_TTL


def list_key(version: str, limit: int, before: int | None) -> str:
    """Return the key of one list's copy."""
    return f"{PREFIX}list:{version}:{limit}:{before or ''}"


class Cache:
    """The cached copies; no method raises when Redis is away."""

    def __init__(self, settings: ServerSettings, count: Callable[[str], None] | None = None) -> None:
        """`count` is called with hit, miss or error after each look-up."""
        self._counter = count
        self._redis = redis_client(settings)
        self._breaker = Breaker(PAUSE)

    def _try(self, ask: Callable[[], T]) -> T | None:
        if not self._breaker.allows():
            return None
        try:
            answer = ask()
        except (redis.RedisError, ValueError) as error:
            self._breaker.failed()
            log.warning("the cache does not answer", extra={"reason": str(error)})
            return None
        self._breaker.succeeded()
        return answer

    def _get(self, key: str) -> tuple[bool, Answer | None]:
        """Return whether Redis answered, and the copy."""

        def ask() -> tuple[bool, Answer | None]:
            found = self._redis.get(key)
            return True, None if found is None else json.loads(found)

        return self._try(ask) or (False, None)

    def get_message(self, message_id: int) -> Answer | None:
        """Return the copy of one message, if there is one."""
        answered, found = self._get(message_key(message_id))
        self._count(answered, found)
        return found

    def put_message(self, answer: Answer) -> None:
        """Keep a copy of one message."""
        self._put(message_key(answer["id"]), answer, message_ttl(answer))

    def get_list(self, limit: int, before: int | None) -> tuple[Answer | None, str | None]:
        """Return the copy of a list, if there is one, and the key to keep a new one under, if possible."""

        def ask() -> str:
            version: Any = self._redis.get(LIST_VERSION)
            return "0" if version is None else version.decode()

        version = self._try(ask)
        if version is None:
            self._count(False, None)
            return None, None
        key = list_key(version, limit, before)
        answered, found = self._get(key)
        self._count(answered, found)
        return found, key if answered else None

    def put_list(self, key: str | None, answer: Answer) -> None:
        """Keep a copy of a list under the key that get_list gave."""
        if key is not None:
            self._put(key, answer, LIST_TTL)

    def _put(self, key: str, answer: Answer, ttl: int) -> None:
        self._try(lambda: self._redis.set(key, json.dumps(answer), ex=ttl))

    def changed(self, message_id: int | None = None) -> None:
        """Drop what no longer holds: all lists, and the copy of the message if one is named."""

        def ask() -> bool:
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.incr(LIST_VERSION)
                if message_id is not None:
                    pipeline.delete(message_key(message_id))
                pipeline.execute()
            return True

        self._try(ask)

    def is_available(self) -> bool:
        """Whether Redis answers."""
        return bool(self._try(self._redis.ping))

    def _count(self, answered: bool, found: Answer | None) -> None:
        if self._counter is not None:
            self._counter(("hit" if found is not None else "miss") if answered else "error")
