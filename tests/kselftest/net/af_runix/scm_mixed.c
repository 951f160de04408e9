// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets of AF_UNIX over AF_RUNIX: refused unless the namespace lets them pass
 * (net.runix.pass_unix_fds). Rings that run through both families are taken
 * apart, or, where AF_UNIX's queues can't be read, at least counted.
 */
#include "ring.h"

#include <sys/resource.h>

FIXTURE(mixed)
{
	int family;
	int pipe[2];
	struct node r[2], u[2];
};

FIXTURE_VARIANT(mixed)
{
	int own, other;		/* the types of the sockets */
};

#define MIXED_VARIANT(_name, _own, _other)				\
FIXTURE_VARIANT_ADD(mixed, _name)					\
{									\
	.own = _own,							\
	.other = _other,						\
}

MIXED_VARIANT(streams, SOCK_STREAM, SOCK_STREAM);
MIXED_VARIANT(datagrams, SOCK_DGRAM, SOCK_DGRAM);
MIXED_VARIANT(packets, SOCK_SEQPACKET, SOCK_SEQPACKET);
MIXED_VARIANT(stream_and_datagram, SOCK_STREAM, SOCK_DGRAM);
MIXED_VARIANT(datagram_and_stream, SOCK_DGRAM, SOCK_STREAM);

FIXTURE_SETUP(mixed)
{
	int i;

	self->family = runix_family();
	if (rc(socket(self->family, SOCK_STREAM, 0)) == -EAFNOSUPPORT &&
	    !runix_required())
		SKIP(return, "family %d is not registered", self->family);
	close_range(3, ~0U, 0);
	if (write_word(PASS_UNIX, "1") == -EACCES)
		SKIP(return, "needs root");
	ASSERT_EQ(1, read_number(PASS_UNIX));
	ASSERT_EQ(0, rc(pipe(self->pipe)));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, make_node(&self->r[i], self->family, variant->own));
		ASSERT_EQ(0, make_node(&self->u[i], AF_UNIX, variant->other));
	}
}

FIXTURE_TEARDOWN(mixed)
{
	write_word(PASS_UNIX, "0");
	write_word(MIXED, "Y");
}

/* The pipe's writing end shall be in queues alone from here on. */
#define LET_GO()							\
do {									\
	close(self->pipe[1]);						\
	for (int __i = 0; __i < 2; __i++) {				\
		close_node(&self->u[__i]);				\
		close_node(&self->r[__i]);				\
	}								\
} while (0)

/* The collector looks, and finds nothing. */
static bool stays(int family, int pipe)
{
	int i;

	for (i = 0; i < 5; i++) {
		close_another(family);
		if (ends_within(pipe, 150))
			return false;
	}
	return true;
}

TEST_F(mixed, refused)
{
	struct control c = {};
	char ch;

	ASSERT_EQ(0, write_word(PASS_UNIX, "0"));
	EXPECT_EQ(-EINVAL, put_into(&self->r[0], self->u[0].fd));
	EXPECT_EQ(-EAGAIN, recv_all(self->r[0].fd, &ch, 1, &c));
	/* The other way there is nothing to be refused. */
	EXPECT_EQ(1, put_into(&self->u[0], self->r[0].fd));
	EXPECT_EQ(-EINVAL, write_word(PASS_UNIX, "2"));
}

TEST_F(mixed, passes)
{
	struct control c = {};
	char buf[4];
	int got;

	EXPECT_EQ(0, read_number(UNIX_IN_FLIGHT));
	EXPECT_EQ(1, put_into(&self->r[0], self->u[0].fd));
	EXPECT_EQ(1, read_number(UNIX_IN_FLIGHT));
	EXPECT_EQ(1, recv_all(self->r[0].fd, buf, 1, &c));
	ASSERT_EQ(1, get_fds(&c, &got));
	EXPECT_EQ(0, read_number(UNIX_IN_FLIGHT));
	EXPECT_EQ(2, say(self->u[0].in, "hi"));
	EXPECT_EQ(2, rc(recv(got, buf, 4, 0)));
	EXPECT_EQ(0, memcmp("hi", buf, 2));
}

