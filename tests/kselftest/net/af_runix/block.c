// SPDX-License-Identifier: GPL-2.0
/* Waiting to send and to receive: time-outs, signals, wake-ups, pressure. */

#include "common.h"

FAMILY_FIXTURE(block);

static char big[4 << 20];

static struct op receiving(int fd, void *buf, size_t len, int flags)
{
	return (struct op) { .fn = op_recv, .fd = fd, .buf = buf, .len = len,
			     .flags = flags };
}

static struct op sending(int fd, void *buf, size_t len)
{
	return (struct op) { .fn = op_send, .fd = fd, .buf = buf, .len = len };
}

TEST_F(block, receive_timeout)
{
	int64_t start;
	char ch;

	ASSERT_EQ(0, set_timeo(self->fd[0], SO_RCVTIMEO, 100));
	start = tick_ms();
	EXPECT_EQ(-EAGAIN, rc(recv(self->fd[0], &ch, 1, 0)));
	EXPECT_LE(80, tick_ms() - start);
	EXPECT_EQ(-EAGAIN, rc(read(self->fd[0], &ch, 1)));
	ASSERT_EQ(1, rc(send(self->fd[1], "x", 1, 0)));
	EXPECT_EQ(1, rc(recv(self->fd[0], &ch, 1, 0)));

	/* Half of what was asked for is not nothing. */
	ASSERT_EQ(1, rc(send(self->fd[1], "x", 1, 0)));
	EXPECT_EQ(1, rc(recv(self->fd[0], big, 2, MSG_WAITALL)));
}

TEST_F(block, send_timeout)
{
	int64_t start;
	long sent;

	ASSERT_EQ(0, set_timeo(self->fd[0], SO_SNDTIMEO, 100));
	pat_fill(big, 0, sizeof(big));
	start = tick_ms();
	sent = rc(send(self->fd[0], big, sizeof(big), 0));
	ASSERT_LT(0, sent);
	EXPECT_GT((long)sizeof(big), sent);
	EXPECT_LE(80, tick_ms() - start);
	EXPECT_EQ(sent, inq(self->fd[1]));
	EXPECT_EQ(-EAGAIN, rc(send(self->fd[0], big, 100000, 0)));
	EXPECT_EQ(sent, drain(self->fd[1], 0, sent));
}

/* The limit is one of each wait: a long message that moves on goes on. */
TEST_F(block, each_wait_has_its_time)
{
	const size_t total = 2 << 20, part = total / 16;
	struct op op = sending(self->fd[0], big, total);
	int64_t start = now_ms();
	size_t got = 0;

	ASSERT_EQ(0, set_timeo(self->fd[0], SO_SNDTIMEO, 1000));
	pat_fill(big, 0, total);
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	while (!op_done(&op)) {
		size_t n = inq(self->fd[1]);

		got += drain(self->fd[1], got, n < part ? n : part);
		usleep(110000);
	}
	EXPECT_EQ((long)total, op_join(&op));
	EXPECT_LT(1000, now_ms() - start);
	EXPECT_EQ(total - got, drain(self->fd[1], got, total - got));
}

TEST_F(block, nonblocking)
{
	size_t sent;
	char ch;

	ASSERT_EQ(0, set_nonblock(self->fd[0]));
	EXPECT_EQ(-EAGAIN, rc(recv(self->fd[0], &ch, 1, 0)));
	EXPECT_EQ(-EAGAIN, rc(read(self->fd[0], &ch, 1)));
	EXPECT_EQ(-EAGAIN, rc(recv(self->fd[1], &ch, 1, MSG_DONTWAIT)));

	/* As much as fits is sent, and told. */
	pat_fill(big, 0, sizeof(big));
	sent = rc(write(self->fd[0], big, sizeof(big)));
	ASSERT_LT(0, (long)sent);
	EXPECT_GT(sizeof(big), sent);
	EXPECT_EQ(sent, inq(self->fd[1]));
	EXPECT_EQ(-EAGAIN, rc(write(self->fd[0], big, sizeof(big))));
	EXPECT_EQ(sent, drain(self->fd[1], 0, sent));
}

