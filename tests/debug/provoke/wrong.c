// SPDX-License-Identifier: GPL-2.0
/* Mistakes that safe or checked Rust cannot make, or that C makes in its own way. */
#include <linux/delay.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

void provoke_shift(int by);
void provoke_rcu(void);
void provoke_sleep(void);
void provoke_c_use_after_free(void);

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
