// SPDX-License-Identifier: GPL-2.0
/*
 * Who is about to sleep may hand its CPU to the peer, or look for a while: AF_RUNIX does,
 * AF_UNIX does not. Nobody else may suffer by it: each test takes longer, by far, if
 * somebody does.
 */

#include "common.h"

#include <sched.h>
#include <sys/sysinfo.h>

FAMILY_FIXTURE(patience);

/* Beyond what a busy machine makes of the times; and it is tried a few times. */
#define SLACK_MS	1000
#define TRIES		3

static bool pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

static void echo(int fd)
{
	char ch;

	while (rc(recv(fd, &ch, 1, 0)) == 1)
		if (send(fd, &ch, 1, MSG_NOSIGNAL) != 1)
			break;
	_exit(0);
}

/* The milliseconds that @turns round trips take between two processes on one CPU. */
static int64_t take_turns(int family, int type, int turns, int fifo)
{
	struct sched_param param = { .sched_priority = fifo };
	int64_t start;
	int sv[2], i;
	char ch = 'x';
	pid_t pid;

	if (socketpair(family, type, 0, sv))
		return -errno;
	pid = spawn();
	if (!pid) {
		close(sv[0]);
		if (!pin(0) || (fifo && sched_setscheduler(0, SCHED_FIFO, &param)))
			_exit(1);
		echo(sv[1]);
	}
	close(sv[1]);
	start = now_ms();
	for (i = 0; i < turns; i++)
		if (rc(send(sv[0], &ch, 1, MSG_NOSIGNAL)) != 1 ||
		    rc(recv(sv[0], &ch, 1, 0)) != 1)
			break;
	start = now_ms() - start;
	if (type == SOCK_DGRAM)
		kill(pid, SIGKILL);
	close(sv[0]);
	waitpid(pid, NULL, 0);
	return i == turns ? start : -EPIPE;
}