TEST_F(block, receive_interrupted)
{
	struct op op = receiving(self->fd[0], big, 4, 0);

	catch_signal(SIGUSR1, 0);
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));

	catch_signal(SIGUSR1, SA_RESTART);
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	op_signal(&op, SIGUSR1);
	ASSERT_TRUE(op_sleeps_on(&op, SYS_recvfrom));
	ASSERT_EQ(3, rc(send(self->fd[1], "abc", 3, 0)));
	EXPECT_EQ(3, op_join(&op));

	/* With a time limit there is no going on. */
	ASSERT_EQ(0, set_timeo(self->fd[0], SO_RCVTIMEO, 60000));
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));
}

/* What was received before the signal is not lost. */
TEST_F(block, waitall_interrupted)
{
	struct op op = receiving(self->fd[0], big, 8, MSG_WAITALL);

	catch_signal(SIGUSR1, SA_RESTART);
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	ASSERT_EQ(3, rc(send(self->fd[1], "abc", 3, 0)));
	ASSERT_TRUE(op_sleeps_on(&op, SYS_recvfrom));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(3, op_join(&op));
	EXPECT_EQ(0, memcmp("abc", big, 3));
	EXPECT_EQ(0, inq(self->fd[0]));
}

TEST_F(block, send_interrupted)
{
	size_t sent = fill_up(self->fd[0]);
	struct op op = sending(self->fd[0], big, 4);

	ASSERT_LT(0, sent);
	catch_signal(SIGUSR1, 0);
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));
	EXPECT_EQ(sent, inq(self->fd[1]));

	catch_signal(SIGUSR1, SA_RESTART);
	pat_fill(big, sent, 4);
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	op_signal(&op, SIGUSR1);
	ASSERT_TRUE(op_sleeps_on(&op, SYS_sendto));
	EXPECT_EQ(sent, drain(self->fd[1], 0, sent));
	EXPECT_EQ(4, op_join(&op));
	EXPECT_EQ(4, drain(self->fd[1], sent, 4));

	fill_up(self->fd[0]);
	ASSERT_EQ(0, set_timeo(self->fd[0], SO_SNDTIMEO, 60000));
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));
}

/* A long message, interrupted: what has gone has gone, and is told. */
TEST_F(block, long_send_interrupted)
{
	struct op op = sending(self->fd[0], big, sizeof(big));
	long sent;

	catch_signal(SIGUSR1, SA_RESTART);
	pat_fill(big, 0, sizeof(big));
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	op_signal(&op, SIGUSR1);
	sent = op_join(&op);
	ASSERT_LT(0, sent);
	EXPECT_GT((long)sizeof(big), sent);
	EXPECT_EQ(sent, inq(self->fd[1]));
	EXPECT_EQ(sent, drain(self->fd[1], 0, sent));
}

TEST_F(block, reader_woken_by_data)
{
	struct op op = receiving(self->fd[0], big, 100, 0);

	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	ASSERT_EQ(1, rc(send(self->fd[1], "x", 1, 0)));
	EXPECT_EQ(1, op_join(&op));
}

TEST_F(block, reader_woken_by_close)
{
	struct op op = receiving(self->fd[0], big, 100, 0);

	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	close(self->fd[1]);
	EXPECT_EQ(0, op_join(&op));
}

TEST_F(block, reader_woken_by_reset)
{
	struct op op = receiving(self->fd[0], big, 100, 0);

	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	close(self->fd[1]);
	EXPECT_EQ(-ECONNRESET, op_join(&op));
}

TEST_F(block, reader_woken_by_shutdown)
{
	struct op op = receiving(self->fd[0], big, 100, 0);

	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_WR)));
	EXPECT_EQ(0, op_join(&op));

	/* Or by that of its own end. */
	op.fd = self->fd[1];
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_RD)));
	EXPECT_EQ(0, op_join(&op));
}

TEST_F(block, writer_woken_by_reader)
{
	size_t sent = fill_up(self->fd[0]);
	struct op op = sending(self->fd[0], big, 4);

	pat_fill(big, sent, 4);
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	EXPECT_EQ(sent, drain(self->fd[1], 0, sent));
	EXPECT_EQ(4, op_join(&op));
	EXPECT_EQ(4, drain(self->fd[1], sent, 4));
}

/*
 * A writer asleep learns of a reader's close as of a reset, since something
 * was left unread, and without a signal. Whoever writes next gets the signal.
 */
