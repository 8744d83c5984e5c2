"""Prints what a play left in the custom statistic `summary` as its very last words, after the recap."""

from __future__ import annotations

from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: summary
type: aggregate
short_description: The last words of a play
description:
  - Prints the lines of the custom statistic C(summary), set by C(ansible.builtin.set_stats), below the recap.
author: Octopus contributors
"""


class CallbackModule(CallbackBase):
    """The callback."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "summary"

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Print the summary of each host that has one."""
        for custom in stats.custom.values():
            for line in custom.get("summary", []):
                self._display.display(line)
