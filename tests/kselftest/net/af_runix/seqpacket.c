// SPDX-License-Identifier: GPL-2.0
/* Sequenced packets: how a connection of messages comes about. */

#include "packet.h"

TYPE_FIXTURE(seqpacket, SOCK_SEQPACKET);

#define TYPE	SOCK_SEQPACKET

/* A listener, and its name. */
#define LISTENER(_fd, _name, _backlog)					\
	struct name _name = abstract_name(self->family, "listener");	\
	int _fd = bound(self->family, TYPE, &_name);			\
									\
	ASSERT_LE(0, _fd);						\
	ASSERT_EQ(0, rc(listen(_fd, _backlog)))

TEST_F(seqpacket, connect)
{
	LISTENER(l, n, 4);
	struct name got, none = { .len = PATH_OFF };
	int c = joined(self->family, TYPE, &n), s;

	none.un.sun_family = self->family;
	ASSERT_LE(0, c);
	/* It is connected before anybody accepts it. */
	EXPECT_EQ(5, say(c, "early"));
	ASSERT_EQ(0, xgetpeername(c, &got));
	EXPECT_TRUE(same_name(&n, &got));
	memset(&got, 0xa5, sizeof(got));
	got.len = sizeof(got.bytes);
	s = rc(accept(l, &got.sa, &got.len));
	ASSERT_LE(0, s);
	EXPECT_TRUE(same_name(&none, &got));
	EXPECT_EQ(TYPE, getint(s, SO_TYPE));
	EXPECT_EQ(0, getint(s, SO_ACCEPTCONN));
	EXPECT_EQ(1, getint(l, SO_ACCEPTCONN));
	ASSERT_EQ(0, xgetsockname(s, &got));
	EXPECT_TRUE(same_name(&n, &got));

	EXPECT_EQ(4, say(c, "late"));
	EXPECT_MSG_FROM("early", NULL, s);
	EXPECT_MSG("late", s);
	EXPECT_EQ(3, say(s, "yes"));
	EXPECT_MSG_FROM("yes", &n, c);
}

TEST_F(seqpacket, path)
{
	struct name n = path_name(self->family, "l"), m, got;
	int l = bound(self->family, TYPE, &n), c, s;

	ASSERT_EQ(0, rc(listen(l, 1)));
	m = path_name(self->family, "c");
	c = bound(self->family, TYPE, &m);
	ASSERT_EQ(0, xconnect(c, &n));
	got.len = sizeof(got.bytes);
	s = rc(accept(l, &got.sa, &got.len));
	ASSERT_LE(0, s);
	EXPECT_TRUE(same_name(&m, &got));
	EXPECT_EQ(1, say(c, "x"));
	EXPECT_MSG_FROM("x", &m, s);
	EXPECT_EQ(1, say(s, "y"));
	EXPECT_MSG_FROM("y", &n, c);
}

TEST_F(seqpacket, errors)
{
	LISTENER(l, n, 4);
	struct name m = abstract_name(self->family, "m");
	struct name none = abstract_name(self->family, "none");
	int fd = rc(socket(self->family, TYPE, 0)), c;
	char ch;

	/* Not connected. */
	EXPECT_EQ(-ENOTCONN, say(fd, "x"));
	EXPECT_EQ(-ENOTCONN, say_to(fd, "x", &n));
	EXPECT_EQ(-ENOTCONN, rc(recv(fd, &ch, 1, 0)));
	EXPECT_EQ(-ENOTCONN, rc(recv(fd, &ch, 1, MSG_DONTWAIT)));
	EXPECT_EQ(-ENOTCONN, rc(read(fd, &ch, 1)));
	EXPECT_EQ(-ENOTCONN, xgetpeername(fd, &m));
	EXPECT_EQ(-EINVAL, dissolve(fd));
	EXPECT_EQ(-EINVAL, rc(listen(fd, 1)));
	EXPECT_EQ(-EINVAL, rc(accept(fd, NULL, NULL)));
	EXPECT_EQ(-ECONNREFUSED, xconnect(fd, &none));

	/* Listening. */
	EXPECT_EQ(-ENOTCONN, say(l, "x"));
	EXPECT_EQ(-ENOTCONN, rc(recv(l, &ch, 1, 0)));
	EXPECT_EQ(-ENOTCONN, rc(recv(l, &ch, 1, MSG_DONTWAIT)));
	EXPECT_EQ(-EINVAL, xconnect(l, &n));
	EXPECT_EQ(-EINVAL, inq(l));
	EXPECT_EQ(-EAGAIN, (set_nonblock(l), rc(accept(l, NULL, NULL))));

	/* Connected. */
	c = joined(self->family, TYPE, &n);
	ASSERT_LE(0, c);
	EXPECT_EQ(-EISCONN, xconnect(c, &n));
	EXPECT_EQ(-ECONNREFUSED, xconnect(c, &none));
	EXPECT_EQ(-EINVAL, dissolve(c));
	EXPECT_EQ(-EINVAL, rc(listen(c, 1)));
	EXPECT_EQ(-EINVAL, rc(accept(c, NULL, NULL)));
	EXPECT_EQ(-EISCONN, xconnect(self->fd[0], &n));

	/* Bound, but not listening. */
	m = abstract_name(self->family, "m");
	ASSERT_LE(0, bound(self->family, TYPE, &m));
	EXPECT_EQ(-ECONNREFUSED, xconnect(fd, &m));
	EXPECT_EQ(0, xconnect(fd, &n));
}

