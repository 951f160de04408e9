// SPDX-License-Identifier: GPL-2.0
/*
 * What a collection costs, and whom: with 10, 1,000 and 100,000 sockets in
 * flight, in the same graphs in both families. The comments are a table.
 *
 * The graph is a ring of sockets, each of which has the next one in its queue,
 * and with it others that have nothing in theirs. First somebody holds it, and
 * the collectors look at it in vain; then nobody does.
 */
#include "ring.h"
#include "wanted.h"

FAMILY_FIXTURE(gc_cost);

#define FILE_MAX	"/proc/sys/fs/file-max"
#define WINDOWS		20

static int family;
static volatile bool done;
static volatile int64_t longest;	/* in nanoseconds, since it was set to 0 */
static volatile long sends;

static int64_t cpu_ns(void)
{
	struct timespec ts;

	/* What others do on this CPU is not the kernel's doing. */
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Passes a socket on, and takes it, as fast as possible. */
static void *sender(void *arg)
{
	struct control c = {};
	struct node n;
	int got;
	char ch;

	if (make_node(&n, family, SOCK_DGRAM))
		return "no sockets";
	while (!done) {
		int64_t before = cpu_ns(), took;

		if (put_into(&n, n.in) != 1)
			return "not sent";
		took = cpu_ns() - before;
		if (took > longest)
			longest = took;
		sends++;
		if (recv_all(n.fd, &ch, 1, &c) != 1 || get_fds(&c, &got) != 1)
			return "not received";
		close(got);
	}
	close_node(&n);
	return NULL;
}

/* Returns a descriptor that holds @n sockets; @pipe is in the last queue. */
static int build(int n, int pipe)
{
	int size = n <= 10 ? 1 : n <= 1000 ? 10 : 100, groups = n / size, g, i;
	struct node first, cur, next;
	int fds[100];

	if (make_node(&first, family, SOCK_DGRAM))
		return -1;
	cur = first;
	for (g = 0; g < groups; g++) {
		bool last = g == groups - 1;

		next = first;
		if (!last && make_node(&next, family, SOCK_DGRAM))
			return -1;
		fds[0] = next.fd;
		for (i = 1; i < size; i++)
			fds[i] = dgram(family);
		if (say_fds(cur.in, "x", fds, size) != 1)
			return -1;
		for (i = 1; i < size; i++)
			close(fds[i]);
		if (last && say_fd(cur.in, "y", pipe) != 1)
			return -1;
		close(cur.in);
		if (cur.fd != first.fd)
			close(cur.fd);
		cur = next;
	}
	return first.fd;
}

/*
 * The longest time that sending took while others were closed; of a few windows, the
 * shortest. Where in no window it has had the time to be kept waiting, of all the longest.
 */
static double worst_send_us(int ms)
{
	int64_t best = INT64_MAX, worst = 0, end, limit = now_ms() + 10000;
	int i = 0;

	while (i < WINDOWS && now_ms() < limit) {
		long before = sends;

		longest = 0;
		end = now_ms() + ms;
		while (now_ms() < end) {
			close_another(family);
			usleep(500);
		}
		if (longest > worst)
			worst = longest;
		if (sends < before + 20)
			continue;
		if (longest < best)
			best = longest;
		i++;
	}
	return (i ? best : worst) / 1000.0;
}

static void measure(struct __test_metadata *_metadata, int n)
{
	double live, dead;
	int64_t begin;
	pthread_t t;
	int p[2], hold;
	void *ret;

	ASSERT_EQ(0, rc(pipe(p)));
	hold = build(n, p[1]);
	ASSERT_LE(0, hold);
	close(p[1]);
	done = false;
	ASSERT_EQ(0, pthread_create(&t, NULL, sender, NULL));
	live = worst_send_us(n > 1000 ? 100 : 5);
	EXPECT_TRUE(still_open(p[0]));
	longest = 0;
	begin = now_ms();
	close(hold);
	/* Both look when a socket is closed. */
	close_another(family);
	EXPECT_TRUE(goes(family, p[0]));
	begin = now_ms() - begin;
	dead = longest / 1000.0;
	done = true;
	pthread_join(t, &ret);
	EXPECT_EQ(NULL, ret)
		TH_LOG("%s", (char *)ret);
	close(p[0]);
	TH_LOG("%-5s %6d sockets: longest send %8.1f us alive, %8.1f us dead; gone in %5ld ms",
	       family_name(family), n, live, dead, (long)begin);
	/* Nobody waits for a whole collection. */
	if (family != AF_UNIX)
		EXPECT_GT(20000 * time_scale(), live);
}

/* Among all other tests, a smaller number tells as much of whether it works. */
static int most(void)
{
	const char *line = command_line();

	return strstr(line, "gc_cost") || !strstr(line, "runix.mode=check") ? 100000 : 10000;
}

TEST_F_TIMEOUT(gc_cost, table, 300)
{
	long limit = read_number(FILE_MAX);
	char text[32];

	family = self->family;
	if (write_word(FILE_MAX, "1000000") < 0)
		SKIP(return, "needs root");
	measure(_metadata, 10);
	measure(_metadata, 1000);
	measure(_metadata, most());
	snprintf(text, sizeof(text), "%ld", limit);
	EXPECT_EQ(0, write_word(FILE_MAX, text));
}

TEST_HARNESS_MAIN
