// SPDX-License-Identifier: GPL-2.0
/* Many messages of all sizes, through threads: all of them, whole, in order. */

#include "packet.h"

PACKET_FIXTURE(packet_bulk);

enum { COUNT = 3000, SMALL = 700, LARGE = 60000 };

/* The length of message @i: mostly short, at times long, at times nothing. */
static size_t length(size_t i)
{
	uint32_t r = (uint32_t)i * 2654435761u >> 7;

	return i % 13 == 5 ? 0 : i % 97 == 3 ? r % LARGE : r % SMALL;
}

struct side {
	pthread_t thread;
	int fd;
	int count;
	bool by_poll;
	long failed;	/* the message that did not go well, or -1 */
};

/* Wait as level-triggered programs do, or let the call do it. */
static long wait_and(struct side *s, bool out, void *buf, size_t len)
{
	for (;;) {
		struct pollfd p = { .fd = s->fd, .events = out ? POLLOUT : POLLIN };
		int flags = s->by_poll ? MSG_DONTWAIT : 0;
		long ret = out ? rc(send(s->fd, buf, len, flags | MSG_NOSIGNAL)) :
				 rc(recv(s->fd, buf, len, flags | MSG_TRUNC));

		if (ret != -EAGAIN || !s->by_poll)
			return ret;
		if (poll(&p, 1, 60000) != 1)
			return -ETIMEDOUT;
	}
}

static void *produce(void *arg)
{
	struct side *s = arg;
	static __thread char buf[LARGE];
	int i;

	for (i = 0; i < s->count && s->failed < 0; i++) {
		pat_fill(buf, i * 7, length(i));
		if (wait_and(s, true, buf, length(i)) != (long)length(i))
			s->failed = i;
	}
	return NULL;
}

static void *consume(void *arg)
{
	struct side *s = arg;
	static __thread char buf[LARGE];
	int i;

	for (i = 0; i < s->count && s->failed < 0; i++)
		if (wait_and(s, false, buf, LARGE) != (long)length(i) ||
		    pat_good(buf, i * 7, length(i)) != length(i))
			s->failed = i;
	return NULL;
}

static void start(struct side *s, void *(*fn)(void *), int fd, int count, bool by_poll)
{
	*s = (struct side) { .fd = fd, .count = count, .by_poll = by_poll,
			     .failed = -1 };
	if (pthread_create(&s->thread, NULL, fn, s))
		abort();
}

TEST_F(packet_bulk, one_way)
{
	struct side p, c;

	start(&p, produce, self->fd[0], COUNT, false);
	start(&c, consume, self->fd[1], COUNT, false);
	pthread_join(p.thread, NULL);
	pthread_join(c.thread, NULL);
	EXPECT_EQ(-1, p.failed);
	EXPECT_EQ(-1, c.failed);
	EXPECT_NO_MSG(self->fd[1]);
}

TEST_F(packet_bulk, by_poll)
{
	struct side p, c;

	start(&p, produce, self->fd[0], COUNT, true);
	start(&c, consume, self->fd[1], COUNT, true);
	pthread_join(p.thread, NULL);
	pthread_join(c.thread, NULL);
	EXPECT_EQ(-1, p.failed);
	EXPECT_EQ(-1, c.failed);
	EXPECT_NO_MSG(self->fd[1]);
}

/* Both ways at once, with so little room that everybody waits all the time. */
TEST_F(packet_bulk, narrow)
{
	struct side s[4];
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, setint(self->fd[i], SO_SNDBUF, LARGE / 2 + 64));
	}
	for (i = 0; i < 4; i++)
		start(&s[i], i & 1 ? consume : produce, self->fd[i == 1 || i == 2],
		      COUNT / 2, i >= 2);
	for (i = 0; i < 4; i++) {
		pthread_join(s[i].thread, NULL);
		EXPECT_EQ(-1, s[i].failed) TH_LOG("side %d", i);
	}
}

/* --- several threads on one socket ------------------------------------ */

enum { THREADS = 4, EACH = 300 };

struct worker {
	pthread_t thread;
	int fd;
	int nr;
	unsigned char *seen;
	long bad;
};

