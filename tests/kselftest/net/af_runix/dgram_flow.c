// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams nobody reads: when a sender has to wait, and for what.
 *
 * The receiver's queue holds so many messages, whoever sent them; the number
 * is not told here, but found out. What a pair says to each other is limited
 * by the senders' buffers alone.
 */
#include "packet.h"

#include <sched.h>

TYPE_FIXTURE(dgram_flow, SOCK_DGRAM);

static char big[1 << 16];

/* A receiver with a full queue: its socket, name and number of messages. */
#define FULL(_fd, _name, _count)					\
	struct name _name = abstract_name(self->family, "full");	\
	int _fd = bound(self->family, SOCK_DGRAM, &_name);		\
	int _count = fill_receiver(self->family, &_name);		\
									\
	ASSERT_LE(0, _fd);						\
	ASSERT_LT(0, _count)

TEST_F(dgram_flow, full)
{
	FULL(r, n, count);
	int s = dgram(self->family), c = joined(self->family, SOCK_DGRAM, &n);
	char ch;

	ASSERT_LE(0, c);
	/* Full for everybody, known or unknown, and for nothing at all. */
	EXPECT_EQ(-EAGAIN, xsendto(s, "x", 1, MSG_DONTWAIT, &n));
	EXPECT_EQ(-EAGAIN, xsendto(s, "", 0, MSG_DONTWAIT, &n));
	EXPECT_EQ(-EAGAIN, rc(send(c, "x", 1, MSG_DONTWAIT)));
	ASSERT_EQ(0, set_nonblock(c));
	EXPECT_EQ(-EAGAIN, rc(write(c, "x", 1)));
	/* Looking makes no room, taking one makes room for one. */
	EXPECT_EQ(1, rc(recv(r, &ch, 1, MSG_PEEK)));
	EXPECT_EQ(-EAGAIN, rc(write(c, "x", 1)));
	EXPECT_EQ(1, rc(recv(r, &ch, 1, 0)));
	EXPECT_EQ(1, rc(write(c, "x", 1)));
	EXPECT_EQ(-EAGAIN, rc(write(c, "x", 1)));
	EXPECT_EQ(-EAGAIN, xsendto(s, "x", 1, MSG_DONTWAIT, &n));
	EXPECT_EQ(count, drain_messages(r));
	EXPECT_EQ(count, fill_receiver(self->family, &n));
	EXPECT_EQ(count, drain_messages(r));
}

/* Empty messages count as much as others. */
TEST_F(dgram_flow, empty_messages)
{
	FULL(r, n, count);
	char ch;

	EXPECT_EQ(count, drain_messages(r));
	EXPECT_EQ(count, fill_receiver_with(self->family, &n, 0));
	while (count-- > 0) {
		ASSERT_EQ(0, rc(recv(r, &ch, 1, MSG_DONTWAIT)));
	}
	EXPECT_NO_MSG(r);
}

/* One who is turned away by one may write to another. */
TEST_F(dgram_flow, one_of_two)
{
	FULL(r, n, count);
	struct name m = abstract_name(self->family, "m");
	int other = bound(self->family, SOCK_DGRAM, &m);
	int s = joined(self->family, SOCK_DGRAM, &n);

	EXPECT_EQ(-EAGAIN, rc(send(s, "x", 1, MSG_DONTWAIT)));
	EXPECT_EQ(1, say_to(s, "y", &m));
	EXPECT_MSG("y", other);
	ASSERT_EQ(0, xconnect(s, &m));
	EXPECT_EQ(1, say(s, "z"));
	EXPECT_MSG("z", other);
	EXPECT_EQ(count, drain_messages(r));
}

