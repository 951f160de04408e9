// SPDX-License-Identifier: GPL-2.0
/* poll() and epoll on datagram sockets: every state, and who is woken. */

#include "packet.h"

TYPE_FIXTURE(dgram_poll, SOCK_DGRAM);

#define POLL_END	(POLL_R | POLLRDHUP)

/* A receiver with a full queue, and somebody connected to it. */
#define FULL(_r, _s, _name)						\
	struct name _name = abstract_name(self->family, "full");	\
	int _r = bound(self->family, SOCK_DGRAM, &_name);		\
	int _s = joined(self->family, SOCK_DGRAM, &_name);		\
									\
	ASSERT_LE(0, _r);						\
	ASSERT_LE(0, _s);						\
	ASSERT_LT(0, fill_receiver(self->family, &_name))

TEST_F(dgram_poll, states)
{
	struct name n = abstract_name(self->family, "n");
	int r = dgram(self->family), s = dgram(self->family);

	/* Without a peer a datagram socket is not hung up. */
	EXPECT_EQ(POLL_W, poll_mask(r));
	ASSERT_EQ(0, xbind(r, &n));
	EXPECT_EQ(POLL_W, poll_mask(r));
	EXPECT_EQ(1, say_to(s, "x", &n));
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(r));
	EXPECT_EQ(POLL_W, poll_mask(s));
	ASSERT_EQ(0, xconnect(s, &n));
	EXPECT_EQ(POLL_W, poll_mask(s));
	EXPECT_MSG("x", r);
	EXPECT_EQ(POLL_W, poll_mask(r));
	close(r);
	/* Nor when the peer has gone. */
	EXPECT_EQ(POLL_W, poll_mask(s));
	EXPECT_EQ(-ECONNREFUSED, say(s, "x"));
	EXPECT_EQ(POLL_W, poll_mask(s));
}

TEST_F(dgram_poll, shutdown)
{
	int a = self->fd[0], b = self->fd[1], fd = dgram(self->family);

	/* It is one's own; the peer knows nothing of it. */
	ASSERT_EQ(0, rc(shutdown(a, SHUT_WR)));
	EXPECT_EQ(POLL_W, poll_mask(a));
	EXPECT_EQ(POLL_W, poll_mask(b));
	ASSERT_EQ(0, rc(shutdown(a, SHUT_RD)));
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(a));
	EXPECT_EQ(POLL_W, poll_mask(b));
	ASSERT_EQ(0, rc(shutdown(b, SHUT_RD)));
	EXPECT_EQ(POLL_END | POLL_W, poll_mask(b));
	ASSERT_EQ(0, rc(shutdown(fd, SHUT_RDWR)));
	EXPECT_EQ(POLL_END | POLLHUP | POLL_W, poll_mask(fd));
}

TEST_F(dgram_poll, error)
{
	EXPECT_EQ(1, say(self->fd[1], "x"));
	ASSERT_EQ(0, dissolve(self->fd[0]));
	EXPECT_EQ(POLLERR | POLL_W, poll_mask(self->fd[1]));
	EXPECT_EQ(POLLERR | POLL_W, poll_mask(self->fd[1]));
	EXPECT_EQ(ECONNRESET, so_error(self->fd[1]));
	EXPECT_EQ(POLL_W, poll_mask(self->fd[1]));
}

/* Full is the receiver's queue or the sender's buffer. */
TEST_F(dgram_poll, full)
{
	FULL(r, s, n);
	int other = dgram(self->family), a = self->fd[0];
	char ch;

	EXPECT_EQ(0, poll_mask(s));
	EXPECT_EQ(POLL_W, poll_mask(other));
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(r));
	EXPECT_EQ(1, say_to(r, "x", &n));
	EXPECT_EQ(1, rc(recv(r, &ch, 1, 0)));
	EXPECT_EQ(0, poll_mask(s));
	EXPECT_EQ(1, rc(recv(r, &ch, 1, 0)));
	EXPECT_EQ(POLL_W, poll_mask(s));
	EXPECT_EQ(1, rc(send(s, "x", 1, MSG_DONTWAIT)));
	EXPECT_EQ(0, poll_mask(s));
	drain_messages(r);
	EXPECT_EQ(POLL_W, poll_mask(s));

	ASSERT_EQ(0, setint(a, SO_SNDBUF, 8192));
	ASSERT_LT(0, fill_messages(a));
	EXPECT_EQ(0, poll_mask(a));
	EXPECT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
	EXPECT_EQ(0, poll_mask(a));
	EXPECT_LT(0, drain_messages(self->fd[1]));
	EXPECT_EQ(POLL_W, poll_mask(a));
}

