// SPDX-License-Identifier: GPL-2.0
/* The layer's helpers once more, as a part of this module. */
#define RUNIX_DEFAULT_FAMILY 19
#include "../../rust/helpers.c"
