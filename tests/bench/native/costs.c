// SPDX-License-Identifier: GPL-2.0
/*
 * What some things cost that sockets are made of. A user-mode kernel has other prices for
 * them than a real one has, which decides what its figures can tell.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "native.h"

#define TIMES	10000
#define ROUNDS	60
#define BYTES	65536

static DEFINE_SPINLOCK(lock);
static atomic_t counter;
static u8 *from, *to;

static void cost_lock(void)
{
	spin_lock(&lock);
	spin_unlock(&lock);
}

static void cost_lock_irqsave(void)
{
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	spin_unlock_irqrestore(&lock, flags);
}

static void cost_atomic(void)
{
	atomic_inc(&counter);
}

static void cost_alloc(void)
{
	kfree(kmalloc(256, GFP_KERNEL));
}

static void cost_copy(void)
{
	memcpy(to, from, BYTES);
}

static void say_cost(const char *name, void (*f)(void), long times)
{
	u64 least = U64_MAX;

	for (int i = 0; i < ROUNDS; i++) {
		u64 start = ktime_get_ns();

		for (long n = 0; n < times; n++)
			f();
		least = min(least, ktime_get_ns() - start);
		cond_resched();
	}
	least = div64_u64(least * 10, times);
	pr_info("COST %s %llu.%llu ns\n", name, least / 10, least % 10);
}

int say_costs(void)
{
	from = vzalloc(BYTES);
	to = vzalloc(BYTES);
	if (from && to) {
		say_cost("atomic_inc", cost_atomic, TIMES);
		say_cost("spin_lock+unlock", cost_lock, TIMES);
		say_cost("spin_lock_irqsave+unlock", cost_lock_irqsave, TIMES);
		say_cost("kmalloc-256+kfree", cost_alloc, TIMES);
		say_cost("memcpy-64K", cost_copy, TIMES / 100);
	}
	vfree(from);
	vfree(to);
	return from && to ? 0 : -ENOMEM;
}
