// SPDX-License-Identifier: GPL-2.0
/* Arguments of particular calls: flags, control messages, options, paths, events. */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "args.h"

/* --- messages ------------------------------------------------------------- */

static const struct name msg_flags[] = {
	N(MSG_OOB), N(MSG_PEEK), N(MSG_DONTROUTE), N(MSG_CTRUNC), N(MSG_PROXY), N(MSG_TRUNC),
	N(MSG_DONTWAIT), N(MSG_EOR), N(MSG_WAITALL), N(MSG_FIN), N(MSG_SYN), N(MSG_CONFIRM),
	N(MSG_RST), N(MSG_ERRQUEUE), N(MSG_NOSIGNAL), N(MSG_MORE), N(MSG_WAITFORONE),
	N(MSG_BATCH), N(MSG_ZEROCOPY), N(MSG_FASTOPEN), N(MSG_CMSG_CLOEXEC),
};

static unsigned int urgent_percent(const struct gen *g)
{
	return g->flavour & FL_URGENT ? 35 : 2;
}

static void gen_send_flags(struct gen *g, struct arg *a)
{
	static const int rare[] = {
		MSG_EOR, MSG_MORE, MSG_DONTROUTE, MSG_CONFIRM, MSG_TRUNC, MSG_PEEK, MSG_WAITALL,
		MSG_ZEROCOPY, MSG_FASTOPEN, MSG_ERRQUEUE, MSG_CTRUNC, MSG_BATCH, MSG_FIN,
	};

	if (rng_percent(&g->rng, 30))
		a->v[0] |= MSG_DONTWAIT;
	if (rng_percent(&g->rng, 30))
		a->v[0] |= MSG_NOSIGNAL;
	if (features.oob && rng_percent(&g->rng, urgent_percent(g)))
		a->v[0] |= MSG_OOB;
	if (rng_percent(&g->rng, 6))
		a->v[0] |= PICK(g, rare);
}

static void gen_recv_flags(struct gen *g, struct arg *a)
{
	static const int rare[] = {
		MSG_ERRQUEUE, MSG_CTRUNC, MSG_EOR, MSG_NOSIGNAL, MSG_CMSG_CLOEXEC, MSG_DONTROUTE,
		MSG_WAITFORONE, MSG_FIN, MSG_MORE, MSG_ZEROCOPY,
	};

	if (rng_percent(&g->rng, 30))
		a->v[0] |= MSG_DONTWAIT;
	if (rng_percent(&g->rng, 25))
		a->v[0] |= MSG_PEEK;
	if (rng_percent(&g->rng, 15))
		a->v[0] |= MSG_TRUNC;
	if (rng_percent(&g->rng, 10))
		a->v[0] |= MSG_WAITALL;
	if (features.oob && rng_percent(&g->rng, urgent_percent(g)))
		a->v[0] |= MSG_OOB;
	if (rng_percent(&g->rng, 5))
		a->v[0] |= PICK(g, rare);
}

static void print_msg_flags(char *out, size_t size, const struct arg *a)
{
	ADD_FLAGS(out, size, msg_flags, a->v[0]);
}

static void gen_control(struct gen *g, struct arg *a)
{
	int n = 0;

	if (rng_percent(&g->rng, 25))
		n = rng_percent(&g->rng, 75) ? 1 : 1 + rng_below(&g->rng, CTL_PARTS_MAX);
	for (int i = 0; i < n; i++) {
		long *part = &a->v[CTL_PARTS + 4 * i];
		unsigned int r = rng_below(&g->rng, 100);

		if (r < 55 && features.rights) {
			part[0] = CT_RIGHTS;
			/* Up to two descriptors. */
			part[1] = rng_percent(&g->rng, 95) ? pick_slot(g, is_used) : -1;
			part[2] = rng_percent(&g->rng, 30) ? pick_slot(g, is_used) : -2;
		} else if (r < 75 && features.creds) {
			part[0] = CT_CREDS;
			/* Somebody else's process, user, group. */
			if (rng_percent(&g->rng, 25))
				part[1] = 1 + rng_below(&g->rng, 7);
		} else if (r < 90) {
			part[0] = CT_OTHER_LEVEL + rng_below(&g->rng, 4);
		}
	}
	if (n)
		gen_place(g, a, CTL_PLACE, CTL_CUT, 16, 3);
	if (n && a->v[CTL_PLACE] == PL_GOOD && rng_percent(&g->rng, 3))
		a->v[CTL_CUT] = 1 + rng_below(&g->rng, 20);
}

