#!/usr/bin/env bash
# Fuzzes the API from its own OpenAPI document, with all checks: scripts/fuzz.sh [schemathesis' options].
# FUZZ_URL        the platform, else this host's. What was stored is removed again through the engine: of another host
#                 only where DOCKER_HOST names its engine, since its messages' numbers are others' here
# FUZZ_RATE       requests a second, below the proxy's limit for writing
# FUZZ_SECONDS    how long
# FUZZ_REQUESTS   how many there have to be in that time
# ENV_FILE        where API_KEY is
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

url=${FUZZ_URL:-https://localhost}
platform=${FUZZ_PLATFORM:-octopus}
work=$ROOT/.cache/fuzz

stored() { awk '$3 == 201 { print $4 }' "$FUZZ_ANSWERS_FILE"; }

# Fails on the standby, and where there is no such container.
remove_in() {
    {
        echo "begin;"
        stored | sed 's/.*/delete from messages where id = &;/'
        echo "delete from idempotency_keys where key like '$FUZZ_MARK-%'; commit;"
    } | docker exec --interactive "$1" psql --username=postgres --dbname="${FUZZ_DATABASE:-octopus}" \
        --no-psqlrc --quiet --set=ON_ERROR_STOP=1 2>"$work/removal.txt"
}

# Copies in the cache stay for a minute at most.
clean_up() {
    rm -f "$FUZZ_KEY_FILE"
    [ -n "$(stored)" ] || return 0
    if [ -n "${FUZZ_URL:-}" ] && [ -z "${DOCKER_HOST:-}" ]; then
        say "Not removed, since the database is not on this host: $(stored | wc -l) messages"
    elif remove_in "$platform-pg-primary" || remove_in "$platform-pg-replica"; then
        say "$(stored | wc -l) messages were stored, and are removed again"
    else
        say "Not removed, since the database could not be reached ($work/removal.txt): $(stored | wc -l) messages"
    fi
}

mkdir -p "$work"
export FUZZ_MARK FUZZ_KEY_FILE=$work/key FUZZ_ANSWERS_FILE=$work/answers.txt
export SCHEMATHESIS_HOOKS=tests.fuzz.hooks PYTHONPATH=$ROOT
FUZZ_MARK=octopus-fuzz-$(date +%s)
: >"$FUZZ_ANSWERS_FILE"
trap clean_up EXIT
(umask 077 && .venv/bin/dotenv --file "${ENV_FILE:-.env}" get API_KEY >"$FUZZ_KEY_FILE")

status=0
# One worker: it sends as much as the limit lets through, and Python 3.11.2, which is Debian 12's, cannot parse in two
# threads at once ("AST constructor recursion depth mismatch").
.venv-fuzz/bin/schemathesis run "$url/api/openapi.json" --url "$url" --tls-verify false --checks all \
    --workers 1 --rate-limit "${FUZZ_RATE:-40}/s" --max-time "${FUZZ_SECONDS:-180}" --continue-on-failure \
    --report json --report-json-path "$work/report.json" "$@" || status=$?

say "$(wc -l <"$FUZZ_ANSWERS_FILE") requests; answers by status:"
cut -d ' ' -f 3 "$FUZZ_ANSWERS_FILE" | sort | uniq -c
[ "$(wc -l <"$FUZZ_ANSWERS_FILE")" -ge "${FUZZ_REQUESTS:-5000}" ] ||
    die "fewer than ${FUZZ_REQUESTS:-5000} requests: raise FUZZ_SECONDS"
[ "$status" -eq 0 ] || die "the fuzzer has found something: see above, and $work/report.json"
