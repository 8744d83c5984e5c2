"""Runs on the host under test: looks for secrets wherever one could have got to; standard input says which.

Prints which was found where, never a value, and how many bytes were looked through. Patterns reach grep
through a pipe: no command line, file or environment holds them.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

PRIVATE_KEY = b"PRIVATE KEY-----"
# With a key behind it, also in JSON, where ends of lines are letters: programs hold the words alone.
WHOLE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\s|\\+[rn])+[A-Za-z0-9+/=]{40}")
KEY_LINES = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+(\S+)\s+(\S+)")
OTHERS_MAY_READ = stat.S_IRGRP | stat.S_IROTH
OTHERS_MAY_ENTER = stat.S_IXGRP | stat.S_IXOTH
WATCHED = 3.0  # seconds for which processes are watched, since some live for a moment only
SYSTEM = ("/usr/local/sbin", "/usr/local/bin", "/etc/systemd/system", "/etc/docker")
# Where programs and people leave files: those that others can open, up to a size.
COMMON = ("/tmp", "/var/tmp", "/root", "/home", "/etc", "/run", "/opt")  # noqa: S108
LARGEST = 2**20  # bytes
AT_A_TIME = 16 * 2**20  # bytes


def forms(value: bytes) -> set[bytes]:
    """Return a value, and what it becomes in JSON, addresses, base64 (wherever it begins) and hashes."""
    text = value.decode()
    found = {value, urllib.parse.quote(text, safe="").encode(), json.dumps(text)[1:-1].encode()}
    found |= {value.hex().encode(), hashlib.sha256(value).hexdigest().encode()}
    return found | in_base64(value)


def in_base64(value: bytes) -> set[bytes]:
    """Return what is the same of a value's base64 whatever stands before and behind it."""
    found = set()
    for before in range(3):
        # Less the characters that neighbours have a part in.
        encoded = base64.b64encode(b"\0" * before + value)
        found.add(encoded[(0, 2, 3)[before] : len(encoded) - (0, 3, 2)[(before + len(value)) % 3]])
    return found


def is_real(value: bytes, data: bytes) -> bool:
    return value != PRIVATE_KEY or bool(WHOLE_KEY.search(data))


class Search:
    """What is looked for, what was found ({place: [[where, name], ...]}), and how much was seen."""

    def __init__(self, values: dict[str, str]) -> None:
        self.names = dict.fromkeys({PRIVATE_KEY, *in_base64(PRIVATE_KEY)}, "a private key")
        for name, value in values.items():
            self.add(name, value)
        self.found: dict[str, list[list[str]]] = {}
        self.seen: dict[str, int] = {}

    def add(self, name: str, value: str) -> None:
        self.names.update(dict.fromkeys(forms(value.encode()), name))

    def note(self, place: str, where: str, values: Iterable[bytes], size: int) -> None:
        self.seen[place] = self.seen.get(place, 0) + size
        found = self.found.setdefault(place, [])
        found += [[where, name] for name in sorted({self.names[value] for value in values})]

    def data(self, place: str, where: str, data: bytes) -> None:
        matches = self.grep(["--no-filename"], data).splitlines() if data else []
        self.note(place, where, [value for value in matches if is_real(value, data)], len(data))

    def grep(self, options: list[str], data: bytes = b"") -> bytes:
        """Run grep for all patterns at once; return what it prints."""
        read, write = os.pipe()
        with os.fdopen(write, "wb") as pipe:
            pipe.write(b"\n".join(self.names))
        command = ["grep", "--text", "--only-matching", "--fixed-strings", f"--file=/dev/fd/{read}", *options]
        environment = {**os.environ, "LC_ALL": "C"}
        done = subprocess.run(command, input=data, capture_output=True, pass_fds=[read], env=environment)
        os.close(read)
        if done.returncode > 1:
            raise SystemExit(f"grep: {done.stderr.decode(errors='replace')[:500]}")
        return done.stdout

    def trees(self, place: str, directories: dict[str, str]) -> None:
        """Look through all files of directories; they map to what they are called."""
        found: dict[str, set[bytes]] = {}
        for line in self.grep(["--recursive", "--null", "--devices=skip", "--", *directories]).splitlines():
            name, _, value = line.partition(b"\0")
            if value != PRIVATE_KEY or is_real(value, Path(os.fsdecode(name)).read_bytes()):
                found.setdefault(os.fsdecode(name), set()).add(value)
        for path, values in found.items():
            top = next(one for one in directories if path.startswith(f"{one}/"))
            self.note(place, f"{directories[top]}: {path[len(top) + 1 :]}", values, 0)
        self.note(place, "", [], sum(file.lstat().st_size for top in directories for file in files(top)))

    def files(self, place: str, paths: Iterable[Path]) -> None:
        """Look through files, many at a time."""
        for pile in piles(paths):
            matches = set(self.grep(["--no-filename"], b"\n".join(pile.values())).splitlines())
            for path, data in pile.items():
                values = [value for value in matches if value in data and is_real(value, data)]
                self.note(place, str(path), values, len(data))

    def command(self, place: str, where: str, *command: str) -> None:
        """Look through what a command prints."""
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise SystemExit(f"{' '.join(command[:3])}: exit code {done.returncode}")
        self.data(place, where, done.stdout)


