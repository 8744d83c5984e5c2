"""The filter that starts a container without Ansible, under the same rules."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from plugins.filter.docker_run import docker_run_options
from tests.unit.repository import ROOT

ONCE = {"healthcheck": {"test": ["NONE"]}}


def test_values_lists_and_dicts_become_options() -> None:
    definition = {"memory": "64m", "cap_drop": ["ALL"], "env": {"HOME": "/home"}, "read_only": True}
    assert docker_run_options(definition) == [
        *("--cap-drop", "ALL"),
        *("--env", "HOME=/home"),
        *("--memory", "64m"),
        "--read-only",
    ]


def test_a_mount_is_read_only_where_it_says_so() -> None:
    mounts = [
        {"type": "volume", "source": "octopus-backups", "target": "/var/lib/backups"},
        {"type": "bind", "source": "/opt/x", "target": "/run/secrets", "read_only": True},
    ]
    assert docker_run_options({"mounts": mounts}) == [
        *("--mount", "type=volume,source=octopus-backups,target=/var/lib/backups"),
        *("--mount", "type=bind,source=/opt/x,target=/run/secrets,readonly"),
    ]


def test_a_flag_that_is_off_is_no_option() -> None:
    assert docker_run_options({"privileged": False}) == []


def test_every_house_rule_is_known() -> None:
    rules = yaml.safe_load((ROOT / "roles/container/defaults/main.yml").read_text(encoding="utf-8"))
    options = docker_run_options(rules["container_defaults"] | ONCE)
    assert "--read-only" in options
    assert "--no-healthcheck" in options
    assert options[options.index("--security-opt") + 1] == "no-new-privileges:true"


def test_what_would_be_lost_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="devices"):
        docker_run_options({"devices": ["/dev/sda"]})


def test_a_health_check_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="runs once"):
        docker_run_options({"healthcheck": {"test": ["CMD", "true"]}})
