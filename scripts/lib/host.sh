# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the host has to have. Root gets it installed; others get the command to type.

missing_host_packages() {
	local p
	local -a want=("${RUNIX_HOST_PACKAGES[@]}")
	# Without root, a user namespace plays root; its ids come from newuidmap.
	((EUID == 0)) || want+=(uidmap)
	for p in "${want[@]}"; do
		[[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null) == ii* ]] || printf '%s\n' "$p"
	done
	# An old keyring does not know the release whose packages are wanted.
	if ! compgen -G "/usr/share/keyrings/debian-archive-$RUNIX_SUITE-stable.*" >/dev/null; then
		echo debian-archive-keyring
	fi
}

host_packages() {
	local -a missing
	command -v dpkg-query >/dev/null || die "this is meant for Debian 12 or newer; there is no dpkg here"
	mapfile -t missing < <(missing_host_packages | sort -u)
	if ((${#missing[@]} == 0)); then
		step "host packages are installed"
	elif ((EUID == 0)); then
		step "installing host packages: ${missing[*]}"
		logged env DEBIAN_FRONTEND=noninteractive apt-get -q update
		logged env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
			-o DPkg::Lock::Timeout=120 install "${missing[@]}"
	else
		cat >&2 <<EOF
runix: some packages are missing. Please type this once, then try again:

  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}

EOF
		exit 1
	fi
	if ((EUID != 0)) && ! grep -qsE "^($(id -un)|$EUID):" /etc/subuid; then
		die "you have no subordinate ids; type: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un)"
	fi
}
