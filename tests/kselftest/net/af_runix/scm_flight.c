// SPDX-License-Identifier: GPL-2.0
/*
 * Files in messages nobody receives: closed when the message goes, whatever
 * makes it go; and those that ride on a stream.
 */
#include "scm.h"

#include <linux/filter.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

EVERY_FIXTURE(scm_flight);
PACKET_FIXTURE(packet_flight);
TYPE_FIXTURE(dgram_flight, SOCK_DGRAM);
TYPE_FIXTURE(stream_flight, SOCK_STREAM);

/* A pipe whose writing end will be in messages only. */
#define PIPE(_p)							\
	int _p[2];							\
									\
	NEED(SCM_RIGHTS);						\
	ASSERT_EQ(0, rc(pipe(_p)))

TEST_F(scm_flight, receiver_closes)
{
	int i;
	PIPE(p);

	for (i = 0; i < 5; i++) {
		EXPECT_EQ(1, say_fd(self->fd[0], "x", p[1]));
	}
	close(p[1]);
	EXPECT_TRUE(still_open(p[0]));
	close(self->fd[1]);
	EXPECT_TRUE(ends_soon(p[0]));
}

/* It is enough that one message of many is read, for its files alone. */
TEST_F(scm_flight, one_by_one)
{
	struct control c = {};
	int got, other[2];
	char ch;
	PIPE(p);

	ASSERT_EQ(0, rc(pipe(other)));
	EXPECT_EQ(1, say_fd(self->fd[0], "x", p[1]));
	EXPECT_EQ(1, say_fd(self->fd[0], "y", other[1]));
	close(p[1]);
	close(other[1]);
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	ASSERT_EQ(1, get_fds(&c, &got));
	close(got);
	EXPECT_TRUE(ends_soon(p[0]));
	EXPECT_TRUE(still_open(other[0]));
	close(self->fd[1]);
	EXPECT_TRUE(ends_soon(other[0]));
}

/* What fails to be sent is closed. */
TEST_F(scm_flight, not_sent)
{
	PIPE(p);

	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_RD)));
	EXPECT_EQ(-EPIPE, say_fd(self->fd[0], "x", p[1]));
	ASSERT_EQ(0, setint(self->fd[1], SO_SNDBUF, 8192));
	ASSERT_LT(0, fill_messages(self->fd[1]));
	while (rc(send(self->fd[1], "x", 1, MSG_DONTWAIT)) == 1)
		;
	{
		struct control c = {};

		EXPECT_EQ(-EAGAIN, send_control(self->fd[1], "x", 1, MSG_DONTWAIT,
						add_fds(&c, &p[1], 1)));
	}
	close(p[1]);
	EXPECT_TRUE(ends_soon(p[0]));
}

/* A connection nobody accepted, and what was said to it. */
TEST_F(scm_flight, not_accepted)
{
	struct name n = abstract_name(self->family, "n");
	int l, c;
	PIPE(p);

	l = bound(self->family, self->type, &n);
	ASSERT_LE(0, l);
	if (self->type != SOCK_DGRAM)
		ASSERT_EQ(0, rc(listen(l, 4)));
	c = joined(self->family, self->type, &n);
	ASSERT_LE(0, c);
	EXPECT_EQ(1, say_fd(c, "x", p[1]));
	close(p[1]);
	close(c);
	EXPECT_TRUE(still_open(p[0]));
	close(l);
	EXPECT_TRUE(ends_soon(p[0]));
}

/* A process that dies leaves nothing open. */
TEST_F(scm_flight, process_dies)
{
	pid_t pid;
	PIPE(p);

	pid = spawn();
	if (!pid) {
		int sv[2];

		if (socketpair(self->family, self->type, 0, sv) ||
		    say_fd(sv[0], "x", p[1]) != 1 ||
		    say_fd(sv[1], "x", p[1]) != 1)
			_exit(1);
		raise(SIGKILL);
	}
	close(p[1]);
	EXPECT_EQ(1000 + SIGKILL, reap(pid));
	EXPECT_TRUE(ends_soon(p[0]));
}

/* A message in a socket in a message. */
TEST_F(scm_flight, nested)
{
	int sv[8][2], i;
	PIPE(p);

	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, rc(socketpair(self->family, self->type, 0, sv[i])));
		EXPECT_EQ(1, say_fd(sv[i][0], "x", i ? sv[i - 1][1] : p[1]));
		if (i)
			close(sv[i - 1][1]);
	}
	close(p[1]);
	EXPECT_TRUE(still_open(p[0]));
	close(sv[7][1]);
	EXPECT_TRUE(ends_soon(p[0]));
}

