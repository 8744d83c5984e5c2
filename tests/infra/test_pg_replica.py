"""Replication: who follows whom, how far behind, and that the follower only reads."""
# ruff: noqa: S608 - identities are of our own making

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.message import Messages
from tests.infra.target import Target, wait_for

READ_ONLY = "25006"  # SQLSTATE
ARRIVES_WITHIN = 5  # seconds


@pytest.fixture(scope="module")
def sender(target: Target) -> dict[str, Any]:
    """The primary's view of the one who follows it."""
    query = """select application_name, usename, state, host(client_addr) as address,
        pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) as behind from pg_stat_replication"""
    found = target.rows(target.primary, query)
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def slots(target: Target) -> list[dict[str, Any]]:
    return target.rows(
        target.primary, "select slot_name, slot_type, active, wal_status from pg_replication_slots"
    )


def test_there_is_one_primary_and_one_standby(target: Target) -> None:
    assert sorted(target.standbys.values()) == [False, True]


def test_it_streams(sender: dict[str, Any], target: Target) -> None:
    assert sender["state"] == "streaming"
    assert sender["application_name"] == target.standby
    assert sender["usename"] == target.settings["postgres_replication_user"]
    assert sender["address"] == target.one(target.standby).addresses["database"]


def test_it_is_close_behind(sender: dict[str, Any]) -> None:
    assert int(sender["behind"] or 0) < 16 * 1024 * 1024  # bytes


def test_its_slot_is_physical_and_in_use(slots: list[dict[str, Any]], target: Target) -> None:
    assert [slot["slot_name"] for slot in slots] == [target.settings["postgres_replication_slot"]]
    assert (slots[0]["slot_type"], slots[0]["active"]) == ("physical", True)
    assert slots[0]["wal_status"] in ("reserved", "extended")


def test_it_receives_through_the_slot(target: Target) -> None:
    receivers = target.rows(target.standby, "select status, slot_name, sender_host from pg_stat_wal_receiver")
    wanted = {
        "status": "streaming",
        "slot_name": target.settings["postgres_replication_slot"],
        "sender_host": target.primary,
    }
    assert receivers == [wanted]


def test_both_are_the_same_cluster(target: Target) -> None:
    query = "select system_identifier::text from pg_control_system()"
    assert target.rows("pg-primary", query) == target.rows("pg-replica", query)


def test_a_row_arrives(messages: Messages, target: Target) -> None:
    query = f"select text, status from messages where id = {messages.logged['id']}"
    database = target.settings["postgres_database"]
    wanted = [{"text": messages.accepted["text"], "status": "logged"}]
    wait_for(
        "the row is on the replica",
        lambda: target.rows(target.standby, query, database) == wanted,
        ARRIVES_WITHIN,
    )


@pytest.mark.parametrize(
    "statement", ["create table verify (id int)", "delete from messages", "create role verify"]
)
def test_it_only_reads(target: Target, statement: str) -> None:
    result = target.psql(target.standby, statement, target.settings["postgres_database"])
    assert result.rc != 0
    assert READ_ONLY in result.stderr


def test_its_roles_are_the_primarys(target: Target) -> None:
    query = "select rolname, md5(rolpassword) as digest from pg_authid where rolcanlogin order by 1"
    assert target.rows(target.standby, query) == target.rows(target.primary, query)
