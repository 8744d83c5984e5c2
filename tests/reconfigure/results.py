"""Figures that the tests measure, kept as a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Results:
    """Lines in the order in which they were added; one of the same name takes the earlier one's place."""

    head: str
    lines: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, *measured: str) -> None:
        """Add a line: its name, and a cell for each further column of the head."""
        self.lines[what] = " | ".join(measured)

    def write(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = [f"| {what} | {measured} |\n" for what, measured in self.lines.items()]
        file.write_text(self.head + "".join(rows), encoding="utf-8")
