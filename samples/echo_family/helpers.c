// SPDX-License-Identifier: GPL-2.0
/* The layer's helpers once more, as a part of this module. */
#include "../../rust/helpers.c"
