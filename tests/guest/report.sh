# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# How the guest talks to the runner: lines on a serial port of its own, where no
# kernel message can get in between. Sourced by every mode.
#
#   RUNIX-GUEST <mode> <kernel release>     first of all
#   | <text>                                to be shown or logged
#   ok <name> / not ok <name> / skip <name> one test each
#   END <number of tests>                   last of all; without it nothing counts
#
# Descriptor 3 is the port; init opens it. The count lives in a file, since half of
# a pipeline runs in a subshell.

COUNT=/run/runix-count

say() { printf '| %s\n' "$*" >&3; }
say_all() { sed 's/^/| /' >&3; }

# An orphan that ends interrupts the write, as we are process 1: once more then.
result() { # ok|'not ok'|skip NAME
	printf '%s %s\n' "$1" "$2" >&3 || printf '%s %s\n' "$1" "$2" >&3
	echo x >>"$COUNT"
}

# check NAME COMMAND...: one test, passed if the command succeeds.
check() {
	name=$1
	shift
	if out=$("$@" 2>&1); then
		result ok "$name"
	else
		[ -z "$out" ] || printf '%s\n' "$out" | say_all
		result 'not ok' "$name"
	fi
}

is() { # VALUE EXPECTED
	[ "$1" = "$2" ] || { echo "is '$1', should be '$2'"; return 1; }
}

finish() {
	printf 'END %d\n' "$(wc -l <"$COUNT")" >&3
}