static pid_t hog(int cpu)
{
	pid_t pid = spawn();

	if (pid)
		return pid;
	pin(cpu);
	for (;;)
		asm volatile("");
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Runs an expression in a process of its own, which may be pinned and have any priority. */
#define APART(_expr)	IN_CHILD((pin(0) && (_expr)) ? 0 : 1)

/* Two that take turns on one CPU, while something else keeps it busy. */
static bool turns_with_hog(int family, int type)
{
	enum { TURNS = 100 };
	int64_t with, reference;
	pid_t pid = hog(0);
	bool good = false;

	for (int i = 0; i < TRIES && !good; i++) {
		reference = take_turns(AF_UNIX, type, TURNS, 0);
		with = take_turns(family, type, TURNS, 0);
		dprintf(1, "# with something busy beside: %lld ms, AF_UNIX %lld ms\n",
			(long long)with, (long long)reference);
		if (with < 0 || reference < 0)
			break;
		good = with <= 3 * reference + SLACK_MS;
	}
	stop(pid);
	return good;
}

TEST_F(patience, busy_neighbour)
{
	EXPECT_EQ(0, APART(turns_with_hog(self->family, SOCK_STREAM)));
	EXPECT_EQ(0, APART(turns_with_hog(self->family, SOCK_DGRAM)));
}

/* The neighbour gets its share, too. */
static bool neighbour_works(int family)
{
	volatile uint64_t *work = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t alone, beside;
	int64_t start, ms;
	pid_t pid;

	if (work == MAP_FAILED)
		return false;
	pid = spawn();
	if (!pid) {
		pin(0);
		for (;;)
			++*work;
	}
	usleep(200000);
	alone = *work;
	start = now_ms();
	if (take_turns(family, SOCK_STREAM, 1000, 0) < 0)
		return false;
	beside = *work - alone;
	ms = now_ms() - start;
	stop(pid);
	/* In 200 ms it did `alone`; a tenth of that speed is left to it at least. */
	return beside * 200 * 10 >= alone * ms || ms < 20;
}

TEST_F(patience, neighbour_works)
{
	EXPECT_EQ(0, APART(neighbour_works(self->family)));
}

/*
 * A real-time task that waits for an ordinary one on the same CPU must sleep: whatever it
 * did instead would keep that from running.
 */
static bool real_time_waits(int family, int type)
{
	struct sched_param param = { .sched_priority = 10 };
	int sv[2], i;
	char ch;
	pid_t pid;

	if (socketpair(family, type, 0, sv) || set_timeo(sv[0], SO_RCVTIMEO, 20000))
		return false;
	pid = spawn();
	if (!pid)
		echo(sv[1]);
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		return false;
	for (i = 0; i < 200; i++)
		if (rc(send(sv[0], "x", 1, 0)) != 1 || rc(recv(sv[0], &ch, 1, 0)) != 1)
			break;
	param.sched_priority = 0;
	sched_setscheduler(0, SCHED_OTHER, &param);
	stop(pid);
	return i == 200;
}

/* And two of them, while an ordinary one is busy, take turns as if they were alone. */
static bool real_time_turns(int family)
{
	struct sched_param param = { .sched_priority = 10 };
	int64_t ms, limit = (500 + SLACK_MS) * time_scale();
	pid_t pid = hog(0);

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		return false;
	for (int i = 0; i < TRIES; i++) {
		ms = take_turns(family, SOCK_STREAM, 500, 10);
		if (ms < limit)
			break;
	}
	param.sched_priority = 0;
	sched_setscheduler(0, SCHED_OTHER, &param);
	stop(pid);
	return ms >= 0 && ms < limit;
}

TEST_F(patience, real_time)
{
	EXPECT_EQ(0, APART(real_time_waits(self->family, SOCK_STREAM)));
	EXPECT_EQ(0, APART(real_time_waits(self->family, SOCK_SEQPACKET)));
	EXPECT_EQ(0, APART(real_time_turns(self->family)));
}

/* Far more that want to run than there are CPUs. */
static int64_t crowd(int family)
{
	int pairs = 4 * get_nprocs(), i, j;
	int64_t start = now_ms();
	char ch;

	for (i = 0; i < pairs; i++) {
		int sv[2];

		if (socketpair(family, SOCK_STREAM, 0, sv))
			return -errno;
		if (!spawn())
			echo(sv[1]);
		if (!spawn()) {
			for (j = 0; j < 300; j++)
				if (send(sv[0], "x", 1, 0) != 1 || recv(sv[0], &ch, 1, 0) != 1)
					_exit(1);
			shutdown(sv[0], SHUT_RDWR);
			_exit(0);
		}
		close(sv[0]);
		close(sv[1]);
	}
	for (i = 0; i < 2 * pairs; i++) {
		int status;

		if (wait(&status) < 0 || status)
			return -ECHILD;
	}
	return now_ms() - start;
}

TEST_F(patience, crowd)
{
	int64_t reference, ms;

	for (int i = 0; i < TRIES; i++) {
		reference = crowd(AF_UNIX);
		ms = crowd(self->family);
		TH_LOG("%lld ms, AF_UNIX %lld ms", (long long)ms, (long long)reference);
		ASSERT_LE(0, reference);
		ASSERT_LE(0, ms);
		if (ms <= 3 * reference + SLACK_MS)
			break;
	}
	EXPECT_GE(3 * reference + SLACK_MS, ms);
}

/* A companion that goes on with something else keeps nobody from a message for long. */
static bool late_news(int family)
{
	int64_t longest = 0, was;
	int sv[2], i;
	char ch;
	pid_t pid;

	if (socketpair(family, SOCK_STREAM, 0, sv))
		return false;
	pid = spawn();
	if (!pid) {
		/* Answers at once, and then works for long. */
		while (rc(recv(sv[1], &ch, 1, 0)) == 1) {
			int64_t until = now_ms() + 30;

			send(sv[1], &ch, 1, MSG_NOSIGNAL);
			while (now_ms() < until)
				asm volatile("");
		}
		_exit(0);
	}
	for (i = 0; i < 20; i++) {
		was = now_ms();
		if (rc(send(sv[0], "x", 1, 0)) != 1 || rc(recv(sv[0], &ch, 1, 0)) != 1)
			return false;
		longest = now_ms() - was > longest ? now_ms() - was : longest;
	}
	stop(pid);
	dprintf(1, "# the longest wait for an answer: %lld ms\n", (long long)longest);
	return longest < 30 + SLACK_MS;
}

TEST_F(patience, busy_companion)
{
	EXPECT_EQ(0, APART(late_news(self->family)));
}

/* --- the numbers below /proc/sys ---------------------------------------- */

static int put(const char *name, const char *text)
{
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/sys/net/runix/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = rc(write(fd, text, strlen(text)));
	close(fd);
	return ret < 0 ? ret : 0;
}

TEST_F(patience, switched_off)
{
	if (self->family == AF_UNIX)
		SKIP(return, "AF_UNIX has no such numbers");
	if (geteuid())
		SKIP(return, "needs root");
	EXPECT_EQ(-EINVAL, put("hand_over", "2"));
	EXPECT_EQ(-EINVAL, put("hand_over", "-1"));
	EXPECT_EQ(-EINVAL, put("look_us", "1001"));
	EXPECT_EQ(-EINVAL, put("look_us", "-1"));
	ASSERT_EQ(0, put("hand_over", "0"));
	ASSERT_EQ(0, put("look_us", "0"));
	EXPECT_LE(0, take_turns(self->family, SOCK_STREAM, 200, 0));
	EXPECT_LE(0, take_turns(self->family, SOCK_DGRAM, 200, 0));
	EXPECT_EQ(0, put("look_us", "1000"));
	EXPECT_LE(0, take_turns(self->family, SOCK_SEQPACKET, 200, 0));
	EXPECT_EQ(0, put("look_us", "20"));
	EXPECT_EQ(0, put("hand_over", "1"));
	EXPECT_LE(0, take_turns(self->family, SOCK_STREAM, 200, 0));
}

TEST_HARNESS_MAIN
