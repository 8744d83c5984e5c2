#!/usr/bin/env bash
# Pins requirements*.in with hashes, for every Python from 3.11 to 3.13; no index address gets into the files.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

export UV_CUSTOM_COMPILE_COMMAND="make lock"
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    export SSL_CERT_FILE=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
fi

upgrade=(--upgrade)
[ -n "${UPGRADE-1}" ] || upgrade=()
# The order matters: the test packages are constrained by the deployment's and the application's.
for name in requirements-bootstrap requirements app/backend/{requirements,requirements-build,tests/requirements} requirements-{test,fuzz,sbom}; do
    say "$name.txt"
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links ${upgrade[@]+"${upgrade[@]}"} \
        --output-file "$name.txt" "$name.in"
done
