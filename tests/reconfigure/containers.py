"""Since when containers run: who was started anew."""

from __future__ import annotations

# For all of a platform by one command: name, id and time of start, a line each.
STARTED = """
docker ps --all --quiet --filter label=octopus.platform=%s |
  xargs -r docker inspect --format '{{.Name}} {{.Id}} {{.State.StartedAt}}'
"""


def anew(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """Return the containers that came, went or were started anew between two answers of started()."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
