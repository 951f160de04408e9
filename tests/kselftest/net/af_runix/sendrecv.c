// SPDX-License-Identifier: GPL-2.0
/* Bytes in, bytes out: every call, its flags and its errors. */

#include "common.h"

FAMILY_FIXTURE(sendrecv);

/* What recv() hands out is exactly @_str. */
#define EXPECT_RECV(_fd, _str, _room, _flags)				\
do {									\
	char __buf[(_room) + 1] = {};					\
									\
	EXPECT_EQ((long)strlen(_str), rc(recv(_fd, __buf, _room, _flags)));\
	EXPECT_STREQ(_str, __buf);					\
} while (0)

TEST_F(sendrecv, each_call)
{
	struct iovec out[3] = { { "Ab", 2 }, { "", 0 }, { "cD", 2 } };
	char b1[1], b2[8];
	struct iovec in[2] = { { b1, 1 }, { b2, 8 } };
	struct msghdr mo = { .msg_iov = out, .msg_iovlen = 3 };
	struct msghdr mi = { .msg_iov = in, .msg_iovlen = 2, .msg_flags = -1 };
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(3, rc(write(a, "wri", 3)));
	EXPECT_RECV(b, "wri", 8, 0);

	EXPECT_EQ(4, rc(send(a, "send", 4, 0)));
	EXPECT_EQ(4, rc(read(b, b2, 8)));
	EXPECT_EQ(0, memcmp("send", b2, 4));

	EXPECT_EQ(4, rc(writev(a, out, 3)));
	EXPECT_EQ(4, rc(readv(b, in, 2)));
	EXPECT_EQ('A', b1[0]);
	EXPECT_EQ(0, memcmp("bcD", b2, 3));

	EXPECT_EQ(4, rc(sendmsg(a, &mo, 0)));
	EXPECT_EQ(4, rc(recvmsg(b, &mi, 0)));
	EXPECT_EQ('A', b1[0]);
	EXPECT_EQ(0, memcmp("bcD", b2, 3));
	EXPECT_EQ(0, mi.msg_flags);
	EXPECT_EQ(0, mi.msg_controllen);
	EXPECT_EQ(0, mi.msg_namelen);

	EXPECT_EQ(2, rc(sendto(a, "to", 2, 0, NULL, 0)));
	EXPECT_EQ(2, rc(recvfrom(b, b2, 8, 0, NULL, NULL)));
	EXPECT_EQ(0, memcmp("to", b2, 2));
}

/* A stream has no seams. */
TEST_F(sendrecv, no_boundaries)
{
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(3, rc(send(a, "abc", 3, 0)));
	EXPECT_EQ(2, rc(send(a, "de", 2, 0)));
	EXPECT_EQ(4, rc(send(a, "fghi", 4, 0)));
	EXPECT_RECV(b, "ab", 2, 0);
	EXPECT_RECV(b, "cdef", 4, 0);
	EXPECT_RECV(b, "ghi", 100, 0);
	EXPECT_EQ(-EAGAIN, rc(recv(b, &a, 1, MSG_DONTWAIT)));
}

TEST_F(sendrecv, sender_address)
{
	struct name n = abstract_name(self->family, "l");
	struct name p = path_name(self->family, "client"), got;
	int l = listener(self->family, &n, 4), c, s;
	char ch;

	ASSERT_LE(0, l);
	c = xsocket(self->family);
	ASSERT_EQ(0, xbind(c, &p));
	ASSERT_EQ(0, xconnect(c, &n));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);

	ASSERT_EQ(2, rc(send(c, "xy", 2, 0)));
	memset(&got, 0xa5, sizeof(got));
	got.len = sizeof(got.bytes);
	EXPECT_EQ(1, rc(recvfrom(s, &ch, 1, 0, &got.sa, &got.len)));
	EXPECT_TRUE(same_name(&p, &got));
	/* Cut to the room, with the whole length told. */
	memset(&got, 0xa5, sizeof(got));
	got.len = 4;
	EXPECT_EQ(1, rc(recvfrom(s, &ch, 1, 0, &got.sa, &got.len)));
	EXPECT_EQ(p.len, got.len);
	EXPECT_EQ(0, memcmp(p.bytes, got.bytes, 4));
	EXPECT_EQ(0xa5, got.bytes[4]);

	ASSERT_EQ(1, rc(send(s, "x", 1, 0)));
	got.len = sizeof(got.bytes);
	EXPECT_EQ(1, rc(recvfrom(c, &ch, 1, 0, &got.sa, &got.len)));
	EXPECT_TRUE(same_name(&n, &got));

	/* No name, no length; nor at the end. */
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	got.len = sizeof(got.bytes);
	EXPECT_EQ(1, rc(recvfrom(self->fd[1], &ch, 1, 0, &got.sa, &got.len)));
	EXPECT_EQ(0, got.len);
	close(c);
	got.len = sizeof(got.bytes);
	EXPECT_EQ(0, rc(recvfrom(s, &ch, 1, 0, &got.sa, &got.len)));
	EXPECT_EQ(0, got.len);
}

