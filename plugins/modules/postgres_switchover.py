#!/usr/bin/python
"""Ansible module: primary and standby change places, and no committed row is lost."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgres_switchover
short_description: Primary and standby change places, and no committed row is lost
description:
  - Looks first, and fails in a sentence where it would not be safe.
  - The primary is stopped, the standby promoted once it has replayed all of the log, and the former primary
    started as its standby.
  - A run that was broken off is finished by the next one.
  - For platform, places, uid and slot see M(postgres_look).
options:
  finish:
    description: Whether it only finishes what a run has left that was broken off, and changes no places.
    type: bool
    default: false
"""
RETURN = r"""
says:
  description: What was done, in a sentence; empty where nothing was.
  type: str
  returned: success
"""

import subprocess
import time

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.postgres_places import ARGUMENTS, PSQL, Place, TroubleError, places_of, wait_for

MOST_LAG = 16 * 1024 * 1024  # bytes of log that are replayed while nobody can write
SHIPS_WITHIN = 10  # seconds
STOPS_WITHIN = 120  # seconds; longer than the container's own
STARTS_WITHIN = 300  # seconds
LAG = """select coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), -1)::bigint
  from pg_stat_replication where state = 'streaming' and application_name = '{standby}'"""

# After that nothing is written any more, and what there is of the log is still sent.
SHUT_DOWN = """
echo watching
until pg_controldata | grep --quiet 'cluster state: *shut down$'; do sleep 0.02; done
pg_controldata | sed --quiet 's/^Latest checkpoint location: *//p'
"""
PROMOTION = """do $$ begin
  for attempt in 1 .. {times} loop
    if pg_last_wal_replay_lsn() > '{goal}' then return; end if;
    perform pg_sleep(0.01);
  end loop;
  raise 'not replayed';
end $$;
select pg_promote(true, 120);
"""


def refuse(primary: Place, standby: Place) -> None:
    """Raise TroubleError where it is not safe to change places."""
    lag = int(primary.sql(LAG.format(standby=standby.name)) or -1)
    if lag < 0:
        raise TroubleError(
            f"{standby.name} does not stream from {primary.name}: nothing was changed. Deploy (site.yml)"
            f" first; where {primary.name} cannot be saved, failover.yml promotes {standby.name}."
        )
    if lag > MOST_LAG:
        raise TroubleError(
            f"{standby.name} is {lag} bytes of log behind {primary.name}: nothing was changed."
            " Try again when there is less to write."
        )


def begin(*call: str) -> subprocess.Popen[str]:
    """Start a call of the engine, which talks and is talked to meanwhile."""
    pipe = subprocess.PIPE
    return subprocess.Popen(["docker", *call], stdin=pipe, stdout=pipe, stderr=pipe, text=True)  # noqa: S603, S607


def watch(place: Place) -> subprocess.Popen[str]:
    """Begin to watch for the clean end of a server; it then prints where in the log that lies."""
    image = place.docker("container", "inspect", "--format", "{{.Image}}", place.container)
    bounds = [
        "--network=none",
        "--read-only",
        "--cap-drop=ALL",
        "--memory=64m",
        f"--volumes-from={place.container}:ro",
    ]
    watching = begin("run", "--rm", *bounds, image, "timeout", str(STOPS_WITHIN), "sh", "-c", SHUT_DOWN)
    if not watching.stdout or not watching.stdout.readline():
        raise TroubleError(f"The end of {place.name} cannot be watched: {watching.communicate()[1].strip()}")
    return watching


def promote(session: subprocess.Popen[str], goal: str) -> bool:
    """Promote as soon as all is replayed; return whether that was so in time, raise TroubleError else."""
    output, errors = session.communicate(PROMOTION.format(goal=goal, times=SHIPS_WITHIN * 100))
    if session.returncode and "not replayed" in errors:
        return False
    if output.strip() != "t":
        raise TroubleError(
            f"The standby could not be promoted, run this again to finish it: {errors.strip()}"
        )
    return True


