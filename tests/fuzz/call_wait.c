// SPDX-License-Identifier: GPL-2.0
/* Calls that wait for events. */

#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "calls.h"

/* l */
void run_poll(struct exec *x, const struct call *c)
{
	struct pollfd list[8];
	const long *v = c->arg[0].v;
	int n = v[0] < 0 ? 0 : v[0] > 5 ? 5 : v[0];
	long ret;

	for (int i = 0; i < n; i++) {
		list[i].fd = fd_of(x, v[1 + 2 * i]);
		list[i].events = v[2 + 2 * i];
		list[i].revents = 0;
	}
	ret = SYS(poll, list, n, c->thread ? -1 : 0);
	say_result(x, ret);
	for (int i = 0; i < n && ret >= 0; i++) {
		if (x->side->wrong == WRONG_POLL)
			list[i].revents &= ~POLLRDHUP;
		say(x, " %#x", (unsigned short)list[i].revents);
	}
}

/* n */
void run_epoll_create(struct exec *x, const struct call *c)
{
	long fd = SYS(epoll_create1, 0);

	say_result(x, fd);
	if (fd >= 0)
		new_file(x, c->arg[0].v[0], fd);
}

/* E s e */
void run_epoll_ctl(struct exec *x, const struct call *c)
{
	struct epoll_event e = {
		.events = c->arg[2].v[1], .data.u32 = c->arg[1].v[0],
	};

	say_result(x, SYS(epoll_ctl, fd_of(x, c->arg[0].v[0]), (int)c->arg[2].v[0],
			  fd_of(x, c->arg[1].v[0]), &e));
}

static int by_data(const void *a, const void *b)
{
	const struct epoll_event *l = a, *r = b;

	if (l->data.u32 != r->data.u32)
		return l->data.u32 < r->data.u32 ? -1 : 1;
	return l->events < r->events ? -1 : l->events > r->events;
}

/* E: events come in no particular order */
void run_epoll_wait(struct exec *x, const struct call *c)
{
	struct epoll_event e[16];
	long ret = SYS(epoll_wait, fd_of(x, c->arg[0].v[0]), e, 16, c->thread ? -1 : 0);

	say_result(x, ret);
	if (ret > 0)
		qsort(e, ret, sizeof(e[0]), by_data);
	for (int i = 0; i < ret; i++)
		say(x, " s%d:%#x", (int)e[i].data.u32, e[i].events);
}
