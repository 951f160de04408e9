// SPDX-License-Identifier: GPL-2.0
/*
 * The differences that are none: everything in which AF_RUNIX need not answer as AF_UNIX
 * does, each with its reason. What is not in this file is a finding.
 */

#include <string.h>
#include <unistd.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "fuzz.h"

#define SO_PASSPIDFD_	76
#define SO_PASSRIGHTS_	83
#define SO_RIGHTS_NOTRUNC_	85

/* --- 1. Not called at all ------------------------------------------------------- */

struct features features;

/*
 * Ancillary data, out-of-band data and some options are compared as soon as the family
 * has them; this finds out. (Until then no program uses them, and the report says so.)
 */
void probe_features(int family)
{
	char control[CMSG_SPACE(sizeof(struct ucred))] __attribute__((aligned(8))) = {};
	struct cmsghdr *c = (void *)control;
	struct iovec iov = { "x", 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = CMSG_SPACE(sizeof(int)),
	};
	struct ucred cred = { getpid(), geteuid(), getegid() };
	int fd[2], on = 1;

	memset(&features, 0, sizeof(features));
	if (socketpair(family, SOCK_STREAM | SOCK_NONBLOCK, 0, fd))
		return;
	features.oob = send(fd[0], "o", 1, MSG_OOB) == 1;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd[0], sizeof(int));
	features.rights = sendmsg(fd[1], &m, 0) == 1;
	c->cmsg_type = SCM_CREDENTIALS;
	c->cmsg_len = CMSG_LEN(sizeof(cred));
	memcpy(CMSG_DATA(c), &cred, sizeof(cred));
	m.msg_controllen = sizeof(control);
	features.creds = sendmsg(fd[1], &m, 0) == 1;
	features.pass = !setsockopt(fd[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	features.pidfd = !setsockopt(fd[0], SOL_SOCKET, SO_PASSPIDFD_, &on, sizeof(on));
	features.label = !setsockopt(fd[0], SOL_SOCKET, SO_PASSSEC, &on, sizeof(on));
	features.notrunc = !setsockopt(fd[0], SOL_SOCKET, SO_RIGHTS_NOTRUNC_, &on, sizeof(on));
	close(fd[0]);
	close(fd[1]);
}

static bool is_option(const struct call *c, int name)
{
	return strstr(ops[c->op].name, "sockopt") && c->arg[1].v[OPT_LEVEL] == SOL_SOCKET &&
	       c->arg[1].v[OPT_NAME] == name;
}

/* Whether memory of some kinds of arguments is bad, and how much of it there is. */
static bool bad_memory(const struct call *c, const char *kinds, long *total)
{
	const char *sig = ops[c->op].sig;
	bool bad = false;

	*total = 0;
	for (int i = 0; sig[i]; i++) {
		const long *v = c->arg[i].v;

		if (sig[i] == kinds[0]) {
			*total += v[BUF_LEN];
			bad |= v[BUF_PLACE] != PL_GOOD;
		}
		if (sig[i] != kinds[1])
			continue;
		for (int j = 0; j < IOV_MAX_PARTS && j < v[IOV_COUNT]; j++) {
			*total += v[IOV_PARTS + 3 * j + BUF_LEN];
			bad |= v[IOV_PARTS + 3 * j + BUF_PLACE] != PL_GOOD;
		}
	}
	return bad;
}

/* The type of the socket in a slot when the program has come to call @at; 0: not known. */
static int type_of(const struct program *p, int at, long slot)
{
	while (--at >= 0) {
		const struct call *c = &p->call[at];
		const char *name = ops[c->op].name;

		if (!strcmp(name, "socketpair") && (c->arg[0].v[0] == slot || c->arg[1].v[0] == slot))
			return c->arg[2].v[0];
		if (ops[c->op].sig[0] != 'n' || c->arg[0].v[0] != slot)
			continue;
		if (!strcmp(name, "socket"))
			return c->arg[1].v[0];
		if (!strcmp(name, "accept4") || !strcmp(name, "dup"))
			slot = c->arg[1].v[0];
		else if (strcmp(name, "recvmsg"))
			return 0;
	}
	return 0;
}

static bool may_be_stream(const struct program *p, const struct call *c)
{
	const char *at = strchr(ops[c->op].sig, 's');
	int type = at ? type_of(p, c - p->call, c->arg[at - ops[c->op].sig].v[0]) : 0;

	return type == 0 || type == SOCK_STREAM;
}

static bool sends_files(const struct call *c)
{
	const char *at = strchr(ops[c->op].sig, 'c');

	for (int i = 0; at && i < CTL_PARTS_MAX; i++)
		if (c->arg[at - ops[c->op].sig].v[CTL_PARTS + 4 * i] == CT_RIGHTS)
			return true;
	return false;
}

bool call_excluded(const struct program *p, const struct call *c)
{
	long total;

	/*
	 * How much fits into a buffer of a given size, and when it is full enough not to
	 * be writable, follows from how memory is counted, down to the kernel's structures.
	 * So buffers stay so large, and programs send so little, that it doesn't show. (The
	 * exact limits that programs can rely on, of packets and their number, are tried.)
	 */
	if ((is_option(c, SO_SNDBUF) || is_option(c, SO_SNDBUFFORCE)) && !strcmp(ops[c->op].name, "setsockopt")) {
		if (p->flavour & FL_BIG)
			return true;
		/* Below zero means without limit for the one, and nothing for the other. */
		if (c->arg[2].v[VAL_INT] < 100000)
			return c->arg[2].v[VAL_INT] >= 0 || is_option(c, SO_SNDBUFFORCE);
	}
	/* In programs with threads all that happens shall have been caused by a call. */
	if (p->flavour & FL_THREADS && (is_option(c, SO_RCVTIMEO) || is_option(c, SO_SNDTIMEO)) &&
	    c->arg[2].v[VAL_INT] == 0 && c->arg[2].v[VAL_INT2] > 0)
		return true;
	/* AppArmor labels the two ends of a pair of AF_UNIX sockets alone. */
	if (is_option(c, SO_PEERSEC))
		return true;
	/*
	 * AF_UNIX allocates what a packet is sent in before it knows whether it can be sent;
	 * giving it back counts as new room, and so as an edge. Here only room that somebody
	 * waits for is one. (Edges of input are compared.)
	 */
	if (!strcmp(ops[c->op].name, "epoll_ctl") && c->arg[2].v[1] & EPOLLET &&
	    c->arg[2].v[1] & (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND))
		return true;
	/* Files go with the first piece of a write to a stream, and reads stop behind it. */
	bad_memory(c, "bv", &total);
	if (sends_files(c) && total > 32768 && may_be_stream(p, c))
		return true;
	if (is_option(c, SO_PASSCRED) || is_option(c, SO_PASSRIGHTS_))
		return !features.pass;
	if (is_option(c, SO_PASSPIDFD_))
		return !features.pidfd;
	if (is_option(c, SO_PASSSEC))
		return !features.label;
	if (is_option(c, SO_RIGHTS_NOTRUNC_))
		return !features.notrunc;
	return false;
}

/* --- 2. Told in words that don't depend on the family ---------------------------- */

long option_value(const struct exec *x, int level, int name, size_t word, long value)
{
	if (level != SOL_SOCKET)
		return value;
	switch (name) {
	case SO_DOMAIN:
	case SO_PROTOCOL:
		/* The family's own number. */
		return value == x->side->family ? -1 : value;
	case SO_COOKIE:
	case SO_NETNS_COOKIE:
		/* Every socket and every namespace has its own. */
		return 0;
	case SO_INCOMING_CPU:
		/* Where the scheduler put the program. */
		return 0;
	case SO_PEERCRED:
		/* Process, user, group. The process is another one in each run. */
		return word == 0 && value == x->pid ? -1 : value;
	case 77: /* SO_PEERPIDFD: a descriptor */
		return value;
	case SO_MEMINFO:
		/*
		 * What is queued is counted in ways of the family's own. The buffers'
		 * sizes (1, 3), the backlog (7) and the drops (8) are the same.
		 */
		return word == 1 || word == 3 || word == 7 || word == 8 ? value : 0;
	}
	return value;
}

static bool sends_urgent(const struct program *p)
{
	for (int i = 0; i < p->n; i++) {
		const char *at = strchr(ops[p->call[i].op].sig, 'm');

		if (at && p->call[i].arg[at - ops[p->call[i].op].sig].v[0] & MSG_OOB)
			return true;
	}
	return false;
}

long inq_value(const struct program *p, long value)
{
	/* AF_UNIX goes on to count an out-of-band byte that a read has passed over. */
	return sends_urgent(p) ? 0 : value;
}

long ioctl_value(const struct program *p, unsigned long cmd, long value)
{
	/* The memory of what the peer has not read: zero or not. */
	if (cmd == SIOCOUTQ)
		return !!value;
	return cmd == FIONREAD ? inq_value(p, value) : value;
}

/* --- 3. Allowed where they turn up ------------------------------------------------ */

/* An error for bad memory, or a number of bytes. */
static bool count_or_fault(const char *outcome)
{
	return !strncmp(outcome, "= -1 EFAULT", 11) || (outcome[2] >= '0' && outcome[2] <= '9');
}

/*
 * A write to a stream that meets a bad address sends the whole pieces before it. The
 * pieces of the two families have other sizes, but none of either is smaller than 32 KiB.
 */
static bool faulted_piece(const struct program *p, const struct call *c, const char *left,
			  const char *right)
{
	long total;

	return bad_memory(c, "bv", &total) && total > 32768 && may_be_stream(p, c) &&
	       count_or_fault(left) && count_or_fault(right);
}

/*
 * A stream has no boundaries here: a read into bad memory gets what was copied before
 * it, or nothing. AF_UNIX does the same for each of the writes that are in the queue.
 */
static bool faulted_read(const struct program *p, const struct call *c, const char *left,
			  const char *right)
{
	long total;

	return bad_memory(c, "BV", &total) && may_be_stream(p, c) && count_or_fault(left) &&
	       count_or_fault(right);
}

bool difference_allowed(const struct program *p, const struct call *c, const char *left,
			const char *right)
{
	return faulted_piece(p, c, left, right) || faulted_read(p, c, left, right);
}
