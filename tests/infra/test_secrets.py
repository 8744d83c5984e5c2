"""No secret is where it does not belong: every value of .env, in its usual disguises, is looked for.

What `--check --diff` prints is looked through only where the platform is deployed for a test: a run takes a
minute.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.figures import Figure
from tests.infra.remote.leaks import Search, is_open
from tests.infra.settings import ROOT
from tests.infra.target import Target

pytestmark = pytest.mark.audit

PLACES = ("layers", "definitions", "logs", "processes", "readable files", "common files")
# The one secret in layers: the key that is made while the image is built, as the assignment wants it.
# It is in the proxy's image, and in the stage that makes it: that one has no name, but what made it.
SELF_SIGNED_KEY = re.compile(
    r"image ([^ :]+-proxy:\w+: etc/nginx/tls|[0-9a-f]{12} \(make-certificate /tls .*\): tls)/tls\.key$"
)
# Handed by the health check to its own child: the program takes it no other way but on its command line.
HEALTH_CHECK = re.compile(r"environment of (redis-cli|bash) in container [^ ]+-redis$")
# Where everybody's files are, so are the keys that programs bring as examples. Ours have names.
NOT_OURS = re.compile("/")
ALLOWED = (
    ("layers", SELF_SIGNED_KEY, "a private key"),
    ("common files", NOT_OURS, "a private key"),
    ("processes", HEALTH_CHECK, "REDIS_EXPORTER_PASSWORD"),
)


@pytest.fixture(scope="module")
def searched(target: Target) -> dict[str, Any]:
    job = {"values": target.settings.secrets, "root": target.settings["platform_root"]}
    return dict(target.secretly("leaks", job))


def is_allowed(place: str, where: str, name: str) -> bool:
    return any(
        (place, name) == (allowed, value) and pattern.match(where) for allowed, pattern, value in ALLOWED
    )


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_lies_around(searched: dict[str, Any], place: str, figure: Figure) -> None:
    figure(f"bytes searched for secrets in {place}", searched["seen"][place])
    assert searched["seen"][place] > 1000, "hardly anything was looked through"
    assert not [found for found in searched["found"][place] if not is_allowed(place, *found)]


def test_the_search_finds_what_is_there(searched: dict[str, Any]) -> None:
    """Where secrets belong it finds them: by name, in JSON, in lines, and hashed."""
    found = {name for _, name in searched["found"]["secret files"]}
    used = {name for name in found if name.isupper()}
    assert used >= {"API_KEY", "POSTGRES_APP_PASSWORD", "POSTGRES_REPLICATION_PASSWORD", "REDIS_PASSWORD"}
    assert used >= {"POSTGRES_EXPORTER_PASSWORD", "REDIS_EXPORTER_PASSWORD", "RABBITMQ_PASSWORD"}


def test_the_self_signed_key_is_found_in_its_layer(searched: dict[str, Any], target: Target) -> None:
    """That the search sees into layers, and that the documents are right about this key."""
    name = target.one("proxy").raw["Config"]["Image"]
    own = target.run("docker exec %s stat --format=%%a /etc/nginx/tls/tls.key", target.one("proxy").name)
    assert own.strip() in ("400", "600"), name
    assert [f"image {name}: etc/nginx/tls/tls.key", "a private key"] in searched["found"]["layers"]


def test_keys_are_with_root_and_with_postgresql(searched: dict[str, Any], target: Target) -> None:
    """The authority's is root's alone; PostgreSQL's is where its two places read it."""
    root = target.settings["platform_root"]
    places = ("certificates/postgres.pem", "pg-primary/secrets/server.pem", "pg-replica/secrets/server.pem")
    wanted = {(f"{root}/{place}", "key of certificates/postgres.pem") for place in places}
    wanted.add((f"{root}/certificates/authority.pem", "key of certificates/authority.pem"))
    found = {(where, name) for where, name in searched["found"]["secret files"] if name.startswith("key of")}
    assert found == wanted


# The controller


@pytest.fixture(scope="module")
def search(target: Target) -> Search:
    return Search(target.settings.secrets)


