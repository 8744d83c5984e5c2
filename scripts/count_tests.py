"""Print `N passed, N failed` over all JUnit files of a directory; exit with 1 when anything failed.

A stage that failed without a failing test (a linter, a playbook) counts as one failure.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def count(directory: Path) -> tuple[int, int, int]:
    """Return how many tests passed and failed, and how many files hold a failure (a broken file is one)."""
    passed = failed = files_with_failure = 0
    for file in sorted(directory.glob("**/*.xml")):
        try:
            # Our own test runs wrote these files.
            suites = list(ET.parse(file).getroot().iter("testsuite"))  # noqa: S314
        except ET.ParseError:
            suites = []
        failed_here = 0 if suites else 1
        for suite in suites:
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            failed_here += bad
            passed += int(suite.get("tests", 0)) - int(suite.get("skipped", 0)) - bad
        failed += failed_here
        files_with_failure += failed_here > 0
    return passed, failed, files_with_failure


def main(directory: str, failed_stages: str) -> int:
    """Print the closing line; the exit code is 0 only when no test and no stage failed and some test ran."""
    passed, failed, files_with_failure = count(Path(directory))
    failed += max(0, int(failed_stages) - files_with_failure)
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
