// SPDX-License-Identifier: GPL-2.0
/* The calls: how each is made, and what of its results is told. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "fuzz.h"

#define PATH_OFF offsetof(struct sockaddr_un, sun_path)

/* The call itself, past what a C library would make of bad pointers. */
#define SYS(name, ...) result_of(syscall(SYS_##name, ##__VA_ARGS__))

static long result_of(long ret)
{
	return ret == -1 ? -errno : ret;
}

/* --- telling results ------------------------------------------------------ */

static void say_result(struct exec *x, long ret)
{
	char text[32];

	if (ret >= 0) {
		say(x, "= %ld", ret);
		return;
	}
	errno_text(text, sizeof(text), -ret);
	say(x, "= -1 %s", text);
}

static void say_bytes(struct exec *x, const unsigned char *p, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325;

	if (len > 40) {
		for (size_t i = 0; i < len; i++)
			hash = (hash ^ p[i]) * 0x100000001b3;
		say(x, "%zu bytes #%016llx", len, (unsigned long long)hash);
		return;
	}
	say(x, "\"");
	for (size_t i = 0; i < len; i++) {
		if (p[i] > ' ' && p[i] < 0x7f && p[i] != '"' && p[i] != '\\')
			say(x, "%c", p[i]);
		else
			say(x, "\\%02x", p[i]);
	}
	say(x, "\"");
}

/* How many of the bytes behind a result are as they were; of many, the first and the last. */
static size_t intact(const unsigned char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len && p[i] == UNTOUCHED; i++)
		if (i == 256 && len > 1024)
			i = len - 256;
	return i;
}

/* Tells of bytes behind a result that were written to, and makes all as it was. */
static void say_rest(struct exec *x, unsigned char *p, size_t done, size_t real)
{
	size_t same = intact(p + done, real - done);

	if (same != real - done) {
		say(x, " and behind it %zu intact", same);
		done = real;
	}
	memory_mend(p, done);
}

/* What @ret bytes of result are in a buffer, and whether more of it was touched. */
static void say_buffer(struct exec *x, long ret, unsigned char *p, size_t real)
{
	size_t len = ret < 0 ? 0 : (size_t)ret > real ? real : (size_t)ret;

	/* How far a call came before it met a bad pointer is not told. */
	if (ret == -EFAULT) {
		memory_mend(p, real);
		return;
	}
	if (len) {
		say(x, " ");
		say_bytes(x, p, len);
	}
	say_rest(x, p, len, real);
}

/* A name as a call handed it out: @len is the length it told, @room what was there. */
static void say_name(struct exec *x, unsigned char *p, long len, size_t room)
{
	size_t have = len < 0 ? 0 : (size_t)len < room ? (size_t)len : room;
	size_t i = 0;

	say(x, " len %ld", len);
	if (have) {
		uint16_t family;

		say(x, " {");
		if (have >= 2) {
			memcpy(&family, p, 2);
			if (family == x->side->family)
				say(x, "F");
			else
				say(x, "%u", family);
			i = 2;
		} else {
			say(x, "%s", p[0] == (x->side->family & 0xff) ? "F'" : "?");
			i = 1;
		}
		if (have > i) {
			size_t n = have - i;

			p += i;
			say(x, " ");
			if (len == 8 && !p[0]) {
				/* One that the kernel chose. */
				say(x, "@auto");
			} else if (!p[0] && n > 8 && !memcmp(p + 1, x->prefix, 8)) {
				say(x, "@");
				say_bytes(x, p + 9, n - 9);
			} else {
				say_bytes(x, p, n);
			}
			p -= i;
		}
		say(x, "}");
	}
	say_rest(x, p, have, room);
}

/* --- arguments in memory --------------------------------------------------- */

static int fd_of(struct exec *x, long slot)
{
	return slot >= 0 && slot < SLOTS ? x->fd[slot] : -1;
}

static void new_socket(struct exec *x, long slot, int fd)
{
	int size = 4 << 20;

	if (slot >= 0 && slot < SLOTS)
		x->fd[slot] = fd;
	if (x->program->flavour & FL_BIG)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
}

static void new_file(struct exec *x, long slot, int fd)
{
	if (slot >= 0 && slot < SLOTS)
		x->fd[slot] = fd;
}

struct address {
	void *p;
	/* As told to the kernel. */
	int len;
};

static struct address address_of(struct exec *x, const struct arg *a)
{
	union {
		unsigned char bytes[136];
		uint16_t family;
	} u;
	struct address r;
	size_t n = 0, exact = PATH_OFF;
	const char *s;
	socklen_t len;
	int fd;

