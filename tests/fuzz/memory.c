// SPDX-License-Identifier: GPL-2.0
/* Memory for a program's arguments, good and bad. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"

static void *map(size_t size, size_t guard)
{
	unsigned char *p = mmap(NULL, size + guard, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || (guard && mprotect(p + size, guard, PROT_NONE))) {
		perror("mmap");
		exit(1);
	}
	return p;
}

/* Bytes that don't repeat within any page, nor in step with one. */
static void fill(unsigned char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = i * 7 + (i / 251) * 13 + 'A';
}

void memory_make(struct memory *m)
{
	m->src = map(SRC_SIZE, 0);
	fill(m->src, SRC_SIZE);
	m->dst = map(DST_SIZE, 0);
	memset(m->dst, UNTOUCHED, DST_SIZE);
	m->meta = map(META_SIZE, 0);
	m->edge = map(EDGE_SIZE, 1 << 20);
	m->rdonly = map(EDGE_SIZE, 0);
	fill(m->rdonly, EDGE_SIZE);
	if (mprotect(m->rdonly, EDGE_SIZE, PROT_READ)) {
		perror("mprotect");
		exit(1);
	}
	memory_reset(m);
}

void memory_reset(struct memory *m)
{
	m->meta_used = 0;
	m->dst_used = 0;
}

static void *bad(struct memory *m, long place)
{
	switch (place) {
	case PL_HOLE:
		return m->edge + EDGE_SIZE + 4096 + 8;
	case PL_KERNEL:
		return (void *)0xffff888000001000;
	default:
		return NULL;
	}
}

static size_t edge_of(long edge, size_t len)
{
	size_t n = edge < 0 ? 0 : edge;

	if (n > EDGE_SIZE)
		n = EDGE_SIZE;
	return n < len ? n : len;
}

void *memory_put(struct memory *m, long place, long edge, const void *data, size_t len)
{
	unsigned char *p;

	switch (place) {
	case PL_GOOD:
	case PL_RDONLY:
		p = m->meta + m->meta_used;
		if (len > META_SIZE - m->meta_used)
			abort();
		m->meta_used += (len + 15) & ~15UL;
		break;
	case PL_EDGE:
		len = edge_of(edge, len);
		p = m->edge + EDGE_SIZE - len;
		break;
	default:
		return bad(m, place);
	}
	memcpy(p, data, len);
	return p;
}

void *memory_source(struct memory *m, long place, long edge, size_t len, unsigned int phase)
{
	unsigned char *p;

	switch (place) {
	case PL_GOOD:
		return m->src + phase % 4096 * 3;
	case PL_EDGE:
		len = edge_of(edge, len);
		p = m->edge + EDGE_SIZE - len;
		memcpy(p, m->src + phase % 4096 * 3, len);
		return p;
	case PL_RDONLY:
		return m->rdonly;
	default:
		return bad(m, place);
	}
}

void *memory_room(struct memory *m, long place, long edge, size_t len, size_t *real)
{
	unsigned char *p;

	*real = 0;
	switch (place) {
	case PL_GOOD:
		*real = len < DST_SIZE - m->dst_used ? len : DST_SIZE - m->dst_used;
		p = m->dst + m->dst_used;
		m->dst_used += (*real + 63) & ~63UL;
		return p;
	case PL_EDGE:
		*real = edge_of(edge, len);
		p = m->edge + EDGE_SIZE - *real;
		memset(p, UNTOUCHED, *real);
		return p;
	case PL_RDONLY:
		return m->rdonly;
	default:
		return bad(m, place);
	}
}

void memory_mend(unsigned char *p, size_t len)
{
	memset(p, UNTOUCHED, len);
}