TEST_F(sendrecv, peek)
{
	int a = self->fd[0], b = self->fd[1];
	char ch;

	EXPECT_EQ(-EAGAIN, rc(recv(b, &ch, 1, MSG_PEEK | MSG_DONTWAIT)));
	ASSERT_EQ(3, rc(send(a, "abc", 3, 0)));
	ASSERT_EQ(3, rc(send(a, "def", 3, 0)));
	EXPECT_RECV(b, "ab", 2, MSG_PEEK);
	EXPECT_RECV(b, "abcd", 4, MSG_PEEK);
	EXPECT_RECV(b, "abcdef", 100, MSG_PEEK);
	EXPECT_EQ(6, inq(b));
	EXPECT_RECV(b, "a", 1, 0);
	EXPECT_RECV(b, "bcde", 4, MSG_PEEK);
	EXPECT_RECV(b, "bcdef", 100, 0);
	/* At the end there is nothing to see, as often as one looks. */
	close(a);
	EXPECT_EQ(0, rc(recv(b, &ch, 1, MSG_PEEK)));
	EXPECT_EQ(0, rc(recv(b, &ch, 1, MSG_PEEK)));
}

/* Looking waits for something to see, but not for all that was asked for. */
TEST_F(sendrecv, peek_waitall)
{
	char buf[8];
	struct op op = { .fn = op_recv, .fd = self->fd[1], .buf = buf, .len = 6,
			 .flags = MSG_PEEK | MSG_WAITALL };

	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	ASSERT_EQ(3, rc(send(self->fd[0], "abc", 3, 0)));
	EXPECT_EQ(3, op_join(&op));
	EXPECT_EQ(3, inq(self->fd[1]));
}

TEST_F(sendrecv, waitall)
{
	char buf[9] = {};
	struct op op = { .fn = op_recv, .fd = self->fd[1], .buf = buf, .len = 8,
			 .flags = MSG_WAITALL };

	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	ASSERT_EQ(3, rc(send(self->fd[0], "abc", 3, 0)));
	ASSERT_TRUE(op_sleeps_on(&op, SYS_recvfrom));
	ASSERT_EQ(4, rc(send(self->fd[0], "defg", 4, 0)));
	ASSERT_TRUE(op_sleeps_on(&op, SYS_recvfrom));
	ASSERT_EQ(2, rc(send(self->fd[0], "hi", 2, 0)));
	EXPECT_EQ(8, op_join(&op));
	EXPECT_STREQ("abcdefgh", buf);
	EXPECT_RECV(self->fd[1], "i", 8, 0);

	/* Not waiting wins over waiting for all... */
	ASSERT_EQ(3, rc(send(self->fd[0], "jkl", 3, 0)));
	EXPECT_RECV(self->fd[1], "jkl", 8, MSG_WAITALL | MSG_DONTWAIT);

	/* ...and so does the end. */
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	ASSERT_EQ(3, rc(send(self->fd[0], "mno", 3, 0)));
	close(self->fd[0]);
	EXPECT_EQ(3, op_join(&op));
	EXPECT_EQ(0, rc(recv(self->fd[1], buf, 8, MSG_WAITALL)));
}

