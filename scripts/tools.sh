#!/usr/bin/env bash
# Makes .venv-NAME with the pinned packages of requirements-NAME.txt: for tools that are used now and then, and whose
# packages must not get in the way of the tests'. A second run does nothing.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

name=$1
directory=.venv-$name
file=requirements-$name.txt
wanted=$(cat "$file" <(.venv/bin/python --version) <(pwd) | sha256sum)
[ "$(cat "$directory/.stamp" 2>/dev/null || true)" != "$wanted" ] || exit 0

say "Preparing $directory ($file): once"
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    export SSL_CERT_FILE=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
fi
rm -rf "$directory"
uv venv --quiet --python .venv/bin/python "$directory"
uv pip install --quiet --python "$directory/bin/python" --require-hashes -r "$file" ||
    die "uv could not install $file: is the package index reachable (UV_DEFAULT_INDEX, HTTPS_PROXY, SSL_CERT_FILE)?"
printf '%s\n' "$wanted" >"$directory/.stamp"
