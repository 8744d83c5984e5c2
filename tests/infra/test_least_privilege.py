"""What containers may beyond nothing: the table of exceptions in docs/security.md, and nothing else."""

from __future__ import annotations

import pytest

from tests.infra.target import Container, Target

pytestmark = pytest.mark.audit

TMPFS_OPTIONS = ("noexec", "nosuid", "nodev", "size=")


def exceptions(target: Target) -> dict[str, set[tuple[str, str]]]:
    """Service -> (path of the host, path inside) beside its own configuration and secrets; all read-only."""
    root = target.settings["platform_root"]
    return {"node-exporter": {("/proc", "/host/proc"), ("/sys", "/host/sys"), (root, "/host/root")}}


def test_they_see_their_own_configuration_and_nothing_else_of_the_host(
    containers: list[Container], target: Target
) -> None:
    for container in containers:
        own = f"{target.settings['platform_root']}/{container.service}"
        allowed = {(f"{own}/config", "/etc/octopus"), (f"{own}/secrets", "/run/secrets")}
        allowed |= exceptions(target).get(container.service, set())
        binds = [mount for mount in container.raw["Mounts"] if mount["Type"] == "bind"]
        assert {(mount["Source"], mount["Destination"]) for mount in binds} <= allowed, container.name
        assert not [mount for mount in binds if mount["RW"]], container.name


def test_what_they_write_into_memory_is_bounded_and_runs_nothing(containers: list[Container]) -> None:
    for container in containers:
        mounts = container.host_config["Tmpfs"] or {}
        assert "/tmp" in mounts, container.name  # noqa: S108
        for place, options in mounts.items():
            missing = [option for option in TMPFS_OPTIONS if option not in options]
            assert not missing, (container.name, place)


def test_the_kernels_filter_of_system_calls_is_on(containers: list[Container], target: Target) -> None:
    """2 stands for a filter in force."""
    for container in containers:
        status = target.run("cat /proc/%s/status", str(container.pid))
        assert "\nSeccomp:\t2\n" in status, container.name


def test_their_processors_are_bounded(containers: list[Container]) -> None:
    assert not [one.name for one in containers if not one.host_config["NanoCpus"]]


def test_images_hold_no_tool_of_builders(containers: list[Container], target: Target) -> None:
    """Neither compilers nor pip, lists of packages or a shell's history. Grafana's image is its maker's."""
    look = "command -v gcc cc make pip pip3; ls -d /var/lib/apt/lists/*Packages* /root/.*_history 2>/dev/null"
    for container in containers:
        if container.service != "grafana":
            image = container.raw["Image"]
            command = "docker run --rm --network none --user 0 --entrypoint sh %s -c %s || true"
            assert not target.run(command, image, look).split(), container.name


def test_the_hosts_figures_lead_to_no_secret(target: Target) -> None:
    """Neither by way of the platform's directory nor by way of other containers' processes."""
    look = "cat /host/root/*/secrets/* /host/proc/[0-9]*/root/run/secrets/* 2>/dev/null | wc -c"
    assert target.execute("node-exporter", "sh", "-c", look).stdout.strip() == "0"
