// SPDX-License-Identifier: GPL-2.0
/* Listening and connecting: states, backlog, waiting, errors. */

#include "common.h"

FAMILY_FIXTURE(listen);

/* Connect without waiting until the listener takes no more; says how many. */
static int fill_backlog(int family, const struct name *n, int *last)
{
	int nr = 0, fd;

	while ((fd = dial_flags(family, n, SOCK_NONBLOCK)) >= 0)
		nr++;
	*last = fd;
	return nr;
}

static struct op connecting(int fd, const struct name *n)
{
	return (struct op) { .fn = op_connect, .fd = fd, .to = n };
}

TEST_F(listen, states)
{
	struct name n = abstract_name(self->family, "n");
	struct name m = abstract_name(self->family, "m");
	int fd = xsocket(self->family), c;

	EXPECT_EQ(-EINVAL, rc(listen(fd, 1)));	/* no name */
	EXPECT_EQ(0, getint(fd, SO_ACCEPTCONN));
	ASSERT_EQ(0, xbind(fd, &n));
	EXPECT_EQ(0, rc(listen(fd, 1)));
	EXPECT_EQ(1, getint(fd, SO_ACCEPTCONN));
	EXPECT_EQ(0, rc(listen(fd, 5)));	/* and again */

	/* Connected, with a name and without. */
	EXPECT_EQ(-EINVAL, rc(listen(self->fd[0], 1)));
	c = xsocket(self->family);
	ASSERT_EQ(0, xbind(c, &m));
	ASSERT_EQ(0, xconnect(c, &n));
	EXPECT_EQ(-EINVAL, rc(listen(c, 1)));
	EXPECT_EQ(0, getint(c, SO_ACCEPTCONN));
	c = rc(accept(fd, NULL, NULL));
	ASSERT_LE(0, c);
	EXPECT_EQ(-EINVAL, rc(listen(c, 1)));
}

/* A backlog of N holds N + 1 connections. */
TEST_F(listen, backlog)
{
	static const int backlog[] = { 0, 1, 3, 10 };
	int i, last;

	for (i = 0; i < (int)ARRAY_SIZE(backlog); i++) {
		char tag[] = { 'a' + i, 0 };
		struct name n = abstract_name(self->family, tag);
		int l = listener(self->family, &n, backlog[i]);

		ASSERT_LE(0, l);
		EXPECT_EQ(backlog[i] + 1, fill_backlog(self->family, &n, &last));
		EXPECT_EQ(-EAGAIN, last);
		/* One out, one in. */
		EXPECT_LE(0, rc(accept(l, NULL, NULL)));
		EXPECT_EQ(1, fill_backlog(self->family, &n, &last));
	}
}

TEST_F(listen, backlog_changes)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 1), last;

	ASSERT_LE(0, l);
	EXPECT_EQ(2, fill_backlog(self->family, &n, &last));
	ASSERT_EQ(0, rc(listen(l, 4)));
	EXPECT_EQ(3, fill_backlog(self->family, &n, &last));
	/* Lowering it turns nobody away who is in. */
	ASSERT_EQ(0, rc(listen(l, 0)));
	EXPECT_EQ(0, fill_backlog(self->family, &n, &last));
	EXPECT_EQ(-EAGAIN, last);
	for (last = 0; last < 5; last++) {
		EXPECT_LE(0, rc(accept4(l, NULL, NULL, SOCK_NONBLOCK)));
	}
	EXPECT_EQ(1, fill_backlog(self->family, &n, &last));
}

/* Both too large and negative mean as much as the system allows. */
TEST_F(listen, backlog_clamped)
{
	static const int backlog[] = { -1, 0x7fffffff };
	int i, nr;

	for (i = 0; i < (int)ARRAY_SIZE(backlog); i++) {
		char tag[] = { 'a' + i, 0 };
		struct name n = abstract_name(self->family, tag);
		int l = listener(self->family, &n, backlog[i]);

		ASSERT_LE(0, l);
		for (nr = 0; nr < 50; nr++) {
			ASSERT_LE(0, dial_flags(self->family, &n, SOCK_NONBLOCK));
		}
	}
}

