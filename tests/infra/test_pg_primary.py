"""PostgreSQL: who may log in from where, who may do what, and how it keeps its data."""
# ruff: noqa: S608 - names are settings of our own

from __future__ import annotations

from typing import Any

import pytest

from plugins.filter.scram import scram_matches
from tests.infra.target import Target

REFUSED, UNKNOWN = "password authentication failed", "no pg_hba.conf entry"
NO_CERTIFICATE = "connection requires a valid client certificate"
NOT_ALLOWED = "42501"  # SQLSTATE of missing rights
STATEMENTS = {
    "reading": ("select count(*) from messages", ""),
    "writing": ("insert into messages (text) values ('rolled back')", ""),
    "a table": ("create table verify (id int)", NOT_ALLOWED),
    "a temporary table": ("create temporary table verify (id int)", NOT_ALLOWED),
    "a schema": ("create schema verify", NOT_ALLOWED),
    "a role": ("create role verify", NOT_ALLOWED),
    "a database": ("create database verify", "25001"),
    "dropping a table": ("drop table messages", NOT_ALLOWED),
    "changing a table": ("alter table messages add column verify int", NOT_ALLOWED),
    "removing messages": ("delete from messages", NOT_ALLOWED),
    "changing texts": ("update messages set text = 'x' where id = 0", NOT_ALLOWED),
    "emptying a table": ("truncate messages", NOT_ALLOWED),
    "becoming postgres": ("set role postgres", NOT_ALLOWED),
    "becoming the owner": ("set role octopus_migration", NOT_ALLOWED),
    "reading passwords": ("select rolpassword from pg_authid", NOT_ALLOWED),
    "reading the schema's version": ("select * from alembic_version", NOT_ALLOWED),
    "reading files": ("select pg_read_file('/etc/passwd')", NOT_ALLOWED),
    "running programs": ("copy messages (text) from program 'true'", NOT_ALLOWED),
}
SETTINGS = {
    "data_checksums": "on",
    "password_encryption": "scram-sha-256",
    "wal_level": "replica",
    "hot_standby": "on",
    "log_statement": "none",
    "fsync": "on",
    "full_page_writes": "on",
    "unix_socket_directories": "/run/postgresql,/var/lib/postgresql",
}
PLACES = ("pg-primary", "pg-replica")


@pytest.fixture(scope="module")
def roles(target: Target) -> dict[str, dict[str, Any]]:
    query = "select rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolpassword"
    return {
        role["rolname"]: role
        for role in target.rows(target.primary, f"{query} from pg_authid where rolcanlogin")
    }


@pytest.fixture(scope="module")
def attempts(target: Target) -> dict[tuple[str, str, str], bool]:
    """(place, user, database) -> whether such a login is asked for its password at all."""
    given = target.settings
    database = given["postgres_database"]
    app, migration, exporter = (given[f"postgres_{name}_user"] for name in ("app", "migration", "exporter"))
    asked = {(app, database), (migration, database), (exporter, database), (exporter, "postgres")}
    asked |= {(given["postgres_replication_user"], "replication")}
    users = [app, migration, exporter, given["postgres_replication_user"], "postgres", "nobody"]
    users.append(given["postgres_rewind_user"])
    return {
        (place, user, name): (user, name) in asked
        for place in PLACES
        for user in users
        for name in (database, "postgres", "template1", "replication")
    }


@pytest.fixture(scope="module")
def tried(target: Target, attempts: dict[tuple[str, str, str], bool]) -> dict[str, list[str]]:
    job = {
        "host": target.primary,
        "logins": list(attempts),
        "statements": [statement for statement, _ in STATEMENTS.values()],
    }
    return dict(target.execute_program("backend", "logins", job))


# Rights


def test_nobody_but_postgres_is_a_superuser(roles: dict[str, dict[str, Any]]) -> None:
    assert [name for name, role in roles.items() if role["rolsuper"]] == ["postgres"]


def test_there_are_these_logins_and_no_others(roles: dict[str, dict[str, Any]], target: Target) -> None:
    ours = {
        target.settings[f"postgres_{name}_user"]
        for name in ("app", "migration", "replication", "exporter", "rewind")
    }
    assert set(roles) == {"postgres", *ours}


def test_nobody_has_an_attribute_that_it_does_not_need(
    roles: dict[str, dict[str, Any]], target: Target
) -> None:
    replication = target.settings["postgres_replication_user"]
    for name, role in roles.items():
        if name != "postgres":
            assert not role["rolcreaterole"] and not role["rolcreatedb"] and not role["rolbypassrls"], name
            assert role["rolreplication"] == (name == replication), name


def test_memberships_are_the_exporters_alone(target: Target) -> None:
    query = """select member::regrole::text as member, roleid::regrole::text as role from pg_auth_members
        where member >= 16384"""
    exporter = target.settings["postgres_exporter_user"]
    assert target.rows(target.primary, query) == [{"member": exporter, "role": "pg_monitor"}]


def test_the_application_owns_nothing(target: Target) -> None:
    query = f"""select count(*) from pg_shdepend where deptype = 'o' and refclassid = 'pg_authid'::regclass
        and refobjid = '{target.settings["postgres_app_user"]}'::regrole"""
    assert target.rows(target.primary, query) == [{"count": 0}]


