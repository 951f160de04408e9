# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The debug kernels: small, from the same source as a stock kernel, with everything
# that finds mistakes of the module. Each has a version of its own and lies beside the
# stock kernels in the cache, so that the steps for those serve it as well. There are
# two, as what watches memory (debug) and what looks for data races (kcsan) exclude
# each other.

debug_fragments() { printf '%s\n' "$RUNIX_TOP"/tests/debug/{base,"$1"}.config; } # FLAVOUR

# What a debug kernel boots with, and how long it may take: it is many times as slow. It is
# silent for as long as a program may run, which is heard of at its end.
# kasan_multi_shot: every report, not only the first. slab_debug=F: without the
# allocator's per-processor arrays, in which pointers to whatever was allocated stay
# behind, so that kmemleak takes a lost object for one that is still in use. no5lvl: while
# the kernel looks at its first processor, KASAN takes addresses of five levels for wild
# ones, and an interrupt in that moment, which a busy machine makes likely, is the end.
DEBUG_GUEST=(--memory 2G --time "${RUNIX_DEBUG_TIME:-3600}" --silence 700
	--append "runix.timeout=600 runix.time-scale=4 watchdog_thresh=60 kasan_multi_shot slab_debug=F kunit.enable=1 no5lvl runix.reset")

# The kernel that looks for races stops one of two now and then, to see who comes by. While
# it starts, that can be the end of it.
KCSAN_GUEST=(--memory 2G --time "${RUNIX_DEBUG_TIME:-3600}" --silence 700
	--append "runix.timeout=600 runix.time-scale=4 watchdog_thresh=60 kcsan.early_enable=0 runix.reset")

debug_version() { printf '%s-%s\n' "${1%%+*}" "${2:-debug}"; } # VERSION of the stock kernel [FLAVOUR]

is_debug_version() { [[ $1 == *-debug || $1 == *-kcsan ]]; }

# make DEBUG_VERSION ARGUMENTS...: Rust and KASAN go together with clang only.
debug_make() {
	local v=$1
	shift
	in_root nice make -C "$(kernel_source "$v")" O="$(kernel_tree "$v")" "-j$(nproc)" \
		LLVM=1 KERNELRELEASE="$v" "$@"
}

debug_build() { # DEBUG_VERSION
	local v=$1 dir files
	dir=$(kernel_dir "$v") files=$(kernel_files "$v")
	debug_make "$v" bzImage modules
	rm -rf "$files"
	debug_make "$v" INSTALL_MOD_PATH="$files/stock" modules_install
	cp "$(kernel_tree "$v")/arch/x86/boot/bzImage" "$files/vmlinuz"
	cp "$(kernel_tree "$v")/.config" "$files/config"
	# The objects are in the image now; external modules need none of them.
	find "$(kernel_tree "$v")" -mindepth 2 \( -name '*.o' -o -name '*.a' \) \
		! -path '*/scripts/*' ! -path '*/tools/*' ! -path '*/rust/*' -delete
}

# Sets DEBUG_KERNEL.
make_debug_kernel() { # VERSION of the stock kernel [FLAVOUR]
	local -a fragments
	mapfile -t fragments < <(debug_fragments "${2:-debug}")
	DEBUG_KERNEL=$(debug_version "$1" "${2:-debug}")
	small_kernel "$DEBUG_KERNEL" "$1" "debug kernel $DEBUG_KERNEL" debug_make debug_build "${fragments[@]}"
}

# A module that makes mistakes, to prove that this kernel sees them.
provoke_dir() { printf '%s\n' "$WORK/$1/provoke"; } # DEBUG_VERSION

build_provoke() { # DEBUG_VERSION
	local v=$1 out key
	out=$(provoke_dir "$v")
	key=$(key_of "$(<"$(kernel_tree "$v")/.runix-stamp")" "$(hash_of tests/debug/provoke rust/kcsan.mk)" \
		"$(declare -f build_provoke module_make)")
	stamp_ok "$out" "$key" && return
	rm -rf "$out"
	mkdir -p "$out"
	MODULE_SOURCE=$SRC/tests/debug/provoke logged module_make "$v" "$out"
	stamp "$out" "$key"
}
