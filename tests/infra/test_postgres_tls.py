"""PostgreSQL's TLS: no plain text, a certificate that all clients verify, and the places' own login by it."""
# ruff: noqa: S608 - names are settings of our own

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.http_requests import to
from tests.infra.target import Target

PLACES = ("pg-primary", "pg-replica")
MISMATCH = "does not match host name"
REWIND = (
    "host={host} user={user} dbname=postgres sslmode=verify-full sslrootcert=/etc/octopus/authority.crt "
    "sslcert=/run/secrets/server.pem sslkey=/run/secrets/server.pem"
)


@pytest.fixture(scope="module")
def addresses(target: Target) -> dict[str, str]:
    return {place: target.one(place).addresses["database"] for place in PLACES}


@pytest.fixture(scope="module")
def tried(target: Target, addresses: dict[str, str]) -> dict[str, Any]:
    """From a backend: settings of its own making, and the application's own way to names and addresses."""
    logins = {}
    for place in PLACES:
        logins[f"{place} plain"] = {"host": place, "sslmode": "disable"}
        logins[f"{place} verified"] = {"host": place, "sslmode": "verify-full"}
        logins[f"{place} TLS 1.2"] = {"host": place, "ssl_max_protocol_version": "TLSv1.2"}
        logins[f"{place} stranger"] = {"host": place, "sslmode": "verify-full", "sslrootcert": "system"}
    job = {"logins": logins, "hosts": [*PLACES, *addresses.values()]}
    return dict(target.execute_program("backend", "tls", job))


@pytest.mark.parametrize("place", PLACES)
def test_plain_text_is_refused(tried: dict[str, Any], place: str) -> None:
    assert "no encryption" in tried["logins"][f"{place} plain"]


@pytest.mark.parametrize("place", PLACES)
def test_its_certificate_is_for_its_name_and_by_our_authority_alone(
    tried: dict[str, Any], place: str
) -> None:
    assert tried["logins"][f"{place} verified"] == ""
    assert "certificate verify failed" in tried["logins"][f"{place} stranger"]


@pytest.mark.parametrize("place", PLACES)
def test_old_versions_of_tls_are_refused(tried: dict[str, Any], place: str) -> None:
    assert "protocol version" in tried["logins"][f"{place} TLS 1.2"]


@pytest.mark.parametrize("place", PLACES)
def test_the_application_asks_for_the_right_name(
    tried: dict[str, Any], addresses: dict[str, str], place: str
) -> None:
    """An address is not in the certificate: whoever takes it without a word verifies nothing."""
    assert tried["application"][place] == ""
    assert MISMATCH in tried["application"][addresses[place]]


@pytest.mark.parametrize("service", ["backend", "relay", "worker"])
def test_every_process_of_the_application_has_the_authority(target: Target, service: str) -> None:
    for container in target.service(service):
        file = container.environment["POSTGRES_SSLROOTCERT"]
        authority = target.run("docker exec %s cat %s", container.name, file)
        assert authority == target.run(
            "docker exec %s cat /etc/octopus/authority.crt", target.one(PLACES[0]).name
        )


def test_the_exporter_asks_for_the_right_name(target: Target, addresses: dict[str, str]) -> None:
    exporter = target.one("postgres-exporter").addresses["monitoring"]
    database = target.settings["postgres_database"]
    hosts = dict.fromkeys(PLACES, "pg_up 1") | dict.fromkeys(addresses.values(), "pg_up 0")
    paths = [f"/probe?auth_module=octopus&target={host}:5432/{database}" for host in hosts]
    answers = target.ask(*[to(exporter, 9187, path) for path in paths])
    wrong = [
        host
        for (host, line), answer in zip(hosts.items(), answers, strict=True)
        if line not in answer.body.splitlines()
    ]
    assert not wrong


def test_the_standby_asks_for_the_right_name(target: Target) -> None:
    said = target.rows(target.standby, "select conninfo from pg_stat_wal_receiver")[0]["conninfo"]
    assert {"sslmode=verify-full", f"host={target.primary}"} <= set(said.split())


@pytest.mark.parametrize("place", PLACES)
def test_every_session_is_by_tls(target: Target, place: str) -> None:
    query = """select usename, version from pg_stat_ssl join pg_stat_activity using (pid)
        where client_addr is not null"""
    sessions = target.rows(place, query)
    assert sessions or place == target.standby
    assert not [session for session in sessions if session["version"] != "TLSv1.3"]


def test_the_certificate_ends_in_time_to_be_renewed(target: Target) -> None:
    """Not before a monthly rerun would have met it, and not so late that nobody would notice a stale one."""
    file = f"{target.settings['platform_root']}/certificates/postgres.pem"
    days = target.settings["certificates_renew_days"]
    target.run("openssl x509 -in %s -noout -checkend %s", file, str((days - 31) * 86400))
    later = target.host.run(
        "openssl x509 -in %s -noout -checkend %s",
        file,
        str((target.settings["certificates_days"] + 1) * 86400),
    )
    assert later.rc == 1, "it is valid for longer than certificates_days"


def test_keys_are_roots_alone(target: Target) -> None:
    directory = f"{target.settings['platform_root']}/certificates"
    listed = target.run("find %s -mindepth 1 -printf '%%f %%m %%u\\n'", directory).splitlines()
    assert sorted(listed) == ["authority.pem 400 root", "postgres.pem 400 root"]
    assert target.run("stat --format=%%a %s", directory).strip() == "500"


# Rewinding


def rewind(target: Target, place: str, other: str, query: str) -> Any:
    login = REWIND.format(host=other, user=target.settings["postgres_rewind_user"])
    return target.execute(
        place, "psql", "--no-psqlrc", "--tuples-only", "--no-align", login, f"--command={query}"
    )


@pytest.mark.parametrize(("place", "other"), [PLACES, PLACES[::-1]])
def test_a_place_may_read_the_files_of_the_other(target: Target, place: str, other: str) -> None:
    done = rewind(target, place, other, "select convert_from(pg_read_binary_file('PG_VERSION'), 'UTF8')")
    assert done.rc == 0, done.stderr
    assert done.stdout.strip() == "17"


def test_it_was_granted_the_functions_of_pg_rewind_alone(target: Target) -> None:
    """Those of pg_rewind's manual; tables, types and the like it was granted none of."""
    user = target.settings["postgres_rewind_user"]
    query = f"""select proc.oid::regprocedure::text as name
        from pg_proc proc, aclexplode(proacl) where grantee = '{user}'::regrole"""
    granted = {row["name"] for row in target.rows(target.primary, query)}
    assert granted == {
        "pg_ls_dir(text,boolean,boolean)",
        "pg_stat_file(text,boolean)",
        "pg_read_binary_file(text)",
        "pg_read_binary_file(text,bigint,bigint,boolean)",
    }
    query = f"""select count(*) from pg_shdepend
        where refobjid = '{user}'::regrole and classid <> 'pg_proc'::regclass"""
    # Its right to connect to the database postgres is the other one.
    assert target.rows(target.primary, query) == [{"count": 1}]


@pytest.mark.parametrize(
    "statement",
    [
        "select rolpassword from pg_authid",
        "select pg_read_file('PG_VERSION')",
        "create table verify (id int)",
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'",
        "select pg_reload_conf()",
        "copy (select 1) to program 'true'",
        "set role postgres",
    ],
)
def test_and_nothing_else(target: Target, statement: str) -> None:
    done = rewind(target, target.standby, target.primary, statement)
    assert done.rc != 0
    assert "permission denied" in done.stderr or "read-only" in done.stderr