static void print_control(char *out, size_t size, const struct arg *a)
{
	static const char *const shapes[] = {
		"", "SCM_RIGHTS", "SCM_CREDENTIALS", "other level", "unknown type", "len 15", "len 1000",
	};

	add(out, size, "control ");
	add_place(out, size, "", a->v[CTL_PLACE], a->v[CTL_CUT]);
	add(out, size, "{");
	for (int i = 0; i < CTL_PARTS_MAX; i++) {
		const long *part = &a->v[CTL_PARTS + 4 * i];

		if (!part[0])
			continue;
		add(out, size, " %s", shapes[part[0]]);
		if (part[0] == CT_RIGHTS) {
			add(out, size, " s%ld", part[1]);
			if (part[2] != -2)
				add(out, size, " s%ld", part[2]);
		} else if (part[0] == CT_CREDS && part[1]) {
			add(out, size, "%s%s%s", part[1] & 1 ? " other pid" : "",
			    part[1] & 2 ? " other uid" : "", part[1] & 4 ? " other gid" : "");
		}
	}
	add(out, size, "}");
	if (a->v[CTL_PLACE] == PL_GOOD && a->v[CTL_CUT])
		add(out, size, " less %ld bytes", a->v[CTL_CUT]);
}

static void gen_control_room(struct gen *g, struct arg *a)
{
	static const int lens[] = { 16, 17, 19, 20, 24, 28, 32, 48, 12, 8, 0x7fffffff };

	if (rng_percent(&g->rng, 60))
		a->v[BUF_LEN] = 256;
	else if (rng_percent(&g->rng, 40))
		a->v[BUF_LEN] = PICK(g, lens);
	if (a->v[BUF_LEN])
		gen_place(g, a, BUF_PLACE, BUF_EDGE, 20, 3);
}

/* --- options -------------------------------------------------------------- */

static const struct name so_names[] = {
	N(SO_DEBUG), N(SO_REUSEADDR), N(SO_TYPE), N(SO_ERROR), N(SO_DONTROUTE), N(SO_BROADCAST),
	N(SO_SNDBUF), N(SO_RCVBUF), N(SO_KEEPALIVE), N(SO_OOBINLINE), N(SO_PRIORITY), N(SO_LINGER),
	N(SO_REUSEPORT), N(SO_PASSCRED), N(SO_PEERCRED), N(SO_RCVLOWAT), N(SO_SNDLOWAT),
	N(SO_RCVTIMEO), N(SO_SNDTIMEO), N(SO_ACCEPTCONN), N(SO_PEERSEC), N(SO_PASSSEC),
	N(SO_TIMESTAMP), N(SO_TIMESTAMPNS), N(SO_TIMESTAMPING), N(SO_MARK), N(SO_PROTOCOL), N(SO_DOMAIN),
	N(SO_PEEK_OFF), N(SO_PEERGROUPS), N(SO_ZEROCOPY), N(SO_COOKIE), N(SO_MEMINFO),
	N(SO_SNDBUFFORCE), N(SO_RCVBUFFORCE), N(SO_BINDTODEVICE), N(SO_ATTACH_FILTER),
	N(SO_DETACH_FILTER), N(SO_LOCK_FILTER), N(SO_RXQ_OVFL), N(SO_SELECT_ERR_QUEUE), N(SO_BUSY_POLL),
	N(SO_MAX_PACING_RATE), N(SO_INCOMING_CPU), N(SO_TXTIME), N(SO_NETNS_COOKIE),
	{ 70, "SO_PREFER_BUSY_POLL" }, { 72, "SO_BUF_LOCK" }, { 73, "SO_RESERVE_MEM" },
	{ 76, "SO_PASSPIDFD" }, { 77, "SO_PEERPIDFD" }, { 83, "SO_PASSRIGHTS" }, { 84, "SO_INQ" },
	{ 85, "SO_RIGHTS_NOTRUNC" },
};