def test_no_secret_is_in_gits_history(search: Search, figure: Figure) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    objects = subprocess.run(
        ["git", "rev-list", "--objects", "--all"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    names = b"\n".join(line.split()[0] for line in objects.splitlines()) + b"\n"
    told = subprocess.run(
        ["git", "cat-file", "--batch"], cwd=ROOT, input=names, check=True, capture_output=True
    )
    search.data("git", "a commit", told.stdout)
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    for name in listed.decode().split("\0"):
        if (ROOT / name).is_file():
            search.data("git", name, (ROOT / name).read_bytes())
    figure("bytes searched for secrets in git's history and files", search.seen["git"])
    assert search.seen["git"] > len(names)
    assert not search.found["git"]


def test_no_secret_lies_in_the_checkout(search: Search, target: Target, figure: Figure) -> None:
    """Neither where others may read it nor in what runs leave behind, whoever may read that."""
    given = Path(target.settings["env_file"]).resolve()
    search.files("checkout", (file for file in kept(ROOT) if file.resolve() != given))
    figure("bytes searched for secrets in the checkout", search.seen["checkout"])
    assert search.seen["checkout"] > 100_000
    assert not search.found["checkout"]


def kept(top: Path) -> Iterator[Path]:
    """Yield the files that others may read, and all of .cache; virtual environments hold packages only."""
    for directory, names, files in os.walk(top):
        names[:] = [name for name in names if not name.startswith(".venv")]
        for file in (Path(directory, name) for name in files):
            status = file.lstat()
            if is_open(status) or (stat.S_ISREG(status.st_mode) and file.is_relative_to(top / ".cache")):
                yield file


def deploy_in_check_mode(target: Target, file: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    """Run the deployment with another file of secrets; nothing is changed."""
    sources = [f"--inventory={source}" for source in os.environ["ANSIBLE_INVENTORY"].split(",")]
    command = [
        str(Path(sys.executable).parent / "ansible-playbook"),
        "playbooks/site.yml",
        "--check",
        *options,
    ]
    command += [*sources, f"--limit={target.host.backend.host}", f"--extra-vars=env_file={file}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True)


def other_secrets(file: Path, mode: int = 0o600) -> dict[str, str]:
    """Write a file of other secrets than the deployed ones; return them."""
    keys = yaml.safe_load((ROOT / "group_vars/all/env.yml").read_text(encoding="utf-8"))["env_keys"]
    others = {name: secrets.token_urlsafe(24) for name in keys}
    file.write_text("".join(f"{name}={value}\n" for name, value in others.items()), encoding="utf-8")
    file.chmod(mode)
    return others


@pytest.mark.disruptive
def test_no_secret_is_in_what_check_and_diff_print(target: Target, tmp_path: Path, figure: Figure) -> None:
    """Told to change every secret, it shows neither those that are there nor those that would be."""
    others = other_secrets(tmp_path / "others.env")
    run = deploy_in_check_mode(target, tmp_path / "others.env", "--diff", "-vv")
    both = Search(target.settings.secrets | {f"new {name}": value for name, value in others.items()})
    both.data("diff", "the run", run.stdout + run.stderr)
    figure("bytes searched for secrets in what --check --diff prints", both.seen["diff"])
    assert not both.found["diff"]
    assert run.returncode == 0, run.stdout[-2000:].decode()
    assert b"changed=0 " not in run.stdout, "nothing would have changed: nothing was tried"


@pytest.mark.disruptive
def test_a_file_of_secrets_that_others_may_read_is_refused(target: Target, tmp_path: Path) -> None:
    """By way of a link, since it is the file that counts."""
    file, link = tmp_path / "open.env", tmp_path / "link.env"
    other_secrets(file, 0o640)
    link.symlink_to(file)
    run = deploy_in_check_mode(target, link)
    told = re.sub(r"\s+", " ", run.stdout.decode())
    assert run.returncode != 0
    assert f"{link} ({file}) is open to other users than its owner (mode 0640): chmod 600 {link}" in told
    assert "changed=0 " in told
