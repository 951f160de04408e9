// SPDX-License-Identifier: GPL-2.0
/* epoll: level, edge, one-shot and exclusive; edges are counted. */

#include "common.h"

#include <sys/epoll.h>

FAMILY_FIXTURE(epoll);

static int ep_new(int fd, unsigned int events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		abort();
	return ep;
}

static int ep_mod(int ep, int fd, unsigned int events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return rc(epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev));
}

/* The events that are there now; 0 when there are none. */
static long ep_now(int ep)
{
	struct epoll_event ev;
	int n = epoll_wait(ep, &ev, 1, 0);

	return n < 1 ? n : ev.events;
}

/* The first events to come. */
static long op_epoll(struct op *op)
{
	struct epoll_event ev;

	return epoll_wait(op->fd, &ev, 1, -1) < 0 ? -1 : ev.events;
}

static struct op waiting(int ep)
{
	return (struct op) { .fn = op_epoll, .fd = ep };
}

TEST_F(epoll, level)
{
	int ep = ep_new(self->fd[1], EPOLLIN | EPOLLRDHUP);
	char ch;

	EXPECT_EQ(0, ep_now(ep));
	ASSERT_EQ(2, rc(send(self->fd[0], "xy", 2, 0)));
	EXPECT_EQ(EPOLLIN, ep_now(ep));
	EXPECT_EQ(EPOLLIN, ep_now(ep));
	ASSERT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
	EXPECT_EQ(EPOLLIN, ep_now(ep));
	ASSERT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
	EXPECT_EQ(0, ep_now(ep));
	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_WR)));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, ep_now(ep));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, ep_now(ep));
	close(self->fd[0]);
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP | EPOLLHUP, ep_now(ep));
}

TEST_F(epoll, level_out)
{
	int ep = ep_new(self->fd[0], EPOLLOUT);
	size_t n;

	EXPECT_EQ(EPOLLOUT, ep_now(ep));
	n = fill_up(self->fd[0]);
	EXPECT_EQ(0, ep_now(ep));
	EXPECT_EQ(n, drain(self->fd[1], 0, n));
	EXPECT_EQ(EPOLLOUT, ep_now(ep));
	EXPECT_EQ(EPOLLOUT, ep_now(ep));
}

/* One report for each arrival that is waited for, whatever was left unread. */
TEST_F(epoll, edge_in)
{
	int ep = ep_new(self->fd[1], EPOLLIN | EPOLLET), i;
	char buf[10];

	EXPECT_EQ(0, ep_now(ep));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
		EXPECT_EQ(EPOLLIN, ep_now(ep));
		EXPECT_EQ(0, ep_now(ep));
	}
	/* Arrivals between two looks are one. */
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(EPOLLIN, ep_now(ep));
	EXPECT_EQ(0, ep_now(ep));
	/* Reading makes none, nor does looking. */
	ASSERT_EQ(1, rc(recv(self->fd[1], buf, 1, MSG_PEEK)));
	EXPECT_EQ(0, ep_now(ep));
	ASSERT_EQ(2, rc(recv(self->fd[1], buf, 2, 0)));
	EXPECT_EQ(0, ep_now(ep));
	ASSERT_EQ(3, rc(recv(self->fd[1], buf, 10, 0)));
	EXPECT_EQ(0, ep_now(ep));
	/* Gone before it was looked for: nothing to report. */
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	ASSERT_EQ(1, rc(recv(self->fd[1], buf, 10, 0)));
	EXPECT_EQ(0, ep_now(ep));
	/* A message of no bytes is no arrival. */
	ASSERT_EQ(0, rc(send(self->fd[0], "x", 0, 0)));
	EXPECT_EQ(0, ep_now(ep));
}

