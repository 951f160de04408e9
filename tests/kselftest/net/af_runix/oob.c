// SPDX-License-Identifier: GPL-2.0
/* Bytes out of band: sent, taken ahead, run into, passed over; and who hears of them. */

#include "scm.h"

#include <sys/epoll.h>
#include <linux/sockios.h>

TYPE_FIXTURE(oob, SOCK_STREAM);
TYPE_FIXTURE(oob_dgram, SOCK_DGRAM);
TYPE_FIXTURE(oob_seqpacket, SOCK_SEQPACKET);

/* The last byte of @str is out of band. */
static long shout(int fd, const char *str)
{
	return rc(send(fd, str, strlen(str), MSG_OOB | MSG_NOSIGNAL));
}

static int at_mark(int fd)
{
	int at = -1;

	return ioctl(fd, SIOCATMARK, &at) ? -errno : at;
}

static bool urgent(int fd)
{
	return poll_mask(fd) & POLLPRI;
}

/* A call with these flags and that much room gets @_str. */
#define EXPECT_GETS(_str, _fd, _room, _flags)				\
do {									\
	char __buf[64] = {};						\
									\
	EXPECT_EQ((long)strlen(_str),					\
		  rc(recv(_fd, __buf, _room, (_flags) | MSG_DONTWAIT)));\
	EXPECT_STREQ(_str, __buf);					\
} while (0)

#define EXPECT_GETS_NOT(_err, _fd, _flags)				\
do {									\
	char __ch;							\
									\
	EXPECT_EQ(_err, rc(recv(_fd, &__ch, 1, (_flags) | MSG_DONTWAIT)));\
} while (0)

TEST_F(oob, errors)
{
	struct name n = abstract_name(self->family, "n");
	int a = self->fd[0], b = self->fd[1], l, s;

	EXPECT_EQ(-EOPNOTSUPP, rc(send(a, "", 0, MSG_OOB)));
	EXPECT_EQ(-EISCONN, rc(sendto(a, "x", 1, MSG_OOB, &n.sa, n.len)));
	EXPECT_EQ(-EOPNOTSUPP, rc(sendto(a, "", 0, MSG_OOB, &n.sa, n.len)));
	EXPECT_EQ(-EFAULT, rc(send(a, bad_ptr(), 1, MSG_OOB)));
	EXPECT_FALSE(urgent(b));
	EXPECT_GETS_NOT(-EINVAL, b, MSG_OOB);
	EXPECT_GETS_NOT(-EINVAL, b, MSG_OOB | MSG_PEEK);

	s = xsocket(self->family);
	EXPECT_EQ(-ENOTCONN, shout(s, "x"));
	EXPECT_EQ(-EOPNOTSUPP, rc(send(s, "", 0, MSG_OOB)));
	EXPECT_EQ(-EOPNOTSUPP, rc(sendto(s, "x", 1, MSG_OOB, &n.sa, n.len)));
	EXPECT_GETS_NOT(-EINVAL, s, MSG_OOB);
	EXPECT_EQ(0, at_mark(s));
	l = listener(self->family, &n, 1);
	ASSERT_LE(0, l);
	EXPECT_EQ(-ENOTCONN, shout(l, "x"));
	EXPECT_GETS_NOT(-EINVAL, l, MSG_OOB);
}

TEST_F(oob_dgram, not_there)
{
	EXPECT_EQ(-EOPNOTSUPP, shout(self->fd[0], "x"));
	EXPECT_EQ(-EOPNOTSUPP, rc(send(self->fd[0], "", 0, MSG_OOB)));
	EXPECT_GETS_NOT(-EOPNOTSUPP, self->fd[1], MSG_OOB);
	EXPECT_EQ(-EOPNOTSUPP, at_mark(self->fd[1]));
}

TEST_F(oob_seqpacket, not_there)
{
	EXPECT_EQ(-EOPNOTSUPP, shout(self->fd[0], "x"));
	EXPECT_EQ(-EOPNOTSUPP, rc(send(self->fd[0], "", 0, MSG_OOB)));
	EXPECT_GETS_NOT(-EOPNOTSUPP, self->fd[1], MSG_OOB);
	EXPECT_EQ(-EOPNOTSUPP, at_mark(self->fd[1]));
}

