"""Filters that derive names from the platform's few lists."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any


def image_names(hashes: dict[str, str], platform: str, base_image: str) -> dict[str, str]:
    """Return the full name of each image: its tag covers its own sources and the base that it starts from."""
    names = {}
    for image, sources in hashes.items():
        tag = hashlib.sha256(f"{base_image} {sources}".encode()).hexdigest()[:12]
        names[image] = f"{platform}-{image}:{tag}"
    return names


def container_networks(
    networks: dict[str, dict[str, Any]], service: str, container: str, platform: str
) -> list[dict[str, Any]]:
    """Return docker_container's `networks` of a service's container: its networks, and its names in them."""
    aliases = sorted({service, container.removeprefix(f"{platform}-")})
    return [
        {"name": f"{platform}-{network}", "aliases": aliases}
        for network, definition in networks.items()
        if service in definition["members"]
    ]


def platform_networks_wanted(
    networks: dict[str, dict[str, Any]], platform: str, prefix: str
) -> list[dict[str, str]]:
    """Return name, whether it is internal, bridge and label of each network, all as the engine writes them.

    Linux limits the name of a bridge to 15 characters.
    """
    return [
        {
            "name": f"{platform}-{name}",
            "internal": str(definition.get("internal", True)).lower(),
            "bridge": str(definition.get("bridge", f"{prefix}{name}"))[:15],
            "label": name,
        }
        for name, definition in networks.items()
    ]


def orphaned_containers(
    containers: dict[str, dict[str, Any]],
    networks: dict[str, dict[str, Any]],
    replicas: dict[str, list[str]],
) -> list[str]:
    """Return containers that no definition names: of a service that sits nowhere, or one replica too many.

    `replicas` has the names of each service that may have several. NAME-before stands aside for NAME.
    """
    planned = planned_services(networks)

    def is_planned(name: str, service: str) -> bool:
        return service in planned and (service not in replicas or name in replicas[service])

    return sorted(
        name
        for name, state in containers.items()
        if not is_planned(name.removesuffix("-before"), state["service"])
    )


def orphaned_files(
    containers: dict[str, dict[str, Any]],
    orphans: list[str],
    networks: dict[str, dict[str, Any]],
    root: str,
) -> list[str]:
    """Return what lies on the target for orphans: their service's directory, or a note.

    A service that is still planned keeps its directory, which its replicas share: those that this very run
    has made are not among `containers`, which are from its beginning.
    """
    planned = planned_services(networks)
    services = {name: containers[name]["service"] for name in orphans}
    return sorted(
        {
            f"{root}/{service}" + (f"/{name}.note" if service in planned else "")
            for name, service in services.items()
        }
    )


def planned_services(networks: dict[str, dict[str, Any]]) -> set[str]:
    """Return the services that some network of the plan has as a member."""
    return {service for network in networks.values() for service in network["members"]}


def outdated_versions(images: list[str], repositories: list[str], keep: int, used: list[str]) -> list[str]:
    """Return the images of some repositories that are not among their newest, nor in use.

    `images` are names with tags, newest first; of each repository `keep` stay.
    """
    found = []
    for repository in repositories:
        versions = [image for image in images if image.rpartition(":")[0] == repository]
        found += [version for version in versions[keep:] if version not in used]
    return found


def other_majors(held: dict[str, str], stores: list[dict[str, str]]) -> list[str]:
    """Return a sentence for each volume whose data are of another major version than the images.

    `held` has the version of each volume that says so; `stores` says what the images have, and what to do.
    """
    return [
        f"The volume {store['volume']} holds data of {store['software']} {held[store['volume']]}, and the"
        f" images have {store['software']} {store['major']}: {store['remedy']}"
        ' (docs/operations.md, "A new major version").'
        for store in stores
        if held.get(store["volume"], str(store["major"])) != str(store["major"])
    ]


def certificate_not_after(now: datetime, days: int, renew_days: int) -> str:
    """Return the end of a certificate made now, in ASN.1 time: the same for all made in one period.

    Periods are `days - renew_days` long. Whenever a new one begins, the end moves on, and with it whatever
    is named after it: what was made in the period before is renewed at least `renew_days` before its end.
    """
    now = now.replace(tzinfo=now.tzinfo or UTC)
    period = timedelta(days=days - renew_days)
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    began = epoch + (now - epoch) // period * period
    return (began + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


class FilterModule:
    """The filters, under the names that templates use."""

    def filters(self) -> dict[str, Any]:
        """Return this file's filters."""
        return {
            "image_names": image_names,
            "container_networks": container_networks,
            "orphaned_containers": orphaned_containers,
            "orphaned_files": orphaned_files,
            "other_majors": other_majors,
            "outdated_versions": outdated_versions,
            "platform_networks_wanted": platform_networks_wanted,
            "certificate_not_after": certificate_not_after,
        }
