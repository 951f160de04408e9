# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A Debian system with the packaged kernel, on which packages of runix are made, installed,
# upgraded and removed. What is done to it goes into a layer of its own over it.

INSTALL=$RUNIX_CACHE/install

# Besides the compilers that the kernel's tree is made by (HOSTED_PACKAGES).
INSTALL_PACKAGES=(
	systemd-sysv udev kmod man-db python3 pkgconf
	# by which packages are made and modules are built
	build-essential debhelper dkms dh-dkms cargo
	ca-certificates e2fsprogs
)

install_root() { printf '%s\n' "$INSTALL/$1/root"; }   # VERSION
install_disk() { printf '%s\n' "$INSTALL/$1/disk"; }   # VERSION

# What a disk with that system goes without: the guest builds nothing, and has few devices.
INSTALL_LEFT_OUT=(usr/lib/llvm-19 usr/lib/gcc usr/lib/rustlib usr/lib/x86_64-linux-gnu/rustlib
	usr/src usr/share/perl usr/libexec/gcc usr/lib/rust-1.85)

make_install_root() { # VERSION PACKAGE-VERSION DIRECTORY
	local v=$1 pv=$2 dir=$3 line
	local -a options=()
	archive_sources >"$INSTALL/$v/sources.list"
	while IFS= read -r line; do options+=("--aptopt=$line"); done < <(archive_apt_settings)
	# No initrd is asked for: the guest starts from one of ours.
	privileged env INITRD=No mmdebstrap --mode=root --variant=apt --format=directory \
		--include="$(IFS=,; echo "${INSTALL_PACKAGES[*]},${HOSTED_PACKAGES[*]}")" \
		--include="linux-base/$RUNIX_KERNEL_SUITE,linux-image-$v,linux-headers-$v" \
		--include="linux-source-$(series_of "$v")=$pv" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
		--dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-include=/usr/share/man/*/runix*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*runix*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"${options[@]}" "$RUNIX_SUITE" "$dir" "$INSTALL/$v/sources.list"
	privileged sh -c 'rm -f "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/*; mkdir -p "$1/cargo" "$1/work"' sh "$dir"
}

# --- packages ---------------------------------------------------------------------------
# What packages are made from.
install_hash() {
	hash_of Kbuild Makefile LICENSE README.md dkms.conf debian rust samples Documentation \
		scripts/dkms-build scripts/prepare-kernel scripts/install.mk scripts/lib
}

in_install_root() { # VERSION COMMAND...
	local v=$1
	shift
	privileged "$RUNIX_TOP/scripts/lib/enter-root" "$(install_root "$v")" "$RUNIX_TOP" "$RUNIX_CACHE" "$PWD" "$@"
}

# The usual tools, in a copy of the sources: with the version that they have, or another
# one, which is what an upgrade comes from.
make_packages() { # VERSION DIRECTORY PACKAGE-VERSION
	local v=$1 out=$2/debs-$3 build=$2/$3/runix
	rm -rf "$build" "$out"
	mkdir -p "$build" "$out"
	cp -r "$SRC/." "$build/"
	sed -i "1s/(.*)/($3)/" "$build/debian/changelog"
	(cd "$build" && CARGO_TARGET_DIR=$WORK/target-deb RUNIX_KEEP=1 in_install_root "$v" \
		env CARGO_TARGET_DIR="$WORK/target-deb" dpkg-buildpackage -us -uc -b)
	mv "$2/$3"/*.deb "$out/"
	rm -rf "${2:?}/$3"
}

# --- the system with them ----------------------------------------------------------------
# install, look, upgrade, look; as root in the system, the packages in /mnt.
install_and_upgrade() {
	cat <<'EOF'
set -eux
sh /mnt/install-files >/mnt/files-before
dpkg -i /mnt/debs-*~before/*.deb
dkms status | tee /mnt/status-before
dpkg -i $(ls /mnt/debs-*/*.deb | grep -v '~before')
dkms status | tee /mnt/status
cp /var/lib/dkms/runix/*/*/*/log/make.log /mnt/make.log
EOF
}

# A file system with all of a directory, by the mke2fs of the system's root. What is LEFT_OUT is empty in it.
make_install_disk() { # ROOT TREE FILE KILOBYTES-MORE LEFT_OUT...
	# shellcheck disable=SC2016
	privileged sh -eu -c '
		root=$1 tree=$2 file=$3 more=$4
		shift 4
		mount -t tmpfs tmpfs "$root/mnt"
		mkdir "$root/mnt/tree" "$root/mnt/out" "$root/mnt/none"
		mount --bind "$tree" "$root/mnt/tree"
		mount --bind "$(dirname "$file")" "$root/mnt/out"
		mount --rbind /dev "$root/dev"
		for dir in "$@"; do
			[ ! -d "$root/mnt/tree/$dir" ] || mount --bind "$root/mnt/none" "$root/mnt/tree/$dir"
		done
		size=$(du -sk "$root/mnt/tree" | cut -f1)
		rm -f "$file"
		chroot "$root" mke2fs -q -t ext4 -O ^has_journal,^resize_inode -m 0 -d /mnt/tree \
			"/mnt/out/$(basename "$file")" "$((size * 12 / 10 + more))k"
	' sh "$@"
}

