# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Kernels that are built here: small, from the same source as a stock kernel, each with a
# version of its own beside the stock kernels in the cache.

# Every line of the fragments must have survived: a dependency that is not met drops
# an option without a word, and what finds nothing would look like what is in order.
config_holds() { # FRAGMENT CONFIG
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

# small_kernel VERSION BASE NAME MAKE BUILD FRAGMENT...: from the source of the stock kernel
# BASE, with the fragments on top of allnoconfig. MAKE VERSION ARGUMENTS... is make in its
# tree, BUILD VERSION makes all of it. NAME is what it is called.
small_kernel() {
	local v=$1 base=$2 name=$3 make=$4 build=$5 dir tree key pid start now rc=0
	shift 5
	dir=$(kernel_dir "$v") tree=$(kernel_tree "$v")
	key=$(key_of "$(<"$(kernel_source "$base")/.runix-stamp")" "$(<"$ROOT/.runix-stamp")" \
		"$(key_of_files "$@")" "$(declare -f "$make" "$build")")
	if stamp_ok "$tree" "$key"; then
		step "$name is built"
		return
	fi
	step "building the $name (once, about 10 minutes on two processors)"
	# One that was broken off goes on where it was, if nothing has changed.
	if [[ ! -e $dir/begun || $(<"$dir/begun") != "$key" ]]; then
		logged privileged rm -rf "$dir"
		mkdir -p "$tree"
		ln -s "../$base/source" "$dir/source"
		cat "$@" >"$dir/fragment"
		logged "$make" "$v" KCONFIG_ALLCONFIG="$dir/fragment" allnoconfig
		config_holds "$dir/fragment" "$tree/.config" ||
			die "the $name would not be what it is meant to be"
		printf '%s\n' "$key" >"$dir/begun"
	fi
	start=$(wc -l <"$LOG") now=$SECONDS
	logged "$build" "$v" &
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
	stamp "$tree" "$key"
}
