"""Backups: the archive is fed, the repository holds ciphertext alone, something runs every night."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.http_requests import to
from tests.infra.target import Target, wait_for

PLACES = ("pg-primary", "pg-replica")
CIPHERTEXT = "Salted__"
ALERTS = {
    "BackupTooOld",
    "BackupMissing",
    "BackupFailed",
    "RestoreNotProven",
    "RestoreNeverProven",
    "RestoreFailed",
    "ArchiveFailing",
    "ArchiveSilent",
}


@pytest.fixture(scope="module")
def command(target: Target) -> str:
    return f"/usr/local/sbin/{target.settings.name}-backup"


@pytest.fixture(scope="module")
def repository(target: Target) -> str:
    """Return the directory of the backups on the host."""
    volume = f"{target.settings.name}-backups"
    return target.run("docker volume inspect --format '{{.Mountpoint}}' %s", volume).strip()


@pytest.mark.parametrize("place", PLACES)
def test_either_place_would_archive_its_log(target: Target, place: str) -> None:
    """A standby does not, until it is promoted."""
    query = "select current_setting('archive_mode') mode, current_setting('archive_command') command"
    (row,) = target.rows(place, query)
    assert row["mode"] == "on"
    assert "archive-push" in row["command"]


def test_the_log_gets_into_the_archive(target: Target) -> None:
    segment = target.rows(target.primary, "select pg_walfile_name(pg_create_restore_point('test')) segment")
    target.rows(target.primary, "select pg_switch_wal()")
    query = "select coalesce(last_archived_wal, '') last from pg_stat_archiver"
    wait_for(
        "the segment is archived",
        lambda: target.rows(target.primary, query)[0]["last"] >= segment[0]["segment"],
        30,
    )


def test_there_is_a_backup(target: Target, command: str) -> None:
    assert " full " in target.run("%s list", command)


def test_the_repository_holds_ciphertext_alone(target: Target, repository: str) -> None:
    """Names and sizes are told, and the links; every file begins as openssl and pgBackRest begin theirs."""
    plain = target.run(
        "find %s -type f ! -name '*.lock' -exec sh -c"
        ' \'for file; do [ "$(head -c 8 "$file" | tr -d "\\0")" = %s ] || echo "$file"; done\' - {} +',
        repository,
        CIPHERTEXT,
    )
    assert plain.split() == []
    assert int(target.run("find %s -type f | wc -l", repository)) > 5


def test_only_the_servers_user_reads_the_password(target: Target) -> None:
    root, uid = target.settings["platform_root"], target.settings["platform_uids"]["postgres"]
    modes = target.run("stat --format '%%a %%u' %s/backup/secrets %s/backup/secrets/*", root, root)
    found = {tuple(line.split()) for line in modes.splitlines()}
    assert found == {("500", str(uid)), ("400", str(uid))}


def test_something_runs_every_night(target: Target, command: str) -> None:
    name = target.settings.name
    if not target.settings["backup_scheduled"]:
        pytest.skip("backups are not scheduled on this host (backup_scheduled)")
    if target.host.file("/run/systemd/system").exists:
        assert target.host.run("systemctl is-enabled %s-backup.timer", name).rc == 0
        assert target.host.run("systemctl is-active %s-backup.timer", name).rc == 0
    else:
        file = target.host.file(f"/etc/cron.d/{name}-backup")
        assert f"root {command} nightly" in file.content_string
        assert file.mode == 0o644


def test_prometheus_knows_the_alerts(target: Target) -> None:
    address = target.one("prometheus").addresses["monitoring"]
    (answer,) = target.ask(to(address, 9090, "/api/v1/rules"))
    groups: list[dict[str, Any]] = answer.json()["data"]["groups"]
    rules = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert not ALERTS - set(rules)
    assert {rule["health"] for rule in rules.values()} <= {"ok", "unknown"}
