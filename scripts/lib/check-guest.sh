# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The tests that boot a guest.

guest() { # VERSION MODE OUT OPTIONS...
	local v=$1 mode=$2 out=$3
	shift 3
	"$RUNIX_TOP/scripts/qemu" --kernel "$(kernel_image "$v")" --initrd "$(guest_image "$v")" \
		--mode "$mode" --out "$out" "$@"
}

# Builds all that a guest runs, then boots it and counts what it reports.
check_guest() { # VERSION
	local v=$1 out rc=0 line
	build_c_samples
	build_rust_samples
	build_tests "$v"
	build_image "$v" with-tests
	step "testing in a guest: $v"
	out=$OUT/guest-$v
	mkdir -p "$out"
	guest "$v" check "$out" --time "${RUNIX_GUEST_TIME:-1200}" --silence 200 2>"$out/errors" || rc=$?
	while IFS= read -r line; do
		case $line in
		'ok '*) record pass "$v: ${line#ok }" ;;
		'not ok '*) record fail "$v: ${line#not ok }" ;;
		'skip '*) record skip "$v: ${line#skip }" ;;
		esac
	done <"$out/results"
	sed 's/^/  | /' "$out/results" >>"$LOG"
	note "$(grep -cE '^(ok|not ok|skip) ' "$out/results" || true) results, $(<"$out/accel")"
	if ((rc == 0)); then
		record pass "$v: guest came to its end, console is clean"
	else
		record fail "$v: guest: $(paste -sd';' "$out/verdict")"
		sed 's/^/                     | /' "$out/trouble" | head -n 20
	fi
}

# Negative controls: guests that must be reported as failed, and for the right reason.
check_controls() { # VERSION
	local v=$1
	step "guests that must fail"
	expect_failure "harness detects a guest that crashes" 'kernel trouble: .*panic' \
		guest "$v" control-oops "$OUT/control-oops" --time 60
	expect_failure "harness detects a guest that hangs" 'silent for 12 s' \
		guest "$v" control-hang "$OUT/control-hang" --time 90 --silence 12
	expect_failure "harness detects a guest out of time" 'not at its end after 12 s' \
		guest "$v" control-hang "$OUT/control-time" --time 12
	expect_failure "harness detects a guest that says nothing" 'did not announce itself' \
		guest "$v" control-silent "$OUT/control-silent" --time 60
	expect_failure "harness detects a guest that tests nothing" 'tested nothing' \
		guest "$v" control-none "$OUT/control-none" --time 60
	expect_failure "harness detects lost results" 'sent 2 results, 1 arrived' \
		guest "$v" control-short "$OUT/control-short" --time 60
	expect_failure "harness detects a warning on the console" 'kernel trouble: .*WARNING' \
		guest "$v" control-warn "$OUT/control-warn" --time 60
}

# Another kernel series, from choosing the kernel to the tests in a guest.
check_series() { # SERIES
	kernel_ready "$1"
	build_module "$KERNEL"
	check_module "$KERNEL"
	check_guest "$KERNEL"
}