build_install_system() { # VERSION
	local v=$1 dir=$INSTALL/$1 key
	key=$(key_of "$RUNIX_SUITE" "$KERNEL_PACKAGE_VERSION" "${INSTALL_PACKAGES[*]}" "${HOSTED_PACKAGES[*]}" \
		"${INSTALL_LEFT_OUT[*]}" "$(declare -f make_install_root make_install_disk build_install_system)")
	if stamp_ok "$dir" "$key"; then
		step "Debian system for packages is ready"
		return
	fi
	step "making a Debian system for packages"
	logged privileged rm -rf "$dir"
	mkdir -p "$dir"
	logged make_install_root "$v" "$KERNEL_PACKAGE_VERSION" "$dir/root"
	logged make_install_disk "$dir/root" "$dir/root" "$(install_disk "$v")" 65536 \
		"${INSTALL_LEFT_OUT[@]}" "usr/lib/modules/$v/kernel"/{drivers,sound,fs,net}
	stamp "$dir" "$key"
}

# Packages, and a layer in which they were installed and upgraded.
build_installed() { # VERSION
	local v=$1 with=$INSTALL/$1/with key version
	version=$(sed -n '1s/.*(\(.*\)).*/\1/p' "$SRC/debian/changelog")
	key=$(key_of "$(install_hash)" "$(<"$INSTALL/$v/.runix-stamp")" "$(hash_of tests/guest/install-files)" \
		"$(declare -f make_packages install_and_upgrade build_installed)")
	if stamp_ok "$with" "$key"; then
		step "packages are made"
		step "packages are installed"
		return
	fi
	step "making packages"
	logged privileged rm -rf "$with"
	mkdir -p "$with"
	logged make_packages "$v" "$with" "$version~before"
	logged make_packages "$v" "$with" "$version"
	step "installing and upgrading them; DKMS builds the module twice"
	echo "$version" >"$with/version"
	cp "$SRC/tests/guest/install-files" "$with/"
	install_and_upgrade >"$with/steps"
	logged privileged "$RUNIX_TOP/scripts/lib/enter-disk" "$INSTALL/$v/root" "$with/layer" "$with" sh /mnt/steps
	# What the module was built from is not taken into the guest, only where it was.
	logged make_install_disk "$INSTALL/$v/root" "$with/layer" "$with/disk" 262144 \
		merged "upper/var/cache/runix/kernel/$v"/{source,build,packaged}
	stamp "$with" "$key"
}

# What a package puts where, less its documentation.
package_files() { # VERSION PACKAGE
	in_install_root "$1" sh -c 'dpkg-deb -c "$1"/debs-*[0-9]/"$2"_*.deb' sh "$INSTALL/$1/with" "$2" |
		awk '$1 !~ /^d/ { print substr($6, 2) }' | grep -v '^/usr/share/doc/' | sort
}

has_files() { # VERSION PACKAGE FILE...
	local v=$1 package=$2
	shift 2
	diff <(printf '%s\n' "$@" | sort) <(package_files "$v" "$package")
}

# What DKMS prints where it can't be done, and where a kernel is none of ours.
refuses() { # VERSION COMMANDS
	local layer
	layer=$(mktemp -d "$INSTALL/$1/try.XXXXXX")
	local rc=0
	privileged "$RUNIX_TOP/scripts/lib/enter-disk" "$INSTALL/$1/root" "$layer" "$INSTALL/$1/with" sh -euc "
		cd /tmp && dpkg-deb -x /mnt/debs-*[0-9]/runix-dkms_*.deb . && cd usr/src/runix-* && $2" || rc=$?
	privileged rm -rf "$layer"
	return $rc
}

check_packages() { # VERSION
	local v=$1 with=$INSTALL/$1/with
	expect "package runix-tools: its files" has_files "$v" runix-tools \
		/usr/bin/runix-run /usr/bin/runixstat /usr/lib/runix/librunix_preload.so \
		/usr/share/man/man1/runix-run.1.gz /usr/share/man/man7/runix.7.gz /usr/share/man/man8/runixstat.8.gz
	expect "package librunix-dev: its files" has_files "$v" librunix-dev \
		/usr/include/runix.h /usr/share/pkgconfig/runix.pc
	package_files "$v" runix-dkms >"$OUT/dkms-files"
	expect "package runix-dkms: boot, and sources" grep -cxE "/usr/(lib/modules-load.d/runix.conf|src/runix-[0-9.]+/(dkms.conf|Kbuild|rust/runix.rs|scripts/dkms-build))" "$OUT/dkms-files"
	expect "package runix-dkms: nothing else" \
		not grep -vE "^/usr/(lib/modules-load.d/runix.conf|src/runix-[0-9.]+/(dkms.conf|Kbuild|Makefile|LICENSE|(rust|scripts|samples/echo_family)/.*))$" "$OUT/dkms-files"
	expect "DKMS has built the older version" grep -qx "runix/.*~before, $v, x86_64: installed" "$with/status-before"
	expect "DKMS has built the newer version, and that alone" \
		test "$(sed 's/ (.*//' "$with/status")" = "runix/$(<"$with/version"), $v, x86_64: installed"
	expect_failure "DKMS: no source, no network: it says so" 'source of kernel .* is neither installed nor to be had' \
		refuses "$v" "dpkg --purge --force-depends linux-source-$(series_of "$v") && scripts/dkms-build tree $v"
	expect_failure "DKMS: no compiler: it says so" 'packages are missing; type: .* rust-src' \
		refuses "$v" "dpkg --purge --force-depends rust-src && scripts/dkms-build tree $v"
	expect_failure "DKMS: another series: it says so" 'kernel 6.12.1-amd64 is of no supported series' \
		refuses "$v" "scripts/dkms-build tree 6.12.1-amd64"
}