/* One of each, in the queue of the other. */
TEST_F(mixed, two)
{
	EXPECT_EQ(1, put_into(&self->r[0], self->u[0].fd));
	EXPECT_EQ(1, put_into(&self->u[0], self->r[0].fd));
	EXPECT_EQ(1, put_into(&self->u[0], self->pipe[1]));
	LET_GO();
	EXPECT_TRUE(ends_within(self->pipe[0], IN_TIME));
	EXPECT_EQ(0, read_number(UNIX_IN_FLIGHT));
}

/* Each reference counts. */
TEST_F(mixed, twice)
{
	int i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, put_into(&self->r[0], self->u[0].fd));
		EXPECT_EQ(1, put_into(&self->u[0], self->r[0].fd));
	}
	EXPECT_EQ(1, put_into(&self->r[0], self->r[0].fd));
	EXPECT_EQ(1, put_into(&self->r[0], self->pipe[1]));
	LET_GO();
	EXPECT_TRUE(ends_within(self->pipe[0], IN_TIME));
}

TEST_F(mixed, four)
{
	EXPECT_EQ(1, put_into(&self->r[0], self->u[0].fd));
	EXPECT_EQ(1, put_into(&self->u[0], self->r[1].fd));
	EXPECT_EQ(1, put_into(&self->r[1], self->u[1].fd));
	EXPECT_EQ(1, put_into(&self->u[1], self->r[0].fd));
	EXPECT_EQ(1, put_into(&self->u[1], self->pipe[1]));
	LET_GO();
	EXPECT_TRUE(ends_within(self->pipe[0], IN_TIME));
}

/* A socket of AF_UNIX that is in queues of AF_UNIX alone, and one of ours that is. */
TEST_F(mixed, way_through_unix)
{
	EXPECT_EQ(1, put_into(&self->r[0], self->u[0].fd));
	EXPECT_EQ(1, put_into(&self->u[0], self->u[1].fd));
	EXPECT_EQ(1, put_into(&self->u[1], self->r[0].fd));
	EXPECT_EQ(1, put_into(&self->u[1], self->r[1].fd));
	EXPECT_EQ(1, put_into(&self->r[1], self->pipe[1]));
	LET_GO();
	EXPECT_TRUE(ends_within(self->pipe[0], IN_TIME));
}

/* What is left when ours is taken away is a ring of AF_UNIX. */
TEST_F(mixed, ring_on_a_ring)
{
	EXPECT_EQ(1, put_into(&self->r[0], self->u[0].fd));
	EXPECT_EQ(1, put_into(&self->u[0], self->r[0].fd));
	EXPECT_EQ(1, put_into(&self->u[0], self->u[1].fd));
	EXPECT_EQ(1, put_into(&self->u[1], self->u[0].fd));
	EXPECT_EQ(1, put_into(&self->u[1], self->u[1].fd));
	EXPECT_EQ(1, put_into(&self->u[1], self->pipe[1]));
	LET_GO();
	EXPECT_TRUE(ends_within(self->pipe[0], IN_TIME));
}

/* A ring that somebody holds is left alone, wherever it is held. */
TEST_F(mixed, held)
{
	struct control c = {};
	int i, got, keep;
	char ch;

	for (i = 0; i < 2; i++) {
		struct node *r = &self->r[i], *u = &self->u[i];

		EXPECT_EQ(1, put_into(r, u->fd));
		EXPECT_EQ(1, put_into(u, r->fd));
		EXPECT_EQ(1, put_into(r, self->pipe[1]));
	}
	/* Of the first ring, ours; of the second, the other. */
	keep = dup(self->r[0].fd);
	got = dup(self->u[1].fd);
	LET_GO();
	EXPECT_TRUE(stays(self->family, self->pipe[0]));
	EXPECT_EQ(2, read_number(UNIX_IN_FLIGHT));
	/* All is still there. */
	EXPECT_EQ(1, recv_all(keep, &ch, 1, &c));
	ASSERT_EQ(1, get_fds(&c, &i));
	close(keep);
	EXPECT_EQ(1, recv_all(i, &ch, 1, &c));
	ASSERT_EQ(1, get_fds(&c, &keep));
	close(i);
	EXPECT_EQ(1, recv_all(keep, &ch, 1, &c));
	ASSERT_EQ(1, get_fds(&c, &i));
	close(i);
	close(keep);
	EXPECT_TRUE(stays(self->family, self->pipe[0]));
	close(got);
	EXPECT_TRUE(ends_within(self->pipe[0], IN_TIME));
}