static void gen_option(struct gen *g, struct arg *a)
{
	static const int often[] = {
		SO_ERROR, SO_RCVLOWAT, SO_PEEK_OFF, SO_PEEK_OFF, SO_SNDBUF, SO_RCVBUF, SO_RCVTIMEO,
		SO_SNDTIMEO, SO_TYPE, SO_ACCEPTCONN, SO_PEERCRED, SO_TIMESTAMP, SO_TIMESTAMPNS, 84,
		SO_LINGER, SO_OOBINLINE, SO_PASSCRED, SO_PASSCRED, 76, 76, 77, 83, 85, SO_PASSSEC,
		SO_RXQ_OVFL,
	};
	static const int levels[] = { 0, 6, 41, 2, 300, -1 };
	unsigned int r = rng_below(&g->rng, 100);

	a->v[OPT_LEVEL] = SOL_SOCKET;
	if (r < 55)
		a->v[OPT_NAME] = PICK(g, often);
	else if (r < 90)
		a->v[OPT_NAME] = PICK(g, so_names).value;
	else
		a->v[OPT_NAME] = (int)rng_below(&g->rng, 95) - 1;
	if (g->flavour & FL_URGENT && rng_percent(&g->rng, 30))
		a->v[OPT_NAME] = SO_OOBINLINE;
	if (rng_percent(&g->rng, 4))
		a->v[OPT_LEVEL] = PICK(g, levels);
}

static void print_option(char *out, size_t size, const struct arg *a)
{
	static const struct name level_names[] = { N(SOL_SOCKET) };

	ADD_NAME(out, size, level_names, a->v[OPT_LEVEL]);
	add(out, size, ", ");
	ADD_NAME(out, size, so_names, a->v[OPT_NAME]);
}

static void gen_value(struct gen *g, struct arg *a)
{
	static const int values[] = { 0, 1, 1, 2, 3, 5, 10, 100, -1, -2, 4096, 0x7fffffff };
	static const int lens[] = { 0, 1, 2, 3, 8, 12, 16, 64, -1, 0x7fffffff };

	a->v[VAL_INT] = PICK(g, values);
	a->v[VAL_INT2] = PICK(g, values);
	a->v[VAL_LEN] = 4;
	if (rng_percent(&g->rng, 30))
		a->v[VAL_LEN] = rng_percent(&g->rng, 50) ? 16 : PICK(g, lens);
	gen_place(g, a, VAL_PLACE, VAL_EDGE, 4, 3);
}

static void print_value(char *out, size_t size, const struct arg *a)
{
	char text[64];

	snprintf(text, sizeof(text), "{%ld, %ld}", a->v[VAL_INT], a->v[VAL_INT2]);
	add_place(out, size, text, a->v[VAL_PLACE], a->v[VAL_EDGE]);
	add(out, size, ", %ld", a->v[VAL_LEN]);
}

static void gen_value_out(struct gen *g, struct arg *a)
{
	static const int lens[] = { 0, 1, 2, 3, 5, 8, 12, 16, 36, 64, -1, 0x7fffffff };

	a->v[OUT_LEN] = rng_percent(&g->rng, 70) ? 4 : PICK(g, lens);
	gen_place(g, a, OUT_PLACE, OUT_EDGE, 4, 3);
	if (rng_percent(&g->rng, 2))
		a->v[OUT_LEN_PLACE] = PL_EDGE + rng_below(&g->rng, PL_KERNEL);
}

/* --- ioctl and fcntl ------------------------------------------------------ */

