"""The filters that derive names from the platform's lists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugins.filter.platform import (
    certificate_not_after,
    container_networks,
    image_names,
    orphaned_containers,
    orphaned_files,
    other_majors,
    outdated_versions,
    platform_networks_wanted,
)

NETWORKS = {"front": {"members": ["proxy", "page"]}, "data": {"members": ["page"]}}


def test_an_image_is_named_after_its_sources_and_its_base() -> None:
    first = image_names({"page": "aaa"}, "octopus", "base:1")["page"]
    assert first.startswith("octopus-page:")
    assert first == image_names({"page": "aaa"}, "octopus", "base:1")["page"]
    assert first != image_names({"page": "bbb"}, "octopus", "base:1")["page"]
    assert first != image_names({"page": "aaa"}, "octopus", "base:2")["page"]


def test_a_container_sits_in_the_networks_of_its_service() -> None:
    assert container_networks(NETWORKS, "page", "octopus-page-2", "octopus") == [
        {"name": "octopus-front", "aliases": ["page", "page-2"]},
        {"name": "octopus-data", "aliases": ["page", "page-2"]},
    ]
    assert container_networks(NETWORKS, "proxy", "octopus-proxy", "octopus") == [
        {"name": "octopus-front", "aliases": ["proxy"]}
    ]
    assert container_networks(NETWORKS, "stranger", "octopus-stranger", "octopus") == []


@pytest.mark.parametrize("day", range(0, 1200, 7))
def test_a_certificate_is_always_valid_long_enough(day: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    end = datetime.strptime(certificate_not_after(now, 365, 60), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    assert timedelta(days=60) <= end - now <= timedelta(days=365)


def test_a_certificates_end_moves_on_with_the_period() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    ends = {certificate_not_after(now + timedelta(days=day), 365, 60) for day in range(305)}
    assert len(ends) == 2
    assert certificate_not_after(now.replace(tzinfo=None), 365, 60) in ends


CONTAINERS = {
    "octopus-redis": {"service": "redis"},
    "octopus-backend-1": {"service": "backend"},
    "octopus-backend-2": {"service": "backend"},
    "octopus-cat": {"service": "cat"},
}


def test_orphans_sit_in_no_network_or_are_one_too_many() -> None:
    networks = {"cache": {"members": ["redis", "backend"]}}
    replicas = {"backend": ["octopus-backend-1"]}
    orphans = orphaned_containers(CONTAINERS, networks, replicas)
    assert orphans == ["octopus-backend-2", "octopus-cat"]
    assert orphaned_files(CONTAINERS, orphans, networks, "/opt/octopus") == [
        "/opt/octopus/backend/octopus-backend-2.note",
        "/opt/octopus/cat",
    ]


def test_a_planned_service_keeps_its_files_when_all_its_former_containers_go() -> None:
    networks = {"cache": {"members": ["redis", "backend"]}}
    former = {"octopus-backend": {"service": "backend"}}
    assert orphaned_files(former, ["octopus-backend"], networks, "/opt/octopus") == [
        "/opt/octopus/backend/octopus-backend.note"
    ]


def test_networks_are_told_as_the_engine_writes_them() -> None:
    networks: dict[str, dict[str, Any]] = {
        "edge": {"internal": False, "members": []},
        "a-long-name-indeed": {"members": []},
    }
    assert [list(network.values()) for network in platform_networks_wanted(networks, "octopus", "oct-")] == [
        ["octopus-edge", "false", "oct-edge", "edge"],
        ["octopus-a-long-name-indeed", "true", "oct-a-long-name", "a-long-name-indeed"],
    ]


def test_old_versions_go_but_for_those_in_use() -> None:
    images = ["o-api:4", "o-page:9", "o-api:3", "else/o-api:1", "o-api:2", "o-api:1", "o-page:8", "other:1"]
    assert outdated_versions(images, ["o-api", "o-page"], 2, ["o-api:1"]) == ["o-api:2"]
    assert outdated_versions(images, ["o-api", "o-page"], 1, []) == [
        "o-api:3",
        "o-api:2",
        "o-api:1",
        "o-page:8",
    ]


STORES = [
    {"volume": "old-data", "software": "PostgreSQL", "major": "17", "remedy": "dump it"},
    {"volume": "new-data", "software": "Redis", "major": "8", "remedy": "remove it"},
]


@pytest.mark.parametrize(
    ("held", "volumes"),
    [
        ({}, []),
        ({"old-data": "17", "new-data": "8"}, []),
        ({"old-data": "16"}, ["old-data"]),
        ({"old-data": "18", "new-data": "7"}, ["old-data", "new-data"]),
    ],
)
def test_data_of_another_major_version_are_told(held: dict[str, str], volumes: list[str]) -> None:
    sentences = other_majors(held, STORES)
    assert [sentence.split()[2] for sentence in sentences] == volumes


def test_a_major_version_may_be_a_number() -> None:
    assert other_majors({"old-data": "17"}, [{**STORES[0], "major": 17}]) == []  # type: ignore[dict-item]


def test_what_to_do_about_another_major_version_is_told() -> None:
    assert other_majors({"old-data": "16"}, STORES) == [
        "The volume old-data holds data of PostgreSQL 16, and the images have PostgreSQL 17: dump it"
        ' (docs/operations.md, "A new major version").'
    ]
