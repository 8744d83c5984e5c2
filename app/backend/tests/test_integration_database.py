"""The API and the store on a real PostgreSQL and Redis."""

import dataclasses
import os
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg2
import pytest
from flask import Flask
from flask.testing import FlaskClient

from octopus import store
from octopus.api import create_app
from octopus.api.services import Services
from octopus.cache import Cache
from octopus.connections import connector
from octopus.database import Database, DatabaseUnavailable
from octopus.settings import DatabaseSettings, Settings

from .conftest import KEY
from .frozen import Forwarder

pytestmark = pytest.mark.integration


@pytest.fixture
def client(real_app: Flask) -> FlaskClient:
    return real_app.test_client()


def _post(client: FlaskClient, text: str, key: str | None = None) -> Any:
    headers = {"X-API-Key": KEY} | ({"Idempotency-Key": key} if key else {})
    return client.post("/api/messages", json={"text": text}, headers=headers)


def _count(sql: Any, text: str) -> int:
    sql.execute("SELECT count(*) FROM messages WHERE text = %s", (text,))
    return int(sql.fetchone()[0])


def test_message_and_outbox_are_stored_and_found(client: FlaskClient, sql: Any) -> None:
    text = f"Привет 🐙 \x01\n {uuid.uuid4()}"
    response = _post(client, text)
    assert response.status_code == 201
    assert set(response.json) == {"id", "text", "status", "created_at"}
    assert response.json["status"] == "queued"
    # The relay, which would take it out, rests meanwhile.
    sql.execute("SELECT count(*) FROM outbox WHERE message_id = %s", (response.json["id"],))
    assert sql.fetchone()[0] == 1
    one = client.get(response.headers["Location"])
    assert one.status_code == 200
    assert one.json["text"] == text
    assert one.json["id"] == response.json["id"]
    # A list kept from before must not hide it.
    assert client.get("/api/messages?limit=100").json["items"][0]["id"] >= response.json["id"]


def test_longest_text(client: FlaskClient) -> None:
    assert _post(client, "🐙" * 2000).status_code == 201


def test_list_sees_each_new_message_at_once(client: FlaskClient) -> None:
    for _ in range(5):
        identity = _post(client, "listed").json["id"]
        assert identity in [item["id"] for item in client.get("/api/messages?limit=10").json["items"]]


def test_pages(client: FlaskClient) -> None:
    ids = [_post(client, f"page {n}").json["id"] for n in range(5)]
    page = client.get(f"/api/messages?limit=2&before={ids[4] + 1}").json
    assert [item["id"] for item in page["items"]] == [ids[4], ids[3]]
    assert page["next"] == ids[3]
    page = client.get(f"/api/messages?limit=2&before={page['next']}").json
    assert [item["id"] for item in page["items"]] == [ids[2], ids[1]]
    end = client.get("/api/messages?before=1").json
    assert end == {"items": [], "next": None}


def test_same_key_and_body_is_stored_once(client: FlaskClient, sql: Any) -> None:
    text, key = f"once {uuid.uuid4()}", str(uuid.uuid4())
    first, again = _post(client, text, key), _post(client, text, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert first.headers["Location"] == again.headers["Location"]
    assert _count(sql, text) == 1
    assert _post(client, text + "!", key).status_code == 422
    assert _count(sql, text + "!") == 0


def test_first_still_running(client: FlaskClient, migrated: Settings, sql: Any) -> None:
    text, key = f"running {uuid.uuid4()}", str(uuid.uuid4())
    sql.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (key,))
    assert _post(client, text, key).status_code == 409
    assert _post(client, text).status_code == 201
    sql.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (key,))
    assert _post(client, text, key).status_code == 201


def test_many_at_once_with_one_key_store_one(real_app: Flask, sql: Any) -> None:
    text, key = f"race {uuid.uuid4()}", str(uuid.uuid4())
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: _post(real_app.test_client(), text, key), range(20)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json["id"] for answer in answers if answer.status_code == 201}) == 1
    assert _count(sql, text) == 1


@pytest.fixture
def make_old(migrated: Settings) -> Callable[[str], None]:
    """Let a key's time be over; only the owner of the table can."""
    if not os.environ.get("POSTGRES_MIGRATION_PASSWORD"):
        pytest.skip("POSTGRES_MIGRATION_PASSWORD is not set: only the owner can make a key older")

    def update(key: str) -> None:
        owner = connector(migrated.migration_database)()
        with owner, owner.cursor() as cursor:
            cursor.execute(
                "UPDATE idempotency_keys SET created_at = now() - interval '24 hours 1 second'"
                " WHERE key = %s",
                (key,),
            )
            assert cursor.rowcount == 1
        owner.close()

    return update


def test_key_is_forgotten_after_a_day(client: FlaskClient, make_old: Callable[[str], None]) -> None:
    text, key = f"day {uuid.uuid4()}", str(uuid.uuid4())
    first = _post(client, text, key).json["id"]
    make_old(key)
    assert _post(client, text, key).json["id"] > first


def test_old_keys_are_purged_and_new_ones_kept(
    client: FlaskClient, migrated: Settings, sql: Any, make_old: Callable[[str], None]
) -> None:
    from octopus import store

    old, new = str(uuid.uuid4()), str(uuid.uuid4())
    for key in (old, new):
        assert _post(client, "purge", key).status_code == 201
    make_old(old)
    with Database(migrated.database, 1).write() as connection:
        assert store.purge_keys(connection) >= 1
    sql.execute("SELECT key FROM idempotency_keys WHERE key IN (%s, %s)", (old, new))
    assert sql.fetchall() == [(new,)]