/* A socket that waits in its own queue is found, and so is one of two. */
TEST_F(scm_flight, in_itself)
{
	PIPE(p);

	EXPECT_EQ(1, say_fd(self->fd[0], "x", self->fd[1]));
	EXPECT_EQ(1, say_fd(self->fd[0], "y", p[1]));
	close(p[1]);
	close(self->fd[1]);
	EXPECT_TRUE(still_open(p[0]));
	/* The end of any socket makes the kernel look. */
	close(self->fd[0]);
	EXPECT_TRUE(ends_soon(p[0]));
}

TEST_F(scm_flight, in_each_other)
{
	int sv[2];
	PIPE(p);

	ASSERT_EQ(0, rc(socketpair(self->family, self->type, 0, sv)));
	EXPECT_EQ(1, say_fd(self->fd[0], "x", sv[1]));
	EXPECT_EQ(1, say_fd(sv[0], "x", self->fd[1]));
	EXPECT_EQ(1, say_fd(sv[0], "y", p[1]));
	close(p[1]);
	close(self->fd[1]);
	close(sv[1]);
	EXPECT_TRUE(still_open(p[0]));
	close(self->fd[0]);
	close(sv[0]);
	EXPECT_TRUE(ends_soon(p[0]));
}

/* Found, but not while somebody can still take it out. */
TEST_F(scm_flight, in_itself_reachable)
{
	struct control c = {};
	int keep, got = -1;
	char ch;
	PIPE(p);

	EXPECT_EQ(1, say_fd(self->fd[0], "x", self->fd[1]));
	EXPECT_EQ(1, say_fd(self->fd[0], "y", p[1]));
	close(p[1]);
	keep = dup(self->fd[1]);
	close(self->fd[0]);
	close(self->fd[1]);
	usleep(100000);
	EXPECT_TRUE(still_open(p[0]));
	EXPECT_EQ(1, recv_all(keep, &ch, 1, &c));
	ASSERT_EQ(1, get_fds(&c, &got));
	close(keep);
	EXPECT_TRUE(still_open(p[0]));
	EXPECT_EQ(1, recv_all(got, &ch, 1, &c));
	EXPECT_EQ('y', ch);
	EXPECT_EQ(1, get_fds(&c, &keep));
	close(got);
	EXPECT_TRUE(still_open(p[0]));
	close(keep);
	EXPECT_TRUE(ends_soon(p[0]));
}

/* Who has no privilege may have no more in flight than open. */
static int flood(int fd, int file)
{
	struct rlimit lim = { 30, 30 };
	int n = 0, ret;

	if (setrlimit(RLIMIT_NOFILE, &lim) || setgid(45678) || setuid(45678))
		return -EPERM;
	while (n < 100 && (ret = say_fd(fd, "x", file)) == 1)
		n++;
	if (ret != -ETOOMANYREFS || say(fd, "y") != 1)
		return ret;
	for (; n > 20; n--) {
		char ch;

		/* The other end has been left to this process, too. */
		if (recv(fd + 1, &ch, 1, MSG_DONTWAIT) != 1)
			return -errno;
	}
	ret = say_fd(fd, "x", file);
	return ret == 1 ? -200 - n : ret;
}

TEST_F(scm_flight, too_many)
{
	PIPE(p);

	ASSERT_EQ(self->fd[0] + 1, self->fd[1]);
	EXPECT_EQ(-220, IN_CHILD(flood(self->fd[0], p[1])));
}

/* --- messages --------------------------------------------------------- */

/* With no byte at all; and with too little room for the bytes. */
TEST_F(packet_flight, empty)
{
	struct control c = {};
	int got;
	char ch;
	PIPE(p);

	EXPECT_EQ(0, say_fd(self->fd[0], "", p[1]));
	EXPECT_EQ(0, recv_all(self->fd[1], &ch, 1, &c));
	ASSERT_EQ(1, get_fds(&c, &got));
	EXPECT_TRUE(same_file(p[1], got));
	close(got);
	EXPECT_EQ(3, say_fd(self->fd[0], "abc", p[1]));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(MSG_TRUNC, c.flags);
	ASSERT_EQ(1, get_fds(&c, &got));
	close(got);
	close(p[1]);
	EXPECT_TRUE(ends_soon(p[0]));
}

