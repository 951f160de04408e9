// SPDX-License-Identifier: GPL-2.0
/* The lock of the queues that keep a buffer (warm.rs). */

static DEFINE_SPINLOCK(runix_warm);

void runix_helper_warm_lock(void)
{
	spin_lock(&runix_warm);
}

bool runix_helper_warm_try_lock(void)
{
	return spin_trylock(&runix_warm);
}

void runix_helper_warm_unlock(void)
{
	spin_unlock(&runix_warm);
}
