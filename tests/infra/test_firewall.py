"""The firewall's chains: there, first, in the back end in use, there again by themselves, and ours alone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from tests.infra.figures import Figure
from tests.infra.target import Target

# Marks rules that somebody else might have; port 9 takes nothing anywhere.
MARK = "verify-foreign"
LAY = """
set -e
tool=$1 mark=$2
add() { end=$1; shift; $tool -w "$@" -p tcp --dport 9 -m comment --comment $mark -j $end; }
$tool -w -N $mark
add RETURN -A $mark
add DROP -A $mark
for chain in INPUT FORWARD OUTPUT DOCKER-USER; do
  add $mark -I $chain
  add RETURN -A $chain
done
add RETURN -t nat -I PREROUTING
"""
# By what is there, so that the rests of a run that broke off go, too.
LIFT = """
tool=$1 mark=$2
for table in nat filter; do
  $tool-save -t $table | sed -n "s/^-A \\(.*$mark.*\\)/\\1/p" | xargs -r -L 1 $tool -w -t $table -D
done
$tool -w -X $mark 2>/dev/null || true
"""
RECOVERS_WITHIN = 120  # seconds, for all that the engine starts anew at once


@pytest.fixture(scope="module")
def firewall(target: Target) -> str:
    return f"/usr/local/sbin/{target.settings.name}-firewall"


@pytest.fixture(scope="module")
def tools(target: Target) -> list[str]:
    """The commands of both families; a host without IPv6 has no rules of it."""
    listed = target.run(
        "for tool in iptables ip6tables; do $tool -w -n -L INPUT >/dev/null 2>&1 && echo $tool; done"
    )
    assert listed.split()[0] == "iptables"
    return listed.split()


def rules(target: Target, saving: str) -> list[str]:
    """Return what a command like iptables-save tells, without its remarks and counters."""
    lines = target.run(saving).splitlines()
    return [re.sub(r" \[\d+:\d+\]$", "", line) for line in lines if not line.startswith("#")]


def is_ours(line: str, target: Target) -> bool:
    return bool(re.search(rf"\b{target.settings.name.upper()}-(HOST|OUT|IN)\b", line))


def is_systemd(target: Target) -> bool:
    return target.run("cat /proc/1/comm").strip() == "systemd"


def first_rule(target: Target, tool: str, chain: str) -> str:
    found = [line for line in rules(target, f"{tool}-save -t filter") if line.startswith(f"-A {chain} ")]
    return found[0] if found else ""


def check_chains(target: Target, firewall: str, tools: list[str]) -> None:
    """They are in place and come first: what stood before them could let something pass."""
    assert target.host.run("%s check", firewall).rc == 0
    for tool in tools:
        assert is_ours(first_rule(target, tool, "INPUT"), target), tool
        assert is_ours(first_rule(target, tool, "DOCKER-USER"), target), tool


def test_the_chains_are_there_and_come_first(target: Target, firewall: str, tools: list[str]) -> None:
    check_chains(target, firewall, tools)
    # The engine's doing. Of IPv6 it writes no rules where no network has such addresses.
    assert first_rule(target, "iptables", "FORWARD") == "-A FORWARD -j DOCKER-USER"


def test_they_are_in_the_back_end_that_is_in_use(target: Target, tools: list[str], figure: Figure) -> None:
    """That the engine uses as well: it has to find them."""
    for tool in tools:
        found = re.search(r"\((nf_tables|legacy)\)", target.run(f"{tool} --version"))
        assert found, tool
        figure(f"back end of {tool}", found.group(1))
        kinds = {"nf_tables": "nft", "legacy": "legacy"}
        used = kinds.pop(found.group(1))
        (other,) = kinds.values()
        ours = {
            kind: [line for line in rules(target, f"{tool}-{kind}-save") if is_ours(line, target)]
            for kind in (used, other)
        }
        assert ours[used]
        assert not ours[other], "chains are left in the back end that is not in use"
    assert any("DOCKER" in line for line in rules(target, f"iptables-{used}-save -t nat"))


def test_they_are_there_before_the_engine_starts(target: Target) -> None:
    if not is_systemd(target):
        pytest.skip("this host starts without systemd")
    unit = f"{target.settings.name}-firewall.service"
    assert unit in target.run("systemctl show docker --property=After --value").split()
    assert target.run("systemctl is-enabled %s", unit).strip() == "enabled"


@pytest.fixture
def foreign(target: Target, firewall: str, tools: list[str]) -> Iterator[None]:
    """Rules of somebody else, before ours and behind them."""
    for tool in tools:
        target.run("sh -c %s sh %s %s", LIFT, tool, MARK)
        target.run("sh -c %s sh %s %s", LAY, tool, MARK)
    yield
    for tool in tools:
        target.run("sh -c %s sh %s %s", LIFT, tool, MARK)
    target.run("%s up", firewall)


@pytest.mark.disruptive
@pytest.mark.usefixtures("foreign")
def test_nobody_elses_rules_are_touched(
    target: Target, firewall: str, tools: list[str], figure: Figure
) -> None:
    def others() -> dict[str, list[str]]:
        return {
            tool: [line for line in rules(target, f"{tool}-save") if not is_ours(line, target)]
            for tool in tools
        }

    before = others()
    assert all(sum(MARK in line for line in before[tool]) >= 12 for tool in tools), before
    figure("foreign lines of the firewall compared", sum(map(len, before.values())))
    for command in ("up", "down", "down", "up", "up"):
        target.run(f"{firewall} {command}")
        assert others() == before, command
        ours = {
            tool: [line for line in rules(target, f"{tool}-save") if is_ours(line, target)] for tool in tools
        }
        assert all(bool(lines) == (command == "up") for lines in ours.values()), (command, ours)
    check_chains(target, firewall, tools)


@pytest.mark.disruptive
def test_they_are_there_again_after_a_restart_of_the_engine(
    target: Target, firewall: str, tools: list[str], figure: Figure
) -> None:
    """And the platform is. Taken away before, so that it is the restart that brings them."""
    if not is_systemd(target):
        pytest.skip("this host starts without systemd")
    target.run("%s down", firewall)
    started = time.monotonic()
    target.run("systemctl restart docker")
    check_chains(target, firewall, tools)
    target.recover(RECOVERS_WITHIN)
    figure(
        "seconds until the platform answers after a restart of the engine", round(time.monotonic() - started)
    )
    check_chains(target, firewall, tools)
