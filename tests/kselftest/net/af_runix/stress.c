// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that get into each other's way. Each race runs for a short while
 * (STRESS_MS milliseconds), and then its books have to balance.
 */

#include "common.h"

FAMILY_FIXTURE(stress);

static int64_t deadline;
static int family;

static void begin(int fam)
{
	const char *ms = getenv("STRESS_MS");

	family = fam;
	deadline = now_ms() + (ms ? atoi(ms) : 700);
}

static bool more(void)
{
	return now_ms() < deadline;
}

static unsigned int rnd(unsigned int *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

/* A thread, what it works with, and what became of it. */
struct worker {
	int id;
	int fd;
	struct name to, to2;
	long good;		/* rounds that went as they should */
	long other;		/* rounds that went as they may */
	long bad;		/* anything else, and the last of it: */
	long what;
	pthread_t thread;
};

static void start(struct worker *w, void *(*fn)(void *))
{
	if (pthread_create(&w->thread, NULL, fn, w))
		abort();
}

static void wrong(struct worker *w, long what)
{
	w->bad++;
	w->what = what;
}

#define JOIN(_w)							\
do {									\
	pthread_join((_w)->thread, NULL);				\
	EXPECT_EQ(0, (_w)->bad)						\
		TH_LOG("worker %d, the last one with %ld", (_w)->id, (_w)->what);\
} while (0)

/* --- connect and accept ----------------------------------------------- */

static void *echo_server(void *arg)
{
	struct worker *w = arg;
	uint64_t msg;
	int fd;

	while ((fd = rc(accept(w->fd, NULL, NULL))) >= 0) {
		if (recv(fd, &msg, sizeof(msg), MSG_WAITALL) != sizeof(msg) ||
		    send(fd, &msg, sizeof(msg), MSG_NOSIGNAL) != sizeof(msg))
			wrong(w, -errno);
		else
			w->good++;
		close(fd);
	}
	if (fd != -EINVAL)
		wrong(w, fd);
	return NULL;
}

static void *echo_client(void *arg)
{
	struct worker *w = arg;
	uint64_t msg, back;

	while (more()) {
		int fd = dial(family, &w->to);

		if (fd < 0) {
			wrong(w, fd);
			break;
		}
		msg = (uint64_t)w->id << 32 | w->good;
		if (send(fd, &msg, sizeof(msg), MSG_NOSIGNAL) != sizeof(msg) ||
		    recv(fd, &back, sizeof(back), MSG_WAITALL) != sizeof(back) ||
		    back != msg || recv(fd, &back, 1, 0) != 0)
			wrong(w, -errno);
		else
			w->good++;
		close(fd);
	}
	return NULL;
}

/* Everybody who is let in is served, and gets the own answer. */
TEST_F(stress, accept_and_connect)
{
	enum { SERVERS = 2, CLIENTS = 3 };
	struct worker s[SERVERS] = {}, c[CLIENTS] = {};
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 1), before = count_fds(), i;
	long served = 0, asked = 0;

	ASSERT_LE(0, l);
	begin(self->family);
	for (i = 0; i < SERVERS; i++) {
		s[i] = (struct worker) { .id = i, .fd = l };
		start(&s[i], echo_server);
	}
	for (i = 0; i < CLIENTS; i++) {
		c[i] = (struct worker) { .id = i, .to = n };
		start(&c[i], echo_client);
	}
	for (i = 0; i < CLIENTS; i++) {
		JOIN(&c[i]);
		EXPECT_LT(0, c[i].good);
		asked += c[i].good;
	}
	ASSERT_EQ(0, rc(shutdown(l, SHUT_RD)));
	for (i = 0; i < SERVERS; i++) {
		JOIN(&s[i]);
		served += s[i].good;
	}
	EXPECT_EQ(asked, served);
	EXPECT_EQ(before, count_fds());
}

static void *churning_server(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 3;

	while (more()) {
		int l = listener(family, &w->to, 2), nr = rnd(&seed) % 3;

		if (l < 0) {
			wrong(w, l);
			break;
		}
		set_timeo(l, SO_RCVTIMEO, 5);
		while (nr--) {
			int fd = rc(accept(l, NULL, NULL));

			if (fd == -EAGAIN)
				break;
			if (fd < 0 || send(fd, "k", 1, MSG_NOSIGNAL) != 1)
				wrong(w, fd);
			close(fd);
		}
		close(l);
		w->good++;
		if (w->to.un.sun_path[0] && unlink(w->to.un.sun_path))
			wrong(w, -errno);
	}
	return NULL;
}

static void *churning_client(void *arg)
{
	struct worker *w = arg;

	while (more()) {
		int fd = dial(family, &w->to);
		char ch = 0;
		long ret;

		if (fd < 0) {
			if (fd != -ECONNREFUSED && fd != -ENOENT)
				wrong(w, fd);
			w->other++;
			continue;
		}
		/* Served, or reset: a listener's end is not an orderly one. */
		ret = rc(recv(fd, &ch, 1, 0));
		if (ret == 1 && ch == 'k' && rc(recv(fd, &ch, 1, 0)) == 0)
			w->good++;
		else if (ret == -ECONNRESET && rc(recv(fd, &ch, 1, 0)) == 0)
			w->other++;
		else
			wrong(w, ret);
		close(fd);
	}
	return NULL;
}

