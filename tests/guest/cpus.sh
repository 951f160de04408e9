# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Processors but the first. Every one of them is to see the breakpoint come and go that
# stands in code while that is patched. An emulated one may go on with a copy of the code
# in which it still stands, which is an oops. With one processor there is nobody to copy
# code while it is patched: the runner has an emulated kernel start with one, as it patches
# itself most at its start, and tests that have it patched turn the others off.

CPUS=/sys/devices/system/cpu

# The first control group for memory has code patched, too: it is made before.
start_cpus() {
	[ -e $CPUS/cpu1 ] || return 0
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null && mkdir /sys/fs/cgroup/kept
	other_cpus 1
}

other_cpus() { # 0|1: off or on
	for cpu in $CPUS/cpu[1-9]*/online; do
		[ ! -e "$cpu" ] || echo "$1" >"$cpu"
	done
}
