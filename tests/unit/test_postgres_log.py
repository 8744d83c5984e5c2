"""Which files of PostgreSQL's log are carried from one server to another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plugins.module_utils.postgres_log import HEADER, address, carry_over, contiguous, missing

SIZE = 1 << 20
CLUSTER = 7


def segment(number: int, timeline: int = 1) -> str:
    return f"{timeline:08X}{number * SIZE >> 32:08X}{number * SIZE % (1 << 32) // SIZE:08X}"


def write(data: Path, name: str, says: int | None = None, rest: bytes = b"") -> None:
    """Write a file of the log that says to begin at `says`, by default where its name says."""
    begins = address(name, SIZE) if says is None else says
    head = HEADER.pack(0xD116, 2, 1, begins, 0, CLUSTER)
    (data / "pg_wal" / name).write_bytes((head + rest).ljust(SIZE, b"\0"))


@pytest.fixture
def data(tmp_path: Path) -> tuple[Path, Path]:
    """The dead primary's and the standby's: the latter has files 3 and 4, of which 4 is not all there yet."""
    source, target = tmp_path / "source", tmp_path / "target"
    for directory in (source, target):
        (directory / "pg_wal").mkdir(parents=True)
        (directory / "global").mkdir()
        (directory / "global/pg_control").write_bytes(CLUSTER.to_bytes(8, "little") + directory.name.encode())
    for number in (3, 4, 5, 6):
        write(source, segment(number), rest=b"all")
    # Kept ready for later, with the log of an earlier time.
    write(source, segment(7), says=2 * SIZE)
    write(target, segment(3), rest=b"all")
    write(target, segment(4))
    (target / "pg_wal" / segment(5)).write_bytes(bytes(SIZE))
    return source, target


def test_a_name_says_where_a_file_begins() -> None:
    assert address("00000002000000010000000A", 16 << 20) == (1 << 32) + 10 * (16 << 20)


def test_it_begins_with_the_file_that_is_not_all_there(data: tuple[Path, Path]) -> None:
    source, target = map(str, data)
    assert missing(source, target) == [segment(4), segment(5), segment(6)]
    assert carry_over(source, target, os.getuid()) == 3
    for number in (4, 5, 6):
        name = f"pg_wal/{segment(number)}"
        assert (data[0] / name).read_bytes() == (data[1] / name).read_bytes()
    assert not (data[1] / "pg_wal" / segment(7)).exists()


def test_a_second_run_has_nothing_to_do(data: tuple[Path, Path]) -> None:
    source, target = map(str, data)
    carry_over(source, target, os.getuid())
    assert carry_over(source, target, os.getuid()) == 0


def test_a_history_goes_with_it(data: tuple[Path, Path]) -> None:
    (data[0] / "pg_wal/00000002.history").write_text("1\t0/3000000\tno recovery target specified\n")
    carry_over(str(data[0]), str(data[1]), os.getuid())
    assert (data[1] / "pg_wal/00000002.history").exists()


def test_another_cluster_is_refused(data: tuple[Path, Path]) -> None:
    (data[1] / "global/pg_control").write_bytes(bytes(16))
    with pytest.raises(ValueError, match="different clusters"):
        carry_over(str(data[0]), str(data[1]), os.getuid())


def test_a_gap_is_seen(data: tuple[Path, Path]) -> None:
    source, target = map(str, data)
    assert contiguous(source, target)
    for number in (3, 4):
        (data[0] / "pg_wal" / segment(number)).unlink()
    assert not contiguous(source, target)
