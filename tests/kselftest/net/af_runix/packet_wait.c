// SPDX-License-Identifier: GPL-2.0
/* Waiting for a message, or for room for one: time limits, signals, turns. */

#include "packet.h"

PACKET_FIXTURE(packet_wait);

TEST_F(packet_wait, receives)
{
	char buf[8] = {};
	struct op op = receiving(self->fd[1], buf, 8, 0);

	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	EXPECT_EQ(3, say(self->fd[0], "abc"));
	EXPECT_EQ(3, op_join(&op));
	EXPECT_STREQ("abc", buf);
	/* Nothing wakes as well as something. */
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	EXPECT_EQ(0, rc(send(self->fd[0], "", 0, 0)));
	EXPECT_EQ(0, op_join(&op));
	op.flags = MSG_WAITALL;
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, op_join(&op));
}

TEST_F(packet_wait, nonblocking)
{
	char ch;

	ASSERT_EQ(0, set_nonblock(self->fd[0]));
	EXPECT_EQ(-EAGAIN, rc(recv(self->fd[0], &ch, 1, 0)));
	EXPECT_EQ(-EAGAIN, rc(read(self->fd[0], &ch, 1)));
	EXPECT_EQ(-EAGAIN, rc(recv(self->fd[1], &ch, 1, MSG_DONTWAIT)));
	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 8192));
	ASSERT_LT(0, fill_messages(self->fd[0]));
	EXPECT_EQ(-EAGAIN, rc(write(self->fd[0], "x", 1)));
	EXPECT_EQ(-EAGAIN, rc(write(self->fd[0], "", 0)));
}

TEST_F(packet_wait, timeout)
{
	struct timespec ts = { 60, 0 };
	struct mmsghdr mm[2] = {};
	int64_t start;
	char ch;

	ASSERT_EQ(0, set_timeo(self->fd[1], SO_RCVTIMEO, 100));
	start = tick_ms();
	EXPECT_EQ(-EAGAIN, rc(recv(self->fd[1], &ch, 1, 0)));
	EXPECT_LE(80, tick_ms() - start);
	start = tick_ms();
	EXPECT_EQ(-EAGAIN, rc(recv(self->fd[1], &ch, 1, MSG_PEEK)));
	EXPECT_LE(80, tick_ms() - start);
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
	/* What came before the time was up is kept. */
	EXPECT_EQ(1, say(self->fd[0], "y"));
	EXPECT_EQ(1, rc(recvmmsg(self->fd[1], mm, 2, 0, &ts)));

	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 8192));
	ASSERT_LT(0, fill_messages(self->fd[0]));
	ASSERT_EQ(0, set_timeo(self->fd[0], SO_SNDTIMEO, 100));
	start = tick_ms();
	EXPECT_EQ(-EAGAIN, say(self->fd[0], "x"));
	EXPECT_LE(80, tick_ms() - start);
}

TEST_F(packet_wait, receive_interrupted)
{
	char buf[8];
	struct op op = receiving(self->fd[0], buf, 8, 0);

	catch_signal(SIGUSR1, 0);
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));

	catch_signal(SIGUSR1, SA_RESTART);
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	op_signal(&op, SIGUSR1);
	ASSERT_TRUE(op_sleeps_on(&op, SYS_recvfrom));
	EXPECT_EQ(3, say(self->fd[1], "abc"));
	EXPECT_EQ(3, op_join(&op));

	/* With a time limit there is no going on. */
	ASSERT_EQ(0, set_timeo(self->fd[0], SO_RCVTIMEO, 60000));
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));
}

