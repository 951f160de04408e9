// SPDX-License-Identifier: GPL-2.0
/* Races of connecting, accepting, listening and naming. */

#include "stress.h"

FAMILY_FIXTURE(stress);

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

TEST_HARNESS_MAIN
