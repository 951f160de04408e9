// SPDX-License-Identifier: GPL-2.0
/* Results in words: the same words wherever the same came out. */

#include <string.h>

#include "calls.h"

void say_result(struct exec *x, long ret)
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
void say_rest(struct exec *x, unsigned char *p, size_t done, size_t real)
{
	size_t same = intact(p + done, real - done);

	if (same != real - done) {
		say(x, " and behind it %zu intact", same);
		done = real;
	}
	memory_mend(p, done);
}

/* What @ret bytes of result are in a buffer, and whether more of it was touched. */
void say_buffer(struct exec *x, long ret, unsigned char *p, size_t real)
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
void say_name(struct exec *x, unsigned char *p, long len, size_t room)
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

void say_pid(struct exec *x, int pid)
{
	if (pid == x->pid)
		say(x, "self");
	else
		say(x, "%d", pid);
}

void say_out_name(struct exec *x, long ret, const struct out *o, const struct arg *a)
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

void say_vector(struct exec *x, long ret, const struct vector *v)
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
