// SPDX-License-Identifier: GPL-2.0
/* Sequenced packets: how a connection ends, by halves or at once. */

#include "packet.h"

TYPE_FIXTURE(seqpacket_end, SOCK_SEQPACKET);

#define POLL_END	(POLL_R | POLLRDHUP)

/* There will be no more; as often as one asks, and however. */
#define EXPECT_END(_fd)							\
do {									\
	char __buf[4];							\
									\
	EXPECT_EQ(0, rc(recv(_fd, __buf, 4, 0)));			\
	EXPECT_EQ(0, rc(recv(_fd, __buf, 4, MSG_DONTWAIT)));		\
	EXPECT_EQ(0, rc(recv(_fd, __buf, 4, MSG_PEEK)));		\
	EXPECT_EQ(0, rc(recv(_fd, __buf, 4, MSG_TRUNC)));		\
	EXPECT_EQ(0, rc(read(_fd, __buf, 4)));				\
} while (0)

TEST_F(seqpacket_end, closed)
{
	int a = self->fd[0], b = self->fd[1];
	struct name got;

	EXPECT_EQ(3, say(a, "abc"));
	EXPECT_EQ(0, rc(send(a, "", 0, 0)));
	EXPECT_EQ(1, say(a, "d"));
	close(a);
	EXPECT_EQ(-EPIPE, say(b, "x"));
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(b));
	EXPECT_EQ(4, inq(b));
	/* An empty message is not the end. */
	EXPECT_MSG("abc", b);
	EXPECT_MSG("", b);
	EXPECT_MSG("d", b);
	EXPECT_END(b);
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(b));
	EXPECT_EQ(0, so_error(b));
	EXPECT_EQ(0, xgetpeername(b, &got));
	EXPECT_EQ(PATH_OFF, got.len);
	EXPECT_EQ(-EPIPE, say(b, "x"));
}

/* Unread messages make it a reset, which is told once and at once. */
TEST_F(seqpacket_end, closed_unread)
{
	int a = self->fd[0], b = self->fd[1];
	char ch;

	EXPECT_EQ(1, say(a, "x"));
	EXPECT_EQ(4, say(b, "left"));
	close(b);
	EXPECT_EQ(POLLERR | POLL_END | POLLHUP | POLL_W, poll_mask(a));
	/* Before what there is to read, unlike on a stream. */
	EXPECT_EQ(-ECONNRESET, rc(recv(a, &ch, 1, 0)));
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(a));
	EXPECT_MSG("left", a);
	EXPECT_END(a);
	EXPECT_EQ(-EPIPE, say(a, "y"));
}

/* One empty message in front does not count as unread, whatever is behind it does. */
TEST_F(seqpacket_end, empty_unread)
{
	int sv[2];

	EXPECT_EQ(0, rc(send(self->fd[0], "", 0, 0)));
	close(self->fd[1]);
	EXPECT_EQ(0, so_error(self->fd[0]));
	EXPECT_END(self->fd[0]);

	ASSERT_EQ(0, rc(socketpair(self->family, self->type, 0, sv)));
	EXPECT_EQ(0, rc(send(sv[0], "", 0, 0)));
	EXPECT_EQ(0, rc(send(sv[0], "", 0, 0)));
	close(sv[1]);
	EXPECT_EQ(ECONNRESET, so_error(sv[0]));
	EXPECT_EQ(0, so_error(sv[0]));
	EXPECT_END(sv[0]);
}

/* The sender may be the first to hear, or the one who asks. */
TEST_F(seqpacket_end, reset_told_to_sender)
{
	EXPECT_EQ(1, say(self->fd[0], "x"));
	close(self->fd[1]);
	EXPECT_EQ(-ECONNRESET, say(self->fd[0], "y"));
	EXPECT_EQ(-EPIPE, say(self->fd[0], "z"));
	EXPECT_END(self->fd[0]);
}

