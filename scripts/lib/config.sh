# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# The facts that the other scripts share. Sourced, never run.

# Debian release whose compiler built the supported kernels, and the suite that carries them.
RUNIX_SUITE=trixie
RUNIX_KERNEL_SUITE=trixie-backports

# Supported kernel series, the preferred one first. Patch levels are chosen at run time.
RUNIX_SUPPORTED_SERIES=(7.3 7.2)

# The flavour of the stock kernel, and the compiler it was built with.
RUNIX_FLAVOUR=amd64
RUNIX_KERNEL_CC=x86_64-linux-gnu-gcc-14
RUNIX_KERNEL_HOSTCC=gcc-14
RUNIX_LLVM_BIN=/usr/lib/llvm-19/bin

# What the host itself needs. Everything else lives in the build root.
RUNIX_HOST_PACKAGES=(mmdebstrap debian-archive-keyring ca-certificates qemu-system-x86 xz-utils)

# What the build root needs besides a minimal Debian.
RUNIX_ROOT_PACKAGES=(
	# C, as the kernel wants it
	gcc-14 g++-14 gcc make flex bison bc libc6-dev libelf-dev libssl-dev libdw-dev
	# Rust, as the kernel wants it
	rustc cargo rust-src rustfmt rust-clippy bindgen
	clang-19 lld-19 llvm-19 libclang-19-dev
	# Pieces of the kernel's build and of the guest image
	cpio kmod xz-utils zstd pahole python3 rsync busybox-static
	# cargo reaches its registry through these
	ca-certificates
)
