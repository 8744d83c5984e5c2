#!/usr/bin/env bash
# Writes sbom/IMAGE.cdx.json, a CycloneDX software bill of materials, for every image that a container of the platform
# runs on this host: Debian's packages from dpkg's own records, Python's from the virtual environment in the image.
# Each bill is checked against CycloneDX' schema. DOCKER_HOST names another engine, SBOM_DIR another directory.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

tools=$ROOT/.venv-sbom/bin
bills=${SBOM_DIR:-sbom}
work=$(mktemp -d)
container=
clean_up() {
    local status=$?
    [ "$status" -eq 0 ] || tail -n 5 "$work/warnings" >&2
    [ -z "$container" ] || docker rm "$container" >/dev/null
    rm -rf "$work"
}
trap clean_up EXIT

images() {
    docker ps --all --filter label=octopus.service --quiet |
        xargs --no-run-if-empty docker inspect --format '{{.Config.Image}}' | sort --unique
}

# An interpreter that sees the packages of the image, and no others: the image's own does not run here.
python_of_image() {
    local packages
    packages=$(echo "$work"/venv/lib/python3*/site-packages)
    printf '#!/bin/sh\nPYTHONPATH=%s exec %s -S "$@"\n' "$packages" "$(command -v python3)" >"$work/python"
    chmod +x "$work/python"
    echo "$work/python"
}

bill() {
    local image=$1 name=$2 version=$3 parts=("$work/debian.cdx.json")
    rm -rf "${work:?}"/*
    container=$(docker create "$image")
    if ! docker cp "$container:/var/lib/dpkg/status" - >/dev/null 2>&1; then
        say "No bill of $image: it is not made of Debian's packages, and not built here"
        docker rm "$container" >/dev/null
        container=
        return
    fi
    docker export "$container" | "$tools/debsbom" generate --sbom-type cdx --cdx-schema-version 1.6 --root - \
        --distro-name "$name-debian" --distro-version "$version" --out "$work/debian" 2>"$work/warnings"
    if docker cp "$container:/opt/venv" - 2>/dev/null | tar -xC "$work" 2>/dev/null; then
        "$tools/cyclonedx-py" environment --spec-version 1.6 --pyproject app/backend/pyproject.toml \
            -o "$work/python.cdx.json" "$(python_of_image)"
        parts+=("$work/python.cdx.json")
    fi
    docker rm "$container" >/dev/null
    container=
    "$tools/debsbom" merge --sbom-type cdx --cdx-schema-version 1.6 --distro-name "$name" --distro-version "$version" \
        --out "$bills/$name" "${parts[@]}" 2>>"$work/warnings"
    "$tools/python" scripts/check_bill.py "$bills/$name.cdx.json"
}

mkdir -p "$bills"
# A bill of an image that is no longer there would pass for one of today.
rm -f "$bills"/*.cdx.json
for image in $(images); do
    name=${image%:*}
    bill "$image" "${name##*/}" "${image##*:}"
done
[ -n "${image:-}" ] || die "No container of the platform is on this host: deploy it first."
