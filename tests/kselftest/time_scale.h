/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's harness, with RUNIX_TIME_SCALE times as much time for each test:
 * a kernel that checks every access and lock is many times as slow, and so is
 * an emulated one. The harness waits for a test by poll().
 */
#ifndef RUNIX_TIME_SCALE_H
#define RUNIX_TIME_SCALE_H

#include <poll.h>
#include <stdlib.h>

static inline int time_scale(void)
{
	const char *scale = getenv("RUNIX_TIME_SCALE");
	int n = scale ? atoi(scale) : 0;

	return n > 0 ? n : 1;
}

static inline int poll_scaled(struct pollfd *fds, nfds_t n, int ms)
{
	return poll(fds, n, ms > 0 ? ms * time_scale() : ms);
}

#define poll poll_scaled
#include "kselftest_harness.h"
#undef poll

#endif /* RUNIX_TIME_SCALE_H */