TEST_F(oob, run_into_and_passed)
{
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(3, shout(a, "abC"));
	EXPECT_EQ(2, say(a, "de"));
	EXPECT_TRUE(urgent(b));
	EXPECT_EQ(0, at_mark(b));
	EXPECT_EQ(5, inq(b));
	EXPECT_GETS("ab", b, 9, MSG_PEEK);
	EXPECT_GETS("ab", b, 9, 0);
	EXPECT_EQ(1, at_mark(b));
	EXPECT_TRUE(urgent(b));
	EXPECT_GETS("de", b, 9, MSG_PEEK);
	EXPECT_TRUE(urgent(b));
	EXPECT_GETS("de", b, 9, 0);
	EXPECT_FALSE(urgent(b));
	EXPECT_EQ(0, at_mark(b));
	EXPECT_GETS_NOT(-EINVAL, b, MSG_OOB);
}

TEST_F(oob, taken_ahead)
{
	int a = self->fd[0], b = self->fd[1], i;

	EXPECT_EQ(3, shout(a, "abC"));
	EXPECT_EQ(2, say(a, "de"));
	for (i = 0; i < 2; i++) {
		EXPECT_GETS("C", b, 9, MSG_OOB | MSG_PEEK);
		EXPECT_TRUE(urgent(b));
		EXPECT_EQ(5, inq(b));
	}
	EXPECT_GETS("C", b, 9, MSG_OOB);
	EXPECT_FALSE(urgent(b));
	EXPECT_EQ(4, inq(b));
	EXPECT_GETS_NOT(-EINVAL, b, MSG_OOB);
	/* It leaves a gap, at which reads stop. */
	EXPECT_GETS("ab", b, 9, MSG_PEEK);
	EXPECT_GETS("ab", b, 9, 0);
	EXPECT_EQ(1, at_mark(b));
	EXPECT_EQ(2, inq(b));
	EXPECT_GETS("de", b, 9, 0);
	EXPECT_EQ(0, at_mark(b));
	EXPECT_EQ(0, inq(b));
}

/* One that another one follows is a byte like any other. */
TEST_F(oob, several)
{
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(2, shout(a, "aB"));
	EXPECT_EQ(1, shout(a, "C"));
	EXPECT_EQ(2, shout(a, "dE"));
	EXPECT_EQ(1, say(a, "f"));
	EXPECT_GETS("E", b, 9, MSG_OOB);
	EXPECT_GETS("aBCd", b, 9, 0);
	EXPECT_GETS("f", b, 9, 0);

	/* Gaps among them stop nobody while there is one ahead. */
	EXPECT_EQ(2, shout(a, "aB"));
	EXPECT_GETS("B", b, 9, MSG_OOB);
	EXPECT_EQ(2, shout(a, "cD"));
	EXPECT_GETS("D", b, 9, MSG_OOB);
	EXPECT_EQ(1, say(a, "e"));
	EXPECT_GETS("a", b, 9, MSG_PEEK);
	EXPECT_EQ(2, shout(a, "fG"));
	EXPECT_EQ(6 - 1, inq(b));
	EXPECT_GETS("acef", b, 9, MSG_PEEK);
	EXPECT_GETS("acef", b, 9, 0);
	EXPECT_EQ(1, at_mark(b));
	EXPECT_GETS("G", b, 9, MSG_OOB);
	EXPECT_EQ(1, at_mark(b));
	EXPECT_EQ(0, inq(b));
}

/* Gaps side by side are one. */
TEST_F(oob, gaps)
{
	int a = self->fd[0], b = self->fd[1], i;

	for (i = 0; i < 500; i++) {
		EXPECT_EQ(1, shout(a, "x"));
		EXPECT_GETS("x", b, 9, MSG_OOB);
	}
	EXPECT_EQ(1, at_mark(b));
	EXPECT_EQ(0, inq(b));
	EXPECT_TRUE(poll_mask(b) & POLLIN);
	EXPECT_EQ(2, shout(a, "aB"));
	EXPECT_EQ(0, at_mark(b));
	EXPECT_GETS("a", b, 9, 0);
	EXPECT_EQ(1, at_mark(b));
	EXPECT_GETS_NOT(-EAGAIN, b, 0);
	EXPECT_EQ(0, poll_mask(b) & (POLLIN | POLLPRI));
	EXPECT_EQ(0, at_mark(b));
}