/* Whole messages went; what was cut off is not unread. */
TEST_F(seqpacket_end, cut_is_read)
{
	char ch;

	EXPECT_EQ(5, say(self->fd[0], "abcde"));
	EXPECT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
	close(self->fd[1]);
	EXPECT_EQ(0, so_error(self->fd[0]));
	EXPECT_END(self->fd[0]);
}

TEST_F(seqpacket_end, shut_write)
{
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(3, say(a, "abc"));
	ASSERT_EQ(0, rc(shutdown(a, SHUT_WR)));
	EXPECT_EQ(-EPIPE, say(a, "x"));
	EXPECT_EQ(-EPIPE, rc(send(a, "", 0, MSG_NOSIGNAL)));
	EXPECT_EQ(POLL_W, poll_mask(a));
	EXPECT_EQ(POLL_END | POLL_W, poll_mask(b));
	EXPECT_MSG("abc", b);
	EXPECT_END(b);
	/* The other way is open. */
	EXPECT_EQ(2, say(b, "yz"));
	EXPECT_MSG("yz", a);
	EXPECT_NO_MSG(a);
	ASSERT_EQ(0, rc(shutdown(a, SHUT_RD)));
	EXPECT_EQ(-EPIPE, say(b, "x"));
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(a));
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(b));
}

TEST_F(seqpacket_end, shut_read)
{
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(3, say(b, "abc"));
	ASSERT_EQ(0, rc(shutdown(a, SHUT_RD)));
	EXPECT_EQ(-EPIPE, say(b, "x"));
	EXPECT_EQ(POLL_W, poll_mask(b));
	EXPECT_EQ(POLL_END | POLL_W, poll_mask(a));
	EXPECT_MSG("abc", a);
	EXPECT_END(a);
	EXPECT_EQ(1, say(a, "y"));
	EXPECT_MSG("y", b);
	EXPECT_NO_MSG(b);
}

TEST_F(seqpacket_end, shut_both)
{
	int a = self->fd[0], b = self->fd[1];

	EXPECT_EQ(1, say(a, "1"));
	EXPECT_EQ(1, say(b, "2"));
	ASSERT_EQ(0, rc(shutdown(a, SHUT_RDWR)));
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(a));
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(b));
	EXPECT_EQ(-EPIPE, say(a, "x"));
	EXPECT_EQ(-EPIPE, say(b, "x"));
	EXPECT_MSG("1", b);
	EXPECT_MSG("2", a);
	EXPECT_END(a);
	EXPECT_END(b);
	EXPECT_EQ(0, rc(shutdown(b, SHUT_RDWR)));
	EXPECT_EQ(-EINVAL, rc(shutdown(a, 3)));
	EXPECT_EQ(-EINVAL, rc(shutdown(a, -1)));
}

TEST_F(seqpacket_end, shut_unconnected)
{
	struct name n = abstract_name(self->family, "n");
	int l = bound(self->family, SOCK_SEQPACKET, &n);
	int fd = rc(socket(self->family, SOCK_SEQPACKET, 0)), s;
	char ch;

	ASSERT_EQ(0, rc(shutdown(fd, SHUT_WR)));
	EXPECT_EQ(-ENOTCONN, say(fd, "x"));
	EXPECT_EQ(-ENOTCONN, rc(recv(fd, &ch, 1, 0)));
	EXPECT_EQ(POLLHUP | POLL_W, poll_mask(fd));
	/* It is remembered. */
	ASSERT_EQ(0, rc(listen(l, 1)));
	ASSERT_EQ(0, xconnect(fd, &n));
	s = rc(accept(l, NULL, NULL));
	EXPECT_EQ(-EPIPE, say(fd, "x"));
	EXPECT_EQ(POLL_W, poll_mask(s));
	EXPECT_EQ(1, say(s, "y"));
	EXPECT_MSG("y", fd);
}

