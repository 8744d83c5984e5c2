"""Clients that take their time: each is cut off within seconds, and what one address may hold is bounded."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.infra.elsewhere import HERE, ask_from, program_from
from tests.infra.http_requests import request
from tests.infra.target import Target, wait_for

pytestmark = pytest.mark.audit

# Seconds: the proxy waits for 10, and a second handshake or a full buffer takes its time.
CUT_WITHIN = 14
# What an answer may take for somebody else, with the way to the host under test.
ANSWERED_WITHIN = 5
CASES = ("handshake", "header", "body")
TOO_MANY = 100  # beyond what one address may have


def job(target: Target, address: str, **more: Any) -> dict[str, Any]:
    return {"address": address, "port": target.settings["proxy_https_port"], **more}


@pytest.fixture(scope="module")
def seconds(target: Target) -> dict[str, float]:
    """All at once: it takes as long as the slowest."""
    return dict(target.program("slow", job(target, "127.0.0.1", cases=CASES)))


@pytest.mark.parametrize("case", CASES)
def test_who_does_not_go_on_is_cut_off(seconds: dict[str, float], case: str) -> None:
    """No handshake; a header that comes byte by byte; a body that stops coming."""
    assert 5 < seconds[case] < CUT_WITHIN


@pytest.mark.disruptive
def test_who_does_not_read_is_cut_off(target: Target, elsewhere: str) -> None:
    """From elsewhere: the engine's own proxy for clients on the host would take in everything."""
    seconds = program_from(target, elsewhere, "slow", job(target, HERE, cases=["reader"]))
    assert 5 < seconds["reader"] < CUT_WITHIN


@pytest.mark.disruptive
def test_one_address_keeps_nobody_else_from_being_served(target: Target, elsewhere: str) -> None:
    allowed = target.settings["proxy_client_connections"]
    if allowed > 400:
        pytest.skip("the limit was raised")
    holding = job(target, HERE, hold={"bodies": allowed + TOO_MANY, "headers": 300})
    slowest, statuses = 0.0, set()
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(program_from, target, elsewhere, "slow", holding)
        while not held.done():
            begun = time.monotonic()
            statuses.add(target.get("/api/data").status)
            slowest = max(slowest, time.monotonic() - begun)
    assert held.result() == {"refused": TOO_MANY, "held": allowed}
    assert statuses == {200}
    assert slowest < ANSWERED_WITHIN
    wait_for("the address is served again", lambda: served(target, elsewhere), CUT_WITHIN)


def served(target: Target, name: str) -> bool:
    answer = ask_from(target, name, request("GET", "/api/data"))[0]
    if answer.status == 429:
        assert int(answer.headers["retry-after"]) >= 1
        answer.problem()
    return answer.status == 200