/* Each with its own. */
TEST_F(packet_flight, each)
{
	struct control c = {};
	int p[2], got, i;
	char buf[4];

	NEED(SCM_RIGHTS);
	EXPECT_EQ(1, say(self->fd[0], "0"));
	ASSERT_EQ(0, rc(pipe(p)));
	EXPECT_EQ(1, say_fd(self->fd[0], "1", p[0]));
	EXPECT_EQ(1, say_fd(self->fd[0], "2", p[1]));
	EXPECT_EQ(1, say(self->fd[0], "3"));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, recv_all(self->fd[1], buf, 4, &c));
		EXPECT_EQ('0' + i, buf[0]);
		ASSERT_EQ(i == 1 || i == 2, get_fds(&c, &got));
		if (i == 1 || i == 2)
			EXPECT_TRUE(same_file(p[i - 1], got));
	}
}

TEST_F(packet_flight, filtered)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { 1, &drop };
	struct control c = {};
	char ch;
	PIPE(p);

	ASSERT_EQ(0, rc(setsockopt(self->fd[1], SOL_SOCKET, SO_ATTACH_FILTER,
				   &prog, sizeof(prog))));
	EXPECT_EQ(1, say_fd(self->fd[0], "x", p[1]));
	close(p[1]);
	if (recv_all(self->fd[1], &ch, 1, &c) == 1 &&
	    self->family != AF_UNIX && !runix_required())
		SKIP(return, "no socket filters in this family");
	EXPECT_TRUE(ends_soon(p[0]));
	EXPECT_NO_MSG(self->fd[1]);
}

/* A message lost by a bad buffer takes its files along. */
TEST_F(packet_flight, fault)
{
	PIPE(p);

	EXPECT_EQ(1, say_fd(self->fd[0], "x", p[1]));
	close(p[1]);
	EXPECT_EQ(-EFAULT, rc(recv(self->fd[1], bad_ptr(), 1, 0)));
	EXPECT_TRUE(ends_soon(p[0]));
}

/* --- datagrams -------------------------------------------------------- */

/* A new peer: what the old one sent is gone. */
TEST_F(dgram_flight, reconnect)
{
	PIPE(p);

	EXPECT_EQ(1, say_fd(self->fd[0], "x", p[1]));
	close(p[1]);
	EXPECT_TRUE(still_open(p[0]));
	ASSERT_EQ(0, dissolve(self->fd[1]));
	EXPECT_TRUE(ends_soon(p[0]));
}

TEST_F(dgram_flight, refused)
{
	struct name n = abstract_name(self->family, "n");
	int s = dgram(self->family), r;
	struct control c = {};
	PIPE(p);

	add_fds(&c, &p[1], 1);
	EXPECT_EQ(-ENOTCONN, send_control(s, "x", 1, 0, &c));
	r = bound(self->family, SOCK_DGRAM, &n);
	ASSERT_LT(0, fill_receiver(self->family, &n));
	ASSERT_EQ(0, xconnect(s, &n));
	EXPECT_EQ(-EAGAIN, send_control(s, "x", 1, MSG_DONTWAIT, &c));
	ASSERT_EQ(0, xconnect(r, &n));
	EXPECT_EQ(-EPERM, send_control(s, "x", 1, 0, &c));
	close(r);
	EXPECT_EQ(-ECONNREFUSED, send_control(s, "x", 1, 0, &c));
	close(p[1]);
	EXPECT_TRUE(ends_soon(p[0]));
}

/* --- streams ---------------------------------------------------------- */

/* They ride on the first byte, and a read goes no further than their write. */
TEST_F(stream_flight, with_first_byte)
{
	int a = self->fd[0], b = self->fd[1], got;
	struct control c = {};
	char buf[16] = {};
	PIPE(p);

	EXPECT_EQ(2, say(a, "xy"));
	EXPECT_EQ(3, say_fd(a, "abc", p[1]));
	EXPECT_EQ(2, say(a, "de"));
	/* What comes before is read along. */
	EXPECT_EQ(5, recv_all(b, buf, 16, &c));
	EXPECT_STREQ("xyabc", buf);
	ASSERT_EQ(1, get_fds(&c, &got));
	EXPECT_EQ(2, recv_all(b, buf, 16, &c));
	EXPECT_EQ(0, memcmp("de", buf, 2));
	EXPECT_EQ(0, c.len);
}

