"""What a deployment must know of its target before it touches anything; prints one JSON object.

Usage: probe.py PLATFORM HTTP_PORT HTTPS_PORT MIRROR; reads only.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request


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


def archive_error(mirror: str) -> str:
    """Return why a package mirror does not answer; nothing where it does."""
    try:
        # An address that the operator chose, and only to see whether it answers.
        with urllib.request.urlopen(mirror, timeout=10):  # noqa: S310
            return ""
    except urllib.error.HTTPError as error:
        return "" if error.code < 500 else str(error)
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error))


def main(platform: str, http_port: str, https_port: str, mirror: str) -> None:
    """Look, and print."""
    images = output("docker", "image", "ls", "--quiet", f"{platform}-base")
    volumes = output("docker", "volume", "ls", "--format", "{{.Name}}").split()
    path = output("docker", "info", "--format", "{{.DockerRootDir}}").strip() or "/var/lib"
    found = {
        "deployed": bool(images),
        "disk_path": path,
        "disk_mb": shutil.disk_usage(path).free // 2**20,
        "http_port_user": port_user(platform, int(http_port)),
        "https_port_user": port_user(platform, int(https_port)),
        # What is built already needs no archive.
        "archive_error": "" if images else archive_error(mirror),
        "volumes": [name for name in volumes if re.match(rf"{re.escape(platform)}-.*(data|backups)$", name)],
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
