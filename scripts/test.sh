#!/usr/bin/env bash
# Everything that guards the project: linters, unit tests, Molecule scenarios (default, or all with `all`).
# All stages run; the summary names those that failed. The last line is `N passed, N failed`.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

export JUNIT_DIR=$ROOT/.cache/junit
summary=()
failed_stages=0

stage() {
    local name=$1 started=$SECONDS result=ok
    shift
    say "Stage $name"
    "$@" </dev/null || result=FAILED
    [ "$result" = ok ] || failed_stages=$((failed_stages + 1))
    summary+=("$(printf '%-24s %-6s %5d s' "$name" "$result" $((SECONDS - started)))")
    say "Stage $name: $result after $((SECONDS - started)) s"
}

scenarios() {
    local file
    echo default
    [ "${1:-}" = all ] || return 0
    for file in molecule/*/molecule.yml; do
        file=$(basename "$(dirname "$file")")
        [ "$file" = default ] || echo "$file"
    done
}

finish() {
    say "Summary"
    printf '%s\n' "${summary[@]}"
    echo "Time taken: $((SECONDS / 60)) min $((SECONDS % 60)) s"
    python3 scripts/count_tests.py "$JUNIT_DIR" "$failed_stages" | tee .cache/test-summary.txt
}

# Asked before the first minute is spent: Molecule becomes root later, with nobody there to type.
if needs_password; then
    no_password "the tests cannot type it"
fi
rm -rf "$JUNIT_DIR"
mkdir -p "$JUNIT_DIR"
stage bootstrap scripts/bootstrap.sh test
if [ "$failed_stages" -eq 0 ]; then
    stage lint scripts/lint.sh
    stage unit scripts/unit.sh
    for scenario in $(scenarios "$@"); do
        stage "molecule $scenario" molecule test --scenario-name "$scenario"
    done
fi
finish