TEST_F(oob, inline)
{
	int a = self->fd[0], b = self->fd[1];

	ASSERT_EQ(0, setint(b, SO_OOBINLINE, 1));
	EXPECT_EQ(1, getint(b, SO_OOBINLINE));
	EXPECT_EQ(3, shout(a, "abC"));
	EXPECT_EQ(2, say(a, "de"));
	EXPECT_GETS_NOT(-EINVAL, b, MSG_OOB);
	EXPECT_TRUE(urgent(b));
	EXPECT_GETS("ab", b, 9, 0);
	EXPECT_EQ(1, at_mark(b));
	EXPECT_GETS("Cde", b, 9, MSG_PEEK);
	EXPECT_TRUE(urgent(b));
	/* Who comes with no room has been told nevertheless. */
	EXPECT_GETS("", b, 0, 0);
	EXPECT_FALSE(urgent(b));
	EXPECT_EQ(0, at_mark(b));
	EXPECT_GETS("Cde", b, 9, 0);
	EXPECT_EQ(0, inq(b));
}

/* Without room there is nothing to wait for, but something to be passed. */
TEST_F(oob, no_room)
{
	int a = self->fd[0], b = self->fd[1];
	char ch = '-';

	EXPECT_EQ(1, shout(a, "A"));
	if (!variant->runix && rc(recv(b, &ch, 0, MSG_PEEK | MSG_DONTWAIT)) == -EAGAIN)
		SKIP(return, "AF_UNIX of this kernel waits nevertheless");
	EXPECT_GETS("", b, 0, MSG_PEEK);
	EXPECT_TRUE(urgent(b));
	EXPECT_EQ(1, rc(recv(b, &ch, 0, MSG_OOB | MSG_PEEK)));
	EXPECT_GETS("", b, 0, 0);
	EXPECT_FALSE(urgent(b));
	EXPECT_EQ(1, shout(a, "B"));
	EXPECT_EQ(1, rc(recv(b, &ch, 0, MSG_OOB)));
	EXPECT_EQ('-', ch);
	EXPECT_FALSE(urgent(b));
	EXPECT_GETS("", b, 0, 0);
	EXPECT_EQ(0, poll_mask(b) & POLLIN);
}

/* SO_PEEK_OFF counts it as a byte, and gaps as none. */
TEST_F(oob, peek_offset)
{
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(3, shout(a, "abC"));
	EXPECT_GETS("C", b, 9, MSG_OOB);
	EXPECT_EQ(3, shout(a, "deF"));
	EXPECT_EQ(2, say(a, "gh"));
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 1));
	EXPECT_GETS("bde", b, 9, MSG_PEEK);
	EXPECT_EQ(4, getint(b, SO_PEEK_OFF));
	/* Whoever begins there gets it. */
	EXPECT_GETS("Fgh", b, 9, MSG_PEEK);
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 2));
	EXPECT_GETS("de", b, 9, MSG_PEEK);
	EXPECT_GETS("abde", b, 9, 0);
	EXPECT_EQ(0, getint(b, SO_PEEK_OFF));
	EXPECT_GETS("gh", b, 9, MSG_PEEK);
	EXPECT_EQ(2, getint(b, SO_PEEK_OFF));
	EXPECT_GETS_NOT(-EAGAIN, b, MSG_PEEK);
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 1));
	EXPECT_GETS("h", b, 9, MSG_PEEK);
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, -1));
	EXPECT_GETS("gh", b, 9, 0);
}

