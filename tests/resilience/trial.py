"""One fault under load, from the first request to the judgement."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.reconfigure.results import Results
from tests.resilience.ledger import Answers, Ledger

BEFORE = 1.5  # seconds of load before a fault


@dataclass
class Trial:
    """What is measured goes into the table under the fault's name."""

    ledger: Ledger
    results: Results
    name: str

    def run(self, fault: Callable[[], float]) -> int:
        """Have the load go on while a fault comes and goes; `fault` returns after how long all was well.

        Return how many lines of the workers' logs were there once more.
        """
        with self.ledger as ledger:
            time.sleep(BEFORE)
            taken = fault()
            time.sleep(BEFORE)
        again = ledger.judge()
        writes, reads = ledger.writes, ledger.reads
        gaps = [f"{self.gap(answers):.1f} s" for answers in (writes, reads)]
        sent = len(writes.good) + len(reads.good) + writes.failures + reads.failures
        failed = writes.failures + reads.failures
        self.results.add(
            self.name, f"{taken:.1f} s", *gaps, f"{sent:,}", f"{failed:,}",
            f"{len(ledger.accepted):,}", "0", "0", str(again),
        )  # fmt: skip
        print(f"{self.name}: well after {taken:.1f} s; {gaps}; writes {writes.failed}, reads {reads.failed}")
        return again

    def gap(self, answers: Answers) -> float:
        return answers.gap(self.ledger.began, self.ledger.ended)
