# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The tests again, under a kernel that watches what the module does.

STEPS_DEBUG=7

check_debug() { # VERSION of the stock kernel
	local base=$1 start=$SECONDS
	make_debug_kernel "$base"
	build_module "$DEBUG_KERNEL"
	build_provoke "$DEBUG_KERNEL"
	expect "$DEBUG_KERNEL: C and Rust code of the module is instrumented" \
		in_root "$RUNIX_TOP/scripts/lib/instrumented" "$(module_dir "$DEBUG_KERNEL")"
	# The programs are the same as under the stock kernel.
	build_tests "$base"
	check_guest "$DEBUG_KERNEL" "${DEBUG_GUEST[@]}"
	step "mistakes that the debug kernel must see"
	check_provoked "$DEBUG_KERNEL"
	note "$DEBUG_KERNEL took $(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s"
}

# Each mistake is a test of its own, and the guest as a whole must be refused.
check_provoked() { # DEBUG_VERSION
	local v=$1 out=$OUT/control-debug line
	expect_failure "$v: harness refuses a guest with KASAN reports" 'kernel trouble: .*KASAN' \
		guest "$v" control-debug "$out" "${DEBUG_GUEST[@]}"
	while IFS= read -r line; do
		case $line in
		'ok '*) record pass "$v: ${line#ok }" ;;
		'not ok '*) record fail "$v: ${line#not ok }" ;;
		esac
	done <"$out/results"
	if ! grep -q '^END ' "$out/results"; then record fail "$v: the guest of mistakes came to no end"; fi
}