	memset(&u, a->v[ADDR_FILL], sizeof(u));
	switch (a->v[ADDR_SHAPE]) {
	case SH_PATH:
		s = path_name(a->v[ADDR_NAME], &n);
		memcpy(u.bytes + exact, s, n);
		exact += n;
		if (n < 108)
			u.bytes[exact++] = 0;
		break;
	case SH_ABSTRACT:
		u.bytes[exact++] = 0;
		s = abstract_name(a->v[ADDR_NAME], &n);
		memcpy(u.bytes + exact, x->prefix, 8);
		exact += 8;
		memcpy(u.bytes + exact, s, n);
		exact += n;
		break;
	case SH_OWN:
	case SH_PEER:
		fd = fd_of(x, a->v[ADDR_NAME]);
		len = 110;
		if (a->v[ADDR_SHAPE] == SH_OWN ? getsockname(fd, (void *)u.bytes, &len)
					       : getpeername(fd, (void *)u.bytes, &len))
			len = PATH_OFF;
		exact = len;
		break;
	}
	switch (a->v[ADDR_FAMILY]) {
	case FM_OWN:
		u.family = x->side->family;
		break;
	case FM_UNSPEC:
		u.family = AF_UNSPEC;
		break;
	case FM_INET:
		u.family = AF_INET;
		break;
	case FM_OTHER:
		u.family = x->side->other;
		break;
	default:
		u.family = 0xff01;
	}
	switch (a->v[ADDR_LEN]) {
	case LM_LESS:
		exact--;
		break;
	case LM_MORE:
		exact++;
		break;
	case LM_EXACT:
		break;
	default: {
		static const int lens[] = { 110, 111, 128, 129, 0, 1, 2, 3, -1, 0x7fffffff };

		exact = lens[a->v[ADDR_LEN] - LM_FULL];
	}
	}
	r.len = exact;
	r.p = memory_put(x->mem, a->v[ADDR_PLACE], a->v[ADDR_EDGE], u.bytes, sizeof(u));
	if (a->v[ADDR_PLACE] == PL_EDGE && a->v[ADDR_EDGE] < 0)
		r.p = NULL;
	return r;
}

struct out {
	unsigned char *p;
	size_t real;
	int *len;
};

static struct out out_of(struct exec *x, const struct arg *a)
{
	int len = a->v[OUT_LEN];
	struct out o;

	o.p = memory_room(x->mem, a->v[OUT_PLACE], a->v[OUT_EDGE], len < 0 || len > 256 ? 256 : len, &o.real);
	o.len = memory_put(x->mem, a->v[OUT_LEN_PLACE], 2, &len, sizeof(len));
	return o;
}

static const void *source_of(struct exec *x, const long *buf)
{
	return memory_source(x->mem, buf[BUF_PLACE], buf[BUF_EDGE], buf[BUF_LEN], x->index * 131);
}

struct vector {
	struct iovec *p;
	int n;
	unsigned long count;
	struct {
		unsigned char *p;
		size_t len, real;
	} part[IOV_MAX_PARTS];
};

static struct vector vector_of(struct exec *x, const struct arg *a, bool source)
{
	struct iovec iov[IOV_MAX_PARTS];
	struct vector r = { .count = a->v[IOV_COUNT] };

	r.n = a->v[IOV_COUNT] < 0 ? 0 : a->v[IOV_COUNT] > IOV_MAX_PARTS ? IOV_MAX_PARTS : a->v[IOV_COUNT];
	for (int i = 0; i < r.n; i++) {
		const long *part = &a->v[IOV_PARTS + 3 * i];

		r.part[i].len = part[BUF_LEN];
		if (source)
			r.part[i].p = memory_source(x->mem, part[BUF_PLACE], part[BUF_EDGE],
						    part[BUF_LEN], x->index * 131 + i * 17);
		else
			r.part[i].p = memory_room(x->mem, part[BUF_PLACE], part[BUF_EDGE],
						  part[BUF_LEN], &r.part[i].real);
		iov[i].iov_base = r.part[i].p;
		iov[i].iov_len = part[BUF_LEN];
	}
	/* Nothing behind them, whatever the count says. */
	r.p = memory_put(x->mem, a->v[IOV_PLACE], 0, iov, r.n * sizeof(iov[0]));
	if (r.n < a->v[IOV_COUNT] && a->v[IOV_PLACE] == PL_GOOD) {
		size_t size = r.n * sizeof(iov[0]);

		r.p = memory_put(x->mem, PL_EDGE, size, iov, size);
	}
	return r;
}

