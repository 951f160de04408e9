// SPDX-License-Identifier: GPL-2.0
/* Messages, whole or cut: what SOCK_DGRAM and SOCK_SEQPACKET have in common. */

#include "packet.h"

PACKET_FIXTURE(packet);

static char big[1 << 20];

TEST_F(packet, boundaries)
{
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(3, say(a, "abc"));
	EXPECT_EQ(1, say(a, "d"));
	EXPECT_EQ(5, say(a, "efghi"));
	EXPECT_EQ(2, say(b, "xy"));
	EXPECT_MSG("abc", b);
	EXPECT_MSG("d", b);
	EXPECT_MSG("efghi", b);
	EXPECT_NO_MSG(b);
	EXPECT_MSG("xy", a);
}

TEST_F(packet, each_call)
{
	struct iovec out[3] = { { "Ab", 2 }, { "", 0 }, { "cD", 2 } };
	char b1[1], b2[8];
	struct iovec in[2] = { { b1, 1 }, { b2, 8 } };
	struct msghdr mo = { .msg_iov = out, .msg_iovlen = 3 };
	struct msghdr mi = { .msg_iov = in, .msg_iovlen = 2, .msg_flags = -1 };
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(3, rc(write(a, "wri", 3)));
	EXPECT_EQ(4, rc(writev(a, out, 3)));
	EXPECT_EQ(4, rc(sendmsg(a, &mo, 0)));
	EXPECT_EQ(2, rc(sendto(a, "to", 2, 0, NULL, 0)));
	EXPECT_EQ(3, rc(read(b, b2, 8)));
	EXPECT_EQ(0, memcmp("wri", b2, 3));
	EXPECT_EQ(4, rc(readv(b, in, 2)));
	EXPECT_EQ('A', b1[0]);
	EXPECT_EQ(0, memcmp("bcD", b2, 3));
	EXPECT_EQ(4, rc(recvmsg(b, &mi, 0)));
	EXPECT_EQ('A', b1[0]);
	EXPECT_EQ(0, memcmp("bcD", b2, 3));
	EXPECT_EQ(0, mi.msg_flags);
	EXPECT_EQ(0, mi.msg_controllen);
	EXPECT_EQ(0, mi.msg_namelen);
	EXPECT_EQ(2, rc(recvfrom(b, b2, 8, 0, NULL, NULL)));
	EXPECT_EQ(0, memcmp("to", b2, 2));

	EXPECT_EQ(-ESPIPE, rc(pwrite(a, "x", 1, 0)));
	EXPECT_EQ(-ESPIPE, rc(pread(b, b2, 1, 0)));
	EXPECT_EQ(-ESPIPE, rc(lseek(a, 0, SEEK_SET)));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, b, 0));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_NO_MSG(b);
}

/* What does not fit is lost, and the next message is the next message. */
TEST_F(packet, cut)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[8] = {};

	EXPECT_EQ(6, say(a, "abcdef"));
	EXPECT_EQ(3, say(a, "ghi"));
	EXPECT_EQ(4, rc(recv(b, buf, 4, 0)));
	EXPECT_STREQ("abcd", buf);
	EXPECT_EQ(2, rc(read(b, buf, 2)));
	EXPECT_EQ(0, memcmp("ghcd", buf, 5));
	EXPECT_NO_MSG(b);
}

