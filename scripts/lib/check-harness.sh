# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The host's tests, and negative controls for the harness itself.

cargo_in() { # DIRECTORY TARGET-NAME ARGUMENTS...
	local dir=$SRC/$1 target=$WORK/$2
	shift 2
	in_root env -C "$dir" CARGO_TARGET_DIR="$target" CARGO_TERM_COLOR=never cargo "$@"
}

# Counts what cargo's test programs say at their end.
record_cargo() { # NAME OUTPUT STATUS
	local name=$1 out=$2 rc=$3 passed=0 failed=0 ignored=0 p f i
	while read -r p f i; do
		passed=$((passed + p)) failed=$((failed + f)) ignored=$((ignored + i))
	done < <(sed -nE 's/^test result: .* ([0-9]+) passed; ([0-9]+) failed; ([0-9]+) ignored;.*/\1 \2 \3/p' "$out")
	record_many pass "$passed" "$name"
	record_many fail "$failed" "$name"
	record_many skip "$ignored" "$name"
	if ((rc != 0 && failed == 0)); then record fail "$name: cargo ended with status $rc"; fi
	if ((rc == 0 && passed == 0)); then record fail "$name: not a single test ran"; fi
	sed -nE 's/^test (\S+) \.\.\. ok$/ok host: \1/p; s/^test (\S+) \.\.\. FAILED$/not ok host: \1/p' "$out" \
		>>"$OUT/results-host"
	if ((rc != 0)); then grep -vE '^ *(Compiling|Downloaded|Downloading)' "$out" | tail -n 40 | sed 's/^/                     | /'; fi
	note "$name: $passed passed, $failed failed, $ignored ignored"
}

check_host() {
	local rc=0
	step "host tests"
	cargo_in tests/host target-host test --locked --no-fail-fast >"$OUT/cargo" 2>&1 </dev/null || rc=$?
	cat "$OUT/cargo" >>"$LOG"
	record_cargo "tests/host" "$OUT/cargo" "$rc"
	expect "clippy: tests/host" cargo_in tests/host target-host clippy --locked --all-targets -- -D warnings
	expect "clippy: samples/rust" cargo_in samples/rust target-samples clippy --locked --workspace --all-features -- -D warnings
	expect "clippy: runix-run" cargo_in samples/rust target-samples clippy --locked --all-targets \
		-p runix-redirect -p runix-run -p runix-preload -- -D warnings
	check_crate "samples/rust/programs" -p runix-programs
	check_crate "samples/rust" -p runix-socket --all-features --lib
	check_crate "samples/rust: examples" -p runix-socket --all-features --doc
	RUNIX_FAMILY=1 check_crate "samples/rust: on AF_UNIX" -p runix-socket --all-features --test api
	expect "crate: is ready to be published" crate_package
	expect "crate: its documentation has no faults" cargo_in samples/rust target-samples \
		rustdoc --locked -p runix-socket --all-features --lib -- -D warnings
	expect "C: the header is found by pkg-config" header_found
	check_crate "samples/rust: runix-run" -p runix-redirect -p runix-run -p runix-preload
	keep_results host "$OUT/results-host"
}

# A C program finds the installed header by the file for pkg-config: as that tool reads it,
# if there is one, and as it would. So do the samples, where packages put them.
header_found() {
	local prefix=$OUT/prefix flags
	make -s -C "$RUNIX_TOP" KDIR="$OUT" PREFIX="$prefix" install-headers
	flags=$(. <(grep = "$prefix/share/pkgconfig/runix.pc") &&
		eval "echo $(sed -n 's/^Cflags: //p' "$prefix/share/pkgconfig/runix.pc")")
	if command -v pkg-config >/dev/null; then
		[[ $(PKG_CONFIG_PATH=$prefix/share/pkgconfig pkg-config --cflags runix) == "$flags"* ]] || return
	fi
	# shellcheck disable=SC2086
	in_root gcc-14 $flags -Wall -Wextra -Werror -pedantic -fsyntax-only -x c - <<-END
		#include <runix.h>
		struct sockaddr_runix address = { .srunix_family = AF_RUNIX };
	END
	mkdir -p "$prefix/c"
	cp "$SRC"/samples/c/{*.[ch],Makefile} "$prefix/c" || return
	in_root make -s -C "$prefix/c" CC=gcc-14 CFLAGS="$flags"
}

# What would be published: nothing but sources, examples and the read-me. A
# package of a checkout that isn't committed is one as well.
crate_package() {
	local list
	list=$(cargo_in samples/rust target-samples package --locked --allow-dirty --list -p runix-socket 2>/dev/null)
	! grep -vE '^(\.cargo_vcs_info\.json|Cargo\.(lock|toml|toml\.orig)|README\.md|(src|examples)/[a-z_]+\.rs)$' <<<"$list" || return
	grep -qx src/lib.rs <<<"$list" || return
	grep -qx examples/greeting.rs <<<"$list" || return
	# All that it needs has been fetched for the tests before.
	cargo_in samples/rust target-samples package --offline --locked --allow-dirty --no-verify -p runix-socket ||
		cargo_in samples/rust target-samples package --locked --allow-dirty --no-verify -p runix-socket
}