static void say_vector(struct exec *x, long ret, const struct vector *v)
{
	for (int i = 0; i < v->n; i++) {
		long here = ret;

		if (ret > 0) {
			if ((size_t)ret > v->part[i].len)
				here = v->part[i].len;
			ret -= here;
		}
		say_buffer(x, here, v->part[i].p, v->part[i].real);
	}
}

/* --- sockets ----------------------------------------------------------------- */

static int protocol_of(struct exec *x, const struct arg *a)
{
	return a->v[0] == -1 ? x->side->family : a->v[0];
}

/* n t p */
static void run_socket(struct exec *x, const struct call *c)
{
	long fd = SYS(socket, x->side->family, (int)(c->arg[1].v[0] | c->arg[1].v[1]),
		      protocol_of(x, &c->arg[2]));

	say_result(x, fd);
	if (fd >= 0)
		new_socket(x, c->arg[0].v[0], fd);
}

/* n n t p */
static void run_socketpair(struct exec *x, const struct call *c)
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
static void run_bind(struct exec *x, const struct call *c)
{
	struct address a = address_of(x, &c->arg[1]);

	say_result(x, SYS(bind, fd_of(x, c->arg[0].v[0]), a.p, a.len));
}

/* s a */
static void run_connect(struct exec *x, const struct call *c)
{
	struct address a = address_of(x, &c->arg[1]);
	long ret = SYS(connect, fd_of(x, c->arg[0].v[0]), a.p, a.len);

	if (x->side->wrong == WRONG_ERRNO && ret == -ECONNREFUSED)
		ret = -ENOENT;
	say_result(x, ret);
}

/* s k */
static void run_listen(struct exec *x, const struct call *c)
{
	say_result(x, SYS(listen, fd_of(x, c->arg[0].v[0]), (int)c->arg[1].v[0]));
}

static void say_out_name(struct exec *x, long ret, const struct out *o, const struct arg *a)
{
	if (a->v[OUT_PLACE] > PL_EDGE)
		return;
	if (ret == -EFAULT || a->v[OUT_LEN_PLACE] != PL_GOOD) {
		memory_mend(o->p, o->real);
		return;
	}
	if (ret < 0) {
		/* Nothing may have changed. */
		if (*o->len != (int)a->v[OUT_LEN])
			say(x, " len now %d", *o->len);
		say_rest(x, o->p, 0, o->real);
		return;
	}
	say_name(x, o->p, *o->len, o->real);
}

/* n s A g */
static void run_accept(struct exec *x, const struct call *c)
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
static void run_getsockname(struct exec *x, const struct call *c)
{
	struct out o = out_of(x, &c->arg[1]);
	long ret = SYS(getsockname, fd_of(x, c->arg[0].v[0]), o.p, o.len);

	say_result(x, ret);
	say_out_name(x, ret, &o, &c->arg[1]);
}

/* s A */
static void run_getpeername(struct exec *x, const struct call *c)
{
	struct out o = out_of(x, &c->arg[1]);
	long ret = SYS(getpeername, fd_of(x, c->arg[0].v[0]), o.p, o.len);

	say_result(x, ret);
	say_out_name(x, ret, &o, &c->arg[1]);
}

/* s h */
static void run_shutdown(struct exec *x, const struct call *c)
{
	say_result(x, SYS(shutdown, fd_of(x, c->arg[0].v[0]), (int)c->arg[1].v[0]));
}

/* s */
static void run_close(struct exec *x, const struct call *c)
{
	long slot = c->arg[0].v[0];

	say_result(x, SYS(close, fd_of(x, slot)));
	if (slot >= 0 && slot < SLOTS)
		x->fd[slot] = -1;
}

/* n s */
static void run_dup(struct exec *x, const struct call *c)
{
	long fd = SYS(dup, fd_of(x, c->arg[1].v[0]));

	say_result(x, fd);
	if (fd >= 0)
		new_file(x, c->arg[0].v[0], fd);
}

/* --- data -------------------------------------------------------------------- */

/* s b m */
static void run_send(struct exec *x, const struct call *c)
{
	const void *p = source_of(x, c->arg[1].v);

	say_result(x, SYS(sendto, fd_of(x, c->arg[0].v[0]), p, c->arg[1].v[BUF_LEN],
			  (int)c->arg[2].v[0], NULL, 0));
}

/* s b m a */
static void run_sendto(struct exec *x, const struct call *c)
{
	const void *p = source_of(x, c->arg[1].v);
	struct address a = address_of(x, &c->arg[3]);

	say_result(x, SYS(sendto, fd_of(x, c->arg[0].v[0]), p, c->arg[1].v[BUF_LEN],
			  (int)c->arg[2].v[0], a.p, a.len));
}