/* A full queue stands in nobody's way but a stranger's. */
TEST_F(dgram_poll, full_friends)
{
	FULL(r, s, n);
	struct name m = abstract_name(self->family, "m");

	ASSERT_EQ(0, xbind(s, &m));
	EXPECT_EQ(0, poll_mask(s));
	ASSERT_EQ(0, xconnect(r, &m));
	EXPECT_EQ(POLL_W, poll_mask(s));
	/* What is lost now was not its own, but it is the one to be told. */
	ASSERT_EQ(0, dissolve(r));
	EXPECT_EQ(POLLERR | POLL_W, poll_mask(s));
	EXPECT_EQ(ECONNRESET, so_error(s));
	EXPECT_EQ(POLL_W, poll_mask(s));
	ASSERT_LT(0, fill_receiver(self->family, &n));
	EXPECT_EQ(0, poll_mask(s));
	ASSERT_EQ(0, xconnect(r, &n));
	EXPECT_EQ(POLL_R | POLL_W, poll_mask(r));
	EXPECT_EQ(0, poll_mask(s));
	ASSERT_EQ(0, dissolve(s));
	EXPECT_EQ(POLL_W, poll_mask(s));
}

/* Who shall be told of an error has to be able to write. */
TEST_F(dgram_poll, full_then_gone)
{
	FULL(r, s, n);

	EXPECT_EQ(0, poll_mask(s));
	close(r);
	EXPECT_EQ(POLL_W, poll_mask(s));
	EXPECT_EQ(-ECONNREFUSED, say(s, "x"));
	EXPECT_EQ(POLL_W, poll_mask(s));

	/* One who will not read is still full. */
	r = bound(self->family, SOCK_DGRAM, &n);
	ASSERT_LE(0, r);
	ASSERT_EQ(0, xconnect(s, &n));
	ASSERT_LT(0, fill_receiver(self->family, &n));
	ASSERT_EQ(0, rc(shutdown(r, SHUT_RD)));
	EXPECT_EQ(0, poll_mask(s));
	EXPECT_EQ(-EPIPE, rc(send(s, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL)));
}

/* --- being woken ------------------------------------------------------ */

TEST_F(dgram_poll, woken_by_message)
{
	struct op op = polling(self->fd[1], POLLIN);

	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(POLLIN, op_join(&op));
	EXPECT_MSG("x", self->fd[1]);
	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	EXPECT_EQ(0, rc(send(self->fd[0], "", 0, 0)));
	EXPECT_EQ(POLLIN, op_join(&op));
}

/* The receiver reads, and the one who polls is another socket. */
TEST_F(dgram_poll, woken_by_receiver)
{
	FULL(r, s, n);
	struct op op = polling(s, POLLOUT);
	char ch;

	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	EXPECT_EQ(1, rc(recv(r, &ch, 1, MSG_PEEK)));
	EXPECT_TRUE(op_sleeps_on(&op, SYS_poll));
	EXPECT_EQ(1, rc(recv(r, &ch, 1, 0)));
	EXPECT_EQ(POLLOUT, op_join(&op));
	EXPECT_EQ(1, rc(send(s, "x", 1, MSG_DONTWAIT)));
}

