"""Say which of the pinned things has a newer version: Python packages, Debian packages in images, Grafana.

Changes nothing. `make lock` renews the Python pins (within the bounds of requirements*.in, which do not count
here), a new image_revision the Debian packages, grafana_image Grafana.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"^([a-zA-Z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
BOUND = re.compile(r"^([a-zA-Z0-9._-]+(?:\[[^\]]*\])?) *[<>=!~][^;#\n]*", re.MULTILINE)
VERSION = re.compile(r"\d+\.\d+\.\d+")
UPGRADABLE = re.compile(r"^([^/\s]+)/\S+ (\S+) \S+ \[upgradable from: ([^\]]+)\]", re.MULTILINE)
TAGS = "https://hub.docker.com/v2/repositories/{}/tags?page_size=100"
WAIT = 15  # seconds
# Settles in a container that is thrown away what an image's packages could be upgraded to.
ASK_ARCHIVE = "apt-get update -qq -o APT::Update::Error-Mode=any >&2 && apt list --upgradable 2>/dev/null"


def pins(text: str) -> dict[str, str]:
    """Return package -> version of a requirements file."""
    return dict(PIN.findall(text))


def newer(present: dict[str, str], possible: dict[str, str]) -> list[str]:
    """Return a line for each package that would change."""
    names = sorted(present.keys() & possible.keys())
    return [
        f"{name} {present[name]} -> {possible[name]}" for name in names if present[name] != possible[name]
    ]


def compiled(source: Path) -> str:
    """Return what a requirements file would be today without bounds; fail where the index cannot be asked."""
    unbound = BOUND.sub(r"\1", source.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory, "pins.txt")
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version=3.11", "--upgrade"]
        command += [f"--output-file={output}", "-"]
        subprocess.run(command, cwd=source.parent, input=unbound, text=True, check=True)  # noqa: S603
        return output.read_text(encoding="utf-8")


def python_packages() -> Iterator[tuple[str, list[str]]]:
    """Yield each requirements file with what is newer than its pins."""
    for source in sorted([*ROOT.glob("requirements*.in"), *ROOT.glob("app/backend/**/requirements*.in")]):
        file = source.with_suffix(".txt")
        if file.is_file():
            present = pins(file.read_text(encoding="utf-8"))
            yield file.relative_to(ROOT).as_posix(), newer(present, pins(compiled(source)))


def output(*command: str) -> str:
    """Return what a command prints; fail with its errors shown."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603


def upgrades(text: str) -> list[str]:
    """Return a line for each package that `apt list --upgradable` names."""
    return [f"{name} {old} -> {new}" for name, new, old in UPGRADABLE.findall(text)]


def debian_packages() -> Iterator[tuple[str, list[str]]]:
    """Yield each image built here that a container runs, with the packages that the archive has newer."""
    running = output("docker", "ps", "--all", "--filter=label=octopus.service", "--format={{.Image}}").split()
    built = output(
        "docker", "image", "ls", "--filter=label=octopus.revision", "--format={{.Repository}}:{{.Tag}}"
    )
    for image in sorted(set(running) & set(built.split())):
        run = ("docker", "run", "--rm", "--user=0", "--network=host", "--entrypoint=sh")
        yield image, upgrades(output(*run, image, "-c", ASK_ARCHIVE))


def newest(tags: list[str]) -> str:
    """Return the highest of the tags that are plain versions."""
    plain = [tag for tag in tags if VERSION.fullmatch(tag)]
    return max(plain, key=lambda tag: [int(part) for part in tag.split(".")], default="")


def grafana() -> Iterator[tuple[str, list[str]]]:
    """Yield Grafana's image with its newest version, if that is another."""
    images = yaml.safe_load((ROOT / "group_vars/all/images.yml").read_text(encoding="utf-8"))
    name, _, tag = images["grafana_image"].removeprefix("docker.io/").partition(":")
    with urllib.request.urlopen(TAGS.format(name), timeout=WAIT) as answer:  # noqa: S310 - the address is ours
        found = newest([entry["name"] for entry in json.load(answer)["results"]])
    yield images["grafana_image"], [f"{name} {tag} -> {found}"] if found and found != tag else []


def main() -> None:
    """Print all of it; what cannot be asked is said, and hides nothing else."""
    for kind in (python_packages, debian_packages, grafana):
        try:
            for name, lines in kind():
                print(f"{name}: {len(lines) or 'nothing'} newer")
                for line in lines:
                    print(f"  {line}")
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{kind.__name__.replace('_', ' ')}: could not be asked: {error}")


if __name__ == "__main__":
    main()
