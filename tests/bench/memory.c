// SPDX-License-Identifier: GPL-2.0
/* What a pair holds: bytes of the machine's free memory, over many pairs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

#define PAIRS 4000

/*
 * Free memory in bytes, with the pages that sit in the CPUs' own lists: those
 * are not counted as free, and come and go by hundreds.
 */
static double free_memory(void)
{
	char line[256], *at;
	long kib = 0, listed = 0, n;
	FILE *file;
	int fd;

	/* What was closed a moment ago is freed after a grace period. */
	usleep(300000);
	fd = open("/proc/sys/vm/stat_refresh", O_WRONLY);
	if (fd >= 0) {
		if (write(fd, "1", 1) < 0)
			skip_job("stat_refresh: %s", strerror(errno));
		close(fd);
	}
	file = fopen("/proc/meminfo", "r");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "MemFree: %ld", &kib);
	if (file)
		fclose(file);
	file = fopen("/proc/zoneinfo", "r");
	while (file && fgets(line, sizeof(line), file)) {
		at = line + strspn(line, " ");
		if (sscanf(at, "count: %ld", &n) == 1)
			listed += n;
	}
	if (file)
		fclose(file);
	if (!kib)
		skip_job("no /proc/meminfo");
	return kib * 1024.0 + listed * (double)sysconf(_SC_PAGESIZE);
}

static struct end (*open_pairs(void))[2]
{
	struct end (*pairs)[2] = calloc(PAIRS, sizeof(*pairs));
	struct rlimit limit = { 4 * PAIRS + 64, 4 * PAIRS + 64 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		skip_job("RLIMIT_NOFILE: %s", strerror(errno));
	/* Neither the table nor the descriptor table shall grow while it is measured. */
	memset(pairs, 1, PAIRS * sizeof(*pairs));
	if (dup2(0, 4 * PAIRS + 63) < 0)
		fail_job("dup2");
	return pairs;
}

static void fill_pairs(struct job *job, struct end (*pairs)[2])
{
	for (int i = 0; i < PAIRS; i++) {
		if (job->subject->kind == KIND_PIPE) {
			int fd[2];

			if (pipe(fd))
				fail_job("pipe");
			pairs[i][0] = (struct end){ .kind = KIND_PIPE, .wr = fd[1] };
			pairs[i][1] = (struct end){ .kind = KIND_PIPE, .rd = fd[0] };
			continue;
		}
		open_pair(job);
		pairs[i][0] = job->a;
		pairs[i][1] = job->b;
	}
}

static double measure_idle(struct job *job)
{
	struct end (*pairs)[2] = open_pairs();
	double before = free_memory();

	fill_pairs(job, pairs);
	return (before - free_memory()) / PAIRS;
}

/* More than the idle pair holds: with a byte queued, or after that was read. */
static double measure_more(struct job *job, bool drain)
{
	struct end (*pairs)[2] = open_pairs();
	double before;

	fill_pairs(job, pairs);
	before = free_memory();
	for (int i = 0; i < PAIRS; i++)
		send_all(&pairs[i][0], job->buf, 1);
	for (int i = 0; drain && i < PAIRS; i++)
		recv_all(&pairs[i][1], job->buf2, 1);
	return (before - free_memory()) / PAIRS;
}

static double measure_queued(struct job *job)
{
	return measure_more(job, false);
}

static double measure_drained(struct job *job)
{
	return measure_more(job, true);
}

static const size_t none[] = { 0 };

const struct workload memory[] = {
	{ "mem-idle", "bytes of an idle pair", ALL_TYPES, PIPE | TCP, none,
	  .measure = measure_idle },
	{ "mem-queued", "bytes more with one byte queued", ALL_TYPES, PIPE | TCP, none,
	  .measure = measure_queued },
	{ "mem-drained", "bytes more after that byte was read", ALL_TYPES, PIPE | TCP, none,
	  .measure = measure_drained },
	{ }
};
