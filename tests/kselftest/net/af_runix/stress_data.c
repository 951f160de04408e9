// SPDX-License-Identifier: GPL-2.0
/* Races of sending, receiving, looking, shutting down and closing. */

#include "stress.h"

FAMILY_FIXTURE(stress_data);

/* Send the pattern until that is over; good counts the bytes. */
static void *pattern_writer(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 5;
	char buf[20000];
	long ret;

	for (;;) {
		size_t n = 1 + rnd(&seed) % (rnd(&seed) & 7 ? 300 : sizeof(buf));

		pat_fill(buf, w->good, n);
		ret = rc(send(w->fd, buf, n, MSG_NOSIGNAL));
		if (ret <= 0)
			break;
		w->good += ret;
	}
	w->what = ret;
	return NULL;
}

static void *pattern_reader(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 7;
	char buf[20000];
	long ret;

	for (;;) {
		ret = rc(recv(w->fd, buf, 1 + rnd(&seed) % sizeof(buf), 0));
		if (ret <= 0)
			break;
		if (pat_good(buf, w->good, ret) != (size_t)ret)
			w->bad++;
		w->good += ret;
	}
	w->what = ret;
	return NULL;
}

/* What was sent before the shutdown arrives; what was not, was not sent. */
TEST_F(stress_data, shutdown_race)
{
	static const struct { int end, how; } t[] = {
		{ 0, SHUT_WR }, { 1, SHUT_RD }, { 0, SHUT_RDWR }, { 1, SHUT_RDWR },
	};
	int before = count_fds(), round;
	unsigned int seed = 11;

	begin(self->family);
	for (round = 0; more() || round < 4; round++) {
		struct worker w = {}, r = {};
		int sv[2], end = t[round % 4].end, how = t[round % 4].how;

		ASSERT_EQ(0, rc(socketpair(family, SOCK_STREAM, 0, sv)));
		if (round & 4)
			ASSERT_EQ(0, setint(sv[0], SO_SNDBUF, 5000));
		w.fd = sv[0];
		r.fd = sv[1];
		start(&w, pattern_writer);
		start(&r, pattern_reader);
		usleep(rnd(&seed) % 3000);
		ASSERT_EQ(0, rc(shutdown(sv[end], how)));
		pthread_join(w.thread, NULL);
		pthread_join(r.thread, NULL);
		ASSERT_EQ(-EPIPE, w.what);
		ASSERT_EQ(0, r.what);
		ASSERT_EQ(0, r.bad);
		ASSERT_EQ(w.good, r.good)
			TH_LOG("end %d, how %d", end, how);
		close(sv[0]);
		close(sv[1]);
	}
	EXPECT_EQ(before, count_fds());
}

/* The reader leaves in the middle; the writer is told, asleep or not. */
TEST_F(stress_data, close_race)
{
	int before = count_fds(), round;
	unsigned int seed = 13;

	begin(self->family);
	for (round = 0; more() || round < 4; round++) {
		struct worker w = {};
		long got = 0, want = rnd(&seed) % 60000;
		char buf[3000];
		int sv[2];

		ASSERT_EQ(0, rc(socketpair(family, SOCK_STREAM, 0, sv)));
		w.fd = sv[0];
		start(&w, pattern_writer);
		while (got < want) {
			long ret = rc(recv(sv[1], buf, sizeof(buf), 0));

			ASSERT_LT(0, ret);
			ASSERT_EQ(ret, pat_good(buf, got, ret));
			got += ret;
		}
		close(sv[1]);
		pthread_join(w.thread, NULL);
		if (w.what != -ECONNRESET)
			ASSERT_EQ(-EPIPE, w.what);
		ASSERT_LE(got, w.good);
		close(sv[0]);
	}
	EXPECT_EQ(before, count_fds());
}

static pthread_barrier_t barrier;

/* The first thing there is to be read, without sleeping for it. */
static void *impatient_reader(void *arg)
{
	struct worker *w = arg;
	char ch;

	pthread_barrier_wait(&barrier);
	do {
		w->what = rc(recv(w->fd, &ch, 1, MSG_DONTWAIT));
	} while (w->what == -EAGAIN);
	w->good = rc(recv(w->fd, &ch, 1, MSG_DONTWAIT));
	return NULL;
}

