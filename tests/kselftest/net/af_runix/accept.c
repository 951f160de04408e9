// SPDX-License-Identifier: GPL-2.0
/* Accepting: order, addresses, flags, waiting, what is inherited. */

#include "common.h"

#include <sys/resource.h>

FAMILY_FIXTURE(accept);

static struct op accepting(int fd)
{
	return (struct op) { .fn = op_accept, .fd = fd };
}

TEST_F(accept, errors)
{
	struct name n = abstract_name(self->family, "n"), got;
	int fd = xsocket(self->family);

	EXPECT_EQ(-EINVAL, rc(accept(fd, NULL, NULL)));
	ASSERT_EQ(0, xbind(fd, &n));
	EXPECT_EQ(-EINVAL, rc(accept(fd, NULL, NULL)));
	EXPECT_EQ(-EINVAL, rc(accept(self->fd[0], NULL, NULL)));

	ASSERT_EQ(0, rc(listen(fd, 4)));
	ASSERT_EQ(0, set_nonblock(fd));
	EXPECT_EQ(-EAGAIN, rc(accept(fd, NULL, NULL)));
	EXPECT_EQ(-EINVAL, rc(accept4(fd, NULL, NULL, 0x10)));

	/* The connection is used up by a bad place for its address. */
	ASSERT_LE(0, dial(self->family, &n));
	got.len = sizeof(got.bytes);
	EXPECT_EQ(-EFAULT, rc(accept(fd, bad_ptr(), &got.len)));
	EXPECT_EQ(-EAGAIN, rc(accept(fd, NULL, NULL)));
	ASSERT_LE(0, dial(self->family, &n));
	got.len = -1;
	EXPECT_EQ(-EINVAL, rc(accept(fd, &got.sa, &got.len)));
	EXPECT_EQ(-EAGAIN, rc(accept(fd, NULL, NULL)));
}

/* And its other end is told, as of any close. */
TEST_F(accept, fault_closes)
{
	struct name n = abstract_name(self->family, "n");
	int fd = listener(self->family, &n, 4), before, c;
	socklen_t len = 100;
	char ch;

	ASSERT_LE(0, fd);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	before = count_fds();
	EXPECT_EQ(-EFAULT, rc(accept(fd, bad_ptr(), &len)));
	EXPECT_EQ(before, count_fds());
	EXPECT_EQ(0, rc(recv(c, &ch, 1, 0)));
}

/* First come, first served; what was sent meanwhile is there. */
TEST_F(accept, order)
{
	enum { NR = 6 };
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, NR), c[NR], s, i;
	char buf[8];

	ASSERT_LE(0, l);
	for (i = 0; i < NR; i++) {
		c[i] = dial(self->family, &n);
		ASSERT_LE(0, c[i]);
		ASSERT_EQ(2, rc(send(c[i], (char []) { 'a' + i, 'z' }, 2, 0)));
	}
	for (i = 0; i < NR; i++) {
		s = rc(accept(l, NULL, NULL));
		ASSERT_LE(0, s);
		ASSERT_EQ(2, inq(s));
		ASSERT_EQ(2, rc(recv(s, buf, 8, 0)));
		EXPECT_EQ('a' + i, buf[0]);
		EXPECT_EQ('z', buf[1]);
		EXPECT_EQ(1, rc(send(s, "r", 1, 0)));
		EXPECT_EQ(1, rc(recv(c[i], buf, 8, 0)));
	}
}

/* The far end may have come, spoken, and gone. */
TEST_F(accept, already_closed)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4), c, s;
	char buf[8];

	ASSERT_LE(0, l);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	ASSERT_EQ(3, rc(send(c, "bye", 3, 0)));
	close(c);
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(POLLHUP | POLLRDHUP | POLL_R | POLL_W, poll_mask(s));
	EXPECT_EQ(3, rc(recv(s, buf, 8, 0)));
	EXPECT_EQ(0, memcmp("bye", buf, 3));
	EXPECT_EQ(0, rc(recv(s, buf, 8, 0)));
	EXPECT_EQ(-EPIPE, rc(send(s, "x", 1, MSG_NOSIGNAL)));
}