static void spoil_peek(struct exec *x, long ret, int flags, unsigned char *p, size_t real)
{
	if (x->side->wrong == WRONG_DATA && flags & MSG_PEEK && ret >= 3 && real >= 3)
		p[2] ^= 1;
}

/* s B M */
static void run_recv(struct exec *x, const struct call *c)
{
	const long *b = c->arg[1].v;
	size_t real;
	void *p = memory_room(x->mem, b[BUF_PLACE], b[BUF_EDGE], b[BUF_LEN], &real);
	long ret = SYS(recvfrom, fd_of(x, c->arg[0].v[0]), p, b[BUF_LEN], (int)c->arg[2].v[0], NULL, NULL);

	spoil_peek(x, ret, c->arg[2].v[0], p, real);
	say_result(x, ret);
	say_buffer(x, ret, p, real);
}

/* s B M A */
static void run_recvfrom(struct exec *x, const struct call *c)
{
	const long *b = c->arg[1].v;
	size_t real;
	void *p = memory_room(x->mem, b[BUF_PLACE], b[BUF_EDGE], b[BUF_LEN], &real);
	struct out o = out_of(x, &c->arg[3]);
	long ret = SYS(recvfrom, fd_of(x, c->arg[0].v[0]), p, b[BUF_LEN], (int)c->arg[2].v[0], o.p, o.len);

	spoil_peek(x, ret, c->arg[2].v[0], p, real);
	say_result(x, ret);
	say_buffer(x, ret, p, real);
	say_out_name(x, ret, &o, &c->arg[3]);
}

/* s b */
static void run_write(struct exec *x, const struct call *c)
{
	const void *p = source_of(x, c->arg[1].v);

	say_result(x, SYS(write, fd_of(x, c->arg[0].v[0]), p, c->arg[1].v[BUF_LEN]));
}

/* s B */
static void run_read(struct exec *x, const struct call *c)
{
	const long *b = c->arg[1].v;
	size_t real;
	void *p = memory_room(x->mem, b[BUF_PLACE], b[BUF_EDGE], b[BUF_LEN], &real);
	long ret = SYS(read, fd_of(x, c->arg[0].v[0]), p, b[BUF_LEN]);

	say_result(x, ret);
	say_buffer(x, ret, p, real);
}

/* s v */
static void run_writev(struct exec *x, const struct call *c)
{
	struct vector v = vector_of(x, &c->arg[1], true);

	say_result(x, SYS(writev, fd_of(x, c->arg[0].v[0]), v.p, v.count));
}

/* s V */
static void run_readv(struct exec *x, const struct call *c)
{
	struct vector v = vector_of(x, &c->arg[1], false);
	long ret = SYS(readv, fd_of(x, c->arg[0].v[0]), v.p, v.count);

	say_result(x, ret);
	say_vector(x, ret, &v);
}

static size_t control_of(struct exec *x, const struct arg *a, void **p)
{
	union {
		unsigned char bytes[256];
		struct cmsghdr align;
	} u = {};
	size_t used = 0;

	for (int i = 0; i < CTL_PARTS_MAX; i++) {
		const long *part = &a->v[CTL_PARTS + 4 * i];
		struct cmsghdr *c = (void *)(u.bytes + used);
		int fds[2];
		struct ucred cred;

		if (!part[0])
			continue;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(4);
		switch (part[0]) {
		case CT_RIGHTS:
			fds[0] = fd_of(x, part[1]);
			fds[1] = fd_of(x, part[2]);
			c->cmsg_len = CMSG_LEN(part[2] == -2 ? 4 : 8);
			memcpy(CMSG_DATA(c), fds, sizeof(fds));
			break;
		case CT_CREDS:
			c->cmsg_type = SCM_CREDENTIALS;
			c->cmsg_len = CMSG_LEN(sizeof(cred));
			cred.pid = part[1] & 1 ? 1 : x->pid;
			cred.uid = part[1] & 2 ? 1234 : geteuid();
			cred.gid = part[1] & 4 ? 1234 : getegid();
			memcpy(CMSG_DATA(c), &cred, sizeof(cred));
			break;
		case CT_OTHER_LEVEL:
			c->cmsg_level = 77;
			break;
		case CT_UNKNOWN:
			c->cmsg_type = 0x77;
			break;
		case CT_SHORT:
			c->cmsg_len = 15;
			break;
		case CT_LONG:
			c->cmsg_len = 1000;
			break;
		}
		used += c->cmsg_len > 64 ? CMSG_SPACE(4) : CMSG_ALIGN(c->cmsg_len);
	}
	*p = NULL;
	if (!used)
		return 0;
	if (a->v[CTL_PLACE] == PL_GOOD && a->v[CTL_CUT] > 0)
		used -= a->v[CTL_CUT] < (long)used ? a->v[CTL_CUT] : (long)used;
	*p = memory_put(x->mem, a->v[CTL_PLACE], a->v[CTL_CUT], u.bytes, used);
	return used;
}

