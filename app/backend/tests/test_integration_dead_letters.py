"""What operators do with dead letters, on a real PostgreSQL and Redis."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from octopus import dead_letters, store
from octopus.cache import Cache
from octopus.database import Database
from octopus.settings import Settings

from .test_integration_database import _post

pytestmark = pytest.mark.integration


@pytest.fixture
def client(real_app: Flask) -> FlaskClient:
    return real_app.test_client()


@pytest.fixture
def dead(real_database: Database, sql: Any) -> Iterator[list[int]]:
    """Three dead letters."""
    with real_database.write() as connection:
        ids = [store.add_message(connection, f"letter {n}")["id"] for n in range(3)]
        for message_id in ids:
            store.set_dead(connection, message_id, "the worker gave up")
    sql.execute("DELETE FROM outbox WHERE message_id = ANY (%s)", (ids,))
    yield ids
    sql.execute("SELECT drop_dead_letters(%s)", (ids,))


@pytest.fixture
def real_database(migrated: Settings) -> Database:
    return Database(migrated.database, 1)


@pytest.fixture
def act(real_database: Database, migrated: Settings) -> Callable[..., Any]:
    return functools.partial(dead_letters.act, real_database, Cache(migrated.cache))


def test_dead_letters_are_listed_with_reason_and_beginning(dead: list[int], act: Callable[..., Any]) -> None:
    assert [line.partition("  ")[0] for line in act("list", dead)] == [str(one) for one in dead]
    assert set(dead) <= {int(line.partition("  ")[0]) for line in act("list", None)}
    assert act("list", dead)[0].endswith("the worker gave up: letter 0")


def test_a_dead_letter_is_replayed_and_the_others_stay(
    dead: list[int], act: Callable[..., Any], client: FlaskClient, sql: Any
) -> None:
    assert client.get(f"/api/messages/{dead[1]}").json["status"] == "dead"  # there is a copy now
    act("replay", [dead[1]])
    sql.execute("SELECT message_id FROM outbox WHERE message_id = ANY (%s)", (dead,))
    assert sql.fetchall() == [(dead[1],)]
    found = client.get(f"/api/messages/{dead[1]}").json
    assert (found["status"], found["dead_reason"]) == ("queued", None)
    assert [line.partition("  ")[0] for line in act("list", None)].count(str(dead[1])) == 0
    sql.execute("DELETE FROM outbox WHERE message_id = ANY (%s)", (dead,))
    sql.execute("UPDATE messages SET status = 'dead' WHERE id = %s", (dead[1],))


def test_a_dead_letter_is_dropped_and_nothing_else(
    dead: list[int], act: Callable[..., Any], client: FlaskClient, sql: Any
) -> None:
    alive = int(_post(client, "alive").headers["Location"].rsplit("/", 1)[1])
    with pytest.raises(dead_letters.NoSuchLetters, match=str(alive)):
        act("drop", [dead[0], alive])
    sql.execute("SELECT drop_dead_letters(%s)", ([alive],))
    assert len(act("list", dead)) == 3
    act("drop", dead[:2])
    statuses = [client.get(f"/api/messages/{one}").status_code for one in [*dead, alive]]
    assert statuses == [404, 404, 200, 200]
