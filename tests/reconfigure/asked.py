"""What the running software says about its settings; its files are not looked at."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from tests.infra.http_requests import to
from tests.reconfigure.platform import Platform

MEBIBYTE = 1024 * 1024
# Those of control groups of either version
CPUS = "cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || true"
MEMORY = "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || true"


def memory(platform: Platform, container: str) -> int:
    """Return the kernel's limit for a container, in MiB."""
    return int(platform.execute(container, "sh", "-c", MEMORY)) // MEBIBYTE


def cpus(platform: Platform, container: str) -> float:
    """Return the kernel's limit for a container, in CPUs; its period is 100 ms."""
    return int(platform.execute(container, "sh", "-c", CPUS).split()[0]) / 100_000


def refused_writes(platform: Platform) -> bool:
    """Tell whether 30 writing requests are too many a second after all that may come at once have come."""
    url, key = f"{platform.url}/api/messages", {"X-API-Key": "nobody's"}
    with requests.Session() as session, ThreadPoolExecutor(3) as pool:

        def send(_: int) -> int:
            return session.post(url, headers=key, verify=False, timeout=10).status_code

        list(pool.map(send, range(101)))
        time.sleep(1)
        statuses = list(pool.map(send, range(30)))
    assert set(statuses) <= {401, 429}, set(statuses)
    return 429 in statuses


def answer_to(platform: Platform, name: str) -> int:
    """Return the status that a request for a host name gets."""
    return platform.request("GET", "/api/data", headers={"Host": name}).status_code


def prometheus(platform: Platform, page: str) -> str:
    """Return a page of Prometheus' own account: config or flags."""
    address = platform.target.one("prometheus").addresses["monitoring"]
    return platform.target.ask(to(address, 9090, f"/api/v1/status/{page}"))[0].body


def scrape_interval(platform: Platform) -> str:
    return re.findall(r"global:.*?scrape_interval: (\w+)", prometheus(platform, "config"))[0]


def retention(platform: Platform) -> str:
    return re.findall(r'"storage.tsdb.retention.time":"(\w+)"', prometheus(platform, "flags"))[0]


def postgres(platform: Platform, setting: str) -> set[str]:
    """Return a setting's value in both places."""
    return {
        str(platform.target.rows(place, f"select current_setting('{setting}') value")[0]["value"])
        for place in ("pg-primary", "pg-replica")
    }


def redis_maxmemory(platform: Platform) -> int:
    command = (
        "REDISCLI_AUTH=$(cat /run/secrets/REDIS_EXPORTER_PASSWORD) redis-cli --user %s --no-auth-warning"
        " config get maxmemory"
    )
    told = platform.execute("redis", "sh", "-c", command % platform.settings["redis_exporter_user"])
    return int(told.split()[1]) // MEBIBYTE


def broker_watermark(platform: Platform) -> int:
    """Return the memory at which publishers are held back, in MiB."""
    address = platform.target.one("broker").addresses["messaging"]
    page = platform.target.ask(to(address, 15692, "/metrics"))[0].body
    return (
        int(re.findall(r"^rabbitmq_resident_memory_limit_bytes ([0-9]+)", page, re.MULTILINE)[0]) // MEBIBYTE
    )


def backend_threads(platform: Platform) -> int:
    """Return how many threads the busiest process of the API has, when there is enough to do for all."""
    address = platform.target.one("backend").addresses["backend"]
    platform.target.ask(*[to(address, 8000, "/api/health/ready")] * 300, parallel=60)
    told = platform.execute("backend-1", "sh", "-c", "grep -h Threads: /proc/[0-9]*/status")
    return max(int(number) for number in re.findall(r"[0-9]+", told))


def worker_processes(platform: Platform) -> int:
    told: str = platform.target.run("docker top %s-worker -o pid,args", platform.settings.name)
    # One of them only minds the others.
    return told.count("-m celery") - 1


def debug_lines(platform: Platform) -> bool:
    """Tell whether the worker logs what only people who look for a bug want to see."""
    told: Any = platform.target.run("docker logs %s-worker 2>&1", platform.settings.name)
    return '"level": "DEBUG"' in told
