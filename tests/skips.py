"""A plugin of pytest (-p tests.skips): where it is known what may be missing, any other skip is a failure."""

from __future__ import annotations

import re
from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--skips-allowed",
        metavar="PATTERN",
        help="a test that skips for a reason which does not match fails",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    allowed = item.config.getoption("--skips-allowed")
    if report.skipped and allowed is not None and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2]
        if not re.search(allowed, reason):
            report.outcome, report.longrepr = "failed", f"skipped, and may not be: {reason}"
    return report
