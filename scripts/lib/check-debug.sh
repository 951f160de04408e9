# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The tests again, under a kernel that watches what the module does.

STEPS_DEBUG=7

check_debug() { # VERSION of the stock kernel
	local base=$1 start=$SECONDS
	make_debug_kernel "$base"
	build_module "$DEBUG_KERNEL"
	expect "$DEBUG_KERNEL: C and Rust code of the module is instrumented" \
		in_root "$RUNIX_TOP/scripts/lib/instrumented" "$(module_dir "$DEBUG_KERNEL")"
	# The programs are the same as under the stock kernel.
	build_tests "$base"
	check_guest "$DEBUG_KERNEL" "${DEBUG_GUEST[@]}"
	note "$DEBUG_KERNEL took $(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s"
}