/* Connections that nobody accepted, at a listener of either family. */
TEST_F(mixed, not_accepted)
{
	int lr, lu, cr, cu, type = variant->own == SOCK_DGRAM ? SOCK_STREAM : variant->own;
	struct name nr = abstract_name(self->family, "r"), nu = abstract_name(AF_UNIX, "u");

	lr = bound(self->family, type, &nr);
	lu = bound(AF_UNIX, type, &nu);
	ASSERT_EQ(0, rc(listen(lr, 4)));
	ASSERT_EQ(0, rc(listen(lu, 4)));
	cr = joined(self->family, type, &nr);
	cu = joined(AF_UNIX, type, &nu);
	EXPECT_EQ(1, say_fd(cr, "x", lu));
	EXPECT_EQ(1, say_fd(cu, "x", lr));
	EXPECT_EQ(1, say_fd(cu, "x", self->pipe[1]));
	close(lr);
	close(lu);
	close(cr);
	close(cu);
	LET_GO();
	EXPECT_TRUE(ends_within(self->pipe[0], IN_TIME));
}

/* One that was accepted is reached by its own descriptor. */
TEST_F(mixed, accepted)
{
	struct name nu = abstract_name(AF_UNIX, "u");
	struct control c = {};
	int lu, cu, s, got;
	char ch;

	if (variant->other != SOCK_STREAM)
		SKIP(return, "once is enough");
	lu = bound(AF_UNIX, SOCK_STREAM, &nu);
	ASSERT_EQ(0, rc(listen(lu, 4)));
	cu = joined(AF_UNIX, SOCK_STREAM, &nu);
	EXPECT_EQ(1, put_into(&self->r[0], lu));
	EXPECT_EQ(1, say_fd(cu, "x", self->r[0].fd));
	EXPECT_EQ(1, put_into(&self->r[0], self->pipe[1]));
	s = rc(accept(lu, NULL, NULL));
	ASSERT_LE(0, s);
	close(lu);
	close(cu);
	LET_GO();
	EXPECT_TRUE(stays(self->family, self->pipe[0]));
	EXPECT_EQ(1, recv_all(s, &ch, 1, &c));
	ASSERT_EQ(1, get_fds(&c, &got));
	close(got);
	close(s);
	EXPECT_TRUE(ends_within(self->pipe[0], IN_TIME));
}

/*
 * Where the queues of AF_UNIX can't be read, the ring stays, and is counted; it
 * counts for the user, too, so that there is an end to it.
 */
TEST_F(mixed, counted)
{
	ASSERT_EQ(0, write_word(MIXED, "N"));
	EXPECT_EQ(1, put_into(&self->r[0], self->u[0].fd));
	EXPECT_EQ(1, put_into(&self->u[0], self->r[0].fd));
	EXPECT_EQ(1, put_into(&self->u[0], self->pipe[1]));
	LET_GO();
	EXPECT_TRUE(stays(self->family, self->pipe[0]));
	EXPECT_EQ(1, read_number(UNIX_IN_FLIGHT));
	/* It isn't lost: once they can be read, it is found. */
	ASSERT_EQ(0, write_word(MIXED, "Y"));
	EXPECT_TRUE(ends_within(self->pipe[0], IN_TIME));
	EXPECT_EQ(0, read_number(UNIX_IN_FLIGHT));
}

static int leak(int family, int own, int other)
{
	struct rlimit lim = { 64, 64 };
	int n;

	if (setrlimit(RLIMIT_NOFILE, &lim) || setgid(45680) || setuid(45680))
		return -EPERM;
	for (n = 0; n < 1000; n++) {
		struct node r, u;
		int ret;

		if (make_node(&r, family, own) || make_node(&u, AF_UNIX, other))
			return -errno;
		ret = put_into(&u, r.fd);
		if (ret == 1)
			ret = put_into(&r, u.fd);
		close_node(&r);
		close_node(&u);
		if (ret != 1)
			return ret;
	}
	return -EOVERFLOW;
}

