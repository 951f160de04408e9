// SPDX-License-Identifier: GPL-2.0
/*
 * Measures one row of the bench from inside the kernel, in nanoseconds, on
 * AF_UNIX and on another family, while it is loaded. It says
 *
 *   runix_bench: RESULT <work> <type> <size> <subject> <ns> ns
 *   runix_bench: FAIL <work> <type> <size> <subject> <why>
 *
 * as tests/bench does, and with work=costs some lines of
 *
 *   runix_bench: COST <what> <ns> ns
 *
 * The two families take turns, so that what else the machine does meets both;
 * the least of some repetitions counts.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "native.h"

static int family = 18;
module_param(family, int, 0400);
MODULE_PARM_DESC(family, "the number of the family that is measured beside AF_UNIX");

static char *work = "sr";
module_param(work, charp, 0400);
MODULE_PARM_DESC(work, "sr, pingpong, oneway or costs");

static int type = SOCK_STREAM;
module_param(type, int, 0400);
MODULE_PARM_DESC(type, "type of the sockets: 1, 2 or 5");

static uint size = 1;
module_param(size, uint, 0400);
MODULE_PARM_DESC(size, "bytes in a message");

static uint repeat = 60;
module_param(repeat, uint, 0400);
MODULE_PARM_DESC(repeat, "how often it is measured; the least counts");

#define LARGEST		(1 << 20)
/*
 * How long one repetition takes, about. That is less than what a scheduler gives at a time,
 * so that on a busy machine as well some of many repetitions are not interrupted.
 */
#define TARGET_NS	1000000

struct subject {
	const char *name;
	int family;
	u64 least;
	struct pair pair;
};

static const char *type_name(void)
{
	return type == SOCK_STREAM ? "stream" : type == SOCK_DGRAM ? "dgram" : "seqpacket";
}

/* Does it `ops` times with bytes that nobody has seen before. */
static int run(struct subject *subject, const struct work *w, long ops, u64 *ns)
{
	struct pair *pair = &subject->pair;
	int error;

	get_random_bytes(pair->out, size);
	memset(pair->in, 0, size);
	error = w->run(pair, ops, ns);
	if (!error && memcmp(pair->in, pair->out, size))
		error = -EBADMSG;
	cond_resched();
	return error;
}

/*
 * Finds out how many operations take the time that is aimed at. The first estimate still
 * warms caches and allocators.
 */
static int estimate(struct subject *subject, const struct work *w, long *ops)
{
	int error = 0;
	u64 ns;

	*ops = 1;
	for (int i = 0; i < 4 && !error; i++) {
		error = run(subject, w, *ops, &ns);
		*ops = clamp(div64_u64(TARGET_NS / (i < 3 ? 8 : 1) * *ops, max(ns, 1)), 4, 1000000);
	}
	return error;
}

static int say_failure(const struct subject *subject, int error)
{
	pr_info("FAIL %s %s %u %s error %d\n", work, type_name(), size, subject->name, error);
	return error;
}

static int measure(struct subject *subjects, const struct work *w)
{
	long ops, both = 0;
	int error;

	for (struct subject *s = subjects; s->name; s++) {
		error = estimate(s, w, &ops);
		if (error)
			return say_failure(s, error);
		/* As many for each: as many as the slower one does in its time. */
		both = both ? min(both, ops) : ops;
	}
	for (uint i = 0; i < repeat; i++) {
		for (struct subject *s = subjects; s->name; s++) {
			u64 ns;

			error = run(s, w, both, &ns);
			if (error)
				return say_failure(s, error);
			if (!i || ns < s->least)
				s->least = ns;
		}
	}
	for (struct subject *s = subjects; s->name; s++) {
		u64 tenths = div64_u64(s->least * 10, both);

		pr_info("RESULT %s %s %u %s %llu.%llu ns\n", work, type_name(), size, s->name,
			tenths / 10, tenths % 10);
	}
	return 0;
}

static int open_subject(struct subject *subject)
{
	struct pair *pair = &subject->pair;

	pair->size = size;
	pair->out = vmalloc(size);
	pair->in = vmalloc(size);
	pair->echo = vmalloc(size);
	if (!pair->out || !pair->in || !pair->echo)
		return -ENOMEM;
	return pair_open(pair, subject->family, type);
}

static void close_subject(struct subject *subject)
{
	pair_close(&subject->pair);
	vfree(subject->pair.out);
	vfree(subject->pair.in);
	vfree(subject->pair.echo);
}

static int __init bench_init(void)
{
	struct subject subjects[] = {
		{ .name = "unix", .family = AF_UNIX },
		{ .name = "runix", .family = family },
		{},
	};
	const struct work *w = work_named(work);
	int error = 0;

	if (!strcmp(work, "costs"))
		return say_costs();
	if (!w || !size || size > LARGEST || !repeat)
		return -EINVAL;
	for (struct subject *s = subjects; s->name && !error; s++) {
		error = open_subject(s);
		if (error)
			say_failure(s, error);
	}
	if (!error)
		error = measure(subjects, w);
	for (struct subject *s = subjects; s->name; s++)
		close_subject(s);
	return error;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("measures a socket family from inside the kernel, beside AF_UNIX");
MODULE_LICENSE("GPL");
