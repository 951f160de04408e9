# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The tests that boot a guest.

guest() { # VERSION MODE OUT OPTIONS...
	local v=$1 mode=$2 out=$3
	shift 3
	# What is chosen by name, with commas for blanks: the kernel's command line has those.
	[[ -z ${ONLY:-} ]] || set -- "$@" --append "runix.only=${ONLY// /,}"
	set -- "$@" "${GUEST_OPTIONS[@]}"
	"$RUNIX_TOP/scripts/qemu" --kernel "$(kernel_image "$v")" --initrd "${GUEST_IMAGE:-$(guest_image "$v" "${IMAGE:-}")}" \
		--mode "$mode" --out "$out" "$@"
}

# Builds all that a guest runs, then boots it and counts what it reports.
check_guest() { # VERSION OPTIONS...
	local v=$1 out rc=0
	shift
	build_c_samples
	build_rust_samples
	build_tests "$v"
	build_image "$v" with-tests
	step "testing in a guest: $v"
	out=$OUT/guest-$v
	mkdir -p "$out"
	guest "$v" check "$out" --time "${RUNIX_GUEST_TIME:-1200}" --silence 200 "$@" 2>"$out/errors" || rc=$?
	record_guest "$v" "$out" "$rc"
}

# The same for real programs, on a disk with Debian.
check_apps() { # VERSION
	local v=$1 out rc=0
	build_apps_disk
	build_c_samples
	build_rust_samples
	build_preload
	build_image "$v" for-apps
	step "testing Debian's programs in a guest: $v"
	out=$OUT/guest-apps
	mkdir -p "$out"
	IMAGE=-apps guest "$v" apps "$out" --disk "$(apps_disk)" --memory 2G --time "${RUNIX_GUEST_TIME:-1200}" --silence 450 \
		2>"$out/errors" || rc=$?
	record_guest "programs" "$out" "$rc"
}

# Counts what a guest has reported.
record_guest() { # NAME OUT STATUS
	local v=$1 out=$2 rc=$3
	record_reported "$v" <"$out/results"
	sed 's/^/  | /' "$out/results" >>"$LOG"
	note "$(grep -cE '^(ok|not ok|skip) ' "$out/results" || true) results, $(<"$out/accel")"
	# Failed tests are counted already; what else is wrong with the guest is one more.
	if ((rc == 0)) || ! grep -qvE '^[0-9]+ tests failed$' "$out/verdict"; then
		record pass "$v: guest came to its end, console is clean"
	else
		record fail "$v: guest: $(paste -sd';' "$out/verdict")"
		sed 's/^/                     | /' "$out/trouble" | head -n 20
	fi
	if [[ -z ${ONLY:-} || $ONLY == '*' ]] && ! is_debug_version "$v"; then keep_results "$v" "$out/results"; fi
}

# The table of rows is held against results of complete runs, and made of them.
results_kept() { printf '%s\n' "$WORK/$1/results"; } # VERSION, or "host"

keep_results() { # VERSION FILE
	mkdir -p "$WORK/$1"
	cp "$2" "$(results_kept "$1")"
}

