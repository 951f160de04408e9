// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets that only queues hold: what nobody can reach goes, and nothing else.
 * How many files are in a queue is told by /proc/PID/fdinfo.
 */
#include "ring.h"

#include <sys/resource.h>

EVERY_FIXTURE(gc);
FAMILY_FIXTURE(gc_family);

TEST_F(gc, fdinfo)
{
	int fds[3] = { self->fd[0], self->fd[1], 1 }, got[8], i;
	struct control c = {};
	char ch;

	EXPECT_EQ(0, scm_fds(self->fd[0]));
	EXPECT_EQ(0, scm_fds(self->fd[1]));
	EXPECT_EQ(3, say_fds(self->fd[0], "abc", fds, 3));
	EXPECT_EQ(1, say(self->fd[0], "d"));
	EXPECT_EQ(1, say_fd(self->fd[0], "e", 1));
	EXPECT_EQ(0, scm_fds(self->fd[0]));
	EXPECT_EQ(4, scm_fds(self->fd[1]));
	c.len = sizeof(c.buf);
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, MSG_PEEK | MSG_DONTWAIT, &c));
	ASSERT_EQ(3, get_fds(&c, got));
	for (i = 0; i < 3; i++)
		close(got[i]);
	EXPECT_EQ(4, scm_fds(self->fd[1]));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(3, get_fds(&c, got));
	for (i = 0; i < 3; i++)
		close(got[i]);
	EXPECT_EQ(1, scm_fds(self->fd[1]));
	while (rc(recv(self->fd[1], &ch, 1, MSG_DONTWAIT)) == 1 && ch != 'e')
		;
	EXPECT_EQ('e', ch);
	EXPECT_EQ(0, scm_fds(self->fd[1]));
	/* What isn't sent isn't there. */
	ASSERT_LT(0, fill_messages(self->fd[0]));
	while (rc(send(self->fd[0], "x", 1, MSG_DONTWAIT)) == 1)
		;
	c.len = 0;
	EXPECT_EQ(-EAGAIN, send_control(self->fd[0], "x", 1, MSG_DONTWAIT, add_fds(&c, fds, 2)));
	EXPECT_EQ(0, scm_fds(self->fd[1]));
}

/* A listener tells of all that is on the way to it. */
TEST_F(gc, fdinfo_of_listener)
{
	struct name n = abstract_name(self->family, "n");
	int fds[2] = { 1, 2 }, l, c[2], s;

	if (self->type == SOCK_DGRAM)
		SKIP(return, "nobody listens");
	l = bound(self->family, self->type, &n);
	ASSERT_EQ(0, rc(listen(l, 4)));
	EXPECT_EQ(0, scm_fds(l));
	c[0] = joined(self->family, self->type, &n);
	c[1] = joined(self->family, self->type, &n);
	EXPECT_EQ(1, say_fds(c[0], "x", fds, 2));
	EXPECT_EQ(1, say_fds(c[1], "x", fds, 1));
	EXPECT_EQ(3, scm_fds(l));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(1, scm_fds(l));
	EXPECT_EQ(2, scm_fds(s));
	close(c[1]);
	EXPECT_EQ(1, scm_fds(l));
}

/* Two listeners, each on its way to the other. */
TEST_F(gc, listeners)
{
	struct name n[2] = { abstract_name(self->family, "0"), abstract_name(self->family, "1") };
	int l[2], c[2], i, p[2];

	if (self->type == SOCK_DGRAM)
		SKIP(return, "nobody listens");
	ASSERT_EQ(0, rc(pipe(p)));
	for (i = 0; i < 2; i++) {
		l[i] = bound(self->family, self->type, &n[i]);
		ASSERT_EQ(0, rc(listen(l[i], 4)));
		c[i] = joined(self->family, self->type, &n[i]);
		ASSERT_LE(0, c[i]);
	}
	EXPECT_EQ(1, say_fd(c[0], "x", l[1]));
	EXPECT_EQ(1, say_fd(c[1], "x", l[0]));
	EXPECT_EQ(1, say_fd(c[1], "x", p[1]));
	close(p[1]);
	for (i = 0; i < 2; i++) {
		close(c[i]);
		close(l[i]);
	}
	EXPECT_TRUE(still_open(p[0]));
	EXPECT_TRUE(goes(self->family, p[0]));
}

