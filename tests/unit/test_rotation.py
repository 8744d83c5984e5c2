"""The tasks that rotate the file of secrets, in each state in which a rotation can be broken off."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.unit.repository import ROOT

KEYS = yaml.safe_load((ROOT / "group_vars/all/env.yml").read_text(encoding="utf-8"))["env_keys"]
OLD = "".join(f"{key}=the-old-value-{number}\n" for number, key in enumerate(KEYS))
ROTATE = {"name": "preflight", "tasks_from": "rotate"}
END = {"name": "preflight", "tasks_from": "rotated"}
LOOK = {"path": "{{ env_file }}", "follow": True, "get_checksum": False}


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    file = tmp_path / "test.env"
    file.write_text(OLD, encoding="utf-8")
    file.chmod(0o600)
    return file


def previous(env_file: Path) -> Path:
    return env_file.with_name("test.env.previous")


def play(env_file: Path, *options: str, hosts: str = "one", ends: bool = False, failing: str = "") -> str:
    """Rotate, on hosts that stand for the platform's; return what was said."""
    tasks = [
        {"ansible.builtin.stat": LOOK, "register": "preflight_env_file"},
        {"ansible.builtin.include_role": ROTATE},
        {"ansible.builtin.fail": {"msg": "broken"}, "when": f"inventory_hostname == '{failing}'"},
    ]
    common = {"hosts": "platform", "gather_facts": False, "connection": "local"}
    plays = [common | {"tasks": tasks}]
    if ends:
        plays.append(common | {"tasks": [{"ansible.builtin.include_role": END}]})
    playbook, inventory = env_file.with_name("play.yml"), env_file.with_name("hosts.ini")
    playbook.write_text(yaml.safe_dump(plays), encoding="utf-8")
    inventory.write_text(
        "[platform]\n"
        + "".join(f"{host} ansible_python_interpreter={sys.executable}\n" for host in hosts.split()),
        encoding="utf-8",
    )
    program = str(Path(sys.executable).parent / "ansible-playbook")
    command = [program, str(playbook), "-i", str(inventory), *options]
    variables = f"@{ROOT}/group_vars/all/env.yml"
    done = subprocess.run(
        [*command, "-e", variables, "-e", f"env_file={env_file}"],
        cwd=ROOT,
        env=os.environ | {"ANSIBLE_CONFIG": f"{ROOT}/ansible.cfg"},
        capture_output=True,
        text=True,
    )
    said = " ".join((done.stdout + done.stderr).split())
    assert "the-old-value" not in said
    assert (done.returncode == 0) == (not failing), said
    return said


def test_the_old_file_is_kept_beside_new_values(env_file: Path) -> None:
    play(env_file)
    new = dict(line.split("=") for line in env_file.read_text().splitlines() if not line.startswith("#"))
    assert list(new) == KEYS
    assert len(set(new.values())) == len(KEYS)
    assert "the-old-value" not in env_file.read_text()
    assert previous(env_file).read_text() == OLD
    assert {stat.S_IMODE(file.stat().st_mode) for file in (env_file, previous(env_file))} == {0o600}


def test_broken_off_before_the_new_values_it_makes_them(env_file: Path) -> None:
    previous(env_file).write_text(OLD)
    assert "was broken off" not in play(env_file)
    assert env_file.read_text() != OLD
    assert previous(env_file).read_text() == OLD


def test_broken_off_after_the_new_values_it_goes_on_with_them(env_file: Path) -> None:
    previous(env_file).write_text("the older ones\n")
    assert "a rotation was broken off" in play(env_file, ends=True)
    assert env_file.read_text() == OLD
    assert not previous(env_file).exists()


def test_check_mode_says_what_it_would_do_and_writes_nothing(env_file: Path) -> None:
    said = play(env_file, "--check", "--diff", ends=True)
    assert f"each of the {len(KEYS)} keys of {env_file} a new random value" in said
    assert "changed=2 " in said
    assert env_file.read_text() == OLD
    assert not previous(env_file).exists()


def test_hosts_that_share_a_file_rotate_it_once(env_file: Path) -> None:
    said = play(env_file, hosts="one two", ends=True)
    assert said.count("changed: [") == 3
    assert not previous(env_file).exists()


def test_the_old_file_stays_while_a_host_is_left(env_file: Path) -> None:
    said = play(env_file, hosts="one two", ends=True, failing="one")
    assert f"one may still have the old secrets, so {previous(env_file)} stays." in said
    assert previous(env_file).read_text() == OLD
    assert env_file.read_text() != OLD


def test_behind_a_link_the_file_itself_is_rotated(env_file: Path) -> None:
    link = env_file.with_name("link.env")
    link.symlink_to(env_file)
    play(link, ends=True)
    assert link.is_symlink()
    assert env_file.read_text() != OLD