def docker(*arguments: str) -> Any:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout


def inspected(kind: str, identities: list[str]) -> list[dict[str, Any]]:
    return list(json.loads(docker(kind, "inspect", *identities))) if identities else []


def piles(paths: Iterable[Path]) -> Iterator[dict[Path, bytes]]:
    """Yield files with what is in them, a bounded amount at a time."""
    pile: dict[Path, bytes] = {}
    size = 0
    for path in paths:
        with contextlib.suppress(FileNotFoundError):  # It has gone meanwhile.
            pile[path] = path.read_bytes()
            size += len(pile[path])
        if size > AT_A_TIME:
            yield pile
            pile, size = {}, 0
    yield pile


def open_files(top: str, besides: Iterable[str]) -> Iterator[Path]:
    """Yield the files of one file system that others can open: what they cannot enter hides what is in it."""
    device = os.stat(top).st_dev if os.path.isdir(top) else 0

    def is_entered(path: str) -> bool:
        status = status_of(path)
        enters = status and status.st_dev == device and status.st_mode & OTHERS_MAY_ENTER
        return bool(enters) and os.path.realpath(path) not in besides

    for directory, names, found in os.walk(top) if is_entered(top) else ():
        names[:] = [name for name in names if is_entered(os.path.join(directory, name))]
        paths = (Path(directory, name) for name in found)
        yield from (path for path in paths if is_open(status_of(path)))


def status_of(path: Path | str) -> os.stat_result | None:
    """Return what a path is, links not followed; None where it has gone meanwhile or nobody may look."""
    with contextlib.suppress(OSError):
        return os.lstat(path)
    return None


def is_open(status: os.stat_result | None) -> bool:
    """Say whether others may read what is a file and no larger than what is looked through."""
    if status is None or not stat.S_ISREG(status.st_mode):
        return False
    return bool(status.st_mode & OTHERS_MAY_READ) and status.st_size <= LARGEST


def files(top: str) -> Iterator[Path]:
    for directory, _, names in os.walk(top):
        paths = (Path(directory, name) for name in names)
        yield from (path for path in paths if path.is_file() and not path.is_symlink())


def called(one: dict[str, Any]) -> str:
    if "Name" in one:
        return f"container {one['Name'][1:]}"
    if one["RepoTags"]:
        return f"image {one['RepoTags'][0]}"
    # A stage, or a step: by what made it.
    made_by = docker("history", "--no-trunc", "--format={{.CreatedBy}}", one["Id"]).splitlines()[0]
    return f"image {one['Id'][7:19]} ({made_by.rpartition('/bin/sh -c ')[2][:40].strip()})"


def layers(images: list[dict[str, Any]], containers: list[dict[str, Any]]) -> dict[str, str]:
    """Return the directories of all layers, each with what has it: an image with a name, if there is one."""
    found: dict[str, str] = {}
    for one in [*sorted(images, key=lambda image: not image["RepoTags"]), *containers]:
        driver = one["GraphDriver"]
        if driver["Name"] != "overlay2":
            raise SystemExit(
                f"The layers of the storage driver {driver['Name']} are not known to this search."
            )
        # What lies below a container's own layer is its image's.
        lower = "" if "Name" in one else driver["Data"].get("LowerDir", "")
        for directory in [driver["Data"]["UpperDir"], *filter(None, lower.split(":"))]:
            found.setdefault(os.path.realpath(directory), called(one))
    return {directory: name for directory, name in found.items() if os.path.isdir(directory)}