def test_nobody_connects_who_was_not_let_in(target: Target) -> None:
    query = """select datname from pg_database where datname <> 'template0'
        and (datacl is null or exists (select from aclexplode(datacl) where grantee = 0))"""
    assert target.rows(target.primary, query) == []


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_application_may_do_this_and_not_that(tried: dict[str, list[str]], name: str) -> None:
    state = tried["statements"][list(STATEMENTS).index(name)]
    assert state == STATEMENTS[name][1]


# Logins


def test_passwords_are_stored_as_scram_and_are_those_of_the_env_file(
    roles: dict[str, dict[str, Any]], target: Target
) -> None:
    assert not [
        name
        for name, role in roles.items()
        if not (role["rolpassword"] or "").startswith("SCRAM-SHA-256$")
        # The places' certificate takes its place.
        and (name != target.settings["postgres_rewind_user"] or role["rolpassword"])
    ]
    keys = {"postgres": "POSTGRES_PASSWORD"}
    for name in ("app", "migration", "replication", "exporter"):
        keys[target.settings[f"postgres_{name}_user"]] = f"POSTGRES_{name.upper()}_PASSWORD"
    wrong = [
        name
        for name, key in keys.items()
        if not scram_matches(roles[name]["rolpassword"], target.settings.secrets[key])
    ]
    assert not wrong


def test_a_wrong_password_is_refused_and_who_has_no_business_is_not_even_asked(
    target: Target, tried: dict[str, list[str]], attempts: dict[tuple[str, str, str], bool]
) -> None:
    said = dict(zip(attempts, tried["logins"], strict=True))
    assert not [attempt for attempt, message in said.items() if not message], "a wrong password was taken"
    assert not [attempt for attempt, asked in attempts.items() if asked and REFUSED not in said[attempt]]
    by_certificate = (target.settings["postgres_rewind_user"], "postgres")
    wrong = [
        attempt
        for attempt, asked in attempts.items()
        if not asked and (NO_CERTIFICATE if attempt[1:] == by_certificate else UNKNOWN) not in said[attempt]
    ]
    assert not wrong


@pytest.mark.parametrize("place", PLACES)
def test_its_rules_are_few_and_strict(target: Target, place: str) -> None:
    rules = target.rows(place, "select type, user_name, address, auth_method, error from pg_hba_file_rules")
    assert not [rule for rule in rules if rule["error"]]
    assert {(rule["type"], rule["auth_method"]) for rule in rules} == {
        ("local", "peer"),
        ("hostssl", "scram-sha-256"),
        ("hostssl", "cert"),
    }
    assert {rule["address"] for rule in rules if rule["type"] != "local"} == {"samenet"}
    assert not [rule for rule in rules if "all" in rule["user_name"]]


@pytest.mark.parametrize("place", PLACES)
def test_it_sits_in_the_database_network_alone(target: Target, place: str) -> None:
    """With `samenet` in its rules, that is what keeps everybody else out."""
    assert set(target.one(place).addresses) == {"database"}


# Data


@pytest.mark.parametrize("place", PLACES)
def test_it_is_set_up_as_promised(target: Target, place: str) -> None:
    names = ", ".join(f"'{name}'" for name in SETTINGS)
    rows = target.rows(place, f"select name, setting from pg_settings where name in ({names})")
    assert {row["name"]: row["setting"] for row in rows} == SETTINGS


@pytest.mark.parametrize("place", PLACES)
def test_it_is_version_17_and_reads_its_own_files(target: Target, place: str) -> None:
    query = """select current_setting('server_version_num')::int / 10000 as version,
        current_setting('cluster_name') as name"""
    assert target.rows(place, query) == [{"version": 17, "name": place}]
    errors = target.rows(place, "select name, error from pg_file_settings where error is not null")
    assert errors == []


@pytest.mark.parametrize("place", PLACES)
def test_its_data_is_in_its_volume(target: Target, place: str) -> None:
    query = "select current_setting('data_directory') as directory"
    directory = target.rows(place, query)[0]["directory"]
    volumes = {
        mount["Destination"]: mount["Name"]
        for mount in target.one(place).raw["Mounts"]
        if mount["Type"] == "volume"
    }
    assert volumes == {
        "/var/lib/postgresql": f"{target.settings.name}-{place}-data",
        "/var/lib/backups": f"{target.settings.name}-backups",
    }
    assert directory.startswith("/var/lib/postgresql/")


@pytest.mark.parametrize("place", PLACES)
def test_no_page_was_found_damaged(target: Target, place: str) -> None:
    assert target.rows(place, "select datname from pg_stat_database where checksum_failures > 0") == []


def test_an_abandoned_slot_cannot_fill_the_disk(target: Target) -> None:
    query = "select setting::int as megabytes from pg_settings where name = 'max_slot_wal_keep_size'"
    assert target.rows(target.primary, query)[0]["megabytes"] > 0


def test_the_schema_is_the_owners(target: Target) -> None:
    query = "select tablename, tableowner from pg_tables where schemaname = 'public'"
    tables = target.rows(target.primary, query, target.settings["postgres_database"])
    assert {"messages", "outbox", "idempotency_keys", "alembic_version"} <= {
        table["tablename"] for table in tables
    }
    assert {table["tableowner"] for table in tables} == {target.settings["postgres_migration_user"]}