TEST_F(sendrecv, zero_length)
{
	int a = self->fd[0], b = self->fd[1];
	struct msghdr none = {};
	char ch;

	/* Sending nothing sends nothing. */
	EXPECT_EQ(0, rc(send(a, "x", 0, 0)));
	EXPECT_EQ(0, rc(write(a, "x", 0)));
	EXPECT_EQ(0, rc(sendmsg(a, &none, 0)));
	EXPECT_EQ(POLL_W, poll_mask(b));
	EXPECT_EQ(0, inq(b));

	/* Receiving nothing waits all the same; reading nothing does not. */
	EXPECT_EQ(-EAGAIN, rc(recv(b, &ch, 0, MSG_DONTWAIT)));
	EXPECT_EQ(0, rc(read(b, &ch, 0)));
	ASSERT_EQ(1, rc(send(a, "x", 1, 0)));
	EXPECT_EQ(0, rc(recv(b, &ch, 0, MSG_DONTWAIT)));
	EXPECT_EQ(0, rc(read(b, &ch, 0)));
	EXPECT_EQ(1, inq(b));
	EXPECT_RECV(b, "x", 8, 0);

	ASSERT_EQ(0, rc(shutdown(a, SHUT_WR)));
	EXPECT_EQ(0, rc(recv(b, &ch, 0, 0)));
	EXPECT_EQ(-EPIPE, rc(send(a, "x", 0, MSG_NOSIGNAL)));
	EXPECT_EQ(-ENOTCONN, rc(send(xsocket(self->family), "x", 0, 0)));
}

TEST_F(sendrecv, unconnected)
{
	struct name n = abstract_name(self->family, "n");
	int fd = xsocket(self->family), l = listener(self->family, &n, 1);
	char ch;

	catch_signal(SIGPIPE, 0);
	EXPECT_EQ(-ENOTCONN, rc(send(fd, "x", 1, 0)));
	EXPECT_EQ(-ENOTCONN, rc(write(fd, "x", 1)));
	EXPECT_EQ(-EINVAL, rc(recv(fd, &ch, 1, 0)));
	EXPECT_EQ(-EINVAL, rc(read(fd, &ch, 1)));
	EXPECT_EQ(-EINVAL, rc(recv(fd, &ch, 1, MSG_PEEK | MSG_DONTWAIT)));
	EXPECT_EQ(-ENOTCONN, rc(send(l, "x", 1, 0)));
	EXPECT_EQ(-EINVAL, rc(recv(l, &ch, 1, 0)));

	/* With an address it is the address that is wrong. */
	EXPECT_EQ(-EOPNOTSUPP, rc(sendto(fd, "x", 1, 0, &n.sa, n.len)));
	EXPECT_EQ(-EOPNOTSUPP, rc(sendto(l, "x", 1, 0, &n.sa, n.len)));
	EXPECT_EQ(-EISCONN, rc(sendto(self->fd[0], "x", 1, 0, &n.sa, n.len)));
	EXPECT_EQ(0, inq(self->fd[1]));
	EXPECT_EQ(0, nr_signals);
}

TEST_F(sendrecv, ignored_flags)
{
	static const int flags[] = { MSG_MORE, MSG_EOR, MSG_CONFIRM,
				     MSG_DONTROUTE, MSG_DONTWAIT, MSG_NOSIGNAL };
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(flags); i++) {
		struct iovec iov = { (char [8]) {}, 8 };
		struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

		EXPECT_EQ(2, rc(send(self->fd[0], "ok", 2, flags[i])));
		EXPECT_EQ(2, rc(recvmsg(self->fd[1], &m, MSG_DONTWAIT)))
			TH_LOG("flag %#x", flags[i]);
		EXPECT_EQ(0, m.msg_flags);
	}
	/* A stream cuts nothing off; being asked for real lengths is in vain. */
	ASSERT_EQ(6, rc(send(self->fd[0], "abcdef", 6, 0)));
	EXPECT_RECV(self->fd[1], "abc", 3, MSG_TRUNC);
	EXPECT_RECV(self->fd[1], "def", 8, 0);
}