/* s v c m */
static void run_sendmsg(struct exec *x, const struct call *c)
{
	struct vector v = vector_of(x, &c->arg[1], true);
	struct msghdr m = { .msg_iov = v.p, .msg_iovlen = v.count };

	m.msg_controllen = control_of(x, &c->arg[2], &m.msg_control);
	say_result(x, SYS(sendmsg, fd_of(x, c->arg[0].v[0]), &m, (int)c->arg[3].v[0]));
}

/* s v a c m */
static void run_sendmsg_to(struct exec *x, const struct call *c)
{
	struct vector v = vector_of(x, &c->arg[1], true);
	struct address a = address_of(x, &c->arg[2]);
	struct msghdr m = {
		.msg_iov = v.p, .msg_iovlen = v.count, .msg_name = a.p, .msg_namelen = a.len,
	};

	m.msg_controllen = control_of(x, &c->arg[3], &m.msg_control);
	say_result(x, SYS(sendmsg, fd_of(x, c->arg[0].v[0]), &m, (int)c->arg[4].v[0]));
}

static void say_pid(struct exec *x, int pid)
{
	if (pid == x->pid)
		say(x, "self");
	else
		say(x, "%d", pid);
}

static void say_control(struct exec *x, const struct msghdr *m, unsigned char *p, size_t real)
{
	size_t at = 0;

	say(x, " control %zu", m->msg_controllen);
	while (at + sizeof(struct cmsghdr) <= m->msg_controllen && at + sizeof(struct cmsghdr) <= real) {
		struct cmsghdr *c = (void *)(p + at);
		size_t len = c->cmsg_len - sizeof(*c);

		if (c->cmsg_len < sizeof(*c) || c->cmsg_len > real - at) {
			say(x, " broken");
			return;
		}
		say(x, " {%d %d %zu", c->cmsg_level, c->cmsg_type, len);
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			for (size_t i = 0; i + 4 <= len; i += 4)
				say(x, " fd %d", *(int *)(CMSG_DATA(c) + i));
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
			int *cred = (void *)CMSG_DATA(c);

			if (len >= 12) {
				say(x, " ");
				say_pid(x, cred[0]);
				say(x, " %d %d", cred[1], cred[2]);
			}
		} else if (c->cmsg_level == SOL_SOCKET && (c->cmsg_type == 84 || c->cmsg_type == SO_RXQ_OVFL)) {
			/* SCM_INQ: what is left to be read; or how many were dropped. */
			say(x, " %d", *(int *)CMSG_DATA(c));
		}
		/* Times and pidfds differ from run to run. */
		say(x, "}");
		at += CMSG_ALIGN(c->cmsg_len);
	}
}

/* The first descriptor that came goes into the slot. */
static void take_rights(struct exec *x, const struct msghdr *m, unsigned char *p, size_t real, long slot)
{
	struct cmsghdr *c = (void *)p;

	for (size_t at = 0; at + CMSG_LEN(4) <= real && at + CMSG_LEN(4) <= m->msg_controllen;
	     at += CMSG_ALIGN(c->cmsg_len)) {
		c = (void *)(p + at);
		if (c->cmsg_len < sizeof(*c))
			break;
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len >= CMSG_LEN(4)) {
			new_file(x, slot, *(int *)CMSG_DATA(c));
			break;
		}
	}
}

