// SPDX-License-Identifier: GPL-2.0
/* Calls that send and receive. */

#include <string.h>
#include <sys/socket.h>

#include "calls.h"

/* s b m */
void run_send(struct exec *x, const struct call *c)
{
	const void *p = source_of(x, c->arg[1].v);

	say_result(x, SYS(sendto, fd_of(x, c->arg[0].v[0]), p, c->arg[1].v[BUF_LEN],
			  (int)c->arg[2].v[0], NULL, 0));
}

/* s b m a */
void run_sendto(struct exec *x, const struct call *c)
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
void run_recv(struct exec *x, const struct call *c)
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
void run_recvfrom(struct exec *x, const struct call *c)
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
void run_write(struct exec *x, const struct call *c)
{
	const void *p = source_of(x, c->arg[1].v);

	say_result(x, SYS(write, fd_of(x, c->arg[0].v[0]), p, c->arg[1].v[BUF_LEN]));
}

/* s B */
void run_read(struct exec *x, const struct call *c)
{
	const long *b = c->arg[1].v;
	size_t real;
	void *p = memory_room(x->mem, b[BUF_PLACE], b[BUF_EDGE], b[BUF_LEN], &real);
	long ret = SYS(read, fd_of(x, c->arg[0].v[0]), p, b[BUF_LEN]);

	say_result(x, ret);
	say_buffer(x, ret, p, real);
}

/* s v */
void run_writev(struct exec *x, const struct call *c)
{
	struct vector v = vector_of(x, &c->arg[1], true);

	say_result(x, SYS(writev, fd_of(x, c->arg[0].v[0]), v.p, v.count));
}

/* s V */
void run_readv(struct exec *x, const struct call *c)
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
void run_sendmsg(struct exec *x, const struct call *c)
{
	struct vector v = vector_of(x, &c->arg[1], true);
	struct msghdr m = { .msg_iov = v.p, .msg_iovlen = v.count };

	m.msg_controllen = control_of(x, &c->arg[2], &m.msg_control);
	say_result(x, SYS(sendmsg, fd_of(x, c->arg[0].v[0]), &m, (int)c->arg[3].v[0]));
}

/* s v a c m */
void run_sendmsg_to(struct exec *x, const struct call *c)
{
	struct vector v = vector_of(x, &c->arg[1], true);
	struct address a = address_of(x, &c->arg[2]);
	struct msghdr m = {
		.msg_iov = v.p, .msg_iovlen = v.count, .msg_name = a.p, .msg_namelen = a.len,
	};

	m.msg_controllen = control_of(x, &c->arg[3], &m.msg_control);
	say_result(x, SYS(sendmsg, fd_of(x, c->arg[0].v[0]), &m, (int)c->arg[4].v[0]));
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
			say(x, " %ld", inq_value(x->program, *(int *)CMSG_DATA(c)));
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == 4 && len >= 4) {
			/* SCM_PIDFD: a descriptor, which stays open. */
			say(x, " fd %d", *(int *)CMSG_DATA(c));
		}
		/* Times differ from run to run. */
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
void run_recvmsg(struct exec *x, const struct call *c)
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
void run_sendmmsg(struct exec *x, const struct call *c)
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
void run_recvmmsg(struct exec *x, const struct call *c)
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