TEST_F(accept, addresses)
{
	struct name n = path_name(self->family, "l");
	struct name p = path_name(self->family, "client");
	struct name a = abstract_name(self->family, "client"), got;
	int l = listener(self->family, &n, 8), c, s;

	ASSERT_LE(0, l);
	ASSERT_LE(0, dial(self->family, &n));
	c = xsocket(self->family);
	ASSERT_EQ(0, xbind(c, &p));
	ASSERT_EQ(0, xconnect(c, &n));
	c = xsocket(self->family);
	ASSERT_EQ(0, xbind(c, &a));
	ASSERT_EQ(0, xconnect(c, &n));
	ASSERT_LE(0, dial(self->family, &n));

	/* A nameless peer. */
	memset(got.bytes, 0xa5, sizeof(got.bytes));
	got.len = sizeof(got.bytes);
	s = rc(accept(l, &got.sa, &got.len));
	ASSERT_LE(0, s);
	EXPECT_EQ(PATH_OFF, got.len);
	EXPECT_EQ(self->family, got.sa.sa_family);
	EXPECT_EQ(0xa5, got.bytes[PATH_OFF]);

	/* One with a path. */
	got.len = sizeof(got.bytes);
	s = rc(accept(l, &got.sa, &got.len));
	ASSERT_LE(0, s);
	EXPECT_TRUE(same_name(&p, &got));
	EXPECT_EQ(0, xgetpeername(s, &got));
	EXPECT_TRUE(same_name(&p, &got));
	/* The listener's name is that of all it accepts. */
	EXPECT_EQ(0, xgetsockname(s, &got));
	EXPECT_TRUE(same_name(&n, &got));

	/* An abstract one, with too little room. */
	memset(got.bytes, 0xa5, sizeof(got.bytes));
	got.len = 6;
	s = rc(accept(l, &got.sa, &got.len));
	ASSERT_LE(0, s);
	EXPECT_EQ(a.len, got.len);
	EXPECT_EQ(0, memcmp(a.bytes, got.bytes, 6));
	EXPECT_EQ(0xa5, got.bytes[6]);

	/* Nobody asked. */
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(0, xgetpeername(s, &got));
	EXPECT_EQ(PATH_OFF, got.len);
}

/* A peer bound after it connected has a name from then on. */
TEST_F(accept, bound_later)
{
	struct name n = abstract_name(self->family, "n");
	struct name p = path_name(self->family, "late"), got;
	int l = listener(self->family, &n, 4), c, s;

	ASSERT_LE(0, l);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	ASSERT_EQ(0, xbind(c, &p));
	EXPECT_EQ(0, xgetpeername(s, &got));
	EXPECT_TRUE(same_name(&p, &got));
	/* The name that came with the connection is one. */
	EXPECT_EQ(-EADDRINUSE, xbind(s, &p));
	p = path_name(self->family, "new");
	EXPECT_EQ(-EINVAL, xbind(s, &p));
	/* A pair may be named as well, but cannot be reached by it. */
	EXPECT_EQ(0, xbind(self->fd[0], &p));
	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &p));
	EXPECT_EQ(0, xgetpeername(self->fd[1], &got));
	EXPECT_TRUE(same_name(&p, &got));
}

TEST_F(accept, flags)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4), s;

	ASSERT_LE(0, l);
	ASSERT_EQ(0, set_nonblock(l));
	ASSERT_EQ(0, rc(fcntl(l, F_SETFD, FD_CLOEXEC)));

	/* Nothing comes from the listener. */
	ASSERT_LE(0, dial(self->family, &n));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(O_RDWR, fcntl(s, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
	EXPECT_EQ(0, fcntl(s, F_GETFD));

	ASSERT_LE(0, dial(self->family, &n));
	s = rc(accept4(l, NULL, NULL, SOCK_NONBLOCK));
	ASSERT_LE(0, s);
	EXPECT_EQ(O_NONBLOCK, fcntl(s, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(0, fcntl(s, F_GETFD));

	ASSERT_LE(0, dial(self->family, &n));
	s = rc(accept4(l, NULL, NULL, SOCK_CLOEXEC));
	ASSERT_LE(0, s);
	EXPECT_EQ(0, fcntl(s, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(FD_CLOEXEC, fcntl(s, F_GETFD));
}

/* Options of the listener are its own: buffers, time-outs, errors. */
TEST_F(accept, options_not_inherited)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4), s;
	struct timeval tv = { 9, 9 };
	socklen_t len = sizeof(tv);

	ASSERT_LE(0, l);
	ASSERT_EQ(0, setint(l, SO_SNDBUF, 20000));
	ASSERT_EQ(0, setint(l, SO_KEEPALIVE, 1));
	ASSERT_EQ(0, set_timeo(l, SO_RCVTIMEO, 1000));
	ASSERT_LE(0, dial(self->family, &n));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(getint(self->fd[0], SO_SNDBUF), getint(s, SO_SNDBUF));
	EXPECT_EQ(0, getint(s, SO_KEEPALIVE));
	ASSERT_EQ(0, rc(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, &len)));
	EXPECT_EQ(0, tv.tv_sec);
	EXPECT_EQ(0, tv.tv_usec);
}

TEST_F(accept, waits)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4), c, s;
	struct op op = accepting(l);
	char ch;

	ASSERT_LE(0, l);
	ASSERT_TRUE(op_blocks(&op, SYS_accept4));
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	s = op_join(&op);
	ASSERT_LE(0, s);
	EXPECT_EQ(1, rc(send(s, "x", 1, 0)));
	EXPECT_EQ(1, rc(recv(c, &ch, 1, 0)));
}

