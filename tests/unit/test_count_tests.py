"""The closing line of `make test`."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.count_tests import main

GOOD = '<testsuites><testsuite tests="5" failures="0" errors="0" skipped="2"/></testsuites>'
BAD = '<testsuites><testsuite tests="4" failures="1" errors="1" skipped="0"/></testsuites>'


@pytest.mark.parametrize(
    ("files", "failed_stages", "line", "code"),
    [
        ([GOOD], 0, "3 passed, 0 failed", 0),
        ([GOOD, BAD], 1, "5 passed, 2 failed", 1),
        # A linter failed as well: its stage has no failed test to show.
        ([GOOD, BAD], 2, "5 passed, 3 failed", 1),
        ([GOOD], 1, "3 passed, 1 failed", 1),
        ([GOOD, "<broken"], 1, "3 passed, 1 failed", 1),
        ([], 0, "0 passed, 0 failed", 1),
    ],
)
def test_tests_and_stages_are_counted(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    files: list[str],
    failed_stages: int,
    line: str,
    code: int,
) -> None:
    for number, text in enumerate(files):
        (tmp_path / f"{number}.xml").write_text(text)
    assert main(str(tmp_path), str(failed_stages)) == code
    assert capsys.readouterr().out == f"{line}\n"