check_crate() { # NAME ARGUMENTS...
	local name=$1 rc=0
	shift
	cargo_in samples/rust target-samples test --locked --no-fail-fast "$@" >"$OUT/cargo" 2>&1 </dev/null || rc=$?
	cat "$OUT/cargo" >>"$LOG"
	record_cargo "$name" "$OUT/cargo" "$rc"
}

check_harness() { # VERSION
	local v=$1 top=$RUNIX_TOP tree
	tree=$(kernel_tree "$v")
	step "the harness itself"

	expect "prepare-kernel: export names are equal" "$top/scripts/lib/compare-exports" "$tree"
	# One name of 2,917 is enough to be refused.
	awk '$2 ~ /^_R/ && !done { sub(/_R/, "_Rx", $2); done = 1 } { print }' OFS='\t' \
		"$tree/Module.symvers" >"$OUT/Module.symvers"
	expect_failure "prepare-kernel: one other export name is refused" 'REFUSED' \
		"$top/scripts/lib/compare-exports" "$tree" "$OUT/Module.symvers"
	sed 's/^CONFIG_SMP=y/# CONFIG_SMP is not set/' "$tree/.config" >"$OUT/config"
	expect_failure "prepare-kernel: another configuration is refused" 'CONFIG_SMP' \
		"$top/scripts/lib/config-drift" "$tree/.config" "$OUT/config"
	mkdir -p "$OUT/no-rust"
	expect_failure "make: a tree without Rust metadata is refused" 'make prepare-kernel' \
		make -C "$top" KDIR="$OUT/no-rust" modules

	# The lines that a guest makes of a program's output.
	tap() { printf '%b' "$2" | awk -v prog=t -v status="$1" -f "$top/tests/guest/tap.awk"; }
	tap_is() { [[ $(tap "$1" "$2") == "$3" ]] || { tap "$1" "$2"; false; }; }
	expect "harness: passed tests are counted" \
		tap_is 0 'TAP version 13\n1..2\nok 1 a\nok 2 b # SKIP no\n' $'ok t: a\nskip t: b # SKIP no'
	expect "harness: a failed test is counted" tap_is 1 '1..1\nnot ok 1 a\n' 'not ok t: a'
	expect "harness: a silent program has failed" tap_is 0 '' 'not ok t: said nothing (exit status 0)'
	expect "harness: a program that stops early has failed" \
		tap_is 0 '1..2\nok 1 a\n' $'ok t: a\nnot ok t: planned 2 tests, ran 1'
	expect "harness: a program that crashes has failed" \
		tap_is 139 '1..1\nok 1 a\n' $'ok t: a\nnot ok t: exit status 139'
	expect "harness: a program that hangs has failed" \
		tap_is 143 'ok 1 a\n' $'ok t: a\nnot ok t: ran out of time'

	# Not as an argument of expect: within its condition `set -e` would not hold.
	half_done() { false; true; }
	(RESULTS=$OUT/probe && : >"$RESULTS" && part probe half_done >/dev/null)
	expect "harness: a part that breaks off has failed" grep -q '^fail.*broke off' "$OUT/probe"

	scan() { printf '%s\n' "$1" >"$OUT/console"; "$top/scripts/lib/scan-console" "$OUT/console"; }
	expect "harness: a quiet console passes" scan '[    1.0] runix: registered'
	timer() { printf '[    1.0] %s\n' 'WARNING: kernel/time/hrtimer.c:1 at hrtimer_forward+0x7b/0xc0' 'Call Trace:' \
		" $1+0x35b/0x8b0${2:-}" '---[ end trace 0000000000000000 ]---'; }
	expect "harness: the scheduler's own timer is no trouble" scan "$(timer dl_task_timer)"
	expect_failure "harness: another timer is" WARNING scan "$(timer tick_nohz_handler)"
	expect_failure "harness: nor is it that if we are in it" WARNING \
		scan "$(timer dl_task_timer)"$'\n'"$(timer dl_task_timer ' [runix]')"
	local line
	for line in 'BUG: KASAN: slab-use-after-free in f' 'WARNING: CPU: 0 PID: 1 at f' \
		'Oops: 0000 [#1] SMP' 'WARNING: possible recursive locking detected' \
		'WARNING: suspicious RCU usage' 'INFO: task x:1 blocked for more than 30 seconds.' \
		'kmemleak: 1 new suspected memory leaks' 'UBSAN: array-index-out-of-bounds in f' \
		'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:' \
		'general protection fault, probably for non-canonical address'; do
		expect_failure "harness: console trouble is seen: ${line:0:34}" "${line:0:8}" scan "[    1.0] $line"
	done
}
