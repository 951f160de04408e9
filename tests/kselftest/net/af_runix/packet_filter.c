// SPDX-License-Identifier: GPL-2.0
/*
 * Socket filters: the receiver says what may come in, and the sender does not
 * learn of it. A filter sees the bytes of the message and nothing before them.
 */
#include "packet.h"

#include <linux/filter.h>

PACKET_FIXTURE(packet_filter);
TYPE_FIXTURE(dgram_filter, SOCK_DGRAM);
TYPE_FIXTURE(seqpacket_filter, SOCK_SEQPACKET);

#define ACCEPT	0xffffffff
#define RET(_n)	BPF_STMT(BPF_RET | BPF_K, _n)

static int attach_program(int fd, const struct sock_filter *insn, int len)
{
	struct sock_fprog prog = { .len = len, .filter = (void *)insn };

	return rc(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)));
}

#define attach(_fd, ...)						\
({									\
	const struct sock_filter __insn[] = { __VA_ARGS__ };		\
									\
	attach_program(_fd, __insn, sizeof(__insn) / sizeof(__insn[0]));\
})

static int detach(int fd)
{
	return setint(fd, SO_DETACH_FILTER, 0);
}

/* Does a filter have any effect on sockets of this family? */
static bool filters_work(int family, int type)
{
	bool works = false;
	int sv[2];
	char ch;

	if (family == AF_UNIX || runix_required())
		return true;
	if (socketpair(family, type, 0, sv))
		return false;
	if (!attach(sv[1], RET(0)) && send(sv[0], "x", 1, 0) == 1)
		works = recv(sv[1], &ch, 1, MSG_DONTWAIT) < 0;
	close(sv[0]);
	close(sv[1]);
	return works;
}

#define NEED_FILTERS()							\
do {									\
	if (!filters_work(self->family, self->type))			\
		SKIP(return, "no socket filters in this family");	\
} while (0)

TEST_F(packet_filter, drops)
{
	int a = self->fd[0], b = self->fd[1], n = -1;
	char ch;

	NEED_FILTERS();
	ASSERT_EQ(0, attach(b, RET(0)));
	EXPECT_EQ(5, say(a, "gone!"));
	EXPECT_EQ(0, rc(send(a, "", 0, 0)));
	EXPECT_EQ(4, rc(write(a, "gone", 4)));
	EXPECT_EQ(POLL_W, poll_mask(b));
	EXPECT_NO_MSG(b);
	EXPECT_EQ(0, inq(b));
	ASSERT_EQ(0, ioctl(a, TIOCOUTQ, &n));
	EXPECT_EQ(0, n);
	/* Of the two directions it is this one alone. */
	EXPECT_EQ(2, say(b, "ok"));
	EXPECT_MSG("ok", a);
	/* What has come in before stays. */
	ASSERT_EQ(0, detach(b));
	EXPECT_EQ(3, say(a, "one"));
	ASSERT_EQ(0, attach(b, RET(0)));
	EXPECT_EQ(3, say(a, "two"));
	EXPECT_MSG("one", b);
	EXPECT_EQ(-EAGAIN, rc(recv(b, &ch, 1, MSG_DONTWAIT)));
}

TEST_F(packet_filter, accepts)
{
	int a = self->fd[0], b = self->fd[1];

	NEED_FILTERS();
	ASSERT_EQ(0, attach(b, RET(ACCEPT)));
	EXPECT_EQ(5, say(a, "abcde"));
	EXPECT_EQ(0, rc(send(a, "", 0, 0)));
	EXPECT_EQ(5, say(a, "fghij"));
	EXPECT_MSG("abcde", b);
	EXPECT_MSG("", b);
	EXPECT_MSG("fghij", b);
}

/* Part of a message: cut, which nobody is told. */
TEST_F(packet_filter, cuts)
{
	int a = self->fd[0], b = self->fd[1];
	static char big[100000];
	char buf[8] = {};
	PACKET(p, buf, 8);

	NEED_FILTERS();
	ASSERT_EQ(0, attach(b, RET(3)));
	EXPECT_EQ(5, say(a, "abcde"));
	EXPECT_EQ(2, say(a, "fg"));
	EXPECT_EQ(3, inq(b) - (self->type == SOCK_DGRAM ? 0 : 2));
	EXPECT_EQ(3, rc(recvmsg(b, &p.h, MSG_TRUNC)));
	EXPECT_EQ(0, p.h.msg_flags);
	EXPECT_STREQ("abc", buf);
	EXPECT_MSG("fg", b);
	ASSERT_EQ(0, attach(b, RET(1)));
	EXPECT_EQ(5, say(a, "abcde"));
	EXPECT_MSG("a", b);
	ASSERT_EQ(0, attach(b, RET(70000)));
	pat_fill(big, 0, sizeof(big));
	EXPECT_EQ(100000, rc(send(a, big, 100000, 0)));
	memset(big, 0, sizeof(big));
	EXPECT_EQ(70000, rc(recv(b, big, sizeof(big), 0)));
	EXPECT_EQ(70000, pat_good(big, 0, 70000));
}

/* By content. Byte 0 is the first one the sender sent. */
TEST_F(packet_filter, looks)
{
	int a = self->fd[0], b = self->fd[1];

	NEED_FILTERS();
	ASSERT_EQ(0, attach(b, BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
			    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
			    RET(ACCEPT), RET(0)));
	EXPECT_EQ(2, say(a, "n1"));
	EXPECT_EQ(2, say(a, "y2"));
	EXPECT_EQ(2, say(a, "n3"));
	EXPECT_EQ(1, say(a, "y"));
	/* There is no first byte: reading it ends the filter, and the message. */
	EXPECT_EQ(0, rc(send(a, "", 0, 0)));
	EXPECT_MSG("y2", b);
	EXPECT_MSG("y", b);
	EXPECT_NO_MSG(b);
}

