// SPDX-License-Identifier: GPL-2.0
/* Whom a waiter waits for, and what that is doing (patience.rs). */

/*
 * Who woke a socket's sleepers last: the thread that they are likely to wait for
 * again. Only its number is held, a hundred bytes, never the task itself. The lock is
 * what keeps the number from being given back while another looks at it.
 */
void runix_helper_companion_note(spinlock_t *lock, struct pid **slot)
{
	struct pid *pid = task_pid(current);

	/* Compared only. */
	if (READ_ONCE(*slot) == pid)
		return;
	get_pid(pid);
	spin_lock(lock);
	swap(*slot, pid);
	spin_unlock(lock);
	put_pid(pid);
}

/* That thread, with a reference, if it is another than the calling one and lives. */
struct task_struct *runix_helper_companion_get(spinlock_t *lock, struct pid **slot)
{
	struct task_struct *task = NULL;

	if (READ_ONCE(*slot) == NULL)
		return NULL;
	spin_lock(lock);
	if (*slot != task_pid(current))
		task = get_pid_task(*slot, PIDTYPE_PID);
	spin_unlock(lock);
	return task;
}

void runix_helper_companion_put(struct task_struct *task)
{
	put_task_struct(task);
}

void runix_helper_companion_init(spinlock_t *lock)
{
	spin_lock_init(lock);
}

/* Ready to run on this CPU, on which it can't be running. A snapshot. */
bool runix_helper_task_is_ready_here(struct task_struct *task)
{
	return task_is_running(task) && task_cpu(task) == raw_smp_processor_id();
}

/* Running on another CPU, as far as a virtual machine can tell. A snapshot. */
bool runix_helper_task_runs_elsewhere(struct task_struct *task)
{
	return owner_on_cpu(task);
}

/* Whether a fair task, which alone may stand back for others. */
bool runix_helper_current_is_fair(void)
{
	return !rt_or_dl_task(current);
}

/*
 * Hands the CPU over to a task, and tells for how many nanoseconds the calling one had
 * none, and for how many of those the other one didn't run either. False if there was
 * nobody to hand it to.
 *
 * The scheduler's own account is read, not the clock, which costs more: when a task got
 * the CPU, less what it has run altogether, moves on by just the time that it was off it.
 */
bool runix_helper_hand_over(struct task_struct *task, u64 *away, u64 *others)
{
	const struct sched_entity *self = &current->se;
	u64 off = self->exec_start - self->sum_exec_runtime;
	u64 ran = READ_ONCE(task->se.sum_exec_runtime);

	if (yield_to(task, false) <= 0)
		return false;
	off = self->exec_start - self->sum_exec_runtime - off;
	ran = READ_ONCE(task->se.sum_exec_runtime) - ran;
	*away = off;
	*others = off > ran ? off - ran : 0;
	return true;
}

u64 runix_helper_clock(void)
{
	return local_clock();
}

/* A pause in a loop; false if the loop should end, as something else wants the CPU. */
bool runix_helper_relax(void)
{
	cpu_relax();
	return !need_resched() && !signal_pending(current);
}

/*
 * Standing back turned out to take long on this CPU: something else runs here that isn't
 * done with it at once. Nobody stands back for a while, which grows to a second.
 */
struct runix_busy {
	unsigned long until;
	unsigned int times;
};

static DEFINE_PER_CPU(struct runix_busy, runix_busy);

/* All of it may be off if the task moves meanwhile, which harms nothing. */
bool runix_helper_cpu_is_busy(void)
{
	struct runix_busy *busy = raw_cpu_ptr(&runix_busy);

	return READ_ONCE(busy->times) && time_before(jiffies, READ_ONCE(busy->until));
}

void runix_helper_cpu_note_busy(bool is)
{
	struct runix_busy *busy = raw_cpu_ptr(&runix_busy);
	unsigned int times = READ_ONCE(busy->times);

	if (!is) {
		if (times)
			WRITE_ONCE(busy->times, 0);
		return;
	}
	WRITE_ONCE(busy->until, jiffies + (HZ >> (6 - min(times, 6u))) + 1);
	WRITE_ONCE(busy->times, times + 1);
}