/* A fault takes nothing out of the stream. */
TEST_F(sendrecv, fault_receiving)
{
	int a = self->fd[0], b = self->fd[1];
	char *edge = guard_page(), good[4];
	struct iovec iov[2] = { { good, 4 }, { edge, 4 } };

	ASSERT_EQ(8, rc(send(a, "abcdefgh", 8, 0)));
	EXPECT_EQ(-EFAULT, rc(recv(b, bad_ptr(), 8, 0)));
	EXPECT_EQ(-EFAULT, rc(recv(b, bad_ptr(), 8, MSG_PEEK)));
	EXPECT_EQ(-EFAULT, rc(read(b, edge, 8)));
	EXPECT_EQ(8, inq(b));
	/* Nor does one half-way. */
	EXPECT_EQ(-EFAULT, rc(recv(b, edge - 4, 8, 0)));
	EXPECT_EQ(-EFAULT, rc(recv(b, edge - 4, 8, MSG_PEEK)));
	EXPECT_EQ(-EFAULT, rc(readv(b, iov, 2)));
	EXPECT_EQ(8, inq(b));
	EXPECT_RECV(b, "abcdefgh", 8, 0);

	/* Room that is not needed may be bad. */
	ASSERT_EQ(4, rc(send(a, "ijkl", 4, 0)));
	EXPECT_EQ(4, rc(recv(b, edge - 4, 8, 0)));
	EXPECT_EQ(0, memcmp("ijkl", edge - 4, 4));

	EXPECT_EQ(2, rc(send(b, "ok", 2, 0)));
	EXPECT_RECV(a, "ok", 8, 0);
}

/* Of a message that cannot be read nothing is sent. */
TEST_F(sendrecv, fault_sending)
{
	int a = self->fd[0], b = self->fd[1];
	char *edge = guard_page();
	struct iovec iov[2] = { { "abcd", 4 }, { edge, 4 } };

	memcpy(edge - 4, "efgh", 4);
	EXPECT_EQ(-EFAULT, rc(send(a, bad_ptr(), 8, 0)));
	EXPECT_EQ(-EFAULT, rc(send(a, edge - 4, 8, 0)));
	EXPECT_EQ(-EFAULT, rc(writev(a, iov, 2)));
	EXPECT_EQ(0, inq(b));
	EXPECT_EQ(POLL_W, poll_mask(b));

	EXPECT_EQ(4, rc(send(a, edge - 4, 4, 0)));
	EXPECT_RECV(b, "efgh", 8, 0);
	EXPECT_EQ(2, rc(send(b, "ok", 2, 0)));
	EXPECT_RECV(a, "ok", 8, 0);
}

/* Of a long one, as much as was said to be. */
TEST_F(sendrecv, fault_in_long_message)
{
	enum { LEN = 65536, GOOD = 50000 };
	long page = sysconf(_SC_PAGESIZE), sent, got;
	char *p = mmap(NULL, LEN + page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *buf = p + LEN - GOOD / page * page - 77;
	static char big[LEN];

	/* 48 KiB and 77 bytes of @buf can be touched, and not a byte more. */
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mprotect(p + LEN, page, PROT_NONE));
	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 400000));
	pat_fill(buf, 0, p + LEN - buf);
	sent = rc(send(self->fd[0], buf, p + LEN - buf + 1, 0));
	if (sent == -EFAULT)
		sent = 0;
	ASSERT_LE(0, sent);
	EXPECT_GE(p + LEN - buf, sent);
	EXPECT_EQ(sent, inq(self->fd[1]));
	EXPECT_EQ(sent, drain(self->fd[1], 0, sent));

	pat_fill(big, 0, LEN);
	ASSERT_EQ(LEN, rc(send(self->fd[0], big, LEN, 0)));
	got = rc(recv(self->fd[1], buf, LEN, 0));
	if (got == -EFAULT)
		got = 0;
	ASSERT_LE(0, got);
	EXPECT_EQ(got, pat_good(buf, 0, got));
	EXPECT_EQ(LEN - got, inq(self->fd[1]));
	EXPECT_EQ(LEN - got, drain(self->fd[1], got, LEN - got));
}

/* What was sent before a clean end is read before it. */
TEST_F(sendrecv, peer_closes)
{
	int a = self->fd[0], b = self->fd[1];
	char ch;

	ASSERT_EQ(3, rc(send(a, "end", 3, 0)));
	close(a);
	EXPECT_EQ(-EPIPE, rc(send(b, "x", 1, MSG_NOSIGNAL)));
	EXPECT_RECV(b, "en", 2, 0);
	EXPECT_RECV(b, "d", 8, 0);
	EXPECT_EQ(0, rc(recv(b, &ch, 1, 0)));
	EXPECT_EQ(0, rc(read(b, &ch, 1)));
	EXPECT_EQ(0, getint(b, SO_ERROR));
	EXPECT_EQ(-EPIPE, rc(send(b, "x", 1, MSG_NOSIGNAL)));
}