check_install() { # VERSION
	local v=$1 out=$OUT/install with=$INSTALL/$1/with stage rc
	build_install_system "$v"
	build_installed "$v"
	step "packages: files, versions, refusals"
	check_packages "$v"
	build_image "$v" for-disk
	mkdir -p "$out/files/lib/runix"
	cp "$with/files-before" "$with/version" "$out/files/lib/runix/"
	cp "$(guest_image "$v" -disk)" "$out/guest.cpio"
	add_to_image "$out/guest.cpio" "$out/files"
	cp --sparse=always "$with/disk" "$out/scratch"
	for stage in installed removed; do
		step "a guest with the packages $stage: $v"
		mkdir -p "$out/$stage"
		rc=0
		ONLY='' GUEST_IMAGE=$out/guest.cpio guest "$v" install "$out/$stage" --disk "$(install_disk "$v")" \
			--scratch "$out/scratch" --time "${RUNIX_GUEST_TIME:-900}" --silence 300 \
			--append "runix.stage=$stage$( ((EUID == 0)) || echo ' runix.userxattr=1')" 2>"$out/$stage/errors" || rc=$?
		record_guest "packages $stage" "$out/$stage" "$rc"
	done
}

# --- without packages -------------------------------------------------------------------
# `make install` and `make uninstall` into a directory, with and without a key.
check_make_install() { # VERSION
	local v=$1 out=$OUT/make-install list
	build_rust_samples
	build_preload
	step "make install, make uninstall: $v"
	mkdir -p "$out/made"
	cp "$WORK/samples-rust"/{runix-run,runixstat} "$WORK/preload/librunix_preload.so" "$out/made/"
	list="lib/modules/$v/updates/runix.ko.xz lib/modules/$v/updates/runix_echo.ko.xz
		usr/local/bin/runix-run usr/local/bin/runixstat usr/local/include/runix.h
		usr/local/lib/modules-load.d/runix.conf usr/local/lib/runix/librunix_preload.so
		usr/local/share/man/man1/runix-run.1 usr/local/share/man/man7/runix.7
		usr/local/share/man/man8/runixstat.8 usr/local/share/pkgconfig/runix.pc"
	expect "make install" make_install "$v" "$out" install
	expect "make install: these files" diff <(tr -s ' \t' '\n' <<<"$list") <(installed_files "$out")
	expect "make install: a socket loads the module" \
		grep -qx 'alias net-pf-18 runix' "$out/to/lib/modules/$v/modules.alias"
	expect "make install: the page and the header are of this version" \
		grep -qx "Version: $(sed -n '1s/.*(\(.*\)).*/\1/p' "$SRC/debian/changelog")" "$out/to/usr/local/share/pkgconfig/runix.pc"
	logged in_root openssl req -new -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=runix-test \
		-keyout "$out/key.pem" -out "$out/cert.pem"
	expect "make install, with a key" make_install "$v" "$out" install KEY="$out/key.pem" CERT="$out/cert.pem"
	expect "make install, with a key: the module is signed by it" \
		grep -q 'signer: *runix-test' <(in_root modinfo "$out/to/lib/modules/$v/updates/runix.ko")
	expect "make install, with a key: these files" \
		diff <(tr -s ' \t' '\n' <<<"${list//.ko.xz/.ko}") <(installed_files "$out")
	expect_failure "make install: a key without a certificate is refused" 'must both be files' \
		make_install "$v" "$out" install KEY="$out/key.pem"
	expect_failure "make install: what was not made is refused" 'Make it first' \
		make_install "$v" "$out" install PROGRAMS="$out"
	expect "make uninstall" make_install "$v" "$out" uninstall
	expect "make uninstall: nothing is left" diff /dev/null <(installed_files "$out")
}

make_install() { # VERSION DIRECTORY GOAL VARIABLES...
	local v=$1 out=$2
	shift 2
	in_root make -s -C "$SRC" KDIR="$(kernel_tree "$v")" MO="$(module_dir "$v")" PROGRAMS="$out/made" \
		DESTDIR="$out/to" "$@"
}

# Less the lists that depmod makes.
installed_files() { # DIRECTORY
	(cd "$1/to" && find . -type f -printf '%P\n' | grep -v '/modules\.[a-z.]*$' | sort)
}