/* Listeners come and go under those who want to connect. */
TEST_F(stress, listener_churn)
{
	enum { CLIENTS = 3 };
	struct name names[2] = { path_name(self->family, "s"),
				 abstract_name(self->family, "n") };
	int before = count_fds(), i, k;

	for (k = 0; k < 2; k++) {
		struct worker s = { .to = names[k] }, c[CLIENTS] = {};
		long rounds = 0;

		begin(self->family);
		start(&s, churning_server);
		for (i = 0; i < CLIENTS; i++) {
			c[i] = (struct worker) { .id = i, .to = names[k] };
			start(&c[i], churning_client);
		}
		for (i = 0; i < CLIENTS; i++) {
			JOIN(&c[i]);
			rounds += c[i].good + c[i].other;
		}
		JOIN(&s);
		EXPECT_LT(0, s.good);
		EXPECT_LT(0, rounds);
		EXPECT_EQ(-1, access("s", F_OK));
		EXPECT_EQ(before, count_fds());
	}
}

/* --- names ------------------------------------------------------------ */

static void *renaming_server(void *arg)
{
	struct worker *w = arg;

	while (more()) {
		int l = listener(family, &w->to, 2);

		if (l < 0) {
			wrong(w, l);
			break;
		}
		if (rename("a", "b") || unlink("b"))
			wrong(w, -errno);
		close(l);
		w->good++;
	}
	return NULL;
}

static void *renaming_client(void *arg)
{
	struct worker *w = arg;

	while (more()) {
		int fd = dial(family, w->other & 1 ? &w->to : &w->to2);
		long ret;
		char ch;

		w->other++;
		if (fd == -ENOENT || fd == -ECONNREFUSED)
			continue;
		if (fd < 0) {
			wrong(w, fd);
			continue;
		}
		ret = rc(recv(fd, &ch, 1, 0));
		if (ret != -ECONNRESET)
			wrong(w, ret);
		close(fd);
	}
	return NULL;
}

TEST_F(stress, bind_rename_unlink)
{
	struct worker s = {}, c[2] = {};
	int before = count_fds(), i;

	s.to = path_name(self->family, "a");
	begin(self->family);
	start(&s, renaming_server);
	for (i = 0; i < 2; i++) {
		c[i] = (struct worker) { .id = i, .to = path_name(family, "a"),
					 .to2 = path_name(family, "b") };
		start(&c[i], renaming_client);
	}
	JOIN(&s);
	for (i = 0; i < 2; i++)
		JOIN(&c[i]);
	EXPECT_LT(0, s.good);
	EXPECT_EQ(before, count_fds());
}

static pthread_barrier_t barrier;

static void *bind_once(void *arg)
{
	struct worker *w = arg;

	pthread_barrier_wait(&barrier);
	w->what = xbind(w->fd, &w->to);
	return NULL;
}

/* Two sockets, one name: one gets it. One socket, two names: it gets one. */
TEST_F(stress, bind_race)
{
	int before = count_fds(), round, i;

	begin(self->family);
	ASSERT_EQ(0, pthread_barrier_init(&barrier, NULL, 2));
	for (round = 0; more() && round < 2000; round++) {
		struct worker w[2] = {};
		bool one_name = round & 1, path = round & 2;
		int won, lost = one_name ? -EADDRINUSE : -EINVAL;

		for (i = 0; i < 2; i++) {
			char tag[20];

			snprintf(tag, sizeof(tag), "%d.%d", round, one_name ? 0 : i);
			w[i].to = path ? path_name(family, tag) :
					 abstract_name(family, tag);
			w[i].fd = i && !one_name ? w[0].fd : xsocket(family);
			ASSERT_LE(0, w[i].fd);
			start(&w[i], bind_once);
		}
		for (i = 0; i < 2; i++)
			pthread_join(w[i].thread, NULL);
		won = w[0].what == 0 ? 0 : 1;
		ASSERT_EQ(0, w[won].what);
		ASSERT_EQ(lost, w[!won].what);
		if (path) {
			ASSERT_EQ(0, unlink(w[won].to.un.sun_path));
			ASSERT_EQ(-1, unlink(w[!won].to.un.sun_path));
		}
		close(w[0].fd);
		if (one_name)
			close(w[1].fd);
	}
	EXPECT_LT(0, round);
	EXPECT_EQ(before, count_fds());
}

static void *connect_once(void *arg)
{
	struct worker *w = arg;

	pthread_barrier_wait(&barrier);
	w->what = xconnect(w->fd, &w->to);
	return NULL;
}

/* One socket connected twice at once is connected once. */
TEST_F(stress, connect_race)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4), before = count_fds(), round, i;

	ASSERT_LE(0, l);
	ASSERT_EQ(0, set_nonblock(l));
	begin(self->family);
	ASSERT_EQ(0, pthread_barrier_init(&barrier, NULL, 2));
	for (round = 0; more() && round < 2000; round++) {
		struct worker w[2] = {};
		int fd = xsocket(family), s;

		for (i = 0; i < 2; i++) {
			w[i] = (struct worker) { .fd = fd, .to = n };
			start(&w[i], connect_once);
		}
		for (i = 0; i < 2; i++)
			pthread_join(w[i].thread, NULL);
		ASSERT_EQ(-EISCONN, w[0].what + w[1].what);
		s = rc(accept(l, NULL, NULL));
		ASSERT_LE(0, s);
		ASSERT_EQ(-EAGAIN, rc(accept(l, NULL, NULL)));
		ASSERT_EQ(1, rc(send(fd, "x", 1, 0)));
		ASSERT_EQ(1, inq(s));
		close(s);
		close(fd);
	}
	EXPECT_LT(0, round);
	EXPECT_EQ(before, count_fds());
}

/* --- data ------------------------------------------------------------- */

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
TEST_F(stress, shutdown_race)
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
TEST_F(stress, close_race)
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

TEST_F(stress, peek_race)
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
		for (i = 0; i < ret / sizeof(int); i++)
			ASSERT_EQ(next++, buf[i]);
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

TEST_F(stress, pairs)
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
