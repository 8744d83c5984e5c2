"""Figures that the tests measure, kept as a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

HEAD = """# Deploying again, measured

Written by tests/reconfigure: by the Molecule scenario `reconfigure` over SSH to a Debian 13 host, by the
scenario `readme` on a Debian 12 host itself.

| what | measured |
|---|---|
"""


@dataclass
class Results:
    """Lines in the order in which they were added; one of the same name takes the earlier one's place."""

    lines: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, measured: str) -> None:
        self.lines[what] = measured

    def write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = [f"| {what} | {measured} |\n" for what, measured in self.lines.items()]
        file.write_text(HEAD + "".join(rows), encoding="utf-8")
