# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Checks of the sources and of the linked module. Each that can refuse has a negative
# control: a doctored copy that it must refuse.

# doctored PATH TEXT: a small tree with the module's layers and TEXT at the end of PATH.
doctored() {
	local layer dir=$OUT/doctored
	rm -rf "$dir"
	for layer in net proto pure bindings; do
		mkdir -p "$dir/rust/$layer"
		echo '//! A layer.' >"$dir/rust/$layer/mod.rs"
	done
	echo 'mod net; mod proto; mod pure; mod bindings;' >"$dir/rust/runix.rs"
	printf '%s\n' "$2" >>"$dir/$1"
}

# is_version FILE SED-COMMAND: what the command prints is the version that the module tells.
is_version() {
	local version
	version=$(sed -n 's/^const VERSION: &str = "\(.*\)";/\1/p' "$SRC/rust/runix.rs")
	[[ $(sed -n "$2" "$1") == "$version" ]] || { echo "$1: not $version"; return 1; }
}

check_source() {
	local top=$RUNIX_TOP/scripts
	step "style, layers, unsafe"
	expect "rustfmt" "$top/fmt" --check

	expect "layers" "$top/check-layers" "$SRC"
	doctored rust/pure/mod.rs 'use kernel::prelude::*;'
	expect_failure "check-layers: pure must not name kernel" 'pure must not name kernel' \
		"$top/check-layers" "$OUT/doctored"
	doctored rust/pure/mod.rs 'extern crate alloc;'
	expect_failure "check-layers: pure must not name alloc" 'pure must not name alloc' \
		"$top/check-layers" "$OUT/doctored"
	doctored rust/net/mod.rs 'use crate::{pure, proto::Socket};'
	expect_failure "check-layers: net must not name proto" 'net must not name proto' \
		"$top/check-layers" "$OUT/doctored"
	doctored rust/net/mod.rs 'use super::proto;'
	expect_failure "check-layers: nor by way of super" 'net must not name proto' \
		"$top/check-layers" "$OUT/doctored"
	doctored rust/proto/mod.rs 'fn f() { let _ = kernel::bindings::PAGE_SIZE; }'
	expect_failure "check-layers: proto must not name bindings" 'proto must not name bindings' \
		"$top/check-layers" "$OUT/doctored"
	doctored rust/net/mod.rs '// use crate::proto; "crate::proto"'
	expect "check-layers: comments are no code" "$top/check-layers" "$OUT/doctored"

	expect "unsafe" "$top/check-unsafe" "$SRC"
	doctored rust/proto/mod.rs 'fn f() { unsafe { g() } }'
	expect_failure "check-unsafe: none in proto" '`unsafe` in layer proto' \
		"$top/check-unsafe" "$OUT/doctored"
	doctored rust/net/mod.rs $'\nfn f() {\n    unsafe { g() }\n}'
	expect_failure "check-unsafe: SAFETY comment missing" 'without a SAFETY comment' \
		"$top/check-unsafe" "$OUT/doctored"
	doctored rust/proto/mod.rs 'kernel::sync::global_lock! {}'
	expect_failure "check-unsafe: global_lock! is banned" 'global_lock! is banned' \
		"$top/check-unsafe" "$OUT/doctored"
	doctored rust/proto/mod.rs $'// unsafe\nconst S: &str = "unsafe {";'
	expect "check-unsafe: comments are no code" "$top/check-unsafe" "$OUT/doctored"

	expect "Documentation/troubleshooting.rst: its messages are said" \
		"$top/lib/check-messages" "$SRC/Documentation/troubleshooting.rst" "$SRC"
	sed 's/is taken by another module/was taken/; /no Debian archive keyring/d' \
		"$SRC/Documentation/troubleshooting.rst" >"$OUT/messages.rst"
	expect_failure "check-messages: one that nobody says is noticed" 'nobody says: was taken' \
		"$top/lib/check-messages" "$OUT/messages.rst" "$SRC"
	expect_failure "check-messages: one that is not explained is noticed" 'lacks what .*archive keyring' \
		"$top/lib/check-messages" "$OUT/messages.rst" "$SRC"
	expect "dkms.conf has the version of the module" \
		is_version "$SRC/dkms.conf" 's/^PACKAGE_VERSION="\(.*\)"/\1/p'
	expect "debian/changelog has it too" is_version "$SRC/debian/changelog" '1s/^runix (\([0-9.]*\).*/\1/p'

	"$top/check-unsafe" "$SRC" 2>/dev/null | while IFS= read -r line; do note "$line"; done || true
}

check_module() { # VERSION
	local v=$1 fake
	step "panics, clippy"
	expect "module cannot panic" in_root "$RUNIX_TOP/scripts/check-panic" "$(module_dir "$v")/runix.ko"
	fake=$OUT/fake.o
	logged in_root sh -c 'echo "extern void _RNvNtCs_4core9panicking5panic(void); void f(void) { _RNvNtCs_4core9panicking5panic(); }" |
		gcc-14 -x c -c -o "$1" -' sh "$fake"
	expect_failure "check-panic: a module that panics is refused" 'can panic' \
		in_root "$RUNIX_TOP/scripts/check-panic" "$fake"
	expect "clippy: module" clippy_module "$v"
	logged in_root sh -c 'nm "$1" | sed "s/.* //" | c++filt -s rust >"$2"' \
		sh "$(module_dir "$v")/runix.ko" "$OUT/symbols"
	expect "Documentation/write-path.rst names functions that are there" \
		"$RUNIX_TOP/scripts/lib/trace-report" --check "$SRC/Documentation/write-path.rst" "$OUT/symbols"
	grep -v 'sendmsg' "$OUT/symbols" >"$OUT/symbols-less"
	expect_failure "trace-report: a function that is gone is noticed" 'Stream::sendmsg' \
		"$RUNIX_TOP/scripts/lib/trace-report" --check "$SRC/Documentation/write-path.rst" "$OUT/symbols-less"
}

# Clippy through the kernel's own build; a warning is an error.
clippy_module() { # VERSION
	local v=$1 out key rc=0
	out=$WORK/$v/clippy
	key=$(key_of clippy "$(module_key "$v")")
	stamp_ok "$out" "$key" && return
	begin_incremental "$out"
	module_make "$v" "$out" CLIPPY=1 >"$out/output" 2>&1 </dev/null || rc=$?
	end_incremental "$out"
	if ((rc != 0)) || grep -qE '^(warning|error)' "$out/output"; then
		grep -vE '^(make|  [A-Z]+ )' "$out/output"
		# Clippy speaks of a file only when it compiles it.
		rm -rf "$out"
		return 1
	fi
	stamp "$out" "$key"
}
