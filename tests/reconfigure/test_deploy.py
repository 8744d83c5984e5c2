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
# Seconds until a new version answers, with the build of its image; two cores
LIVE_WITHIN = {"local": 30, "ssh": 60}
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


@pytest.fixture
def load(platform: Platform, pytestconfig: pytest.Config) -> Iterator[Load]:
    load = Load(platform, pytestconfig.getoption("--rate"))
    yield load
    load.remove()


@pytest.fixture
def _good_again(platform: Platform) -> Iterator[None]:
    """This repository's own version, whatever a test has deployed."""
    yield
    platform.deploy(variables=VARIABLES)


@pytest.fixture
def last_revision(platform: Platform) -> Iterator[str]:
    """The database's revision, which is that again in the end."""
    target, database = platform.target, platform.settings["postgres_database"]
    last = str(
        target.rows(target.primary, "select version_num from alembic_version", database)[0]["version_num"]
    )
    yield last
    assert target.psql(target.primary, versions.UNDO.format(last=last), database).rc == 0


def under_load(platform: Platform, load: Load, **options: Any) -> Run:
    """Deploy while requests come, some seconds before and after, too."""
    variables = VARIABLES | options.pop("variables", {})
    with load:
        time.sleep(3)
        run = platform.play(variables=variables, **options)
        time.sleep(3)
    return run


@pytest.mark.usefixtures("_good_again")
def test_a_new_version_is_live_before_long(platform: Platform, results: Results) -> None:
    root = versions.greets(platform.copy(), NEW)
    watch = Watch(platform, NEW)
    watch.start()
    run = platform.play(variables=VARIABLES, root=root)
    watch.over.set()
    watch.join()
    assert not run.failed, run
    limit = LIVE_WITHIN[platform.connection]
    results.add(
        f"A new version of the API: first answer ({platform.connection}; limit {limit} s)",
        f"{watch.first:.1f} s; the former version answered last after {watch.former:.1f} s,"
        f" the whole run took {run.seconds:.1f} s",
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
    platform: Platform, load: Load, last_revision: str, results: Results
) -> None:
    root = versions.migrates(platform.copy(), last_revision)
    platform.deploy(variables=VARIABLES, root=versions.greets(root, "Hello from a new schema!"))
    assert greeting(platform) == "Hello from a new schema!"
    back = under_load(platform, load, playbook="rollback.yml", root=root)
    assert not back.failed, back
    target, database = platform.target, platform.settings["postgres_database"]
    assert target.rows(target.primary, versions.MIGRATED, database) == [{"columns": 1}]
    assert {greeting(platform) for _ in range(20)} == {USUAL}
    load.judge()
    results.add("Back to the version before, under load", f"{back.seconds:.1f} s; {load.counts}")


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
