#!/usr/bin/env bash
# Every linter, none skipped; all of them run, and any complaint fails.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

failed=()
check() {
    local name=$1
    shift
    say "$name"
    "$@" || failed+=("$name")
}

in_directory() { (cd "$1" && "${@:2}"); }

# Files of the repository that are there, new ones too, ignored ones not.
repository_files() {
    local file
    git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
        [ ! -e "$file" ] || printf '%s\n' "$file"
    done
}

# Runs a linter over the files of a pattern, if there are any.
check_files() {
    local name=$1 patterns=$2 files
    shift 2
    # Patterns are split on purpose; git expands them.
    set -f
    # shellcheck disable=SC2086
    mapfile -t files < <(repository_files $patterns)
    set +f
    [ "${#files[@]}" -eq 0 ] || check "$name" "$@" "${files[@]}"
}

check yamllint yamllint --strict .
check ansible-lint ansible-lint --strict
check ruff ruff check .
check "ruff format" ruff format --check .
check mypy mypy
[ ! -d app/backend/src ] || check "mypy app/backend" in_directory app/backend mypy
check_files shellcheck "*.sh .ci/run" shellcheck --external-sources
check_files hadolint "*Dockerfile *Dockerfile.*" hadolint

[ "${#failed[@]}" -eq 0 ] || die "complaints of: ${failed[*]}"
say "no complaints"