/* A reader that wants more gets what is in front of it. */
TEST_F(oob, waiting_for_more)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[8] = {};
	struct op op = receiving(b, buf, 4, MSG_WAITALL);

	ASSERT_EQ(0, setint(b, SO_RCVLOWAT, 4));
	EXPECT_EQ(2, shout(a, "aB"));
	EXPECT_EQ(1, rc(recv(b, buf, 4, MSG_WAITALL)));
	/* With nothing in front it is lost, and the reader waits. */
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	EXPECT_FALSE(urgent(b));
	EXPECT_EQ(1, shout(a, "C"));
	ASSERT_TRUE(op_sleeps_on(&op, SYS_recvfrom));
	EXPECT_FALSE(urgent(b));
	EXPECT_EQ(2, say(a, "de"));
	ASSERT_TRUE(op_sleeps_on(&op, SYS_recvfrom));
	EXPECT_EQ(2, shout(a, "fG"));
	EXPECT_EQ(3, op_join(&op));
	EXPECT_EQ(0, memcmp("def", buf, 3));
	EXPECT_TRUE(urgent(b));
}

/* Who looks sees what comes behind it, and leaves it. */
TEST_F(oob, waiting_to_look)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[8] = {};
	struct op op = receiving(b, buf, 4, MSG_PEEK);

	EXPECT_EQ(1, shout(a, "A"));
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	/*
	 * Another reader takes it away meanwhile. (Two messages follow, as AF_UNIX may
	 * take the first one for what was there before.)
	 */
	EXPECT_GETS_NOT(-EAGAIN, b, 0);
	ASSERT_TRUE(op_sleeps_on(&op, SYS_recvfrom));
	EXPECT_EQ(1, say(a, "b"));
	EXPECT_EQ(1, say(a, "c"));
	EXPECT_LE(1, op_join(&op));
	EXPECT_EQ('b', buf[0]);
	EXPECT_GETS("bc", b, 9, 0);

	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 3));
	EXPECT_EQ(1, say(a, "c"));
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	EXPECT_GETS("c", b, 9, 0);
	EXPECT_EQ(1, say(a, "d"));
	EXPECT_EQ(2, say(a, "ef"));
	EXPECT_EQ(1, op_join(&op));
	EXPECT_EQ('f', buf[0]);
}

TEST_F(oob, signal)
{
	int a = self->fd[0], b = self->fd[1];
	char ch;

	catch_signal(SIGURG, SA_RESTART);
	/* Nobody is to be told. */
	EXPECT_EQ(2, shout(a, "aB"));
	EXPECT_EQ(0, nr_signals);
	ASSERT_EQ(0, rc(fcntl(b, F_SETOWN, getpid())));
	EXPECT_EQ(1, say(a, "c"));
	EXPECT_EQ(0, nr_signals);
	EXPECT_EQ(2, shout(a, "dE"));
	EXPECT_EQ(1, nr_signals);
	/* Again and again, taken or not, and the last time too. */
	EXPECT_EQ(1, shout(a, "F"));
	EXPECT_EQ(2, nr_signals);
	EXPECT_EQ(1, rc(recv(b, &ch, 1, MSG_OOB)));
	ASSERT_EQ(0, setint(b, SO_OOBINLINE, 1));
	EXPECT_EQ(1, shout(a, "G"));
	EXPECT_EQ(3, nr_signals);
	/* The other direction is another matter. */
	EXPECT_EQ(1, shout(b, "H"));
	EXPECT_EQ(3, nr_signals);
}

/* Nobody has accepted yet: there is nobody to be told, but all is there. */
TEST_F(oob, not_accepted)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 1), c, s;

	ASSERT_LE(0, l);
	catch_signal(SIGURG, SA_RESTART);
	ASSERT_EQ(0, rc(fcntl(l, F_SETOWN, getpid())));
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	EXPECT_EQ(2, shout(c, "aB"));
	EXPECT_EQ(0, nr_signals);
	EXPECT_FALSE(urgent(l));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_TRUE(urgent(s));
	EXPECT_GETS("B", s, 9, MSG_OOB);
	EXPECT_GETS("a", s, 9, 0);
}

