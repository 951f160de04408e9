# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Building the module, the programs and the guest image, each in a directory of its
# own in the cache that carries the hash of what went into it.

WORK=$RUNIX_CACHE/work
CRT_STATIC_TARGET=x86_64-unknown-linux-gnu

# A build that was killed may leave half-written files that look new.
begin_incremental() { # DIR
	if [[ -e $1/.running ]]; then rm -rf "$1"; fi
	mkdir -p "$1"
	unstamp "$1"
	: >"$1/.running"
}

end_incremental() { rm -f "$1/.running"; } # DIR

module_dir() { printf '%s\n' "$WORK/$1/module"; } # VERSION

# module_make VERSION OUT ARGUMENTS...: the kernel's own build of an external module.
module_make() {
	local v=$1 out=$2 src=${MODULE_SOURCE:-$SRC}
	local -a compilers=(CC="$RUNIX_KERNEL_CC" HOSTCC="$RUNIX_KERNEL_HOSTCC")
	shift 2
	! is_debug_version "$v" || compilers=(LLVM=1)
	in_root make -C "$(kernel_tree "$v")" "-j$(nproc)" M="$src" MO="$out" \
		"${compilers[@]}" KERNELRELEASE="$v" "$@" modules
}

module_key() { # VERSION
	key_of "$(<"$(kernel_tree "$1")/.runix-stamp")" "$(hash_of Kbuild rust samples/echo_family)" \
		"$(declare -f module_make)"
}

build_module() { # VERSION
	local v=$1 out key
	out=$(module_dir "$v")
	key=$(module_key "$v")
	if stamp_ok "$out" "$key"; then
		step "module for $v is built"
		return
	fi
	step "building the module for $v"
	begin_incremental "$out"
	try_logged module_make "$v" "$out"
	end_incremental "$out"
	((LOGGED_RC == 0)) || exit "$LOGGED_RC"
	stamp "$out" "$key"
}

build_c_samples() {
	local out=$WORK/samples-c key
	key=$(key_of "$(hash_of samples/c rust/uapi)" "$(<"$ROOT/.runix-stamp")" "$(declare -f build_c_samples)")
	if stamp_ok "$out" "$key"; then
		step "C samples are built"
		return
	fi
	step "building the C samples"
	rm -rf "$out"
	mkdir -p "$out"
	logged in_root make -C "$SRC/samples/c" "-j$(nproc)" CC=gcc-14 OUT="$out"
	stamp "$out" "$key"
}

build_rust_samples() {
	local out=$WORK/samples-rust target=$WORK/target-samples key
	key=$(key_of "$(hash_of samples/rust rust/uapi)" "$(<"$ROOT/.runix-stamp")" "$(declare -f build_rust_samples)")
	if stamp_ok "$out" "$key"; then
		step "Rust samples are built"
		return
	fi
	step "building the Rust samples"
	rm -rf "$out"
	begin_incremental "$target"
	# cargo puts wanted programs back, those of samples that are no more it does not.
	find "$target/$CRT_STATIC_TARGET/release" -maxdepth 1 -type f -delete 2>/dev/null || true
	# A target of its own keeps the flags away from procedural macros, which cannot be static.
	try_logged in_root env -C "$SRC/samples/rust" CARGO_TARGET_DIR="$target" \
		RUSTFLAGS="-C target-feature=+crt-static" \
		cargo build --release --locked --workspace --bins --target "$CRT_STATIC_TARGET"
	end_incremental "$target"
	((LOGGED_RC == 0)) || exit "$LOGGED_RC"
	mkdir -p "$out"
	find "$target/$CRT_STATIC_TARGET/release" -maxdepth 1 -type f -perm -u+x -exec cp -t "$out" {} +
	stamp "$out" "$key"
}

# The crate's test against a running kernel, as the host's tests build it. cargo puts a hash
# into its name: the older ones go, and it puts the wanted one back.
build_api_test() {
	local target=$WORK/target-samples
	rm -f "$target"/debug/deps/api-*
	try_logged in_root env -C "$SRC/samples/rust" CARGO_TARGET_DIR="$target" \
		cargo test --locked -p runix-socket --all-features --test api --no-run
}

# The library that runix-run preloads, which can't be static, and programs for it to be
# preloaded into. Besides, the crate's examples and tests.
build_preload() {
	local out=$WORK/preload target=$WORK/target-preload key
	key=$(key_of "$(hash_of samples/rust rust/uapi tests/apps/entries.c)" "$(<"$ROOT/.runix-stamp")" \
		"$(declare -f build_preload build_api_test)")
	if stamp_ok "$out" "$key"; then
		step "preloaded library is built"
		return
	fi
	step "building the preloaded library"
	rm -rf "$out"
	begin_incremental "$target"
	try_logged in_root env -C "$SRC/samples/rust" CARGO_TARGET_DIR="$target" \
		cargo build --release --locked -p runix-preload --lib --examples
	((LOGGED_RC != 0)) || try_logged in_root env -C "$SRC/samples/rust" CARGO_TARGET_DIR="$target" \
		cargo build --release --locked -p runix-socket --all-features --examples
	((LOGGED_RC != 0)) || build_api_test
	end_incremental "$target"
	((LOGGED_RC == 0)) || exit "$LOGGED_RC"
	mkdir -p "$out"
	cp "$target/release/librunix_preload.so" "$out/"
	find "$target/release/examples" -maxdepth 1 -type f -perm -u+x \
		! -name '*-????????????????' -exec cp -t "$out" {} +
	find "$WORK/target-samples/debug/deps" -maxdepth 1 -type f -perm -u+x -name 'api-*' -exec cp {} "$out/crate-api" \;
	logged in_root strip "$out/crate-api"
	logged in_root gcc-14 -O2 -D_FORTIFY_SOURCE=2 -Wall -Wextra -Werror -pthread \
		-o "$out/entries" "$SRC/tests/apps/entries.c"
	stamp "$out" "$key"
}

