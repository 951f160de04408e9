// SPDX-License-Identifier: GPL-2.0
/*
 * Very many sockets, listeners and senders; peers that are slow or mean; and who
 * pays for the memory. A kernel that watches everything gets by with fewer.
 */
#include "packet.h"

#include <sys/resource.h>

FAMILY_FIXTURE(limits);

static int fewer(int n)
{
	return time_scale() > 1 ? n / 20 : n;
}

static bool allow_files(rlim_t n)
{
	struct rlimit r = { n, n };

	return !setrlimit(RLIMIT_NOFILE, &r);
}

/* A byte there and back, or not. */
static bool alive(int a, int b)
{
	char ch = 0;

	return send(a, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 &&
	       recv(b, &ch, 1, MSG_DONTWAIT) == 1 && ch == 'x';
}

/* --- numbers ------------------------------------------------------------- */

TEST_F_TIMEOUT(limits, connected, 120)
{
	int want = fewer(100000), n, first, last = -1;

	if (!allow_files(want + 100))
		SKIP(return, "not so many descriptors allowed");
	first = self->fd[0];
	for (n = 0; n < want; n += 2) {
		int sv[2];

		ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, sv))) TH_LOG("%d", n);
		last = sv[1];
	}
	EXPECT_TRUE(alive(first, self->fd[1]));
	for (int fd = last; fd > last - 200; fd -= 2) {
		EXPECT_TRUE(alive(fd, fd - 1));
		EXPECT_TRUE(alive(fd - 1, fd));
	}
	/* Half of them go, and the others stay. */
	for (int fd = last - want + 1; fd < last; fd += 2)
		close(fd);
	EXPECT_EQ(0, rc(recv(last, &n, 1, MSG_DONTWAIT)));
	EXPECT_TRUE(alive(first, self->fd[1]));
	ASSERT_EQ(0, close_range(self->fd[1] + 1, ~0U, 0));
	EXPECT_TRUE(alive(first, self->fd[1]));
}

TEST_F_TIMEOUT(limits, listeners, 60)
{
	int want = fewer(1000);
	int *fds = calloc(want, sizeof(*fds));

	ASSERT_NE(NULL, fds);
	ASSERT_TRUE(allow_files(3 * want + 100));
	for (int i = 0; i < want; i++) {
		struct name n;
		char tag[16];

		snprintf(tag, sizeof(tag), "l%d", i);
		n = i & 1 ? abstract_name(self->family, tag) : path_name(self->family, tag);
		fds[i] = listener(self->family, &n, 2);
		ASSERT_LE(0, fds[i]) TH_LOG("%d", i);
	}
	/* Each is reached by its name, and no other one. */
	for (int i = want - 1; i >= 0; i--) {
		struct name n;
		char tag[16];
		int c, s;

		snprintf(tag, sizeof(tag), "l%d", i);
		n = i & 1 ? abstract_name(self->family, tag) : path_name(self->family, tag);
		c = dial(self->family, &n);
		ASSERT_LE(0, c);
		s = rc(accept(fds[i], NULL, NULL));
		ASSERT_LE(0, s);
		EXPECT_TRUE(alive(c, s));
		close(c);
		close(s);
		close(fds[i]);
		if (!(i & 1))
			unlink(tag);
	}
	free(fds);
}

/* --- peers that are slow or mean ------------------------------------------ */

static struct name target;
static int target_family;
static bool flooding;