static void *write_numbers(void *arg)
{
	struct worker *w = arg;
	int buf[100], i, j;

	for (i = 0; i < EACH; i++) {
		int n = 2 + i % 98;

		buf[0] = w->nr;
		for (j = 1; j < n; j++)
			buf[j] = i;
		if (send(w->fd, buf, n * sizeof(int), 0) != (long)(n * sizeof(int)))
			w->bad++;
	}
	return NULL;
}

/* Until an empty message. Whole or not at all: no message is a mixture. */
static void *read_numbers(void *arg)
{
	struct worker *w = arg;
	int buf[100], j;

	for (;;) {
		long ret = rc(recv(w->fd, buf, sizeof(buf), 0));

		if (!ret)
			return NULL;
		if (ret < 8 || buf[0] < 0 || buf[0] >= THREADS || buf[1] < 0 ||
		    buf[1] >= EACH || ret != (long)sizeof(int) * (2 + buf[1] % 98)) {
			w->bad++;
			return NULL;
		}
		for (j = 1; j < ret / (long)sizeof(int); j++)
			w->bad += buf[j] != buf[1];
		__atomic_add_fetch(&w->seen[buf[0] * EACH + buf[1]], 1,
				   __ATOMIC_RELAXED);
	}
}

TEST_F(packet_bulk, shared)
{
	static unsigned char seen[THREADS * EACH];
	struct worker in[THREADS], out[THREADS];
	int i;

	for (i = 0; i < THREADS; i++) {
		out[i] = (struct worker) { .fd = self->fd[0], .nr = i };
		in[i] = (struct worker) { .fd = self->fd[1], .seen = seen };
		ASSERT_EQ(0, pthread_create(&in[i].thread, NULL, read_numbers, &in[i]));
		ASSERT_EQ(0, pthread_create(&out[i].thread, NULL, write_numbers, &out[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(out[i].thread, NULL);
		EXPECT_EQ(0, out[i].bad);
	}
	for (i = 0; i < THREADS; i++) {
		EXPECT_EQ(0, rc(send(self->fd[0], "", 0, 0)));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(in[i].thread, NULL);
		EXPECT_EQ(0, in[i].bad);
	}
	for (i = 0; i < THREADS * EACH; i++) {
		ASSERT_EQ(1, seen[i]) TH_LOG("message %d", i);
	}
	EXPECT_NO_MSG(self->fd[1]);
}

/* By way of another process, which answers each message with its length. */
TEST_F(packet_bulk, processes)
{
	static char buf[LARGE];
	pid_t pid = spawn();
	int i;

	if (!pid) {
		close(self->fd[0]);
		for (i = 0; i < COUNT / 4; i++) {
			long n = recv(self->fd[1], buf, LARGE, 0);

			if (n < 0 || send(self->fd[1], &n, sizeof(n), 0) != sizeof(n))
				_exit(1);
		}
		_exit(0);
	}
	close(self->fd[1]);
	for (i = 0; i < COUNT / 4; i++) {
		long n = -1;

		ASSERT_EQ((long)length(i), rc(send(self->fd[0], buf, length(i),
						   MSG_NOSIGNAL)));
		ASSERT_EQ(sizeof(n), rc(recv(self->fd[0], &n, sizeof(n), 0)));
		ASSERT_EQ((long)length(i), n);
	}
	EXPECT_EQ(0, reap(pid));
}

/* Nothing is kept of what was sent and received, or never received. */
TEST_F(packet_bulk, no_leftovers)
{
	int i, j, outq = -1, sv[2];
	char buf[100];

	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, rc(socketpair(self->family, self->type, 0, sv)));
		for (j = 0; j < 20; j++) {
			ASSERT_EQ(100, rc(send(sv[0], buf, 100, 0)));
		}
		for (j = 0; j < i % 21; j++) {
			ASSERT_EQ(100, rc(recv(sv[1], buf, 100, 0)));
		}
		close(sv[1]);
		ASSERT_EQ(0, ioctl(sv[0], TIOCOUTQ, &outq));
		ASSERT_EQ(0, outq);
		close(sv[0]);
	}
}

TEST_HARNESS_MAIN