TEST_F(packet_filter, looks_far)
{
	int a = self->fd[0], b = self->fd[1];
	static char big[50000];

	NEED_FILTERS();
	ASSERT_EQ(0, attach(b, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 49990),
			    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x01020304, 0, 1),
			    RET(ACCEPT), RET(0)));
	EXPECT_EQ(50000, rc(send(a, big, 50000, 0)));
	memcpy(big + 49990, "\1\2\3\4", 4);
	EXPECT_EQ(50000, rc(send(a, big, 50000, 0)));
	EXPECT_EQ(49993, rc(send(a, big, 49993, 0)));
	EXPECT_EQ(49994, rc(send(a, big, 49994, 0)));
	EXPECT_EQ(50000, rc(recv(b, big, sizeof(big), 0)));
	EXPECT_EQ(49994, rc(recv(b, big, sizeof(big), 0)));
	EXPECT_NO_MSG(b);
}

TEST_F(packet_filter, by_length)
{
	int a = self->fd[0], b = self->fd[1];

	NEED_FILTERS();
	ASSERT_EQ(0, attach(b, BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
			    BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 3, 0, 1),
			    RET(0), RET(ACCEPT)));
	EXPECT_EQ(4, say(a, "abcd"));
	EXPECT_EQ(3, say(a, "abc"));
	EXPECT_EQ(0, rc(send(a, "", 0, 0)));
	EXPECT_MSG("abc", b);
	EXPECT_MSG("", b);
	EXPECT_NO_MSG(b);
}

TEST_F(packet_filter, options)
{
	struct sock_filter bad = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
	int a = self->fd[0], b = self->fd[1];

	NEED_FILTERS();
	EXPECT_EQ(-ENOENT, detach(b));
	EXPECT_EQ(-EINVAL, attach_program(b, &bad, 0));
	/* A program has to end. */
	EXPECT_EQ(-EINVAL, attach_program(b, &bad, 1));
	ASSERT_EQ(0, attach(b, RET(0)));
	EXPECT_EQ(1, say(a, "x"));
	/* Another one takes its place. */
	ASSERT_EQ(0, attach(b, RET(ACCEPT)));
	EXPECT_EQ(1, say(a, "y"));
	EXPECT_EQ(-EINVAL, attach_program(b, &bad, 1));
	EXPECT_EQ(1, say(a, "z"));
	EXPECT_MSG("y", b);
	EXPECT_MSG("z", b);
	EXPECT_EQ(0, getint(b, SO_LOCK_FILTER));
	EXPECT_EQ(0, setint(b, SO_LOCK_FILTER, 1));
	EXPECT_EQ(-EPERM, detach(b));
	EXPECT_EQ(-EPERM, attach(b, RET(0)));
	EXPECT_EQ(1, say(a, "w"));
	EXPECT_MSG("w", b);
}

/* The filter is asked before anybody looks for room or who may send. */
TEST_F(dgram_filter, asked_first)
{
	struct name n = abstract_name(self->family, "n");
	int r, s, count;

	NEED_FILTERS();
	r = bound(self->family, SOCK_DGRAM, &n);
	count = fill_receiver(self->family, &n);
	ASSERT_LT(0, count);
	s = dgram(self->family);
	EXPECT_EQ(-EAGAIN, xsendto(s, "x", 1, MSG_DONTWAIT, &n));
	ASSERT_EQ(0, attach(r, RET(0)));
	EXPECT_EQ(1, xsendto(s, "x", 1, MSG_DONTWAIT, &n));
	EXPECT_EQ(count, drain_messages(r));

	ASSERT_EQ(0, xconnect(r, &n));
	EXPECT_EQ(1, say_to(s, "x", &n));
	EXPECT_EQ(-EPERM, xconnect(s, &n));
	ASSERT_EQ(0, detach(r));
	EXPECT_EQ(-EPERM, say_to(s, "x", &n));
	EXPECT_NO_MSG(r);
}

/* A filter may be attached to a stream; it does nothing. */
TEST_F(seqpacket_filter, streams_are_not)
{
	int sv[2];
	char ch;

	NEED_FILTERS();
	ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, sv)));
	ASSERT_EQ(0, attach(sv[1], RET(0)));
	EXPECT_EQ(1, rc(send(sv[0], "x", 1, 0)));
	EXPECT_EQ(1, rc(recv(sv[1], &ch, 1, MSG_DONTWAIT)));
	EXPECT_EQ('x', ch);
}

/* What is accepted is not filtered because the listener is. */
TEST_F(seqpacket_filter, accepted)
{
	struct name n = abstract_name(self->family, "n");
	int l, c, s;

	NEED_FILTERS();
	l = bound(self->family, self->type, &n);
	ASSERT_EQ(0, rc(listen(l, 1)));
	ASSERT_EQ(0, attach(l, RET(0)));
	c = joined(self->family, self->type, &n);
	ASSERT_LE(0, c);
	EXPECT_EQ(1, say(c, "x"));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_MSG("x", s);
	EXPECT_EQ(-ENOENT, detach(s));
}

TEST_HARNESS_MAIN
