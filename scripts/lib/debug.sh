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

# Every line of the fragments must have survived: a dependency that is not met drops
# an option without a word, and what finds nothing would look like what is in order.
debug_config_holds() { # FRAGMENT CONFIG
	local line name lost=0
	while IFS= read -r line; do
		case $line in
		CONFIG_*=*) grep -qxF -- "$line" "$2" && continue ;;
		'# CONFIG_'*' is not set')
			name=${line#\# }
			grep -q "^${name%% *}=" "$2" || continue
			;;
		*) continue ;;
		esac
		echo "the kernel's configuration has dropped: $line" >&2
		lost=1
	done <"$1"
	return "$lost"
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
	local base=$1 v dir tree key pid start now rc=0
	local -a fragments
	v=$(debug_version "$base" "${2:-debug}")
	mapfile -t fragments < <(debug_fragments "${2:-debug}")
	DEBUG_KERNEL=$v
	dir=$(kernel_dir "$v") tree=$(kernel_tree "$v")
	key=$(key_of "$(<"$(kernel_source "$base")/.runix-stamp")" "$(<"$ROOT/.runix-stamp")" \
		"$(key_of_files "${fragments[@]}")" "$(declare -f debug_make debug_build)")
	if stamp_ok "$tree" "$key"; then
		step "debug kernel $v is built"
		return
	fi
	step "building the debug kernel $v (once, about 10 minutes on two processors)"
	# One that was broken off goes on where it was, if nothing has changed.
	if [[ ! -e $dir/begun || $(<"$dir/begun") != "$key" ]]; then
		logged privileged rm -rf "$dir"
		mkdir -p "$tree"
		ln -s "../$base/source" "$dir/source"
		cat "${fragments[@]}" >"$dir/fragment"
		logged debug_make "$v" KCONFIG_ALLCONFIG="$dir/fragment" allnoconfig
		debug_config_holds "$dir/fragment" "$tree/.config" ||
			die "the debug kernel would not be what it is meant to be"
		printf '%s\n' "$key" >"$dir/begun"
	fi
	start=$(wc -l <"$LOG") now=$SECONDS
	logged debug_build "$v" &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		((SECONDS - now >= 60)) || continue
		now=$SECONDS
		printf '%18s %s files compiled after %s\n' '' \
			"$(tail -n +"$start" "$LOG" | grep -cE '^  (CC|AS|RUSTC|HOSTCC) ')" "$(elapsed)"
	done
	wait "$pid" || rc=$?
	((rc == 0)) || exit "$rc"
	note "$(du -h "$(kernel_files "$v")/vmlinuz" | cut -f1) of kernel"
	stamp "$tree" "$key"
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
