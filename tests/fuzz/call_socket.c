// SPDX-License-Identifier: GPL-2.0
/* Calls that make, name, connect and end sockets. */

#include <sys/socket.h>

#include "calls.h"

static int protocol_of(struct exec *x, const struct arg *a)
{
	return a->v[0] == -1 ? x->side->family : a->v[0];
}

/* n t p */
void run_socket(struct exec *x, const struct call *c)
{
	long fd = SYS(socket, x->side->family, (int)(c->arg[1].v[0] | c->arg[1].v[1]),
		      protocol_of(x, &c->arg[2]));

	say_result(x, fd);
	if (fd >= 0)
		new_socket(x, c->arg[0].v[0], fd);
}

/* n n t p */
void run_socketpair(struct exec *x, const struct call *c)
{
	int fd[2] = { -1, -1 };
	long ret = SYS(socketpair, x->side->family, (int)(c->arg[2].v[0] | c->arg[2].v[1]),
		       protocol_of(x, &c->arg[3]), fd);

	say_result(x, ret);
	if (ret)
		return;
	say(x, " %d %d", fd[0], fd[1]);
	new_socket(x, c->arg[0].v[0], fd[0]);
	new_socket(x, c->arg[1].v[0], fd[1]);
}

/* s a */
void run_bind(struct exec *x, const struct call *c)
{
	struct address a = address_of(x, &c->arg[1]);

	say_result(x, SYS(bind, fd_of(x, c->arg[0].v[0]), a.p, a.len));
}

/* s a */
void run_connect(struct exec *x, const struct call *c)
{
	struct address a = address_of(x, &c->arg[1]);
	long ret = SYS(connect, fd_of(x, c->arg[0].v[0]), a.p, a.len);

	if (x->side->wrong == WRONG_ERRNO && ret == -ECONNREFUSED)
		ret = -ENOENT;
	say_result(x, ret);
}

/* s k */
void run_listen(struct exec *x, const struct call *c)
{
	say_result(x, SYS(listen, fd_of(x, c->arg[0].v[0]), (int)c->arg[1].v[0]));
}

/* n s A g */
void run_accept(struct exec *x, const struct call *c)
{
	struct out o = out_of(x, &c->arg[2]);
	long fd = SYS(accept4, fd_of(x, c->arg[1].v[0]), o.p, o.len, (int)c->arg[3].v[0]);

	if (x->side->wrong == WRONG_NAME && fd >= 0 && c->arg[2].v[OUT_LEN_PLACE] == PL_GOOD)
		++*o.len;
	say_result(x, fd);
	say_out_name(x, fd, &o, &c->arg[2]);
	if (fd >= 0)
		new_socket(x, c->arg[0].v[0], fd);
}

/* s A */
void run_getsockname(struct exec *x, const struct call *c)
{
	struct out o = out_of(x, &c->arg[1]);
	long ret = SYS(getsockname, fd_of(x, c->arg[0].v[0]), o.p, o.len);

	say_result(x, ret);
	say_out_name(x, ret, &o, &c->arg[1]);
}

/* s A */
void run_getpeername(struct exec *x, const struct call *c)
{
	struct out o = out_of(x, &c->arg[1]);
	long ret = SYS(getpeername, fd_of(x, c->arg[0].v[0]), o.p, o.len);

	say_result(x, ret);
	say_out_name(x, ret, &o, &c->arg[1]);
}

/* s h */
void run_shutdown(struct exec *x, const struct call *c)
{
	say_result(x, SYS(shutdown, fd_of(x, c->arg[0].v[0]), (int)c->arg[1].v[0]));
}

/* s */
void run_close(struct exec *x, const struct call *c)
{
	long slot = c->arg[0].v[0];

	say_result(x, SYS(close, fd_of(x, slot)));
	if (slot >= 0 && slot < SLOTS)
		x->fd[slot] = -1;
}

/* n s */
void run_dup(struct exec *x, const struct call *c)
{
	long fd = SYS(dup, fd_of(x, c->arg[1].v[0]));

	say_result(x, fd);
	if (fd >= 0)
		new_file(x, c->arg[0].v[0], fd);
}