/* MSG_TRUNC: asked for, the whole length; told, that there was more. */
TEST_F(packet, trunc)
{
	int a = self->fd[0], b = self->fd[1], i;
	char buf[8] = {};
	PACKET(p, buf, 4);

	for (i = 0; i < 6; i++) {
		EXPECT_EQ(6, say(a, "abcdef"));
	}
	EXPECT_EQ(6, rc(recv(b, buf, 4, MSG_TRUNC)));
	EXPECT_STREQ("abcd", buf);
	EXPECT_EQ(4, rc(recvmsg(b, &p.h, 0)));
	EXPECT_EQ(MSG_TRUNC, p.h.msg_flags);
	EXPECT_EQ(6, rc(recvmsg(b, &p.h, MSG_TRUNC)));
	EXPECT_EQ(MSG_TRUNC, p.h.msg_flags);
	EXPECT_EQ(0, buf[4]);
	/* Looking before reading. */
	EXPECT_EQ(6, rc(recv(b, NULL, 0, MSG_TRUNC | MSG_PEEK)));
	EXPECT_EQ(6, rc(recvmsg(b, &p.h, MSG_TRUNC | MSG_PEEK)));
	EXPECT_EQ(MSG_TRUNC, p.h.msg_flags);
	p.iov.iov_len = 6;
	EXPECT_EQ(6, rc(recvmsg(b, &p.h, MSG_TRUNC)));
	EXPECT_EQ(0, p.h.msg_flags);
	EXPECT_STREQ("abcdef", buf);
	p.iov.iov_len = 8;
	EXPECT_EQ(6, rc(recvmsg(b, &p.h, MSG_TRUNC)));
	EXPECT_EQ(0, p.h.msg_flags);
	p.iov.iov_len = 0;
	EXPECT_EQ(0, rc(recvmsg(b, &p.h, 0)));
	EXPECT_EQ(MSG_TRUNC, p.h.msg_flags);
	EXPECT_NO_MSG(b);
}

/* Nothing is a message, too. */
TEST_F(packet, empty)
{
	struct msghdr none = {};
	int a = self->fd[0], b = self->fd[1];
	char buf[4] = "zzz";
	PACKET(p, buf, 3);

	EXPECT_EQ(0, rc(send(a, "", 0, 0)));
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(b));
	EXPECT_EQ(0, inq(b));
	EXPECT_EQ(0, rc(recvmsg(b, &p.h, 0)));
	EXPECT_EQ(0, p.h.msg_flags);
	EXPECT_STREQ("zzz", buf);
	EXPECT_EQ(POLL_W, poll_mask(b));
	EXPECT_NO_MSG(b);

	EXPECT_EQ(0, rc(write(a, "", 0)));
	EXPECT_EQ(0, rc(sendmsg(a, &none, 0)));
	EXPECT_EQ(1, say(a, "x"));
	EXPECT_EQ(0, rc(send(a, NULL, 0, 0)));
	EXPECT_EQ(0, rc(recv(b, buf, 3, MSG_PEEK)));
	EXPECT_EQ(0, rc(recv(b, buf, 3, 0)));
	EXPECT_EQ(0, rc(recv(b, buf, 3, MSG_TRUNC)));
	EXPECT_MSG("x", b);
	EXPECT_EQ(0, rc(read(b, buf, 3)));
	EXPECT_NO_MSG(b);
}

/* recv() of nothing takes a message away; read() of nothing does not look. */
TEST_F(packet, empty_buffer)
{
	int a = self->fd[0], b = self->fd[1];
	char ch;

	EXPECT_EQ(1, say(a, "a"));
	EXPECT_EQ(1, say(a, "b"));
	EXPECT_EQ(0, rc(read(b, &ch, 0)));
	EXPECT_EQ(0, rc(recv(b, &ch, 0, 0)));
	EXPECT_MSG("b", b);
	EXPECT_EQ(0, rc(read(b, &ch, 0)));
	EXPECT_EQ(-EAGAIN, rc(recv(b, &ch, 0, MSG_DONTWAIT)));
}

TEST_F(packet, peek)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[8] = {};

	EXPECT_EQ(-EAGAIN, rc(recv(b, buf, 8, MSG_PEEK | MSG_DONTWAIT)));
	EXPECT_EQ(4, say(a, "abcd"));
	EXPECT_EQ(2, say(a, "ef"));
	EXPECT_EQ(4, rc(recv(b, buf, 8, MSG_PEEK)));
	EXPECT_STREQ("abcd", buf);
	EXPECT_EQ(2, rc(recv(b, buf, 2, MSG_PEEK)));
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(b));
	EXPECT_MSG("abcd", b);
	EXPECT_EQ(2, rc(recv(b, buf, 8, MSG_PEEK)));
	EXPECT_MSG("ef", b);
	EXPECT_EQ(-EAGAIN, rc(recv(b, buf, 8, MSG_PEEK | MSG_DONTWAIT)));
}

