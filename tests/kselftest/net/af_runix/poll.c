// SPDX-License-Identifier: GPL-2.0
/* poll() and select(): the exact masks of every state, and who is woken. */

#include "common.h"

#include <sys/select.h>

FAMILY_FIXTURE(poll);

#define POLL_END	(POLL_R | POLLRDHUP)

TEST_F(poll, unconnected)
{
	struct name n = abstract_name(self->family, "n");
	int fd = xsocket(self->family);

	EXPECT_EQ(POLLHUP | POLL_W, poll_mask(fd));
	ASSERT_EQ(0, xbind(fd, &n));
	EXPECT_EQ(POLLHUP | POLL_W, poll_mask(fd));
	ASSERT_EQ(0, rc(listen(fd, 1)));
	EXPECT_EQ(0, poll_mask(fd));
}

TEST_F(poll, listening)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4), c;

	ASSERT_LE(0, l);
	EXPECT_EQ(0, poll_mask(l));
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	EXPECT_EQ(POLL_R, poll_mask(l));
	EXPECT_EQ(POLL_W, poll_mask(c));
	ASSERT_LE(0, dial(self->family, &n));
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(POLL_R, poll_mask(l));
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(0, poll_mask(l));
	/* A visitor who left has to be accepted all the same. */
	close(dial(self->family, &n));
	EXPECT_EQ(POLL_R, poll_mask(l));

	ASSERT_EQ(0, rc(shutdown(l, SHUT_WR)));
	EXPECT_EQ(POLL_R, poll_mask(l));
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	ASSERT_EQ(0, rc(shutdown(l, SHUT_RD)));
	EXPECT_EQ(POLL_END | POLLHUP, poll_mask(l));
	l = listener(self->family, &(struct name) { n.len + 1, .ss = n.ss }, 4);
	ASSERT_LE(0, l);
	ASSERT_EQ(0, rc(shutdown(l, SHUT_RD)));
	EXPECT_EQ(POLL_END, poll_mask(l));
}

TEST_F(poll, connected)
{
	int a = self->fd[0], b = self->fd[1];
	size_t n;
	char ch;

	EXPECT_EQ(POLL_W, poll_mask(a));
	ASSERT_EQ(2, rc(send(a, "xy", 2, 0)));
	EXPECT_EQ(POLL_W, poll_mask(a));
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(b));
	ASSERT_EQ(1, rc(recv(b, &ch, 1, 0)));
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(b));
	ASSERT_EQ(1, rc(recv(b, &ch, 1, MSG_PEEK)));
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(b));
	ASSERT_EQ(1, rc(recv(b, &ch, 1, 0)));
	EXPECT_EQ(POLL_W, poll_mask(b));

	n = fill_up(a);
	EXPECT_EQ(0, poll_mask(a));
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(b));
	EXPECT_EQ(n, drain(b, 0, n));
	EXPECT_EQ(POLL_W, poll_mask(a));
	EXPECT_EQ(POLL_W, poll_mask(b));
}

/* Full is not writable, nor is nearly full; nearly empty is. */
TEST_F(poll, writable)
{
	size_t n = fill_up(self->fd[0]), got = 0;

	EXPECT_EQ(0, poll_mask(self->fd[0]));
	EXPECT_EQ(1, drain(self->fd[1], 0, 1));
	EXPECT_EQ(0, poll_mask(self->fd[0]));
	got = 1 + drain(self->fd[1], 1, n - n / 64);
	EXPECT_EQ(POLL_W, poll_mask(self->fd[0]));
	/* And then there is room for something. */
	EXPECT_EQ(1, rc(send(self->fd[0], "x", 1, MSG_DONTWAIT)));
	EXPECT_EQ(n - got, drain(self->fd[1], got, n - got));
}

