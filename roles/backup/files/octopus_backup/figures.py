"""What Prometheus is told: files that node-exporter reads."""

from __future__ import annotations

import os
from pathlib import Path

PREFIX = "octopus_backup_"


def text(figures: dict[str, float]) -> str:
    """Return figures in Prometheus' text format; names may carry labels."""
    names = sorted({name.partition("{")[0] for name in figures})
    lines = [f"# TYPE {PREFIX}{name} gauge" for name in names]
    lines += [f"{PREFIX}{name} {value}" for name, value in sorted(figures.items())]
    return "\n".join(lines) + "\n"


def write(directory: str, name: str, figures: dict[str, float]) -> None:
    """Replace a file of figures in one step."""
    path = Path(directory) / f"{name}.prom"
    new = path.with_suffix(".new")
    new.write_text(text(figures), encoding="utf-8")
    os.chmod(new, 0o644)
    os.replace(new, path)
