# SPDX-License-Identifier: GPL-2.0
# Turns a test program's TAP into the runner's result lines.
#   awk -v prog=NAME -v status=EXIT-STATUS -f tap.awk OUTPUT
# A program that says nothing, stops early or ends badly without saying why has failed.

function out(verdict, name) { printf "%s %s: %s\n", verdict, prog, name }

/^1\.\.[0-9]+/ {
	plan = substr($1, 4) + 0
	planned = 1
	if (plan == 0 || /# *SKIP/) { skipped_all = 1; sub(/^[^#]*#? */, ""); why = $0 }
}

/^(not )?ok( |$)/ {
	name = $0
	bad = sub(/^not ok */, "", name)
	if (!bad) sub(/^ok */, "", name)
	sub(/^[0-9]+ */, "", name)
	sub(/^- */, "", name)
	n++
	if (bad) { failed++; out("not ok", name) }
	else if (name ~ /# *(SKIP|XFAIL)/) out("skip", name)
	else out("ok", name)
}

END {
	if (planned && n != plan && !(skipped_all && n == 0)) {
		out("not ok", "planned " plan " tests, ran " n + 0)
		failed++
	}
	if (status == 124 || status == 143 || status == 137) { out("not ok", "ran out of time"); exit }
	if (n == 0 && (skipped_all || status == 4)) { out("skip", "the whole program " why); exit }
	if (n == 0 && !failed) { out("not ok", "said nothing (exit status " status ")"); exit }
	# 4 is the kernel's "skipped", told test by test already.
	if (status != 0 && status != 4 && !failed) out("not ok", "exit status " status)
}
