// SPDX-License-Identifier: GPL-2.0
/*
 * Processes beside the measuring one. They are told to go, and tell that they are
 * done, through pipes: two switches for thousands of operations.
 */
#include <stdlib.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

#include "bench.h"

#define MEMBERS_MAX 64

struct crew {
	int members;
	/* The number of operations. One for each: none may take another's order. */
	int go[MEMBERS_MAX][2];
	int done[2];	/* a byte from each member */
};

static void crew_fork(struct job *job, int members, crew_fn fn, bool answering)
{
	struct crew *crew = calloc(1, sizeof(*crew));

	if (!crew || members > MEMBERS_MAX || pipe(crew->done))
		fail_job("crew");
	crew->members = members;
	job->crew = crew;
	for (int i = 0; i < members; i++) {
		pid_t pid;
		long ops;

		if (pipe(crew->go[i]))
			fail_job("crew");
		pid = fork();
		if (pid < 0)
			fail_job("fork");
		if (pid)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (answering) {
			fn(job, i, 0);
			_exit(0);
		}
		while (read(crew->go[i][0], &ops, sizeof(ops)) == sizeof(ops)) {
			fn(job, i, ops);
			if (write(crew->done[1], "", 1) != 1)
				break;
		}
		_exit(0);
	}
}

void crew_serve(struct job *job, int members, crew_fn fn)
{
	crew_fork(job, members, fn, true);
}

void crew_start(struct job *job, int members, crew_fn fn)
{
	crew_fork(job, members, fn, false);
}

void crew_go(struct job *job, long ops)
{
	for (int i = 0; i < job->crew->members; i++)
		if (write(job->crew->go[i][1], &ops, sizeof(ops)) != sizeof(ops))
			fail_job("crew_go");
}

/* Waits for some of them; those that do nothing of note need not be waited for. */
void crew_wait(struct job *job, int members)
{
	char buf[64];

	while (members > 0) {
		ssize_t n = read(job->crew->done[0], buf,
				 members < 64 ? members : 64);

		if (n <= 0)
			fail_job("crew_wait");
		members -= n;
	}
}
