// SPDX-License-Identifier: GPL-2.0
/* What connections keep of memory when all that was sent was read. */
#include "ring.h"

#include <sys/resource.h>

FAMILY_FIXTURE(idle);

#define BUFFERS	"runix_512"
#define PAIRS	400	/* two queues each */
#define PLACES	128	/* queues that keep what they have */
#define SLACK	96	/* what each processor keeps */

static void talk(struct __test_metadata *_metadata, int sv[][2], long before,
		 bool told, bool again)
{
	long after;
	int i, end;

	for (i = 0; i < 2 * PAIRS; i++) {
		int from = sv[i / 2][i % 2], to = sv[i / 2][!(i % 2)];
		struct control c;
		char buf[8];

		for (end = 0; end < 2; end++)
			ASSERT_EQ(0, setint(sv[i / 2][end], SO_PASSCRED, told));
		ASSERT_EQ(1, say(from, "a"));
		ASSERT_EQ(1, recv_all(to, buf, sizeof(buf), &c));
		ASSERT_EQ(told ? getpid() : -1, get_creds(&c).pid);
		if (again)
			ASSERT_EQ(-EAGAIN, recv_all(to, buf, sizeof(buf), &c));
	}
	after = objects_of(BUFFERS);
	/* A buffer for bytes, and one for the sender. */
	EXPECT_GE(2 * PLACES + SLACK, after - before) TH_LOG("%ld, then %ld", before, after);
}

TEST_F(idle, buffers)
{
	static int sv[PAIRS][2];
	struct rlimit most = { 4096, 4096 };
	long before;
	int i;

	setrlimit(RLIMIT_NOFILE, &most);
	for (i = 0; i < PAIRS; i++) {
		ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, sv[i])));
	}
	before = objects_of(BUFFERS);
	for (i = 0; i < 4; i++)
		talk(_metadata, sv, before, i % 2, i / 2);
	for (i = 0; i < PAIRS; i++) {
		close(sv[i][0]);
		close(sv[i][1]);
	}
}

/* Bytes that the allocator takes for each object of a cache; zero where there is none. */
static long bytes_each(const char *family, const char *type)
{
	char path[128];
	long n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s%s/slab_size", family, type);
	f = fopen(path, "re");
	if (f && fscanf(f, "%ld", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}

/* A socket takes no more memory than one of AF_UNIX. */
TEST_F(idle, sockets)
{
	static const char *const types[] = { "", "-STREAM" };
	size_t i;

	if (!access("/proc/lockdep_stats", F_OK))
		SKIP(return, "locks have other sizes in a debug kernel");
	for (i = 0; i < 2; i++) {
		long theirs = bytes_each("UNIX", types[i]);

		if (!theirs)
			SKIP(return, "no sizes in /sys/kernel/slab");
		EXPECT_LT(0, bytes_each(family_name(self->family), types[i]));
		EXPECT_GE(theirs, bytes_each(family_name(self->family), types[i]));
	}
}

TEST_HARNESS_MAIN