TEST_F(oob, polled)
{
	int a = self->fd[0], b = self->fd[1], ep = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLPRI | EPOLLET };
	struct op op = { .fn = op_poll, .fd = b, .flags = POLLPRI };

	ASSERT_EQ(0, rc(epoll_ctl(ep, EPOLL_CTL_ADD, b, &ev)));
	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	EXPECT_EQ(1, say(a, "a"));
	ASSERT_TRUE(op_sleeps_on(&op, SYS_poll));
	EXPECT_EQ(0, rc(epoll_wait(ep, &ev, 1, 0)));
	EXPECT_EQ(1, shout(a, "B"));
	EXPECT_EQ(POLLPRI, op_join(&op));
	EXPECT_EQ(1, rc(epoll_wait(ep, &ev, 1, 0)));
	EXPECT_EQ(EPOLLPRI, ev.events);
	EXPECT_EQ(0, rc(epoll_wait(ep, &ev, 1, 0)));
	EXPECT_EQ(1, shout(a, "C"));
	EXPECT_EQ(1, rc(epoll_wait(ep, &ev, 1, 0)));
	EXPECT_EQ(POLL_R | POLL_W | POLLPRI, poll_mask(b));
	EXPECT_GETS("C", b, 1, MSG_OOB);
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(b));
	EXPECT_EQ(0, rc(epoll_wait(ep, &ev, 1, 0)));
}

TEST_F(oob, the_end)
{
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(2, shout(a, "aB"));
	ASSERT_EQ(0, rc(shutdown(a, SHUT_WR)));
	EXPECT_EQ(-EPIPE, shout(a, "c"));
	EXPECT_EQ(POLL_R | POLL_W | POLLPRI | POLLRDHUP, poll_mask(b));
	EXPECT_GETS("B", b, 9, MSG_OOB);
	EXPECT_GETS("a", b, 9, 0);
	EXPECT_GETS("", b, 9, 0);
	EXPECT_GETS_NOT(-EINVAL, b, MSG_OOB);
	EXPECT_EQ(1, shout(b, "d"));
	ASSERT_EQ(0, rc(shutdown(a, SHUT_RD)));
	EXPECT_EQ(-EPIPE, shout(b, "e"));
	EXPECT_EQ(0, nr_signals);
	catch_signal(SIGPIPE, 0);
	EXPECT_EQ(-EPIPE, rc(send(b, "ef", 2, MSG_OOB)));
	EXPECT_EQ(1, nr_signals);
	EXPECT_GETS("d", a, 9, MSG_OOB);
}

/* Closed with it unread, the other end is reset; not so by what is left of it. */
TEST_F(oob, reset)
{
	char ch;
	int i;

	for (i = 0; i < 4; i++) {
		int fd[2];

		ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, fd)));
		EXPECT_EQ(1, shout(fd[0], "A"));
		if (i == 1)
			EXPECT_EQ(1, rc(recv(fd[1], &ch, 1, MSG_OOB)));
		if (i == 2)
			EXPECT_GETS_NOT(-EAGAIN, fd[1], 0);
		if (i == 3) {
			EXPECT_EQ(1, rc(recv(fd[1], &ch, 1, MSG_OOB)));
			EXPECT_EQ(1, say(fd[0], "b"));
		}
		close(fd[1]);
		EXPECT_EQ(i == 0 || i == 3 ? ECONNRESET : 0, getint(fd[0], SO_ERROR));
		close(fd[0]);
	}
}

/* Who has no memory for it loses it. */
TEST_F(oob, bad_memory)
{
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(2, shout(a, "aB"));
	EXPECT_EQ(-EFAULT, rc(recv(b, bad_ptr(), 1, MSG_OOB | MSG_PEEK)));
	EXPECT_TRUE(urgent(b));
	EXPECT_EQ(-EFAULT, rc(recv(b, bad_ptr(), 1, MSG_OOB)));
	EXPECT_FALSE(urgent(b));
	EXPECT_EQ(1, inq(b));
	EXPECT_GETS("a", b, 9, 0);
	EXPECT_EQ(1, at_mark(b));
}

