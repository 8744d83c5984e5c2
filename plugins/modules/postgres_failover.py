#!/usr/bin/python
"""Ansible module: the standby takes over from a primary that is dead or hangs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_failover
short_description: The standby takes over from a primary that is dead or hangs
description:
  - Refuses while the primary answers and can be written to.
  - Fences the primary, in its volume, and removes its container, so that neither restart policy nor reboot
    nor deployment revives it.
  - Carries over what its volume holds of the log that the standby misses, and promotes.
  - A run that was broken off is finished by the next one.
  - For platform, places, uid and slot see M(postgres_look).
options:
  accept_loss:
    description: Whether the standby is promoted although it misses log that cannot be carried over.
    type: bool
    default: false
"""
RETURN = r"""
says:
  description: What was done, in sentences; empty where nothing was.
  type: str
  returned: success
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.postgres_log import carry_over, contiguous
from ansible.module_utils.postgres_places import ARGUMENTS, Place, TroubleError, places_of, wait_for

STARTS_WITHIN = 600  # seconds; a standby that was far behind replays meanwhile
# Is written to disk, and waits for no standby.
WRITE = "select pg_logical_emit_message(true, 'octopus', 'failover asks')"


def standby_of(places: list[Place]) -> Place | None:
    """Return the place that can take over: its data are those of a standby, and it is not fenced."""
    found = [place for place in places if place.data and place.signal and place.order != "fenced"]
    if len(found) > 1:
        raise TroubleError("Both places are standbys: switchover.yml promotes the one with more of the log.")
    return found[0] if found else None


def refuse(dead: Place, standby: Place) -> None:
    """Raise TroubleError where nobody has to take over, or where acknowledged rows would be lost."""
    if dead.is_standby() is False and dead.sql(WRITE) is not None:
        raise TroubleError(
            f"{dead.name} is primary, answers and can be written to: nothing was changed."
            " switchover.yml changes places and loses nothing."
        )
    if not standby.status:
        raise TroubleError(
            f"The container {standby.container} is missing: nothing was changed. Deploy (site.yml) first."
        )
    if not dead.data or dead.module.params["accept_loss"]:
        return
    if not contiguous(dead.path("data"), standby.path("data")):
        raise TroubleError(
            f"{standby.name} misses log that {dead.name} holds no more: acknowledged rows would be lost."
            " Nothing was changed; -e postgres_accept_loss=true accepts that."
        )


def fence(dead: Place) -> None:
    """Have a server never start again, then end it, paused or hanging; the volume stays."""
    dead.give("fenced")
    # The one that stands aside in a deployment, too.
    for container in (dead.container, f"{dead.container}-before"):
        if dead.docker("container", "inspect", container, check=False):
            dead.docker("rm", "--force", container)


def log_of(dead: Place, standby: Place) -> str:
    """Carry over the log that the standby misses; return what was done."""
    if not dead.data:
        return (
            f"The volume of {dead.name} holds no data to carry over:"
            " what it had acknowledged last, and not yet sent, is lost (the replication lag)."
        )
    standby.docker("stop", standby.container)
    try:
        count = carry_over(dead.path("data"), standby.path("data"), dead.module.params["uid"])
    except (OSError, ValueError) as error:
        if not dead.module.params["accept_loss"]:
            standby.docker("start", standby.container)
            raise TroubleError(
                f"{dead.name} is fenced, and its log could not be carried over: {error}."
                " Mend that and run this again, or accept the loss with -e postgres_accept_loss=true."
            ) from error
        return f"The log of {dead.name} could not be carried over ({error}): the replication lag is lost."
    carried = f"{count} segments of the log were carried over from {dead.name}"
    return (
        f"{carried}, what could be had."
        if dead.module.params["accept_loss"]
        else f"{carried}, and nothing is lost."
    )


def take_over(dead: Place, standby: Place) -> str:
    """Fence, carry over, promote; return what was done."""
    began = time.monotonic()
    fence(dead)
    carried = log_of(dead, standby)
    standby.docker("start", standby.container)
    if not wait_for(lambda: standby.is_standby() is not None, STARTS_WITHIN, 0.2):
        raise TroubleError(
            f"{standby.name} does not answer: see docker logs {standby.container}, and run this again."
        )
    standby.promote()
    standby.provide_slot(reserve=True)
    seconds = time.monotonic() - began
    return (
        f"{dead.name} is fenced, {standby.name} is primary, {seconds:.1f} s after this began. {carried}"
        f" rejoin.yml makes {dead.name} a standby again."
    )


def run(module: AnsibleModule) -> str:
    """Do it; return what was done."""
    places = places_of(module)
    standby = standby_of(places)
    primaries = [place for place in places if place.is_standby() is False]
    fenced = [place.name for place in places if place.order == "fenced"]
    if primaries and fenced and primaries[0].name not in fenced:
        if not module.check_mode:
            primaries[0].provide_slot(reserve=True)
        return ""
    if not standby:
        raise TroubleError(
            "No place holds a standby that could take over: nothing was changed. See restore.yml."
        )
    dead = next(place for place in places if place is not standby)
    if dead.order != "fenced":
        refuse(dead, standby)
    return (
        f"{standby.name} would take over from {dead.name}." if module.check_mode else take_over(dead, standby)
    )


def main() -> None:
    """Take over, or say why not."""
    own = {"accept_loss": {"type": "bool", "default": False}}
    module = AnsibleModule(argument_spec={**ARGUMENTS, **own}, supports_check_mode=True)
    try:
        says = run(module)
    except TroubleError as trouble:
        module.fail_json(msg=str(trouble))
    except OSError as error:
        module.fail_json(
            msg=f"A volume cannot be read or written ({error}). Mend its disk and run this again; or give up"
            " what the former primary holds: remove its container and its volume, and run this again."
        )
    module.exit_json(changed=bool(says), says=says)


if __name__ == "__main__":
    main()