static const struct name ioctls[] = {
	N(FIONREAD), N(SIOCOUTQ), N(FIONBIO), N(FIOASYNC), N(SIOCATMARK), { 0x89e0, "SIOCUNIXFILE" },
	N(FIOSETOWN), N(FIOGETOWN), N(SIOCSPGRP), N(SIOCGPGRP), { 0x8906, "SIOCGSTAMP" },
	{ 0x8907, "SIOCGSTAMPNS" }, N(FIOCLEX), N(FIONCLEX), N(SIOCGIFNAME), N(SIOCGIFCONF),
	N(TCGETS), N(FIOQSIZE), { 0x89f0, "SIOCDEVPRIVATE" },
};

static void gen_ioctl(struct gen *g, struct arg *a)
{
	static const int often[] = { FIONREAD, SIOCOUTQ, FIOASYNC, FIONREAD, SIOCATMARK, 0x89e0, FIONBIO };

	a->v[0] = rng_percent(&g->rng, 75) ? PICK(g, often) : PICK(g, ioctls).value;
	if (rng_percent(&g->rng, 1))
		a->v[0] = 0x8900 + rng_below(&g->rng, 256);
	if (g->flavour & FL_URGENT && rng_percent(&g->rng, 50))
		a->v[0] = SIOCATMARK;
	/* The value that goes in. */
	a->v[1] = rng_percent(&g->rng, 50);
	if (a->v[0] == FIONBIO && !(g->flavour & (FL_BLOCK | FL_THREADS)))
		a->v[1] = 1;
	gen_place(g, a, 2, 3, 4, 3);
}

static void print_ioctl(char *out, size_t size, const struct arg *a)
{
	char text[32];

	ADD_NAME(out, size, ioctls, a->v[0]);
	add(out, size, ", ");
	snprintf(text, sizeof(text), "&{%ld}", a->v[1]);
	add_place(out, size, text, a->v[2], a->v[3]);
}

static const struct name fcntls[] = {
	N(F_GETFL), N(F_SETFL), N(F_GETFD), N(F_SETFD), N(F_GETOWN), N(F_SETOWN), N(F_SETSIG),
	N(F_GETSIG), N(F_GETLK), N(F_SETPIPE_SZ), N(F_GETPIPE_SZ), N(F_ADD_SEALS), N(F_GET_SEALS),
	N(F_GETLEASE), N(F_NOTIFY), N(F_GET_RW_HINT),
};

static const struct name file_flags[] = {
	N(O_NONBLOCK), N(O_ASYNC), N(O_APPEND), N(O_DIRECT), N(O_WRONLY), N(O_RDWR), N(O_CREAT),
	N(O_EXCL), N(O_TRUNC), N(O_PATH), N(O_NOFOLLOW), N(O_DIRECTORY),
};

/* For F_SETOWN, one is the process itself. */
static void gen_fcntl(struct gen *g, struct arg *a)
{
	static const int often[] = { F_GETFL, F_SETFL, F_SETFL, F_SETOWN, F_GETOWN };

	a->v[0] = rng_percent(&g->rng, 70) ? PICK(g, often) : PICK(g, fcntls).value;
	switch (a->v[0]) {
	case F_SETFL:
		a->v[1] = g->flavour & (FL_BLOCK | FL_THREADS) ? 0 : O_NONBLOCK;
		if (rng_percent(&g->rng, 40))
			a->v[1] |= O_ASYNC;
		if (rng_percent(&g->rng, 5))
			a->v[1] |= O_APPEND;
		if (rng_percent(&g->rng, 5))
			a->v[1] |= O_DIRECT;
		break;
	case F_SETOWN:
		a->v[1] = rng_percent(&g->rng, 80);
		break;
	case F_SETSIG:
		a->v[1] = rng_percent(&g->rng, 50) ? 10 : rng_below(&g->rng, 80) * !rng_below(&g->rng, 3);
		/* Signals that would end the program. */
		if (a->v[1] != 10 && a->v[1] < 65)
			a->v[1] = 0;
		break;
	default:
		a->v[1] = rng_below(&g->rng, 2);
	}
}

static void print_fcntl(char *out, size_t size, const struct arg *a)
{
	ADD_NAME(out, size, fcntls, a->v[0]);
	add(out, size, ", ");
	if (a->v[0] == F_SETFL)
		ADD_FLAGS(out, size, file_flags, a->v[1]);
	else if (a->v[0] == F_SETOWN && a->v[1] == 1)
		add(out, size, "getpid()");
	else
		add(out, size, "%ld", a->v[1]);
}