/* The limit is for strangers: not for the peer, and not for oneself. */
TEST_F(dgram_flow, friends)
{
	FULL(r, n, count);
	struct name m = abstract_name(self->family, "m");
	int s = bound(self->family, SOCK_DGRAM, &m), more;

	ASSERT_EQ(0, xconnect(s, &n));
	EXPECT_EQ(-EAGAIN, rc(send(s, "x", 1, MSG_DONTWAIT)));
	ASSERT_EQ(0, xconnect(r, &m));
	/* The queue was not the peer's; now the peer adds to it. */
	EXPECT_EQ(1, rc(send(s, "x", 1, MSG_DONTWAIT)));
	EXPECT_EQ(1, xsendto(s, "x", 1, MSG_DONTWAIT, &n));
	EXPECT_EQ(count + 2, drain_messages(r));
	ASSERT_EQ(0, dissolve(r));

	ASSERT_EQ(count, fill_receiver(self->family, &n));
	EXPECT_EQ(1, xsendto(r, "s", 1, MSG_DONTWAIT, &n));
	ASSERT_EQ(0, xconnect(r, &n));
	EXPECT_EQ(1, rc(send(r, "s", 1, MSG_DONTWAIT)));
	EXPECT_EQ(count + 2, drain_messages(r));

	/* Then the sender's buffer is what fills. */
	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 8192));
	more = fill_messages(self->fd[0]);
	EXPECT_LT(0, more);
	EXPECT_EQ(more, drain_messages(self->fd[1]));
	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 65536));
	EXPECT_LT(more, fill_messages(self->fd[0]));
}

/* A buffer is the sender's: what it filled for one is full for all. */
TEST_F(dgram_flow, sender_buffer)
{
	struct name n = abstract_name(self->family, "n");
	int r = bound(self->family, SOCK_DGRAM, &n), s = dgram(self->family);
	int a = self->fd[0], i, sent = 0;

	ASSERT_LE(0, r);
	ASSERT_EQ(0, setint(a, SO_SNDBUF, 20000));
	while (sent < 1000 && rc(send(a, big, 5000, MSG_DONTWAIT)) == 5000)
		sent++;
	EXPECT_LT(0, sent);
	EXPECT_GT(1000, sent);
	EXPECT_EQ(-EAGAIN, rc(send(a, "x", 1, MSG_DONTWAIT)));
	EXPECT_EQ(-EAGAIN, xsendto(a, "x", 1, MSG_DONTWAIT, &n));
	EXPECT_EQ(1, say_to(s, "x", &n));
	EXPECT_MSG("x", r);
	EXPECT_EQ(5000, rc(send(self->fd[1], big, 5000, MSG_DONTWAIT)));
	for (i = 0; i < sent; i++) {
		EXPECT_EQ(5000, rc(recv(self->fd[1], big, 6000, MSG_DONTWAIT)));
	}
	EXPECT_EQ(1, xsendto(a, "x", 1, MSG_DONTWAIT, &n));
}

/* --- waiting ---------------------------------------------------------- */

TEST_F(dgram_flow, wakes_sender)
{
	FULL(r, n, count);
	int s = joined(self->family, SOCK_DGRAM, &n);
	struct op op = sending(s, "new", 3);
	char ch;

	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	EXPECT_EQ(1, rc(recv(r, &ch, 1, MSG_PEEK)));
	EXPECT_TRUE(op_sleeps_on(&op, SYS_sendto));
	EXPECT_EQ(1, rc(recv(r, &ch, 1, 0)));
	EXPECT_EQ(3, op_join(&op));
	/* It went to the end of the queue. */
	while (--count) {
		ASSERT_EQ(1, rc(recv(r, &ch, 1, 0)));
	}
	EXPECT_MSG("new", r);
	EXPECT_NO_MSG(r);
}

TEST_F(dgram_flow, wakes_by_name)
{
	FULL(r, n, count);
	struct op op = sending_to(dgram(self->family), "new", 3, &n);

	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	EXPECT_LE(count, drain_messages(r));
	EXPECT_EQ(3, op_join(&op));
}

/* As much room as there is, for as many as wait. */
TEST_F(dgram_flow, wakes_all)
{
	enum { NR = 5 };
	FULL(r, n, count);
	struct op op[NR];
	int i, left;
	char ch;

	for (i = 0; i < NR; i++) {
		op[i] = sending_to(dgram(self->family), "new", 3, &n);
		ASSERT_TRUE(op_blocks(&op[i], SYS_sendto));
	}
	for (i = 0; i < NR; i++) {
		EXPECT_EQ(1, rc(recv(r, &ch, 1, 0)));
	}
	for (i = 0; i < NR; i++) {
		EXPECT_EQ(3, op_join(&op[i]));
	}
	/* Nobody's message was let in beyond the limit. */
	EXPECT_EQ(-EAGAIN, xsendto(dgram(self->family), "x", 1, MSG_DONTWAIT, &n));
	for (left = 0; rc(recv(r, &ch, 1, MSG_DONTWAIT | MSG_TRUNC)) > 0; left++)
		;
	EXPECT_EQ(count, left);
}

