// SPDX-License-Identifier: GPL-2.0
/* Mistakes that safe or checked Rust cannot make, or that C makes in its own way. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

void provoke_shift(int by);
void provoke_rcu(void);
void provoke_sleep(void);
void provoke_c_use_after_free(void);
void provoke_c_race(void);
void provoke_with_other(void (*f)(void));

static int __rcu *provoke_pointer;
static DEFINE_SPINLOCK(provoke_lock);

void provoke_shift(int by)
{
	volatile int n = by;

	/* Kept out of the compiler's sight, or it would know the answer. */
	pr_info("shifted: %d\n", 1 << n);
}

void provoke_rcu(void)
{
	int *p = rcu_dereference(provoke_pointer);

	pr_info("dereferenced: %d\n", p != NULL);
}

void provoke_sleep(void)
{
	spin_lock(&provoke_lock);
	msleep(1);
	spin_unlock(&provoke_lock);
}

void provoke_c_use_after_free(void)
{
	volatile char *p = kmalloc(64, GFP_KERNEL);

	kfree((void *)p);
	pr_info("read: %d\n", p ? p[8] : 0);
}

static int provoke_other(void *f)
{
	while (!kthread_should_stop()) {
		((void (*)(void))f)();
		cond_resched();
	}
	return 0;
}

/* Calls @f here and in a thread at the same time, for three seconds. */
void provoke_with_other(void (*f)(void))
{
	unsigned long end = jiffies + 3 * HZ;
	struct task_struct *other = kthread_run(provoke_other, f, "provoke");

	if (IS_ERR(other))
		return;
	while (time_before(jiffies, end)) {
		f();
		cond_resched();
	}
	kthread_stop(other);
}

static long provoke_counter;

static void provoke_count(void)
{
	provoke_counter++;
	barrier();
}

void provoke_c_race(void)
{
	provoke_with_other(provoke_count);
}
