// SPDX-License-Identifier: GPL-2.0
/* Work that is done later (deferred.rs). */

void runix_helper_work_init(struct delayed_work *work, work_func_t func)
{
	INIT_DELAYED_WORK(work, func);
}

/* Not before so many milliseconds have passed, unless it is due already. */
void runix_helper_work_queue(struct delayed_work *work, unsigned int delay)
{
	queue_delayed_work(system_dfl_wq, work, msecs_to_jiffies(delay));
}

/* In so many milliseconds, whenever it is due. */
void runix_helper_work_queue_in(struct delayed_work *work, unsigned int delay)
{
	mod_delayed_work(system_dfl_wq, work, msecs_to_jiffies(delay));
}

void runix_helper_work_cancel(struct delayed_work *work)
{
	cancel_delayed_work_sync(work);
}