TEST_F(block, writer_woken_by_close)
{
	struct op op = sending(self->fd[0], big, 4);
	char ch;

	catch_signal(SIGPIPE, 0);
	ASSERT_LT(0, fill_up(self->fd[0]));
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	close(self->fd[1]);
	EXPECT_EQ(-ECONNRESET, op_join(&op));
	EXPECT_EQ(0, nr_signals);
	EXPECT_EQ(0, rc(recv(self->fd[0], &ch, 1, 0)));
	EXPECT_EQ(-EPIPE, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(1, nr_signals);
}

TEST_F(block, writer_woken_by_shutdown)
{
	struct op op = sending(self->fd[0], big, 4);

	catch_signal(SIGPIPE, 0);
	ASSERT_LT(0, fill_up(self->fd[0]));
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_RD)));
	EXPECT_EQ(-EPIPE, op_join(&op));

	op.fd = self->fd[1];
	ASSERT_LT(0, fill_up(self->fd[1]));
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_WR)));
	EXPECT_EQ(-EPIPE, op_join(&op));
	EXPECT_EQ(0, nr_signals);
}

/* A reader content with nothing less than ten bytes. */
TEST_F(block, low_water_mark)
{
	struct op op = receiving(self->fd[0], big, 100, 0);

	EXPECT_EQ(1, getint(self->fd[0], SO_RCVLOWAT));
	ASSERT_EQ(0, setint(self->fd[0], SO_RCVLOWAT, 10));
	EXPECT_EQ(10, getint(self->fd[0], SO_RCVLOWAT));

	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	ASSERT_EQ(5, rc(send(self->fd[1], "abcde", 5, 0)));
	ASSERT_TRUE(op_sleeps_on(&op, SYS_recvfrom));
	ASSERT_EQ(5, rc(send(self->fd[1], "fghij", 5, 0)));
	EXPECT_EQ(10, op_join(&op));
	EXPECT_EQ(0, memcmp("abcdefghij", big, 10));

	/* It binds neither those who do not wait, nor those who ask for less. */
	ASSERT_EQ(5, rc(send(self->fd[1], "klmno", 5, 0)));
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(self->fd[0]));
	EXPECT_EQ(2, rc(recv(self->fd[0], big, 2, 0)));
	EXPECT_EQ(3, rc(recv(self->fd[0], big, 100, MSG_DONTWAIT)));
	/* And the end comes whatever the mark. */
	ASSERT_EQ(1, rc(send(self->fd[1], "p", 1, 0)));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_WR)));
	EXPECT_EQ(1, rc(recv(self->fd[0], big, 100, 0)));
	EXPECT_EQ(0, rc(recv(self->fd[0], big, 100, 0)));

	ASSERT_EQ(0, setint(self->fd[0], SO_RCVLOWAT, 0));
	EXPECT_EQ(1, getint(self->fd[0], SO_RCVLOWAT));
	ASSERT_EQ(0, setint(self->fd[0], SO_RCVLOWAT, -1));
	EXPECT_EQ(0x7fffffff, getint(self->fd[0], SO_RCVLOWAT));
}

/* A mark beyond what the buffer holds: the reader takes as it comes. */
TEST_F(block, high_low_water_mark)
{
	enum { LEN = 1000000 };
	struct op op = receiving(self->fd[1], big + LEN, LEN, 0);

	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 20000));
	ASSERT_EQ(0, setint(self->fd[1], SO_RCVLOWAT, LEN));
	pat_fill(big, 0, LEN);
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	EXPECT_EQ(LEN, rc(send(self->fd[0], big, LEN, 0)));
	EXPECT_EQ(LEN, op_join(&op));
	EXPECT_EQ(LEN, pat_good(big + LEN, 0, LEN));
}

/* One byte for two: one has it, the other sleeps on, to the end. */
TEST_F(block, two_readers)
{
	struct op a = receiving(self->fd[0], big, 100, 0);
	struct op b = receiving(self->fd[0], big + 100, 100, 0);

	ASSERT_TRUE(op_blocks(&a, SYS_recvfrom));
	ASSERT_TRUE(op_blocks(&b, SYS_recvfrom));
	ASSERT_EQ(1, rc(send(self->fd[1], "x", 1, 0)));
	while (!op_done(&a) && !op_done(&b))
		usleep(500);
	EXPECT_TRUE(op_sleeps_on(op_done(&a) ? &b : &a, SYS_recvfrom));
	close(self->fd[1]);
	EXPECT_EQ(1, op_join(&a) + op_join(&b));
}

