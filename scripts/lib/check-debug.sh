# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The tests again, under a kernel that watches what the module does.

STEPS_DEBUG=7
STEPS_KCSAN=7

check_debug() { # VERSION of the stock kernel
	check_flavour "$1" debug asan 'KASAN: ' "${DEBUG_GUEST[@]}"
}

# The programs that make threads race, under the kernel that looks for data races.
KCSAN_PROGRAMS='stress* race* scm_race scm_flight turns'

check_kcsan() { # VERSION of the stock kernel
	local ONLY=${ONLY:-$KCSAN_PROGRAMS}
	check_flavour "$1" kcsan tsan 'KCSAN: data-race' "${KCSAN_GUEST[@]}"
}

check_flavour() { # VERSION FLAVOUR INSTRUMENTATION REPORT OPTIONS...
	local base=$1 flavour=$2 instrumentation=$3 report=$4 start=$SECONDS
	shift 4
	make_debug_kernel "$base" "$flavour"
	build_module "$DEBUG_KERNEL"
	build_provoke "$DEBUG_KERNEL"
	expect "$DEBUG_KERNEL: C and Rust code of the module is instrumented" \
		in_root "$RUNIX_TOP/scripts/lib/instrumented" "$(module_dir "$DEBUG_KERNEL")" "$instrumentation"
	check_guest "$DEBUG_KERNEL" "$@"
	step "mistakes that the $flavour kernel must see"
	ONLY='' check_provoked "$DEBUG_KERNEL" "$flavour" "$report" "$@"
	note "$DEBUG_KERNEL took $(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s"
}

# Each mistake is a test of its own, and the guest as a whole must be refused.
check_provoked() { # DEBUG_VERSION FLAVOUR REPORT OPTIONS...
	local v=$1 flavour=$2 report=$3 out=$OUT/control-$2
	shift 3
	expect_failure "$v: harness refuses a guest with reports" 'kernel trouble: ' \
		guest "$v" "control-$flavour" "$out" "$@"
	expect "$v: harness names a report of ${report%%:*}" grep -qa "$report" "$out/trouble"
	record_reported "$v" <"$out/results"
	if ! grep -q '^END ' "$out/results"; then record fail "$v: the guest of mistakes came to no end"; fi
}
