/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the races about large messages share, which a writer may copy straight to the memory
 * of a reader that waits.
 *
 * What is sent says where it belongs, so that bytes that are lost, doubled, moved or
 * foreign are seen.
 */
#ifndef AF_RUNIX_LANDING_RACE_H
#define AF_RUNIX_LANDING_RACE_H

#include "scm.h"
#include "stress.h"

#include <sched.h>

/* --- bytes that say where they belong ------------------------------------- */

enum { WORDS = 1 << 18, PERIOD = 8 * WORDS, MOST = 64 * 9000, UNIT = 64 };

static uint64_t source[WORDS + MOST / 8];
#define BYTES	((char *)source)

static char *room;	/* of a reader, with space for an odd start */
static bool over;

static inline char *new_room(void)
{
	return mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static inline void prepare(int fam)
{
	for (size_t i = 0; i < sizeof(source) / 8; i++)
		source[i] = i % WORDS | 0xa5ULL << 56;
	room = new_room();
	over = false;
	signal(SIGPIPE, SIG_IGN);
	begin(fam);
	/* AF_UNIX shows that what is expected is right, which takes no time. */
	deadline -= fam == AF_UNIX ? 650 : 400;
}

/* Where in the source the bytes are; -1 if nowhere. */
static inline long place(const char *buf, long len)
{
	for (int k = 0; k < 8 && k + 8 <= len; k++) {
		uint64_t word;
		long at;

		memcpy(&word, buf + k, 8);
		if (word >> 56 != 0xa5)
			continue;
		at = ((word & ~(0xffULL << 56)) * 8 + PERIOD - k) % PERIOD;
		if (!memcmp(buf, BYTES + at, len))
			return at;
	}
	return -1;
}

/* At times much, at times very much, and at times little. */
static inline long some(unsigned int *seed)
{
	unsigned int r = rnd(seed);

	return UNIT * (1 + rnd(seed) % (r % 8 == 0 ? 50 : r % 8 < 4 ? 2000 : MOST / UNIT));
}

static inline void stop(void)
{
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
}

static inline bool stopped(void)
{
	return __atomic_load_n(&over, __ATOMIC_RELAXED);
}

/* --- signals ------------------------------------------------------------------ */

static struct worker *target[2];

/* Signals to both, for as long as nobody is joined. */
static inline void *pester(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 17;

	while (more()) {
		pthread_kill(target[rnd(&seed) & 1]->thread, SIGUSR1);
		w->good++;
		usleep(rnd(&seed) % 1500);
	}
	return NULL;
}

/* --- memory that fails the writer -------------------------------------------- */

static char *weak;	/* the source, in pages that come and go */

static inline bool weak_source(void)
{
	int fd = memfd_create("weak", MFD_CLOEXEC);

	if (fd < 0 || write(fd, BYTES, sizeof(source)) != sizeof(source))
		return false;
	weak = mmap(NULL, sizeof(source), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return weak != MAP_FAILED;
}

static inline void *weakener(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 31;

	do {
		char *p = weak + 4096 * (rnd(&seed) % (PERIOD / 4096));

		if (rnd(&seed) % 2) {
			madvise(weak, sizeof(source), MADV_DONTNEED);
		} else {
			mprotect(p, 4096, PROT_NONE);
			usleep(rnd(&seed) % 500);
			mprotect(p, 4096, PROT_READ);
		}
		w->good++;
		usleep(rnd(&seed) % 300);
	} while (!stopped());
	return NULL;
}

/* --- who runs ------------------------------------------------------------------ */

/* One CPU for all; those who are first have it until they sleep. */
static inline bool one_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

static inline void be_first(bool first)
{
	struct sched_param param = { .sched_priority = first };

	sched_setscheduler(0, first ? SCHED_FIFO : SCHED_OTHER, &param);
}

#endif /* AF_RUNIX_LANDING_RACE_H */
