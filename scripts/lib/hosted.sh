# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# A kernel tree made on a machine that runs the kernel: its own compilers, the installed
# packages, no build root, no privilege. For DKMS, which must do without questions.

# What the machine must have for that; debian/control asks for the same.
HOSTED_PACKAGES=(gcc-14 make flex bison bc libc6-dev libelf-dev libssl-dev libdw-dev
	rustc rust-src bindgen clang-19 pahole python3 xz-utils kmod)

installed_version() { # PACKAGE: of what is unpacked at least
	dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null |
		sed -n 's/^\(unpacked\|half-configured\|triggers-awaited\|triggers-pending\|installed\) //p' || true
}

# Stands in for the build root: commands run right here, with no variables but these.
hosted() {
	in_root() {
		env -i PATH="$RUNIX_LLVM_BIN:/usr/sbin:/usr/bin:/sbin:/bin" HOME="${HOME:-/root}" \
			LC_ALL=C.UTF-8 "$@"
	}
	privileged() { "$@"; }
	ROOT=$RUNIX_CACHE/host
}

# Refuses, with one reason and one command, where it can't be done.
hosted_ready() { # VERSION
	local v=$1 p
	local -a missing=()
	step "compilers of this machine"
	[[ " ${RUNIX_SUPPORTED_SERIES[*]} " == *" $(series_of "$v") "* ]] ||
		die "kernel $v is of no supported series (${RUNIX_SUPPORTED_SERIES[*]})"
	for p in "${HOSTED_PACKAGES[@]}"; do
		[[ -n $(installed_version "$p") ]] || missing+=("$p")
	done
	((${#missing[@]} == 0)) ||
		die "packages are missing; type: sudo apt-get install --no-install-recommends ${missing[*]}"
	mkdir -p "$ROOT"
	stamp "$ROOT" "$(key_of "$(in_root "$RUNIX_KERNEL_CC" -v 2>&1)" \
		"$(in_root rustc -vV)" "$(in_root bindgen -V)")"
}

# Collects what a kernel's packages have installed, as fetch_kernel() does from an archive.
hosted_kernel() { # VERSION
	local v=$1 dir headers version key
	KERNEL=$v
	dir=$(kernel_files "$v") headers=/usr/src/linux-headers-$v
	version=$(installed_version "linux-headers-$v")
	[[ -n $version && -r $headers/.config ]] ||
		die "the headers of kernel $v are not installed; type: sudo apt-get install linux-headers-$v"
	KERNEL_PACKAGE_VERSION=$version
	grep -qx CONFIG_RUST=y "$headers/.config" ||
		die "kernel $v was built without Rust (CONFIG_RUST): no Rust module can be built for it"
	key=$(key_of "$version" "$(declare -f hosted_kernel hosted_source)")
	if stamp_ok "$dir" "$key"; then
		step "kernel packages of $v are here"
		return
	fi
	step "collecting the kernel packages of $v"
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$headers/.config" "$dir/config"
	cp "$headers/Module.symvers" "$dir/"
	if [[ -e $headers/vmlinux ]]; then cp "$headers/vmlinux" "$dir/"; fi
	hosted_source "$v" "$version" "$dir"
	stamp "$dir" "$key"
}

# The source must be that of this very kernel: another one's export names differ.
hosted_source() { # VERSION PACKAGE-VERSION DIRECTORY
	local package got dir=$3
	package=linux-source-$(series_of "$1")
	got=$(installed_version "$package")
	if [[ $got == "$2" ]]; then
		ln -s /usr/src/"$package".tar.* "$dir/"
		return
	fi
	note "$package $2 is ${got:+not installed, but $got; it is }fetched from the archive"
	try_logged env -C "$dir" apt-get -q -o APT::Sandbox::User=root download "$package=$2"
	if ((LOGGED_RC != 0)); then
		die "the source of kernel $1 is neither installed nor to be had; where there is a" \
			"network, type: sudo apt-get install $package=$2"
	fi
	logged dpkg-deb -x "$dir/$package"_*.deb "$dir/package"
	mv "$dir/package/usr/src/$package".tar.* "$dir/"
	rm -rf "$dir/package" "$dir/$package"_*.deb
}

# Of the source, what neither metadata nor modules are made from stays packed: two thirds.
HOSTED_LEFT_OUT=('drivers/*.c' 'drivers/gpu/*.h' 'sound/*.[ch]' 'fs/*.c' 'net/*.c'
	'Documentation/*.*' 'arch/[!x]*/*.[chS]' 'tools/testing/*')

make_hosted_tree() { # VERSION
	hosted
	hosted_ready "$1"
	hosted_kernel "$1"
	LEFT_OUT=(--anchored "${HOSTED_LEFT_OUT[@]/#/--exclude=linux-source-?.?/}")
	unpack_source "$1"
	make_tree "$1"
	# Made without a build root, to be used without one.
	local mk
	mk=$(kernel_tree "$1")/runix-kdir.mk
	grep -q RUNIX_HOST_TOOLS "$mk" || echo 'RUNIX_HOST_TOOLS := 1' >>"$mk"
}