TEST_F(packet_wait, send_interrupted)
{
	struct op op = sending(self->fd[0], "abc", 3);
	int n;

	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 8192));
	n = fill_messages(self->fd[0]);
	catch_signal(SIGUSR1, 0);
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));

	catch_signal(SIGUSR1, SA_RESTART);
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	op_signal(&op, SIGUSR1);
	ASSERT_TRUE(op_sleeps_on(&op, SYS_sendto));
	while (n--) {
		char ch;

		ASSERT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
	}
	EXPECT_EQ(3, op_join(&op));
	EXPECT_MSG("abc", self->fd[1]);
	EXPECT_NO_MSG(self->fd[1]);

	ASSERT_LT(0, fill_messages(self->fd[0]));
	ASSERT_EQ(0, set_timeo(self->fd[0], SO_SNDTIMEO, 60000));
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));
}

/* A call that will wait, made by a process that is killed, is over. */
TEST_F(packet_wait, killed)
{
	pid_t pid = spawn();
	char ch;

	if (!pid) {
		send(self->fd[0], "x", 1, 0);
		recv(self->fd[0], &ch, 1, 0);
		_exit(0);
	}
	EXPECT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
	kill(pid, SIGKILL);
	EXPECT_EQ(1000 + SIGKILL, reap(pid));
	EXPECT_EQ(1, say(self->fd[1], "y"));
	EXPECT_MSG("y", self->fd[0]);
}

/* One message wakes one of those who wait; as many as come, as many go. */
TEST_F(packet_wait, several_readers)
{
	enum { NR = 4 };
	char buf[NR][8] = {}, seen[NR + 1] = {};
	struct op op[NR];
	int i, done;

	for (i = 0; i < NR; i++) {
		op[i] = receiving(self->fd[1], buf[i], 8, 0);
		ASSERT_TRUE(op_blocks(&op[i], SYS_recvfrom));
	}
	EXPECT_EQ(1, say(self->fd[0], "0"));
	for (done = 0; !done; usleep(500))
		for (i = 0; i < NR; i++)
			done += op_done(&op[i]);
	EXPECT_EQ(1, done);
	for (i = 0; i < NR; i++) {
		EXPECT_TRUE(op_done(&op[i]) || op_sleeps_on(&op[i], SYS_recvfrom));
	}
	EXPECT_EQ(1, say(self->fd[0], "1"));
	EXPECT_EQ(1, say(self->fd[0], "2"));
	EXPECT_EQ(1, say(self->fd[0], "3"));
	for (i = 0; i < NR; i++) {
		EXPECT_EQ(1, op_join(&op[i]));
		ASSERT_LE('0', buf[i][0]);
		ASSERT_GE('3', buf[i][0]);
		seen[buf[i][0] - '0']++;
	}
	EXPECT_EQ(0, memcmp("\1\1\1\1", seen, NR));
}

/* Who only looks takes nothing from who takes. */
TEST_F(packet_wait, look_and_take)
{
	char one[8] = {}, two[8] = {};
	struct op look = receiving(self->fd[1], one, 8, MSG_PEEK);
	struct op take = receiving(self->fd[1], two, 8, 0);

	ASSERT_TRUE(op_blocks(&look, SYS_recvfrom));
	EXPECT_EQ(1, say(self->fd[0], "a"));
	EXPECT_EQ(1, op_join(&look));
	EXPECT_EQ('a', one[0]);
	EXPECT_MSG("a", self->fd[1]);
	ASSERT_TRUE(op_blocks(&take, SYS_recvfrom));
	EXPECT_EQ(1, say(self->fd[0], "b"));
	EXPECT_EQ(1, op_join(&take));
	EXPECT_EQ('b', two[0]);
	EXPECT_NO_MSG(self->fd[1]);
}