/* One message answers a call, however much more there is and is asked for. */
TEST_F(packet, waitall)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[8];

	EXPECT_EQ(2, say(a, "ab"));
	EXPECT_EQ(2, say(a, "cd"));
	EXPECT_EQ(2, rc(recv(b, buf, 8, MSG_WAITALL)));
	ASSERT_EQ(0, setint(b, SO_RCVLOWAT, 100));
	EXPECT_EQ(2, rc(recv(b, buf, 8, 0)));
}

/* Flags that mean something elsewhere. */
TEST_F(packet, flags)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[8] = {};
	PACKET(p, buf, 8);

	EXPECT_EQ(1, rc(send(a, "a", 1, MSG_EOR)));
	EXPECT_EQ(1, rc(send(a, "b", 1, MSG_MORE)));
	EXPECT_EQ(1, rc(send(a, "c", 1, MSG_CONFIRM | MSG_DONTROUTE | MSG_NOSIGNAL)));
	EXPECT_EQ(1, rc(recvmsg(b, &p.h, 0)));
	EXPECT_EQ(0, p.h.msg_flags);
	EXPECT_EQ(1, rc(recvmsg(b, &p.h, MSG_EOR)));
	EXPECT_EQ(0, p.h.msg_flags);
	EXPECT_EQ(1, rc(recvmsg(b, &p.h, MSG_CMSG_CLOEXEC)));
	EXPECT_EQ(MSG_CMSG_CLOEXEC, p.h.msg_flags);
	EXPECT_EQ(-EAGAIN, rc(recvmsg(b, &p.h, MSG_DONTWAIT)));

	EXPECT_EQ(-EOPNOTSUPP, rc(send(a, "x", 1, MSG_OOB)));
	EXPECT_EQ(-EOPNOTSUPP, rc(recv(b, buf, 8, MSG_OOB)));
	EXPECT_NO_MSG(b);
	EXPECT_EQ(1, say(a, "y"));
	EXPECT_EQ(-EOPNOTSUPP, rc(recv(b, buf, 8, MSG_OOB)));
	EXPECT_MSG("y", b);
}

/* A message is no longer than the buffer of its sender, less a little. */
TEST_F(packet, size_limit)
{
	int a = self->fd[0], b = self->fd[1];
	long limit = getint(a, SO_SNDBUF) - 32;

	ASSERT_GT((long)sizeof(big), limit);
	pat_fill(big, 0, limit);
	EXPECT_EQ(-EMSGSIZE, rc(send(a, big, limit + 1, 0)));
	EXPECT_EQ(-EMSGSIZE, rc(send(a, big, sizeof(big), MSG_DONTWAIT)));
	EXPECT_EQ(-EMSGSIZE, rc(write(a, big, sizeof(big))));
	EXPECT_NO_MSG(b);
	EXPECT_EQ(limit, rc(send(a, big, limit, 0)));
	memset(big, 0, limit);
	EXPECT_EQ(limit, rc(recv(b, big, sizeof(big), 0)));
	EXPECT_EQ((size_t)limit, pat_good(big, 0, limit));

	/* The receiver's does not matter. */
	ASSERT_EQ(0, setint(b, SO_RCVBUF, 1));
	EXPECT_EQ(limit, rc(send(a, big, limit, 0)));
	EXPECT_EQ(limit, rc(recv(b, big, sizeof(big), 0)));

	ASSERT_EQ(0, setint(a, SO_SNDBUF, 10000));
	EXPECT_EQ(20000, getint(a, SO_SNDBUF));
	EXPECT_EQ(-EMSGSIZE, rc(send(a, big, 20000 - 31, 0)));
	EXPECT_EQ(20000 - 32, rc(send(a, big, 20000 - 32, 0)));
	EXPECT_EQ(20000 - 32, rc(recv(b, big, sizeof(big), 0)));
	ASSERT_EQ(0, setint(a, SO_SNDBUF, 0));
	limit = getint(a, SO_SNDBUF) - 32;
	EXPECT_EQ(-EMSGSIZE, rc(send(a, big, limit + 1, 0)));
	EXPECT_EQ(limit, rc(send(a, big, limit, 0)));
	EXPECT_EQ(limit, rc(recv(b, big, sizeof(big), 0)));
}

