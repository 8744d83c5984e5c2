"""What holds for every container, volume and image of the platform."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.infra.services import SERVICES
from tests.infra.target import Container, Target

VOLUMES = (
    "pg-primary-data",
    "pg-replica-data",
    "redis-data",
    "broker-data",
    "prometheus-data",
    "backups",
)
OPTIONAL_VOLUMES = ("grafana-data", "restored-data")
SECRET = re.compile(r"PRIVATE KEY|(?i:password|passwd|secret|token|api_key)=[^\s|]")


@pytest.fixture(scope="module")
def processes(target: Target) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = target.program(
        "processes", {container.name: container.pid for container in target.containers.values()}
    )
    return found


# Which containers there are


def expected_names(target: Target, has_grafana: bool) -> set[str]:
    name = target.settings.name
    replicas = {"backend": target.settings["backend_replicas"], "worker": target.settings["worker_replicas"]}
    single = {f"{name}-{service}" for service in SERVICES if replicas.get(service, 1) == 1}
    many = {
        f"{name}-{service}-{n + 1}" for service, count in replicas.items() for n in range(count) if count > 1
    }
    return (single | many) - (set() if has_grafana else {f"{name}-grafana"})


def test_these_containers_and_no_others(target: Target, has_grafana: bool) -> None:
    assert set(target.containers) == expected_names(target, has_grafana)


def test_nothing_has_our_prefix_without_our_label(target: Target) -> None:
    """Those that play hosts for Molecule on this machine have a label of their own."""
    listed = target.run("docker ps --all --format '{{.Names}} {{.Label \"octopus.molecule\"}}'").splitlines()
    names = {line.strip() for line in listed if line.startswith(f"{target.settings.name}-")}
    assert {name for name in names if " " not in name} == set(target.containers)


def test_names_follow_the_service(containers: list[Container]) -> None:
    for container in containers:
        assert re.fullmatch(rf"{container.platform}-{container.service}(-\d+)?", container.name)


def test_they_are_healthy(containers: list[Container]) -> None:
    states = {container.name: container.raw["State"] for container in containers}
    assert {name: state.get("Health", {}).get("Status") for name, state in states.items()} == dict.fromkeys(
        states, "healthy"
    )
    assert not [name for name, state in states.items() if state["OOMKilled"]]


# What they may


def test_they_run_as_their_own_user(containers: list[Container], target: Target) -> None:
    for container in containers:
        uid = target.settings["platform_uids"][SERVICES[container.service]]
        assert container.raw["Config"]["User"].split(":")[0] == str(uid) != "0", container.name


def test_no_process_is_root_or_could_be(
    containers: list[Container], processes: dict[str, list[dict[str, Any]]], target: Target
) -> None:
    for container in containers:
        uid = target.settings["platform_uids"][SERVICES[container.service]]
        assert processes[container.name], f"{container.name} has no process"
        for process in processes[container.name]:
            assert process["uids"] == [uid], (container.name, process)
            assert 0 not in process["gids"] + process["groups"], (container.name, process)
            assert process["capabilities"] == 0, (container.name, process)
            assert process["no_new_privileges"], (container.name, process)


def test_their_root_file_system_is_read_only(containers: list[Container]) -> None:
    assert not [container.name for container in containers if not container.host_config["ReadonlyRootfs"]]


def test_they_have_no_capability(containers: list[Container]) -> None:
    for container in containers:
        assert container.host_config["CapDrop"] == ["ALL"], container.name
        assert not container.host_config["CapAdd"], container.name


def test_they_gain_no_privilege(containers: list[Container]) -> None:
    for container in containers:
        assert {"no-new-privileges", "no-new-privileges:true"} & set(
            container.host_config["SecurityOpt"] or []
        ), container.name
        assert not [option for option in container.host_config["SecurityOpt"] or [] if "unconfined" in option]
        assert not container.host_config["Privileged"], container.name
        assert not container.host_config["Devices"], container.name


def test_they_share_no_namespace_with_the_host(containers: list[Container]) -> None:
    for container in containers:
        modes = [container.host_config[f"{kind}Mode"] for kind in ("Pid", "Ipc", "UTS", "Userns", "Network")]
        assert not [mode for mode in modes if mode == "host" or mode.startswith("container:")], container.name


def test_they_have_limits(containers: list[Container]) -> None:
    for container in containers:
        assert container.host_config["Memory"] > 0, container.name
        # No swap besides
        assert container.host_config["MemorySwap"] == container.host_config["Memory"], container.name
        assert (container.host_config["PidsLimit"] or 0) > 0, container.name


def test_their_logs_are_bounded(containers: list[Container]) -> None:
    for container in containers:
        log = container.host_config["LogConfig"]
        assert log["Type"] in ("json-file", "local"), container.name
        assert {"max-size", "max-file"} <= set(log["Config"]), container.name


def test_they_come_back_by_themselves(containers: list[Container]) -> None:
    for container in containers:
        assert container.host_config["RestartPolicy"]["Name"] == "unless-stopped", container.name
        assert container.host_config["Init"] is True, container.name


def test_they_write_to_no_path_of_the_host(containers: list[Container]) -> None:
    for container in containers:
        binds = [mount for mount in container.raw["Mounts"] if mount["Type"] == "bind"]
        assert not [mount["Source"] for mount in binds if mount["RW"]], container.name
        assert not [mount["Source"] for mount in binds if mount["Source"].endswith(".sock")], container.name
        assert not [
            mount["Source"]
            for mount in binds
            if mount["Source"] in ("/", "/var/run", "/run", "/var/lib/docker")
        ]


# Volumes and images


def test_the_volumes_are_there(target: Target) -> None:
    name = target.settings.name
    listed = target.run(f"docker volume ls --quiet --filter name=^{name}-").split()
    ours = {
        volume.removeprefix(f"{name}-") for volume in listed if not volume.startswith(f"{name}-molecule-")
    }
    assert set(VOLUMES) <= ours <= {*VOLUMES, *OPTIONAL_VOLUMES}


def test_they_write_to_named_volumes_only(containers: list[Container]) -> None:
    for container in containers:
        volumes = [mount["Name"] for mount in container.raw["Mounts"] if mount["Type"] == "volume"]
        assert not [volume for volume in volumes if not volume.startswith(f"{container.platform}-")], (
            container.name
        )


def test_their_image_is_built_here(containers: list[Container], target: Target) -> None:
    for container in containers:
        image = container.raw["Config"]["Image"]
        if container.service == "grafana":
            assert image == target.settings["grafana_image"]
        else:
            assert re.fullmatch(rf"{container.platform}-[a-z-]+:[0-9a-f]{{12}}", image), image


@pytest.fixture(scope="module")
def told(target: Target) -> dict[str, str]:
    """Image -> what its layers were made by, and its settings."""
    images = sorted({container.raw["Image"] for container in target.containers.values()})
    history = "docker history --no-trunc --format '{{.CreatedBy}}'"
    script = "; ".join(f"{history} {image}; docker inspect {image}; echo =====" for image in images)
    return dict(zip(images, target.run(script).split("=====\n"), strict=False))


def test_no_secret_is_in_an_image(containers: list[Container], told: dict[str, str], target: Target) -> None:
    for image in {container.raw["Image"] for container in containers}:
        assert len(told[image]) > 100, image
        assert not SECRET.search(told[image]), f"{image}: {SECRET.search(told[image])}"
        leaked = [key for key, value in target.settings.secrets.items() if value in told[image]]
        assert not leaked, image


def test_no_secret_is_in_a_containers_definition(containers: list[Container], target: Target) -> None:
    for container in containers:
        definition = json.dumps(container.raw)
        leaked = [key for key, value in target.settings.secrets.items() if value in definition]
        assert not leaked, container.name
