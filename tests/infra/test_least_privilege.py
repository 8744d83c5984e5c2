"""What containers may beyond nothing: the table of exceptions in docs/security.md, and nothing else."""

from __future__ import annotations

import pytest

from tests.infra.target import Container, Target

pytestmark = pytest.mark.audit

# Names of programs and packages, wherever they are; of documentation about them there is some.
TOOLS = (
    *("pip", "pip[0-9]*", "wheel", "ensurepip", "*.whl"),
    *("gcc", "gcc-[0-9]*", "*-gcc*", "g++*", "cc", "c++", "cc1*", "clang*", "ld", "ld.bfd", "as"),
    *("make", "gmake", "cmake", "cargo", "go"),
)
TOLD = ("/usr/share/gcc", "/usr/share/doc/*", "/usr/share/bash-completion/*", "/var/lib/dpkg/*")
LEFT = ("/var/lib/apt/lists/*", "/var/cache/apt/*.bin", "/var/cache/apt/*.deb", "*/.*_history", "*/.lesshst")
LOOKED = "looked at this many files:"
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


def tools_in(target: Target, image: str) -> list[str]:
    """Return where an image holds tools of builders, lists of packages, or a shell's history."""
    names, told, left = (
        " -o ".join(f"-{test} '{pattern}'" for pattern in patterns)
        for test, patterns in (("name", TOOLS), ("path", TOLD), ("path", LEFT))
    )
    look = f"find / -xdev \\( \\( {names} \\) ! \\( {told} \\) -o {left} \\) -print && "
    look += f"echo {LOOKED} $(find / -xdev -type f | wc -l)"
    told_all = target.run("docker run --rm --network none --user 0 --entrypoint sh %s -c %s", image, look)
    *found, last = told_all.splitlines()
    assert last.startswith(LOOKED), told_all
    assert int(last.removeprefix(LOOKED)) > 500, "hardly anything was looked through"
    return found


def test_images_hold_no_tool_of_builders(containers: list[Container], target: Target) -> None:
    """Neither compilers nor pip, lists of packages or a shell's history. Grafana's image is its maker's."""
    for container in containers:
        if container.service != "grafana":
            assert tools_in(target, container.raw["Image"]) == [], container.name


def test_the_search_for_tools_finds_those_of_the_builder(target: Target) -> None:
    image = target.run("docker image ls --quiet %s", f"{target.settings.name}-builder").split()[0]
    assert {path.rsplit("/", 1)[1].split("-")[0] for path in tools_in(target, image)} >= {"ensurepip", "pip"}


def test_the_hosts_figures_lead_to_no_secret(target: Target) -> None:
    """Neither by way of the platform's directory nor by way of other containers' processes."""
    look = "cat /host/root/*/secrets/* /host/proc/[0-9]*/root/run/secrets/* 2>/dev/null | wc -c"
    assert target.execute("node-exporter", "sh", "-c", look).stdout.strip() == "0"