/* Lengths around every edge a buffer may have. */
TEST_F(packet, lengths)
{
	static const long at[] = { 1, 64, 128, 256, 512, 1024, 2048, 4096, 8192,
				   12288, 16384, 20480, 32768, 36864, 65536,
				   98304, 131072 };
	int a = self->fd[0], b = self->fd[1], d;
	static char got[140000];
	size_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		for (d = -1; d <= 1; d++) {
			long len = at[i] + d;

			pat_fill(big, i, len);
			ASSERT_EQ(len, rc(send(a, big, len, 0)));
			memset(got, 0, len);
			ASSERT_EQ(len, rc(recv(b, got, sizeof(got), MSG_DONTWAIT)));
			ASSERT_EQ(0, memcmp(big, got, len)) TH_LOG("%ld", len);
		}
	}
}

/* In pieces here, in other pieces there. */
TEST_F(packet, scattered)
{
	enum { NR = 64, LEN = NR * (NR + 1) / 2 };
	struct iovec out[NR], in[8];
	char got[LEN];
	size_t at = 0;
	int i;

	pat_fill(big, 0, LEN);
	for (i = 0; i < NR; at += out[i++].iov_len)
		out[i] = (struct iovec) { big + at, i + 1 };
	for (i = 0, at = 0; i < 8; at += in[i++].iov_len)
		in[i] = (struct iovec) { got + at, i < 7 ? 300 - i : LEN - at };
	ASSERT_EQ(LEN, rc(writev(self->fd[0], out, NR)));
	ASSERT_EQ(LEN, rc(readv(self->fd[1], in, 8)));
	EXPECT_EQ(LEN, pat_good(got, 0, LEN));
}

/* --- faults ----------------------------------------------------------- */

TEST_F(packet, send_fault)
{
	int a = self->fd[0], b = self->fd[1];
	char *edge = guard_page();
	struct iovec iov[2] = { { "ok", 2 }, { bad_ptr(), 1 } };
	int before = -1, after = -1;

	ASSERT_EQ(0, ioctl(a, TIOCOUTQ, &before));
	EXPECT_EQ(-EFAULT, rc(send(a, bad_ptr(), 1, 0)));
	EXPECT_EQ(-EFAULT, rc(send(a, edge - 3, 4, 0)));
	EXPECT_EQ(-EFAULT, rc(send(a, edge - 3000, 100000, 0)));
	EXPECT_EQ(-EFAULT, rc(writev(a, iov, 2)));
	EXPECT_NO_MSG(b);
	EXPECT_EQ(0, inq(b));
	EXPECT_EQ(POLL_W, poll_mask(b));
	ASSERT_EQ(0, ioctl(a, TIOCOUTQ, &after));
	EXPECT_EQ(before, after);
	memcpy(edge - 3, "end", 3);
	EXPECT_EQ(3, rc(send(a, edge - 3, 3, 0)));
	EXPECT_MSG("end", b);
}

/* A message that cannot be handed out is lost, unless one only looked. */
TEST_F(packet, receive_fault)
{
	int a = self->fd[0], b = self->fd[1];
	char *edge = guard_page();
	struct iovec iov[2] = { { edge - 2, 2 }, { bad_ptr(), 8 } };

	EXPECT_EQ(3, say(a, "abc"));
	EXPECT_EQ(-EFAULT, rc(recv(b, bad_ptr(), 3, MSG_PEEK)));
	EXPECT_EQ(3, inq(b));
	EXPECT_EQ(-EFAULT, rc(recv(b, bad_ptr(), 3, 0)));
	EXPECT_NO_MSG(b);

	EXPECT_EQ(3, say(a, "def"));
	EXPECT_EQ(3, say(a, "ghi"));
	EXPECT_EQ(-EFAULT, rc(readv(b, iov, 2)));
	EXPECT_MSG("ghi", b);
	EXPECT_NO_MSG(b);

	/* Room that is not needed is not touched. */
	EXPECT_EQ(2, say(a, "jk"));
	EXPECT_EQ(2, rc(readv(b, iov, 2)));
	EXPECT_EQ(0, memcmp("jk", edge - 2, 2));
	EXPECT_EQ(2, say(a, "lm"));
	EXPECT_EQ(2, rc(recv(b, edge - 2, 100, 0)));
	EXPECT_EQ(0, memcmp("lm", edge - 2, 2));
}

