"""Prometheus and its targets; the dashboards, each query of which is tried."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from tests.infra.http_requests import request, to
from tests.infra.message import Messages
from tests.infra.settings import ROOT
from tests.infra.target import Target

FILES = sorted((ROOT / "roles/observability/files/dashboards").glob("*.json"))
WANTED = {"overview", "backend", "celery-rabbitmq", "postgresql"}
JOBS = {"prometheus", "backend", "relay", "worker", "broker", "postgres", "redis", "nginx", "node"}
INTERVALS = {
    "__rate_interval": "1m",
    "__interval": "15s",
    "__range": "1h",
    "__range_s": "3600",
    "__interval_ms": "15000",
}
# Queries that a healthy platform may answer with nothing -> why.
MAY_BE_EMPTY: dict[str, str] = {}
# Numbers of what has just been asked for the first time are there after two scrapes.
SHOWS_WITHIN = 50  # seconds


def panels(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield panels, those inside rows too."""
    for panel in found:
        yield panel
        yield from panels(panel.get("panels", []))


def queries() -> dict[str, str]:
    """Return `dashboard / panel / refId` -> expression."""
    found = {}
    for file in FILES:
        for panel in panels(json.loads(file.read_text(encoding="utf-8"))["panels"]):
            for target in panel.get("targets", []):
                found[f"{file.stem} / {panel['title']} / {target['refId']}"] = target["expr"]
    return found


QUERIES = queries()


def filled_in(expression: str) -> str:
    """Put values in the place of Grafana's variables; those of a dashboard stand for everything."""

    def value(match: re.Match[str]) -> str:
        return INTERVALS.get(match[1] or match[2], ".*")

    return re.sub(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))", value, expression)


class Prometheus:
    """Its API, asked from the host: it listens in the monitoring network."""

    def __init__(self, target: Target) -> None:
        self.target, self.address = target, target.one("prometheus").addresses["monitoring"]

    def get(self, *paths: str) -> list[dict[str, Any]]:
        return [
            response.json() for response in self.target.ask(*[to(self.address, 9090, path) for path in paths])
        ]

    def query(self, *expressions: str) -> list[dict[str, Any]]:
        return self.get(*[f"/api/v1/query?query={quote(expression)}" for expression in expressions])


@pytest.fixture(scope="module")
def prometheus(target: Target) -> Prometheus:
    return Prometheus(target)


@pytest.fixture(scope="module")
def targets(prometheus: Prometheus) -> list[dict[str, Any]]:
    """What Prometheus asks; a service that was started a moment ago gets the time until it is asked again."""
    end = time.monotonic() + SHOWS_WITHIN
    while True:
        found: list[dict[str, Any]] = prometheus.get("/api/v1/targets?state=active")[0]["data"][
            "activeTargets"
        ]
        if all(one["health"] == "up" for one in found) or time.monotonic() > end:
            return found
        time.sleep(2)


@pytest.fixture(scope="module")
def results(prometheus: Prometheus, messages: Messages, target: Target) -> dict[str, dict[str, Any]]:
    """Every query's answer; there has to be something to see, and time for it to be seen."""
    assert messages.logged
    target.ask(*[request("GET", path) for path in ("/api/data", "/api/messages", "/")])
    end = time.monotonic() + SHOWS_WITHIN
    answers: dict[str, dict[str, Any]] = {}
    while missing := [name for name in QUERIES if not answers.get(name, {}).get("data", {}).get("result")]:
        answers.update(
            zip(missing, prometheus.query(*[filled_in(QUERIES[name]) for name in missing]), strict=True)
        )
        if time.monotonic() > end:
            break
        if any(not answer.get("data", {}).get("result") for answer in answers.values()):
            time.sleep(3)
    return answers


# Prometheus


def test_every_target_is_up(targets: list[dict[str, Any]]) -> None:
    assert targets
    assert {one["scrapeUrl"]: one["lastError"] for one in targets if one["health"] != "up"} == {}


@pytest.mark.parametrize("job", sorted(JOBS))
def test_every_service_is_asked(targets: list[dict[str, Any]], job: str) -> None:
    assert [one for one in targets if one["labels"]["job"] == job]