TEST_F(packet_wait, poll)
{
	int a = self->fd[0], b = self->fd[1], n;
	struct op in = polling(b, POLLIN), out = polling(a, POLLOUT);
	char ch;

	ASSERT_TRUE(op_blocks(&in, SYS_poll));
	EXPECT_EQ(0, rc(send(a, "", 0, 0)));
	EXPECT_EQ(POLLIN, op_join(&in));
	EXPECT_EQ(0, rc(recv(b, &ch, 1, 0)));
	EXPECT_EQ(POLL_W, poll_mask(b));

	ASSERT_EQ(0, setint(a, SO_SNDBUF, 8192));
	n = fill_messages(a);
	ASSERT_LT(1, n);
	EXPECT_EQ(0, poll_mask(a));
	ASSERT_TRUE(op_blocks(&out, SYS_poll));
	/* Room for a message is not yet room to speak of. */
	EXPECT_EQ(1, rc(recv(b, &ch, 1, 0)));
	EXPECT_EQ(0, poll_mask(a));
	EXPECT_EQ(1, rc(send(a, "x", 1, MSG_DONTWAIT)));
	EXPECT_TRUE(op_sleeps_on(&out, SYS_poll));
	EXPECT_EQ(n, drain_messages(b));
	EXPECT_EQ(POLLOUT, op_join(&out));
	EXPECT_EQ(POLL_W, poll_mask(a));
}

TEST_F(packet_wait, epoll_edge)
{
	int a = self->fd[0], b = self->fd[1];
	int in = watch(b, EPOLLIN | EPOLLET), out = watch(a, EPOLLOUT | EPOLLET);

	EXPECT_EQ(EPOLLOUT, next_event(out, 0));
	EXPECT_EQ(0, next_event(out, 0));
	EXPECT_EQ(0, next_event(in, 0));
	ASSERT_EQ(0, setint(a, SO_SNDBUF, 8192));
	ASSERT_LT(0, fill_messages(a));
	EXPECT_EQ(EPOLLIN, next_event(in, SOON));
	EXPECT_EQ(0, next_event(in, 0));
	EXPECT_EQ(0, next_event(out, 0));
	EXPECT_LT(0, drain_messages(b));
	EXPECT_EQ(EPOLLOUT, next_event(out, SOON));
	EXPECT_EQ(0, next_event(in, 0));
	EXPECT_EQ(1, say(a, "x"));
	EXPECT_EQ(EPOLLIN, next_event(in, SOON));
}

/* Who asked for a signal gets one, also while a thread of it waits for a message. */
TEST_F(packet_wait, signalled_while_waiting)
{
	struct timespec none = {};
	sigset_t set;
	char ch;
	struct op op = receiving(self->fd[1], &ch, 1, 0);

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, fcntl(self->fd[1], F_SETOWN, getpid()));
	ASSERT_EQ(0, rc(ioctl(self->fd[1], FIOASYNC, &(int){ 1 })));
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(SIGIO, rc(sigtimedwait(&set, NULL, &none)));
	EXPECT_EQ(1, op_join(&op));
}

/* So it is where the last message was large, and the next one is likely to be. */
TEST_F(packet_wait, signalled_while_waiting_for_much)
{
	static char buf[100000];
	struct timespec none = {};
	struct op op = receiving(self->fd[1], buf, sizeof(buf), 0);
	static const long lengths[] = { 1, sizeof(buf) };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, fcntl(self->fd[1], F_SETOWN, getpid()));
	for (int i = 0; i < 20; i++) {
		long len = lengths[i & 1];

		ASSERT_EQ(sizeof(buf), rc(send(self->fd[0], buf, sizeof(buf), 0)));
		ASSERT_EQ(sizeof(buf), rc(recv(self->fd[1], buf, sizeof(buf), 0)));
		ASSERT_EQ(0, rc(ioctl(self->fd[1], FIOASYNC, &(int){ 1 })));
		ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
		EXPECT_EQ(len, rc(send(self->fd[0], buf, len, 0)));
		EXPECT_EQ(SIGIO, rc(sigtimedwait(&set, NULL, &none)))
			TH_LOG("%ld bytes", len);
		EXPECT_EQ(len, op_join(&op));
		ASSERT_EQ(0, rc(ioctl(self->fd[1], FIOASYNC, &(int){ 0 })));
	}
}

TEST_HARNESS_MAIN
