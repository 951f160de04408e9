# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The bench in a guest whose clock counts instructions.

BENCH=$WORK/bench
BENCH_GATES=$RUNIX_TOP/tests/bench/gates

# A few rows that tell in seconds whether something has become slow.
BENCH_SHORT=('sr/stream/1' 'sr/stream/4096' 'sr/stream/65536' 'sr/seqpacket/1' 'sr/dgram/1'
	'pingpong/stream/1' 'oneway/stream/64')

# Steps that bench_ready takes.
STEPS_BENCH=2

build_bench() {
	local key api=1
	# The interface of the emulator's plugins, by the emulator's version.
	[[ ! $(qemu-system-x86_64 --version) =~ version\ ([0-9]+) ]] || ((BASH_REMATCH[1] < 9)) || api=2
	key=$(key_of "$(hash_of tests/bench)" "$(<"$ROOT/.runix-stamp")" "$api" "$(declare -f build_bench)")
	if stamp_ok "$BENCH" "$key"; then
		step "bench is built"
		return
	fi
	step "building the bench"
	rm -rf "$BENCH"
	mkdir -p "$BENCH"
	logged in_root make -C "$SRC/tests/bench" CC=gcc-14 OUT="$BENCH" PLUGIN_API="$api"
	stamp "$BENCH" "$key"
}

bench_image() { printf '%s\n' "$WORK/$1/bench/guest.cpio"; } # VERSION

# The guest image with the module and nothing but the bench.
build_bench_image() { # VERSION
	local v=$1 out key
	out=$WORK/$v/bench
	key=$(key_of "$(<"$(module_dir "$v")/.runix-stamp")" "$(<"$BENCH/.runix-stamp")" \
		"$(hash_of tests/guest)" "$(key_of_files "$RUNIX_TOP/scripts/lib/make-image")" \
		"$(declare -f build_bench_image)")
	if stamp_ok "$out" "$key"; then
		step "the bench's guest image is ready"
		return
	fi
	step "making the bench's guest image"
	rm -rf "$out"
	mkdir -p "$out"
	logged in_root "$RUNIX_TOP/scripts/lib/make-image" "$(bench_image "$v")" "$SRC" "$v" \
		"$(kernel_stock "$v")" "module=$(module_dir "$v")" "samples-c=$out/none" \
		"samples-rust=$out/none" "tests=$BENCH"
	stamp "$out" "$key"
}

bench_ready() { # VERSION
	build_bench
	build_bench_image "$1"
}

# bench_guest VERSION OUT ARGUMENTS -- OPTIONS...: the bench with its arguments, joined by
# commas, in a guest.
bench_guest() {
	local v=$1 out=$2 arguments=$3
	shift 4
	"$RUNIX_TOP/scripts/qemu" --icount --kernel "$(kernel_image "$v")" \
		--initrd "$out/guest.cpio" --mode bench --out "$out" \
		--append "runix.bench=$arguments" --time 7200 --silence 900 "$@"
}

# The report refuses what it must: a slow row, a failed one, nothing at all.
check_bench_report() {
	local report=$RUNIX_TOP/scripts/lib/bench-report file=$OUT/bench-doctored
	printf '| RESULT sr stream 1 %s ns\n' 'unix 1000' 'runix 480' >"$file"
	expect "bench: a row within its gate is let through" "$report" --tap "$file" "$BENCH_GATES"
	printf '| RESULT sr stream 1 %s ns\n' 'unix 1000' 'runix 560' >"$file"
	expect_failure "bench: a row over its gate is refused" '^not ok 1 - sr/stream/1: 0.56' \
		"$report" --tap "$file" "$BENCH_GATES"
	printf '| RESULT mem-drained stream 0 %s bytes\n' 'unix 0' 'runix 100' >"$file"
	expect_failure "bench: memory that is kept is refused" '^not ok 1 - mem-drained/stream/0: .100 bytes' \
		"$report" --tap "$file" "$BENCH_GATES"
	echo '| FAIL sr stream 1 runix send: Broken pipe' >>"$file"
	expect_failure "bench: a workload that failed is refused" '^not ok 2 - sr/stream/1: runix: send' \
		"$report" --tap "$file" "$BENCH_GATES"
	: >"$file"
	expect_failure "bench: nothing to compare is refused" 'nothing to compare' \
		"$report" "$file" "$BENCH_GATES"
}

# The short gate as a part of the check.
check_bench() { # VERSION
	local v=$1 out=$OUT/bench line
	bench_ready "$v"
	step "speed against AF_UNIX: ${#BENCH_SHORT[@]} rows"
	mkdir -p "$out"
	cp "$(bench_image "$v")" "$out/guest.cpio"
	bench_guest "$v" "$out" "$(joined -r 1 -t 2 "${BENCH_SHORT[@]}")" -- 2>"$out/errors" || true
	while IFS= read -r line; do
		case $line in
		*' # SKIP '*) record skip "$v: bench: ${line#*- }" ;;
		'ok '*) record pass "$v: bench: ${line#*- }" ;;
		'not ok '*) record fail "$v: bench: ${line#*- }" ;;
		esac
	done < <("$RUNIX_TOP/scripts/lib/bench-report" --tap "$out/results" "$BENCH_GATES")
	expect "$v: bench: guest came to its end, console is clean" grep -qx passed "$out/verdict"
}
