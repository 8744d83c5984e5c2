"""Backups are proven, and a proof that proves nothing fails; restores, beside what runs and in its place."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.infra.http_requests import to
from tests.infra.target import wait_for
from tests.reconfigure import repository
from tests.reconfigure.platform import Platform
from tests.reconfigure.stores import status, store_message

CONF = "/run/secrets/pgbackrest.conf"
QUERY = "copy (select id from messages) to stdout"
SHOWN_WITHIN = 60  # seconds
ARCHIVED = "select failed_count failed, coalesce(last_archived_wal, '') last from pg_stat_archiver"
# The largest file of the last full backup, which restores of later ones need, too.
LARGEST = "find %s/backup/octopus/*F -type f -printf '%%s %%p\\n' | sort -n | tail -1 | cut -d ' ' -f 2"


def backup(platform: Platform, *arguments: str) -> Any:
    """Run the host's own command; return testinfra's result."""
    words = " ".join(["%s"] * len(arguments))
    return platform.run(f"/usr/local/sbin/{platform.settings.name}-backup {words}", *arguments)


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def messages(platform: Platform) -> set[int]:
    target = platform.target
    rows = target.rows(target.primary, "select id from messages", platform.settings["postgres_database"])
    return {row["id"] for row in rows}


def restored(platform: Platform) -> set[int]:
    """Return the messages in what was restored beside."""
    name = platform.settings.name
    told = platform.target.run("echo %s | %s-backup look", QUERY, name)
    return set(map(int, told.split()))


def directory(platform: Platform) -> str:
    """Return the repository in use, on the host."""
    path = platform.execute("pg-primary", "sed", "-n", "s,^repo1-path=/var/lib/backups/,,p", CONF).strip()
    volume = f"{platform.settings.name}-backups"
    mounted = platform.target.run("docker volume inspect --format '{{.Mountpoint}}' %s", volume).strip()
    return f"{mounted}/{path}"


def firing(platform: Platform) -> set[str]:
    address = platform.target.one("prometheus").addresses["monitoring"]
    alerts = platform.target.ask(to(address, 9090, "/api/v1/alerts"))[0].json()["data"]["alerts"]
    return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


def test_a_backup_is_made_when_asked_for(platform: Platform) -> None:
    for kind in ("full", "diff"):
        run = platform.deploy({"backup_type": kind}, playbook="backup.yml")
        assert f" {kind} " in run.output
    assert backup(platform, "list").stdout.count("\n") >= 2


def test_a_drill_compares_what_was_restored_with_the_live_data(platform: Platform) -> None:
    store_message(platform)
    ran = backup(platform, "drill")
    assert ran.rc == 0, ran.stderr
    assert "blocks have the right checksum" in ran.stdout


@pytest.fixture
def damaged(platform: Platform) -> Iterator[None]:
    """A backup of which some bytes are others than they were."""
    file = platform.target.run(LARGEST, directory(platform)).strip()
    platform.target.run("cp --archive %s /tmp/whole", file)
    platform.target.run("dd if=/dev/urandom of=%s bs=1k seek=200 count=4 conv=notrunc status=none", file)
    yield
    platform.target.run("cp --archive /tmp/whole %s && rm /tmp/whole", file)


def test_a_damaged_backup_fails_the_drill_and_is_told(platform: Platform, damaged: None) -> None:
    ran = backup(platform, "drill")
    assert ran.rc != 0, ran.stdout
    wait_for("the alert fires", lambda: "RestoreFailed" in firing(platform), 3 * SHOWN_WITHIN)


def test_the_alert_ends_with_a_drill_that_succeeds(platform: Platform) -> None:
    assert backup(platform, "drill").rc == 0
    wait_for("the alert ends", lambda: "RestoreFailed" not in firing(platform), 3 * SHOWN_WITHIN)


def test_an_archive_that_cannot_be_written_stops_nobody(platform: Platform) -> None:
    target, path = platform.target, directory(platform)
    before = target.rows(target.primary, ARCHIVED)[0]
    target.run("mv %s/archive %s/archive-away", path, path)
    try:
        target.rows(target.primary, "select pg_switch_wal()")
        store_message(platform)
        wait_for(
            "the archive fails",
            lambda: target.rows(target.primary, ARCHIVED)[0]["failed"] > before["failed"],
            60,
        )
        assert status(platform, store_message(platform)) in ("queued", "logged")
    finally:
        target.run("rm -rf %s/archive; mv %s/archive-away %s/archive", path, path, path)
    target.rows(target.primary, "select pg_switch_wal()")
    wait_for(
        "the archive goes on", lambda: target.rows(target.primary, ARCHIVED)[0]["last"] > before["last"], 90
    )


def test_a_moment_that_no_backup_covers_is_refused_before_anything_is_touched(platform: Platform) -> None:
    started = platform.started()
    variables = {
        "restore_target": "2020-01-01 00:00:00",
        "restore_place": "in_place",
        "restore_confirmed": True,
    }
    run = platform.play("restore.yml", variables)
    assert run.failed
    assert "No backup covers 2020-01-01 00:00:00" in run.output
    assert platform.started() == started


def test_nothing_is_restored_in_place_without_an_answer(platform: Platform) -> None:
    started = platform.started()
    run = platform.play("restore.yml", {"restore_place": "in_place"})
    assert run.failed
    assert "Nothing was touched" in run.output
    assert platform.started() == started


def test_a_moment_is_restored_beside_what_runs(platform: Platform) -> None:
    first, before = store_message(platform), messages(platform)
    time.sleep(1)
    moment = now()
    time.sleep(1)
    second, started = store_message(platform), platform.started()
    platform.deploy({"restore_target": moment}, playbook="restore.yml")
    assert restored(platform) == before
    assert first in before
    assert second not in before
    assert platform.started() == started


def test_a_new_password_starts_a_new_repository_and_opens_the_old_one(platform: Platform) -> None:
    kept, moment = messages(platform) | {store_message(platform)}, ""
    time.sleep(1)
    moment, old, path = now(), platform.secrets()["BACKUP_CIPHER_PASSWORD"], directory(platform)
    time.sleep(1)
    store_message(platform)
    platform.target.rows(platform.target.primary, "select pg_switch_wal()")
    time.sleep(3)
    text = platform.env_file.read_text(encoding="utf-8")
    platform.env_file.write_text(text.replace(old, secrets.token_urlsafe(24)), encoding="utf-8")
    platform.deploy()
    assert directory(platform) != path
    assert repository.opens(platform, platform.secrets()["BACKUP_CIPHER_PASSWORD"])
    assert not repository.opens(platform, old)
    platform.deploy({"restore_target": moment}, playbook="restore.yml")
    assert restored(platform) == kept
    assert backup(platform, "drill").rc == 0


def test_a_moment_is_restored_in_place(platform: Platform) -> None:
    first, before = store_message(platform), messages(platform)
    time.sleep(1)
    moment = now()
    time.sleep(1)
    second = store_message(platform)
    variables = {"restore_target": moment, "restore_place": "in_place", "restore_confirmed": True}
    platform.deploy(variables, playbook="restore.yml")
    platform.target.__dict__.pop("standbys", None)
    assert messages(platform) == before
    assert second not in before
    wait_for("what was queued is logged", lambda: status(platform, first) == "logged", SHOWN_WITHIN)
    third = store_message(platform)
    wait_for("what is new is logged", lambda: status(platform, third) == "logged", SHOWN_WITHIN)
    left = platform.execute(platform.target.primary, "ls", "/var/lib/postgresql").split()
    assert left == ["data"]
    assert backup(platform, "drill").rc == 0
