// SPDX-License-Identifier: GPL-2.0
/* shutdown(): each direction, from each end, in each state. */

#include "common.h"

FAMILY_FIXTURE(shutdown);

#define SEND(_fd)	rc(send(_fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT))

static long recv1(int fd)
{
	char ch;

	return rc(recv(fd, &ch, 1, MSG_DONTWAIT));
}

/* Send from @a to @b; 1 if the byte arrives, else the error of the sender. */
static long passes(int a, int b)
{
	long ret = SEND(a);

	return ret == 1 ? recv1(b) : ret;
}

TEST_F(shutdown, bad_how)
{
	static const int bad[] = { -1, 3, 100, -2147483647 };
	struct name n = abstract_name(self->family, "n");
	int fd = xsocket(self->family), l = listener(self->family, &n, 1), i;

	for (i = 0; i < (int)ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, rc(shutdown(self->fd[0], bad[i])));
		EXPECT_EQ(-EINVAL, rc(shutdown(fd, bad[i])));
		EXPECT_EQ(-EINVAL, rc(shutdown(l, bad[i])));
	}
	EXPECT_EQ(1, passes(self->fd[0], self->fd[1]));
	EXPECT_EQ(1, passes(self->fd[1], self->fd[0]));
	EXPECT_EQ(0, poll_mask(l));
}

TEST_F(shutdown, write)
{
	int a = self->fd[0], b = self->fd[1];

	ASSERT_EQ(1, SEND(a));
	ASSERT_EQ(0, rc(shutdown(a, SHUT_WR)));
	EXPECT_EQ(-EPIPE, SEND(a));
	/* What was sent arrives, then the end, again and again. */
	EXPECT_EQ(1, recv1(b));
	EXPECT_EQ(0, recv1(b));
	EXPECT_EQ(0, recv1(b));
	/* The other way all is well. */
	EXPECT_EQ(1, passes(b, a));
	EXPECT_EQ(-EAGAIN, recv1(a));
	EXPECT_EQ(POLL_W, poll_mask(a));
	EXPECT_EQ(POLL_R | POLLRDHUP | POLL_W, poll_mask(b));
}

TEST_F(shutdown, read)
{
	int a = self->fd[0], b = self->fd[1];

	ASSERT_EQ(1, SEND(b));
	ASSERT_EQ(0, rc(shutdown(a, SHUT_RD)));
	EXPECT_EQ(-EPIPE, SEND(b));
	/* What was there may be read still. */
	EXPECT_EQ(1, recv1(a));
	EXPECT_EQ(0, recv1(a));
	EXPECT_EQ(1, passes(a, b));
	EXPECT_EQ(-EAGAIN, recv1(b));
	EXPECT_EQ(POLL_R | POLLRDHUP | POLL_W, poll_mask(a));
	EXPECT_EQ(POLL_W, poll_mask(b));
}

TEST_F(shutdown, both)
{
	int a = self->fd[0], b = self->fd[1], i;
	struct name n;

	ASSERT_EQ(1, SEND(a));
	ASSERT_EQ(1, SEND(b));
	ASSERT_EQ(0, rc(shutdown(a, SHUT_RDWR)));
	for (i = 0; i < 2; i++) {
		int fd = self->fd[i];

		EXPECT_EQ(-EPIPE, SEND(fd));
		EXPECT_EQ(1, recv1(fd));
		EXPECT_EQ(0, recv1(fd));
		EXPECT_EQ(POLL_R | POLLRDHUP | POLLHUP | POLL_W, poll_mask(fd));
		EXPECT_EQ(0, getint(fd, SO_ERROR));
		/* Connected it stays. */
		EXPECT_EQ(0, xgetpeername(fd, &n));
		EXPECT_EQ(-EINVAL, rc(listen(fd, 1)));
	}
}

/* One after the other is both at once; again is no error. */
TEST_F(shutdown, in_steps)
{
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(0, rc(shutdown(a, SHUT_WR)));
	EXPECT_EQ(0, rc(shutdown(a, SHUT_WR)));
	EXPECT_EQ(POLL_W, poll_mask(a));
	EXPECT_EQ(1, passes(b, a));
	EXPECT_EQ(0, rc(shutdown(a, SHUT_RD)));
	EXPECT_EQ(-EPIPE, SEND(b));
	EXPECT_EQ(POLL_R | POLLRDHUP | POLLHUP | POLL_W, poll_mask(a));
	EXPECT_EQ(POLL_R | POLLRDHUP | POLLHUP | POLL_W, poll_mask(b));
	EXPECT_EQ(0, rc(shutdown(a, SHUT_RDWR)));
	EXPECT_EQ(0, rc(shutdown(b, SHUT_RDWR)));
}