TEST_F(oob, message)
{
	struct control c = { .len = sizeof(c.buf) };
	struct name n = abstract_name(self->family, "n");
	int a = self->fd[0], b = self->fd[1];
	char buf[8];

	ASSERT_EQ(0, xbind(a, &n));
	EXPECT_EQ(2, shout(a, "aB"));
	EXPECT_EQ(1, recv_control(b, buf, 8, MSG_OOB, &c));
	EXPECT_EQ(MSG_OOB, c.flags);
	EXPECT_EQ(0, (int)c.len);
	EXPECT_EQ(1, shout(a, "C"));
	/* Not even who has sent it is told. */
	n.len = sizeof(n.bytes);
	EXPECT_EQ(1, rc(recvfrom(b, buf, 8, MSG_OOB, &n.sa, &n.len)));
	EXPECT_EQ(0, (int)n.len);
	c.len = sizeof(c.buf);
	EXPECT_EQ(1, recv_control(b, buf, 8, 0, &c));
	EXPECT_EQ(0, c.flags);
}

/* Files that come with it are for those who read on. */
TEST_F(oob, files)
{
	int a = self->fd[0], b = self->fd[1], got[2], i;
	struct control c = {};
	char buf[8];

	NEED(SCM_RIGHTS);
	for (i = 0; i < 3; i++) {
		int p[2];

		ASSERT_EQ(0, rc(pipe(p)));
		c.len = 0;
		EXPECT_EQ(1, send_control(a, "A", 1, MSG_OOB, add_fds(&c, &p[1], 1)));
		close(p[1]);
		ASSERT_EQ(0, setint(b, SO_OOBINLINE, i == 2));
		if (i == 0) {
			c.len = sizeof(c.buf);
			EXPECT_EQ(1, recv_control(b, buf, 8, MSG_OOB, &c));
			EXPECT_EQ(0, get_fds(&c, got));
			EXPECT_EQ(0, c.flags & MSG_CTRUNC);
			EXPECT_TRUE(still_open(p[0]));
		}
		if (i < 2) {
			EXPECT_EQ(-EAGAIN, recv_all(b, buf, 8, &c));
		} else {
			EXPECT_EQ(1, recv_all(b, buf, 8, &c));
			ASSERT_EQ(1, get_fds(&c, got));
			EXPECT_TRUE(still_open(p[0]));
			close(got[0]);
		}
		EXPECT_TRUE(ends_soon(p[0]));
		close(p[0]);
	}
	/* They go with the first part of what is sent. */
	c.len = 0;
	EXPECT_EQ(2, send_control(a, "aB", 2, MSG_OOB, add_fds(&c, &a, 1)));
	EXPECT_EQ(1, recv_all(b, buf, 1, &c));
	EXPECT_EQ(1, get_fds(&c, got));
	EXPECT_EQ(1, recv_all(b, buf, 1, &c));
	EXPECT_EQ(0, get_fds(&c, got));
}

/* A full buffer is full. */
TEST_F(oob, no_space)
{
	int a = self->fd[0], b = self->fd[1];
	size_t n = fill_up(a);

	EXPECT_EQ(-EAGAIN, rc(send(a, "x", 1, MSG_OOB | MSG_DONTWAIT)));
	EXPECT_FALSE(urgent(b));
	EXPECT_EQ(n, drain(b, 0, n));
	EXPECT_EQ(1, shout(a, "x"));
}

TEST_F(oob, spliced)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[8] = {};
	int p[2];

	ASSERT_EQ(0, rc(pipe(p)));
	EXPECT_EQ(3, shout(a, "abC"));
	EXPECT_EQ(2, say(a, "de"));
	EXPECT_EQ(2, rc(splice(b, NULL, p[1], NULL, 9, SPLICE_F_NONBLOCK)));
	EXPECT_TRUE(urgent(b));
	EXPECT_EQ(2, rc(splice(b, NULL, p[1], NULL, 9, SPLICE_F_NONBLOCK)));
	EXPECT_FALSE(urgent(b));
	EXPECT_EQ(4, rc(read(p[0], buf, 8)));
	EXPECT_STREQ("abde", buf);
	EXPECT_EQ(1, shout(a, "F"));
	EXPECT_EQ(-EAGAIN, rc(splice(b, NULL, p[1], NULL, 9, SPLICE_F_NONBLOCK)));
	EXPECT_FALSE(urgent(b));
}

TEST_HARNESS_MAIN
