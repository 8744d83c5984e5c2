#!/usr/bin/python
"""Ansible module: wait until a container passes its own health check."""

from __future__ import annotations

DOCUMENTATION = r"""
module: container_ready
short_description: Wait until a container passes its own health check
description:
  - Runs the container's health check itself, four times a second, which is quicker than to wait for the
    engine's next turn. It reads only. The command or-end, which ends a container whose check fails
    repeatedly, is left out.
  - Gives up when the time is over, and as soon as the container has ended again and again, and says then what
    the check and the container's log said last.
options:
  container:
    description: The container's name.
    type: str
    required: true
  seconds:
    description: How long to wait.
    type: int
    required: true
  test:
    description: Program and arguments that have to succeed inside, in place of the container's own check.
    type: list
    elements: str
    default: []
  restarts:
    description: After how many restarts by the engine there is no hope left.
    type: int
    default: 3
"""
RETURN = r"""
seconds:
  description: How long it took.
  type: float
  returned: success
at:
  description: When it passed, in seconds since 1970 by the target's clock.
  type: float
  returned: success
"""

import json
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

PAUSE = 0.25  # seconds
# RabbitMQ says thirty lines before its last one what it does not like.
LOG_LINES = 60


def state_of(module: AnsibleModule, container: str) -> dict[str, Any]:
    """Return what the engine says about a container."""
    _, told, _ = module.run_command(["docker", "inspect", "--type", "container", container], check_rc=True)
    return dict(json.loads(told)[0])


def without_end(test: list[str]) -> list[str]:
    """Return a check without what would end the container: the words up to or-end, and its number."""
    ends = [index for index, word in enumerate(test) if word.rpartition("/")[2] == "or-end"]
    return [test[0], *test[ends[0] + 2 :]] if ends else test


def check(module: AnsibleModule, container: str, test: list[str]) -> str | None:
    """Run the health check; return None when it passes, else what it said."""
    command = ["sh", "-c", test[1]] if test[0] == "CMD-SHELL" else without_end(test)[1:]
    code, output, errors = module.run_command(["docker", "exec", container, *command])
    said = " ".join(f"{output} {errors}".split())
    return None if code == 0 else said or f"exit code {code}"


def wait(module: AnsibleModule) -> str:
    """Wait; return what the check said last, or nothing when it passed."""
    container, end = module.params["container"], time.monotonic() + module.params["seconds"]
    own = module.params["test"]
    while True:
        state = state_of(module, container)
        now = state["State"]
        said: str | None = f"the container is {now['Status']}, exit code {now['ExitCode']}"
        if now["Status"] == "running":
            said = check(module, container, ["CMD", *own] if own else state["Config"]["Healthcheck"]["Test"])
        if said is None:
            return ""
        if state["RestartCount"] >= module.params["restarts"]:
            return f"it has ended {state['RestartCount']} times by itself; {said}"
        if time.monotonic() > end:
            return f"not within {module.params['seconds']} s: {said}"
        time.sleep(PAUSE)


def main() -> None:
    """Wait, and fail with the reason."""
    module = AnsibleModule(
        argument_spec={
            "container": {"type": "str", "required": True},
            "seconds": {"type": "int", "required": True},
            "test": {"type": "list", "elements": "str", "default": []},
            "restarts": {"type": "int", "default": 3},
        },
        supports_check_mode=True,
    )
    began = time.monotonic()
    problem = "" if module.check_mode else wait(module)
    if problem:
        name = module.params["container"]
        _, output, errors = module.run_command(["docker", "logs", "--tail", str(LOG_LINES), name])
        said = f"{name} does not pass its health check: {problem}\nIts last log lines:\n{output}{errors}"
        module.fail_json(msg=said.rstrip())
    module.exit_json(changed=False, seconds=round(time.monotonic() - began, 1), at=time.time())


if __name__ == "__main__":
    main()
