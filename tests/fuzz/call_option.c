// SPDX-License-Identifier: GPL-2.0
/* Options, ioctl and fcntl. */

#include <fcntl.h>
#include <string.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "calls.h"
#include "runix.h"

/*
 * The kernel tells some options of AF_UNIX alone; AF_RUNIX tells them at a level of its
 * own, as AF_UNIX does at SOL_SOCKET.
 */
static void find_option(const struct exec *x, int *level, int *name)
{
	static const struct {
		int so, own;
	} options[] = {
		{ SO_PASSCRED, RUNIX_PASSCRED }, { SO_PASSSEC, RUNIX_PASSSEC },
		{ SO_PASSPIDFD, RUNIX_PASSPIDFD }, { SO_PASSRIGHTS, RUNIX_PASSRIGHTS },
		{ SO_PEERPIDFD, RUNIX_PEERPIDFD },
	};

	if (x->side->family == AF_UNIX || *level != SOL_SOCKET)
		return;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (options[i].so != *name)
			continue;
		*level = SOL_RUNIX;
		*name = options[i].own;
		return;
	}
}

/* s o x */
void run_setsockopt(struct exec *x, const struct call *c)
{
	const long *v = c->arg[2].v;
	int name = c->arg[1].v[OPT_NAME];
	int value[16] = { v[VAL_INT], v[VAL_INT2] };
	void *p;
	long ret;

	/* Seconds and microseconds. */
	if (name == SO_RCVTIMEO || name == SO_SNDTIMEO) {
		const long time[2] = { v[VAL_INT], v[VAL_INT2] };

		memcpy(value, time, sizeof(time));
	}
	p = memory_put(x->mem, v[VAL_PLACE], v[VAL_EDGE], value, sizeof(value));
	ret = SYS(setsockopt, fd_of(x, c->arg[0].v[0]), (int)c->arg[1].v[OPT_LEVEL],
		  name, p, (int)v[VAL_LEN]);
	say_result(x, ret);
}

/* s o X */
void run_getsockopt(struct exec *x, const struct call *c)
{
	struct out o = out_of(x, &c->arg[2]);
	int level = c->arg[1].v[OPT_LEVEL], name = c->arg[1].v[OPT_NAME];
	int at = level, as = name;
	size_t len;
	long ret;

	find_option(x, &at, &as);
	ret = SYS(getsockopt, fd_of(x, c->arg[0].v[0]), at, as, o.p, o.len);
	say_result(x, ret);
	if (c->arg[2].v[OUT_PLACE] > PL_EDGE)
		return;
	if (ret < 0 || c->arg[2].v[OUT_LEN_PLACE] != PL_GOOD) {
		memory_mend(o.p, o.real);
		if (ret != -EFAULT && c->arg[2].v[OUT_LEN_PLACE] == PL_GOOD &&
		    *o.len != (int)c->arg[2].v[OUT_LEN])
			say(x, " len now %d", *o.len);
		return;
	}
	if (level == SOL_SOCKET && name == SO_PEERNAME) {
		say_name(x, o.p, *o.len, o.real);
		return;
	}
	len = *o.len < 0 ? 0 : (size_t)*o.len < o.real ? (size_t)*o.len : o.real;
	say(x, " len %d", *o.len);
	for (size_t i = 0; i < len; i += 4) {
		int value = 0;

		memcpy(&value, o.p + i, len - i < 4 ? len - i : 4);
		if (x->side->wrong == WRONG_OPTION && name == SO_TYPE && value != SOCK_STREAM)
			value++;
		say(x, " %ld", option_value(x, level, name, i / 4, value));
	}
	say_rest(x, o.p, len, o.real);
}

/* s K: a socket filter that keeps so many bytes of each message */
void run_filter(struct exec *x, const struct call *c)
{
	struct sock_filter keep = BPF_STMT(BPF_RET | BPF_K, c->arg[1].v[0]);
	struct sock_fprog program = { .len = 1, .filter = &keep };

	say_result(x, SYS(setsockopt, fd_of(x, c->arg[0].v[0]), SOL_SOCKET, SO_ATTACH_FILTER,
			  &program, sizeof(program)));
}

/* s i */
void run_ioctl(struct exec *x, const struct call *c)
{
	const long *v = c->arg[1].v;
	unsigned long cmd = v[0];
	/* As large as what any of them writes. */
	long value[32] = { v[1] };
	int *p = memory_put(x->mem, v[2], v[3], value, sizeof(value));
	long ret;

	if (cmd == FIOSETOWN || cmd == SIOCSPGRP)
		if (v[2] == PL_GOOD)
			*p = v[1] ? x->pid : 0;
	ret = SYS(ioctl, fd_of(x, c->arg[0].v[0]), cmd, p);
	say_result(x, ret);
	if (ret < 0 || v[2] != PL_GOOD)
		return;
	switch (cmd) {
	case FIONREAD:
	case SIOCOUTQ:
	case SIOCATMARK:
		say(x, " %ld", ioctl_value(x->program, cmd, *p));
		break;
	case FIOGETOWN:
	case SIOCGPGRP:
		say(x, " ");
		say_pid(x, *p);
		break;
	}
	/* SIOCUNIXFILE's descriptor stays open, and shows in the numbers of the next ones. */
}

/* s f */
void run_fcntl(struct exec *x, const struct call *c)
{
	int cmd = c->arg[1].v[0];
	long value = c->arg[1].v[1];
	long ret;

	if (cmd == F_SETOWN && value == 1)
		value = x->pid;
	ret = SYS(fcntl, fd_of(x, c->arg[0].v[0]), cmd, value);
	if (cmd == F_GETOWN && ret == x->pid) {
		say(x, "= self");
		return;
	}
	say_result(x, ret);
}
