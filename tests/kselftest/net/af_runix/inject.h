/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Injected faults: in a kernel that can do so, the n-th allocation or copy of a
 * system call fails, for n from one on until the call needs no more of them.
 *
 * Whatever fails: the error is a documented one, both ends of the connection
 * can still be used, no descriptor is left, and nothing is half done.
 */
#ifndef AF_RUNIX_INJECT_H
#define AF_RUNIX_INJECT_H

#include "scm.h"

#define FAULTS		"/sys/kernel/debug/"
#define MOST_FAULTS	3000	/* no call here needs as many allocations */

static int nth_fault = -1;	/* /proc/thread-self/fail-nth */

static inline bool put(const char *dir, const char *file, const char *val)
{
	char path[128];
	int fd;
	bool done;

	snprintf(path, sizeof(path), FAULTS "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, val, strlen(val)) == (ssize_t)strlen(val);
	close(fd);
	return done;
}

/* In another kernel there is nothing to do for the whole program. */
__attribute__((constructor)) static void injects(void)
{
	if (!access("/proc/thread-self/fail-nth", W_OK))
		return;
	puts("TAP version 13\n1..0 # SKIP the kernel injects no faults");
	exit(KSFT_SKIP);
}

/* Why faults can't be injected, or NULL. Every allocation counts, and none is told of. */
static inline const char *faults_ready(void)
{
	nth_fault = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fault < 0)
		return "the kernel injects no faults";
	if (!put("failslab", "ignore-gfp-wait", "N") || !put("failslab", "verbose", "0") ||
	    !put("fail_page_alloc", "ignore-gfp-wait", "N") ||
	    !put("fail_page_alloc", "ignore-gfp-highmem", "N") ||
	    !put("fail_page_alloc", "min-order", "0") ||
	    !put("fail_page_alloc", "verbose", "0") || !put("fail_usercopy", "verbose", "0"))
		return "the kernel's injection of faults can't be set up";
	return NULL;
}

static inline void arm(int n)
{
	char num[16];
	int len = snprintf(num, sizeof(num), "%d", n);

	if (pwrite(nth_fault, num, len, 0) != len)
		abort();
}

/* Has the fault happened? To ask is a copy too, which may be the one that fails. */
static inline bool disarm(void)
{
	char left[16] = {};
	bool hit = pread(nth_fault, left, sizeof(left) - 1, 0) > 0 && atoi(left) == 0;

	while (pwrite(nth_fault, "0", 1, 0) != 1)
		;
	return hit;
}

/* --- one call, with what it works on ----------------------------------- */

#define MOST_BYTES	60000

struct scene {
	int family;
	int type;
	int fd[2];		/* a connected pair, not to be broken by the call */
	int made;		/* what the call has made, or -1 */
	int other[2];		/* whatever else it takes, or -1 */
	int pipe[2];		/* the write end is passed, or -1 */
	int len;		/* of the message */
	int nr_fds;		/* with it */
	struct name name;
	char *buf;		/* MOST_BYTES */
};

struct action {
	const char *name;
	int len;
	int nr_fds;
	void (*before)(struct scene *s);
	long (*run)(struct scene *s);	/* the call; as a system call, -1 and errno */
	/* What is wrong afterwards, or NULL. */
	const char *(*after)(struct scene *s, long ret);
	bool streams, packets;		/* types it is for */
};

/* What a call may say for want of memory, or of memory of the program. */
static inline bool documented(long err)
{
	switch (-err) {
	case ENOMEM:
	case ENOBUFS:
	case EFAULT:
	case ENFILE:	/* socket(2): no inode */
	case ENOSPC:	/* bind(2) to a file in memory */
		return true;
	}
	return false;
}

static inline void close_if(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline bool set_scene(struct scene *s, int family, int type, const struct action *a,
			     char *buf)
{
	*s = (struct scene) { .family = family, .type = type, .made = -1, .other = { -1, -1 },
			      .pipe = { -1, -1 }, .buf = buf, .len = a->len,
			      .nr_fds = a->nr_fds };
	if (socketpair(family, type, 0, s->fd) || (a->nr_fds && pipe2(s->pipe, O_NONBLOCK)))
		return false;
	if (a->before)
		a->before(s);
	return true;
}

static inline void drop_scene(struct scene *s)
{
	close_if(&s->fd[0]);
	close_if(&s->fd[1]);
	close_if(&s->made);
	close_if(&s->other[0]);
	close_if(&s->other[1]);
	close_if(&s->pipe[1]);
}

/* Both directions still carry a message, and nothing else is there. */
static inline const char *usable(struct scene *s)
{
	char got[8];

	for (int i = 0; i < 2; i++) {
		if (rc(send(s->fd[i], "ping", 4, MSG_NOSIGNAL | MSG_DONTWAIT)) != 4)
			return "an end can't send any more";
		if (rc(recv(s->fd[!i], got, sizeof(got), MSG_DONTWAIT)) != 4 ||
		    memcmp(got, "ping", 4))
			return "an end doesn't receive any more";
	}
	return NULL;
}

/* One call with the @n-th fault; what is wrong, or NULL. */
static inline const char *one_fault(const struct action *a, int family, int type, int n,
				    char *buf, bool *hit, long *ret)
{
	int before = count_fds();
	const char *wrong;
	struct scene s;

	if (!set_scene(&s, family, type, a, buf))
		return "no scene";
	arm(n);
	*ret = rc(a->run(&s));
	*hit = disarm();
	wrong = !*hit && *ret < 0 ? "fails without a fault" :
		*ret < 0 && !documented(*ret) ? "no documented error" :
		a->after ? a->after(&s, *ret) : NULL;
	if (!wrong)
		wrong = usable(&s);
	drop_scene(&s);
	/* Whatever was in flight is gone with the sockets. */
	if (!wrong && s.pipe[0] >= 0 && !ends_soon(s.pipe[0]))
		wrong = "a descriptor in flight is lost";
	close_if(&s.pipe[0]);
	if (!wrong && count_fds() != before)
		wrong = "descriptors are left over";
	return wrong;
}

#define EACH_FAULT(_a, _type)						\
do {									\
	const struct action *__a = _a;					\
	char *__buf = malloc(MOST_BYTES);				\
	const char *__wrong = NULL;					\
	int __n = 0, __failed = 0;					\
	bool __hit = true;						\
	long __ret = 0;							\
									\
	ASSERT_NE(NULL, __buf);						\
	while (__hit && !__wrong && __n < MOST_FAULTS) {		\
		__wrong = one_fault(__a, self->family, _type, ++__n, __buf,\
				    &__hit, &__ret);			\
		__failed += __hit && __ret < 0;				\
	}								\
	EXPECT_EQ(NULL, __wrong)					\
		TH_LOG("%s, fault %d, result %ld: %s", __a->name, __n, __ret, __wrong);\
	EXPECT_FALSE(__hit);						\
	TH_LOG("%s: %d faults, %d of them seen", __a->name, __n - 1, __failed);\
	free(__buf);							\
} while (0)

#define EACH_ACTION(_actions, _type)					\
do {									\
	const char *__why = faults_ready();				\
									\
	if (__why)							\
		SKIP(return, "%s", __why);				\
	for (size_t __i = 0; __i < sizeof(_actions) / sizeof(_actions[0]); __i++)\
		if ((_type) == SOCK_STREAM ? _actions[__i].streams : _actions[__i].packets)\
			EACH_FAULT(&_actions[__i], _type);		\
} while (0)

#endif /* AF_RUNIX_INJECT_H */
