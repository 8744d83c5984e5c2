#!/usr/bin/env bash
# Unit tests of the filters, lookups and the repository's rules, then of the application.
# Arguments are pytest's. Results also go to .cache/junit, from where `make test` counts them.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

status=0
run() {
    local name=$1
    shift
    say "$name"
    pytest --junit-xml=".cache/junit/$name.xml" "$@" || status=1
}

run unit tests/unit "$@"
if [ -d app/backend/tests ]; then
    # The package has pytest settings of its own. Its integration tests need real services: molecule/default runs them.
    run backend --config-file=app/backend/pyproject.toml --rootdir=app/backend -m "not integration" app/backend/tests "$@"
fi
exit "$status"
