# Shared by the other scripts: sourced, never run.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV=$ROOT/.venv
cd "$ROOT"

# Ansible refuses any locale but UTF-8, and ignores an ansible.cfg in a world-writable directory.
export LC_ALL=C.UTF-8
export ANSIBLE_CONFIG=$ROOT/ansible.cfg
export PATH=$VENV/bin:$PATH

# Colours are for people: a log gets none.
[ -t 1 ] || export NO_COLOR=1

say() {
    if [ -t 1 ]; then
        printf '\033[1m==> %s\033[0m\n' "$*"
    else
        printf '==> %s\n' "$*"
    fi
}

die() {
    printf 'ERROR: %s\n' "$*" >&2
    exit 1
}

# Runs a command as root: directly, or with sudo where that asks for nothing or somebody can answer it.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif sudo_answers || { [ -t 0 ] && command -v sudo >/dev/null; }; then
        sudo "$@"
    else
        return 1
    fi
}

sudo_answers() { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }

# Succeeds where Ansible needs a password of sudo that has to be typed; stops where there is no way to become root.
needs_password() {
    if [ "$(id -u)" -eq 0 ] || [ -n "${ANSIBLE_BECOME_PASSWORD_FILE:-}" ] || sudo_answers; then
        return 1
    fi
    command -v sudo >/dev/null || die "This needs root: run it as root, or install sudo and be allowed to use it."
}

no_password() { die "sudo wants a password and $1: run this as root, or set ANSIBLE_BECOME_PASSWORD_FILE."; }
