// SPDX-License-Identifier: GPL-2.0
/* SO_PEEK_OFF where there are messages: looking further, one look at a time. */

#include "packet.h"

PACKET_FIXTURE(packet_peekoff);
TYPE_FIXTURE(seqpacket_peekoff, SOCK_SEQPACKET);

/* The next look, with room for @_room bytes, shows @_str. */
#define EXPECT_PEEK(_str, _fd, _room)					\
do {									\
	char __buf[64] = {};						\
									\
	EXPECT_EQ((long)strlen(_str), rc(recv(_fd, __buf, _room,	\
					      MSG_PEEK | MSG_DONTWAIT)));\
	EXPECT_STREQ(_str, __buf);					\
} while (0)

#define EXPECT_NO_PEEK(_fd)						\
do {									\
	char __ch;							\
									\
	EXPECT_EQ(-EAGAIN, rc(recv(_fd, &__ch, 1, MSG_PEEK | MSG_DONTWAIT)));\
} while (0)

TEST_F(packet_peekoff, option)
{
	int fd = self->fd[0];

	EXPECT_EQ(-1, getint(fd, SO_PEEK_OFF));
	EXPECT_EQ(0, setint(fd, SO_PEEK_OFF, 0));
	EXPECT_EQ(0, getint(fd, SO_PEEK_OFF));
	EXPECT_EQ(0, setint(fd, SO_PEEK_OFF, 12345));
	EXPECT_EQ(12345, getint(fd, SO_PEEK_OFF));
	EXPECT_EQ(-1, getint(self->fd[1], SO_PEEK_OFF));
	EXPECT_EQ(0, setint(fd, SO_PEEK_OFF, -1));
	EXPECT_EQ(-1, getint(fd, SO_PEEK_OFF));
	EXPECT_EQ(-EINVAL, rc(setsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &fd, 1)));
}

/* From look to look through one message and into the next, never over both. */
TEST_F(packet_peekoff, advances)
{
	int a = self->fd[0], b = self->fd[1];

	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 0));
	EXPECT_NO_PEEK(b);
	EXPECT_EQ(5, say(a, "abcde"));
	EXPECT_EQ(3, say(a, "fgh"));
	EXPECT_PEEK("ab", b, 2);
	EXPECT_EQ(2, getint(b, SO_PEEK_OFF));
	EXPECT_PEEK("cde", b, 60);
	EXPECT_EQ(5, getint(b, SO_PEEK_OFF));
	EXPECT_PEEK("f", b, 1);
	EXPECT_PEEK("gh", b, 60);
	EXPECT_EQ(8, getint(b, SO_PEEK_OFF));
	EXPECT_NO_PEEK(b);
	EXPECT_EQ(8, getint(b, SO_PEEK_OFF));
	EXPECT_EQ(1, say(a, "i"));
	EXPECT_PEEK("i", b, 60);
	EXPECT_NO_PEEK(b);
}

/* What is received goes from the front, whole; the place looked at stays. */
TEST_F(packet_peekoff, receive)
{
	int a = self->fd[0], b = self->fd[1];
	char ch;

	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 0));
	EXPECT_EQ(3, say(a, "abc"));
	EXPECT_EQ(4, say(a, "defg"));
	EXPECT_PEEK("abc", b, 60);
	EXPECT_PEEK("d", b, 1);
	EXPECT_EQ(4, getint(b, SO_PEEK_OFF));
	EXPECT_MSG("abc", b);
	EXPECT_EQ(1, getint(b, SO_PEEK_OFF));
	EXPECT_PEEK("efg", b, 60);
	/* Cut or not, it is the length of the message that counts. */
	EXPECT_EQ(1, rc(recv(b, &ch, 1, 0)));
	EXPECT_EQ('d', ch);
	EXPECT_EQ(0, getint(b, SO_PEEK_OFF));

	/* Further than one has looked one does not go back. */
	EXPECT_EQ(3, say(a, "hij"));
	EXPECT_PEEK("h", b, 1);
	EXPECT_MSG("hij", b);
	EXPECT_EQ(0, getint(b, SO_PEEK_OFF));
	EXPECT_EQ(1, say(a, "k"));
	EXPECT_PEEK("k", b, 60);
}

/* So it does when somebody waits for it with much room, and the place is set meanwhile. */
TEST_F(packet_peekoff, receive_large)
{
	static char buf[100000];
	int a = self->fd[0], b = self->fd[1];
	struct op op = receiving(b, buf, sizeof(buf), 0);

	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, setint(b, SO_PEEK_OFF, -1));
		ASSERT_EQ(sizeof(buf), rc(send(a, buf, sizeof(buf), 0)));
		ASSERT_EQ(sizeof(buf), rc(recv(b, buf, sizeof(buf), 0)));
		ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
		ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 5));
		EXPECT_EQ(sizeof(buf), rc(send(a, buf, sizeof(buf), 0)));
		EXPECT_EQ(sizeof(buf), op_join(&op));
		EXPECT_EQ(0, getint(b, SO_PEEK_OFF));
	}
}

TEST_F(packet_peekoff, set)
{
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(3, say(a, "abc"));
	EXPECT_EQ(3, say(a, "def"));
	EXPECT_EQ(3, say(a, "ghi"));
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 4));
	EXPECT_PEEK("ef", b, 60);
	EXPECT_EQ(6, getint(b, SO_PEEK_OFF));
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 2));
	EXPECT_PEEK("c", b, 60);
	EXPECT_PEEK("def", b, 60);
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 9));
	EXPECT_NO_PEEK(b);
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 1000000));
	EXPECT_NO_PEEK(b);
	/* Without it every look is at the front. */
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, -1));
	EXPECT_PEEK("abc", b, 60);
	EXPECT_PEEK("ab", b, 2);
	EXPECT_EQ(-1, getint(b, SO_PEEK_OFF));
	EXPECT_MSG("abc", b);
	EXPECT_EQ(-1, getint(b, SO_PEEK_OFF));
}

