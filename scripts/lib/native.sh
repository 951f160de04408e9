# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# The bench in nanoseconds: on this machine's own kernel where the module is loaded,
# otherwise in User-Mode Linux, a kernel that is a process. A system call costs that
# kernel ten times what it costs a real one, so there a module calls the families from
# inside (tests/bench/native).

STEPS_UML=$((STEPS_SOURCE + 3))
UML_LIMIT=300 # seconds; it takes some 30

uml_version() { printf '%s-uml\n' "${1%%+*}"; } # VERSION of the stock kernel

uml_make() { # UML-VERSION ARGUMENTS...
	local v=$1
	shift
	in_root nice make -C "$(kernel_source "$v")" O="$(kernel_tree "$v")" "-j$(nproc)" \
		ARCH=um CC="$RUNIX_KERNEL_CC" HOSTCC="$RUNIX_KERNEL_HOSTCC" KERNELRELEASE="$v" "$@"
}

# To keep others of its CPUs from interrupting this one costs that kernel a system call of
# the host, for each lock that is taken with interrupts off and again for its release. One
# CPU needs none. The header is for the file that would do it, and in no other's way.
uml_build() { # UML-VERSION
	local files header
	files=$(kernel_files "$1") header=$(kernel_dir "$1")/one-cpu.h
	printf '%s\n' '#ifdef __UM_HOST__' '#include <stdlib.h>' '#include <os.h>' '#define os_local_ipi_enable() do { } while (0)' \
		'#define os_local_ipi_disable() do { } while (0)' '#endif' >"$header"
	uml_make "$1" "CFLAGS_signal.o=-Wframe-larger-than=4096 -include $header" linux modules
	mkdir -p "$files"
	in_root strip -o "$files/linux" "$(kernel_tree "$1")/linux"
	find "$(kernel_tree "$1")" -mindepth 2 \( -name '*.o' -o -name '*.a' \) \
		! -path '*/scripts/*' ! -path '*/tools/*' ! -path '*/rust/*' -delete
}

# Sets UML_KERNEL.
make_uml_kernel() { # VERSION of the stock kernel
	UML_KERNEL=$(uml_version "$1")
	small_kernel "$UML_KERNEL" "$1" "user-mode kernel $UML_KERNEL" uml_make uml_build \
		"$RUNIX_TOP/tests/bench/native/uml.config"
}

native_image() { printf '%s\n' "$WORK/$1/native/guest.cpio"; } # UML-VERSION

# The loader of that kernel knows no global offset table, by which Rust would get at what
# lies in the kernel.
uml_module() { # UML-VERSION OUT
	module_make "$1" "$2" ARCH=um KRUSTFLAGS=-Zdirect-access-external-data=yes
}

# The module, the driver and what starts them.
build_native() { # UML-VERSION
	local v=$1 module driver out key
	module=$(module_dir "$v") driver=$WORK/$v/driver out=$WORK/$v/native
	key=$(key_of "$(module_key "$v")" "$(hash_of tests/bench/native)" \
		"$(declare -f build_native uml_module)" "$(key_of_files "$RUNIX_TOP/scripts/lib/make-native-image")")
	if stamp_ok "$out" "$key"; then
		step "module and driver for $v are built"
		return
	fi
	step "building the module and the driver for $v"
	rm -rf "$out" "$driver"
	mkdir -p "$out" "$driver"
	begin_incremental "$module"
	try_logged uml_module "$v" "$module"
	end_incremental "$module"
	((LOGGED_RC == 0)) || exit "$LOGGED_RC"
	MODULE_SOURCE=$SRC/tests/bench/native logged uml_module "$v" "$driver"
	logged in_root "$RUNIX_TOP/scripts/lib/make-native-image" "$(native_image "$v")" \
		"$SRC/tests/bench/native/init" "$module/runix.ko" "$driver/runix_bench.ko"
	stamp "$out" "$key"
}

# Runs it and leaves the rows in OUT/results. Its memory is a file in the root's /tmp,
# which nobody else sees. When this process ends, so do all of its.
uml_guest() { # UML-VERSION OUT REPEAT PATTERN...
	local v=$1 out=$2 repeat=$3 rc=0
	shift 3
	in_root env TMPDIR=/tmp unshare --pid --fork --kill-child \
		timeout --foreground --signal=KILL "$UML_LIMIT" \
		"$(kernel_files "$v")/linux" mem=512M ncpus=1 con=null con0=null,fd:1 \
		uml_dir=/tmp/ "initrd=$out/guest.cpio" panic=-1 oops=panic \
		${repeat:+"runix.repeat=$repeat"} "runix.bench=$(joined "$@")" \
		</dev/null >"$out/console" 2>&1 9>&- || rc=$?
	judge_uml "$out" "$rc"
}

