"""What a platform has in an engine, and what of it is somebody else's."""

from __future__ import annotations

from typing import Any

from plugins.filter.teardown import platform_objects

SERVICES = ["proxy", "backend", "broker", "redis", "pg-primary", "pg-replica"]
KINDS = ["backend", "base", "rootfs"]


def container(name: str, platform: str = "", image: str = "sha256:b", **more: Any) -> dict[str, Any]:
    service = name.partition("-")[2].removesuffix("-1")
    labels = {"octopus.platform": platform, "octopus.service": service} if platform else None
    networks: dict[str, Any] = {name: {} for name in more.get("networks", ["bridge"])}
    mounts = [{"Type": "volume", "Name": name} for name in more.get("volumes", [])]
    found = {"Name": f"/{name}", "Image": image, "Config": {"Labels": labels}, "Mounts": mounts}
    return found | {"NetworkSettings": {"Networks": networks}}


def image(identity: str, *tags: str, platform: str = "") -> dict[str, Any]:
    labels = {"octopus.images": platform} if platform else None
    return {"Id": identity, "RepoTags": list(tags), "Config": {"Labels": labels}}


def network(name: str, platform: str = "") -> dict[str, Any]:
    return {"Name": name, "Labels": {"octopus.platform": platform} if platform else {}}


def look(**found: list[dict[str, Any]]) -> dict[str, list[str]]:
    everything = {kind: found.get(kind, []) for kind in ("container", "network", "image", "volume")}
    return platform_objects(everything, "octopus", KINDS, SERVICES)


def test_who_lets_people_in_stops_first_and_who_keeps_data_last() -> None:
    services = ["pg-replica", "redis", "backend-1", "pg-primary", "broker", "proxy"]
    found = look(container=[container(f"octopus-{name}", "octopus") for name in services])
    order = ["proxy", "backend-1", "redis", "broker", "pg-primary", "pg-replica"]
    assert found["containers"] == [f"octopus-{name}" for name in order]


def test_images_go_by_label_or_by_name() -> None:
    images = [
        image("sha256:1", "octopus-backend:1", platform="octopus"),
        image("sha256:2", platform="octopus"),
        image("sha256:3", "octopus-rootfs:trixie"),
        image("sha256:4", "octopus-molecule:trixie"),
        image("sha256:5", "octopus-two-base:1", platform="octopus-two"),
        image("sha256:6", "registry.example:5000/octopus-base:1"),
    ]
    found = look(image=images)
    assert found["images"] == ["octopus-backend:1", "octopus-rootfs:trixie", "sha256:2"]
    theirs = ["octopus-molecule:trixie", "octopus-two-base:1", "registry.example:5000/octopus-base:1"]
    assert found["others"] == [f"image {name}" for name in theirs]


def test_another_platform_keeps_what_it_has() -> None:
    volumes = ["octopus-redis-data", "octopus-backups", "octopus-two-redis-data", "octopus-by-hand"]
    found = look(
        container=[container("octopus-two-redis", "octopus-two", networks=["octopus-two-cache"])],
        network=[
            network("bridge"),
            network("octopus-cache", "octopus"),
            network("octopus-two-cache", "octopus-two"),
        ],
        volume=[{"Name": name} for name in volumes],
    )
    assert found["volumes"] == ["octopus-backups", "octopus-redis-data"]
    assert found["networks"] == ["octopus-cache"]
    assert found["containers"] == found["users"] == found["volume_users"] == []
    assert found["others"] == [
        "container octopus-two-redis",
        "network octopus-two-cache",
        "volume octopus-by-hand",
        "volume octopus-two-redis-data",
    ]


def test_strangers_that_use_what_is_ours_are_named() -> None:
    found = look(
        container=[
            container("sitter", networks=["octopus-cache"]),
            container("runner", image="sha256:ours"),
            container("reader", volumes=["octopus-backups"]),
            container("nobody"),
        ],
        network=[network("octopus-cache", "octopus")],
        image=[image("sha256:ours", "octopus-base:1")],
        volume=[{"Name": "octopus-backups"}],
    )
    assert found["users"] == ["sitter", "runner"]
    assert found["volume_users"] == ["reader"]


def test_no_engine_holds_nothing() -> None:
    assert not any(look().values())
