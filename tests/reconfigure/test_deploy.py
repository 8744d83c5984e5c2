"""New versions and settings of the API go live under load, and no request fails; bugs never go live."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.infra.target import wait_for
from tests.reconfigure import versions
from tests.reconfigure.containers import anew
from tests.reconfigure.load import VARIABLES, Load
from tests.reconfigure.platform import Platform
from tests.reconfigure.results import Results
from tests.reconfigure.runs import Run
from tests.reconfigure.watch import Watch, greeting

USUAL, NEW = "Hello from Docker!", "Hello from a new version!"
BACKENDS = {"backend-1", "backend-2"}
APPLICATION = BACKENDS | {"worker", "relay"}
# Seconds until a new version answers for the first time, with the build of its image; two cores
LIVE_WITHIN = {"local": 30, "ssh": 60}
# Requests a second where each step takes its time: more messages than the worker gets done meanwhile, so that
# it always has some in hand, and few enough for it to get done soon after.
SLOW_RATE = 30
# It takes a second to store a message, to note it as logged, and to take what was relayed from the outbox:
# the application gives a statement three. The last two are counted as they begin. A sequence does not go
# back, so that what was broken off and is done again counts twice.
SLOW = """
create sequence test_relayed;
create sequence test_logged;
create function test_count() returns trigger language plpgsql security definer as
  $$ begin perform nextval(tg_argv[0]::regclass); return null; end $$;
create function test_sleep() returns trigger language plpgsql as
  $$ begin perform pg_sleep(1); return null; end $$;
create trigger test_count after delete on outbox
  for each row execute function test_count('test_relayed');
create trigger test_count after update of status on messages
  for each row execute function test_count('test_logged');
create trigger test_sleep after delete on outbox
  for each statement execute function test_sleep();
create trigger test_sleep after insert or update of status on messages
  for each statement execute function test_sleep();
"""
# The triggers go with their functions.
NOT_SLOW = """
drop function test_count(), test_sleep() cascade;
drop sequence test_relayed, test_logged;
"""
BEGUN = """
select (select last_value from test_relayed) relayed, (select last_value from test_logged) logged
"""
# What makes each, and what its health check is heard to say.
BUGS: dict[str, tuple[Callable[[Path, str], Path], str]] = {
    "ends at its start": (versions.api_does_not_start, "it has ended 3 times by itself"),
    "has no worker": (versions.worker_does_not_start, "it has ended 3 times by itself"),
    "is never ready": (versions.is_never_ready, "not within 60 s: /api/health/ready answered 503"),
}


@pytest.fixture(scope="module", autouse=True)
def _usual(platform: Platform) -> Iterator[None]:
    """The load's own variables come and go once; the tests change nothing else of them."""
    platform.deploy(variables=VARIABLES)
    yield
    platform.deploy()


def removed_again(platform: Platform, rate: int) -> Iterator[Load]:
    load = Load(platform, rate)
    yield load
    load.remove()


@pytest.fixture
def load(platform: Platform, pytestconfig: pytest.Config) -> Iterator[Load]:
    yield from removed_again(platform, pytestconfig.getoption("--rate"))


@pytest.fixture
def second_load(platform: Platform, pytestconfig: pytest.Config) -> Iterator[Load]:
    """For a test that deploys under load twice: a load cannot begin again."""
    yield from removed_again(platform, pytestconfig.getoption("--rate"))


@pytest.fixture
def slow_load(platform: Platform) -> Iterator[Load]:
    """A load of which each message takes some seconds on its way."""
    target, database = platform.target, platform.settings["postgres_database"]
    load = Load(platform, SLOW_RATE)
    made = target.psql(target.primary, SLOW, database)
    assert made.rc == 0, made.stderr
    yield load
    # Before anything else, also where the test has failed: no other is to be slow.
    gone = target.psql(target.primary, NOT_SLOW, database)
    assert gone.rc == 0, gone.stderr
    load.remove()


@pytest.fixture
def _good_again(platform: Platform) -> Iterator[None]:
    """This repository's own version, whatever a test has deployed."""
    yield
    platform.deploy(variables=VARIABLES)


def under_load(platform: Platform, load: Load, **options: Any) -> Run:
    """Deploy while requests come, some seconds before and after, too."""
    variables = VARIABLES | options.pop("variables", {})
    with load:
        time.sleep(3)
        run = platform.play(variables=variables, **options)
        time.sleep(3)
    return run


@pytest.mark.usefixtures("_good_again")
def test_a_new_version_answers_before_long(platform: Platform, results: Results) -> None:
    root = versions.greets(platform.copy(), NEW)
    watch = Watch(platform, NEW)
    watch.start()
    run = platform.play(variables=VARIABLES, root=root)
    watch.over.set()
    watch.join()
    assert not run.failed, run
    limit = LIVE_WITHIN[platform.connection]
    results.add(
        f"A new version of the API answers ({platform.connection}; limit for the first answer {limit} s)",
        f"first answer after {watch.first:.1f} s, last of the former version after {watch.former:.1f} s,"
        f" the whole run {run.seconds:.1f} s",
    )
    assert watch.first <= limit