TEST_F(epoll, edge_out)
{
	int ep = ep_new(self->fd[0], EPOLLOUT | EPOLLET);
	size_t n;

	/* Writable to begin with, and that is that. */
	EXPECT_EQ(EPOLLOUT, ep_now(ep));
	EXPECT_EQ(0, ep_now(ep));
	ASSERT_EQ(1, rc(send(self->fd[1], "x", 1, 0)));
	EXPECT_EQ(0, ep_now(ep));

	n = fill_up(self->fd[0]);
	EXPECT_EQ(0, ep_now(ep));
	EXPECT_EQ(1, drain(self->fd[1], 0, 1));
	EXPECT_EQ(0, ep_now(ep));
	EXPECT_EQ(n - 1, drain(self->fd[1], 1, n - 1));
	EXPECT_EQ(EPOLLOUT, ep_now(ep));
	EXPECT_EQ(0, ep_now(ep));
	/* Once more round. */
	n = fill_up(self->fd[0]);
	EXPECT_EQ(n, drain(self->fd[1], 0, n));
	EXPECT_EQ(EPOLLOUT, ep_now(ep));
	EXPECT_EQ(0, ep_now(ep));
}

/* The edge of one direction is none of the other. */
TEST_F(epoll, edge_directions)
{
	int ep = ep_new(self->fd[0], EPOLLIN | EPOLLET);
	char ch;

	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(0, ep_now(ep));
	ASSERT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
	EXPECT_EQ(0, ep_now(ep));

	/* Whoever wants both gets both with either. */
	ASSERT_EQ(0, ep_mod(ep, self->fd[0], EPOLLIN | EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, ep_now(ep));
	EXPECT_EQ(0, ep_now(ep));
	ASSERT_EQ(1, rc(send(self->fd[1], "x", 1, 0)));
	EXPECT_EQ(EPOLLIN | EPOLLOUT, ep_now(ep));
	EXPECT_EQ(0, ep_now(ep));
}

TEST_F(epoll, edge_end)
{
	int ep = ep_new(self->fd[1], EPOLLIN | EPOLLRDHUP | EPOLLET);

	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(EPOLLIN, ep_now(ep));
	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_WR)));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, ep_now(ep));
	EXPECT_EQ(0, ep_now(ep));
	close(self->fd[0]);
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP | EPOLLHUP, ep_now(ep));
	EXPECT_EQ(0, ep_now(ep));
}

TEST_F(epoll, edge_reset)
{
	int ep = ep_new(self->fd[0], EPOLLIN | EPOLLET);

	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	close(self->fd[1]);
	EXPECT_EQ(EPOLLIN | EPOLLERR | EPOLLHUP, ep_now(ep));
	EXPECT_EQ(0, ep_now(ep));
}

TEST_F(epoll, edge_listener)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 8);
	int ep;

	ASSERT_LE(0, l);
	ep = ep_new(l, EPOLLIN | EPOLLET);
	EXPECT_EQ(0, ep_now(ep));
	ASSERT_LE(0, dial(self->family, &n));
	EXPECT_EQ(EPOLLIN, ep_now(ep));
	EXPECT_EQ(0, ep_now(ep));
	ASSERT_LE(0, dial(self->family, &n));
	EXPECT_EQ(EPOLLIN, ep_now(ep));
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(0, ep_now(ep));
	/* What is said on an embryo is nothing to its listener. */
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	close(dial(self->family, &n));
	EXPECT_EQ(EPOLLIN, ep_now(ep));
}

TEST_F(epoll, one_shot)
{
	int ep = ep_new(self->fd[1], EPOLLIN | EPOLLONESHOT);

	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(EPOLLIN, ep_now(ep));
	EXPECT_EQ(0, ep_now(ep));
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(0, ep_now(ep));
	/* Even of the end it keeps quiet, until told to speak again. */
	close(self->fd[0]);
	EXPECT_EQ(0, ep_now(ep));
	ASSERT_EQ(0, ep_mod(ep, self->fd[1], EPOLLIN | EPOLLONESHOT));
	EXPECT_EQ(EPOLLIN | EPOLLHUP, ep_now(ep));
	EXPECT_EQ(0, ep_now(ep));
}

/* Of several that wait exclusively one is woken for one connection. */
TEST_F(epoll, exclusive)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 8), i, done, round;
	struct op op[3];

	ASSERT_LE(0, l);
	for (i = 0; i < 3; i++) {
		op[i] = waiting(ep_new(l, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET));
		ASSERT_TRUE(op_blocks(&op[i], SYS_epoll_wait));
	}
	for (round = 1; round <= 3; round++) {
		ASSERT_LE(0, dial(self->family, &n));
		do {
			usleep(500);
			for (done = i = 0; i < 3; i++)
				done += op_done(&op[i]);
		} while (done < round);
		for (i = 0; i < 3; i++)
			if (!op_done(&op[i]))
				op_sleeps_on(&op[i], SYS_epoll_wait);
		for (done = i = 0; i < 3; i++)
			done += op_done(&op[i]);
		EXPECT_EQ(round, done);
	}
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(EPOLLIN, op_join(&op[i]));
	}
}

