// SPDX-License-Identifier: GPL-2.0
/* What is done with a pair: the workloads of tests/bench that need no program. */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/string.h>

#include "native.h"

/* Sends by the one end, and takes what comes to `from` before it sends more. */
static int take_turns(struct pair *pair, struct socket *from, long ops)
{
	int error = 0;

	while (ops-- && !error) {
		error = send_message(pair->a, pair->out, pair->size);
		if (!error)
			error = recv_message(from, pair->in, pair->size);
	}
	return error;
}

/* One thread sends to itself. */
static int run_sr(struct pair *pair, long ops, u64 *ns)
{
	u64 start = ktime_get_ns();
	int error = take_turns(pair, pair->b, ops);

	*ns = ktime_get_ns() - start;
	return error;
}

/* The second thread. */
struct other {
	struct pair *pair;
	long ops;
	int error;
	int (*run)(struct other *other);
	struct completion ready, go, done;
};

static int other_thread(void *data)
{
	struct other *other = data;

	complete(&other->ready);
	wait_for_completion(&other->go);
	other->error = other->run(other);
	complete(&other->done);
	return 0;
}

static int send_all(struct other *other)
{
	struct pair *pair = other->pair;
	int error = 0;

	while (other->ops-- && !error)
		error = send_message(pair->a, pair->out, pair->size);
	return error;
}

static int echo_all(struct other *other)
{
	struct pair *pair = other->pair;
	int error = 0;

	while (other->ops-- && !error) {
		error = recv_message(pair->b, pair->echo, pair->size);
		if (!error)
			error = send_message(pair->b, pair->echo, pair->size);
	}
	return error;
}

static int receive_all(struct pair *pair, long ops)
{
	int error = 0;

	while (ops-- && !error)
		error = recv_message(pair->b, pair->in, pair->size);
	return error;
}

static int ask_all(struct pair *pair, long ops)
{
	return take_turns(pair, pair->a, ops);
}

static int with_other(struct pair *pair, long ops, u64 *ns, int (*theirs)(struct other *other),
		      int (*ours)(struct pair *pair, long ops))
{
	struct other other = { .pair = pair, .ops = ops, .run = theirs };
	struct task_struct *task;
	u64 start;
	int error;

	init_completion(&other.ready);
	init_completion(&other.go);
	init_completion(&other.done);
	task = kthread_run(other_thread, &other, "runix_bench");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wait_for_completion(&other.ready);
	start = ktime_get_ns();
	complete(&other.go);
	error = ours(pair, ops);
	*ns = ktime_get_ns() - start;
	/* If this end has failed, the other's time-out is what ends it. */
	wait_for_completion(&other.done);
	return error ? error : other.error;
}

static int run_pingpong(struct pair *pair, long ops, u64 *ns)
{
	return with_other(pair, ops, ns, echo_all, ask_all);
}

static int run_oneway(struct pair *pair, long ops, u64 *ns)
{
	return with_other(pair, ops, ns, send_all, receive_all);
}

static const struct work works[] = {
	{ "sr", run_sr },
	{ "pingpong", run_pingpong },
	{ "oneway", run_oneway },
};

const struct work *work_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		if (!strcmp(works[i].name, name))
			return &works[i];
	return NULL;
}