/* Whoever waits is told. */
TEST_F(seqpacket_end, wakes_reader)
{
	char buf[1];
	struct op op = receiving(self->fd[0], buf, 1, 0);
	struct op peek = receiving(self->fd[0], buf, 1, MSG_PEEK);
	struct op poll = polling(self->fd[0], POLLIN | POLLRDHUP);

	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	ASSERT_TRUE(op_blocks(&peek, SYS_recvfrom));
	ASSERT_TRUE(op_blocks(&poll, SYS_poll));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_WR)));
	EXPECT_EQ(0, op_join(&op));
	EXPECT_EQ(0, op_join(&peek));
	EXPECT_EQ(POLLIN | POLLRDHUP, op_join(&poll));
	poll.flags = 0;
	ASSERT_TRUE(op_blocks(&poll, SYS_poll));
	close(self->fd[1]);
	EXPECT_EQ(POLLHUP, op_join(&poll));
}

TEST_F(seqpacket_end, close_wakes_reader)
{
	char buf[1];
	struct op op = receiving(self->fd[0], buf, 1, 0);

	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	close(self->fd[1]);
	EXPECT_EQ(0, op_join(&op));
}

TEST_F(seqpacket_end, reset_wakes_reader)
{
	char buf[1];
	struct op op = receiving(self->fd[0], buf, 1, 0);

	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	close(self->fd[1]);
	EXPECT_EQ(-ECONNRESET, op_join(&op));
}

TEST_F(seqpacket_end, own_shutdown_wakes_reader)
{
	char buf[1];
	struct op op = receiving(self->fd[0], buf, 1, 0);

	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_RD)));
	EXPECT_EQ(0, op_join(&op));
}

TEST_F(seqpacket_end, wakes_writer)
{
	struct op op = sending(self->fd[0], "x", 1);

	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 8192));
	ASSERT_LT(0, fill_messages(self->fd[0]));
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	close(self->fd[1]);
	EXPECT_EQ(-ECONNRESET, op_join(&op));
	EXPECT_EQ(-EPIPE, say(self->fd[0], "x"));
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(self->fd[0]));
}

TEST_F(seqpacket_end, shutdown_wakes_writer)
{
	struct op op = sending(self->fd[0], "x", 1);

	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 8192));
	ASSERT_LT(0, fill_messages(self->fd[0]));
	EXPECT_EQ(0, poll_mask(self->fd[0]));
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_RD)));
	EXPECT_EQ(-EPIPE, op_join(&op));
	EXPECT_EQ(0, poll_mask(self->fd[0]));
}

/* The error is all there is: SIGPIPE is for streams. */
TEST_F(seqpacket_end, no_sigpipe)
{
	int sv[2];

	catch_signal(SIGPIPE, 0);
	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_WR)));
	EXPECT_EQ(-EPIPE, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(-EPIPE, rc(write(self->fd[0], "x", 1)));
	close(self->fd[0]);
	EXPECT_EQ(-EPIPE, rc(send(self->fd[1], "x", 1, 0)));
	EXPECT_EQ(-EPIPE, rc(write(self->fd[1], "x", 1)));
	EXPECT_EQ(0, nr_signals);

	ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, sv)));
	close(sv[0]);
	EXPECT_EQ(-EPIPE, rc(write(sv[1], "x", 1)));
	EXPECT_EQ(1, nr_signals);
}

TEST_F(seqpacket_end, epoll_edge)
{
	int ep = watch(self->fd[0], EPOLLIN | EPOLLRDHUP | EPOLLET);

	EXPECT_EQ(0, next_event(ep, 0));
	EXPECT_EQ(1, say(self->fd[1], "x"));
	EXPECT_EQ(EPOLLIN, next_event(ep, SOON));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_WR)));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, next_event(ep, SOON));
	EXPECT_EQ(0, next_event(ep, 0));
	EXPECT_MSG("x", self->fd[0]);
	EXPECT_EQ(0, next_event(ep, 0));
	close(self->fd[1]);
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP | EPOLLHUP, next_event(ep, SOON));
	EXPECT_EQ(0, next_event(ep, 0));
}

TEST_HARNESS_MAIN