TEST_F(stream_flight, in_parts)
{
	int a = self->fd[0], b = self->fd[1], got;
	struct control c = {};
	char buf[16] = {};
	PIPE(p);

	EXPECT_EQ(2, say(a, "xy"));
	EXPECT_EQ(3, say_fd(a, "abc", p[1]));
	EXPECT_EQ(2, say(a, "de"));
	/* Not a byte of theirs, not they. */
	EXPECT_EQ(2, recv_all(b, buf, 2, &c));
	EXPECT_EQ(0, c.len);
	EXPECT_EQ(1, recv_all(b, buf, 1, &c));
	EXPECT_EQ('a', buf[0]);
	ASSERT_EQ(1, get_fds(&c, &got));
	/* What is left of the write is bytes like others. */
	EXPECT_EQ(4, recv_all(b, buf, 16, &c));
	EXPECT_EQ(0, memcmp("bcde", buf, 4));
	EXPECT_EQ(0, c.len);
}

/* Two writes with files are never read at once, though one waits for more. */
TEST_F(stream_flight, not_merged)
{
	int a = self->fd[0], b = self->fd[1], ev = eventfd(0, 0), got;
	struct control c = {};
	char buf[16] = {};
	PIPE(p);

	EXPECT_EQ(1, say_fd(a, "1", p[1]));
	EXPECT_EQ(1, say_fd(a, "2", ev));
	EXPECT_EQ(1, say(a, "3"));
	c.len = sizeof(c.buf);
	EXPECT_EQ(1, recv_control(b, buf, 16, MSG_WAITALL, &c));
	ASSERT_EQ(1, get_fds(&c, &got));
	EXPECT_TRUE(same_file(p[1], got));
	/* Even for those who do not want them. */
	EXPECT_EQ(1, rc(recv(b, buf, 16, 0)));
	EXPECT_EQ('2', buf[0]);
	EXPECT_EQ(1, rc(recv(b, buf, 16, 0)));
	EXPECT_EQ('3', buf[0]);
}

TEST_F(stream_flight, peek)
{
	int a = self->fd[0], b = self->fd[1], got;
	struct control c = {};
	char buf[16] = {};
	PIPE(p);

	EXPECT_EQ(2, say(a, "xy"));
	EXPECT_EQ(3, say_fd(a, "abc", p[1]));
	EXPECT_EQ(2, say(a, "de"));
	c.len = sizeof(c.buf);
	EXPECT_EQ(5, recv_control(b, buf, 16, MSG_PEEK, &c));
	EXPECT_STREQ("xyabc", buf);
	ASSERT_EQ(1, get_fds(&c, &got));
	EXPECT_EQ(5, recv_all(b, buf, 16, &c));
	EXPECT_EQ(1, get_fds(&c, &got));
}

/* No byte to ride on: they do not get anywhere. */
TEST_F(stream_flight, without_bytes)
{
	struct control c = {};
	char ch;
	PIPE(p);

	EXPECT_EQ(0, say_fd(self->fd[0], "", p[1]));
	close(p[1]);
	EXPECT_TRUE(ends_soon(p[0]));
	EXPECT_EQ(-EAGAIN, recv_all(self->fd[1], &ch, 1, &c));
}

/* A long write has them once, at its beginning. */
TEST_F(stream_flight, long_write)
{
	static char big[150000], in[150000];
	int got, times = 0;
	struct control c = {};
	size_t at = 0;
	PIPE(p);

	pat_fill(big, 0, sizeof(big));
	add_fds(&c, &p[1], 1);
	ASSERT_EQ((long)sizeof(big), send_control(self->fd[0], big, sizeof(big), 0, &c));
	while (at < sizeof(big)) {
		long ret = recv_all(self->fd[1], in, sizeof(in), &c);

		ASSERT_LT(0, ret);
		ASSERT_EQ((size_t)ret, pat_good(in, at, ret));
		if (get_fds(&c, &got) == 1) {
			EXPECT_EQ(0, at);
			EXPECT_TRUE(same_file(p[1], got));
			times++;
		}
		at += ret;
	}
	EXPECT_EQ(1, times);
}

/* The part that fitted has them; whoever continues sends the rest without. */
TEST_F(stream_flight, partial_write)
{
	static char big[1 << 20], in[1 << 20];
	struct control c = {};
	int got, times = 0;
	long sent, at = 0;
	PIPE(p);

	add_fds(&c, &p[1], 1);
	sent = send_control(self->fd[0], big, sizeof(big), MSG_DONTWAIT, &c);
	ASSERT_LT(0, sent);
	ASSERT_GT((long)sizeof(big), sent);
	while (at < sent) {
		long ret = recv_all(self->fd[1], in, sizeof(in), &c);

		ASSERT_LT(0, ret);
		at += ret;
		times += get_fds(&c, &got);
	}
	EXPECT_EQ(1, times);
	EXPECT_EQ(sent, at);
}

TEST_HARNESS_MAIN