/* --- files ---------------------------------------------------------------- */

static void gen_path(struct gen *g, struct arg *a)
{
	a->v[0] = rng_percent(&g->rng, 80) ? rng_below(&g->rng, PATHS_FIRST) : rng_below(&g->rng, n_local_paths);
}

static void print_path(char *out, size_t size, const struct arg *a)
{
	size_t len;
	const char *s = path_name(a->v[0], &len);

	add_quoted(out, size, s, len);
}

static void gen_mode(struct gen *g, struct arg *a)
{
	static const int modes[] = { 0777, 0666, 0644, 0600, 0444, 0222, 0111, 0, 0755, 06777, 022, 077 };

	a->v[0] = PICK(g, modes);
}

static void print_mode(char *out, size_t size, const struct arg *a)
{
	add(out, size, "0%lo", a->v[0]);
}

static void gen_open_flags(struct gen *g, struct arg *a)
{
	static const int flags[] = {
		O_RDONLY, O_RDWR, O_WRONLY, O_PATH, O_PATH | O_NOFOLLOW, O_RDONLY | O_DIRECTORY,
		O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL, O_RDWR | O_TRUNC,
	};

	a->v[0] = PICK(g, flags) | O_NONBLOCK;
}

static void print_open_flags(char *out, size_t size, const struct arg *a)
{
	ADD_FLAGS(out, size, file_flags, a->v[0]);
}

/* --- poll ----------------------------------------------------------------- */

static const struct name poll_flags[] = {
	N(POLLIN), N(POLLPRI), N(POLLOUT), N(POLLERR), N(POLLHUP), N(POLLNVAL), N(POLLRDNORM),
	N(POLLRDBAND), N(POLLWRNORM), N(POLLWRBAND), N(POLLMSG), N(POLLRDHUP),
};

static const struct name epoll_flags[] = {
	N(EPOLLIN), N(EPOLLPRI), N(EPOLLOUT), N(EPOLLERR), N(EPOLLHUP), N(EPOLLRDNORM), N(EPOLLRDBAND),
	N(EPOLLWRNORM), N(EPOLLWRBAND), N(EPOLLMSG), N(EPOLLRDHUP), { EPOLLET, "EPOLLET" },
	N(EPOLLONESHOT), { EPOLLEXCLUSIVE, "EPOLLEXCLUSIVE" },
};

#define EVERYTHING 0x27ff

static long random_events(struct gen *g)
{
	if (rng_percent(&g->rng, 75))
		return EVERYTHING;
	return rng_next(&g->rng) & EVERYTHING;
}

static void gen_poll_list(struct gen *g, struct arg *a)
{
	int n = 1 + rng_below(&g->rng, 4);

	if (rng_percent(&g->rng, 40))
		n = 5;
	a->v[0] = n;
	for (int i = 0; i < n; i++) {
		struct arg slot = {};

		gen_slot(g, &slot);
		a->v[1 + 2 * i] = slot.v[0];
		a->v[2 + 2 * i] = random_events(g);
	}
}

static void print_poll_list(char *out, size_t size, const struct arg *a)
{
	add(out, size, "{");
	for (int i = 0; i < a->v[0]; i++) {
		add(out, size, "%s{s%ld, ", i ? ", " : "", a->v[1 + 2 * i]);
		if (a->v[2 + 2 * i] == EVERYTHING)
			add(out, size, "ALL}");
		else {
			ADD_FLAGS(out, size, poll_flags, a->v[2 + 2 * i]);
			add(out, size, "}");
		}
	}
	add(out, size, "}");
}