/* The message has gone, though nobody could be told who sent it. */
TEST_F(packet, address_fault)
{
	struct name n = abstract_name(self->family, "n");
	int a = self->fd[0], b = self->fd[1];
	socklen_t len = 100;
	char ch;

	ASSERT_EQ(0, xbind(a, &n));
	EXPECT_EQ(1, say(a, "x"));
	EXPECT_EQ(-EFAULT, rc(recvfrom(b, &ch, 1, 0, bad_ptr(), &len)));
	EXPECT_NO_MSG(b);
	EXPECT_EQ(1, say(a, "y"));
	EXPECT_EQ(-EFAULT, rc(recvfrom(b, &ch, 1, 0, &n.sa, bad_ptr())));
	EXPECT_NO_MSG(b);
	EXPECT_EQ(1, say(a, "z"));
	len = -1;
	EXPECT_EQ(-EINVAL, rc(recvfrom(b, &ch, 1, 0, &n.sa, &len)));
	EXPECT_NO_MSG(b);
}

TEST_F(packet, address)
{
	struct name n = abstract_name(self->family, "n"), got;
	int a = self->fd[0], b = self->fd[1];
	char ch;

	EXPECT_EQ(1, say(a, "x"));
	EXPECT_MSG_FROM("x", NULL, b);
	ASSERT_EQ(0, xbind(a, &n));
	EXPECT_EQ(1, say(a, "x"));
	EXPECT_EQ(1, say(a, "y"));
	EXPECT_EQ(1, xrecvfrom(b, &ch, 1, MSG_PEEK, &got));
	EXPECT_TRUE(same_name(&n, &got));
	EXPECT_MSG_FROM("x", &n, b);
	/* Cut to the room, with the whole length told. */
	memset(&got, 0xa5, sizeof(got));
	got.len = 4;
	EXPECT_EQ(1, rc(recvfrom(b, &ch, 1, 0, &got.sa, &got.len)));
	EXPECT_EQ(n.len, got.len);
	EXPECT_EQ(0, memcmp(n.bytes, got.bytes, 4));
	EXPECT_EQ(0xa5, got.bytes[4]);
}

/* --- how much there is ------------------------------------------------ */

TEST_F(packet, inq)
{
	bool dgram = self->type == SOCK_DGRAM;
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(0, inq(b));
	EXPECT_EQ(3, say(a, "abc"));
	EXPECT_EQ(3, inq(b));
	EXPECT_EQ(4, say(a, "defg"));
	EXPECT_EQ(dgram ? 3 : 7, inq(b));
	EXPECT_EQ(0, rc(send(a, "", 0, 0)));
	EXPECT_EQ(1, say(a, "h"));
	EXPECT_EQ(dgram ? 3 : 8, inq(b));
	EXPECT_EQ(0, inq(a));
	EXPECT_MSG("abc", b);
	EXPECT_EQ(dgram ? 4 : 5, inq(b));
	EXPECT_MSG("defg", b);
	EXPECT_EQ(dgram ? 0 : 1, inq(b));
	EXPECT_MSG("", b);
	EXPECT_EQ(1, inq(b));
	EXPECT_MSG("h", b);
	EXPECT_EQ(0, inq(b));
	EXPECT_EQ(-EFAULT, rc(ioctl(b, FIONREAD, bad_ptr())));
}

static int outq(int fd)
{
	int n = -1;

	return ioctl(fd, TIOCOUTQ, &n) ? -errno : n;
}

/* Memory, not bytes; and it is the sender's until the message is received. */
TEST_F(packet, outq)
{
	int a = self->fd[0], b = self->fd[1], one;
	char ch;

	EXPECT_EQ(0, outq(a));
	EXPECT_EQ(1, say(a, "x"));
	one = outq(a);
	EXPECT_LE(1, one);
	EXPECT_EQ(0, outq(b));
	EXPECT_EQ(1000, rc(send(a, big, 1000, 0)));
	EXPECT_LE(one + 1000, outq(a));
	EXPECT_EQ(1, rc(recv(b, &ch, 1, MSG_PEEK)));
	EXPECT_LE(one + 1000, outq(a));
	EXPECT_EQ(1, rc(recv(b, &ch, 1, 0)));
	EXPECT_LE(1000, outq(a));
	EXPECT_EQ(1, rc(recv(b, &ch, 1, 0)));
	EXPECT_EQ(0, outq(a));
	/* Nothing is something here. */
	EXPECT_EQ(0, rc(send(a, "", 0, 0)));
	EXPECT_LE(1, outq(a));
	EXPECT_EQ(0, rc(recv(b, &ch, 1, 0)));
	EXPECT_EQ(0, outq(a));

	EXPECT_EQ(1, say(a, "x"));
	close(b);
	EXPECT_EQ(0, outq(a));
	EXPECT_EQ(-EFAULT, rc(ioctl(a, TIOCOUTQ, bad_ptr())));
}