# Takes the rows from the console. It has come to its end, each row that it began has a
# result for both families, and its log is clean; what is wrong goes to stderr.
judge_uml() { # OUT STATUS
	local out=$1 rc=$2 rows results
	sed -i 's/\r$//' "$out/console"
	sed -nE 's/^(\[[^]]*\] )?runix_bench: (RESULT|FAIL|COST) /\2 /p' "$out/console" >"$out/results"
	rows=$(sed -nE 's/^(\[[^]]*\] )?NATIVE END ([0-9]+)$/\2/p' "$out/console")
	results=$(grep -c '^RESULT ' "$out/results" || true)
	if ! "$RUNIX_TOP/scripts/lib/scan-console" "$out/console" >"$out/trouble"; then
		echo "user-mode kernel: trouble: $(head -n 1 "$out/trouble")" >&2
	elif [[ -z $rows ]]; then
		echo "user-mode kernel: not at its end: $( ((rc == 137)) && echo "not done after $UML_LIMIT s" ||
			echo "status $rc, $(tail -n 1 "$out/console")")" >&2
	elif ((rows == 0)); then
		echo "user-mode kernel: no such row" >&2
	elif ((results != 2 * rows)); then
		echo "user-mode kernel: $rows rows, but $results results" >&2
	elif ((rc != 0)); then
		echo "user-mode kernel: ended with status $rc" >&2
	else
		return 0
	fi
	return 1
}

# bench_native REPEAT PATTERN...: what scripts/bench does with --native.
bench_native() {
	local family
	start_log
	if family=$(cat /sys/module/runix/parameters/family 2>/dev/null); then
		bench_here "$family" "$@"
	else
		bench_uml "$@"
	fi
}

bench_here() { # FAMILY REPEAT PATTERN...
	local family=$1 repeat=${2:-60} out rc=0
	shift 2
	STEP_TOTAL=$((STEPS_TOOLS + 2))
	lock_cache
	tools_ready
	mirror_sources
	build_bench
	unlock_cache
	step "runix.ko is loaded: measuring on this machine's own kernel, $(uname -r)"
	out=$(mktemp -d "$RUNIX_CACHE/run.XXXXXX")
	# Repetitions that are shorter than what a scheduler gives at a time.
	"$BENCH/bench" -f unix=1 -f "runix=$family" -r "$repeat" -t 1 -l "$@" >"$out/results" || true
	"$RUNIX_TOP/scripts/lib/bench-report" "$out/results" /dev/null || rc=1
	rm -rf "$out"
	return "$rc"
}

bench_uml() { # REPEAT PATTERN...
	local repeat=$1 out rc=0
	shift
	STEP_TOTAL=$((STEPS_TOOLS + STEPS_UML))
	lock_cache
	tools_ready
	source_ready "${RUNIX_SERIES:-}"
	mirror_sources
	make_uml_kernel "$KERNEL"
	build_native "$UML_KERNEL"
	step "runix.ko is not loaded here: measuring in User-Mode Linux, $UML_KERNEL"
	note "calls from inside that kernel, one CPU, threads for processes"
	out=$(mktemp -d "$RUNIX_CACHE/run.XXXXXX")
	cp "$(native_image "$UML_KERNEL")" "$out/guest.cpio"
	unlock_cache
	uml_guest "$UML_KERNEL" "$out" "$repeat" "$@" || rc=1
	echo
	"$RUNIX_TOP/scripts/lib/bench-report" "$out/results" /dev/null || rc=1
	sed -nE 's/^COST (\S+) (.*)/in this kernel, \1: \2/p' "$out/results"
	if ((rc == 0)); then rm -rf "$out"; else echo "its console: $out/console" >&2; fi
	return "$rc"
}

# It refuses what it must.
check_native_judge() {
	local row='[    1.0] runix_bench: RESULT sr stream 1'
	local -a good=("$row unix 400.0 ns" "$row runix 200.0 ns")
	mkdir -p "$OUT/native"
	judged() {
		local rc=$1
		shift
		printf '%s\n' "$@" >"$OUT/native/console"
		judge_uml "$OUT/native" "$rc"
	}
	expect "bench-native: a whole run is let through" judged 0 "${good[@]}" 'NATIVE END 1'
	expect_failure "bench-native: a lost row is refused" '1 rows, but 1 results' \
		judged 0 "${good[0]}" 'NATIVE END 1'
	expect_failure "bench-native: a run without an end is refused" 'not at its end' judged 137 "${good[@]}"
	expect_failure "bench-native: a run without rows is refused" 'no such row' judged 0 'NATIVE END 0'
	expect_failure "bench-native: a warning is refused" 'trouble: .*WARNING' \
		judged 0 '[    1.0] WARNING: net/socket.c:1 at f' "${good[@]}" 'NATIVE END 1'
	expect_failure "bench-native: a bad end is refused" 'status 139' judged 139 "${good[@]}" 'NATIVE END 1'
}
