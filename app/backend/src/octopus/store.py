"""What the application does with its tables. Every function works inside the caller's transaction."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, text, update

from octopus.models import idempotency_keys, messages, outbox

CHANNEL = "outbox"  # what PostgreSQL notifies the relay on
KEY_LIFETIME = timedelta(hours=24)

Answer = dict[str, Any]


class KeyInUse(Exception):
    """The first request with this idempotency key is still running."""


class KeyReused(Exception):
    """The idempotency key was used with another body."""


def _timestamp(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _as_dict(row: Row[Any]) -> Answer:
    return {
        "id": row.id,
        "text": row.text,
        "status": row.status,
        "created_at": _timestamp(row.created_at),
        "logged_at": _timestamp(row.logged_at),
        "dead_reason": row.dead_reason,
    }


def add_message(connection: Connection, content: str) -> Answer:
    """Store a message and its outbox entry, wake the relay; return what the API answers."""
    row = connection.execute(
        insert(messages).values(text=content).returning(messages.c.id, messages.c.created_at)
    ).one()
    connection.execute(insert(outbox).values(message_id=row.id))
    connection.execute(select(func.pg_notify(CHANNEL, "")))
    return {"id": row.id, "text": content, "status": "queued", "created_at": _timestamp(row.created_at)}


def add_message_once(connection: Connection, content: str, key: str) -> tuple[Answer, bool]:
    """Like add_message, but a key that was seen in the last 24 hours gets its first answer again.

    Return the answer and whether the message is new. Raise KeyInUse or KeyReused.
    """
    locked = connection.execute(
        text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key}
    ).scalar_one()
    if not locked:
        raise KeyInUse
    body_hash = hashlib.sha256(content.encode()).hexdigest()
    known = connection.execute(
        select(idempotency_keys).where(
            idempotency_keys.c.key == key, idempotency_keys.c.created_at > func.now() - KEY_LIFETIME
        )
    ).one_or_none()
    if known is not None:
        if known.body_hash != body_hash:
            raise KeyReused
        # Writes to the log alone. Where commits wait for the standby, so does this one: the first request's
        # message is there before it is acknowledged.
        connection.execute(select(func.pg_logical_emit_message(True, "octopus", "")))
        return known.response, False
    connection.execute(delete(idempotency_keys).where(idempotency_keys.c.key == key))
    answer = add_message(connection, content)
    connection.execute(insert(idempotency_keys).values(key=key, body_hash=body_hash, response=answer))
    return answer, True


def get_message(connection: Connection, message_id: int) -> Answer | None:
    """Return a message, or None."""
    row = connection.execute(select(messages).where(messages.c.id == message_id)).one_or_none()
    return None if row is None else _as_dict(row)


def list_messages(connection: Connection, limit: int, before: int | None) -> Answer:
    """Return up to `limit` messages with an id below `before`, newest first, and where to go on."""
    query = select(messages).order_by(messages.c.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(messages.c.id < before)
    rows = connection.execute(query).all()
    items = [_as_dict(row) for row in rows[:limit]]
    return {"items": items, "next": items[-1]["id"] if len(rows) > limit else None}


def take_queued(connection: Connection, message_id: int) -> str | None:
    """Lock a message that has not been logged yet and return its text, else None."""
    return connection.execute(
        select(messages.c.text)
        .where(messages.c.id == message_id, messages.c.status == "queued")
        .with_for_update()
    ).scalar_one_or_none()


def set_logged(connection: Connection, message_id: int) -> None:
    """Note that the worker has logged a message."""
    connection.execute(
        update(messages).where(messages.c.id == message_id).values(status="logged", logged_at=func.now())
    )


def set_dead(connection: Connection, message_id: int, reason: str) -> bool:
    """Note that a message was given up; return False when it was not waiting any more."""
    result = connection.execute(
        update(messages)
        .where(messages.c.id == message_id, messages.c.status == "queued")
        .values(status="dead", dead_reason=reason)
    )
    return result.rowcount > 0


def list_dead(connection: Connection, ids: list[int] | None = None) -> Sequence[Row[Any]]:
    """Lock and return the dead letters with these ids, or all, oldest first."""
    return connection.execute(_which(select(messages), ids).order_by(messages.c.id).with_for_update()).all()


def _which(query: Any, ids: list[int] | None) -> Any:
    query = query.where(messages.c.status == "dead")
    return query if ids is None else query.where(messages.c.id.in_(ids))


def replay_dead(connection: Connection, ids: list[int]) -> None:
    """Have dead letters delivered once more, as if they had just been taken in."""
    connection.execute(_which(update(messages), ids).values(status="queued", dead_reason=None))
    connection.execute(insert(outbox), [{"message_id": message_id} for message_id in ids])
    connection.execute(select(func.pg_notify(CHANNEL, "")))


def drop_dead(connection: Connection, ids: list[int]) -> None:
    """Remove dead letters for good."""
    connection.execute(text("SELECT drop_dead_letters(:ids)"), {"ids": ids})


def end_waits(connection: Connection, longest: timedelta) -> int:
    """End commits of ours that have waited for a standby for too long; return how many.

    Their clients have given up. The servers' processes would wait on, and use up all connections.
    """
    ended = text(
        "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE usename = current_user"
        " AND wait_event = 'SyncRep' AND query_start < clock_timestamp() - :longest"
    )
    return int(connection.execute(ended, {"longest": longest}).scalar_one())


def take_outbox(connection: Connection, limit: int) -> Sequence[Row[Any, Any]]:
    """Lock and return the oldest entries (id, message_id) that nobody else is publishing."""
    return connection.execute(
        select(outbox.c.id, outbox.c.message_id)
        .order_by(outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def delete_outbox(connection: Connection, ids: list[int]) -> None:
    """Remove entries that the broker has confirmed."""
    if ids:
        statement = delete(outbox).where(outbox.c.id.in_(bindparam("ids", expanding=True)))
        connection.execute(statement, {"ids": ids})


def outbox_size(connection: Connection) -> tuple[int, float]:
    """Return how many entries wait, and the oldest one's age in seconds."""
    age = func.extract("epoch", func.clock_timestamp() - func.min(outbox.c.created_at))
    row = connection.execute(select(func.count(), func.coalesce(age, 0)).select_from(outbox)).one()
    return int(row[0]), max(0.0, float(row[1]))


def purge_keys(connection: Connection) -> int:
    """Remove idempotency keys older than 24 hours; return how many."""
    expired = idempotency_keys.c.created_at <= func.now() - KEY_LIFETIME
    return connection.execute(delete(idempotency_keys).where(expired)).rowcount