TEST_F(listen, connect_errors)
{
	struct name n = abstract_name(self->family, "n");
	struct name m = abstract_name(self->family, "m");
	struct name b = abstract_name(self->family, "b");
	struct name gone = abstract_name(self->family, "gone");
	struct name path = path_name(self->family, "missing");
	int l = listener(self->family, &n, 8), l2, c, s, fd;

	ASSERT_LE(0, l);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);

	EXPECT_EQ(-EISCONN, xconnect(c, &n));
	EXPECT_EQ(-EISCONN, xconnect(s, &n));
	EXPECT_EQ(-EISCONN, xconnect(self->fd[0], &n));
	/* Looking up the name comes first. */
	EXPECT_EQ(-ECONNREFUSED, xconnect(c, &gone));
	EXPECT_EQ(-ENOENT, xconnect(c, &path));

	/* A listener connects to nobody, itself included. */
	l2 = listener(self->family, &m, 8);
	ASSERT_LE(0, l2);
	EXPECT_EQ(-EINVAL, xconnect(l2, &n));
	EXPECT_EQ(-EINVAL, xconnect(l2, &m));
	EXPECT_EQ(-ECONNREFUSED, xconnect(l2, &gone));

	/* Bound but deaf: to others and to itself. */
	fd = xsocket(self->family);
	ASSERT_EQ(0, xbind(fd, &b));
	EXPECT_EQ(-ECONNREFUSED, xconnect(fd, &b));
	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &b));

	/* There is no way back to being unconnected. */
	gone = (struct name) { .len = PATH_OFF };
	gone.un.sun_family = AF_UNSPEC;
	EXPECT_EQ(-EINVAL, xconnect(c, &gone));
	EXPECT_EQ(POLL_W, poll_mask(c));
}

/* A refused socket is as good as new. */
TEST_F(listen, connect_again)
{
	struct name n = abstract_name(self->family, "n");
	int fd = xsocket(self->family);

	EXPECT_EQ(-ECONNREFUSED, xconnect(fd, &n));
	EXPECT_EQ(-ECONNREFUSED, xconnect(fd, &n));
	EXPECT_EQ(0, getint(fd, SO_ERROR));
	EXPECT_EQ(POLLHUP | POLL_W, poll_mask(fd));
	ASSERT_LE(0, listener(self->family, &n, 1));
	EXPECT_EQ(0, xconnect(fd, &n));
}

/* Another type than the listener's: told by path, not by abstract name. */
TEST_F(listen, wrong_type)
{
	struct name p = path_name(self->family, "s");
	struct name n = abstract_name(self->family, "n");
	int fd = rc(socket(self->family, SOCK_DGRAM, 0));

	if (fd == -ESOCKTNOSUPPORT)
		SKIP(return, "the family has no other type yet");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, xbind(fd, &p));
	EXPECT_EQ(-EPROTOTYPE, dial(self->family, &p));
	fd = rc(socket(self->family, SOCK_DGRAM, 0));
	ASSERT_EQ(0, xbind(fd, &n));
	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &n));
	/* The name is free for a stream. */
	EXPECT_LE(0, listener(self->family, &n, 1));
}

/* A non-blocking connect is over at once, one way or the other. */
TEST_F(listen, nonblocking)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 0), fd;

	ASSERT_LE(0, l);
	fd = rc(socket(self->family, SOCK_STREAM | SOCK_NONBLOCK, 0));
	EXPECT_EQ(0, xconnect(fd, &n));
	EXPECT_EQ(POLL_W, poll_mask(fd));
	fd = rc(socket(self->family, SOCK_STREAM | SOCK_NONBLOCK, 0));
	EXPECT_EQ(-EAGAIN, xconnect(fd, &n));
	EXPECT_EQ(-EAGAIN, xconnect(fd, &n));
	EXPECT_EQ(POLLHUP | POLL_W, poll_mask(fd));
	EXPECT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(0, xconnect(fd, &n));
}

TEST_F(listen, timeout)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 0), fd = xsocket(self->family);
	int64_t start;

	ASSERT_LE(0, l);
	ASSERT_LE(0, dial(self->family, &n));
	ASSERT_EQ(0, set_timeo(fd, SO_SNDTIMEO, 100));
	start = tick_ms();
	EXPECT_EQ(-EAGAIN, xconnect(fd, &n));
	EXPECT_LE(80, tick_ms() - start);
	EXPECT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(0, xconnect(fd, &n));
}

TEST_F(listen, wait_for_accept)
{
	enum { NR = 4 };
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 0), i;
	struct op op[NR];

	ASSERT_LE(0, l);
	ASSERT_LE(0, dial(self->family, &n));
	for (i = 0; i < NR; i++) {
		op[i] = connecting(xsocket(self->family), &n);
		ASSERT_TRUE(op_blocks(&op[i], SYS_connect));
	}
	/* As many come out as went in; each leaves room for one. */
	for (i = 0; i < NR + 1; i++) {
		EXPECT_LE(0, rc(accept(l, NULL, NULL)));
	}
	for (i = 0; i < NR; i++) {
		EXPECT_EQ(0, op_join(&op[i]));
	}
	ASSERT_EQ(0, set_nonblock(l));
	EXPECT_EQ(-EAGAIN, rc(accept(l, NULL, NULL)));
}

