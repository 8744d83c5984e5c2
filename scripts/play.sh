#!/usr/bin/env bash
# Runs a playbook with the pinned Ansible: scripts/play.sh playbooks/site.yml [ansible-playbook's options].
# Asks for sudo's password only when it is needed and somebody is there to answer.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

become=()

# Another inventory means other hosts: what sudo does on this one says nothing about them.
case " $* " in
*" -i"* | *" --inventory"* | *" -K "* | *" --ask-become-pass "* | *" --become-password-file"*) ;;
*)
    if needs_password; then
        [ -t 0 ] || no_password "nobody is there to type it"
        become=(--ask-become-pass)
    fi
    ;;
esac

exec ansible-playbook ${become[@]+"${become[@]}"} "$@"
