"""Files of PostgreSQL's log (WAL): which hold something, and how a server gets those of another."""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import struct

SEGMENT = re.compile(r"[0-9A-F]{24}")
HISTORY = re.compile(r"[0-9A-F]{8}\.history")
# How each file of the log begins: magic, flags, timeline, address, rest of a record; the cluster's identity.
HEADER = struct.Struct("=HHIQI4xQ")
NAMED_BY = 1 << 32  # bytes of log that share the middle part of a name


def address(name: str, size: int) -> int:
    """Return where in the log a file of `size` bytes begins, in bytes, by its name."""
    return int(name[8:16], 16) * NAMED_BY + int(name[16:24], 16) * size


def written(data: str) -> dict[str, int]:
    """Return the files of a data directory's log, with their addresses, that hold what their name says.

    Files that are kept ready for later hold zeros, or log of an earlier time.
    """
    directory, found = os.path.join(data, "pg_wal"), {}
    for name in filter(SEGMENT.fullmatch, os.listdir(directory)):
        path = os.path.join(directory, name)
        with open(path, "rb") as stream:
            begins = stream.read(HEADER.size)
        expected = address(name, os.path.getsize(path))
        if len(begins) == HEADER.size and HEADER.unpack(begins)[3] == expected:
            found[name] = expected
    return found


def identity(data: str) -> bytes:
    """Return what tells one cluster from another: the first bytes of its control file."""
    with open(os.path.join(data, "global", "pg_control"), "rb") as stream:
        return stream.read(8)


def missing(source: str, target: str) -> list[str]:
    """Return the files of the source's log from the last one on that the target holds in part."""
    last = max(written(target).values(), default=0)
    return sorted(name for name, begins in written(source).items() if begins >= last)


def contiguous(source: str, target: str) -> bool:
    """Return whether no file lies between the target's last one and the source's first one after it."""
    theirs, ours = written(source).values(), written(target).values()
    return not ours or not theirs or max(ours) >= max(theirs) or max(ours) in theirs


def carry_over(source: str, target: str, uid: int) -> int:
    """Copy what the target misses of the log; return how many files.

    Both servers have ended. A file is complete or not there; raises ValueError for two clusters, OSError.
    """
    if identity(source) != identity(target):
        raise ValueError("the two volumes hold different clusters")
    histories = sorted(filter(HISTORY.fullmatch, os.listdir(os.path.join(source, "pg_wal"))))
    copied = [name for name in missing(source, target) if copy(source, target, name, uid)]
    for name in histories:
        copy(source, target, name, uid)
    return len(copied)


def copy(source: str, target: str, name: str, uid: int) -> bool:
    """Copy a file of the log, in one step, unless it is there; return whether it was not."""
    origin, goal = (os.path.join(data, "pg_wal", name) for data in (source, target))
    if os.path.exists(goal) and filecmp.cmp(origin, goal, shallow=False):
        return False
    # PostgreSQL itself removes files of this name at its start.
    unfinished = os.path.join(target, "pg_wal", "xlogtemp.carried")
    shutil.copyfile(origin, unfinished)
    os.chown(unfinished, uid, uid)
    os.chmod(unfinished, 0o600)
    with open(unfinished, "rb+") as stream:
        os.fsync(stream.fileno())
    os.replace(unfinished, goal)
    return True
