#!/usr/bin/env bash
# Makes .venv with the pinned packages of requirements.txt (`deploy`) or requirements-test.txt (`test`).
# A second run does nothing; a changed pin, another Python and an interrupted run are repaired.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

MIN_PYTHON=3.11
INSTALLING=.venv/.installing

find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3; do
        if "$candidate" -c "import sys; sys.exit(sys.version_info < (${MIN_PYTHON/./, }))" 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "Python $MIN_PYTHON or newer is needed (Debian 12 and 13 have it): apt-get install python3"
}

# Everything that makes an installed .venv right: the files given, the Python, and the place (scripts hold its path).
fingerprint() { { cat "$@" requirements-bootstrap.txt; "$PYTHON" --version; echo "$VENV"; } | sha256sum; }

is_current() { [ ! -e "$INSTALLING" ] && [ -f ".venv/.stamp-$1" ] && [ "$(cat ".venv/.stamp-$1")" = "$2" ]; }

ensure_venv_module() {
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null && return
    say "Installing Debian's python3-venv"
    if ! { as_root apt-get update -q && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy python3-venv; }; then
        die "$PYTHON cannot make a virtual environment. As root: apt-get install python3-venv"
    fi
}

# pip and uv bring certificate stores of their own; networks that inspect TLS are in the system's.
use_system_certificates() {
    local bundle=/etc/ssl/certs/ca-certificates.crt
    [ -f "$bundle" ] || return 0
    export PIP_CERT=${PIP_CERT:-$bundle}
    export SSL_CERT_FILE=${SSL_CERT_FILE:-$PIP_CERT}
}

# uv does not read pip's configuration: a mirror named there counts for both.
use_pip_index() {
    local index=${PIP_INDEX_URL:-$(.venv/bin/pip config get global.index-url 2>/dev/null || true)}
    [ -z "$index" ] || export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}
}

make_venv() {
    rm -rf .venv
    "$PYTHON" -m venv .venv
    touch "$INSTALLING"
    .venv/bin/python -m pip install --quiet --require-hashes -r requirements-bootstrap.txt ||
        die "pip could not install requirements-bootstrap.txt: is the package index reachable (PIP_INDEX_URL, HTTPS_PROXY, PIP_CERT)?"
}

install() {
    local file=$1
    touch "$INSTALLING"
    use_pip_index
    .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r "$file" && return
    say "uv could not install $file: trying pip"
    .venv/bin/python -m pip install --quiet --require-hashes -r "$file" ||
        die "Neither uv nor pip could install $file: is the package index reachable (PIP_INDEX_URL, HTTPS_PROXY, PIP_CERT)?"
}

# The tests of the application run its commands: they lead to the sources in app/backend, nothing is downloaded.
install_application() {
    .venv/bin/uv pip install --quiet --python .venv/bin/python --offline --no-deps --no-build-isolation \
        --editable app/backend
}

main() {
    local set=${1:-deploy} file=requirements.txt inputs=(requirements.txt) deploy wanted
    if [ "$set" = test ]; then
        file=requirements-test.txt
        inputs=("$file" app/backend/pyproject.toml)
    fi
    PYTHON=$(find_python)
    wanted=$(fingerprint "${inputs[@]}")
    is_current "$set" "$wanted" && return
    mkdir -p .cache
    exec 9>.cache/bootstrap.lock
    flock 9
    is_current "$set" "$wanted" && return
    say "Preparing .venv ($file, $("$PYTHON" --version)): once, half a minute or so"
    deploy=$(fingerprint requirements.txt)
    use_system_certificates
    # A package set that is there but outdated is not updated in place: nothing stale stays behind.
    if [ -e ".venv/.stamp-$set" ] || ! is_current deploy "$deploy"; then
        ensure_venv_module
        make_venv
    fi
    install "$file"
    [ "$set" = deploy ] || install_application
    rm -f "$INSTALLING"
    # The test packages contain the deployment's, in the same versions.
    printf '%s\n' "$deploy" >.venv/.stamp-deploy
    printf '%s\n' "$wanted" >".venv/.stamp-$set"
}

main "$@"