/* n s V A C M */
static void run_recvmsg(struct exec *x, const struct call *c)
{
	struct vector v = vector_of(x, &c->arg[2], false);
	struct out o = out_of(x, &c->arg[3]);
	const long *b = c->arg[4].v;
	size_t real;
	unsigned char *control = memory_room(x->mem, b[BUF_PLACE], b[BUF_EDGE],
					     b[BUF_LEN] > 4096 ? 4096 : b[BUF_LEN], &real);
	struct msghdr m = {
		.msg_iov = v.p, .msg_iovlen = v.count,
		.msg_name = o.p, .msg_namelen = c->arg[3].v[OUT_LEN],
		.msg_control = control, .msg_controllen = b[BUF_LEN],
		/* The kernel does not look at it. */
		.msg_flags = -1,
	};
	long ret = SYS(recvmsg, fd_of(x, c->arg[1].v[0]), &m, (int)c->arg[5].v[0]);

	if (v.n)
		spoil_peek(x, ret, c->arg[5].v[0], v.part[0].p, v.part[0].real);
	say_result(x, ret);
	say_vector(x, ret, &v);
	if (ret < 0) {
		if (o.real)
			memory_mend(o.p, o.real);
		if (real)
			memory_mend(control, real);
		return;
	}
	if (c->arg[3].v[OUT_PLACE] <= PL_EDGE)
		say_name(x, o.p, (int)m.msg_namelen, o.real);
	else
		say(x, " len %d", (int)m.msg_namelen);
	say(x, " flags %#x", m.msg_flags);
	if (b[BUF_PLACE] <= PL_EDGE) {
		say_control(x, &m, control, real);
		take_rights(x, &m, control, real, c->arg[0].v[0]);
		memory_mend(control, real);
	}
}

