// SPDX-License-Identifier: GPL-2.0
/* Makes a program that shows a difference as short and plain as it can be. */

#include <string.h>

#include "fuzz.h"

int differs(const struct pair *sides, const struct program *p)
{
	run(sides->left, p, sides->l);
	run(sides->right, p, sides->r);
	return compare(p, sides->l, sides->r);
}

bool certain(const struct pair *sides, const struct program *p)
{
	static char first[sizeof(sides->l->text)];

	run(sides->left, p, sides->l);
	memcpy(first, sides->l->text, sides->l->used);
	for (int i = 0; i < 3; i++) {
		uint32_t used = sides->l->used;

		if (differs(sides, p) < 0)
			return false;
		if (sides->l->used != used || memcmp(first, sides->l->text, used))
			return false;
	}
	return true;
}

/* Is it still a finding? Then it takes the place of the old one. */
static bool adopt(const struct pair *sides, struct program *p, struct program *candidate)
{
	int at;

	for (int i = 0; i < candidate->n; i++)
		if (call_excluded(candidate, &candidate->call[i]))
			return false;
	at = differs(sides, candidate);
	if (at < 0)
		return false;
	/* What comes behind the difference is not needed. */
	if (at + 1 < candidate->n)
		candidate->n = at + 1;
	if (differs(sides, candidate) != at)
		return false;
	*p = *candidate;
	return true;
}

static void without(struct program *to, const struct program *from, int at, int n)
{
	*to = *from;
	memmove(&to->call[at], &from->call[at + n], (from->n - at - n) * sizeof(to->call[0]));
	to->n -= n;
}

static bool fewer_calls(const struct pair *sides, struct program *p)
{
	struct program candidate;
	bool better = false;

	for (int n = p->n / 2; n; n /= 2) {
		for (int at = p->n - n; at >= 0;) {
			if (at + n > p->n) {
				at = p->n - n;
				continue;
			}
			without(&candidate, p, at, n);
			if (candidate.n && adopt(sides, p, &candidate))
				better = true;
			at -= n;
		}
	}
	return better;
}

static bool plainer_arguments(const struct pair *sides, struct program *p)
{
	bool better = false;

	for (int i = 0; i < p->n; i++) {
		const char *sig = ops[p->call[i].op].sig;

		if (p->call[i].thread) {
			struct program candidate = *p;

			candidate.call[i].thread = 0;
			if (adopt(sides, p, &candidate))
				better = true;
		}
		for (int j = 0; sig[j] && i < p->n; j++) {
			const struct kind *k = kind_of(sig[j]);

			for (int step = 0; i < p->n; step++) {
				struct program candidate = *p;
				struct arg *a = &candidate.call[i].arg[j];

				if (!simplify(k, a, step))
					break;
				if (!memcmp(a, &p->call[i].arg[j], sizeof(*a)))
					continue;
				if (adopt(sides, p, &candidate))
					better = true;
			}
		}
	}
	return better;
}

static bool plainer_flavour(const struct pair *sides, struct program *p)
{
	static const unsigned int flavours[] = { FL_BIG, FL_USER, FL_BLOCK, FL_THREADS, FL_URGENT };
	bool better = false;

	for (int i = 0; i < 5; i++) {
		struct program candidate = *p;

		candidate.flavour &= ~flavours[i];
		if (candidate.flavour != p->flavour && adopt(sides, p, &candidate))
			better = true;
	}
	return better;
}

void shrink(const struct pair *sides, struct program *p)
{
	struct program whole = *p;

	adopt(sides, p, &whole);
	for (int round = 0; round < 6; round++) {
		bool better = fewer_calls(sides, p);

		better |= plainer_flavour(sides, p);
		better |= plainer_arguments(sides, p);
		if (!better)
			break;
	}
	/* The outcomes that belong to it. */
	differs(sides, p);
}
