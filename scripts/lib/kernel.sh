# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Choosing, fetching and preparing a stock Debian kernel.
#
# The headers packages of Debian have CONFIG_RUST=y but carry no Rust metadata, so
# an external Rust module cannot be built against them. The metadata are made again
# here from the kernel's source package, with the packaged configuration and the
# compilers that built the kernel, and compared with what the package exports.

kernel_dir() { printf '%s\n' "$RUNIX_CACHE/kernel/$1"; }      # VERSION
kernel_tree() { printf '%s\n' "$RUNIX_CACHE/kernel/$1/build"; } # VERSION
kernel_source() { printf '%s\n' "$RUNIX_CACHE/kernel/$1/source"; }
kernel_files() { printf '%s\n' "$RUNIX_CACHE/kernel/$1/packaged"; }
# A root with lib/modules/VERSION, as modprobe wants it.
kernel_stock() { printf '%s\n' "$RUNIX_CACHE/kernel/$1/packaged/stock"; }
kernel_image() { printf '%s\n' "$RUNIX_CACHE/kernel/$1/packaged/vmlinuz"; }

# 7.3.4+deb13-amd64 -> 7.3
series_of() { [[ $1 =~ ^([0-9]+\.[0-9]+) ]] && printf '%s\n' "${BASH_REMATCH[1]}"; }

# --- the package index ------------------------------------------------------------
# One line for each kernel package: name, version. Refreshed when asked for and when
# a package that it names is gone from the archive.
kernel_index() { printf '%s\n' "$RUNIX_CACHE/kernel/index"; }

refresh_index() {
	mkdir -p "$RUNIX_CACHE/kernel"
	logged in_root apt-get -q update
	in_root apt-cache dumpavail |
		awk '/^Package: linux-/ { p = $2 } /^Version:/ && p { print p, $2; p = "" } /^$/ { p = "" }' \
			>"$(kernel_index).new"
	# dumpavail shows one version of each name; the source package's older ones come from madison.
	in_root apt-cache madison "${RUNIX_SUPPORTED_SERIES[@]/#/linux-source-}" 2>/dev/null |
		awk -F' *[|] *' '{ gsub(/^ +/, "", $1); print $1, $2 }' >>"$(kernel_index).new"
	sort -u "$(kernel_index).new" -o "$(kernel_index).new"
	mv "$(kernel_index).new" "$(kernel_index)"
}

indexed() { grep -qxF "$1 $2" "$(kernel_index)"; } # NAME VERSION

# The packages that one kernel needs, one a line as name=version; fails if any is missing.
# Newer kernels have image and modules in packages of their own.
kernel_packages() { # VERSION PACKAGE-VERSION
	local v=$1 pv=$2 name
	for name in "linux-source-$(series_of "$v")" "linux-headers-$v"; do
		indexed "$name" "$pv" || return 1
		printf '%s=%s\n' "$name" "$pv"
	done
	for name in "linux-binary-$v" "linux-image-$v" "linux-binary-unsigned-$v" "linux-image-$v-unsigned"; do
		indexed "$name" "$pv" || continue
		printf '%s=%s\n' "$name" "$pv"
		if indexed "linux-modules-$v" "$pv"; then printf '%s=%s\n' "linux-modules-$v" "$pv"; fi
		return 0
	done
	return 1
}

# Prints "VERSION PACKAGE-VERSION" of each complete kernel of a series, newest first.
complete_kernels() { # SERIES
	local v pv
	while read -r v pv; do
		if kernel_packages "$v" "$pv" >/dev/null; then printf '%s %s\n' "$v" "$pv"; fi
	done < <(sed -nE "s/^linux-headers-(${1//./\\.}\.[0-9]+[^- ]*-$RUNIX_FLAVOUR) (.*)/\1 \2/p" "$(kernel_index)" |
		sort -rV)
}