/* --- several at once -------------------------------------------------- */

TEST_F(packet, sendmmsg)
{
	struct mmsghdr mm[4] = {};
	struct iovec iov[4] = { { "one", 3 }, { "", 0 }, { big, sizeof(big) },
				{ "four", 4 } };
	int a = self->fd[0], b = self->fd[1], i;

	for (i = 0; i < 4; i++) {
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
		mm[i].msg_len = -1;
	}
	/* Up to the one that fails; which tells why when it is the first. */
	EXPECT_EQ(2, rc(sendmmsg(a, mm, 4, 0)));
	EXPECT_EQ(3, mm[0].msg_len);
	EXPECT_EQ(0, mm[1].msg_len);
	EXPECT_EQ(-EMSGSIZE, rc(sendmmsg(a, mm + 2, 2, 0)));
	EXPECT_EQ(1, rc(sendmmsg(a, mm + 3, 1, 0)));
	EXPECT_EQ(4, mm[3].msg_len);
	EXPECT_EQ(0, rc(sendmmsg(a, mm, 0, 0)));
	EXPECT_MSG("one", b);
	EXPECT_MSG("", b);
	EXPECT_MSG("four", b);
	EXPECT_NO_MSG(b);
}

TEST_F(packet, recvmmsg)
{
	struct name n = abstract_name(self->family, "n"), from[4];
	struct mmsghdr mm[4] = {};
	struct timespec ts = { 0, 10000000 };
	struct iovec iov[4];
	char buf[4][4];
	int a = self->fd[0], b = self->fd[1], i;

	ASSERT_EQ(0, xbind(a, &n));
	for (i = 0; i < 4; i++) {
		iov[i] = (struct iovec) { buf[i], 4 };
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
		mm[i].msg_hdr.msg_name = from[i].bytes;
		mm[i].msg_hdr.msg_namelen = sizeof(from[i].bytes);
	}
	EXPECT_EQ(-EAGAIN, rc(recvmmsg(b, mm, 4, MSG_DONTWAIT, NULL)));
	EXPECT_EQ(3, say(a, "abc"));
	EXPECT_EQ(6, say(a, "defghi"));
	EXPECT_EQ(1, say(a, "j"));
	EXPECT_EQ(3, rc(recvmmsg(b, mm, 4, MSG_DONTWAIT, NULL)));
	EXPECT_EQ(3, mm[0].msg_len);
	EXPECT_EQ(0, mm[0].msg_hdr.msg_flags);
	EXPECT_EQ(0, memcmp("abc", buf[0], 3));
	EXPECT_EQ(4, mm[1].msg_len);
	EXPECT_EQ(MSG_TRUNC, mm[1].msg_hdr.msg_flags);
	EXPECT_EQ(0, memcmp("defg", buf[1], 4));
	EXPECT_EQ(1, mm[2].msg_len);
	EXPECT_EQ('j', buf[2][0]);
	for (i = 0; i < 3; i++) {
		from[i].len = mm[i].msg_hdr.msg_namelen;
		EXPECT_TRUE(same_name(&n, &from[i]));
	}

	/* Wait for one, and take what there is. */
	EXPECT_EQ(1, say(a, "k"));
	EXPECT_EQ(1, rc(recvmmsg(b, mm, 4, MSG_WAITFORONE, NULL)));
	/* The time is looked at after each message. */
	EXPECT_EQ(1, say(a, "l"));
	EXPECT_EQ(1, say(a, "m"));
	EXPECT_EQ(2, rc(recvmmsg(b, mm, 2, 0, &ts)));
	EXPECT_NO_MSG(b);
}

TEST_HARNESS_MAIN