def test_both_places_of_postgresql_and_every_replica_are_asked(
    targets: list[dict[str, Any]], target: Target
) -> None:
    asked = {(one["labels"]["job"], one["labels"]["instance"]) for one in targets}
    assert {("postgres", "pg-primary"), ("postgres", "pg-replica")} <= asked
    prefix = f"{target.settings.name}-"
    for service in ("backend", "worker"):
        assert {(service, one.name.removeprefix(prefix)) for one in target.service(service)} <= asked


def test_exporters_reach_what_they_report_on(prometheus: Prometheus) -> None:
    names = ("pg_up", "redis_up", "nginx_up")
    for name, answer in zip(names, prometheus.query(*names), strict=True):
        assert answer["data"]["result"], name
        assert {result["value"][1] for result in answer["data"]["result"]} == {"1"}, name


def test_what_it_keeps_is_bounded(prometheus: Prometheus, target: Target) -> None:
    flags = prometheus.get("/api/v1/status/flags")[0]["data"]
    assert flags["storage.tsdb.retention.time"] == target.settings["observability_retention_time"]
    assert int(re.sub(r"\D", "", flags["storage.tsdb.retention.size"])) > 0
    assert flags["web.enable-admin-api"] == flags["web.enable-lifecycle"] == "false"


def test_its_data_is_in_its_volume(target: Target) -> None:
    mounts = {
        mount["Name"]: mount["Destination"]
        for mount in target.one("prometheus").raw["Mounts"]
        if mount["Type"] == "volume"
    }
    assert list(mounts) == [f"{target.settings.name}-prometheus-data"]


# Dashboards


def test_the_promised_dashboards_are_there() -> None:
    assert {file.stem for file in FILES} >= WANTED


@pytest.fixture(scope="module")
def laid_down(target: Target) -> dict[str, str]:
    """Grafana's files on the host, whether it runs or not."""
    directory = f"{target.settings['platform_root']}/grafana/config"
    program = "import json, pathlib, sys; base = pathlib.Path(sys.argv[1]); "
    program += (
        "print(json.dumps({str(f.relative_to(base)): f.read_text() for f in base.rglob('*') if f.is_file()}))"
    )
    return dict(json.loads(target.run("python3 -c %s %s", program, directory)))


def test_grafanas_configuration_is_laid_down(laid_down: dict[str, str]) -> None:
    assert {
        "grafana.ini",
        "provisioning/datasources/prometheus.yml",
        "provisioning/dashboards/dashboards.yml",
    } <= set(laid_down)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_dashboards_are_laid_down(laid_down: dict[str, str], file: Path) -> None:
    same = json.loads(laid_down[f"dashboards/{file.name}"]) == json.loads(file.read_text(encoding="utf-8"))
    assert same, "the host has another version than this repository: deploy again"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_dashboards_name_the_provisioned_data_source(laid_down: dict[str, str], file: Path) -> None:
    provisioned = yaml.safe_load(laid_down["provisioning/datasources/prometheus.yml"])["datasources"]
    dashboard = json.loads(file.read_text(encoding="utf-8"))
    assert "${DS_" not in json.dumps(dashboard)
    sources = [
        one.get("datasource", panel.get("datasource"))
        for panel in panels(dashboard["panels"])
        for one in panel.get("targets", [])
    ]
    assert sources
    assert {source["uid"] for source in sources} == {provisioned[0]["uid"]}


@pytest.mark.parametrize("name", QUERIES)
def test_every_panel_shows_something(results: dict[str, dict[str, Any]], name: str) -> None:
    answer = results[name]
    assert answer["status"] == "success", answer.get("error")
    assert answer["data"]["result"] or name in MAY_BE_EMPTY, filled_in(QUERIES[name])


def test_grafana_asks_for_a_login(target: Target) -> None:
    if not target.service("grafana"):
        pytest.skip("Grafana is not deployed on this host")
    anonymous, search, health = target.ask(
        *[request("GET", f"/grafana/{path}") for path in ("", "api/search", "api/health")]
    )
    assert (anonymous.status, "login" in anonymous.headers.get("location", "")) == (302, True)
    assert search.status == 401
    assert health.json()["database"] == "ok"