/* The peer leaves with something unread: an error, once, after the data. */
TEST_F(sendrecv, peer_closes_unread)
{
	int a = self->fd[0], b = self->fd[1];
	char ch;

	ASSERT_EQ(3, rc(send(b, "xyz", 3, 0)));
	ASSERT_EQ(3, rc(send(a, "abc", 3, 0)));
	close(b);
	/* The pipe is broken before it is reset. */
	EXPECT_EQ(-EPIPE, rc(send(a, "x", 1, MSG_NOSIGNAL)));
	EXPECT_RECV(a, "xyz", 8, 0);
	EXPECT_EQ(-ECONNRESET, rc(recv(a, &ch, 1, 0)));
	EXPECT_EQ(0, rc(recv(a, &ch, 1, 0)));
	EXPECT_EQ(-EPIPE, rc(send(a, "x", 1, MSG_NOSIGNAL)));
}

TEST_F(sendrecv, reset_as_option)
{
	char ch;

	ASSERT_EQ(3, rc(send(self->fd[0], "abc", 3, 0)));
	EXPECT_RECV(self->fd[1], "ab", 2, 0);
	close(self->fd[1]);
	EXPECT_EQ(ECONNRESET, getint(self->fd[0], SO_ERROR));
	EXPECT_EQ(0, getint(self->fd[0], SO_ERROR));
	EXPECT_EQ(0, rc(recv(self->fd[0], &ch, 1, 0)));
}

/* Everything read, if only at the last moment: no reset. */
TEST_F(sendrecv, read_before_close)
{
	char ch;

	ASSERT_EQ(3, rc(send(self->fd[0], "abc", 3, 0)));
	EXPECT_RECV(self->fd[1], "ab", 2, 0);
	EXPECT_RECV(self->fd[1], "c", 1, MSG_PEEK);
	EXPECT_RECV(self->fd[1], "c", 1, 0);
	close(self->fd[1]);
	EXPECT_EQ(0, rc(recv(self->fd[0], &ch, 1, 0)));
}

TEST_F(sendrecv, sigpipe)
{
	int a = self->fd[0];
	struct iovec iov = { "x", 1 };

	close(self->fd[1]);
	catch_signal(SIGPIPE, 0);
	EXPECT_EQ(-EPIPE, rc(send(a, "x", 1, MSG_NOSIGNAL)));
	EXPECT_EQ(0, nr_signals);
	EXPECT_EQ(-EPIPE, rc(send(a, "x", 1, 0)));
	EXPECT_EQ(1, nr_signals);
	EXPECT_EQ(-EPIPE, rc(write(a, "x", 1)));
	EXPECT_EQ(2, nr_signals);
	EXPECT_EQ(-EPIPE, rc(writev(a, &iov, 1)));
	EXPECT_EQ(3, nr_signals);
	EXPECT_EQ(-EPIPE, rc(write(a, "x", 0)));
	EXPECT_EQ(4, nr_signals);
}

TEST_F_SIGNAL(sendrecv, sigpipe_kills, SIGPIPE)
{
	close(self->fd[1]);
	chdir("/");
	rmdir(self->dir);
	signal(SIGPIPE, SIG_DFL);
	write(self->fd[0], "x", 1);
	ASSERT_TRUE(false) TH_LOG("survived a broken pipe");
}

TEST_F(sendrecv, sendmmsg)
{
	struct iovec iov[4] = { { "one", 3 }, { "two", 3 }, { bad_ptr(), 3 },
				{ "four", 4 } };
	struct mmsghdr m[4] = {};
	int i;

	for (i = 0; i < 4; i++) {
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
		m[i].msg_len = -1;
	}
	/* Those before the error count; the error is for the next call. */
	EXPECT_EQ(2, rc(sendmmsg(self->fd[0], m, 4, 0)));
	EXPECT_EQ(3, m[0].msg_len);
	EXPECT_EQ(3, m[1].msg_len);
	EXPECT_EQ(-EFAULT, rc(sendmmsg(self->fd[0], m + 2, 2, 0)));
	EXPECT_EQ(1, rc(sendmmsg(self->fd[0], m + 3, 1, 0)));
	EXPECT_RECV(self->fd[1], "onetwofour", 100, 0);
}