# The kernel's headers for programs, which its tests are compiled with.
make_headers() { # VERSION
	local v=$1 out key
	out=$(kernel_dir "$v")/headers
	key=$(key_of "$(<"$(kernel_source "$v")/.runix-stamp")" "$(declare -f make_headers)")
	stamp_ok "$out" "$key" && return
	rm -rf "$out"
	mkdir -p "$out"
	logged kernel_make "$v" INSTALL_HDR_PATH="$out" headers_install
	stamp "$out" "$key"
}

# A series has tests of its own: they are compiled with its headers, and some come from
# its source. The debug kernel runs those of the stock kernel that it was made from.
tests_dir() { printf '%s\n' "$WORK/tests-$(series_of "$1")"; } # VERSION

build_tests() { # VERSION
	local v=$1 out key shape
	out=$(tests_dir "$v")
	key=$(key_of "$(hash_of tests/kselftest tests/fuzz rust/uapi)" "$(<"$ROOT/.runix-stamp")" \
		"$(<"$(kernel_source "$v")/.runix-stamp")" "$(declare -f build_tests make_headers tests_dir)")
	if stamp_ok "$out" "$key"; then
		step "tests are built"
		return
	fi
	step "building the tests"
	make_headers "$v"
	# make compiles what has changed; it does not know of a test that is no more, nor of
	# another way to compile.
	shape=$(key_of "$(cd "$SRC/tests/kselftest" && find . -type f | sort)" \
		"$(find "$SRC/tests/kselftest" \( -name '*.h' -o -name 'Makefile*' \) -exec cat {} +)" "$(kernel_source "$v")" \
		"$(<"$ROOT/.runix-stamp")" "$(declare -f build_tests)")
	[[ $(cat "$out/.shape" 2>/dev/null) == "$shape" ]] || rm -rf "$out"
	begin_incremental "$out"
	printf '%s\n' "$shape" >"$out/.shape"
	try_logged in_root make -C "$SRC/tests/kselftest" "-j$(nproc)" CC=gcc-14 \
		KSRC="$(kernel_source "$v")" KHDR="$(kernel_dir "$v")/headers/include" OUT="$out"
	((LOGGED_RC != 0)) || try_logged in_root make -C "$SRC/tests/fuzz" CC=gcc-14 OUT="$out"
	end_incremental "$out"
	((LOGGED_RC == 0)) || exit "$LOGGED_RC"
	stamp "$out" "$key"
}

guest_image() { printf '%s\n' "$WORK/$1/image${2:-}/guest.cpio"; } # VERSION [-apps]

build_image() { # VERSION [with-tests|for-apps|for-disk]
	local v=$1 out key part kind=
	[[ ${2:-} != for-apps ]] || kind=-apps
	[[ ${2:-} != for-disk ]] || kind=-disk
	out=$(dirname "$(guest_image "$v" "$kind")")
	local -a parts=("module=$(module_dir "$v")" "samples-c=$WORK/samples-c" "samples-rust=$WORK/samples-rust")
	[[ ${2:-} != with-tests ]] || parts+=("tests=$(tests_dir "$v")")
	[[ $kind != -apps ]] || parts+=("run=$WORK/preload")
	[[ $kind != -disk ]] || parts=("module=$(module_dir "$v")" disk=1)
	! is_debug_version "$v" || parts+=("provoke=$(provoke_dir "$v")")
	key=$(
		for part in "${parts[@]}"; do
			# A directory without stamp is a build that failed or was never tried.
			cat "${part#*=}/.runix-stamp" 2>/dev/null || true
		done
		hash_of tests/guest samples/demo
		[[ $kind != -apps ]] || hash_of tests/apps samples/python
		key_of "${parts[*]}" "$(key_of_files "$RUNIX_TOP/scripts/lib/make-image")"
	)
	key=$(key_of "$key")
	if stamp_ok "$out" "$key"; then
		step "guest image is ready"
		return
	fi
	step "making the guest image"
	rm -rf "$out"
	mkdir -p "$out"
	logged in_root "$RUNIX_TOP/scripts/lib/make-image" "$(guest_image "$v" "$kind")" "$SRC" "$v" \
		"$(kernel_stock "$v")" "${parts[@]}"
	stamp "$out" "$key"
}

# More files for a guest, as a second archive behind the first. Both are in the cache.
add_to_image() { # IMAGE DIRECTORY
	# shellcheck disable=SC2016
	logged in_root sh -c 'cd "$2" && find . | sort | cpio --quiet -o -H newc -R 0:0 >>"$1"' sh "$1" "$2"
}