/* An address with a message is not so much as looked at. */
TEST_F(seqpacket, address_ignored)
{
	struct name n = abstract_name(self->family, "none");
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(1, say_to(a, "1", &n));
	n.un.sun_family = AF_INET;
	EXPECT_EQ(1, say_to(a, "2", &n));
	n.len = 1;
	EXPECT_EQ(1, say_to(a, "3", &n));
	n.len = 128;
	EXPECT_EQ(1, say_to(a, "4", &n));
	EXPECT_MSG("1", b);
	EXPECT_MSG("2", b);
	EXPECT_MSG("3", b);
	EXPECT_MSG("4", b);
	n.len = 129;
	EXPECT_EQ(-EINVAL, say_to(a, "x", &n));
	EXPECT_EQ(-EFAULT, rc(sendto(a, "x", 1, 0, bad_ptr(), 10)));
	EXPECT_NO_MSG(b);
}

/* --- waiting to be accepted ------------------------------------------- */

TEST_F(seqpacket, backlog)
{
	LISTENER(l, n, 1);
	int c = rc(socket(self->family, TYPE | SOCK_NONBLOCK, 0));
	int64_t start;

	/* One more than was asked for. */
	ASSERT_LE(0, joined(self->family, TYPE, &n));
	ASSERT_LE(0, joined(self->family, TYPE, &n));
	EXPECT_EQ(-EAGAIN, xconnect(c, &n));
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(0, xconnect(c, &n));

	c = rc(socket(self->family, TYPE, 0));
	ASSERT_EQ(0, set_timeo(c, SO_SNDTIMEO, 100));
	start = tick_ms();
	EXPECT_EQ(-EAGAIN, xconnect(c, &n));
	EXPECT_LE(80, tick_ms() - start);
	/* A longer queue is possible at any time. */
	ASSERT_EQ(0, rc(listen(l, 2)));
	EXPECT_EQ(0, xconnect(c, &n));
}

TEST_F(seqpacket, connect_waits)
{
	LISTENER(l, n, 0);
	struct op op = { .fn = op_connect, .to = &n,
			 .fd = rc(socket(self->family, TYPE, 0)) };
	int c = joined(self->family, TYPE, &n), s;

	ASSERT_LE(0, c);
	ASSERT_TRUE(op_blocks(&op, SYS_connect));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(0, op_join(&op));
	EXPECT_EQ(1, say(op.fd, "x"));
	EXPECT_NO_MSG(s);
	EXPECT_MSG("x", rc(accept(l, NULL, NULL)));

	/* Nobody will ever listen again. */
	ASSERT_LE(0, joined(self->family, TYPE, &n));
	op.fd = rc(socket(self->family, TYPE, 0));
	ASSERT_TRUE(op_blocks(&op, SYS_connect));
	close(l);
	EXPECT_EQ(-ECONNREFUSED, op_join(&op));
}

TEST_F(seqpacket, connect_interrupted)
{
	LISTENER(l, n, 0);
	struct op op = { .fn = op_connect, .to = &n,
			 .fd = rc(socket(self->family, TYPE, 0)) };

	ASSERT_LE(0, joined(self->family, TYPE, &n));
	catch_signal(SIGUSR1, 0);
	ASSERT_TRUE(op_blocks(&op, SYS_connect));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));
	EXPECT_EQ(-ENOTCONN, say(op.fd, "x"));
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(0, xconnect(op.fd, &n));
}

