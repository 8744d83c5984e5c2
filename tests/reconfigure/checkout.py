"""Copies of this repository, to be edited and played."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.infra.settings import ROOT


def copy_of_checkout() -> Path:
    """Return a directory with all files that git knows, and new ones that it does not ignore."""
    root = Path(tempfile.mkdtemp(prefix="octopus-copy-"))
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in listed.split("\0"):
        # Deleted files are still listed. The virtual environment may be a link.
        if name and (ROOT / name).exists() and name != ".venv":
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name, follow_symlinks=False)
    return root


def replace(file: Path, old: str, new: str) -> None:
    """Change a file of a copy; fail where there is not exactly one place to change."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new), encoding="utf-8")