/* Without that all are. */
TEST_F(epoll, not_exclusive)
{
	struct op op[3];
	int i;

	for (i = 0; i < 3; i++) {
		op[i] = waiting(ep_new(self->fd[1], EPOLLIN));
		ASSERT_TRUE(op_blocks(&op[i], SYS_epoll_wait));
	}
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(EPOLLIN, op_join(&op[i]));
	}
}

TEST_F(epoll, woken)
{
	struct op op = waiting(ep_new(self->fd[1], EPOLLIN | EPOLLET));
	size_t n;

	ASSERT_TRUE(op_blocks(&op, SYS_epoll_wait));
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(EPOLLIN, op_join(&op));
	ASSERT_TRUE(op_blocks(&op, SYS_epoll_wait));
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(EPOLLIN, op_join(&op));

	n = fill_up(self->fd[1]);
	op = waiting(ep_new(self->fd[1], EPOLLOUT | EPOLLET));
	ASSERT_TRUE(op_blocks(&op, SYS_epoll_wait));
	EXPECT_EQ(n, drain(self->fd[0], 0, n));
	EXPECT_EQ(EPOLLOUT, op_join(&op));
}

/* No edge is lost between a reader and a writer that live on edges alone. */
struct pump {
	int fd;
	long moved;
	pthread_t thread;
};

enum { PUMPED = 1 << 20 };

static void *pump_out(void *arg)
{
	struct pump *p = arg;
	int ep = ep_new(p->fd, EPOLLOUT | EPOLLET);
	struct epoll_event ev;
	char buf[7000];

	while (p->moved < PUMPED) {
		long ret, n = PUMPED - p->moved;

		n = n < (long)sizeof(buf) ? n : (long)sizeof(buf);
		pat_fill(buf, p->moved, n);
		ret = send(p->fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (ret > 0)
			p->moved += ret;
		else if (errno != EAGAIN || epoll_wait(ep, &ev, 1, -1) != 1)
			break;
	}
	close(ep);
	return NULL;
}

TEST_F(epoll, live_on_edges)
{
	struct pump p = { self->fd[0] };
	int ep = ep_new(self->fd[1], EPOLLIN | EPOLLET);
	struct epoll_event ev;
	long got = 0;

	ASSERT_EQ(0, pthread_create(&p.thread, NULL, pump_out, &p));
	while (got < PUMPED) {
		char buf[9999];
		long ret = rc(recv(self->fd[1], buf, sizeof(buf), MSG_DONTWAIT));

		if (ret == -EAGAIN) {
			ASSERT_EQ(1, epoll_wait(ep, &ev, 1, -1));
			continue;
		}
		ASSERT_LT(0, ret);
		ASSERT_EQ(ret, pat_good(buf, got, ret));
		got += ret;
	}
	pthread_join(p.thread, NULL);
	EXPECT_EQ(PUMPED, p.moved);
	EXPECT_EQ(PUMPED, got);
}

/* Watching a watcher. */
TEST_F(epoll, nested)
{
	int in = ep_new(self->fd[1], EPOLLIN);
	int out = ep_new(in, EPOLLIN);
	struct op op = waiting(out);
	char ch;

	ASSERT_TRUE(op_blocks(&op, SYS_epoll_wait));
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(EPOLLIN, op_join(&op));
	ASSERT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
	EXPECT_EQ(0, ep_now(out));
}

/* A closed socket leaves the set by itself, with nothing left behind. */
TEST_F(epoll, closed)
{
	int ep = ep_new(self->fd[1], EPOLLIN);

	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(EPOLLIN, ep_now(ep));
	close(self->fd[1]);
	EXPECT_EQ(0, ep_now(ep));
	close(self->fd[0]);
	EXPECT_EQ(0, ep_now(ep));
}

TEST_HARNESS_MAIN