/* All of them, on many sockets and on one. */
TEST_F(dgram_poll, all_woken)
{
	enum { NR = 4 };
	FULL(r, s, n);
	struct op op[NR];
	char ch;
	int i;

	for (i = 0; i < NR; i++) {
		op[i] = polling(i & 1 ? s : joined(self->family, SOCK_DGRAM, &n),
				POLLOUT);
		ASSERT_TRUE(op_blocks(&op[i], SYS_poll));
	}
	EXPECT_EQ(1, rc(recv(r, &ch, 1, 0)));
	for (i = 0; i < NR; i++) {
		EXPECT_EQ(POLLOUT, op_join(&op[i]));
	}
}

TEST_F(dgram_poll, woken_by_own_room)
{
	struct op op = polling(self->fd[0], POLLOUT);
	int n;

	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 8192));
	n = fill_messages(self->fd[0]);
	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	EXPECT_EQ(n, drain_messages(self->fd[1]));
	EXPECT_EQ(POLLOUT, op_join(&op));
}

TEST_F(dgram_poll, woken_by_close)
{
	FULL(r, s, n);
	struct op op = polling(s, POLLOUT);

	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	close(r);
	EXPECT_EQ(POLLOUT, op_join(&op));
	EXPECT_EQ(-ECONNREFUSED, say(s, "x"));
}

/* A new peer, or none: there is nobody to wait for. */
TEST_F(dgram_poll, woken_by_reconnect)
{
	FULL(r, s, n);
	struct name m = abstract_name(self->family, "m");
	struct op op = polling(s, POLLOUT);

	ASSERT_LE(0, bound(self->family, SOCK_DGRAM, &m));
	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	ASSERT_EQ(0, xconnect(s, &m));
	EXPECT_EQ(POLLOUT, op_join(&op));
	ASSERT_EQ(0, xconnect(s, &n));
	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	ASSERT_EQ(0, dissolve(s));
	EXPECT_EQ(POLLOUT, op_join(&op));
	/* And what happens to the old one is no longer of interest. */
	EXPECT_LT(0, drain_messages(r));
}

TEST_F(dgram_poll, woken_by_reset)
{
	struct op op = polling(self->fd[1], POLLIN);

	EXPECT_EQ(1, say(self->fd[1], "x"));
	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	ASSERT_EQ(0, dissolve(self->fd[0]));
	EXPECT_EQ(POLLERR, op_join(&op));
}

TEST_F(dgram_poll, woken_by_own_shutdown)
{
	struct op op = polling(self->fd[0], POLLIN | POLLRDHUP);
	char buf[1];
	struct op recv = receiving(self->fd[1], buf, 1, 0);

	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	ASSERT_TRUE(op_blocks(&recv, SYS_recvfrom));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_WR)));
	EXPECT_TRUE(op_sleeps_on(&op, SYS_poll));
	EXPECT_TRUE(op_sleeps_on(&recv, SYS_recvfrom));
	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_RD)));
	EXPECT_EQ(POLLIN | POLLRDHUP, op_join(&op));
	EXPECT_TRUE(op_sleeps_on(&recv, SYS_recvfrom));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_RD)));
	EXPECT_EQ(0, op_join(&recv));
}

/* The peer's going is none of a receiver's business. */
TEST_F(dgram_poll, not_woken_by_close)
{
	struct op op = polling(self->fd[0], POLLIN | POLLRDHUP);
	struct name n = abstract_name(self->family, "n");

	ASSERT_EQ(0, xbind(self->fd[0], &n));
	ASSERT_TRUE(op_blocks(&op, SYS_poll));
	close(self->fd[1]);
	EXPECT_TRUE(op_sleeps_on(&op, SYS_poll));
	/* Nor is it free for others by that. */
	EXPECT_EQ(-EPERM, say_to(dgram(self->family), "x", &n));
	EXPECT_TRUE(op_sleeps_on(&op, SYS_poll));
	ASSERT_EQ(0, dissolve(self->fd[0]));
	EXPECT_EQ(1, say_to(dgram(self->family), "x", &n));
	EXPECT_EQ(POLLIN, op_join(&op));
}

/* --- epoll ------------------------------------------------------------ */

