# SPDX-License-Identifier: GPL-2.0
# Drops from a kernel log what looks like trouble and is none of ours:
#
# * KCSAN's reports of races that others have among themselves; the kernel has many. A
#   race is ours if one of the two accesses is made by a module of ours, or for it, by a
#   function that it calls: within the first FRAMES frames of a stack;
# * the stock kernel's complaint of its own timer for the deadline server of the scheduler
#   (dl_task_timer), which a processor that gets little time of the machine provokes;
# * the stack that is shown where a memory cgroup was at its limit and its task killed.
#
# Whatever is not such a report, or isn't complete, is passed on.

function give() { if (ours || !whole) printf "%s", report; report = ""; inside = "" }

{
	body = $0
	sub(/\r$/, "", body)
	sub(/^\[ *[0-9.]+\] */, "", body)
	sub(/^\[ *[TC][0-9]+\] */, "", body)
}

body ~ /^BUG: KCSAN: data-race/ {
	if (inside) give()
	inside = "race"; ours = 0; whole = 0; frame = 99; report = $0 "\n"
	next
}

body ~ /^WARNING: kernel\/time\/hrtimer\.c:[0-9]+ at hrtimer_forward\+/ {
	if (inside) give()
	inside = "timer"; ours = 0; whole = 0; server = 0; report = $0 "\n"
	next
}

inside == "timer" {
	report = report $0 "\n"
	if (body ~ /^ *dl_task_timer\+/) server = 1
	if (body ~ /[+]0x.*\[runix/) ours = 1
	if (body ~ /^---\[ end trace/) { whole = server; give() }
	next
}

inside {
	report = report $0 "\n"
	if (body ~ /(write|read|assert no|reordered).* to 0x|^race at unknown/) frame = 0
	else if (body ~ /^ *[^ ]+\+0x[0-9a-f]+\/0x/ && ++frame <= FRAMES && body ~ /\[runix/) ours = 1
	if (body ~ /^=====/) { whole = 1; give() }
	next
}

body ~ / invoked oom-killer: / { killing = 1; print; next }
killing && body ~ /^Call Trace:/ { held = held $0 "\n"; next }
body ~ /^Memory cgroup out of memory: / { killing = 0; held = "" }

{ print }

END {
	if (inside) give()
	printf "%s", held
}