TEST_F(dgram_flow, own_buffer_wakes)
{
	int a = self->fd[0], b = self->fd[1], n;
	struct op op = sending(a, "end", 3);
	char buf[4] = {};

	ASSERT_EQ(0, setint(a, SO_SNDBUF, 8192));
	n = fill_messages(a);
	ASSERT_LT(0, n);
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	while (n--) {
		ASSERT_EQ(1, rc(recv(b, buf, 1, 0)));
	}
	EXPECT_EQ(3, op_join(&op));
	EXPECT_EQ(3, rc(recv(b, buf, 4, 0)));
	EXPECT_STREQ("end", buf);
}

TEST_F(dgram_flow, receiver_closed)
{
	FULL(r, n, count);
	struct name m = abstract_name(self->family, "m");
	int s = bound(self->family, SOCK_DGRAM, &m);
	struct op peer = sending(s, "x", 1);
	struct op stranger = sending_to(dgram(self->family), "x", 1, &n);

	ASSERT_LT(0, count);
	ASSERT_EQ(0, xconnect(s, &n));
	ASSERT_TRUE(op_blocks(&peer, SYS_sendto));
	ASSERT_TRUE(op_blocks(&stranger, SYS_sendto));
	close(r);
	EXPECT_EQ(-ECONNREFUSED, op_join(&peer));
	EXPECT_EQ(-ECONNREFUSED, op_join(&stranger));
	EXPECT_EQ(-ENOTCONN, say(s, "x"));
}

/* A stranger who waits goes on to the one who has the name now. */
TEST_F(dgram_flow, receiver_replaced)
{
	struct name p = path_name(self->family, "p");
	int r = bound(self->family, SOCK_DGRAM, &p), r2;
	struct op op = sending_to(dgram(self->family), "new", 3, &p);

	ASSERT_LE(0, r);
	ASSERT_LT(0, fill_receiver(self->family, &p));
	ASSERT_EQ(0, unlink("p"));
	r2 = bound(self->family, SOCK_DGRAM, &p);
	ASSERT_LE(0, r2);
	ASSERT_LT(0, fill_receiver(self->family, &p));
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	/* The one it waits for is the second. */
	EXPECT_LT(0, drain_messages(r));
	EXPECT_TRUE(op_sleeps_on(&op, SYS_sendto));
	ASSERT_EQ(0, unlink("p"));
	r = bound(self->family, SOCK_DGRAM, &p);
	ASSERT_LE(0, r);
	close(r2);
	EXPECT_EQ(3, op_join(&op));
	EXPECT_MSG("new", r);
	EXPECT_NO_MSG(r);
}

TEST_F(dgram_flow, receiver_shut)
{
	FULL(r, n, count);
	struct op op = sending_to(dgram(self->family), "x", 1, &n);
	char ch;

	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	ASSERT_EQ(0, rc(shutdown(r, SHUT_RD)));
	EXPECT_EQ(1, rc(recv(r, &ch, 1, 0)));
	EXPECT_EQ(-EPIPE, op_join(&op));
	EXPECT_EQ(count - 1, drain_messages(r));
}

/* Turned away for good while waiting: the receiver has found a peer. */
TEST_F(dgram_flow, receiver_connected)
{
	FULL(r, n, count);
	struct name m = abstract_name(self->family, "m");
	struct op op = sending_to(dgram(self->family), "x", 1, &n);
	char ch;

	ASSERT_LT(0, count);
	ASSERT_LE(0, bound(self->family, SOCK_DGRAM, &m));
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	ASSERT_EQ(0, xconnect(r, &m));
	EXPECT_EQ(1, rc(recv(r, &ch, 1, 0)));
	EXPECT_EQ(-EPERM, op_join(&op));
}