TEST_F(dgram_poll, epoll_level)
{
	FULL(r, s, n);
	int in = watch(r, EPOLLIN), out = watch(s, EPOLLOUT);
	char ch;

	EXPECT_EQ(EPOLLIN, next_event(in, 0));
	EXPECT_EQ(EPOLLIN, next_event(in, 0));
	EXPECT_EQ(0, next_event(out, 0));
	EXPECT_EQ(1, rc(recv(r, &ch, 1, 0)));
	EXPECT_EQ(EPOLLOUT, next_event(out, SOON));
	EXPECT_EQ(EPOLLOUT, next_event(out, 0));
	EXPECT_EQ(1, rc(send(s, "x", 1, MSG_DONTWAIT)));
	EXPECT_EQ(0, next_event(out, 0));
	EXPECT_LT(0, drain_messages(r));
	EXPECT_EQ(EPOLLOUT, next_event(out, SOON));
	EXPECT_EQ(0, next_event(in, 0));
}

/* Edges: each arrival is one, each time there is room again is one. */
TEST_F(dgram_poll, epoll_edge_in)
{
	int a = self->fd[0], b = self->fd[1];
	int ep = watch(b, EPOLLIN | EPOLLET);

	EXPECT_EQ(0, next_event(ep, 0));
	EXPECT_EQ(1, say(a, "x"));
	EXPECT_EQ(EPOLLIN, next_event(ep, SOON));
	EXPECT_EQ(0, next_event(ep, 0));
	EXPECT_EQ(1, say(a, "y"));
	EXPECT_EQ(EPOLLIN, next_event(ep, SOON));
	EXPECT_EQ(0, next_event(ep, 0));
	EXPECT_MSG("x", b);
	EXPECT_EQ(0, next_event(ep, 0));
	EXPECT_MSG("y", b);
	EXPECT_EQ(0, next_event(ep, 0));
	EXPECT_EQ(0, rc(send(a, "", 0, 0)));
	EXPECT_EQ(EPOLLIN, next_event(ep, SOON));
}

TEST_F(dgram_poll, epoll_edge_out)
{
	FULL(r, s, n);
	int ep = watch(s, EPOLLOUT | EPOLLET);
	char ch;

	EXPECT_EQ(0, next_event(ep, 0));
	EXPECT_EQ(1, rc(recv(r, &ch, 1, 0)));
	EXPECT_EQ(EPOLLOUT, next_event(ep, SOON));
	EXPECT_EQ(0, next_event(ep, 0));
	/* Turned away again: told again. */
	EXPECT_EQ(1, rc(send(s, "x", 1, MSG_DONTWAIT)));
	EXPECT_EQ(-EAGAIN, rc(send(s, "x", 1, MSG_DONTWAIT)));
	EXPECT_EQ(0, next_event(ep, 0));
	EXPECT_EQ(1, rc(recv(r, &ch, 1, 0)));
	EXPECT_EQ(EPOLLOUT, next_event(ep, SOON));
	/* By the end of the receiver, too. */
	EXPECT_EQ(1, rc(send(s, "x", 1, MSG_DONTWAIT)));
	EXPECT_EQ(-EAGAIN, rc(send(s, "x", 1, MSG_DONTWAIT)));
	EXPECT_EQ(0, next_event(ep, 0));
	close(r);
	EXPECT_EQ(EPOLLOUT, next_event(ep, SOON));
	EXPECT_EQ(-ECONNREFUSED, say(s, "x"));
}

/* Told once, and then not until asked again. */
TEST_F(dgram_poll, epoll_oneshot)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT,
				  .data.fd = self->fd[1] };
	int ep = watch(self->fd[1], EPOLLIN | EPOLLONESHOT);

	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(EPOLLIN, next_event(ep, SOON));
	EXPECT_EQ(1, say(self->fd[0], "y"));
	EXPECT_EQ(0, next_event(ep, 0));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_MOD, self->fd[1], &ev));
	EXPECT_EQ(EPOLLIN, next_event(ep, 0));
	EXPECT_EQ(0, next_event(ep, 0));
}

