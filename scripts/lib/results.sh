# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Counting tests: a file with one line each, verdict and name.

# pass|fail|skip NAME
record() {
	printf '%s\t%s\n' "$1" "$2" >>"$RESULTS"
	printf '%s: %s\n' "$1" "$2" >>"$LOG"
	if [[ $1 == fail ]]; then printf '%18s FAILED: %s\n' '' "$2"; fi
}

# record_reported NAME: counts each result of the lines that a guest has sent (stdin).
record_reported() {
	local line
	while IFS= read -r line; do
		case $line in
		'ok '*) record pass "$1: ${line#ok }" ;;
		'not ok '*) record fail "$1: ${line#not ok }" ;;
		'skip '*) record skip "$1: ${line#skip }" ;;
		esac
	done
}

# record_many VERDICT COUNT NAME
record_many() {
	local i
	for ((i = 1; i <= $2; i++)); do record "$1" "$3 $i/$2"; done
}

count_of() { grep -c "^$1	" "$RESULTS" || true; }

# What a failed command said, without cargo's progress; the log has all of it.
show_output() {
	grep -vE '^ *(Compiling|Checking|Downloading|Downloaded|Updating|Locking|Finished) ' <<<"$1" |
		sed -n '1,25s/^/                     | /p'
}

# expect NAME COMMAND...: a test that passes if the command succeeds.
expect() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		record pass "$name"
	else
		record fail "$name"
		show_output "$out"
	fi
	printf '%s\n' "$out" >>"$LOG"
}

# expect_failure NAME TEXT COMMAND...: a negative control, passed if the command fails
# and says TEXT (an extended regular expression) while doing so.
expect_failure() {
	local name=$1 text=$2 out
	shift 2
	if out=$("$@" 2>&1); then
		record fail "$name (it was let through)"
	elif grep -qE -- "$text" <<<"$out"; then
		record pass "$name"
	else
		record fail "$name (failed, but for another reason)"
		show_output "$out"
	fi
	printf '%s\n' "$out" >>"$LOG"
}

# part NAME FUNCTION ARGUMENTS...: runs a part on its own; whatever ends it early is one
# failed test, and the others still run. Leaves the status in PART_RC: it must not be
# called within a condition, where `set -e` does not hold (see try_logged).
part() {
	local name=$1
	shift
	set +e
	(set -e; "$@")
	PART_RC=$?
	set -e
	if ((PART_RC != 0)); then record fail "$name: broke off with status $PART_RC"; fi
}