TEST_F(listen, wait_for_backlog)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 0);
	struct op op = connecting(xsocket(self->family), &n);

	ASSERT_LE(0, l);
	ASSERT_LE(0, dial(self->family, &n));
	ASSERT_TRUE(op_blocks(&op, SYS_connect));
	ASSERT_EQ(0, rc(listen(l, 1)));
	EXPECT_EQ(0, op_join(&op));
}

/* Who is woken and doesn't take the room leaves it to the next one. */
TEST_F(listen, turn_passed_on)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 0), i, fd = xsocket(self->family);
	struct op op[] = {
		connecting(fd, &n),
		connecting(fd, &n),
		connecting(xsocket(self->family), &n),
	};

	if (self->family == AF_UNIX)
		SKIP(return, "AF_UNIX leaves the next one asleep");
	ASSERT_LE(0, l);
	ASSERT_LE(0, dial(self->family, &n));
	for (i = 0; i < 3; i++)
		ASSERT_TRUE(op_blocks(&op[i], SYS_connect));
	EXPECT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(0, op_join(&op[0]));
	/* The socket of the second one is connected by now. */
	EXPECT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(-EISCONN, op_join(&op[1]));
	EXPECT_EQ(0, op_join(&op[2]));
}

TEST_F(listen, wait_in_vain)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 0), c;
	struct op op = connecting(xsocket(self->family), &n);

	ASSERT_LE(0, l);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	ASSERT_TRUE(op_blocks(&op, SYS_connect));
	close(l);
	EXPECT_EQ(-ECONNREFUSED, op_join(&op));
	EXPECT_EQ(0, getint(op.fd, SO_ERROR));
}

TEST_F(listen, interrupted)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 0);
	struct op op = connecting(xsocket(self->family), &n);

	ASSERT_LE(0, l);
	ASSERT_LE(0, dial(self->family, &n));

	catch_signal(SIGUSR1, 0);
	ASSERT_TRUE(op_blocks(&op, SYS_connect));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));

	/* A handler may ask for the call to go on... */
	catch_signal(SIGUSR1, SA_RESTART);
	ASSERT_TRUE(op_blocks(&op, SYS_connect));
	op_signal(&op, SIGUSR1);
	ASSERT_TRUE(op_sleeps_on(&op, SYS_connect));
	EXPECT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(0, op_join(&op));

	/* ...but not past a time limit. */
	op.fd = xsocket(self->family);
	ASSERT_EQ(0, set_timeo(op.fd, SO_SNDTIMEO, 60000));
	ASSERT_TRUE(op_blocks(&op, SYS_connect));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));
	EXPECT_EQ(POLLHUP | POLL_W, poll_mask(op.fd));
}

/* Those who wait to be accepted learn of the end of the listener. */
TEST_F(listen, close_resets)
{
	enum { NR = 3 };
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 8), c[NR], i;
	char buf[8];

	ASSERT_LE(0, l);
	for (i = 0; i < NR; i++) {
		c[i] = dial(self->family, &n);
		ASSERT_LE(0, c[i]);
		ASSERT_EQ(i, rc(send(c[i], "abcdef", i, 0)));
	}
	close(l);
	for (i = 0; i < NR; i++) {
		EXPECT_EQ(POLLERR | POLLHUP | POLLRDHUP | POLL_R | POLL_W,
			  poll_mask(c[i]));
		EXPECT_EQ(-ECONNRESET, rc(recv(c[i], buf, 8, 0)));
		EXPECT_EQ(0, rc(recv(c[i], buf, 8, 0)));
		EXPECT_EQ(-EPIPE, rc(send(c[i], "x", 1, MSG_NOSIGNAL)));
	}
}

/* A reader that sleeps on a connection not yet accepted. */
TEST_F(listen, close_wakes_reader)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 8), c = dial(self->family, &n);
	char buf[8];
	struct op op = { .fn = op_recv, .fd = c, .buf = buf, .len = 8 };

	ASSERT_LE(0, l);
	ASSERT_LE(0, c);
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	close(l);
	EXPECT_EQ(-ECONNRESET, op_join(&op));
}

TEST_F(listen, shut_down)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 8), c;

	ASSERT_LE(0, l);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	/* Not sending is what listeners do anyway. */
	ASSERT_EQ(0, rc(shutdown(l, SHUT_WR)));
	EXPECT_LE(0, dial(self->family, &n));

	ASSERT_EQ(0, rc(shutdown(l, SHUT_RD)));
	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &n));
	/* Who was in already is served. */
	EXPECT_EQ(POLL_W, poll_mask(c));
	EXPECT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(-EINVAL, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(0, rc(listen(l, 8)));
	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &n));
}

TEST_HARNESS_MAIN