TEST_F(seqpacket, accept_waits)
{
	LISTENER(l, n, 4);
	struct op op = { .fn = op_accept, .fd = l };
	int64_t start;
	int c;

	ASSERT_TRUE(op_blocks(&op, SYS_accept4));
	c = joined(self->family, TYPE, &n);
	ASSERT_LE(0, c);
	EXPECT_LE(0, op_join(&op));
	EXPECT_EQ(1, say(c, "x"));
	EXPECT_MSG("x", op.ret);

	ASSERT_EQ(0, set_timeo(l, SO_RCVTIMEO, 100));
	start = tick_ms();
	EXPECT_EQ(-EAGAIN, rc(accept(l, NULL, NULL)));
	EXPECT_LE(80, tick_ms() - start);
}

TEST_F(seqpacket, accept_flags)
{
	LISTENER(l, n, 4);
	int c = rc(socket(self->family, TYPE | SOCK_NONBLOCK, 0)), s;

	ASSERT_EQ(0, xconnect(c, &n));
	s = rc(accept4(l, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
	ASSERT_LE(0, s);
	EXPECT_EQ(FD_CLOEXEC, fcntl(s, F_GETFD));
	EXPECT_EQ(O_RDWR | O_NONBLOCK, fcntl(s, F_GETFL));
	ASSERT_LE(0, joined(self->family, TYPE, &n));
	ASSERT_EQ(0, set_nonblock(l));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(O_RDWR, fcntl(s, F_GETFL));
	EXPECT_EQ(-EINVAL, rc(accept4(l, NULL, NULL, 1)));
}

/* First come, first served. */
TEST_F(seqpacket, accept_order)
{
	LISTENER(l, n, 8);
	char buf[2] = {};
	int i;

	for (i = 0; i < 8; i++) {
		buf[0] = 'a' + i;
		EXPECT_EQ(1, say(joined(self->family, TYPE, &n), buf));
	}
	for (i = 0; i < 8; i++) {
		buf[0] = 'a' + i;
		EXPECT_MSG(buf, rc(accept(l, NULL, NULL)));
	}
}

/* A visitor who has left is accepted, with what it left behind. */
TEST_F(seqpacket, accept_gone)
{
	LISTENER(l, n, 4);
	int c = joined(self->family, TYPE, &n), s;
	char ch;

	EXPECT_EQ(4, say(c, "left"));
	EXPECT_EQ(0, rc(send(c, "", 0, 0)));
	close(c);
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_MSG("left", s);
	EXPECT_MSG("", s);
	EXPECT_EQ(0, rc(recv(s, &ch, 1, 0)));
	EXPECT_EQ(-EPIPE, say(s, "x"));
}

/* Never accepted: reset. */
TEST_F(seqpacket, listener_closed)
{
	LISTENER(l, n, 4);
	int c = joined(self->family, TYPE, &n);
	int d = joined(self->family, TYPE, &n);
	char buf[1];
	struct op op = receiving(c, buf, 1, 0);

	EXPECT_EQ(1, say(d, "x"));
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	close(l);
	EXPECT_EQ(-ECONNRESET, op_join(&op));
	EXPECT_EQ(0, rc(recv(c, buf, 1, 0)));
	EXPECT_EQ(POLLERR | POLL_R | POLLRDHUP | POLLHUP | POLL_W, poll_mask(d));
	EXPECT_EQ(-ECONNRESET, say(d, "y"));
	EXPECT_EQ(-EPIPE, say(d, "z"));
	EXPECT_EQ(-ECONNREFUSED, joined(self->family, TYPE, &n));
}

TEST_F(seqpacket, listener_shut)
{
	LISTENER(l, n, 4);
	int c = joined(self->family, TYPE, &n), s;

	ASSERT_LE(0, c);
	ASSERT_EQ(0, rc(shutdown(l, SHUT_RD)));
	EXPECT_EQ(-ECONNREFUSED, joined(self->family, TYPE, &n));
	/* Those who came before are still let in. */
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(1, say(c, "x"));
	EXPECT_MSG("x", s);
	EXPECT_EQ(-EINVAL, rc(accept(l, NULL, NULL)));
}

TEST_F(seqpacket, credentials)
{
	LISTENER(l, n, 4);
	int c = joined(self->family, TYPE, &n), s = rc(accept(l, NULL, NULL));
	int fd[] = { c, s, l, self->fd[0], self->fd[1] }, i;
	struct ucred cr;
	socklen_t len;

	for (i = 0; i < 5; i++) {
		len = sizeof(cr);
		ASSERT_EQ(0, rc(getsockopt(fd[i], SOL_SOCKET, SO_PEERCRED, &cr,
					   &len)));
		EXPECT_EQ(getpid(), cr.pid);
		EXPECT_EQ(geteuid(), cr.uid);
		EXPECT_EQ(getegid(), cr.gid);
	}
}

/* --- poll ------------------------------------------------------------- */

TEST_F(seqpacket, poll_states)
{
	LISTENER(l, n, 4);
	int fd = rc(socket(self->family, TYPE, 0)), s;
	struct op op = polling(l, POLLIN);

	EXPECT_EQ(POLLHUP | POLL_W, poll_mask(fd));
	EXPECT_EQ(0, poll_mask(l));
	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	ASSERT_EQ(0, xconnect(fd, &n));
	EXPECT_EQ(POLLIN, op_join(&op));
	EXPECT_EQ(POLL_R, poll_mask(l));
	EXPECT_EQ(POLL_W, poll_mask(fd));
	s = rc(accept(l, NULL, NULL));
	EXPECT_EQ(0, poll_mask(l));
	EXPECT_EQ(POLL_W, poll_mask(s));
	EXPECT_EQ(1, say(fd, "x"));
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(s));
	EXPECT_EQ(POLL_W, poll_mask(fd));
	EXPECT_MSG("x", s);
	EXPECT_EQ(POLL_W, poll_mask(s));

	fd = bound(self->family, TYPE, &(struct name) { n.len + 1, .ss = n.ss });
	ASSERT_LE(0, fd);
	EXPECT_EQ(POLLHUP | POLL_W, poll_mask(fd));
	ASSERT_EQ(0, rc(listen(fd, 1)));
	ASSERT_EQ(0, rc(shutdown(fd, SHUT_RD)));
	EXPECT_EQ(POLL_R | POLLRDHUP, poll_mask(fd));
	ASSERT_EQ(0, rc(shutdown(fd, SHUT_WR)));
	EXPECT_EQ(POLL_R | POLLRDHUP | POLLHUP, poll_mask(fd));
}

TEST_F(seqpacket, epoll_listener)
{
	LISTENER(l, n, 8);
	int ep = watch(l, EPOLLIN | EPOLLET);

	EXPECT_EQ(0, next_event(ep, 0));
	ASSERT_LE(0, joined(self->family, TYPE, &n));
	EXPECT_EQ(EPOLLIN, next_event(ep, SOON));
	EXPECT_EQ(0, next_event(ep, 0));
	ASSERT_LE(0, joined(self->family, TYPE, &n));
	EXPECT_EQ(EPOLLIN, next_event(ep, SOON));
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(0, next_event(ep, 0));
}

/* --- many ------------------------------------------------------------- */

enum { CLIENTS = 6, ROUNDS = 40 };

struct client {
	pthread_t thread;
	const struct name *to;
	int family;
	int nr;
};

static void *come_and_ask(void *arg)
{
	struct client *c = arg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		int fd = joined(c->family, TYPE, c->to), msg[2] = { c->nr, i };

		if (fd < 0)
			return (void *)(long)fd;
		if (send(fd, msg, sizeof(msg), 0) != sizeof(msg) ||
		    recv(fd, msg, sizeof(msg), 0) != sizeof(msg) ||
		    msg[0] != c->nr + 1000 || msg[1] != i + 1000 ||
		    recv(fd, msg, sizeof(msg), 0) != 0)
			return (void *)-EBADMSG;
		close(fd);
	}
	return NULL;
}

TEST_F(seqpacket, many_clients)
{
	LISTENER(l, n, 2);
	struct client c[CLIENTS];
	int i, msg[3];

	for (i = 0; i < CLIENTS; i++) {
		c[i] = (struct client) { .to = &n, .family = self->family, .nr = i };
		ASSERT_EQ(0, pthread_create(&c[i].thread, NULL, come_and_ask, &c[i]));
	}
	for (i = 0; i < CLIENTS * ROUNDS; i++) {
		int s = rc(accept(l, NULL, NULL));

		ASSERT_LE(0, s);
		ASSERT_EQ(8, rc(recv(s, msg, sizeof(msg), 0)));
		msg[0] += 1000;
		msg[1] += 1000;
		ASSERT_EQ(8, rc(send(s, msg, 8, 0)));
		close(s);
	}
	for (i = 0; i < CLIENTS; i++) {
		void *ret;

		pthread_join(c[i].thread, &ret);
		EXPECT_EQ(NULL, ret);
	}
}

TEST_HARNESS_MAIN
