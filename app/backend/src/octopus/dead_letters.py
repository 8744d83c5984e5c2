"""What operators do with messages that were given up: list them, deliver them once more, drop them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from octopus import store
from octopus.cache import Cache
from octopus.database import Database

SHOWN = 60  # letters of a text


class NoSuchLetters(Exception):
    """Some of those that were named are not dead letters; nothing was changed."""


def _line(letter: Row[Any]) -> str:
    words = " ".join(letter.text.split())
    beginning = words if len(words) <= SHOWN else words[: SHOWN - 1] + "…"
    return f"{letter.id}  {letter.created_at:%Y-%m-%d %H:%M:%SZ}  {letter.dead_reason}: {beginning}"


def act(database: Database, cache: Cache, action: str, ids: list[int] | None) -> Sequence[str]:
    """List, replay or drop the dead letters with these ids, or all; return a line for each.

    Raise NoSuchLetters, or DatabaseUnavailable.
    """
    with database.write() as connection:
        letters = store.list_dead(connection, ids)
        found = [letter.id for letter in letters]
        if missing := sorted(set(ids or []) - set(found)):
            raise NoSuchLetters(f"no dead letters: {', '.join(map(str, missing))}")
        if action == "replay" and found:
            store.replay_dead(connection, found)
        elif action == "drop" and found:
            store.drop_dead(connection, found)
    if action != "list":
        for message_id in found:
            cache.changed(message_id)
    return [_line(letter) for letter in letters]
