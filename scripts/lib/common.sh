# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Progress, logging, locking and stamps. Sourced first by every script here.

set -euo pipefail
export LC_ALL=C.UTF-8

RUNIX_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
RUNIX_CACHE=${RUNIX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/runix}
# shellcheck source=scripts/lib/config.sh
. "$RUNIX_TOP/scripts/lib/config.sh"

die() {
	printf 'runix: %s\n' "$*" >&2
	exit 1
}

[[ $RUNIX_CACHE == /* ]] || die "RUNIX_CACHE must be an absolute path, not '$RUNIX_CACHE'"
# Kbuild and make cannot carry blanks or colons in paths; say so before they do it obscurely.
[[ $RUNIX_CACHE$RUNIX_TOP != *[[:space:]:]* ]] ||
	die "make needs paths without blanks and colons: $RUNIX_CACHE, $RUNIX_TOP"
case $RUNIX_CACHE/ in "$RUNIX_TOP"/*) die "RUNIX_CACHE must lie outside the checkout" ;; esac
[[ $(uname -m) == x86_64 ]] || die "only x86_64 machines are supported so far"
mkdir -p "$RUNIX_CACHE/log"

# --- progress -----------------------------------------------------------------
# Several libraries add steps; the entry script sets the total once it knows it.
STEP=0
STEP_TOTAL=0
STEP_FILE=${STEP_FILE:-} # carries the count out of subshells where it is set
LOG=$RUNIX_CACHE/log/$(basename "$0").log

start_log() {
	: >"$LOG"
}

elapsed() {
	printf '%02d:%02d:%02d' $((SECONDS / 3600)) $((SECONDS / 60 % 60)) $((SECONDS % 60))
}

joined() { (IFS=,; printf '%s\n' "$*"); } # WORD...: with commas

# step TEXT: announces the next step.
step() {
	[[ -z $STEP_FILE ]] || STEP=$(<"$STEP_FILE")
	STEP=$((STEP + 1))
	[[ -z $STEP_FILE ]] || printf '%s\n' "$STEP" >"$STEP_FILE"
	((STEP <= STEP_TOTAL)) || STEP_TOTAL=$STEP
	printf '[%2d/%2d  %s] %s\n' "$STEP" "$STEP_TOTAL" "$(elapsed)" "$*"
	printf '\n=== %s\n' "$*" >>"$LOG"
}

# note TEXT: a remark below the current step.
note() {
	printf '%18s %s\n' '' "$*"
	printf '%s\n' "$*" >>"$LOG"
}

# try_logged COMMAND...: runs it with its output in the log, whose end is shown on failure.
# Leaves the status in LOGGED_RC: within a condition, as in `try_logged f || ...`, bash
# ignores `set -e` in all of f, and a half-done step would pass for a whole one.
try_logged() {
	local start
	start=$(wc -l <"$LOG")
	printf '+ %s\n' "$*" >>"$LOG"
	set +e
	(set -e; "$@") >>"$LOG" 2>&1 </dev/null
	LOGGED_RC=$?
	set -e
	((LOGGED_RC != 0)) || return 0
	{
		echo "runix: failed with status $LOGGED_RC: $*"
		tail -n +"$((start + 2))" "$LOG" | tail -n 40 | sed 's/^/  | /'
		echo "runix: the whole log is $LOG"
	} >&2
}

# logged COMMAND...: the same, and failure is the end of this shell, wherever it was called.
logged() {
	try_logged "$@"
	((LOGGED_RC == 0)) || exit "$LOGGED_RC"
}

# --- locking --------------------------------------------------------------------
# One builder at a time per cache. Children must not inherit the lock, or an orphan
# would keep it; whatever outlives the step is started with 9>&-.
lock_cache() {
	exec 9>"$RUNIX_CACHE/lock"
	flock -n 9 && return
	echo "runix: another run is using $RUNIX_CACHE; waiting for it"
	flock 9
}

unlock_cache() {
	flock -u 9
	exec 9>&-
}

# --- stamps ----------------------------------------------------------------------
# A directory made by a step carries the key of its inputs, written last and by a
# rename. Without the right stamp the directory counts as not there at all.
key_of() {
	printf '%s\0' "$@" | sha256sum | cut -c1-16
}

stamp_ok() { # DIR KEY
	[[ -f $1/.runix-stamp && $(<"$1/.runix-stamp") == "$2" ]]
}

stamp() { # DIR KEY
	printf '%s\n' "$2" >"$1/.runix-stamp.new"
	# The contents first, then the promise that they are complete.
	sync -f "$1"
	mv "$1/.runix-stamp.new" "$1/.runix-stamp"
}

unstamp() { # DIR
	rm -f "$1/.runix-stamp"
}

# The key of a script or library: a change of the recipe is a change of the result.
key_of_files() {
	sha256sum "$@" | cut -d' ' -f1 | sha256sum | cut -c1-16
}