/* One of them is accepted in time, and what is in there can be had. */
TEST_F(gc, listener_saved)
{
	struct name n = abstract_name(self->family, "n");
	struct control ct = {};
	int l, c, s, got, p[2];
	char ch;

	if (self->type == SOCK_DGRAM)
		SKIP(return, "nobody listens");
	ASSERT_EQ(0, rc(pipe(p)));
	l = bound(self->family, self->type, &n);
	ASSERT_EQ(0, rc(listen(l, 4)));
	c = joined(self->family, self->type, &n);
	EXPECT_EQ(1, say_fd(c, "x", l));
	EXPECT_EQ(1, say_fd(c, "y", p[1]));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	close(l);
	close(c);
	close(p[1]);
	close_another(self->family);
	usleep(300000);
	EXPECT_TRUE(still_open(p[0]));
	EXPECT_EQ(1, recv_all(s, &ch, 1, &ct));
	ASSERT_EQ(1, get_fds(&ct, &got));
	EXPECT_EQ(1, recv_all(s, &ch, 1, &ct));
	EXPECT_EQ(1, get_fds(&ct, &got));
	EXPECT_EQ('y', ch);
}

/* A datagram that comes by name to what nobody can reach is lost, and no more. */
TEST_F(gc_family, sent_to_garbage)
{
	struct name n = abstract_name(self->family, "n");
	int d = bound(self->family, SOCK_DGRAM, &n), s = dgram(self->family);
	int64_t end = now_ms() + IN_TIME;
	struct control c = {};
	long ret = 0;

	ASSERT_EQ(0, xconnect(s, &n));
	EXPECT_EQ(1, say_fd(s, "x", d));
	close(d);
	/* A collector may have run for long before, and rest. */
	while (!ret && now_ms() < end) {
		c.len = 0;
		ret = send_control(s, "x", 1, MSG_DONTWAIT, add_fds(&c, &self->fd[0], 1));
		if (ret == 1 || ret == -EAGAIN)
			ret = 0;
		close_another(self->family);
		usleep(1000);
	}
	EXPECT_EQ(-ECONNREFUSED, ret);
}

/* --- nothing that lives is touched -------------------------------------- */

static volatile bool done;

static void *close_sockets(void *arg)
{
	while (!done)
		close_another(*(int *)arg);
	return NULL;
}

/* A ring that somebody holds here, then there, and peeks at. */
TEST_F(gc, moving)
{
	int64_t end = now_ms() + 600;
	struct control c = {};
	int hold, next, p[2], rounds = 0, i;
	struct node n[2];
	pthread_t t;
	char ch;

	done = false;
	ASSERT_EQ(0, rc(pipe(p)));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, make_node(&n[i], self->family, self->type));
	}
	EXPECT_EQ(1, put_into(&n[0], n[1].fd));
	EXPECT_EQ(1, put_into(&n[1], n[0].fd));
	hold = n[0].fd;
	close(n[1].fd);
	ASSERT_EQ(0, pthread_create(&t, NULL, close_sockets, &self->family));
	while (now_ms() < end) {
		c.len = sizeof(c.buf);
		ASSERT_EQ(1, recv_control(hold, &ch, 1, MSG_PEEK | MSG_DONTWAIT, &c));
		ASSERT_EQ(1, get_fds(&c, &next));
		close(next);
		ASSERT_EQ(1, recv_all(hold, &ch, 1, &c));
		ASSERT_EQ(1, get_fds(&c, &next));
		ASSERT_EQ(1, put_into(&n[rounds & 1], next));
		close(hold);
		hold = next;
		rounds++;
	}
	done = true;
	pthread_join(t, NULL);
	/* How many depends on the machine; each of the two has been passed on. */
	EXPECT_LT(2, rounds);
	EXPECT_EQ(1, put_into(&n[rounds & 1], p[1]));
	close(p[1]);
	close(hold);
	close(n[0].in);
	close(n[1].in);
	EXPECT_TRUE(goes(self->family, p[0]));
}

/* --- who litters waits for the collector --------------------------------- */

static int litter(int family, int type)
{
	struct rlimit lim = { 4096, 4096 };
	int n;

	if (setrlimit(RLIMIT_NOFILE, &lim) || setgid(45681) || setuid(45681))
		return -EPERM;
	for (n = 0; n < 3000; n++) {
		int fds[8], i;
		struct node own;
		long ret;

		if (make_node(&own, family, type))
			return -errno;
		for (i = 0; i < 8; i++)
			fds[i] = own.fd;
		ret = say_fds(own.in, "x", fds, 8);
		close_node(&own);
		if (ret != 1)
			return ret;
	}
	return 0;
}

/* Six times as much as may be in flight, and never too much at once. */
TEST_F(gc, heavy_sender)
{
	EXPECT_EQ(0, IN_CHILD(litter(self->family, self->type)));
}

TEST_HARNESS_MAIN