TEST_F(sendrecv, recvmmsg)
{
	char buf[3][4];
	struct mmsghdr m[3] = {};
	struct iovec iov[3];
	int i;

	for (i = 0; i < 3; i++) {
		iov[i] = (struct iovec) { buf[i], 4 };
		m[i].msg_hdr.msg_iov = &iov[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	EXPECT_EQ(-EAGAIN, rc(recvmmsg(self->fd[1], m, 3, MSG_DONTWAIT, NULL)));
	ASSERT_EQ(6, rc(send(self->fd[0], "abcdef", 6, 0)));
	EXPECT_EQ(2, rc(recvmmsg(self->fd[1], m, 3, MSG_WAITFORONE, NULL)));
	EXPECT_EQ(4, m[0].msg_len);
	EXPECT_EQ(0, memcmp("abcd", buf[0], 4));
	EXPECT_EQ(2, m[1].msg_len);
	EXPECT_EQ(0, memcmp("ef", buf[1], 2));
}

TEST_F(sendrecv, iovec_limits)
{
	static struct iovec iov[1025];
	struct msghdr m = { .msg_iov = iov };
	char bytes[1025], got[1025];
	int i;

	pat_fill(bytes, 0, sizeof(bytes));
	for (i = 0; i < 1025; i++)
		iov[i] = (struct iovec) { &bytes[i], 1 };
	m.msg_iovlen = 1025;
	EXPECT_EQ(-EMSGSIZE, rc(sendmsg(self->fd[0], &m, 0)));
	EXPECT_EQ(-EINVAL, rc(writev(self->fd[0], iov, 1025)));
	m.msg_iovlen = 1024;
	EXPECT_EQ(1024, rc(sendmsg(self->fd[0], &m, 0)));
	for (i = 0; i < 1024; i++)
		iov[i].iov_base = &got[i];
	EXPECT_EQ(1024, rc(readv(self->fd[1], iov, 1024)));
	EXPECT_EQ(1024, pat_good(got, 0, 1024));
}

/* More than an int can count. */
TEST_F(sendrecv, huge_lengths)
{
	size_t huge = 3UL << 30;
	char *p = mmap(NULL, huge, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct iovec iov[2] = { { p, huge / 2 }, { p + huge / 2, huge / 2 } };
	long sent;

	if (p == MAP_FAILED)
		SKIP(return, "no room for %zu bytes of addresses", huge);
	sent = rc(send(self->fd[0], p, huge, MSG_DONTWAIT));
	ASSERT_LT(0, sent);
	EXPECT_GT(10 << 20, sent);
	EXPECT_EQ(sent, inq(self->fd[1]));
	EXPECT_EQ(sent, rc(recv(self->fd[1], p, huge, 0)));
	ASSERT_EQ(0, set_nonblock(self->fd[0]));
	sent = rc(writev(self->fd[0], iov, 2));
	ASSERT_LT(0, sent);
	EXPECT_EQ(sent, rc(readv(self->fd[1], iov, 2)));
}

/* There is nothing to seek in, to map, or to make durable. */
TEST_F(sendrecv, not_a_file)
{
	char ch;

	EXPECT_EQ(-ESPIPE, rc(lseek(self->fd[0], 0, SEEK_SET)));
	EXPECT_EQ(-ESPIPE, rc(lseek(self->fd[0], 0, SEEK_CUR)));
	EXPECT_EQ(-ESPIPE, rc(pread(self->fd[0], &ch, 1, 0)));
	EXPECT_EQ(-ESPIPE, rc(pwrite(self->fd[0], &ch, 1, 0)));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED,
				   self->fd[0], 0));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_PRIVATE,
				   self->fd[0], 0));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-EINVAL, rc(fsync(self->fd[0])));
	EXPECT_EQ(-EINVAL, rc(ftruncate(self->fd[0], 0)));
	EXPECT_EQ(-ENOTDIR, rc(fchdir(self->fd[0])));
}

TEST_HARNESS_MAIN