# Sets KERNEL (and KERNEL_PACKAGE_VERSION) for a series, or for the first supported
# one. The choice is kept until `make update`, so that a warm run needs no network.
choose_kernel() { # [SERIES]
	local series chosen choice
	local -a candidates=("${RUNIX_SUPPORTED_SERIES[@]}")
	[[ -z ${1:-} ]] || candidates=("$1")
	choice=$RUNIX_CACHE/kernel/choice-${1:-default}
	if [[ -s $choice ]]; then
		read -r KERNEL KERNEL_PACKAGE_VERSION <"$choice"
		step "kernel $KERNEL, as chosen before (make update looks for a newer one)"
		return
	fi
	step "choosing the kernel"
	[[ -s $(kernel_index) ]] || refresh_index
	for series in "${candidates[@]}"; do
		chosen=$(complete_kernels "$series")
		if [[ -n $chosen ]]; then
			chosen=${chosen%%$'\n'*}
			read -r KERNEL KERNEL_PACKAGE_VERSION <<<"$chosen"
			note "$KERNEL (package version $KERNEL_PACKAGE_VERSION)"
			printf '%s\n' "$chosen" >"$choice.new"
			mv "$choice.new" "$choice"
			return
		fi
		note "$series: no version with source, headers and image"
	done
	die "no kernel of series ${candidates[*]} in $RUNIX_KERNEL_SUITE has source, headers and image"
}

# The same for a version given by the user.
choose_exactly() { # VERSION
	KERNEL=$1
	step "looking for the packages of $KERNEL"
	[[ -s $(kernel_index) ]] && grep -q "^linux-headers-$KERNEL " "$(kernel_index)" || refresh_index
	KERNEL_PACKAGE_VERSION=$(awk -v n="linux-headers-$KERNEL" '$1 == n { print $2; exit }' "$(kernel_index)")
	kernel_packages "$KERNEL" "${KERNEL_PACKAGE_VERSION:-none}" >/dev/null || {
		echo "runix: the archive has not all of source, headers and image of $KERNEL. Complete ones are:" >&2
		list_kernels | sed 's/^/  /' >&2
		exit 1
	}
}

list_kernels() {
	local series
	for series in "${RUNIX_SUPPORTED_SERIES[@]}"; do complete_kernels "$series"; done
}

# --- fetching ---------------------------------------------------------------------
fetch_kernel() { # VERSION PACKAGE-VERSION
	local v=$1 pv=$2 dir key packages
	dir=$(kernel_files "$v")
	key=$(key_of "$pv" "$(declare -f unpack_kernel_packages)")
	if stamp_ok "$dir" "$key"; then
		step "kernel packages of $v are here"
		return
	fi
	step "fetching the kernel packages of $v"
	rm -rf "$dir"
	mkdir -p "$dir" "$RUNIX_CACHE/debs"
	packages=$(kernel_packages "$v" "$pv") || die "$v: a package is missing from the archive; try make update"
	# What is here already is not fetched again; apt checks each file against the signed index.
	# shellcheck disable=SC2086
	try_logged in_root sh -c 'cd "$1" && shift && apt-get -q download "$@"' sh "$RUNIX_CACHE/debs" $packages
	if ((LOGGED_RC != 0)); then
		rm -f "$(kernel_index)" "$RUNIX_CACHE"/kernel/choice-*
		die "could not fetch the kernel packages; if the archive has moved on, the next run chooses anew"
	fi
	logged unpack_kernel_packages "$dir" "$v" "$packages"
	stamp "$dir" "$key"
}

