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
# shellcheck source=scripts/lib/hosted.sh
. "$RUNIX_TOP/scripts/lib/hosted.sh"
# shellcheck source=scripts/lib/small-kernel.sh
. "$RUNIX_TOP/scripts/lib/small-kernel.sh"
# shellcheck source=scripts/lib/debug.sh
. "$RUNIX_TOP/scripts/lib/debug.sh"
# shellcheck source=scripts/lib/sources.sh
. "$RUNIX_TOP/scripts/lib/sources.sh"
# shellcheck source=scripts/lib/build.sh
. "$RUNIX_TOP/scripts/lib/build.sh"
# shellcheck source=scripts/lib/apps.sh
. "$RUNIX_TOP/scripts/lib/apps.sh"

# Steps that the two take, for the progress lines.
STEPS_TOOLS=2
STEPS_SOURCE=3
STEPS_KERNEL=$((STEPS_SOURCE + 2))

# The compilers.
tools_ready() {
	host_packages
	make_root
}

# The packages and the source of a kernel of a series; sets KERNEL.
source_ready() { # [SERIES]
	choose_kernel "${1:-}"
	fetch_kernel "$KERNEL" "$KERNEL_PACKAGE_VERSION"
	unpack_source "$KERNEL"
}

# The same and prepared for modules.
kernel_ready() { # [SERIES]
	source_ready "${1:-}"
	make_tree "$KERNEL"
}
