"""Runs on a host, as root: prints what a platform could leave behind there, kind -> {name: what it is}.

What the engine, apt and dpkg keep for themselves is left out, and so is what changes by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess

PLACES = ("/etc", "/opt", "/root", "/srv", "/usr/local", "/var/lib", "/var/log", "/var/spool")
# Whole trees, by the beginning of a path.
OWN = (
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/apt/",
    "/var/lib/dpkg/",
    "/var/lib/systemd/",
    "/var/log/journal/",
    "/var/log/apt",
    "/root/.ansible",
    "/var/log/alternatives.log",
    "/var/log/dpkg.log",
    # Copies of the last version of each.
    "/etc/group-",
    "/etc/gshadow-",
    "/etc/passwd-",
    "/etc/shadow-",
)
# Logs and caches of the system, which grow and age: that they are there counts, not what they say.
GROWING = ("/var/log/", "/etc/ld.so.cache", "/var/lib/ucf/", "/var/lib/logrotate/")
COUNTERS = re.compile(r" ?\[\d+:\d+\]")
OBJECTS = {"container": ["--all"], "network": [], "image": [], "volume": []}


def lines(*command: str) -> list[str]:
    """Return the lines that a command prints; none where it is not there, or cannot."""
    if not shutil.which(command[0]):
        return []
    # Only commands that are written below.
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()


def what(path: str) -> str:
    """Return a word for the content of a path."""
    if os.path.islink(path):
        return f"to {os.readlink(path)}"
    if not os.path.isfile(path) or path.startswith(GROWING):
        return "there"
    with open(path, "rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()[:12]


def files() -> dict[str, str]:
    found = {}
    for place in PLACES:
        for parent, directories, names in os.walk(place):
            paths = [os.path.join(parent, name) for name in directories + names]
            found.update({path: what(path) for path in paths if not path.startswith(OWN)})
    return found


def rules() -> dict[str, str]:
    """Return the lines of the firewall, without numbers of packets."""
    saved = [
        f"{tool}: {COUNTERS.sub('', line)}"
        for tool in ("iptables", "ip6tables")
        for line in lines(f"{tool}-save")
        if not line.startswith(("#", "*", "COMMIT")) and " ACCEPT" not in line[:30]
    ]
    return dict.fromkeys(saved, "there")


def main() -> None:
    """Look, and print."""
    packages = lines("dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Abbrev}${Version}\n")
    units = lines("systemctl", "list-unit-files", "--no-legend", "--plain", "--no-pager")
    sockets = lines("ss", "--tcp", "--udp", "--listening", "--numeric", "--no-header")
    links = lines("ip", "-brief", "link")
    state = {
        "packages": dict(line.split(" ", 1) for line in packages),
        "files": files(),
        "rules": rules(),
        "units": {line.split()[0]: line.split()[1] for line in units if ".mount" not in line},
        "sockets": {f"{line.split()[0]} {line.split()[4]}": "there" for line in sockets},
        "links": {line.split()[0]: "there" for line in links},
        "processes": dict.fromkeys(lines("ps", "-e", "-o", "comm="), "there"),
    }
    for kind, options in OBJECTS.items():
        listed = lines("docker", kind, "ls", "--format", "{{json .}}", *options)
        names = [json.loads(line) for line in listed]
        state[kind] = {str(one.get("Names") or one.get("Name") or one["ID"]): "there" for one in names}
    print(json.dumps(state, sort_keys=True))


if __name__ == "__main__":
    main()
