# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Everything an entry script needs, in the order of use.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=scripts/lib/host.sh
. "$RUNIX_TOP/scripts/lib/host.sh"
# shellcheck source=scripts/lib/root.sh
. "$RUNIX_TOP/scripts/lib/root.sh"
# shellcheck source=scripts/lib/kernel.sh
. "$RUNIX_TOP/scripts/lib/kernel.sh"
# shellcheck source=scripts/lib/sources.sh
. "$RUNIX_TOP/scripts/lib/sources.sh"
# shellcheck source=scripts/lib/build.sh
. "$RUNIX_TOP/scripts/lib/build.sh"

# Steps that the two take, for the progress lines.
STEPS_TOOLS=2
STEPS_KERNEL=5

# The compilers.
tools_ready() {
	host_packages
	make_root
}

# A prepared kernel of a series; sets KERNEL.
kernel_ready() { # [SERIES]
	choose_kernel "${1:-}"
	fetch_kernel "$KERNEL" "$KERNEL_PACKAGE_VERSION"
	unpack_source "$KERNEL"
	make_tree "$KERNEL"
}
