"""What a deployment must know of its target before it touches anything; prints one JSON object.

Usage: probe.py PLATFORM HTTP_PORT HTTPS_PORT MIRROR CA_DIRECTORY VERSION_FILES; reads only. VERSION_FILES is
JSON: volume -> the file in it with the major version of its data. The environment names the proxies, and in
PIP_INDEX_URL another index of Python packages than the public one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

PUBLIC_INDEX = "https://pypi.org/simple/"
PROXY_WANTS_LOGIN = 407


def output(*command: str) -> str:
    """Return a command's output; nothing where it fails or is not there."""
    try:
        # Only commands that are written below.
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)  # noqa: S603
        return done.stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def listening_inodes(port: int) -> set[str]:
    """Return the sockets that listen on a TCP port of the host."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(table, encoding="ascii") as stream:
                rows = [line.split() for line in stream][1:]
        except OSError:
            continue
        inodes |= {row[9] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port}
    return inodes


def holder(inodes: set[str]) -> str:
    """Return name and process id of whoever holds one of the sockets."""
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            links = {
                os.readlink(f"/proc/{process}/fd/{number}") for number in os.listdir(f"/proc/{process}/fd")
            }
            if links & {f"socket:[{inode}]" for inode in inodes}:
                with open(f"/proc/{process}/comm", encoding="utf-8") as stream:
                    return f"{stream.read().strip()} (process {process})"
        except OSError:
            continue
    return "an unknown process"


def port_user(platform: str, port: int) -> str:
    """Return who else listens on a port: nothing where it is free or already the platform's own."""
    inodes = listening_inodes(port)
    containers = output("docker", "ps", "--filter", f"publish={port}", "--format", "{{.Names}}").split()
    if not inodes or f"{platform}-proxy" in containers:
        return ""
    return f"the container {containers[0]}" if containers else holder(inodes)


def trust(ca_directory: str) -> ssl.SSLContext | None:
    """Return what builds trust: the authorities of host and directory; None where the host has none."""
    context = ssl.create_default_context()
    if not os.path.exists("/etc/ssl/certs/ca-certificates.crt"):
        return None
    for directory, _, files in os.walk(ca_directory, followlinks=True):
        for name in files:
            if name.endswith(".crt"):
                with contextlib.suppress(OSError):
                    context.load_verify_locations(os.path.join(directory, name))
    return context


def without_login(address: str) -> str:
    """Return an address without the user and password that it may hold."""
    parts = urllib.parse.urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def unreachable(address: str, ca_directory: str) -> str:
    """Return why an address does not answer; nothing where it does."""
    try:
        context = trust(ca_directory)
        # Builds bring authorities of their own: a host without any says nothing about them.
        if context is None and address.startswith("https:"):
            return ""
        # An address that the operator chose, and only to see whether it answers.
        with urllib.request.urlopen(address, timeout=10, context=context):  # noqa: S310
            return ""
    except urllib.error.HTTPError as error:
        return str(error) if error.code >= 500 or error.code == PROXY_WANTS_LOGIN else ""
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))


def number_in(path: str) -> str:
    """Return the number that a file begins with; nothing where there is none.

    It belongs to a container, which may have put anything there: nothing but digits gets out.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with open(handle, "rb") as stream:
        found = re.match(rb"[0-9]{1,4}\b", stream.read(5))
    return found.group().decode() if found else ""


def held_majors(version_files: dict[str, str]) -> dict[str, str]:
    """Return the major version of the data in each volume that says so."""
    majors = {}
    for volume, file in version_files.items():
        directory = output("docker", "volume", "inspect", "--format", "{{.Mountpoint}}", volume).strip()
        majors[volume] = number_in(os.path.join(directory, file)) if directory else ""
    return {volume: major for volume, major in majors.items() if major}


def main(platform: str, http_port: str, https_port: str, mirror: str, ca_directory: str, files: str) -> None:
    """Look, and print."""
    images = output("docker", "image", "ls", "--quiet", f"{platform}-base")
    volumes = output("docker", "volume", "ls", "--format", "{{.Name}}").split()
    path = output("docker", "info", "--format", "{{.DockerRootDir}}").strip()
    index = without_login(os.environ.get("PIP_INDEX_URL") or PUBLIC_INDEX)
    found = {
        "engine": bool(path),
        "deployed": bool(images),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "disk_path": path or "/var/lib",
        "disk_mb": shutil.disk_usage(path or "/var/lib").free // 2**20,
        "http_port_user": port_user(platform, int(http_port)),
        "https_port_user": port_user(platform, int(https_port)),
        # What is built already needs neither archive nor index.
        "archive_error": "" if images else unreachable(mirror, ca_directory),
        "index_url": index,
        "index_error": "" if images else unreachable(index, ca_directory),
        "volumes": [name for name in volumes if re.match(rf"{re.escape(platform)}-.*(data|backups)$", name)],
        "majors": held_majors(json.loads(files)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