/* A reset is seen as one by whoever looks at just that moment: never as an end. */
TEST_F(stress_data, reset_race)
{
	struct name n = abstract_name(self->family, "n");
	int before = count_fds(), round;

	begin(self->family);
	ASSERT_EQ(0, pthread_barrier_init(&barrier, NULL, 2));
	for (round = 0; more() || round < 2; round++) {
		struct worker r = {};
		int sv[2];

		/* The peer leaves a byte unread, or was never accepted. */
		if (round & 1) {
			ASSERT_EQ(0, rc(socketpair(family, SOCK_STREAM, 0, sv)));
			ASSERT_EQ(1, rc(send(sv[0], "x", 1, 0)));
		} else {
			sv[1] = listener(family, &n, 1);
			ASSERT_LE(0, sv[1]);
			sv[0] = dial(family, &n);
			ASSERT_LE(0, sv[0]);
		}
		r.fd = sv[0];
		start(&r, impatient_reader);
		pthread_barrier_wait(&barrier);
		close(sv[1]);
		pthread_join(r.thread, NULL);
		ASSERT_EQ(-ECONNRESET, r.what) TH_LOG("round %d", round);
		ASSERT_EQ(0, r.good);
		close(sv[0]);
	}
	EXPECT_EQ(before, count_fds());
}

static void *number_writer(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 17, buf[100], nr = 0, i;

	while (more()) {
		unsigned int n = 1 + rnd(&seed) % 100;

		for (i = 0; i < n; i++)
			buf[i] = nr + i;
		if (send(w->fd, buf, n * sizeof(int), MSG_NOSIGNAL) !=
		    (ssize_t)(n * sizeof(int))) {
			wrong(w, -errno);
			break;
		}
		nr += n;
	}
	w->good = nr;
	shutdown(w->fd, SHUT_WR);
	return NULL;
}

/* Whatever is seen is numbers in a row, from somewhere on. */
static void *number_peeker(void *arg)
{
	struct worker *w = arg;
	unsigned int buf[64], i;
	long ret;

	while ((ret = rc(recv(w->fd, buf, sizeof(buf), MSG_PEEK))) > 0) {
		if (ret % sizeof(int))
			wrong(w, ret);
		for (i = 1; i < ret / sizeof(int); i++)
			if (buf[i] != buf[0] + i)
				wrong(w, i);
		w->good++;
	}
	if (ret)
		wrong(w, ret);
	return NULL;
}

TEST_F(stress_data, peek_race)
{
	struct worker w = { .fd = self->fd[0] }, p[2] = {};
	unsigned int buf[128], next = 0, i;
	int before = count_fds();
	long ret;

	begin(self->family);
	start(&w, number_writer);
	for (i = 0; i < 2; i++) {
		p[i] = (struct worker) { .id = i, .fd = self->fd[1] };
		start(&p[i], number_peeker);
	}
	while ((ret = rc(recv(self->fd[1], buf, sizeof(buf), 0))) > 0) {
		ASSERT_EQ(0, ret % sizeof(int));
		for (i = 0; i < ret / sizeof(int); i++) {
			ASSERT_EQ(next++, buf[i]);
		}
	}
	ASSERT_EQ(0, ret);
	JOIN(&w);
	for (i = 0; i < 2; i++)
		JOIN(&p[i]);
	EXPECT_EQ(w.good, next);
	EXPECT_EQ(before, count_fds());
}

/* --- descriptors ------------------------------------------------------ */

static void *pair_maker(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = w->id;
	char buf[100];

	while (more()) {
		unsigned int what = rnd(&seed), n = what % sizeof(buf);
		int sv[2];

		if (socketpair(family, SOCK_STREAM, 0, sv)) {
			wrong(w, -errno);
			break;
		}
		if (what & 256 && rc(send(sv[0], buf, n, 0)) != n)
			wrong(w, -errno);
		if (what & 512)
			shutdown(sv[what >> 10 & 1], what >> 11 & 1);
		close(sv[what >> 12 & 1]);
		close(sv[!(what >> 12 & 1)]);
		w->good++;
	}
	return NULL;
}

TEST_F(stress_data, pairs)
{
	enum { NR = 4 };
	struct worker w[NR] = {};
	int before = count_fds(), i;

	begin(self->family);
	for (i = 0; i < NR; i++) {
		w[i].id = i;
		start(&w[i], pair_maker);
	}
	for (i = 0; i < NR; i++) {
		JOIN(&w[i]);
		EXPECT_LT(0, w[i].good);
	}
	EXPECT_EQ(before, count_fds());
}

TEST_HARNESS_MAIN