TEST_F(mixed, bounded)
{
	ASSERT_EQ(0, write_word(MIXED, "N"));
	EXPECT_EQ(-ETOOMANYREFS, IN_CHILD(leak(self->family, variant->own, variant->other)));
	EXPECT_LT(0, read_number(UNIX_IN_FLIGHT));
	EXPECT_GE(66, read_number(UNIX_IN_FLIGHT));
	ASSERT_EQ(0, write_word(MIXED, "Y"));
	for (int i = 0; i < 200 && read_number(UNIX_IN_FLIGHT); i++)
		usleep(100000);
	EXPECT_EQ(0, read_number(UNIX_IN_FLIGHT));
}

/* --- nothing that lives is touched ------------------------------------- */

static volatile bool done;

static void *close_sockets(void *arg)
{
	while (!done) {
		close_another(*(int *)arg);
		close_another(AF_UNIX);
	}
	return NULL;
}

/*
 * A ring whose only descriptor from outside changes all the time: what is in the
 * queues is there whenever it is taken out.
 */
TEST_F(mixed, moving)
{
	int64_t end = now_ms() + 800;
	struct control c = {};
	int hold, next, rounds = 0;
	pthread_t t;
	char ch;

	done = false;
	EXPECT_EQ(1, put_into(&self->r[0], self->u[0].fd));
	EXPECT_EQ(1, put_into(&self->u[0], self->r[0].fd));
	hold = self->r[0].fd;
	close(self->u[0].fd);
	ASSERT_EQ(0, pthread_create(&t, NULL, close_sockets, &self->family));
	while (now_ms() < end) {
		/* From one queue to the next one, peeking on the way. */
		struct node *from = rounds & 1 ? &self->u[0] : &self->r[0];

		c.len = sizeof(c.buf);
		ASSERT_EQ(1, recv_control(hold, &ch, 1, MSG_PEEK | MSG_DONTWAIT, &c));
		ASSERT_EQ(1, get_fds(&c, &next));
		close(next);
		ASSERT_EQ(1, recv_all(hold, &ch, 1, &c));
		ASSERT_EQ(1, get_fds(&c, &next));
		ASSERT_EQ(1, put_into(from, next));
		close(hold);
		hold = next;
		rounds++;
	}
	done = true;
	pthread_join(t, NULL);
	/* How many depends on the machine; each of the two has been passed on. */
	EXPECT_LT(2, rounds);
	EXPECT_EQ(1, put_into(rounds & 1 ? &self->u[0] : &self->r[0], self->pipe[1]));
	close(hold);
	LET_GO();
	EXPECT_TRUE(ends_within(self->pipe[0], IN_TIME));
}

/*
 * Connections that are accepted and closed while the collector looks at those who
 * wait: it holds on to none that is going.
 */
TEST_F(mixed, accepted_and_closed)
{
	struct name nu = abstract_name(AF_UNIX, "u");
	int64_t end = now_ms() + 1500;
	int i, lu, s, accepted = 0;
	pthread_t t;

	if (variant->own != SOCK_STREAM || variant->other != SOCK_STREAM)
		SKIP(return, "once is enough");
	lu = bound(AF_UNIX, SOCK_STREAM, &nu);
	ASSERT_EQ(0, rc(listen(lu, 1000)));
	ASSERT_EQ(0, rc(fcntl(lu, F_SETFL, O_NONBLOCK)));
	EXPECT_EQ(1, put_into(&self->r[0], lu));
	done = false;
	ASSERT_EQ(0, pthread_create(&t, NULL, close_sockets, &self->family));
	while (now_ms() < end) {
		for (i = 0; i < 300; i++) {
			s = joined(AF_UNIX, SOCK_STREAM, &nu);
			ASSERT_LE(0, s);
			close(s);
		}
		for (; (s = rc(accept(lu, NULL, NULL))) >= 0; accepted++)
			close(s);
		ASSERT_EQ(-EAGAIN, s);
	}
	done = true;
	pthread_join(t, NULL);
	EXPECT_LT(0, accepted);
	EXPECT_EQ(1, put_into(&self->r[0], self->pipe[1]));
	close(lu);
	LET_GO();
	EXPECT_TRUE(ends_within(self->pipe[0], IN_TIME));
}

TEST_HARNESS_MAIN
