/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets in each other's queues, of one family or of two. */
#ifndef AF_RUNIX_RING_H
#define AF_RUNIX_RING_H

#include "scm.h"

#define PASS_UNIX	"/proc/sys/net/runix/pass_unix_fds"
#define UNIX_IN_FLIGHT	"/proc/sys/net/runix/unix_fds_in_flight"
#define MIXED		"/sys/module/runix/parameters/mixed_collector"

/* Long enough for collectors that look every few seconds. */
#define IN_TIME		(20000 * time_scale())

static inline long read_number(const char *path)
{
	FILE *f = fopen(path, "re");
	long n = -1;

	if (f) {
		if (fscanf(f, "%ld", &n) != 1)
			n = -1;
		fclose(f);
	}
	return n;
}

static inline int write_word(const char *path, const char *word)
{
	int fd = rc(open(path, O_WRONLY | O_CLOEXEC)), ret;

	if (fd < 0)
		return fd;
	ret = rc(write(fd, word, strlen(word)));
	close(fd);
	return ret < 0 ? ret : 0;
}

/* Has everybody who could write to the pipe gone, in so many milliseconds? */
static inline bool ends_within(int pipe, int ms)
{
	struct pollfd p = { .fd = pipe, .events = POLLIN };

	return poll(&p, 1, ms) == 1 && p.revents == POLLHUP;
}

/* A socket that can be passed, and the one that sends to it. */
struct node {
	int fd;
	int in;
};

static inline int make_node(struct node *n, int family, int type)
{
	int sv[2], ret = rc(socketpair(family, type, 0, sv));

	n->in = ret ? ret : sv[0];
	n->fd = ret ? ret : sv[1];
	return ret;
}

/* Into the queue of a socket. */
static inline long put_into(struct node *n, int fd)
{
	return say_fd(n->in, "x", fd);
}

static inline void close_node(struct node *n)
{
	close(n->in);
	close(n->fd);
}

/* The end of any socket of a family makes its collector look. */
static inline void close_another(int family)
{
	close(rc(socket(family, SOCK_DGRAM, 0)));
}

/*
 * Do all who could write to the pipe go? AF_UNIX looks when a socket is closed, and
 * may do so before the last descriptor is gone for good.
 */
static inline bool goes(int family, int pipe)
{
	int i;

	if (family != AF_UNIX)
		return ends_within(pipe, IN_TIME);
	for (i = 0; i < IN_TIME / 100; i++) {
		close_another(family);
		if (ends_within(pipe, 100))
			return true;
	}
	return false;
}

/* How many sockets of a family are alive, by a line in /proc/net/protocols. */
static inline long alive(const char *protocol)
{
	FILE *f = fopen("/proc/net/protocols", "re");
	char line[256], name[32];
	long n, size;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%31s %ld %ld", name, &size, &n) == 3 &&
		    !strcmp(name, protocol)) {
			fclose(f);
			return n;
		}
	if (f)
		fclose(f);
	return -1;
}

/* Objects in use in a slab cache; -1 where there is no such cache. */
static inline long objects_of(const char *cache)
{
	char line[512], name[64];
	long active, n = -1;
	FILE *f;

	snprintf(line, sizeof(line), "/sys/kernel/slab/%s/shrink", cache);
	write_word(line, "1");
	f = fopen("/proc/slabinfo", "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %ld", name, &active) == 2 && !strcmp(name, cache))
			n = active;
	if (f)
		fclose(f);
	return n;
}

#endif /* AF_RUNIX_RING_H */
