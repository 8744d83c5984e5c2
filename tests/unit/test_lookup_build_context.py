"""The lookups build_context and build_context_archive, on a repository made for the test."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleLookupError
from ansible.plugins.loader import lookup_loader

ROOT = Path(__file__).resolve().parents[2]
FILES = {
    "app/backend/Dockerfile": "FROM base",
    "app/backend/src/main.py": "print(1)",
    "app/backend/run.sh": "#!/bin/sh",
    "roles/proxy/files/image/Dockerfile": "FROM base",
    "roles/proxy/files/image/nginx.conf": "http {}",
}
FORBIDDEN = (
    ".env",
    "app/.env",
    "app/backend/.env",
    "app/backend/.env.production",
    "app/backend/production.env",
    "roles/proxy/files/image/.env",
    ".git/config",
    "app/.git/config",
    "app/backend/tests/test_main.py",
    "app/backend/src/__pycache__/main.cpython-313.pyc",
    "app/backend/.mypy_cache/x.json",
    "group_vars/all/env.yml",
    "roles/proxy/tasks/main.yml",
    "inventory/hosts.yml",
)
BACKEND = {"dockerfile": "app/backend/Dockerfile", "inputs": ["app/backend"], "args": {"SERVICE_UID": 10003}}
PROXY = {"dockerfile": "roles/proxy/files/image/Dockerfile", "inputs": ["roles/proxy/files/image"]}

lookup_loader.add_directory(str(ROOT / "plugins/lookup"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with our own .dockerignore, with files of every forbidden kind."""
    root = tmp_path / "repository"
    for name in (*FILES, *FORBIDDEN):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(FILES.get(name, "secret"))
    shutil.copy(ROOT / ".dockerignore", root)
    return root


def hash_of(root: Path, image: dict[str, Any] = BACKEND) -> str:
    return str(lookup_loader.get("build_context").run([{"image": image}], root=str(root))[0]["image"])


def archive_of(root: Path, target: Path, *terms: dict[str, Any]) -> Path:
    return Path(
        lookup_loader.get("build_context_archive").run(list(terms), root=str(root), archive=str(target))[0]
    )


def names_in(archive: Path) -> set[str]:
    with tarfile.open(archive) as content:
        return set(content.getnames())


def test_the_hash_is_12_digits_and_stays_the_same(repository: Path) -> None:
    first = hash_of(repository)
    assert len(first) == 12
    assert int(first, 16) >= 0
    assert hash_of(repository) == first


def test_place_time_and_working_directory_do_not_count(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = hash_of(repository)
    for name in FILES:
        os.utime(repository / name, (1, 1))
    elsewhere = repository.rename(tmp_path / "elsewhere")
    monkeypatch.chdir("/")
    assert hash_of(elsewhere) == first


CHANGES: dict[str, Callable[[Path], Any]] = {
    "content": lambda root: (root / "app/backend/src/main.py").write_text("print(2)"),
    "name": lambda root: (root / "app/backend/src/main.py").rename(root / "app/backend/src/other.py"),
    "executable bit": lambda root: (root / "app/backend/run.sh").chmod(0o755),
    "new file": lambda root: (root / "app/backend/new.py").write_text(""),
    "link": lambda root: (root / "app/backend/link").symlink_to("run.sh"),
    "Dockerfile": lambda root: (root / "app/backend/Dockerfile").write_text("FROM other"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_goes_in_changes_the_hash(repository: Path, change: str) -> None:
    first = hash_of(repository)
    CHANGES[change](repository)
    assert hash_of(repository) != first


def test_arguments_change_the_hash_and_their_order_does_not(repository: Path) -> None:
    def with_args(args: dict[str, Any]) -> str:
        return hash_of(repository, {**BACKEND, "args": args})

    assert with_args({"A": 1, "B": 2}) == with_args({"B": 2, "A": 1})
    assert with_args({"A": 1}) != with_args({"A": 2})


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_stays_out_does_not_change_the_hash(repository: Path, name: str) -> None:
    first = [hash_of(repository, image) for image in (BACKEND, PROXY)]
    (repository / name).write_text("another secret")
    assert [hash_of(repository, image) for image in (BACKEND, PROXY)] == first


def test_env_and_other_forbidden_files_never_enter_the_context(repository: Path, tmp_path: Path) -> None:
    assert names_in(archive_of(repository, tmp_path / "all.tar.gz")) == set(FILES)


def test_an_image_alone_is_packed_alone(repository: Path, tmp_path: Path) -> None:
    names = names_in(archive_of(repository, tmp_path / "one.tar.gz", {"proxy": PROXY}))
    assert names == {name for name in FILES if name.startswith("roles/proxy/")}


def test_the_archive_is_the_same_byte_for_byte(repository: Path, tmp_path: Path) -> None:
    first = archive_of(repository, tmp_path / "a.tar.gz").read_bytes()
    for name in FILES:
        os.utime(repository / name, (1, 1))
    assert archive_of(repository, tmp_path / "below/b.tar.gz").read_bytes() == first
    assert sorted(path.name for path in (tmp_path / "below").iterdir()) == ["b.tar.gz"]


def test_the_archive_keeps_executables_and_nobody_owns_it(repository: Path, tmp_path: Path) -> None:
    (repository / "app/backend/run.sh").chmod(0o700)
    with tarfile.open(archive_of(repository, tmp_path / "a.tar.gz")) as content:
        assert content.getmember("app/backend/run.sh").mode == 0o755
        assert content.getmember("app/backend/Dockerfile").mode == 0o644
        assert {(entry.uid, entry.gid) for entry in content} == {(0, 0)}


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        ({**BACKEND, "inputs": ["app/nowhere"]}, "app/nowhere is no file or directory"),
        ({**BACKEND, "inputs": [".env"]}, ".env is empty, or all of it is kept out"),
        ({**BACKEND, "inputs": ["../outside"]}, "../outside is no file or directory"),
        ({**BACKEND, "dockerfile": "app/Dockerfile"}, "There is no Dockerfile app/Dockerfile"),
    ],
)
def test_a_wrong_definition_is_named(repository: Path, image: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AnsibleLookupError, match=sentence.replace(".", r"\.")):
        hash_of(repository, image)