def test_application_role_cannot_do_more_than_it_needs(sql: Any) -> None:
    for statement in (
        "DELETE FROM messages",
        "ALTER SYSTEM SET synchronous_standby_names = ''",
        "UPDATE messages SET text = 'x'",
        "DROP TABLE messages",
        "CREATE TABLE own ()",
        "UPDATE idempotency_keys SET key = 'x'",
        "TRUNCATE outbox",
    ):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            sql.execute(statement)


def test_copies_are_used_and_dropped(client: FlaskClient, migrated: Settings) -> None:
    cache = Cache(migrated.cache)
    assert cache.is_available()
    cache.put_message({"id": 10**15, "status": "logged", "text": "a copy"})
    assert cache.get_message(10**15) == {"id": 10**15, "status": "logged", "text": "a copy"}
    _, key = cache.get_list(99, 7)
    cache.put_list(key, {"items": [], "next": None})
    assert cache.get_list(99, 7)[0] == {"items": [], "next": None}
    cache.changed(10**15)
    assert cache.get_message(10**15) is None
    assert cache.get_list(99, 7)[0] is None


def test_everything_works_without_redis(migrated: Settings) -> None:
    gone = Cache(dataclasses.replace(migrated.cache, host="127.0.0.1", port=1))
    client = create_app(migrated, Services(Database(migrated.database, 4), gone, KEY)).test_client()
    location = _post(client, "no cache").headers["Location"]
    assert client.get(location).status_code == 200
    assert client.get("/api/messages").status_code == 200
    assert client.get("/api/health/ready").json["checks"]["cache"] == "unavailable"


def through_forwarders(settings: Settings, port: int, *hosts: str) -> DatabaseSettings:
    """The database behind other names than the certificate's, which cannot be verified then."""
    return dataclasses.replace(settings.database, hosts=hosts, port=port, root_certificate="")


@pytest.fixture
def forwarder(migrated: Settings) -> Iterator[Forwarder]:
    made = Forwarder((migrated.database.hosts[0], migrated.database.port))
    yield made
    made.thaw()


def test_paused_primary_costs_a_write_less_than_five_seconds(
    migrated: Settings, forwarder: Forwarder
) -> None:
    settings = through_forwarders(migrated, forwarder.port, "127.0.0.1")
    client = create_app(migrated, Services(Database(settings, 4), Cache(migrated.cache), KEY)).test_client()
    assert _post(client, "before").status_code == 201
    forwarder.freeze()
    for pause in (0.0, 1.2, 0.0):  # on a connection just used, on one to be pinged, with the breaker open
        time.sleep(pause)
        began = time.monotonic()
        response = _post(client, "while frozen")
        assert time.monotonic() - began < 4.5
        assert response.status_code == 503
        assert response.headers["Retry-After"]
    assert client.get("/api/health/ready").status_code == 503
    forwarder.thaw()
    time.sleep(1.2)
    assert _post(client, "after").status_code == 201


def test_second_server_is_found_behind_a_paused_first(migrated: Settings, forwarder: Forwarder) -> None:
    Forwarder((migrated.database.hosts[0], migrated.database.port), "127.0.0.2", forwarder.port)
    settings = through_forwarders(migrated, forwarder.port, "127.0.0.1", "127.0.0.2")
    forwarder.freeze()
    database = Database(settings, 1)
    began = time.monotonic()
    assert database.is_writable()
    assert time.monotonic() - began < 2.5


def test_reading_goes_on_where_nothing_can_be_written(migrated: Settings) -> None:
    database = Database(migrated.database, 1)
    database._writer = Database(dataclasses.replace(migrated.database, port=1), 1)._writer
    with pytest.raises(DatabaseUnavailable), database.write():
        pass
    assert "items" in database.read(lambda connection: store.list_messages(connection, 1, None))


def test_connection_killed_by_the_server_is_replaced(
    client: FlaskClient, migrated: Settings, sql: Any
) -> None:
    assert _post(client, "before").status_code == 201
    time.sleep(1.1)
    sql.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND usename = current_user AND application_name = 'octopus'")  # fmt: skip
    assert _post(client, "after").status_code == 201


def test_first_wave_of_reads_finds_the_replica_behind_a_paused_primary(
    migrated: Settings, forwarder: Forwarder
) -> None:
    """On a connection that was just used, and so is not pinged before."""
    Forwarder((migrated.database.hosts[0], migrated.database.port), "127.0.0.2", forwarder.port)
    settings = through_forwarders(migrated, forwarder.port, "127.0.0.1", "127.0.0.2")
    client = create_app(migrated, Services(Database(settings, 4), Cache(migrated.cache), KEY)).test_client()
    location = _post(client, "before").headers["Location"]
    forwarder.freeze()
    Cache(migrated.cache).changed(int(location.rsplit("/", 1)[1]))
    began = time.monotonic()
    assert client.get(location).status_code == 200
    assert time.monotonic() - began < 4


def test_an_answer_given_again_is_a_write(client: FlaskClient, sql: Any) -> None:
    """It waits for the standby where commits do: only a transaction with a number of its own has to."""
    key = str(uuid.uuid4())
    assert _post(client, "once", key).status_code == 201
    sql.execute("SELECT pg_current_snapshot()")
    before = sql.fetchone()[0].split(":")[1]
    assert _post(client, "once", key).status_code == 201
    sql.execute("SELECT pg_current_snapshot()")
    assert int(sql.fetchone()[0].split(":")[1]) > int(before)
