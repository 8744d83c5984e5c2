#!/usr/bin/env bash
# Runs a playbook with the pinned Ansible: scripts/play.sh playbooks/site.yml [ansible-playbook's options].
# Asks for sudo's password only when it is needed and somebody is there to answer.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

become=()
needs_password() { [ "$(id -u)" -ne 0 ] && [ -z "${ANSIBLE_BECOME_PASSWORD_FILE:-}" ] && ! sudo_answers; }

# Another inventory means other hosts: what sudo does on this one says nothing about them.
case " $* " in
*" -i"* | *" --inventory"* | *" -K "* | *" --ask-become-pass "* | *" --become-password-file"*) ;;
*)
    if needs_password; then
        command -v sudo >/dev/null || die "This needs root: run it as root, or install sudo and be allowed to use it."
        [ -t 0 ] || die "sudo wants a password and nobody is there to type it: run this as root, or set ANSIBLE_BECOME_PASSWORD_FILE."
        become=(--ask-become-pass)
    fi
    ;;
esac

exec ansible-playbook ${become[@]+"${become[@]}"} "$@"