def search_images(search: Search, containers: list[dict[str, Any]]) -> None:
    """All that were built on our base, old versions and early stages too, and what the containers run."""
    built = docker(
        "image", "ls", "--all", "--quiet", "--no-trunc", "--filter", "label=octopus.revision"
    ).split()
    images = inspected("image", sorted({*built, *(container["Image"] for container in containers)}))
    search.trees("layers", layers(images, containers))
    for image in images:
        search.data("definitions", called(image), json.dumps(image, ensure_ascii=False).encode())
        history = ("docker", "history", "--no-trunc", image["Id"])
        search.command("definitions", f"history of {called(image)}", *history)


def search_containers(search: Search, containers: list[dict[str, Any]]) -> None:
    for container in containers:
        search.data("definitions", called(container), json.dumps(container, ensure_ascii=False).encode())
        search.command("logs", called(container), "docker", "logs", container["Id"])
    if shutil.which("journalctl"):
        # Ansible's modules say there what they were called with, the engine what it runs.
        search.command("logs", "journal", "journalctl", "--no-pager", "--quiet", "--output=cat")
    search.trees("logs", {"/var/log": "/var/log"})


def search_processes(search: Search, containers: list[dict[str, Any]]) -> None:
    """Command lines of all processes of the host, environments of those in containers."""
    pids = {str(one["State"]["Pid"]): called(one) for one in containers if one["State"]["Pid"]}
    homes = {os.readlink(f"/proc/{pid}/ns/pid"): name for pid, name in pids.items()}
    end = time.monotonic() + WATCHED
    seen: set[tuple[str, bytes]] = set()
    while time.monotonic() < end:
        new = {found for directory in Path("/proc").glob("[0-9]*") for found in told(directory, homes)} - seen
        seen |= new
        for where, data in new:
            search.data("processes", where, data)
        time.sleep(0.1)


def told(directory: Path, homes: dict[str, str]) -> list[tuple[str, bytes]]:
    """Return a process's command line, and its environment where it is in a container."""
    try:
        home = homes.get(os.readlink(directory / "ns/pid"), "")
        of = f"of {(directory / 'comm').read_text().strip()} in {home or 'the host'}"
        found = [(f"command line {of}", (directory / "cmdline").read_bytes())]
        if home:
            found.append((f"environment {of}", (directory / "environ").read_bytes()))
    except OSError:
        return []  # It has ended meanwhile.
    return found


def search_files(search: Search, root: str) -> None:
    """Files that others than their owner may read; those that only the owner may are where secrets belong."""
    own = {file for top in (root, *SYSTEM) for file in files(top)}
    readable = {file for file in own if file.stat().st_mode & OTHERS_MAY_READ}
    layers = os.path.realpath(docker("info", "--format={{.DockerRootDir}}").strip())
    common = {file for top in COMMON for file in open_files(top, (layers, os.path.realpath(root)))}
    search.files("secret files", sorted(own - readable))
    search.files("readable files", sorted(readable))
    search.files("common files", sorted(common - own))


def add_keys(search: Search, root: str) -> None:
    """Know each private key of ours by its first two lines; behind them comes what is public."""
    for file in sorted(Path(root, "certificates").glob("*.pem")):
        for line in KEY_LINES.findall(file.read_text())[0]:
            search.add(f"key of certificates/{file.name}", line)


def main(job: dict[str, Any]) -> dict[str, Any]:
    search = Search(job["values"])
    add_keys(search, job["root"])
    listed = docker("ps", "--all", "--quiet", "--no-trunc", "--filter", "label=octopus.service").split()
    containers = inspected("container", listed)
    search_images(search, containers)
    search_containers(search, containers)
    search_processes(search, containers)
    search_files(search, job["root"])
    return {"found": search.found, "seen": search.seen}


if __name__ == "__main__":
    print(json.dumps(main(json.load(sys.stdin))))
