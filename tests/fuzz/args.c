// SPDX-License-Identifier: GPL-2.0
/* The kinds of arguments: what they have in common. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "args.h"

void add(char *out, size_t size, const char *format, ...)
{
	size_t used = strlen(out);
	va_list ap;

	va_start(ap, format);
	vsnprintf(out + used, size - used, format, ap);
	va_end(ap);
}

void add_flags(char *out, size_t size, const struct name *names, size_t n, long v)
{
	const char *sep = "";

	for (size_t i = 0; i < n; i++) {
		if (!names[i].value || (v & names[i].value) != names[i].value)
			continue;
		add(out, size, "%s%s", sep, names[i].name);
		sep = "|";
		v &= ~names[i].value;
	}
	if (v)
		add(out, size, "%s%#lx", sep, v);
	else if (!*sep)
		add(out, size, "0");
}

void add_name(char *out, size_t size, const struct name *names, size_t n, long v)
{
	for (size_t i = 0; i < n; i++) {
		if (names[i].value == v) {
			add(out, size, "%s", names[i].name);
			return;
		}
	}
	add(out, size, "%ld", v);
}

void errno_text(char *out, size_t size, int err)
{
	const char *s = strerrorname_np(err);

	if (s)
		snprintf(out, size, "%s", s);
	else
		snprintf(out, size, "errno %d", err);
}

const struct kind *kind_of(char letter)
{
	for (const struct kind *k = socket_kinds; k->letter; k++)
		if (k->letter == letter)
			return k;
	for (const struct kind *k = call_kinds; k->letter; k++)
		if (k->letter == letter)
			return k;
	return NULL;
}

/*
 * Classes of values: e(numeration, 0 is the simplest), n(umber), f(lags), o(ptional
 * slot), k(eep).
 */
bool simplify(const struct kind *k, struct arg *a, int step)
{
	for (int i = 0; k->classes[i]; i++) {
		long *v = &a->v[i];

		switch (k->classes[i]) {
		case 'e':
			if (step == 0) {
				*v = 0;
				return true;
			}
			step -= 1;
			break;
		case 'o':
			if (step == 0) {
				*v = -2;
				return true;
			}
			step -= 1;
			break;
		case 'n':
			if (step < 5) {
				const long to[] = { 0, 1, 4, *v / 2, *v > 0 ? *v - 1 : *v };

				/* Never away from what is simplest. */
				if (*v < 0 || to[step] < *v)
					*v = to[step];
				return true;
			}
			step -= 5;
			break;
		case 'f':
			if (step == 0) {
				*v = 0;
				return true;
			}
			if (step <= 32) {
				*v &= ~(1L << (step - 1));
				return true;
			}
			step -= 33;
			break;
		}
	}
	return false;
}