/* An empty message is seen once. */
TEST_F(packet_peekoff, empty)
{
	int a = self->fd[0], b = self->fd[1];

	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 0));
	EXPECT_EQ(0, rc(send(a, "", 0, 0)));
	EXPECT_EQ(2, say(a, "ab"));
	EXPECT_EQ(0, rc(send(a, "", 0, 0)));
	EXPECT_EQ(1, say(a, "c"));
	EXPECT_PEEK("", b, 60);
	EXPECT_PEEK("ab", b, 60);
	EXPECT_PEEK("", b, 60);
	EXPECT_PEEK("c", b, 60);
	EXPECT_NO_PEEK(b);
	EXPECT_EQ(3, getint(b, SO_PEEK_OFF));
	/* Seen or not, it is there to be received. */
	EXPECT_MSG("", b);
	EXPECT_MSG("ab", b);
	EXPECT_MSG("", b);
	EXPECT_MSG("c", b);
	EXPECT_NO_MSG(b);
	EXPECT_EQ(0, getint(b, SO_PEEK_OFF));
}

TEST_F(packet_peekoff, trunc)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[8];
	PACKET(p, buf, 2);

	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 1));
	EXPECT_EQ(6, say(a, "abcdef"));
	/* What is left of it, not what there was. */
	EXPECT_EQ(5, rc(recvmsg(b, &p.h, MSG_PEEK | MSG_TRUNC)));
	EXPECT_EQ(MSG_TRUNC, p.h.msg_flags);
	EXPECT_EQ(0, memcmp("bc", buf, 2));
	EXPECT_EQ(3, getint(b, SO_PEEK_OFF));
	p.iov.iov_len = 3;
	EXPECT_EQ(3, rc(recvmsg(b, &p.h, MSG_PEEK)));
	EXPECT_EQ(0, p.h.msg_flags);
	EXPECT_EQ(0, memcmp("def", buf, 3));
	/* No room: no progress. */
	EXPECT_EQ(2, say(a, "gh"));
	EXPECT_EQ(2, rc(recv(b, NULL, 0, MSG_PEEK | MSG_TRUNC)));
	EXPECT_EQ(6, getint(b, SO_PEEK_OFF));
	EXPECT_EQ(6, rc(recv(b, buf, 1, MSG_TRUNC)));
	EXPECT_EQ(0, getint(b, SO_PEEK_OFF));
	EXPECT_PEEK("gh", b, 8);
}

/* A look that fails is none. */
TEST_F(packet_peekoff, fault)
{
	int a = self->fd[0], b = self->fd[1];

	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 1));
	EXPECT_EQ(3, say(a, "abc"));
	EXPECT_EQ(-EFAULT, rc(recv(b, bad_ptr(), 3, MSG_PEEK)));
	EXPECT_EQ(1, getint(b, SO_PEEK_OFF));
	EXPECT_PEEK("bc", b, 60);
	/* And a message lost that way does not bring the place nearer. */
	EXPECT_EQ(3, say(a, "def"));
	EXPECT_EQ(-EFAULT, rc(recv(b, bad_ptr(), 3, 0)));
	EXPECT_EQ(3, getint(b, SO_PEEK_OFF));
	EXPECT_NO_PEEK(b);
	EXPECT_MSG("def", b);
}

/* Waiting is for something not looked at yet. */
TEST_F(packet_peekoff, waits)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[9] = {};
	struct op op = receiving(b, buf, 8, MSG_PEEK);

	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 0));
	EXPECT_EQ(3, say(a, "abc"));
	EXPECT_PEEK("abc", b, 60);
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	EXPECT_EQ(3, say(a, "def"));
	EXPECT_EQ(3, op_join(&op));
	EXPECT_STREQ("def", buf);
	EXPECT_EQ(6, getint(b, SO_PEEK_OFF));
	/* There is something to read, if nothing to see. */
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(b));
	ASSERT_EQ(0, set_timeo(b, SO_RCVTIMEO, 20));
	EXPECT_EQ(-EAGAIN, rc(recv(b, buf, 8, MSG_PEEK)));
}

TEST_F(packet_peekoff, address)
{
	struct name n = abstract_name(self->family, "n"), got;
	int a = self->fd[0], b = self->fd[1];
	char buf[8];

	ASSERT_EQ(0, xbind(a, &n));
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 0));
	EXPECT_EQ(2, say(a, "ab"));
	EXPECT_EQ(1, xrecvfrom(b, buf, 1, MSG_PEEK, &got));
	EXPECT_TRUE(same_name(&n, &got));
	EXPECT_EQ(1, xrecvfrom(b, buf, 8, MSG_PEEK, &got));
	EXPECT_EQ('b', buf[0]);
	EXPECT_TRUE(same_name(&n, &got));
}

TEST_F(seqpacket_peekoff, accepted)
{
	struct name n = abstract_name(self->family, "n");
	int l, c, s;

	l = bound(self->family, self->type, &n);
	ASSERT_EQ(0, rc(listen(l, 1)));
	ASSERT_EQ(0, setint(l, SO_PEEK_OFF, 1));
	c = joined(self->family, self->type, &n);
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(-1, getint(s, SO_PEEK_OFF));
	EXPECT_EQ(3, say(c, "abc"));
	EXPECT_PEEK("abc", s, 60);
}

TEST_HARNESS_MAIN
