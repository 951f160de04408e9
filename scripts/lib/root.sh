# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The build root: a Debian tree with the compilers that the stock kernel was built with.

# shellcheck source=scripts/lib/archive.sh
. "$RUNIX_TOP/scripts/lib/archive.sh"

ROOT=$RUNIX_CACHE/root
CARGO_CACHE=$RUNIX_CACHE/cargo

root_key() {
	# The recipe itself is an input, comments and the other functions here are not.
	key_of "$(declare -f make_root)" "$RUNIX_SUITE" "$RUNIX_KERNEL_SUITE" \
		"${RUNIX_ROOT_PACKAGES[@]}"
}

# privileged COMMAND...: as root in a mount namespace of its own. Without root, a user
# namespace with the user's subordinate ids plays root.
privileged() {
	if ((EUID == 0)); then
		unshare --mount --propagation private -- "$@"
	else
		unshare --map-root-user --map-auto --mount --propagation private -- "$@"
	fi
}

make_root() {
	local key
	key=$(root_key)
	if stamp_ok "$ROOT" "$key"; then
		step "build root is ready"
		return
	fi
	step "making the build root ($RUNIX_SUITE and its compilers)"
	logged privileged rm -rf "$ROOT" "$ROOT.new"
	mkdir -p "$CARGO_CACHE"
	archive_sources >"$RUNIX_CACHE/sources.list"
	archive_apt_settings >"$RUNIX_CACHE/apt.conf"
	local options=() line
	while IFS= read -r line; do options+=("--aptopt=$line"); done <"$RUNIX_CACHE/apt.conf"
	logged privileged mmdebstrap --mode=root --variant=apt --format=directory \
		--include="$(IFS=,; echo "${RUNIX_ROOT_PACKAGES[*]}")" \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--aptopt='APT::Install-Recommends "false"' \
		--aptopt='Acquire::Languages "none"' \
		"${options[@]}" \
		"$RUNIX_SUITE" "$ROOT.new" "$RUNIX_CACHE/sources.list"
	# Inside, the keys are the root's own; the host's path to them means nothing there.
	sed -E 's/ \[signed-by=[^]]*\]//' "$RUNIX_CACHE/sources.list" >"$RUNIX_CACHE/sources.list.root"
	logged privileged sh -c 'rm -rf "$1"/etc/apt/sources.list.d/* &&
		cp "$2" "$1"/etc/apt/sources.list && mkdir -p "$1/cargo"' \
		sh "$ROOT.new" "$RUNIX_CACHE/sources.list.root"
	mv "$ROOT.new" "$ROOT"
	logged privileged chmod 755 "$ROOT"
	root_stamp "$key"
}

# In a user namespace the root's top directory may belong to another id.
root_stamp() {
	if ((EUID == 0)) || [[ -w $ROOT ]]; then stamp "$ROOT" "$1"; fi
}

# in_root COMMAND...: runs it in the build root. The cache and the checkout are seen
# under their own paths, so that what is built there can be used from outside as well.
in_root() {
	privileged "$RUNIX_TOP/scripts/lib/enter-root" "$ROOT" "$RUNIX_TOP" "$RUNIX_CACHE" "$PWD" "$@"
}
