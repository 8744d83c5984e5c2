"""The lookup `build_context`: content hashes of what goes into images, and archives of the same files."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from docker.utils.build import Pattern
from docker.utils.fnmatch import fnmatch

DOCUMENTATION = """
name: build_context
short_description: Content hashes and archives of images' build contexts
description:
  - The hash covers names, executable bits and contents of all files below an image's inputs that the
    C(.dockerignore) of the root lets through, the Dockerfile and the build arguments. Times, owners and the
    working directory do not count.
  - With O(archive), the same files are written as a reproducible C(.tar.gz) instead, whose root is the
    context's root. See the lookup C(build_context_archive).
author: Octopus contributors
options:
  _terms:
    description:
      - One dict, image -> {dockerfile, inputs, args}. Paths are relative to the root.
      - With O(archive) it may be left out, and means all files that the C(.dockerignore) lets through.
  archive:
    description: Where to write the archive on the controller. Missing directories are made.
    type: str
  root:
    description: The context's root; by default the repository that this file is in.
    type: path
"""

EXAMPLES = """
- ansible.builtin.set_fact:
    image_hashes: "{{ lookup('build_context', images) }}"
"""

RETURN = """
_raw:
  description: One dict, image -> 12 hexadecimal digits; with O(archive), the archive's path.
  type: list
"""

ROOT = Path(__file__).resolve().parents[2]
HASH_LENGTH = 12  # hexadecimal digits
MTIME = 946684800  # seconds; any fixed time that tar does not call implausible: 2000-01-01


def read_patterns(root: Path) -> list[Any]:
    """Return the patterns of the root's .dockerignore, in order; none where there is no such file."""
    file = root / ".dockerignore"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    stripped = (line.strip() for line in lines)
    patterns = [Pattern(line) for line in stripped if line and not line.startswith("#")]
    return [pattern for pattern in patterns if pattern.dirs]


def is_ignored(path: PurePosixPath, patterns: list[Any]) -> bool:
    """Tell what the Docker client would: the last pattern to match the path or a directory above it decides.

    The SDK's own walk never enters what a wildcard allows (`!roles/*/files`), so only its patterns are used.
    """
    ignored = False
    candidates = [str(path), *(str(parent) for parent in path.parents if parent.name)]
    for pattern in patterns:
        if any(pattern.match(candidate) for candidate in candidates):
            ignored = not pattern.exclusion
    return ignored


def files_below(root: Path, name: str) -> Iterator[PurePosixPath]:
    """Yield all files and links below an input, relative to the root; the input itself where it is a file."""
    start = root / name
    if not start.resolve().is_relative_to(root) or not (start.is_symlink() or start.exists()):
        raise AnsibleLookupError(f"{name} is no file or directory below {root}.")
    found = start.rglob("*") if start.is_dir() else iter([start])
    for path in found:
        if path.is_symlink() or path.is_file():
            yield PurePosixPath(path.relative_to(root).as_posix())


def context_files(root: Path, image: Mapping[str, Any], patterns: list[Any]) -> list[PurePosixPath]:
    """Return the image's files in order, the Dockerfile among them; every input has to give at least one."""
    files = {PurePosixPath(image["dockerfile"])}
    if not (root / image["dockerfile"]).is_file():
        raise AnsibleLookupError(f"There is no Dockerfile {image['dockerfile']} below {root}.")
    for name in image.get("inputs") or []:
        allowed = {path for path in files_below(root, str(name)) if not is_ignored(path, patterns)}
        if not allowed:
            raise AnsibleLookupError(f"{name} is empty, or all of it is kept out by .dockerignore.")
        files |= allowed
    return sorted(files)


def all_files(root: Path, patterns: list[Any]) -> list[PurePosixPath]:
    """Return everything that .dockerignore lets through, without looking into what it cannot let through."""
    files: set[PurePosixPath] = set()
    for start in root.iterdir():
        allowed_below = any(item.exclusion and fnmatch(start.name, item.dirs[0]) for item in patterns)
        if allowed_below or not is_ignored(PurePosixPath(start.name), patterns):
            found = files_below(root, start.name)
            files.update(path for path in found if not is_ignored(path, patterns))
    return sorted(files)


def describe(path: Path) -> tuple[str, bytes]:
    """Return a file's kind (file, executable, link) and its content or the link's target."""
    if path.is_symlink():
        return "link", str(path.readlink()).encode()
    executable = path.stat().st_mode & 0o100
    return "executable" if executable else "file", path.read_bytes()


def context_hash(root: Path, image: Mapping[str, Any], patterns: list[Any]) -> str:
    """Return the hash of the image's files, Dockerfile's name and build arguments."""
    digest = hashlib.sha256()
    arguments = {str(key): str(value) for key, value in (image.get("args") or {}).items()}
    digest.update(json.dumps([str(image["dockerfile"]), arguments], sort_keys=True).encode())
    for name in context_files(root, image, patterns):
        kind, content = describe(root / name)
        entry = [str(name), kind, hashlib.sha256(content).hexdigest()]
        digest.update(json.dumps(entry).encode())
    return digest.hexdigest()[:HASH_LENGTH]


def add_file(archive: tarfile.TarFile, root: Path, name: PurePosixPath) -> None:
    """Add one file: nothing but its name, kind and content tells one archive from another."""
    kind, content = describe(root / name)
    entry = tarfile.TarInfo(str(name))
    entry.mtime = MTIME
    entry.mode = 0o755 if kind == "executable" else 0o644
    if kind == "link":
        entry.type, entry.linkname = tarfile.SYMTYPE, content.decode()
        archive.addfile(entry)
    else:
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))


def write_archive(root: Path, names: list[PurePosixPath], target: Path) -> None:
    """Write the files as a tar.gz that is the same, byte for byte, wherever and whenever it is written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    with (
        partial.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=MTIME) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in names:
            add_file(archive, root, name)
    partial.replace(target)


class LookupModule(LookupBase):
    """What Ansible loads."""

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        """Return a list of one dict (image -> hash) or, with `archive`, of one path."""
        self.set_options(var_options=variables, direct=kwargs)
        root = Path(self.get_option("root") or ROOT).resolve()
        patterns = read_patterns(root)
        images = {name: image for term in terms for name, image in term.items()}
        if not (archive := self.get_option("archive")):
            return [{name: context_hash(root, image, patterns) for name, image in images.items()}]
        names = {name for image in images.values() for name in context_files(root, image, patterns)}
        target = root / archive
        write_archive(root, sorted(names) if images else all_files(root, patterns), target)
        return [str(target)]