# Each row of AF_UNIX's behaviour is accounted for by the tests that ran.
check_rows() { # VERSION
	local v=$1 rows=$RUNIX_TOP/scripts/lib/rows list=$SRC/tests/kselftest/rows
	local -a results
	results=("$(results_kept host)" "$(results_kept "$v")")
	step "rows of behaviour: $v"
	# The table is made with the preferred series; another kernel may lack a thing or two.
	if [[ $(series_of "$v") != "${RUNIX_SUPPORTED_SERIES[0]}" ]]; then
		expect "$v: every row is accounted for" "$rows" --lenient "$list" "${results[@]}"
		return
	fi
	expect "$v: every row is accounted for" "$rows" "$list" "${results[@]}"
	expect "$v: Documentation/behaviour.rst is what the tests say" \
		"$rows" --compare "$SRC/Documentation/behaviour.rst" "$list" "${results[@]}"
	sed '/^row 12$/,/^$/d' "$list" >"$OUT/rows"
	expect_failure "rows: a missing row is noticed" 'row 12 is missing' "$rows" "$OUT/rows" "${results[@]}"
	sed '/^row 12$/,/^$/s/^same$/differs/;s/^differs$//' "$list" >"$OUT/rows"
	expect_failure "rows: a row without account is noticed" 'row 12 has no account' \
		"$rows" "$OUT/rows" "${results[@]}"
	sed 's/^tests addr.umask/& addr.no_such_test/' "$list" >"$OUT/rows"
	expect_failure "rows: a test that did not run is noticed" 'row 13: addr.no_such_test did not run on AF_UNIX' \
		"$rows" "$OUT/rows" "${results[@]}"
	local change name verdict complaint
	for change in 'runix.umask/not ok/has failed on AF_RUNIX' 'unix.umask/skip/was skipped on AF_UNIX'; do
		IFS=/ read -r name verdict complaint <<<"$change"
		sed -E "s/^ok( addr: addr\\.$name)/$verdict\\1/" "${results[@]}" >"$OUT/rows-results"
		expect_failure "rows: a test that $complaint is noticed" "row 13: addr.umask $complaint" \
			"$rows" "$list" "$OUT/rows-results"
	done
	grep -v 'addr\.runix\.umask' "${results[1]}" >"$OUT/rows-results"
	expect_failure "rows: a test that ran on one family is noticed" 'row 13: addr.umask did not run on AF_RUNIX' \
		"$rows" "$list" "${results[0]}" "$OUT/rows-results"
}

# SELinux alone labels sockets of any family, and is not what the stock kernel starts
# with. Without a policy there are the labels that it has from the start.
check_labels() { # VERSION
	local v=$1
	step "labels of senders, in a guest with SELinux"
	expect "$v: labels of senders" guest "$v" check "$OUT/guest-labels" \
		--append 'security=selinux runix.only=scm_security,scm_options' --time 300
	expect "$v: there were labels" grep -q '^ok .*scm_security.*labels_there' "$OUT/guest-labels/results"
	expect "$v: in each type of socket" not grep '^skip .*labels_there' "$OUT/guest-labels/results"
}

not() { ! "$@"; }

# Negative controls: guests that must be reported as failed, and for the right reason.
# Those that only wait run beside the others.
check_controls() { # VERSION
	local v=$1 lane
	step "guests that must fail"
	controls_waiting "$v" &
	lane=$!
	must_fail "$v" "harness detects a guest that crashes" oops 'kernel trouble: .*panic'
	must_fail "$v" "harness detects a guest that says nothing" silent 'did not announce itself'
	must_fail "$v" "harness detects a guest that tests nothing" none 'tested nothing'
	must_fail "$v" "harness detects lost results" short 'sent 2 results, 1 arrived'
	must_fail "$v" "harness detects a warning on the console" warn 'kernel trouble: .*WARNING'
	wait "$lane"
}

controls_waiting() { # VERSION
	must_fail "$1" "harness detects a guest that hangs" hang 'silent for 30 s' --silence 30
	expect "harness: that guest was up before it hung" grep -q 'before the hang' "$OUT/control-hang/results"
	must_fail "$1" "harness detects a guest out of time" hang 'not at its end after 10 s' --time 10
}

must_fail() { # VERSION NAME CONTROL TEXT OPTIONS...
	local v=$1 name=$2 mode=control-$3 text=$4
	shift 4
	expect_failure "$name" "$text" guest "$v" "$mode" "$OUT/$mode" --time 120 "$@"
}

# What takes long, or a quiet machine, and is about the module alone: the preferred kernel
# runs it.
LONG_PROGRAMS=(fuzz gc_cost landing landing_crowd landing_race limits patience race reload stress_data stress_gc upstream_scm_rights)

# Another kernel series, from choosing the kernel to the tests in a guest.
check_series() { # SERIES
	kernel_ready "$1"
	build_module "$KERNEL"
	check_module "$KERNEL"
	check_guest "$KERNEL" --append "runix.except=$(joined "${LONG_PROGRAMS[@]}")"
	check_rows "$KERNEL"
}