/* One connection wakes one of those who wait for it. */
TEST_F(accept, one_of_two)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4);
	struct op a = accepting(l), b = accepting(l), *last;

	ASSERT_LE(0, l);
	ASSERT_TRUE(op_blocks(&a, SYS_accept4));
	ASSERT_TRUE(op_blocks(&b, SYS_accept4));
	ASSERT_LE(0, dial(self->family, &n));
	while (!op_done(&a) && !op_done(&b))
		usleep(500);
	last = op_done(&a) ? &b : &a;
	EXPECT_TRUE(op_sleeps_on(last, SYS_accept4));
	ASSERT_LE(0, dial(self->family, &n));
	EXPECT_LE(0, op_join(&a));
	EXPECT_LE(0, op_join(&b));
	EXPECT_NE(a.ret, b.ret);
}

TEST_F(accept, timeout)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4);
	int64_t start;

	ASSERT_LE(0, l);
	ASSERT_EQ(0, set_timeo(l, SO_RCVTIMEO, 100));
	start = tick_ms();
	EXPECT_EQ(-EAGAIN, rc(accept(l, NULL, NULL)));
	EXPECT_LE(80, tick_ms() - start);
	ASSERT_LE(0, dial(self->family, &n));
	EXPECT_LE(0, rc(accept(l, NULL, NULL)));
}

TEST_F(accept, interrupted)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4);
	struct op op = accepting(l);

	ASSERT_LE(0, l);
	catch_signal(SIGUSR1, 0);
	ASSERT_TRUE(op_blocks(&op, SYS_accept4));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));

	catch_signal(SIGUSR1, SA_RESTART);
	ASSERT_TRUE(op_blocks(&op, SYS_accept4));
	op_signal(&op, SIGUSR1);
	ASSERT_TRUE(op_sleeps_on(&op, SYS_accept4));
	ASSERT_LE(0, dial(self->family, &n));
	EXPECT_LE(0, op_join(&op));

	ASSERT_EQ(0, set_timeo(l, SO_RCVTIMEO, 60000));
	ASSERT_TRUE(op_blocks(&op, SYS_accept4));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));
}

TEST_F(accept, shutdown_wakes)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4);
	struct op op = accepting(l);

	ASSERT_LE(0, l);
	ASSERT_TRUE(op_blocks(&op, SYS_accept4));
	ASSERT_EQ(0, rc(shutdown(l, SHUT_RD)));
	EXPECT_EQ(-EINVAL, op_join(&op));
	EXPECT_EQ(-EINVAL, rc(accept(l, NULL, NULL)));
}

/* No descriptor to be had: the connection stays where it is. */
TEST_F(accept, no_descriptor)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4), c, s;
	struct rlimit rl;
	char ch;

	ASSERT_LE(0, l);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &rl));
	rl.rlim_cur = c + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &rl));
	EXPECT_EQ(-EMFILE, rc(accept(l, NULL, NULL)));
	rl.rlim_cur = rl.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &rl));
	EXPECT_EQ(POLL_W, poll_mask(c));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(1, rc(send(c, "x", 1, 0)));
	EXPECT_EQ(1, rc(recv(s, &ch, 1, 0)));
}

/* Connections outlive the listener they came through. */
TEST_F(accept, outlives_listener)
{
	struct name n = path_name(self->family, "s"), got;
	int l = listener(self->family, &n, 4), c, s;
	char ch;

	ASSERT_LE(0, l);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	close(l);
	ASSERT_EQ(0, unlink("s"));
	EXPECT_EQ(POLL_W, poll_mask(c));
	EXPECT_EQ(1, rc(send(c, "x", 1, 0)));
	EXPECT_EQ(1, rc(recv(s, &ch, 1, 0)));
	EXPECT_EQ(0, xgetpeername(c, &got));
	EXPECT_TRUE(same_name(&n, &got));
	EXPECT_EQ(0, xgetsockname(s, &got));
	EXPECT_TRUE(same_name(&n, &got));
}

TEST_HARNESS_MAIN
