# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# The disk with Debian's programs, and ours in it.

ROOT=/mnt/root

mount_root() {
	mkdir -p /mnt/disk /mnt/layer $ROOT
	mount -t ext4 -o ro /dev/vda /mnt/disk || return 1
	mount -t tmpfs tmpfs /mnt/layer || return 1
	mkdir /mnt/layer/upper /mnt/layer/work
	mount -t overlay -o lowerdir=/mnt/disk,upperdir=/mnt/layer/upper,workdir=/mnt/layer/work \
		overlay $ROOT || return 1
	# What udev would make, and a shell's <(command) needs.
	ln -sf /proc/self/fd /dev/fd
	for dir in dev proc sys; do mount -o rbind /$dir $ROOT/$dir || return 1; done
	for dir in run tmp; do mount -t tmpfs tmpfs $ROOT/$dir || return 1; done
	chmod 1777 $ROOT/tmp
	mkdir -p $ROOT/opt $ROOT/run/lock
	cp -r /opt/runix $ROOT/opt/
}