def back_to_before(primary: Place, standby: Place) -> None:
    """Start the primary as what it was, and raise TroubleError."""
    primary.unlink("data", "standby.signal")
    primary.docker("start", primary.container)
    raise TroubleError(
        f"{standby.name} has not replayed all that {primary.name} wrote, or the latter did not end cleanly:"
        f" {primary.name} is started again as the primary. See docker logs {standby.container}."
    )


def switch(primary: Place, standby: Place) -> str:
    """Change places; return what was done."""
    # The stop has little left to write then.
    primary.sql("checkpoint", 300)
    # Whatever takes time to start is started before.
    watching = watch(primary)
    session = begin(
        "exec", "--interactive", standby.container, *PSQL, "--set=ON_ERROR_STOP=1", "--dbname=postgres"
    )
    # Counts at its next start.
    primary.touch("data", "standby.signal")
    began = time.monotonic()
    stopping = begin("stop", primary.container)
    goal = watching.communicate()[0].strip()
    done = bool(goal) and promote(session, goal)
    seconds = time.monotonic() - began
    stopping.communicate()
    if not done:
        back_to_before(primary, standby)
    return f"{standby.name} is primary; nobody could write for {seconds:.1f} s. {follow(standby, primary)}"


def follow(primary: Place, standby: Place) -> str:
    """Start the standby over a slot of the primary; return what was done."""
    primary.provide_slot()
    standby.docker("start", standby.container)
    if not wait_for(primary.streams, STARTS_WITHIN, 0.2):
        raise TroubleError(
            f"{primary.name} is primary, and {standby.name} does not follow it, {STARTS_WITHIN} s after"
            f" its start: see docker logs {standby.container}, and deploy (site.yml)."
        )
    return f"{standby.name} follows it."


def choose(places: list[Place]) -> str:
    """Of two standbys, promote the one with more of the log; return what was done."""
    for place in places:
        place.docker("start", place.container)
        if not wait_for(lambda place=place: place.is_standby() is not None, STARTS_WITHIN, 0.2):
            raise TroubleError(
                f"{place.name} does not answer: see docker logs {place.container}, and run this again."
            )
    behind, ahead = sorted(places, key=received)
    ahead.promote()
    told = f"Both places were standbys: {ahead.name}, which had more of the log, is primary."
    return f"{told} {follow(ahead, behind)}"


def received(place: Place) -> int:
    """Return how far a standby has the log, in bytes."""
    query = "select (greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0')::bigint"
    return int(place.sql(query) or 0)


def finish(primary: Place) -> str:
    """Take back what a run has left at a primary that was broken off; return what was done."""
    if not primary.signal:
        return ""
    if not primary.module.check_mode:
        primary.unlink("data", "standby.signal")
    return f"{primary.name} stays primary at its next start, too."


def run(module: AnsibleModule) -> str:
    """Do it; return what was done."""
    places = places_of(module)
    roles = {place.name: place.is_standby() for place in places}
    primaries = [place for place in places if roles[place.name] is False]
    if not primaries and all(place.signal and not place.order for place in places):
        return "Both places are standbys: one would be promoted." if module.check_mode else choose(places)
    if len(primaries) != 1:
        told = ", ".join(f"{name} {SAYS[role]}" for name, role in roles.items())
        raise TroubleError(f"There has to be one primary and one standby; {told}: nothing was changed.")
    primary, standby = primaries[0], next(place for place in places if place is not primaries[0])
    if module.params["finish"]:
        return finish(primary)
    if standby.status == "exited" and standby.signal and not standby.order and not module.check_mode:
        return f"{primary.name} is primary since a run that was broken off. {follow(primary, standby)}"
    refuse(primary, standby)
    return "They would change places." if module.check_mode else switch(primary, standby)


SAYS = {True: "is a standby", False: "is a primary", None: "does not answer"}


def main() -> None:
    """Change places, or say why not."""
    own = {"finish": {"type": "bool", "default": False}}
    module = AnsibleModule(argument_spec={**ARGUMENTS, **own}, supports_check_mode=True)
    try:
        says = run(module)
    except TroubleError as trouble:
        module.fail_json(msg=str(trouble))
    module.exit_json(changed=bool(says), says=says)


if __name__ == "__main__":
    main()
