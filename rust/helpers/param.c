// SPDX-License-Identifier: GPL-2.0
/* Module parameters, which a Rust module cannot declare for itself yet (param.rs). */

#ifndef RUNIX_DEFAULT_FAMILY
#define RUNIX_DEFAULT_FAMILY 18
#endif

static int runix_family = RUNIX_DEFAULT_FAMILY;
module_param_named(family, runix_family, int, 0444);
MODULE_PARM_DESC(family, "Address family number (default " __stringify(RUNIX_DEFAULT_FAMILY) ")");

int runix_helper_family_param(void)
{
	return runix_family;
}
