"""Redis: who may do what, what is kept, and how much."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.infra.target import Target

NO_RIGHT = "NoPermissionError"
# Command -> how it ends for the application. Where it would harm, a wrong argument stands in the way.
COMMANDS = {
    "SET octopus:verify 1 EX 5": "",
    "GET octopus:verify": "",
    "INCRBY octopus:verify 1": "",
    "DEL octopus:verify": "",
    "GET verify": NO_RIGHT,
    "SET verify x EX 1": NO_RIGHT,
    "FLUSHALL WRONG": NO_RIGHT,
    "FLUSHDB WRONG": NO_RIGHT,
    "CONFIG GET maxmemory": NO_RIGHT,
    "CONFIG SET wrong 0": NO_RIGHT,
    "ACL LIST": NO_RIGHT,
    "ACL SETUSER default +@wrong": NO_RIGHT,
    "KEYS octopus:verify": NO_RIGHT,
    "SHUTDOWN WRONG": NO_RIGHT,
    "SCAN 0": NO_RIGHT,
    "RANDOMKEY": NO_RIGHT,
    "MONITOR": NO_RIGHT,
    "REPLICAOF wrong wrong": NO_RIGHT,
    "EVAL return(1) 0": NO_RIGHT,
    "PUBLISH x y": NO_RIGHT,
    "CLIENT LIST": NO_RIGHT,
    "CLIENT KILL WRONG": NO_RIGHT,
    "CONFIG REWRITE": NO_RIGHT,
    "MODULE LIST": NO_RIGHT,
    "SCRIPT FLUSH WRONG": NO_RIGHT,
    "FUNCTION FLUSH WRONG": NO_RIGHT,
    "BGSAVE WRONG": NO_RIGHT,
    "SWAPDB wrong wrong": NO_RIGHT,
    "RENAME octopus:verify verify": NO_RIGHT,
    "INFO": NO_RIGHT,
}
# The exporter reads figures: nothing of what is kept, and it changes nothing.
EXPORTER_MAY = ("PING", "DBSIZE", "INFO server", "SLOWLOG LEN", "CONFIG GET maxmemory")
EXPORTER_MAY_NOT = (
    "GET octopus:verify",
    "SET octopus:verify x EX 1",
    "MEMORY USAGE octopus:verify",
    "KEYS octopus:verify",
    "SCAN 0",
    "RANDOMKEY",
    "FLUSHALL WRONG",
    "FLUSHDB WRONG",
    "CONFIG SET wrong 0",
    "CONFIG REWRITE",
    "SLOWLOG RESET",
    "ACL LIST",
    "ACL SETUSER default +@wrong",
    "CLIENT KILL WRONG",
    "SHUTDOWN WRONG",
    "REPLICAOF wrong wrong",
    "MODULE LIST",
    "EVAL return(1) 0",
    "PUBLISH x y",
)
SIZES = {"": 1, "b": 1, "k": 1000, "kb": 1024, "m": 1000**2, "mb": 1024**2, "g": 1000**3, "gb": 1024**3}


@pytest.fixture(scope="module")
def tried(target: Target) -> dict[str, Any]:
    return dict(
        target.execute_program("backend", "cache", {"commands": [command.split() for command in COMMANDS]})
    )


def as_exporter(target: Target, *command: str) -> str:
    """Ask Redis as its exporter: the only other user, and one that reads figures and settings."""
    script = "export REDISCLI_AUTH=$(< /run/secrets/REDIS_EXPORTER_PASSWORD); "
    script += 'exec redis-cli --user "$0" --no-auth-warning "$@"'
    result = target.execute("redis", "bash", "-c", script, target.settings["redis_exporter_user"], *command)
    assert result.rc == 0, result.stderr
    return str(result.stdout)


@pytest.fixture(scope="module")
def configuration(target: Target) -> dict[str, str]:
    return dict(json.loads(as_exporter(target, "--json", "CONFIG", "GET", "*")))


@pytest.fixture(scope="module")
def information(target: Target) -> dict[str, str]:
    lines = as_exporter(target, "INFO", "everything").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


@pytest.fixture(scope="module")
def users(target: Target) -> dict[str, str]:
    """User -> its line in the file of users."""
    lines = target.run("cat %s", f"{target.settings['platform_root']}/redis/secrets/users.acl").splitlines()
    return {line.split()[1]: line for line in lines}


def test_these_users_and_no_others(users: dict[str, str], target: Target) -> None:
    assert set(users) == {
        "default",
        target.settings["redis_app_user"],
        target.settings["redis_exporter_user"],
    }
    assert users["default"].split() == ["user", "default", "off"]


def test_passwords_are_hashes_of_those_in_the_env_file(users: dict[str, str], target: Target) -> None:
    for user, key in (
        ("redis_app_user", "REDIS_PASSWORD"),
        ("redis_exporter_user", "REDIS_EXPORTER_PASSWORD"),
    ):
        digest = hashlib.sha256(target.settings.secrets[key].encode()).hexdigest()
        matches = f"#{digest}" in users[target.settings[user]].split()
        assert matches, f"the password of {target.settings[user]} is not {key}"
        assert "nopass" not in users[target.settings[user]]


def test_nobody_gets_in_without_the_right_password(tried: dict[str, Any]) -> None:
    assert tried["own"] == ""
    for name in ("nobody", "default", "wrong"):
        assert tried[name].startswith("Authentication"), (name, tried[name])


@pytest.mark.parametrize("command", COMMANDS)
def test_the_application_may_do_this_and_not_that(tried: dict[str, Any], command: str) -> None:
    assert tried["commands"][list(COMMANDS).index(command)] == COMMANDS[command]


@pytest.mark.parametrize("command", EXPORTER_MAY)
def test_the_exporter_may_do_this(target: Target, command: str) -> None:
    assert not as_exporter(target, *command.split()).startswith(("NOPERM", "ERR", "WRONGPASS", "NOAUTH"))


@pytest.mark.parametrize("command", EXPORTER_MAY_NOT)
def test_the_exporter_may_not_do_that(target: Target, command: str) -> None:
    assert as_exporter(target, *command.split()).startswith("NOPERM")


def test_data_is_kept(configuration: dict[str, str], information: dict[str, str], target: Target) -> None:
    assert configuration["appendonly"] == "yes"
    assert configuration["save"]
    assert (information["aof_enabled"], information["aof_last_write_status"]) == ("1", "ok")
    assert information["rdb_last_bgsave_status"] == "ok"
    mounts = {mount["Destination"]: mount.get("Name") for mount in target.one("redis").raw["Mounts"]}
    assert mounts[configuration["dir"]] == f"{target.settings.name}-redis-data"


def test_memory_is_bound_below_the_containers_limit(configuration: dict[str, str], target: Target) -> None:
    wanted = str(target.settings["redis_maxmemory"]).lower()
    number = wanted.rstrip("bkmg")
    bound = int(configuration["maxmemory"])
    assert bound == int(number) * SIZES[wanted[len(number) :]]
    assert 0 < bound < target.one("redis").host_config["Memory"]


def test_what_is_used_least_goes_first(configuration: dict[str, str], target: Target) -> None:
    assert configuration["maxmemory-policy"] == target.settings["redis_maxmemory_policy"] != "noeviction"


def test_what_is_cached_ends(information: dict[str, str], target: Target) -> None:
    """Keys without an end are never evicted by this policy: there is the version of the lists at most."""
    keyspace = dict(part.split("=") for part in information.get("db0", "keys=0,expires=0").split(","))
    assert int(keyspace["keys"]) - int(keyspace["expires"]) <= 1
