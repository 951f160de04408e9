// SPDX-License-Identifier: GPL-2.0
/* When a message was sent: SO_TIMESTAMP and SO_TIMESTAMPNS. */

#include "packet.h"

#include <linux/net_tstamp.h>

PACKET_FIXTURE(packet_time);
TYPE_FIXTURE(stream_time, SOCK_STREAM);

static int64_t real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Receive a message of one byte; its time in ns, 0 where there is none. */
static int64_t recv_time(int fd, int flags)
{
	union {
		struct cmsghdr h;
		char buf[256];
	} c;
	char ch;
	PACKET(p, &ch, 1);
	struct cmsghdr *h;

	p.h.msg_control = c.buf;
	p.h.msg_controllen = sizeof(c.buf);
	if (recvmsg(fd, &p.h, flags) != 1)
		return -errno;
	h = CMSG_FIRSTHDR(&p.h);
	if (!h)
		return 0;
	if (p.h.msg_flags & MSG_CTRUNC || h->cmsg_level != SOL_SOCKET ||
	    CMSG_NXTHDR(&p.h, h))
		return -EBADMSG;
	if (h->cmsg_type == SCM_TIMESTAMP &&
	    h->cmsg_len == CMSG_LEN(sizeof(struct timeval))) {
		struct timeval tv;

		memcpy(&tv, CMSG_DATA(h), sizeof(tv));
		return tv.tv_sec * 1000000000LL + tv.tv_usec * 1000;
	}
	if (h->cmsg_type == SCM_TIMESTAMPNS &&
	    h->cmsg_len == CMSG_LEN(sizeof(struct timespec))) {
		struct timespec ts;

		memcpy(&ts, CMSG_DATA(h), sizeof(ts));
		return ts.tv_sec * 1000000000LL + ts.tv_nsec;
	}
	return -EBADMSG;
}

/* A family without times is skipped, unless it is required to have them. */
#define NEED_TIMES()							\
do {									\
	int __sv[2];							\
									\
	ASSERT_EQ(0, rc(socketpair(self->family, self->type, 0, __sv)));\
	ASSERT_EQ(0, setint(__sv[1], SO_TIMESTAMP, 1));			\
	ASSERT_EQ(1, say(__sv[0], "x"));				\
	if (recv_time(__sv[1], 0) == 0 && self->family != AF_UNIX &&	\
	    !runix_required())						\
		SKIP(return, "no receive times in this family");	\
	close(__sv[0]);							\
	close(__sv[1]);							\
} while (0)

static void stamped(struct __test_metadata *_metadata, int a, int b, int unit)
{
	int64_t before = real_ns(), sent, peek, got;

	ASSERT_EQ(1, say(a, "x"));
	sent = real_ns();
	usleep(20000);
	/* The time of sending, however late one receives, or how often looks. */
	peek = recv_time(b, MSG_PEEK);
	EXPECT_LE(before / unit * unit, peek);
	EXPECT_GE(sent, peek);
	got = recv_time(b, 0);
	EXPECT_EQ(peek, got);
}

TEST_F(packet_time, timeval)
{
	NEED_TIMES();
	EXPECT_EQ(0, getint(self->fd[1], SO_TIMESTAMP));
	ASSERT_EQ(0, setint(self->fd[1], SO_TIMESTAMP, 1));
	EXPECT_EQ(1, getint(self->fd[1], SO_TIMESTAMP));
	stamped(_metadata, self->fd[0], self->fd[1], 1000);
	ASSERT_EQ(0, setint(self->fd[1], SO_TIMESTAMP, 0));
	EXPECT_EQ(0, getint(self->fd[1], SO_TIMESTAMP));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(0, recv_time(self->fd[1], 0));
}

TEST_F(packet_time, timespec)
{
	NEED_TIMES();
	ASSERT_EQ(0, setint(self->fd[1], SO_TIMESTAMPNS, 1));
	EXPECT_EQ(1, getint(self->fd[1], SO_TIMESTAMPNS));
	EXPECT_EQ(0, getint(self->fd[1], SO_TIMESTAMP));
	stamped(_metadata, self->fd[0], self->fd[1], 1);
}

