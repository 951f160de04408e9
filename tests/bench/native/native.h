/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the driver share. Functions that return an int return 0 or a negative
 * error number; where bytes are not those that were sent, that is -EBADMSG.
 */
#ifndef _RUNIX_BENCH_NATIVE_H
#define _RUNIX_BENCH_NATIVE_H

#include <linux/net.h>
#include <linux/types.h>

/* What is measured: two sockets of a family, and the buffers of both ends. */
struct pair {
	struct socket *a, *b;
	size_t size;		/* of a message */
	u8 *out, *in;		/* of a message each */
	u8 *echo;		/* the other thread's */
};

int pair_open(struct pair *pair, int family, int type);
void pair_close(struct pair *pair);
/* A whole message, and not a byte less. */
int send_message(struct socket *sock, u8 *buf, size_t size);
int recv_message(struct socket *sock, u8 *buf, size_t size);

struct work {
	const char *name;
	/*
	 * Does it `ops` times; after that `in` holds what `out` does. *ns is the time it took,
	 * without what it takes to have a second thread.
	 */
	int (*run)(struct pair *pair, long ops, u64 *ns);
};

const struct work *work_named(const char *name);

/* Prints what some things cost in this kernel that both families are made of. */
int say_costs(void);

#endif