TEST_F(dgram_flow, timeout)
{
	FULL(r, n, count);
	int s = joined(self->family, SOCK_DGRAM, &n);
	int64_t start;

	ASSERT_EQ(0, set_timeo(s, SO_SNDTIMEO, 100));
	start = tick_ms();
	EXPECT_EQ(-EAGAIN, say(s, "x"));
	EXPECT_LE(80, tick_ms() - start);
	start = tick_ms();
	EXPECT_EQ(-EAGAIN, say_to(s, "x", &n));
	EXPECT_LE(80, tick_ms() - start);
	EXPECT_EQ(count, drain_messages(r));
	EXPECT_EQ(1, say(s, "x"));

	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 8192));
	ASSERT_LT(0, fill_messages(self->fd[0]));
	ASSERT_EQ(0, set_timeo(self->fd[0], SO_SNDTIMEO, 100));
	start = tick_ms();
	EXPECT_EQ(-EAGAIN, say(self->fd[0], "x"));
	EXPECT_LE(80, tick_ms() - start);
}

TEST_F(dgram_flow, interrupted)
{
	FULL(r, n, count);
	int s = joined(self->family, SOCK_DGRAM, &n);
	struct op op = sending(s, "x", 1);

	catch_signal(SIGUSR1, 0);
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));

	catch_signal(SIGUSR1, SA_RESTART);
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	op_signal(&op, SIGUSR1);
	ASSERT_TRUE(op_sleeps_on(&op, SYS_sendto));
	EXPECT_LE(count, drain_messages(r));
	EXPECT_EQ(1, op_join(&op));

	/* With a time limit there is no going on. */
	drain_messages(r);
	ASSERT_EQ(count, fill_receiver(self->family, &n));
	ASSERT_EQ(0, set_timeo(s, SO_SNDTIMEO, 60000));
	ASSERT_TRUE(op_blocks(&op, SYS_sendto));
	op_signal(&op, SIGUSR1);
	EXPECT_EQ(-EINTR, op_join(&op));
	EXPECT_EQ(count, drain_messages(r));
}

/* --- the limit -------------------------------------------------------- */

static FILE *limit_file(int family, const char *mode)
{
	return fopen(family == AF_UNIX ? "/proc/sys/net/unix/max_dgram_qlen" :
		     "/proc/sys/net/runix/max_dgram_qlen", mode);
}

static int set_limit(int family, int limit)
{
	FILE *f = limit_file(family, "we");

	if (!f)
		return -errno;
	fprintf(f, "%d\n", limit);
	return fclose(f) ? -errno : 0;
}

static int get_limit(int family)
{
	FILE *f = limit_file(family, "re");
	int limit = -1;

	if (!f)
		return -errno;
	if (fscanf(f, "%d", &limit) != 1)
		limit = -EBADMSG;
	fclose(f);
	return limit;
}

/* It is that of the namespace when the receiver was made. */
TEST_F(dgram_flow, limit)
{
	struct name n = abstract_name(self->family, "n");
	struct name m = abstract_name(self->family, "m");
	int r, r2, was = get_limit(self->family);

	if (was == -ENOENT && self->family != AF_UNIX && !runix_required())
		SKIP(return, "no max_dgram_qlen of this family");
	ASSERT_LT(0, was);
	r = bound(self->family, SOCK_DGRAM, &n);
	EXPECT_EQ(was + 1, fill_receiver(self->family, &n));
	close(r);

	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	ASSERT_EQ(0, set_limit(self->family, 3));
	EXPECT_EQ(3, get_limit(self->family));
	r = bound(self->family, SOCK_DGRAM, &n);
	ASSERT_LE(0, r);
	ASSERT_EQ(0, set_limit(self->family, 30));
	r2 = bound(self->family, SOCK_DGRAM, &m);
	ASSERT_LE(0, r2);
	EXPECT_EQ(4, fill_receiver(self->family, &n));
	EXPECT_EQ(31, fill_receiver(self->family, &m));
	EXPECT_EQ(4, drain_messages(r));
	ASSERT_EQ(0, set_limit(self->family, 0));
	n = abstract_name(self->family, "o");
	ASSERT_LE(0, bound(self->family, SOCK_DGRAM, &n));
	EXPECT_EQ(1, fill_receiver(self->family, &n));
}

/* A new namespace starts with the same limit as the first, and is its own. */
TEST_F(dgram_flow, limit_per_namespace)
{
	int was = get_limit(self->family), home;

	if (was == -ENOENT && self->family != AF_UNIX && !runix_required())
		SKIP(return, "no max_dgram_qlen of this family");
	ASSERT_LT(0, was);
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, home);
	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	EXPECT_LT(0, get_limit(self->family));
	ASSERT_EQ(0, set_limit(self->family, was + 7));
	EXPECT_EQ(was + 7, get_limit(self->family));
	ASSERT_EQ(0, rc(setns(home, CLONE_NEWNET)));
	EXPECT_EQ(was, get_limit(self->family));
}

