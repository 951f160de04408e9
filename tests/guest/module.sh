# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What the modes do with the modules.

MODULES=/lib/modules

loaded() { [ -d "/sys/module/$1" ]; }

family_of() { cat "/sys/module/$1/parameters/family" 2>/dev/null; }

# The kernel log since the last call.
log_since() { dmesg -c; }

# Shows the lines of a log that tell of trouble, and fails if there are any.
trouble_in() { # LOG
	! awk -v FRAMES=4 -f /lib/runix/not-trouble.awk "$1" | grep -E -f /lib/runix/trouble
}

# Fails and shows it if the kernel log since the last call holds trouble.
log_clean() {
	log_since >/run/log
	trouble_in /run/log
}

# The module's references go with the last socket, some only after a grace period.
idle() { # MODULE
	loaded "$1" || return 0
	i=0
	while [ "$(cat "/sys/module/$1/refcnt")" != 0 ]; do
		i=$((i + 1))
		if [ "$i" -gt 50 ]; then
			echo "$1: reference count is still $(cat "/sys/module/$1/refcnt")"
			return 1
		fi
		sleep 0.1
	done
	# Third column: sockets alive, or -1 where nobody counts them.
	awk -v m="$1" '$8 == m && $3 > 0 { print; bad = 1 } END { exit bad }' /proc/net/protocols
}

# Nothing of the module is left in the places where it had something.
gone() { # MODULE
	! loaded "$1" || { echo "$1 is still loaded"; return 1; }
	[ ! -e "/proc/net/$1" ] || { echo "/proc/net/$1 is still there"; return 1; }
	! awk -v m="$1" '$8 == m { print; found = 1 } END { exit !found }' /proc/net/protocols
}

# For debug kernels: nothing that was allocated has been forgotten. Two scans, since
# one may find a pointer to an object in a stale register or stack.
leak_free() {
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	echo scan >/sys/kernel/debug/kmemleak
	cat /sys/kernel/debug/kmemleak >/run/leaks
	echo clear >/sys/kernel/debug/kmemleak
	[ ! -s /run/leaks ] || { cat /run/leaks; return 1; }
}

check_leaks() { # NAME
	[ ! -e /sys/kernel/debug/kmemleak ] || check "$1" leak_free
}

# For debug kernels: after its first complaint the lock checker keeps silent.
check_lockdep() {
	[ ! -e /proc/lockdep_stats ] ||
		check "the lock checker was on to the end" grep -q 'debug_locks: *1' /proc/lockdep_stats
}

# Runs the samples' dialogues, shown as they happen; the status is in /run/demo-status.
# The marker ends the pipe even if a sample left something behind that holds it open.
run_demo() {
	{
		timeout 90 /usr/bin/runix-demo 2>&1
		echo $? >/run/demo-status
		echo __END_OF_DEMO__
	} 3>&- </dev/null | sed -n '/^__END_OF_DEMO__$/q; s/^/| /p' >&3
}

# For debug kernels: runs the tests inside of the module. A result for each; a suite
# of which none has passed is a failed one.
kunit_results() {
	[ -d /sys/kernel/debug/kunit ] || return 0
	for suite in runix_chunk runix_marks runix_packet runix_queue runix_table; do
		results=/sys/kernel/debug/kunit/$suite/results
		echo 1 >/sys/kernel/debug/kunit/$suite/run
		cat $results >/run/kunit 2>&1
		if ! grep -q '^  *ok [0-9]' /run/kunit; then
			result 'not ok' "kunit $suite: no test has passed"
		fi
		say_all </run/kunit
		# What is not indented is the suite as a whole.
		sed -n 's/^  *\(ok\|not ok\) [0-9]* /\1 /p' /run/kunit | while read -r line; do
			case $line in
			*'# SKIP'*) result skip "kunit $suite: ${line#ok }" ;;
			'ok '*) result ok "kunit $suite: ${line#ok }" ;;
			*) result 'not ok' "kunit $suite: ${line#not ok }" ;;
			esac
		done
	done
}

# For scripts/coverage: which places of the module have been passed.
coverage_results() {
	places=/sys/module/runix/parameters/coverage
	[ -e $places ] || return 0
	echo 0 >$places
	while line=$(cat $places) && [ -n "$line" ]; do say "PASSED $line"; done
}

# Patterns of programs, separated by commas: those to run, where others are left out
# without a word, and those to leave out.
ONLY=$(sed -nE 's/.*runix\.only=([^ ]+).*/\1/p' /proc/cmdline)
EXCEPT=$(sed -nE 's/.*runix\.except=([^ ]+).*/\1/p' /proc/cmdline)

matches() { # PROGRAM PATTERNS
	set -f
	for pattern in $(echo "$2" | tr , ' '); do
		case $1 in $pattern) set +f; return 0 ;; esac
	done
	set +f
	return 1
}
