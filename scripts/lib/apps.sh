# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A disk with real programs from Debian, for a guest in which they talk over AF_RUNIX.

APPS=$RUNIX_CACHE/apps

# What the guest of check-apps has besides a minimal Debian.
APPS_PACKAGES=(
	redis-server redis-tools
	nginx curl php8.4-fpm
	dbus-daemon dbus-bin
	openssh-client socat
	python3
	postgresql-17
	xvfb x11-utils
	strace
	# mke2fs, which makes the disk out of the rest
	e2fsprogs
)

# Left out: nothing that is tested here draws in three dimensions, compiles queries, or
# speaks another language.
APPS_EXCLUDE=('/usr/share/man/*' '/usr/share/doc/*' '/usr/share/locale/*' '/usr/lib/locale/*'
	'/usr/share/X11/locale/*' '/usr/share/fonts/*' '/usr/lib/*/libLLVM*' '/usr/lib/*/libgallium*'
	'/usr/lib/llvm-*' '/usr/lib/postgresql/*/lib/bitcode/*')

apps_disk() { printf '%s\n' "$APPS/disk"; }

# make_debian_root DIRECTORY PACKAGES...: a Debian tree; EXCLUDE names what it goes without.
make_debian_root() {
	local dir=$1 line path
	shift
	local -a options=()
	archive_sources | grep -v " $RUNIX_KERNEL_SUITE " >"$APPS/sources.list"
	while IFS= read -r line; do options+=("--aptopt=$line"); done < <(archive_apt_settings)
	for path in "${EXCLUDE[@]}"; do options+=("--dpkgopt=path-exclude=$path"); done
	privileged mmdebstrap --mode=root --variant=apt --format=directory \
		--include="$(IFS=,; echo "$*")" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
		"${options[@]}" "$RUNIX_SUITE" "$dir" "$APPS/sources.list"
}

# make_disk TREE FILE: a file system with all of TREE, made by the tree's own mke2fs. It is
# mounted read-only and needs no journal.
make_disk() {
	local tree=$1 file=$2
	rm -f "$file"
	# shellcheck disable=SC2016
	privileged sh -eu -c '
		mount -t tmpfs tmpfs "$1/mnt"
		mkdir "$1/mnt/tree" "$1/mnt/out"
		mount --bind "$1" "$1/mnt/tree"
		mount --bind "$2" "$1/mnt/out"
		mount --rbind /dev "$1/dev"
		size=$(du -sxk "$1/mnt/tree" | cut -f1)
		chroot "$1" mke2fs -q -t ext4 -O ^has_journal,^resize_inode -m 0 -d /mnt/tree \
			"/mnt/out/$3" "$((size * 12 / 10 + 32768))k"
	' sh "$tree" "$(dirname "$file")" "$(basename "$file")"
}

# make_cluster TREE: what PostgreSQL starts from, which takes long to make in a guest.
make_cluster() {
	# shellcheck disable=SC2016
	privileged sh -eu -c '
		mount --rbind /dev "$1/dev"
		chroot "$1" setpriv --reuid postgres --regid postgres --init-groups sh -c "
			exec /usr/lib/postgresql/*/bin/initdb -D /var/lib/postgresql/runix --auth peer \
				--no-locale --encoding UTF8 --wal-segsize 1 --no-sync"
	' sh "$1"
}

build_apps_disk() {
	local key EXCLUDE=("${APPS_EXCLUDE[@]}")
	key=$(key_of "$RUNIX_SUITE" "${APPS_PACKAGES[*]}" "${APPS_EXCLUDE[*]}" \
		"$(declare -f make_debian_root make_cluster make_disk build_apps_disk)")
	if stamp_ok "$APPS" "$key"; then
		step "disk with Debian's programs is ready"
		return
	fi
	step "making a disk with Debian's programs"
	logged privileged rm -rf "$APPS"
	mkdir -p "$APPS"
	logged make_debian_root "$APPS/root" "${APPS_PACKAGES[@]}"
	logged make_cluster "$APPS/root"
	logged make_disk "$APPS/root" "$(apps_disk)"
	logged privileged rm -rf "$APPS/root"
	stamp "$APPS" "$key"
}
