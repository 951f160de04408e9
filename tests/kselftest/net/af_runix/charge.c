// SPDX-License-Identifier: GPL-2.0
/* What waits in queues is charged to the control group of who sent it. */

#include "packet.h"

EVERY_FIXTURE(charge);

#define CGROUPS	"/sys/fs/cgroup"
#define NR	24
#define SIZE	4096

static bool write_file(const char *dir, const char *file, const char *what)
{
	char path[200];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, what, strlen(what)) == (ssize_t)strlen(what);
	if (fd >= 0)
		close(fd);
	return done;
}

/* Bytes of memory that the group has been charged with. */
static long charged(const char *dir)
{
	char path[200];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/memory.current", dir);
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%ld", &n) != 1)
			n = -1;
		fclose(f);
	}
	return n;
}

TEST_F(charge, sender)
{
	static char buf[SIZE];
	long before, full, after, sent = 0;
	int sv[NR][2], i;
	char dir[100];

	if (!runix_required())
		SKIP(return, "would change the control groups of the whole system");
	snprintf(dir, sizeof(dir), CGROUPS "/rx.%d", getpid());
	if (!write_file(CGROUPS, "cgroup.subtree_control", "+memory") || mkdir(dir, 0755))
		SKIP(return, "no control groups for memory: %m");
	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, rc(socketpair(self->family, self->type, 0, sv[i])));
	}

	ASSERT_TRUE(write_file(dir, "cgroup.procs", "0"));
	before = charged(dir);
	for (i = 0; i < NR; i++)
		while (send(sv[i][0], buf, SIZE, MSG_DONTWAIT) == SIZE)
			sent += SIZE;
	full = charged(dir);
	/* Who receives is not asked, nor charged. */
	ASSERT_TRUE(write_file(CGROUPS, "cgroup.procs", "0"));
	for (i = 0; i < NR; i++)
		while (recv(sv[i][1], buf, SIZE, MSG_DONTWAIT) > 0)
			;
	for (i = 0; i < NR; i++) {
		close(sv[i][0]);
		close(sv[i][1]);
	}
	after = charged(dir);
	EXPECT_LE(NR * SIZE, sent);
	/* Charges are made in lumps, each processor its own. */
	EXPECT_LE(sent * 3 / 4, full - before) TH_LOG("%ld sent, %ld charged", sent, full - before);
	EXPECT_GE((full - before) / 2, after - before) TH_LOG("%ld left", after - before);
	for (i = 0; i < 100 && rmdir(dir); i++)
		usleep(10000);
	EXPECT_GT(100, i);
}

TEST_HARNESS_MAIN
