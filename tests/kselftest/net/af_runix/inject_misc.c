// SPDX-License-Identifier: GPL-2.0
/* Faults in options, listings, sock_diag, filters, polling and io control. */

#include "inject.h"
#include "diag.h"

#include <linux/filter.h>
#include <linux/sockios.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD	77
#endif

EVERY_FIXTURE(inject_misc);

static long run_get_options(struct scene *s)
{
	static const int options[] = { SO_PEERCRED, SO_PEERGROUPS, SO_PEERSEC, SO_ERROR,
				       SO_SNDBUF, SO_TYPE, SO_DOMAIN, SO_ACCEPTCONN };
	char val[512];

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		socklen_t len = sizeof(val);

		if (getsockopt(s->fd[0], SOL_SOCKET, options[i], val, &len) &&
		    errno != ENOPROTOOPT && errno != ENODATA)
			return -1;
	}
	return 0;
}

static long run_set_options(struct scene *s)
{
	int one = 1, val = 30000;
	struct timeval tv = { 1, 0 };

	return setsockopt(s->fd[0], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) ?:
	       setsockopt(s->fd[1], SOL_SOCKET, SO_SNDBUF, &val, sizeof(val)) ?:
	       setsockopt(s->fd[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) ?:
	       setsockopt(s->fd[1], SOL_SOCKET, SO_TIMESTAMP, &one, sizeof(one));
}

static long run_pidfd(struct scene *s)
{
	socklen_t len = sizeof(s->made);

	if (getsockopt(s->fd[0], SOL_SOCKET, SO_PEERPIDFD, &s->made, &len)) {
		s->made = -1;
		return -1;
	}
	return 0;
}

/* To attach a filter is a matter of the socket layer; its failures fill the log. */
static void with_filter(struct scene *s)
{
	struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, 0xffff) };
	struct sock_fprog prog = { 1, all };

	setsockopt(s->fd[1], SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

static long run_filtered(struct scene *s)
{
	memset(s->buf, 'f', 5000);
	return send(s->fd[0], s->buf, 5000, MSG_DONTWAIT);
}

/* A packet that the filter had no memory for is not there, or whole. */
static const char *after_filtered(struct scene *s, long ret)
{
	long got = rc(recv(s->fd[1], s->buf, MOST_BYTES, MSG_DONTWAIT));

	return got == 5000 || (ret < 0 && got == -EAGAIN) ? NULL : "the packet is lost";
}

static long run_ioctls(struct scene *s)
{
	int n;

	return ioctl(s->fd[0], FIONREAD, &n) ?: ioctl(s->fd[0], SIOCOUTQ, &n);
}

static void with_path(struct scene *s)
{
	struct name n = path_name(s->family, "o");

	unlink("o");
	s->other[0] = bound(s->family, s->type, &n);
}

/* SIOCUNIXFILE: the socket's file, as an O_PATH descriptor. */
static long run_file(struct scene *s)
{
	return s->made = ioctl(s->other[0], SIOCPROTOPRIVATE, 0);
}

static long run_epoll(struct scene *s)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT };

	s->made = epoll_create1(0);
	if (s->made < 0 || epoll_ctl(s->made, EPOLL_CTL_ADD, s->fd[0], &ev))
		return -1;
	return epoll_wait(s->made, &ev, 1, 0) < 0 ? -1 : 0;
}

static long run_listing(struct scene *s)
{
	char got[4096];
	long ret;

	s->made = open(s->family == AF_UNIX ? "/proc/net/unix" : "/proc/net/runix", O_RDONLY);
	if (s->made < 0)
		return -1;
	while ((ret = read(s->made, got, sizeof(got))) > 0)
		;
	return ret;
}

static const struct action actions[] = {
	{ "getsockopt", .run = run_get_options, .streams = true, .packets = true },
	{ "setsockopt", .run = run_set_options, .streams = true, .packets = true },
	{ "SO_PEERPIDFD", .run = run_pidfd, .streams = true, .packets = true },
	{ "send through a filter", .before = with_filter, .run = run_filtered,
	  .after = after_filtered, .packets = true },
	{ "ioctl", .run = run_ioctls, .streams = true, .packets = true },
	{ "SIOCUNIXFILE", .before = with_path, .run = run_file, .streams = true },
	{ "epoll", .run = run_epoll, .streams = true, .packets = true },
	{ "/proc/net", .before = with_path, .run = run_listing, .streams = true,
	  .packets = true },
};

TEST_F(inject_misc, calls)
{
	EACH_ACTION(actions, self->type);
}

/* All sockets are asked for; the answer breaks off at an error, and is then asked anew. */
static long run_dump(struct scene *s)
{
	struct request r = diag_request(s->family, NLM_F_DUMP);
	static char got[32768];
	long ret;

	r.req.udiag_states = ALL_STATES;
	r.req.udiag_show = SHOW_ALL;
	s->made = diag_socket();
	if (s->made < 0) {
		errno = -s->made;
		s->made = -1;
		return -1;
	}
	if (send(s->made, &r, sizeof(r), 0) < 0)
		return -1;
	do {
		struct nlmsghdr *h = (void *)got;

		ret = recv(s->made, got, sizeof(got), MSG_DONTWAIT);
		if (ret < 0)
			return errno == EAGAIN ? 0 : -1;
		if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE)
			break;
	} while (ret > 0);
	return 0;
}

static const struct action dump[] = {
	{ "sock_diag, all", .before = with_path, .run = run_dump, .streams = true },
};

TEST_F(inject_misc, diag)
{
	if (self->type != SOCK_STREAM)
		SKIP(return, "the same for all types");
	EACH_ACTION(dump, self->type);
}

TEST_HARNESS_MAIN
