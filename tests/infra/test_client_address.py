"""Whose request it was: logs and limits go by the address of the connection, whatever headers say."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest

from tests.infra.elsewhere import ELSEWHERE, ask_from
from tests.infra.http_requests import JSON, request
from tests.infra.target import Target

pytestmark = pytest.mark.audit

LIE = "203.0.113.7"  # kept for documentation
LIES = {
    "X-Forwarded-For": LIE,
    "X-Real-IP": LIE,
    "Forwarded": f"for={LIE}",
    "X-Client-IP": LIE,
    "True-Client-IP": LIE,
}


def lines_about(target: Target, mark: str, *services: str) -> dict[str, list[dict[str, Any]]]:
    """Return what services have logged about a path, which has to be JSON line by line."""
    time.sleep(0.5)
    found = {}
    for service in services:
        names = [container.name for container in target.service(service)]
        logs = "; ".join(f"docker logs --since 2m {name} 2>&1" for name in names)
        lines = target.run("{ " + logs + "; } | grep -F %s || true", mark).splitlines()
        found[service] = [json.loads(line) for line in lines]
    return found


def test_logs_do_not_believe_headers(target: Target) -> None:
    mark = f"verify-{uuid.uuid4().hex[:12]}"
    target.ask(request("GET", f"/api/{mark}", LIES))
    for service, lines in lines_about(target, mark, "proxy", "backend").items():
        assert lines, f"{service} has logged nothing"
        assert LIE not in json.dumps(lines), service
        assert lines[0]["client"], service


def test_an_address_gets_no_line_of_its_own_into_the_logs(target: Target) -> None:
    mark = f"verify-{uuid.uuid4().hex[:12]}"
    forged = '%0d%0a{"client":"203.0.113.7"}%1b[31m"\\x0a'
    target.ask(request("GET", f"/api/{mark}{forged}", {"User-Agent": f"{mark} {forged}"}))
    for service, lines in lines_about(target, mark, "proxy", "backend").items():
        assert len(lines) == 1, service
        assert lines[0]["client"] != LIE, service


@pytest.mark.disruptive
def test_logs_hold_the_clients_address(target: Target, elsewhere: str) -> None:
    mark = f"verify-{uuid.uuid4().hex[:12]}"
    assert ask_from(target, elsewhere, request("GET", f"/api/{mark}", LIES))[0].status == 404
    for service, lines in lines_about(target, mark, "proxy", "backend").items():
        assert {line["client"] for line in lines} == {ELSEWHERE}, service


@pytest.mark.disruptive
def test_a_client_cannot_lie_itself_past_the_limit(target: Target, elsewhere: str) -> None:
    """Each request says another address; the key is wrong, so that nothing is stored."""
    burst, rate = target.settings["proxy_write_burst"], target.settings["proxy_write_rate"]
    if burst + rate > 300:
        pytest.skip("the limit was raised")
    writing = [
        request("POST", "/api/messages", JSON | {"X-Forwarded-For": f"203.0.113.{number % 250}"})
        for number in range(burst * 2 + rate * 3)
    ]
    statuses = [answer.status for answer in ask_from(target, elsewhere, *writing, parallel=8)]
    assert set(statuses) == {401, 429}
    assert target.ask(writing[0])[0].status == 401, "somebody else's limit was used up"