/* The receiver asks, whatever the sender does. */
TEST_F(packet_time, whose)
{
	NEED_TIMES();
	ASSERT_EQ(0, setint(self->fd[0], SO_TIMESTAMP, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(0, recv_time(self->fd[1], 0));
	EXPECT_EQ(1, say(self->fd[1], "x"));
	EXPECT_LT(0, recv_time(self->fd[0], 0));
}

/* Asked for too late, the time is that of receiving. */
TEST_F(packet_time, late)
{
	int64_t before, got;

	NEED_TIMES();
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, say(self->fd[0], "y"));
	ASSERT_EQ(0, setint(self->fd[1], SO_TIMESTAMPNS, 1));
	usleep(1000);
	before = real_ns();
	got = recv_time(self->fd[1], 0);
	EXPECT_LE(before, got);
	EXPECT_GE(real_ns(), got);
	/* And given up, it is not told. */
	EXPECT_EQ(1, say(self->fd[0], "z"));
	ASSERT_EQ(0, setint(self->fd[1], SO_TIMESTAMPNS, 0));
	EXPECT_EQ(0, recv_time(self->fd[1], 0));
	EXPECT_EQ(0, recv_time(self->fd[1], 0));
}

/* Later messages have no earlier times. */
TEST_F(packet_time, order)
{
	int64_t last = 0;
	int i;

	NEED_TIMES();
	ASSERT_EQ(0, setint(self->fd[1], SO_TIMESTAMPNS, 1));
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(1, say(self->fd[0], "x"));
	}
	for (i = 0; i < 10; i++) {
		int64_t t = recv_time(self->fd[1], 0);

		EXPECT_LE(last, t);
		last = t;
	}
}

/* No room for it: it is left out, and that is told. */
TEST_F(packet_time, no_room)
{
	char ch;
	PACKET(p, &ch, 1);

	NEED_TIMES();
	ASSERT_EQ(0, setint(self->fd[1], SO_TIMESTAMP, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, rc(recvmsg(self->fd[1], &p.h, 0)));
	EXPECT_EQ(MSG_CTRUNC, p.h.msg_flags);
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
}

TEST_F(packet_time, timestamping)
{
	char ch, control[256];
	PACKET(p, &ch, 1);
	struct cmsghdr *h;
	struct timespec ts[3];
	int64_t before;

	NEED_TIMES();
	ASSERT_EQ(0, setint(self->fd[1], SO_TIMESTAMPING,
			    SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE));
	/* It stamps nothing by itself here, but a stamp there is is told. */
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
	ASSERT_EQ(0, setint(self->fd[1], SO_TIMESTAMPNS, 1));
	before = real_ns();
	EXPECT_EQ(1, say(self->fd[0], "x"));
	p.h.msg_control = control;
	p.h.msg_controllen = sizeof(control);
	ASSERT_EQ(1, rc(recvmsg(self->fd[1], &p.h, 0)));
	h = CMSG_FIRSTHDR(&p.h);
	ASSERT_NE(NULL, h);
	EXPECT_EQ(SCM_TIMESTAMPNS, h->cmsg_type);
	h = CMSG_NXTHDR(&p.h, h);
	ASSERT_NE(NULL, h);
	EXPECT_EQ(SCM_TIMESTAMPING, h->cmsg_type);
	ASSERT_EQ(CMSG_LEN(sizeof(ts)), h->cmsg_len);
	memcpy(ts, CMSG_DATA(h), sizeof(ts));
	EXPECT_LE(before, ts[0].tv_sec * 1000000000LL + ts[0].tv_nsec);
	EXPECT_EQ(0, ts[2].tv_sec);
}

/* Streams have no times. */
TEST_F(stream_time, none)
{
	ASSERT_EQ(0, setint(self->fd[1], SO_TIMESTAMP, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(0, recv_time(self->fd[1], 0));
}

TEST_HARNESS_MAIN
