"""A filter that tells what a platform has in a container engine, from what that says of all that it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Inspected = Mapping[str, Any]
# Networks that every engine has.
OWN_NETWORKS = {"bridge", "host", "none"}
FIRST = ["proxy"]
LAST = ["redis", "broker", "pg-primary", "pg-replica"]


def labels(thing: Inspected) -> Mapping[str, str]:
    """Return the labels of a container, an image or a network; they may be null."""
    return thing.get("Labels") or (thing.get("Config") or {}).get("Labels") or {}


def names(image: Inspected) -> list[str]:
    """Return the names by which an image goes: its tags, or its id where it has none."""
    return image.get("RepoTags") or [image["Id"]]


def turn(container: Inspected) -> int:
    """Return when a container's turn to stop comes: who lets people in first, who keeps data last."""
    service = labels(container).get("octopus.service", "")
    if service in FIRST:
        return -1
    return LAST.index(service) + 1 if service in LAST else 0


def is_image_of(image: Inspected, platform: str, kinds: Iterable[str]) -> bool:
    """Say whether an image is a platform's: by its label, or by its name where it is older than the label."""
    repositories = {f"{platform}-{kind}" for kind in kinds}
    tagged = any(tag.rpartition(":")[0] in repositories for tag in image.get("RepoTags") or [])
    return tagged or labels(image).get("octopus.images") == platform


def volume_names(platform: str, services: Iterable[str]) -> set[str]:
    """Return the names of all volumes that a platform may have."""
    return {
        f"{platform}-backups",
        f"{platform}-restored-data",
        *(f"{platform}-{service}-data" for service in services),
    }


def uses(container: Inspected, ours: set[str]) -> set[str]:
    """Return which of our things a container uses: images by their id, networks and volumes by name."""
    mounted = {mount.get("Name") for mount in container.get("Mounts") or []}
    return ours & {container["Image"], *container["NetworkSettings"]["Networks"], *mounted}


def platform_objects(
    found: Mapping[str, Sequence[Inspected]], platform: str, kinds: list[str], services: list[str]
) -> dict[str, list[str]]:
    """Return names by kind of what a platform has in an engine, each in the order in which it goes.

    `found` is what the engine says when it inspects every container, network, image and volume. `users` are
    containers of others that use what is ours but volumes, `volume_users` those that use these. `others` is
    all else, as words.
    """
    containers = [one for one in found["container"] if labels(one).get("octopus.platform") == platform]
    networks = [one for one in found["network"] if labels(one).get("octopus.platform") == platform]
    images = [one for one in found["image"] if is_image_of(one, platform, kinds)]
    volumes = [one for one in found["volume"] if one["Name"] in volume_names(platform, services)]
    strangers = [one for one in found["container"] if one not in containers]
    ours = {one["Name"] for one in networks} | {one["Id"] for one in images}
    kept = {one["Name"] for one in volumes}
    return {
        "containers": container_names(sorted(containers, key=lambda one: (turn(one), one["Name"]))),
        "networks": sorted(one["Name"] for one in networks),
        "images": sorted(name for one in images for name in names(one)),
        "volumes": sorted(kept),
        "users": container_names(one for one in strangers if uses(one, ours)),
        "volume_users": container_names(one for one in strangers if uses(one, kept)),
        "others": others(found, [*containers, *networks, *images, *volumes]),
    }


def container_names(containers: Iterable[Inspected]) -> list[str]:
    """Return containers' names without the engine's slash."""
    return [str(one["Name"]).lstrip("/") for one in containers]


def others(found: Mapping[str, Sequence[Inspected]], ours: Sequence[Inspected]) -> list[str]:
    """Return all that is not ours, as "KIND NAME"; what every engine has is nobody's."""
    words = []
    for kind, things in found.items():
        for thing in things:
            name = names(thing)[0] if kind == "image" else str(thing["Name"]).lstrip("/")
            if thing not in ours and not (kind == "network" and name in OWN_NETWORKS):
                words.append(f"{kind} {name}")
    return sorted(words)


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"platform_objects": platform_objects}
