"""Settings come from NAME or NAME_FILE, and a missing one is named."""

import subprocess
from pathlib import Path

import pytest
from celery import Celery

from octopus.settings import SettingError, Settings
from octopus.worker import tasks


def test_value_from_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "from-environment")
    assert Settings().api_key == "from-environment"


def test_value_from_file_without_its_line_feed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    monkeypatch.delenv("API_KEY", raising=False)
    monkeypatch.setenv("API_KEY_FILE", str(tmp_path / "key"))
    assert Settings().api_key == "from-file"


@pytest.mark.parametrize("value", [None, ""])
def test_missing_setting_is_named_in_one_sentence(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("API_KEY_FILE", raising=False)
    monkeypatch.delenv("API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("API_KEY", value)
    with pytest.raises(SettingError, match=r"^The setting API_KEY [^\n]*$"):
        _ = Settings().api_key


def test_unreadable_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY_FILE", "/does/not/exist")
    with pytest.raises(SettingError, match="API_KEY"):
        _ = Settings().api_key


@pytest.mark.parametrize("value", ["many", "0", "65"])
def test_unusable_number_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("BACKEND_WORKERS", value)
    with pytest.raises(SettingError, match="BACKEND_WORKERS"):
        _ = Settings().backend_workers


def test_hosts_and_no_password_in_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_HOSTS", "one, two")
    monkeypatch.setenv("POSTGRES_APP_PASSWORD", "very secret")
    database = Settings().database
    assert database.hosts == ("one", "two")
    assert "very secret" not in repr(database)


def test_redis_and_rabbitmq_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_PASSWORD", "RABBITMQ_PASSWORD"):
        monkeypatch.setenv(name, f"of {name}")
    monkeypatch.setenv("REDIS_PORT", "6380")
    monkeypatch.setenv("RABBITMQ_VHOST", "other")
    cache, broker = Settings().cache, Settings().broker
    assert (cache.host, cache.port, cache.user, cache.vhost) == ("redis", 6380, "octopus_app", "")
    assert (broker.host, broker.port, broker.user, broker.vhost) == ("broker", 5672, "octopus_app", "other")
    assert (cache.password, broker.password) == ("of REDIS_PASSWORD", "of RABBITMQ_PASSWORD")


@pytest.mark.parametrize(
    ("command", "setting"),
    [
        ("octopus-backend", "POSTGRES_HOSTS"),
        ("octopus-relay", "POSTGRES_HOSTS"),
        ("octopus-worker", "POSTGRES_HOSTS"),
        ("octopus-migrate", "POSTGRES_HOSTS"),
    ],
)
def test_command_names_its_missing_setting(commands: Path, command: str, setting: str) -> None:
    done = subprocess.run([commands / command], env={}, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert setting in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_database_is_verified_where_there_is_an_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_HOSTS", "one")
    monkeypatch.setenv("POSTGRES_APP_PASSWORD", "x")
    assert Settings().database.root_certificate == ""
    monkeypatch.setenv("POSTGRES_SSLROOTCERT", "/etc/octopus/authority.crt")
    assert Settings().database.root_certificate == "/etc/octopus/authority.crt"


@pytest.mark.parametrize("password", ["POSTGRES_APP_PASSWORD", "REDIS_PASSWORD"])
def test_a_worker_without_a_password_does_not_start(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("POSTGRES_HOSTS", "one")
    for name in ("POSTGRES_APP_PASSWORD", "REDIS_PASSWORD"):
        monkeypatch.delenv(f"{name}_FILE", raising=False)
        monkeypatch.setenv(name, "known")
    monkeypatch.setenv(f"{password}_FILE", "/does/not/exist")
    monkeypatch.delenv(password)
    with pytest.raises(SettingError, match=password):
        tasks.register(Celery(), Settings())