/* s b m s b m: both in one call if the sockets are the same */
static void run_sendmmsg(struct exec *x, const struct call *c)
{
	struct mmsghdr m[2] = {};
	struct iovec iov[2];
	long ret;

	for (int i = 0; i < 2; i++) {
		iov[i].iov_base = (void *)source_of(x, c->arg[1 + i].v);
		iov[i].iov_len = c->arg[1 + i].v[BUF_LEN];
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	ret = SYS(sendmmsg, fd_of(x, c->arg[0].v[0]), m, 2, (int)c->arg[3].v[0]);
	say_result(x, ret);
	for (int i = 0; i < ret; i++)
		say(x, " %u", m[i].msg_len);
}

/* s B B M */
static void run_recvmmsg(struct exec *x, const struct call *c)
{
	struct mmsghdr m[2] = {};
	struct iovec iov[2];
	size_t real[2];
	long ret;

	for (int i = 0; i < 2; i++) {
		const long *b = c->arg[1 + i].v;

		iov[i].iov_base = memory_room(x->mem, b[BUF_PLACE], b[BUF_EDGE], b[BUF_LEN], &real[i]);
		iov[i].iov_len = b[BUF_LEN];
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	ret = SYS(recvmmsg, fd_of(x, c->arg[0].v[0]), m, 2, (int)c->arg[3].v[0], NULL);
	say_result(x, ret);
	for (int i = 0; i < 2; i++) {
		if (i < ret)
			say(x, " %u flags %#x", m[i].msg_len, m[i].msg_hdr.msg_flags);
		say_buffer(x, i < ret ? (long)m[i].msg_len : -EFAULT, iov[i].iov_base, real[i]);
	}
}

/* --- waiting ----------------------------------------------------------------- */

/* l */
static void run_poll(struct exec *x, const struct call *c)
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
static void run_epoll_create(struct exec *x, const struct call *c)
{
	long fd = SYS(epoll_create1, 0);

	say_result(x, fd);
	if (fd >= 0)
		new_file(x, c->arg[0].v[0], fd);
}

/* E s e */
static void run_epoll_ctl(struct exec *x, const struct call *c)
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
static void run_epoll_wait(struct exec *x, const struct call *c)
{
	struct epoll_event e[16];
	long ret = SYS(epoll_wait, fd_of(x, c->arg[0].v[0]), e, 16, c->thread ? -1 : 0);

	say_result(x, ret);
	if (ret > 0)
		qsort(e, ret, sizeof(e[0]), by_data);
	for (int i = 0; i < ret; i++)
		say(x, " s%d:%#x", (int)e[i].data.u32, e[i].events);
}

/* --- options ----------------------------------------------------------------- */

/* s o x */
static void run_setsockopt(struct exec *x, const struct call *c)
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
static void run_getsockopt(struct exec *x, const struct call *c)
{
	struct out o = out_of(x, &c->arg[2]);
	int level = c->arg[1].v[OPT_LEVEL], name = c->arg[1].v[OPT_NAME];
	long ret = SYS(getsockopt, fd_of(x, c->arg[0].v[0]), level, name, o.p, o.len);
	size_t len;

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
static void run_filter(struct exec *x, const struct call *c)
{
	struct sock_filter keep = BPF_STMT(BPF_RET | BPF_K, c->arg[1].v[0]);
	struct sock_fprog program = { .len = 1, .filter = &keep };

	say_result(x, SYS(setsockopt, fd_of(x, c->arg[0].v[0]), SOL_SOCKET, SO_ATTACH_FILTER,
			  &program, sizeof(program)));
}

/* s i */
static void run_ioctl(struct exec *x, const struct call *c)
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
		say(x, " %ld", ioctl_value(cmd, *p));
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
static void run_fcntl(struct exec *x, const struct call *c)
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

/* --- files ------------------------------------------------------------------- */

static const char *path_of(struct exec *x, const struct arg *a)
{
	char path[128] = {};
	size_t len;
	const char *s = path_name(a->v[0], &len);

	memcpy(path, s, len);
	return memory_put(x->mem, PL_GOOD, 0, path, sizeof(path));
}

static void run_unlink(struct exec *x, const struct call *c)
{
	say_result(x, SYS(unlink, path_of(x, &c->arg[0])));
}

static void run_rename(struct exec *x, const struct call *c)
{
	say_result(x, SYS(rename, path_of(x, &c->arg[0]), path_of(x, &c->arg[1])));
}

static void run_link(struct exec *x, const struct call *c)
{
	say_result(x, SYS(link, path_of(x, &c->arg[0]), path_of(x, &c->arg[1])));
}

static void run_symlink(struct exec *x, const struct call *c)
{
	say_result(x, SYS(symlink, path_of(x, &c->arg[0]), path_of(x, &c->arg[1])));
}

static void run_chmod(struct exec *x, const struct call *c)
{
	say_result(x, SYS(chmod, path_of(x, &c->arg[0]), (int)c->arg[1].v[0]));
}

static void run_mkdir(struct exec *x, const struct call *c)
{
	say_result(x, SYS(mkdir, path_of(x, &c->arg[0]), (int)c->arg[1].v[0]));
}

static void run_rmdir(struct exec *x, const struct call *c)
{
	say_result(x, SYS(rmdir, path_of(x, &c->arg[0])));
}

/* A socket file that nobody is bound to. */
static void run_mknod(struct exec *x, const struct call *c)
{
	say_result(x, SYS(mknod, path_of(x, &c->arg[0]), S_IFSOCK | (int)c->arg[1].v[0], 0));
}

static void run_umask(struct exec *x, const struct call *c)
{
	say_result(x, SYS(umask, (int)c->arg[0].v[0]));
}

/* n P O */
static void run_open(struct exec *x, const struct call *c)
{
	long fd = SYS(open, path_of(x, &c->arg[1]), (int)c->arg[2].v[0], 0644);

	say_result(x, fd);
	if (fd >= 0)
		new_file(x, c->arg[0].v[0], fd);
}

static void run_stat(struct exec *x, const struct call *c)
{
	struct stat st = {};
	long ret = result_of(lstat(path_of(x, &c->arg[0]), &st));

	say_result(x, ret);
	if (!ret)
		say(x, " mode %o links %lu uid %u", st.st_mode, (unsigned long)st.st_nlink, st.st_uid);
}

static void run_fstat(struct exec *x, const struct call *c)
{
	struct stat st = {};
	long ret = result_of(fstat(fd_of(x, c->arg[0].v[0]), &st));

	say_result(x, ret);
	if (!ret)
		say(x, " mode %o links %lu size %ld uid %u", st.st_mode, (unsigned long)st.st_nlink,
		    (long)st.st_size, st.st_uid);
}

static void run_fchmod(struct exec *x, const struct call *c)
{
	say_result(x, SYS(fchmod, fd_of(x, c->arg[0].v[0]), (int)c->arg[1].v[0]));
}

static void run_lseek(struct exec *x, const struct call *c)
{
	say_result(x, SYS(lseek, fd_of(x, c->arg[0].v[0]), 0L, SEEK_SET));
}

/* n n */
static void run_pipe(struct exec *x, const struct call *c)
{
	int fd[2] = { -1, -1 };
	long ret = SYS(pipe2, fd, O_NONBLOCK);

	say_result(x, ret);
	if (ret)
		return;
	say(x, " %d %d", fd[0], fd[1]);
	new_file(x, c->arg[0].v[0], fd[0]);
	new_file(x, c->arg[1].v[0], fd[1]);
}

/* s w z: from a socket into a pipe */
static void run_splice_out(struct exec *x, const struct call *c)
{
	say_result(x, SYS(splice, fd_of(x, c->arg[0].v[0]), NULL, fd_of(x, c->arg[1].v[0]), NULL,
			  c->arg[2].v[0], c->thread ? 0 : 2));
}

/* r s z: from a pipe into a socket */
static void run_splice_in(struct exec *x, const struct call *c)
{
	say_result(x, SYS(splice, fd_of(x, c->arg[0].v[0]), NULL, fd_of(x, c->arg[1].v[0]), NULL,
			  c->arg[2].v[0], c->thread ? 0 : 2));
}

/* s F z */
static void run_sendfile(struct exec *x, const struct call *c)
{
	say_result(x, SYS(sendfile, fd_of(x, c->arg[0].v[0]), fd_of(x, c->arg[1].v[0]), NULL,
			  c->arg[2].v[0]));
}

const struct op ops[] = {
	{ "socket", "ntp", 40, run_socket },
	{ "socketpair", "nntp", 15, run_socketpair },
	{ "bind", "sa", 50, run_bind },
	{ "connect", "sa", 60, run_connect },
	{ "listen", "sk", 25, run_listen },
	{ "accept4", "nsAg", 40, run_accept },
	{ "getsockname", "sA", 12, run_getsockname },
	{ "getpeername", "sA", 12, run_getpeername },
	{ "shutdown", "sh", 25, run_shutdown },
	{ "close", "s", 30, run_close },
	{ "dup", "ns", 6, run_dup },
	{ "send", "sbm", 60, run_send },
	{ "sendto", "sbma", 40, run_sendto },
	{ "recv", "sBM", 50, run_recv },
	{ "recvfrom", "sBMA", 40, run_recvfrom },
	{ "write", "sb", 25, run_write },
	{ "read", "sB", 25, run_read },
	{ "writev", "sv", 12, run_writev },
	{ "readv", "sV", 12, run_readv },
	{ "sendmsg", "svcm", 40, run_sendmsg },
	{ "sendmsg_to", "svacm", 20, run_sendmsg_to },
	{ "recvmsg", "nsVACM", 50, run_recvmsg },
	{ "sendmmsg", "sbbm", 10, run_sendmmsg },
	{ "recvmmsg", "sBBM", 10, run_recvmmsg },
	{ "poll", "l", 50, run_poll },
	{ "epoll_create", "n", 6, run_epoll_create },
	{ "epoll_ctl", "Ese", 20, run_epoll_ctl },
	{ "epoll_wait", "E", 25, run_epoll_wait },
	{ "setsockopt", "sox", 30, run_setsockopt },
	{ "getsockopt", "soX", 30, run_getsockopt },
	{ "attach_filter", "sK", 3, run_filter },
	{ "ioctl", "si", 30, run_ioctl },
	{ "fcntl", "sf", 18, run_fcntl },
	{ "unlink", "P", 8, run_unlink },
	{ "rename", "PP", 5, run_rename },
	{ "link", "PP", 4, run_link },
	{ "symlink", "PP", 2, run_symlink },
	{ "chmod", "Pu", 4, run_chmod },
	{ "mkdir", "Pu", 1, run_mkdir },
	{ "rmdir", "P", 1, run_rmdir },
	{ "mknod_socket", "Pu", 1, run_mknod },
	{ "umask", "u", 2, run_umask },
	{ "open", "nPO", 4, run_open },
	{ "lstat", "P", 8, run_stat },
	{ "fstat", "s", 3, run_fstat },
	{ "fchmod", "su", 2, run_fchmod },
	{ "lseek", "s", 1, run_lseek },
	{ "pipe2", "nn", 3, run_pipe },
	{ "splice_out", "swz", 5, run_splice_out },
	{ "splice_in", "rsz", 5, run_splice_in },
	{ "sendfile", "sFz", 4, run_sendfile },
};
const int n_ops = sizeof(ops) / sizeof(ops[0]);

int op_named(const char *name)
{
	for (int i = 0; i < n_ops; i++)
		if (!strcmp(ops[i].name, name))
			return i;
	abort();
}

/* As it would stand in a C program, more or less. */
void print_call(char *out, size_t size, const struct call *c)
{
	const struct op *op = &ops[c->op];
	const char *sep = "";
	size_t used;
	int i = 0;

	out[0] = 0;
	if (c->thread)
		snprintf(out, size, "thread %d: ", c->thread);
	/* New descriptors stand on the left. */
	for (; op->sig[i] == 'n'; i++) {
		used = strlen(out);
		snprintf(out + used, size - used, "%ss%ld", i ? ", " : "", c->arg[i].v[0]);
	}
	used = strlen(out);
	snprintf(out + used, size - used, "%s%s(", i ? " = " : "", op->name);
	if (strchr(op->sig, 't')) {
		used = strlen(out);
		snprintf(out + used, size - used, "F, ");
	}
	for (; op->sig[i]; i++) {
		used = strlen(out);
		snprintf(out + used, size - used, "%s", sep);
		kind_of(op->sig[i])->print(out, size, &c->arg[i]);
		sep = ", ";
	}
	used = strlen(out);
	snprintf(out + used, size - used, ")");
}
