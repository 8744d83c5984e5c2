"""Numbers that a run tells at its end, to be quoted: how much was tried, how much was looked through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Figure = Callable[[str, Any], None]
FIGURES = pytest.StashKey[dict[str, Any]]()


def lines(config: pytest.Config) -> list[str]:
    """Return what was noted, a line each."""
    found = config.stash.get(FIGURES, {})
    return [
        f"{name}: {value:,}" if isinstance(value, int) else f"{name}: {value}"
        for name, value in found.items()
    ]