static void gen_epoll_op(struct gen *g, struct arg *a)
{
	a->v[0] = rng_percent(&g->rng, 75) ? EPOLL_CTL_ADD : EPOLL_CTL_ADD + (int)rng_below(&g->rng, 3);
	a->v[1] = random_events(g);
	if (rng_percent(&g->rng, 50)) {
		a->v[1] |= EPOLLET;
		if (rng_percent(&g->rng, 90))
			a->v[1] &= ~(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	}
	if (rng_percent(&g->rng, 8))
		a->v[1] |= EPOLLONESHOT;
	if (rng_percent(&g->rng, 3))
		a->v[1] |= EPOLLEXCLUSIVE;
}

static void print_epoll_op(char *out, size_t size, const struct arg *a)
{
	static const struct name epoll_ops[] = { N(EPOLL_CTL_ADD), N(EPOLL_CTL_DEL), N(EPOLL_CTL_MOD) };

	ADD_NAME(out, size, epoll_ops, a->v[0]);
	add(out, size, ", ");
	if ((a->v[1] & EVERYTHING) == EVERYTHING) {
		add(out, size, "ALL");
		if (a->v[1] != EVERYTHING) {
			add(out, size, "|");
			ADD_FLAGS(out, size, epoll_flags, a->v[1] & ~EVERYTHING);
		}
	} else {
		ADD_FLAGS(out, size, epoll_flags, a->v[1]);
	}
}

static bool is_epoll(const struct belief *b)
{
	return b->what == W_EPOLL;
}

static bool is_file(const struct belief *b)
{
	return b->what == W_FILE;
}

static bool is_pipe_in(const struct belief *b)
{
	return b->what == W_PIPE_W;
}

static bool is_pipe_out(const struct belief *b)
{
	return b->what == W_PIPE_R;
}

static void gen_special(struct gen *g, struct arg *a, bool (*wanted)(const struct belief *))
{
	if (rng_percent(&g->rng, 95))
		a->v[0] = pick_slot(g, wanted);
	else
		gen_slot(g, a);
}

static void gen_epoll(struct gen *g, struct arg *a)
{
	gen_special(g, a, is_epoll);
}

static void gen_file(struct gen *g, struct arg *a)
{
	gen_special(g, a, is_file);
}

static void gen_pipe_in(struct gen *g, struct arg *a)
{
	gen_special(g, a, is_pipe_in);
}

static void gen_pipe_out(struct gen *g, struct arg *a)
{
	gen_special(g, a, is_pipe_out);
}

static void gen_count(struct gen *g, struct arg *a)
{
	a->v[0] = source_length(g);
}

static void gen_filter(struct gen *g, struct arg *a)
{
	static const int keep[] = { 0, 0, 1, 5, 100, 0x40000 };

	a->v[0] = PICK(g, keep);
}

const struct kind call_kinds[] = {
	{ 'm', "send flags", "f", gen_send_flags, print_msg_flags },
	{ 'M', "receive flags", "f", gen_recv_flags, print_msg_flags },
	{ 'c', "control", "enekokekokekok", gen_control, print_control },
	{ 'C', "room for control", "enn", gen_control_room, print_buffer },
	{ 'o', "option", "kk", gen_option, print_option },
	{ 'x', "value", "ennnn", gen_value, print_value },
	{ 'X', "room for a value", "enne", gen_value_out, print_out },
	{ 'i', "ioctl", "knen", gen_ioctl, print_ioctl },
	{ 'f', "fcntl", "kn", gen_fcntl, print_fcntl },
	{ 'P', "path", "e", gen_path, print_path },
	{ 'u', "mode", "k", gen_mode, print_mode },
	{ 'O', "open flags", "f", gen_open_flags, print_open_flags },
	{ 'l', "poll list", "nkfkfkfkfkf", gen_poll_list, print_poll_list },
	{ 'e', "epoll operation", "kf", gen_epoll_op, print_epoll_op },
	{ 'E', "epoll", "k", gen_epoll, print_slot },
	{ 'F', "file", "k", gen_file, print_slot },
	{ 'w', "pipe's input", "k", gen_pipe_in, print_slot },
	{ 'r', "pipe's output", "k", gen_pipe_out, print_slot },
	{ 'z', "count", "n", gen_count, print_number },
	{ 'K', "bytes kept", "n", gen_filter, print_number },
	{},
};