static void *flood(void *arg)
{
	long *turned_away = arg;

	while (__atomic_load_n(&flooding, __ATOMIC_RELAXED)) {
		int fd = dial_flags(target_family, &target, SOCK_NONBLOCK);

		if (fd == -EAGAIN)
			++*turned_away;
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* Many who connect and leave; one who waits for its turn gets it. */
TEST_F_TIMEOUT(limits, flooded_listener, 60)
{
	enum { FLOODERS = 4, SERVED = 40 };
	pthread_t t[FLOODERS];
	long turned_away[FLOODERS] = {}, sum = 0;
	int l, served = 0;

	target = abstract_name(self->family, "f");
	target_family = self->family;
	l = listener(self->family, &target, 3);
	ASSERT_LE(0, l);
	set_timeo(l, SO_RCVTIMEO, SOON);
	flooding = true;
	for (int i = 0; i < FLOODERS; i++) {
		ASSERT_EQ(0, pthread_create(&t[i], NULL, flood, &turned_away[i]));
	}
	while (served < SERVED) {
		struct op c;
		int s, fd = xsocket(self->family);
		char ch = 0;
		bool mine = false;

		/* The one who is patient, and says who it is. */
		c = (struct op) { .fn = op_connect, .fd = fd, .to = &target };
		op_blocks(&c, SYS_connect);
		while (!mine) {
			s = rc(accept(l, NULL, NULL));
			ASSERT_LE(0, s);
			if (op_done(&c) && c.ret == 0)
				send(fd, "m", 1, MSG_NOSIGNAL);
			mine = recv(s, &ch, 1, MSG_DONTWAIT) == 1 && ch == 'm';
			close(s);
			/* It may have been reset, but not kept waiting. */
			if (op_done(&c) && rc(recv(fd, &ch, 1, MSG_DONTWAIT)) != -EAGAIN)
				mine = true;
		}
		ASSERT_EQ(0, op_join(&c));
		close(fd);
		served++;
	}
	/* Others are not concerned. */
	for (int i = 0; i < 1000; i++) {
		ASSERT_TRUE(alive(self->fd[0], self->fd[1]));
	}
	__atomic_store_n(&flooding, false, __ATOMIC_RELAXED);
	for (int i = 0; i < FLOODERS; i++) {
		pthread_join(t[i], NULL);
		sum += turned_away[i];
	}
	TH_LOG("%ld were turned away", sum);
}

/* Each of a thousand has its messages received, in order. */
TEST_F_TIMEOUT(limits, senders, 90)
{
	enum { EACH = 5 };
	struct { int who, nr; } m;
	int want = fewer(1000), left = want * EACH, r;
	struct name n = abstract_name(self->family, "d");
	int *fds = calloc(want, sizeof(*fds)), *sent = calloc(want, sizeof(*sent));
	int *got = calloc(want, sizeof(*got));

	ASSERT_TRUE(fds && sent && got);
	ASSERT_TRUE(allow_files(want + 100));
	r = bound(self->family, SOCK_DGRAM, &n);
	ASSERT_LE(0, r);
	for (int i = 0; i < want; i++) {
		fds[i] = joined(self->family, SOCK_DGRAM, &n);
		ASSERT_LE(0, fds[i]);
	}
	while (left) {
		for (int i = 0; i < want; i++) {
			m.who = i;
			m.nr = sent[i];
			if (sent[i] < EACH &&
			    rc(send(fds[i], &m, sizeof(m), MSG_DONTWAIT)) == sizeof(m))
				sent[i]++;
		}
		/* As much as there is, and there is something. */
		ASSERT_EQ((long)sizeof(m), rc(recv(r, &m, sizeof(m), MSG_DONTWAIT)));
		do {
			ASSERT_EQ(got[m.who]++, m.nr);
			left--;
		} while (rc(recv(r, &m, sizeof(m), MSG_DONTWAIT)) == sizeof(m));
	}
	for (int i = 0; i < want; i++) {
		EXPECT_EQ(EACH, got[i]);
		close(fds[i]);
	}
	close(r);
	free(fds);
	free(sent);
	free(got);
}

/* One doesn't read, and the one who writes to it waits; nobody else does. */
TEST_F(limits, stalled_reader)
{
	enum { PAIRS = 100 };
	static char buf[4000];
	int sv[PAIRS][2], shared, ends[2];
	struct name n = abstract_name(self->family, "s");
	struct op op, to;

	for (int i = 0; i < PAIRS; i++) {
		ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, sv[i])));
	}
	fill_up(self->fd[0]);
	op = sending(self->fd[0], buf, sizeof(buf));
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	/* And a datagram socket that nobody reads from, with a sender that waits. */
	shared = bound(self->family, SOCK_DGRAM, &n);
	ASSERT_LE(0, shared);
	ASSERT_LT(0, fill_receiver(self->family, &n));
	ends[0] = dgram(self->family);
	to = sending_to(ends[0], buf, 1, &n);
	ASSERT_TRUE(op_blocks(&to, SYS_sendto));

	for (int round = 0; round < 20; round++)
		for (int i = 0; i < PAIRS; i++) {
			ASSERT_EQ((ssize_t)sizeof(buf), send(sv[i][0], buf, sizeof(buf), MSG_DONTWAIT));
			ASSERT_EQ((ssize_t)sizeof(buf), recv(sv[i][1], buf, sizeof(buf), MSG_DONTWAIT));
		}
	EXPECT_FALSE(op_done(&op));
	EXPECT_FALSE(op_done(&to));
	/* The one who waits is told when the reader goes. */
	close(self->fd[1]);
	EXPECT_EQ(-EPIPE, op_join(&op) == -ECONNRESET ? -EPIPE : op.ret);
	close(shared);
	EXPECT_EQ(-ECONNREFUSED, op_join(&to));
	close(ends[0]);
	for (int i = 0; i < PAIRS; i++) {
		close(sv[i][0]);
		close(sv[i][1]);
	}
}

