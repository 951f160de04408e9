/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the races share: threads that get into each other's way for a short
 * while (STRESS_MS milliseconds), after which their books have to balance.
 */
#ifndef AF_RUNIX_STRESS_H
#define AF_RUNIX_STRESS_H

#include "common.h"

static int64_t deadline;	/* of this race */
static int family;		/* what everybody races in */

static inline void begin(int fam)
{
	const char *ms = getenv("STRESS_MS");

	family = fam;
	deadline = now_ms() + (ms ? atoi(ms) : 700);
}

/* Is there time for another round? For a first one there always is. */
static inline bool more(void)
{
	static __thread bool begun;

	if (!begun)
		return begun = true;
	return now_ms() < deadline;
}

static inline unsigned int rnd(unsigned int *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

/* A thread, what it works with, and what became of it. */
struct worker {
	int id;
	int fd;
	struct name to, to2;
	long good;		/* rounds that went as they should */
	long other;		/* rounds that went as they may */
	long bad;		/* anything else, and the last of it: */
	long what;
	pthread_t thread;
};

static inline void start(struct worker *w, void *(*fn)(void *))
{
	if (pthread_create(&w->thread, NULL, fn, w))
		abort();
}

static inline void wrong(struct worker *w, long what)
{
	w->bad++;
	w->what = what;
}

#define JOIN(_w)							\
do {									\
	pthread_join((_w)->thread, NULL);				\
	EXPECT_EQ(0, (_w)->bad)						\
		TH_LOG("worker %d, the last one with %ld", (_w)->id, (_w)->what);\
} while (0)

#endif /* AF_RUNIX_STRESS_H */