@pytest.mark.usefixtures("_good_again")
def test_a_new_version_goes_live_under_load(platform: Platform, load: Load, results: Results) -> None:
    run = under_load(platform, load, root=versions.greets(platform.copy(), NEW))
    assert not run.failed, run
    load.judge()
    assert {greeting(platform) for _ in range(20)} == {NEW}
    results.add("A new version of the API, under load", f"{run.seconds:.1f} s; {load.counts}")


def test_a_changed_setting_goes_live_under_load(platform: Platform, load: Load, results: Results) -> None:
    before = platform.started()
    run = under_load(platform, load, variables={"backend_threads": 5})
    assert not run.failed, run
    assert anew(before, platform.started()) == BACKENDS
    load.judge()
    results.add("A changed setting of the API, under load", f"{run.seconds:.1f} s; {load.counts}")


@pytest.mark.usefixtures("_good_again")
def test_what_is_under_way_is_finished(platform: Platform, slow_load: Load, results: Results) -> None:
    """Backends, worker and relay are all replaced, and none has to begin again what another has begun."""
    before = platform.started()
    run = under_load(platform, slow_load, variables={"application_log_level": "DEBUG"})
    assert not run.failed, run
    assert anew(before, platform.started()) == APPLICATION
    slow_load.judge()
    assert slow_load.counts.slowest >= 1, "nothing was slow"
    number = len(slow_load.rows("id"))
    target, database = platform.target, platform.settings["postgres_database"]
    assert target.rows(target.primary, BEGUN, database) == [{"relayed": number, "logged": number}]
    results.add(
        "The whole application replaced, with a second for each step of a message",
        f"{run.seconds:.1f} s; {slow_load.counts}; none relayed or logged twice",
    )


def images_of_application(platform: Platform) -> dict[str, str]:
    return {name: str(platform.inspect(name)["Config"]["Image"]) for name in APPLICATION}


@pytest.mark.usefixtures("_good_again")
@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_does_not_go_live(platform: Platform, load: Load, results: Results, bug: str) -> None:
    images = images_of_application(platform)
    says = f"A bug that {bug}"
    make, heard = BUGS[bug]
    run = under_load(platform, load, root=make(platform.copy(), says))
    assert run.failed, "the bug was deployed"
    # The last log lines, what the health check said, and what became of it.
    for words in (says, f"does not pass its health check: {heard}", "has been put back"):
        assert words in " ".join(run.output.split()), f"{words}: {run}"
    load.judge()
    assert {greeting(platform) for _ in range(20)} == {USUAL}
    assert images_of_application(platform) == images
    results.add(f"A version with a bug that {bug}: refused", f"{run.seconds:.1f} s; {load.counts}")
    platform.deploy(variables=VARIABLES)
    assert platform.play(variables=VARIABLES).changed == []


@pytest.mark.usefixtures("_good_again")
def test_the_version_before_serves_on_the_new_schema(
    platform: Platform, load: Load, second_load: Load, last_revision: str, results: Results
) -> None:
    """Before the new version is live, which needs that schema, and when it has been taken back."""
    root = versions.greets(versions.migrates(platform.copy(), last_revision), "Hello from a new schema!")
    run = under_load(platform, load, root=root)
    assert not run.failed, run
    load.judge()
    assert {greeting(platform) for _ in range(20)} == {"Hello from a new schema!"}
    results.add("A new version with a migration, under load", f"{run.seconds:.1f} s; {load.counts}")
    back = under_load(platform, second_load, playbook="rollback.yml", root=root)
    assert not back.failed, back
    assert versions.is_migrated(platform)
    assert {greeting(platform) for _ in range(20)} == {USUAL}
    second_load.judge()
    results.add("Back to the version before, under load", f"{back.seconds:.1f} s; {second_load.counts}")


@pytest.mark.usefixtures("_good_again")
def test_a_rollback_that_was_broken_off_is_finished_by_another(platform: Platform) -> None:
    usual = images_of_application(platform)
    root = versions.greets(platform.copy(), NEW)
    platform.deploy(variables=VARIABLES, root=root)
    new = images_of_application(platform)
    playing = platform.begin("rollback.yml", variables=VARIABLES, root=root)
    first = f"docker inspect --format {{{{.Config.Image}}}} {platform.settings.name}-backend-1"
    wait_for("the first is back", lambda: usual["backend-1"] in platform.run(first).stdout, 120)
    playing.kill()
    platform.deploy(variables=VARIABLES, playbook="rollback.yml", root=root)
    assert images_of_application(platform) == usual
    served = platform.run("cat %s/backend/versions", platform.settings["platform_root"]).stdout.split()
    assert served[0] == usual["backend-1"]
    assert new["backend-1"] not in served
