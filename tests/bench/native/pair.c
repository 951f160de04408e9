// SPDX-License-Identifier: GPL-2.0
/* A pair of sockets, driven from inside the kernel in the same way for every family. */
#include <linux/module.h>
#include <linux/socket.h>
#include <linux/time_types.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "native.h"

/* Whoever waits for so long waits for nothing: the other end has failed. */
#define TIMEOUT_S	10

static int set_options(struct socket *sock, size_t size)
{
	struct __kernel_sock_timeval timeout = { .tv_sec = TIMEOUT_S };
	int bytes = 2 * size + 65536;
	int error;

	error = sock_setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO_NEW,
				KERNEL_SOCKPTR(&timeout), sizeof(timeout));
	if (!error)
		error = sock_setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO_NEW,
					KERNEL_SOCKPTR(&timeout), sizeof(timeout));
	/* The default buffers have no room for large messages. */
	if (!error && size > 65536)
		error = sock_setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE,
					KERNEL_SOCKPTR(&bytes), sizeof(bytes));
	return error;
}

/* As socketpair() does it, but for the files. */
int pair_open(struct pair *pair, int family, int type)
{
	int error;

	error = sock_create_kern(&init_net, family, type, 0, &pair->a);
	if (!error)
		error = sock_create_kern(&init_net, family, type, 0, &pair->b);
	if (!error)
		error = READ_ONCE(pair->a->ops)->socketpair(pair->a, pair->b);
	if (!error)
		error = set_options(pair->a, pair->size);
	if (!error)
		error = set_options(pair->b, pair->size);
	return error;
}

void pair_close(struct pair *pair)
{
	if (pair->a)
		sock_release(pair->a);
	if (pair->b)
		sock_release(pair->b);
	pair->a = NULL;
	pair->b = NULL;
}

/* What a call has returned must be `left`, or less if it is a stream's. */
static int judge(struct socket *sock, int done, size_t left)
{
	if (done < 0)
		return done;
	if (!done)
		return -EPIPE;
	return done == left || (sock->type == SOCK_STREAM && done < left) ? 0 : -EMSGSIZE;
}

/* A whole message, in as many calls as a stream may take for it. */
static __always_inline int whole(struct socket *sock, u8 *buf, size_t size, bool send)
{
	while (size) {
		struct msghdr msg = {};
		struct kvec vec = { buf, size };
		int done = send ? kernel_sendmsg(sock, &msg, &vec, 1, size) :
				  kernel_recvmsg(sock, &msg, &vec, 1, size, 0);
		int error = judge(sock, done, size);

		if (error)
			return error;
		buf += done;
		size -= done;
	}
	return 0;
}

int send_message(struct socket *sock, u8 *buf, size_t size)
{
	return whole(sock, buf, size, true);
}

int recv_message(struct socket *sock, u8 *buf, size_t size)
{
	return whole(sock, buf, size, false);
}
