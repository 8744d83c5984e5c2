"""The filter `docker_run_options`: a container's definition as options of `docker run`.

Schedules start containers without Ansible. They have the same house rules, from the same dict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

# What says how the module goes about it, or is given when the container is started.
ELSEWHERE = {"state", "detach", "cleanup", "output_logs", "comparisons", "image_label_mismatch"} | {
    "networks",
    "image",
    "command",
    "name",
}
VALUES = {
    "hostname": "--hostname",
    "user": "--user",
    "memory": "--memory",
    "memory_swap": "--memory-swap",
    "shm_size": "--shm-size",
    "cpus": "--cpus",
    "pids_limit": "--pids-limit",
    "stop_timeout": "--stop-timeout",
    "log_driver": "--log-driver",
    "restart_policy": "--restart",
    "pull": "--pull",
}
FLAGS = {"init": "--init", "read_only": "--read-only", "privileged": "--privileged"}
LISTS = {
    "cap_drop": "--cap-drop",
    "capabilities": "--cap-add",
    "security_opts": "--security-opt",
    "dns_servers": "--dns",
    "dns_opts": "--dns-option",
    "tmpfs": "--tmpfs",
    "groups": "--group-add",
    "ulimits": "--ulimit",
}
DICTS = {"env": "--env", "labels": "--label", "log_options": "--log-opt", "sysctls": "--sysctl"}


def mount(one: Mapping[str, Any]) -> str:
    """Return a mount in the words of `--mount`."""
    words = [f"{key}={one[key]}" for key in ("type", "source", "target")]
    return ",".join([*words, *(["readonly"] if one.get("read_only") else [])])


def healthcheck(check: Mapping[str, Any]) -> list[str]:
    """Return that there is no check: a container that runs once has none."""
    if check.get("test") != ["NONE"]:
        raise AnsibleFilterError("docker_run_options: a container that runs once has no health check (NONE)")
    return ["--no-healthcheck"]


def options_of(key: str, value: Any) -> list[str]:
    """Return the options that one key stands for. Raise AnsibleFilterError for a strange one."""
    kinds: list[tuple[Mapping[str, str], Callable[[str], list[str]]]] = [
        (VALUES, lambda option: [option, str(value)]),
        (FLAGS, lambda option: [option] if value else []),
        (LISTS, lambda option: [word for one in value for word in (option, str(one))]),
        (DICTS, lambda option: [word for name in value for word in (option, f"{name}={value[name]}")]),
        ({"mounts": "--mount"}, lambda option: [word for one in value for word in (option, mount(one))]),
        ({"healthcheck": ""}, lambda _: healthcheck(value)),
    ]
    for names, made in kinds:
        if key in names:
            return made(names[key])
    raise AnsibleFilterError(f"docker_run_options: {key} is not known here, and would be lost")


def docker_run_options(definition: Mapping[str, Any]) -> list[str]:
    """Return docker_container's arguments as options of `docker run`, without name, networks and image."""
    return [word for key in sorted(set(definition) - ELSEWHERE) for word in options_of(key, definition[key])]


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"docker_run_options": docker_run_options}