/*
 * Senders that only send when told they may, to a receiver whose queue is
 * full most of the time: nobody is forgotten.
 */
enum { SENDERS = 4, EACH = 300 };

struct sender {
	pthread_t thread;
	const struct name *to;
	int family;
	uint32_t events;
	int failed;
};

static void *send_by_events(void *arg)
{
	struct sender *s = arg;
	int fd = joined(s->family, SOCK_DGRAM, s->to), sent = 0;
	int ep = watch(fd, EPOLLOUT | s->events);

	while (sent < EACH && !s->failed) {
		if (next_event(ep, 60000) != EPOLLOUT)
			s->failed = 1;
		while (sent < EACH) {
			long ret = rc(send(fd, &sent, sizeof(sent), MSG_DONTWAIT));

			if (ret == -EAGAIN)
				break;
			if (ret != sizeof(sent)) {
				s->failed = 2;
				break;
			}
			sent++;
		}
	}
	close(ep);
	close(fd);
	return NULL;
}

TEST_F(dgram_poll, nobody_forgotten)
{
	struct name n = abstract_name(self->family, "n");
	int r = bound(self->family, SOCK_DGRAM, &n), i, msg;
	struct sender s[SENDERS];

	ASSERT_LE(0, r);
	ASSERT_EQ(0, set_timeo(r, SO_RCVTIMEO, 25000));
	for (i = 0; i < SENDERS; i++) {
		s[i] = (struct sender) { .to = &n, .family = self->family,
					 .events = i & 1 ? EPOLLET : 0 };
		ASSERT_EQ(0, pthread_create(&s[i].thread, NULL, send_by_events,
					    &s[i]));
	}
	for (i = 0; i < SENDERS * EACH; i++) {
		ASSERT_EQ(4, rc(recv(r, &msg, 4, 0))) TH_LOG("message %d", i);
	}
	for (i = 0; i < SENDERS; i++) {
		pthread_join(s[i].thread, NULL);
		EXPECT_EQ(0, s[i].failed);
	}
	EXPECT_NO_MSG(r);
}

/* --- senders that go --------------------------------------------------------- */

struct taker {
	const struct name *from;
	int family, fd;
	bool over;
	long taken;
};

/* Keeps a receiver's queue as good as full: more than what one buffer holds. */
static void *take_and_fill(void *arg)
{
	struct taker *t = arg;
	int fd[] = { dgram(t->family), dgram(t->family), dgram(t->family) };
	char ch;

	while (!__atomic_load_n(&t->over, __ATOMIC_RELAXED)) {
		if (rc(recv(t->fd, &ch, 1, MSG_DONTWAIT)) == 1)
			__atomic_add_fetch(&t->taken, 1, __ATOMIC_RELAXED);
		xsendto(fd[t->taken % 3], "f", 1, MSG_DONTWAIT, t->from);
	}
	close(fd[0]);
	close(fd[1]);
	close(fd[2]);
	return NULL;
}

/* A sender that polled is closed just when the receiver would have it woken. */
TEST_F(dgram_poll, closed_when_woken)
{
	struct name n = abstract_name(self->family, "n");
	struct taker t = { .from = &n, .family = self->family };
	int64_t end = now_ms() + 300, last = end + 20000;
	pthread_t thread;

	t.fd = bound(self->family, SOCK_DGRAM, &n);
	ASSERT_LE(0, t.fd);
	ASSERT_LT(0, fill_receiver(self->family, &n));
	ASSERT_EQ(0, pthread_create(&thread, NULL, take_and_fill, &t));
	/* On a busy machine the other thread may take long to begin. */
	while (now_ms() < end ||
	       (!__atomic_load_n(&t.taken, __ATOMIC_RELAXED) && now_ms() < last)) {
		int s = joined(self->family, SOCK_DGRAM, &n);

		ASSERT_LE(0, s);
		EXPECT_EQ(0, poll_mask(s) & ~POLL_W);
		close(s);
	}
	__atomic_store_n(&t.over, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	EXPECT_LT(0, t.taken);
}

TEST_HARNESS_MAIN
