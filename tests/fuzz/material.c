// SPDX-License-Identifier: GPL-2.0
/* Arguments as the kernel wants them: addresses, vectors, buffers. */

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "calls.h"

#define PATH_OFF offsetof(struct sockaddr_un, sun_path)

int fd_of(const struct exec *x, long slot)
{
	return slot >= 0 && slot < SLOTS ? x->fd[slot] : -1;
}

void new_socket(struct exec *x, long slot, int fd)
{
	int size = 4 << 20;

	if (slot >= 0 && slot < SLOTS)
		x->fd[slot] = fd;
	if (x->program->flavour & FL_BIG)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
}

void new_file(struct exec *x, long slot, int fd)
{
	if (slot >= 0 && slot < SLOTS)
		x->fd[slot] = fd;
}

struct address address_of(struct exec *x, const struct arg *a)
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

struct out out_of(struct exec *x, const struct arg *a)
{
	int len = a->v[OUT_LEN];
	struct out o;

	o.p = memory_room(x->mem, a->v[OUT_PLACE], a->v[OUT_EDGE], len < 0 || len > 256 ? 256 : len, &o.real);
	o.len = memory_put(x->mem, a->v[OUT_LEN_PLACE], 2, &len, sizeof(len));
	return o;
}

const void *source_of(struct exec *x, const long *buf)
{
	return memory_source(x->mem, buf[BUF_PLACE], buf[BUF_EDGE], buf[BUF_LEN], x->index * 131);
}

struct vector vector_of(struct exec *x, const struct arg *a, bool source)
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