TEST_F(poll, peer_closed)
{
	int a = self->fd[0], b = self->fd[1];
	char ch;

	ASSERT_EQ(1, rc(send(b, "x", 1, 0)));
	close(b);
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(a));
	ASSERT_EQ(1, rc(recv(a, &ch, 1, 0)));
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(a));
	ASSERT_EQ(0, rc(recv(a, &ch, 1, 0)));
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(a));
}

TEST_F(poll, peer_closed_unread)
{
	int a = self->fd[0];
	char ch;

	ASSERT_EQ(1, rc(send(a, "x", 1, 0)));
	close(self->fd[1]);
	EXPECT_EQ(POLLERR | POLL_END | POLLHUP | POLL_W, poll_mask(a));
	EXPECT_EQ(POLLERR | POLL_END | POLLHUP | POLL_W, poll_mask(a));
	ASSERT_EQ(-ECONNRESET, rc(recv(a, &ch, 1, 0)));
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(a));
}

/* A full buffer empties when the reader goes. */
TEST_F(poll, full_peer_closed)
{
	ASSERT_LT(0, fill_up(self->fd[0]));
	EXPECT_EQ(0, poll_mask(self->fd[0]));
	close(self->fd[1]);
	EXPECT_EQ(POLLERR | POLL_END | POLLHUP | POLL_W, poll_mask(self->fd[0]));
}

/* A full buffer stays one when the reader only will not read. */
TEST_F(poll, full_peer_shut)
{
	ASSERT_LT(0, fill_up(self->fd[0]));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_RD)));
	EXPECT_EQ(0, poll_mask(self->fd[0]));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_WR)));
	EXPECT_EQ(POLL_END | POLLHUP, poll_mask(self->fd[0]));
}

/* Only what was asked for is answered, except what always is. */
TEST_F(poll, requested)
{
	struct pollfd p[3];

	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	p[0] = (struct pollfd) { self->fd[1], POLLIN };
	p[1] = (struct pollfd) { self->fd[1], POLLOUT };
	p[2] = (struct pollfd) { self->fd[1], POLLRDHUP | POLLPRI };
	EXPECT_EQ(2, poll(p, 3, 0));
	EXPECT_EQ(POLLIN, p[0].revents);
	EXPECT_EQ(POLLOUT, p[1].revents);
	EXPECT_EQ(0, p[2].revents);

	close(self->fd[1]);
	p[0] = (struct pollfd) { self->fd[0], 0 };
	p[1] = (struct pollfd) { self->fd[0], POLLRDHUP };
	p[2] = (struct pollfd) { self->fd[0], POLLRDNORM | POLLWRBAND };
	EXPECT_EQ(3, poll(p, 3, 0));
	EXPECT_EQ(POLLERR | POLLHUP, p[0].revents);
	EXPECT_EQ(POLLERR | POLLHUP | POLLRDHUP, p[1].revents);
	EXPECT_EQ(POLLERR | POLLHUP | POLLRDNORM | POLLWRBAND, p[2].revents);
}

TEST_F(poll, select)
{
	int a = self->fd[0], b = self->fd[1];
	struct timeval none = {};
	fd_set r, w, x;

#define SELECT()							\
({									\
	FD_ZERO(&r); FD_ZERO(&w); FD_ZERO(&x);				\
	FD_SET(a, &r); FD_SET(a, &w); FD_SET(a, &x);			\
	select(a + 1, &r, &w, &x, &none);				\
})
	EXPECT_EQ(1, SELECT());
	EXPECT_FALSE(FD_ISSET(a, &r));
	EXPECT_TRUE(FD_ISSET(a, &w));
	EXPECT_FALSE(FD_ISSET(a, &x));

	ASSERT_LT(0, fill_up(a));
	EXPECT_EQ(0, SELECT());
	ASSERT_EQ(1, rc(send(b, "x", 1, 0)));
	EXPECT_EQ(1, SELECT());
	EXPECT_TRUE(FD_ISSET(a, &r));
	EXPECT_FALSE(FD_ISSET(a, &w));

	close(b);
	EXPECT_EQ(2, SELECT());
	EXPECT_TRUE(FD_ISSET(a, &r));
	EXPECT_TRUE(FD_ISSET(a, &w));
	EXPECT_FALSE(FD_ISSET(a, &x));
#undef SELECT
}