/* Room for all is news for all. */
TEST_F(block, three_writers)
{
	size_t sent = fill_up(self->fd[0]), got = 0;
	struct op op[3];
	int i;

	for (i = 0; i < 3; i++) {
		op[i] = sending(self->fd[0], "abc", 3);
		ASSERT_TRUE(op_blocks(&op[i], SYS_sendto));
	}
	EXPECT_EQ(sent, drain(self->fd[1], 0, sent));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(3, op_join(&op[i]));
	}
	for (i = 0; i < 3; i++) {
		char buf[4] = {};

		got += rc(recv(self->fd[1], buf, 3, 0));
		EXPECT_STREQ("abc", buf);
	}
	EXPECT_EQ(9, got);
}

/* A larger buffer is room, too. */
TEST_F(block, writer_woken_by_option)
{
	struct op op = sending(self->fd[0], big, 4);
	struct op poll = { .fn = op_poll, .fd = self->fd[0], .flags = POLLOUT };

	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 8192));
	ASSERT_LT(0, fill_up(self->fd[0]));
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	ASSERT_TRUE(op_blocks(&poll, SYS_poll));
	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 100000));
	EXPECT_EQ(4, op_join(&op));
	EXPECT_EQ(POLLOUT, op_join(&poll));
}

/* Whoever sleeps on a descriptor keeps the socket, closed or not. */
TEST_F(block, closed_under_reader)
{
	struct op op = receiving(self->fd[0], big, 100, 0);
	char ch;

	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	close(self->fd[0]);
	EXPECT_EQ(POLL_W, poll_mask(self->fd[1]));
	EXPECT_EQ(1, rc(send(self->fd[1], "x", 1, 0)));
	EXPECT_EQ(1, op_join(&op));
	EXPECT_EQ(0, rc(recv(self->fd[1], &ch, 1, 0)));
	EXPECT_EQ(-EBADF, rc(recv(self->fd[0], &ch, 1, 0)));
}

TEST_F(block, send_buffer)
{
	int small[2], sndbuf;
	size_t full, little;

	ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, small)));
	ASSERT_EQ(0, setint(small[0], SO_SNDBUF, 8192));
	sndbuf = getint(small[0], SO_SNDBUF);
	little = fill_up(small[0]);
	EXPECT_LT(0, little);
	/* Bounded by what was set, give or take the last piece. */
	EXPECT_GE(2 * sndbuf, little);
	EXPECT_EQ(0, poll_mask(small[0]));
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(small[1]));
	EXPECT_EQ(little, inq(small[1]));
	EXPECT_EQ(-EAGAIN, rc(send(small[0], "x", 1, MSG_DONTWAIT)));

	full = fill_up(self->fd[0]);
	EXPECT_LT(little, full);
	EXPECT_GE(2 * getint(self->fd[0], SO_SNDBUF), full);

	/* The other way is free. */
	EXPECT_EQ(1, rc(send(small[1], "x", 1, MSG_DONTWAIT)));
	EXPECT_EQ(1, rc(recv(small[0], big, 10, MSG_DONTWAIT)));

	EXPECT_EQ(little, drain(small[1], 0, little));
	EXPECT_EQ(POLL_W, poll_mask(small[0]));
	EXPECT_LE(little / 2, fill_up(small[0]));
	/* A larger buffer has room at once. */
	ASSERT_EQ(0, setint(small[0], SO_SNDBUF, 100000));
	EXPECT_EQ(1, rc(send(small[0], "x", 1, MSG_DONTWAIT)));
}

/* The buffer of the receiver has no say. */
TEST_F(block, receive_buffer)
{
	size_t before = fill_up(self->fd[0]);

	EXPECT_EQ(before, drain(self->fd[1], 0, before));
	ASSERT_EQ(0, setint(self->fd[1], SO_RCVBUF, 0));
	EXPECT_LE(before / 2, fill_up(self->fd[0]));
}

/* The smallest buffer there is lets the largest message through. */
TEST_F(block, smallest_buffer)
{
	struct op op = sending(self->fd[0], big, 200000);

	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 0));
	pat_fill(big, 0, 200000);
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	EXPECT_EQ(200000, drain(self->fd[1], 0, 200000));
	EXPECT_EQ(200000, op_join(&op));
}

TEST_HARNESS_MAIN
