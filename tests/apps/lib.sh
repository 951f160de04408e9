# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the tests of real programs have in common. Each says in TAP what came of it,
# and leaves nothing running.

set -u
HERE=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
PATH=/opt/runix/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

# A directory that all users may look into, and a file that tells what was redirected.
T=$(mktemp -d /run/apps.XXXXXX)
TRACE=$T/trace
: >"$TRACE"
chmod 755 "$T"
chmod 666 "$TRACE"
cd "$T" || exit 1

RUN=(runix-run --trace="$TRACE")
# By hand, to see what a program does on AF_UNIX: APPS_PLAIN=1 /opt/runix/apps/NAME
[[ -z ${APPS_PLAIN:-} ]] || RUN=(env)
run() { "${RUN[@]}" "$@"; }

TESTS=0 FAILED=0
STARTED=()

end() {
	local pid
	for pid in "${STARTED[@]}"; do kill "$pid" 2>/dev/null; done
	for pid in "${STARTED[@]}"; do
		for _ in {1..50}; do
			kill -0 "$pid" 2>/dev/null || continue 2
			sleep 0.1
		done
		echo "# $pid does not end: killed"
		kill -9 "$pid" 2>/dev/null
	done
	wait
	((!FAILED)) || sed 's/^/# /' "$TRACE" | tail -n 30
	echo "1..$TESTS"
}
trap end EXIT

# check NAME COMMAND...: one test; what it says is shown if it fails.
check() {
	local name=$1 out
	shift
	TESTS=$((TESTS + 1))
	if out=$("$@" 2>&1); then
		echo "ok $TESTS $name"
	else
		[[ -z $out ]] || sed 's/^/# /' <<<"$out" | tail -n 40
		echo "not ok $TESTS $name"
		FAILED=1
	fi
}

# start LOG COMMAND...: in the background, until the end of the test.
start() {
	local log=$1
	shift
	# Without a shell in between, whose number would be taken for the program's.
	if [[ $1 == run ]]; then set -- "${RUN[@]}" "${@:2}"; fi
	"$@" >"$log" 2>&1 </dev/null &
	STARTED+=($!)
}

# await COMMAND...: until it succeeds, for half a minute at most.
await() {
	local i
	for ((i = 0; i < 120; i++)); do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.25
	done
	echo "waited in vain: $*"
	return 1
}

# The server's socket file is there.
up() { await test -S "$1" || { tail -n 20 "${2:-/dev/null}"; return 1; }; }

# listed NAME PROGRAM: a program has a socket of that name, and it is of AF_RUNIX.
listed() {
	runixstat --name "$1" >"$T/listed"
	grep -q " $2/[0-9]" "$T/listed" || { cat "$T/listed"; return 1; }
	awk -v name="$1" '$NF == name || name ~ /\*/ { n++ } END { exit !n }' /proc/net/runix
}

# not_unix NAME: nobody has a socket of that name on AF_UNIX.
not_unix() { ! grep -F " $1" /proc/net/unix; }

# traced CALL TEXT: runix-run has told of it.
traced() { grep -E "\]: $1 .*$2" "$TRACE" >/dev/null || { cat "$TRACE"; return 1; }; }

is() { [[ $1 == "$2" ]] || { printf 'is "%s"\nshould be "%s"\n' "$1" "$2"; return 1; }; }

# each SCRIPT [OPTIONS-OF-RUNIX-RUN... -- TESTS...]: a script in Python, each of its results
# as one of ours.
each() {
	local script=$1 line name
	local -a options=()
	shift
	while (($#)) && [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	"${RUN[@]}" "${options[@]}" python3 "$HERE/$script" "$T" "${@:2}" >out 2>&1 </dev/null
	while IFS= read -r line; do
		name=${line#* }
		case $line in
		'pass '*) check "$name" true ;;
		'fail '*) check "$name" sh -c 'cat out; false' ;;
		esac
	done <out
	check "$script ${options[*]} comes to its end" grep -q '^done$' out
}
