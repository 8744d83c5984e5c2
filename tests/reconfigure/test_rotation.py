"""Changed secrets: stores take the new value and refuse the old one, clients are on it, no data is lost."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.infra.target import wait_for
from tests.reconfigure import stores
from tests.reconfigure.containers import anew
from tests.reconfigure.load import Load
from tests.reconfigure.platform import Platform
from tests.reconfigure.results import Results
from tests.reconfigure.runs import Run

# Keys that are changed by one run, each for a user of its own: those of the application, which is under load
# meanwhile, and those of everybody else.
APPLICATION = ("POSTGRES_APP_PASSWORD", "REDIS_PASSWORD", "RABBITMQ_PASSWORD")
GROUPS = (
    APPLICATION,
    ("POSTGRES_REPLICATION_PASSWORD", "REDIS_EXPORTER_PASSWORD", "RABBITMQ_ADMIN_PASSWORD", "API_KEY"),
    (
        "POSTGRES_PASSWORD",
        "POSTGRES_MIGRATION_PASSWORD",
        "POSTGRES_EXPORTER_PASSWORD",
        "BACKUP_CIPHER_PASSWORD",
        *stores.UNSEEN,
    ),
)
KEYS = [key for group in GROUPS for key in group]
# A volume made anew is another directory. What the engine calls its creation is its last change.
VOLUMES = (
    "stat --format '%%n %%i %%W' $(docker volume inspect --format '{{.Mountpoint}}'"
    " $(docker volume ls --quiet --filter 'name=^%s-[a-z-]*-data$'))"
)
REPLICATION = "POSTGRES_REPLICATION_PASSWORD"
RATE = 20  # requests a second
REFUSED = 40  # of some thousands


@dataclass(frozen=True)
class Change:
    """A run with other secrets than before, and what was there before it."""

    before: dict[str, str]
    after: dict[str, str]
    run: Run
    volumes: str
    message: int

    def judge(self, platform: Platform) -> None:
        """It told no secret and left all data where it was; the next run finds nothing to do."""
        assert not self.run.failed, self.run
        told = [
            key for key in platform.keys for one in (self.before, self.after) if one[key] in self.run.output
        ]
        assert not told
        assert volumes(platform) == self.volumes
        assert stores.status(platform, self.message) == "logged"
        again = platform.play()
        assert (again.failed, again.changed) == (False, []), again


def volumes(platform: Platform) -> str:
    return platform.target.run(VOLUMES % platform.settings.name)


def change(
    platform: Platform,
    playbook: str = "site.yml",
    keys: tuple[str, ...] = (),
    variables: dict[str, Any] | None = None,
) -> Change:
    """Give keys new values, and run a playbook."""
    message, there, before = stores.store_message(platform), volumes(platform), platform.secrets()
    text = platform.env_file.read_text(encoding="utf-8")
    for key in keys:
        text = text.replace(before[key], secrets.token_urlsafe(24))
    platform.env_file.write_text(text, encoding="utf-8")
    run = platform.play(playbook, variables)
    return Change(before, platform.secrets(), run, there, message)


@pytest.fixture(scope="module")
def changes(platform: Platform) -> dict[tuple[str, ...], Change]:
    """The runs so far, by the keys that they changed."""
    assert not platform.play().failed
    return {}


def changed(platform: Platform, changes: dict[tuple[str, ...], Change], group: tuple[str, ...]) -> Change:
    """Return the run that gave a group of keys new values."""
    if group not in changes:
        changes[group] = change(platform, keys=group)
        changes[group].judge(platform)
    return changes[group]


def test_the_application_is_on_new_secrets_and_loses_nothing(
    platform: Platform, changes: dict[tuple[str, ...], Change], results: Results
) -> None:
    """A request may meet a backend that is being replaced (502) or is not on its new password yet (503)."""
    with Load(platform, RATE) as load:
        run = changed(platform, changes, APPLICATION).run
    results.add("The application's passwords changed: the run", f"{run.seconds:.0f} s")
    results.add(f"At {RATE} requests a second meanwhile, and in the run after it", str(load.counts))
    refused = {why: number for why, number in load.counts.failed.items() if re.search(": 50[23] ", why)}
    assert sum(refused.values()) <= REFUSED, refused
    for why in refused:
        del load.counts.failed[why]
    load.judge()
    load.remove()


@pytest.mark.parametrize("key", KEYS)
def test_a_changed_key_counts_and_its_old_value_no_longer(
    platform: Platform, changes: dict[tuple[str, ...], Change], key: str
) -> None:
    group = next(group for group in GROUPS if key in group)
    one = changed(platform, changes, group)
    assert {name for name in platform.keys if one.before[name] != one.after[name]} == set(group)
    if key in stores.UNSEEN:
        pytest.skip(f"nobody on this host uses {key}")
    assert stores.accepted(platform, key, one.after[key])
    assert not stores.accepted(platform, key, one.before[key])


def assert_all_are_on(platform: Platform, one: Change) -> None:
    """Stores take the new values alone, and each client works with them."""
    seen = [key for key in platform.keys if key not in stores.UNSEEN]
    assert not [key for key in seen if not stores.accepted(platform, key, one.after[key])]
    assert not [key for key in seen if stores.accepted(platform, key, one.before[key])]
    stores.follow_anew(platform)
    stores.store_message(platform)
    assert {name: stores.measured(platform, name) for name in ("pg_up", "redis_up")} == {
        "pg_up": ["1"],
        "redis_up": ["1"],
    }


def test_every_key_is_rotated(platform: Platform) -> None:
    one = change(platform, "rotate.yml")
    assert not [key for key in platform.keys if one.after[key] == one.before[key]]
    assert not previous(platform)
    one.judge(platform)
    assert_all_are_on(platform, one)


def previous(platform: Platform) -> bool:
    return platform.env_file.with_name(f"{platform.env_file.name}.previous").exists()


def test_a_rotation_that_was_broken_off_is_finished_by_the_next(platform: Platform) -> None:
    """Killed when the first store has its new password, and its clients do not."""
    message, there, before = stores.store_message(platform), volumes(platform), platform.secrets()
    redis = platform.started()["redis"]
    playing = platform.begin("rotate.yml")
    wait_for("Redis is on its new password", lambda: platform.started().get("redis", redis) != redis, 300)
    playing.kill()
    time.sleep(5)
    assert previous(platform)
    made = platform.secrets()
    assert made != before
    run = platform.play("rotate.yml")
    assert "a rotation was broken off" in " ".join(run.output.split())
    assert platform.secrets() == made
    assert not previous(platform)
    one = Change(before, made, run, there, message)
    one.judge(platform)
    assert_all_are_on(platform, one)


def test_a_standby_is_replaced_together_with_its_password(platform: Platform) -> None:
    """It logs in with the new one before the primary has been settled."""
    before = platform.started()
    one = change(platform, keys=(REPLICATION,), variables={"postgres_base_max_connections": 70})
    assert not one.run.failed, one.run
    assert not {"pg-primary", "pg-replica"} - anew(before, platform.started())
    stores.follow_anew(platform)
    assert not stores.accepted(platform, REPLICATION, one.before[REPLICATION])
    platform.deploy()


def test_check_mode_rotates_nothing(platform: Platform) -> None:
    before, started = platform.secrets(), platform.started()
    run = platform.play("rotate.yml", check=True, diff=True)
    assert not run.failed, run
    assert "preflight : Make new random secrets" in run.changed
    assert not [key for key in platform.keys if before[key] in run.output]
    assert (platform.secrets(), platform.started(), previous(platform)) == (before, started, False)


def test_a_plan_tells_whose_password_would_change(platform: Platform, tmp_path: Path) -> None:
    file, own = tmp_path / "env", platform.secrets()["POSTGRES_APP_PASSWORD"]
    file.write_text(platform.env_file.read_text(encoding="utf-8").replace(own, secrets.token_urlsafe(24)))
    file.chmod(0o600)
    run = platform.play(check=True, env_file=file)
    assert not run.failed, run
    user = platform.settings["postgres_app_user"]
    told = re.findall(r"^ +updated +(password of \S+) +(.*)$", run.output, re.MULTILINE)
    assert told == [(f"password of {user}", "some requests are answered with 503 for some seconds")]
    assert stores.accepted(platform, "POSTGRES_APP_PASSWORD", own)