/* --- many senders ----------------------------------------------------- */

enum { SENDERS = 8, EACH = 200 };

struct sender {
	pthread_t thread;
	const struct name *to;
	int family;
	int nr;
	bool connect;
};

static void *send_many(void *arg)
{
	struct sender *s = arg;
	int fd = dgram(s->family), i;

	if (s->connect && xconnect(fd, s->to))
		abort();
	for (i = 0; i < EACH; i++) {
		int msg[2] = { s->nr, i };
		long ret = s->connect ? rc(send(fd, msg, sizeof(msg), 0)) :
			   xsendto(fd, msg, sizeof(msg), 0, s->to);

		if (ret != sizeof(msg))
			return (void *)(ret < 0 ? ret : -EBADMSG);
	}
	close(fd);
	return NULL;
}

/* Nothing is lost, nothing twice, and each one's in order. */
TEST_F(dgram_flow, many_senders)
{
	struct name n = abstract_name(self->family, "n");
	int r = bound(self->family, SOCK_DGRAM, &n), i, next[SENDERS] = {};
	struct sender s[SENDERS];
	int msg[3];

	for (i = 0; i < SENDERS; i++) {
		s[i] = (struct sender) { .to = &n, .family = self->family,
					 .nr = i, .connect = i & 1 };
		ASSERT_EQ(0, pthread_create(&s[i].thread, NULL, send_many, &s[i]));
	}
	for (i = 0; i < SENDERS * EACH; i++) {
		ASSERT_EQ(8, rc(recv(r, msg, sizeof(msg), 0)));
		ASSERT_LE(0, msg[0]);
		ASSERT_GT(SENDERS, msg[0]);
		ASSERT_EQ(next[msg[0]]++, msg[1]);
	}
	EXPECT_NO_MSG(r);
	for (i = 0; i < SENDERS; i++) {
		void *ret;

		pthread_join(s[i].thread, &ret);
		EXPECT_EQ(NULL, ret);
		EXPECT_EQ(EACH, next[i]);
	}
}

/* Several who read get each message once. */
struct reader {
	pthread_t thread;
	int fd;
	unsigned char *seen;
	long bad;
};

static void *read_many(void *arg)
{
	struct reader *r = arg;
	int msg[3];

	for (;;) {
		long ret = rc(recv(r->fd, msg, sizeof(msg), 0));

		if (!ret)
			return NULL;
		if (ret != 8 || msg[0] < 0 || msg[0] >= SENDERS || msg[1] < 0 ||
		    msg[1] >= EACH)
			r->bad++;
		else
			__atomic_add_fetch(&r->seen[msg[0] * EACH + msg[1]], 1,
					   __ATOMIC_RELAXED);
	}
}

TEST_F(dgram_flow, many_readers)
{
	struct name n = abstract_name(self->family, "n");
	int fd = bound(self->family, SOCK_DGRAM, &n), end, i;
	static unsigned char seen[SENDERS * EACH];
	struct sender s[SENDERS];
	struct reader r[3];

	for (i = 0; i < 3; i++) {
		r[i] = (struct reader) { .fd = fd, .seen = seen };
		ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, read_many, &r[i]));
	}
	for (i = 0; i < SENDERS; i++) {
		s[i] = (struct sender) { .to = &n, .family = self->family,
					 .nr = i, .connect = i & 1 };
		ASSERT_EQ(0, pthread_create(&s[i].thread, NULL, send_many, &s[i]));
	}
	for (i = 0; i < SENDERS; i++) {
		void *ret;

		pthread_join(s[i].thread, &ret);
		EXPECT_EQ(NULL, ret);
	}
	/* An empty message ends one reader. */
	end = dgram(self->family);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, xsendto(end, "", 0, 0, &n));
	}
	for (i = 0; i < 3; i++) {
		pthread_join(r[i].thread, NULL);
		EXPECT_EQ(0, r[i].bad);
	}
	for (i = 0; i < SENDERS * EACH; i++) {
		ASSERT_EQ(1, seen[i]) TH_LOG("message %d", i);
	}
}

TEST_HARNESS_MAIN
