/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small world of sockets in which several tasks do as they like: slots with
 * sockets of all types, names, a listener. Whoever takes a socket from a slot may
 * find it closed, connected or shut down by somebody else at any moment.
 *
 * Nothing is expected of a single call but that it comes back, with an error that
 * it may have. When all is over, everything must be gone.
 */
#ifndef AF_RUNIX_RACE_H
#define AF_RUNIX_RACE_H

#include "scm.h"

#define SLOTS		12
#define FIRST_SLOT	500	/* descriptors of a fixed number, replaced by dup3() */
#define NAMES		4	/* paths, then as many abstract names */

struct world {
	int family;
	int guard;		/* keeps the module in use */
	pid_t owner;
	bool over;
	long calls;
	long bad;		/* a call with an error that it must not have */
	char what[96];
};

static struct world world;

struct actor {
	const char *name;
	void (*act)(unsigned int *seed);
};

static inline unsigned int pick(unsigned int *seed, unsigned int n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

static inline int slot(unsigned int *seed)
{
	return FIRST_SLOT + pick(seed, SLOTS);
}

static inline int any_type(unsigned int *seed)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

	return types[pick(seed, 3)];
}

static inline struct name any_name(unsigned int *seed)
{
	unsigned int n = pick(seed, 2 * NAMES);
	struct name name = {};

	name.un.sun_family = world.family;
	if (n < NAMES)
		snprintf(name.un.sun_path, sizeof(name.un.sun_path), "race.%u", n);
	else
		snprintf(name.un.sun_path + 1, sizeof(name.un.sun_path) - 1, "race.%d.%u",
			 world.owner, n);
	name.len = PATH_OFF + (n < NAMES ? strlen(name.un.sun_path)
					 : strlen(name.un.sun_path + 1)) + 1;
	return name;
}

/* What any call here may say: these, and what its own list adds. */
static inline void judge(const char *call, long ret, const int *more)
{
	static const int always[] = { EAGAIN, EINTR, EBADF, 0 };

	__atomic_fetch_add(&world.calls, 1, __ATOMIC_RELAXED);
	if (ret >= 0)
		return;
	for (const int *e = always; *e; e++)
		if (-ret == *e)
			return;
	for (const int *e = more; *e; e++)
		if (-ret == *e)
			return;
	if (!__atomic_fetch_add(&world.bad, 1, __ATOMIC_RELAXED))
		snprintf(world.what, sizeof(world.what), "%s: %s", call, strerror(-ret));
}

#define JUDGE(_call, _ret, ...)	judge(_call, _ret, (const int[]) { __VA_ARGS__ __VA_OPT__(,) 0 })

/* Nobody waits for long. */
static inline void hurry(int fd)
{
	set_timeo(fd, SO_RCVTIMEO, 3);
	set_timeo(fd, SO_SNDTIMEO, 3);
}

/* Puts a socket into a slot; the one that was there is closed. */
static inline void settle(unsigned int *seed, int fd)
{
	if (fd < 0)
		return;
	hurry(fd);
	dup3(fd, slot(seed), O_CLOEXEC);
	close(fd);
}

#endif /* AF_RUNIX_RACE_H */