/* --- being woken ------------------------------------------------------ */

static struct op polling(int fd, int events)
{
	return (struct op) { .fn = op_poll, .fd = fd, .flags = events };
}

TEST_F(poll, woken_by_data)
{
	struct op op = polling(self->fd[1], POLLIN | POLLRDHUP);

	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(POLLIN, op_join(&op));
}

TEST_F(poll, woken_by_room)
{
	struct op op = polling(self->fd[0], POLLOUT);
	size_t n = fill_up(self->fd[0]);

	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	EXPECT_EQ(n, drain(self->fd[1], 0, n));
	EXPECT_EQ(POLLOUT, op_join(&op));
}

TEST_F(poll, woken_by_close)
{
	struct op op = polling(self->fd[0], POLLIN | POLLRDHUP);
	struct op any = polling(self->fd[0], 0);

	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	ASSERT_TRUE(op_blocks(&any, SYS_poll));
	close(self->fd[1]);
	EXPECT_EQ(POLLIN | POLLRDHUP | POLLHUP, op_join(&op));
	EXPECT_EQ(POLLHUP, op_join(&any));
}

TEST_F(poll, woken_by_reset)
{
	struct op op = polling(self->fd[0], POLLOUT);

	ASSERT_LT(0, fill_up(self->fd[0]));
	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	close(self->fd[1]);
	/* The state may be seen before the last byte is gone. */
	EXPECT_EQ(POLLERR | POLLHUP, op_join(&op) & ~POLLOUT);
}

TEST_F(poll, woken_by_shutdown)
{
	struct op op = polling(self->fd[0], POLLIN | POLLRDHUP);

	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_WR)));
	EXPECT_EQ(POLLIN | POLLRDHUP, op_join(&op));

	op = polling(self->fd[1], POLLIN | POLLRDHUP);
	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_RD)));
	EXPECT_EQ(POLLIN | POLLRDHUP | POLLHUP, op_join(&op));
}

TEST_F(poll, woken_by_connection)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4);
	struct op op = polling(l, POLLIN);

	ASSERT_LE(0, l);
	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	ASSERT_LE(0, dial(self->family, &n));
	EXPECT_EQ(POLLIN, op_join(&op));
}

/* On a connection not yet accepted, by the end of the listener. */
TEST_F(poll, woken_by_listener_close)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4), c = dial(self->family, &n);
	struct op op = polling(c, POLLIN);

	ASSERT_LE(0, c);
	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	close(l);
	EXPECT_EQ(POLLIN | POLLERR | POLLHUP, op_join(&op));
}

/* Everybody who polls is woken, not only the first. */
TEST_F(poll, all_woken)
{
	struct op op[4];
	int i;

	for (i = 0; i < 4; i++) {
		op[i] = polling(self->fd[1], POLLIN);
		ASSERT_TRUE(op_blocks(&op[i], SYS_poll));
	}
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(POLLIN, op_join(&op[i]));
	}
}

/* Not by what one did oneself, nor by what one did not ask for. */
TEST_F(poll, not_woken)
{
	struct op op = polling(self->fd[0], POLLIN);
	char ch;

	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_TRUE(op_sleeps_on(&op, SYS_poll));
	ASSERT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
	EXPECT_TRUE(op_sleeps_on(&op, SYS_poll));
	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_WR)));
	EXPECT_TRUE(op_sleeps_on(&op, SYS_poll));
	ASSERT_EQ(1, rc(send(self->fd[1], "x", 1, 0)));
	EXPECT_EQ(POLLIN, op_join(&op));
}

TEST_HARNESS_MAIN