/* --- who pays -------------------------------------------------------------- */

#define CGROUPS	"/sys/fs/cgroup"

static bool put_line(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return done;
}

/* Sends what nobody receives, over as many sockets as it takes. */
static void hoard(int family, int type, size_t len)
{
	static char buf[30000];

	allow_files(20000);
	for (int i = 0; i < 9000; i++) {
		int sv[2];

		if (socketpair(family, type, 0, sv))
			_exit(3);
		while (send(sv[0], buf, len, MSG_DONTWAIT) > 0)
			;
	}
	_exit(0);
}

/* Whoever hoards is killed by the limit of its own group, and nobody else is. */
TEST_F_TIMEOUT(limits, memory_is_charged, 120)
{
	static const struct { int type; size_t len; } t[] = {
		{ SOCK_STREAM, 30000 }, { SOCK_STREAM, 100 }, { SOCK_DGRAM, 200 },
		{ SOCK_SEQPACKET, 9000 }, { SOCK_STREAM, 0 },
	};
	const char *group = CGROUPS "/rx-limits";
	bool charged = put_line(CGROUPS "/cgroup.subtree_control", "+memory") &&
		       !mkdir(group, 0755) &&
		       put_line(CGROUPS "/rx-limits/memory.max", time_scale() > 1 ? "8M" : "24M");

	if (!charged) {
		rmdir(group);
		SKIP(return, "no memory cgroup to be had here: %m");
	}
	put_line(CGROUPS "/rx-limits/memory.swap.max", "0");
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		pid_t pid;
		char me[16];
		int status;

		/* It takes long to be killed where everything is watched. */
		if (time_scale() > 1 && i % 2)
			continue;
		pid = spawn();
		if (!pid) {
			snprintf(me, sizeof(me), "%d", getpid());
			if (!put_line(CGROUPS "/rx-limits/cgroup.procs", me))
				_exit(2);
			hoard(self->family, t[i].type, t[i].len);
		}
		status = reap(pid);
		EXPECT_EQ(1000 + SIGKILL, status)
			TH_LOG("type %d, messages of %zu", t[i].type, t[i].len);
		EXPECT_TRUE(alive(self->fd[0], self->fd[1]));
	}
	/* A group that is empty again can go: what it was charged for is given back. */
	for (int i = 0; rmdir(group) && i < 100; i++)
		usleep(100000);
	EXPECT_EQ(-1, access(group, F_OK));
}

TEST_HARNESS_MAIN