# Takes from the packages what is needed here and drops the rest.
unpack_kernel_packages() { # DIR VERSION PACKAGES
	local dir=$1 v=$2 p file tmp
	tmp=$dir/tmp
	for p in $3; do
		# apt writes the colons of an epoch as %3a.
		file=$(find "$RUNIX_CACHE/debs" -maxdepth 1 -name "${p%%=*}_$(sed 's/.*=//; s/:/%3a/g' <<<"$p")_*.deb")
		mkdir -p "$tmp"
		in_root dpkg-deb -x "$file" "$tmp"
		case $p in
		linux-source-*) mv "$tmp"/usr/src/linux-source-*.tar.* "$dir/" ;;
		linux-headers-*)
			cp "$tmp/usr/src/linux-headers-$v/.config" "$dir/config"
			cp "$tmp/usr/src/linux-headers-$v/Module.symvers" "$dir/"
			if [[ -e $tmp/usr/src/linux-headers-$v/vmlinux ]]; then
				cp "$tmp/usr/src/linux-headers-$v/vmlinux" "$dir/"
			fi
			;;
		esac
		file=$(find "$tmp" -type f \( -name "vmlinuz-$v" -o -path "*/modules/$v/vmlinuz" \) | head -n 1)
		[[ -z $file ]] || cp "$file" "$dir/vmlinuz"
		file=$(find "$tmp" -type d -path "*/modules/$v" | head -n 1)
		if [[ -n $file ]]; then
			mkdir -p "$dir/stock/lib/modules"
			cp -a "$file" "$dir/stock/lib/modules/"
		fi
		rm -rf "$tmp"
	done
	for file in config Module.symvers vmlinuz; do
		[[ -s $dir/$file ]] || { echo "the packages of $v hold no $file"; return 1; }
	done
	# The order in which stock modules are loaded; an installed package would run this.
	in_root depmod -b "$dir/stock" "$v"
}

# --- preparing --------------------------------------------------------------------
LEFT_OUT=() # options for tar

unpack_source() { # VERSION
	local v=$1 dir key tarball
	dir=$(kernel_source "$v")
	tarball=$(find "$(kernel_files "$v")" -maxdepth 1 -name 'linux-source-*.tar.*')
	[[ -f $tarball ]] || die "$v: the source package holds no tarball"
	key=$(key_of "$(stat -Lc %s "$tarball")" "$KERNEL_PACKAGE_VERSION")
	if stamp_ok "$dir" "$key"; then
		step "kernel source is unpacked"
		return
	fi
	step "unpacking the kernel source"
	logged privileged rm -rf "$dir"
	mkdir -p "$dir"
	logged in_root tar -C "$dir" --strip-components=1 --no-same-owner "${LEFT_OUT[@]}" -xf "$tarball"
	stamp "$dir" "$key"
}

# make in the tree, in the words that the distribution's build uses.
kernel_make() { # VERSION ARGUMENTS...
	local v=$1
	shift
	in_root make -C "$(kernel_source "$v")" O="$(kernel_tree "$v")" "-j$(nproc)" \
		CC="$RUNIX_KERNEL_CC" HOSTCC="$RUNIX_KERNEL_HOSTCC" KERNELRELEASE="$v" "$@"
}

make_tree() { # VERSION
	local v=$1 files tree key
	files=$(kernel_files "$v") tree=$(kernel_tree "$v")
	key=$(key_of "$(<"$files/.runix-stamp")" "$(<"$ROOT/.runix-stamp")" "$(declare -f make_tree kernel_make)")
	if stamp_ok "$tree" "$key"; then
		step "kernel tree with Rust metadata is ready"
		step "export names were compared"
		return
	fi
	step "configuring the kernel and making its Rust metadata"
	logged privileged rm -rf "$tree"
	mkdir -p "$tree"
	cp "$files/config" "$tree/.config"
	logged kernel_make "$v" olddefconfig
	"$RUNIX_TOP/scripts/lib/config-drift" "$files/config" "$tree/.config" ||
		die "$v: the configuration does not survive olddefconfig: not the compilers it was made with"
	logged kernel_make "$v" modules_prepare
	cp "$files/Module.symvers" "$tree/"
	# Carries the BTF that the module's own is based on.
	if [[ -e $files/vmlinux ]]; then cp "$files/vmlinux" "$tree/"; fi
	step "comparing export names"
	note "$("$RUNIX_TOP/scripts/lib/compare-exports" "$tree")" || die "$v: this tree must not be used"
	# What an external module's Makefile has to know about this tree.
	{
		echo "# Written by runix's scripts/prepare-kernel."
		echo "RUNIX_KERNELRELEASE := $v"
		echo "RUNIX_CC := $RUNIX_KERNEL_CC"
		echo "RUNIX_LLVM_BIN := $RUNIX_LLVM_BIN"
		echo "RUNIX_TREE_CACHE := $RUNIX_CACHE"
	} >"$tree/runix-kdir.mk"
	stamp "$tree" "$key"
}