/* Each end closes its own sending side. */
TEST_F(shutdown, from_both_ends)
{
	int a = self->fd[0], b = self->fd[1];

	ASSERT_EQ(1, SEND(a));
	ASSERT_EQ(1, SEND(b));
	EXPECT_EQ(0, rc(shutdown(a, SHUT_WR)));
	EXPECT_EQ(0, rc(shutdown(b, SHUT_WR)));
	EXPECT_EQ(POLL_R | POLLRDHUP | POLLHUP | POLL_W, poll_mask(a));
	EXPECT_EQ(POLL_R | POLLRDHUP | POLLHUP | POLL_W, poll_mask(b));
	EXPECT_EQ(1, recv1(a));
	EXPECT_EQ(0, recv1(a));
	EXPECT_EQ(1, recv1(b));
	EXPECT_EQ(0, recv1(b));
}

TEST_F(shutdown, signals)
{
	catch_signal(SIGPIPE, 0);
	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_WR)));
	EXPECT_EQ(-EPIPE, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(1, nr_signals);
	EXPECT_EQ(-EPIPE, rc(write(self->fd[0], "x", 1)));
	EXPECT_EQ(2, nr_signals);
	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_RD)));
	EXPECT_EQ(-EPIPE, rc(write(self->fd[1], "x", 1)));
	EXPECT_EQ(3, nr_signals);
	EXPECT_EQ(-EPIPE, rc(send(self->fd[1], "x", 1, MSG_NOSIGNAL)));
	EXPECT_EQ(3, nr_signals);
}

/* Unread data is lost at close, shut down or not. */
TEST_F(shutdown, then_close_unread)
{
	ASSERT_EQ(1, SEND(self->fd[0]));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_RDWR)));
	close(self->fd[1]);
	EXPECT_EQ(-ECONNRESET, recv1(self->fd[0]));
	EXPECT_EQ(0, recv1(self->fd[0]));
}

/* Any socket may be shut down; what it is connected to later is not. */
TEST_F(shutdown, unconnected)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 8), fd, s;

	ASSERT_LE(0, l);
	fd = xsocket(self->family);
	EXPECT_EQ(0, rc(shutdown(fd, SHUT_WR)));
	EXPECT_EQ(POLLHUP | POLL_W, poll_mask(fd));
	EXPECT_EQ(-ENOTCONN, SEND(fd));
	ASSERT_EQ(0, xconnect(fd, &n));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(-EPIPE, SEND(fd));
	EXPECT_EQ(-EAGAIN, recv1(s));
	EXPECT_EQ(1, passes(s, fd));

	fd = xsocket(self->family);
	EXPECT_EQ(0, rc(shutdown(fd, SHUT_RD)));
	EXPECT_EQ(POLL_R | POLLRDHUP | POLLHUP | POLL_W, poll_mask(fd));
	EXPECT_EQ(-EINVAL, recv1(fd));
	ASSERT_EQ(0, xconnect(fd, &n));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(0, recv1(fd));
	EXPECT_EQ(-EPIPE, SEND(s));
	EXPECT_EQ(1, passes(fd, s));
}

TEST_F(shutdown, before_accept)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 8), c, s;

	ASSERT_LE(0, l);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	ASSERT_EQ(1, SEND(c));
	ASSERT_EQ(0, rc(shutdown(c, SHUT_WR)));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(1, recv1(s));
	EXPECT_EQ(0, recv1(s));
	EXPECT_EQ(1, passes(s, c));
}

/* It is the socket that is shut down, in all processes that share it. */
TEST_F(shutdown, shared)
{
	int copy = dup(self->fd[0]);
	pid_t pid;

	ASSERT_LE(0, copy);
	pid = spawn();
	if (!pid)
		_exit(shutdown(self->fd[0], SHUT_WR) != 0);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, reap(pid));
	EXPECT_EQ(-EPIPE, SEND(copy));
	EXPECT_EQ(0, recv1(self->fd[1]));
	EXPECT_EQ(1, passes(self->fd[1], copy));
}

/* A connection that went through a listener is not the listener's. */
TEST_F(shutdown, not_the_listener)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 8), c, s;

	ASSERT_LE(0, l);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	ASSERT_EQ(0, rc(shutdown(s, SHUT_RDWR)));
	EXPECT_EQ(0, poll_mask(l));
	EXPECT_LE(0, dial(self->family, &n));
	ASSERT_EQ(0, rc(shutdown(l, SHUT_RDWR)));
	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &n));
	EXPECT_EQ(POLL_R | POLLRDHUP | POLLHUP, poll_mask(l));
}

TEST_HARNESS_MAIN
