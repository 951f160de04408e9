// SPDX-License-Identifier: GPL-2.0
/*
 * Large messages to a reader that waits. AF_RUNIX copies them straight to its memory,
 * which nobody is to notice but by the time that it takes.
 *
 * A reader has its memory on offer for the first moments of a wait, and only after a
 * large message. So what is to meet an offer is tried a few times.
 */
#include "packet.h"
#include "scm.h"

#include <sched.h>
#include <linux/filter.h>

EVERY_FIXTURE(landing);

#define LARGE	(256 << 10)
#define ROUNDS	(variant->runix ? 5 : 1)	/* of what may meet an offer */
#define TRIES	40	/* of what has to, once */

static char out[2 << 20];
static char in[2 << 20] __attribute__((aligned(4096)));

static bool stream(int type)
{
	return type == SOCK_STREAM;
}

/* After a large message the next one is expected to be large, too. */
static long prime(const int *fd)
{
	long ret;

	pat_fill(out, 0, 65536);
	ret = rc(send(fd[1], out, 65536, 0));
	return ret == 65536 ? rc(recv(fd[0], in, 65536, MSG_WAITALL)) : ret;
}

/* Nothing but the bytes of the pattern, and nothing else written. */
static bool only(const char *at, size_t pos, size_t len, size_t room)
{
	size_t i;

	if (pat_good(at, pos, len) != len)
		return false;
	for (i = len; i < room; i++)
		if (at[i])
			return false;
	return true;
}

static int room_for(int fd, int bytes)
{
	return setint(fd, SO_SNDBUFFORCE, bytes);
}

/*
 * One CPU for all, on which others run only while this thread sleeps. What is in a
 * reader's memory when a send returns, the reader has not put there.
 */
static int run_alone(void)
{
	struct sched_param param = { .sched_priority = 1 };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return -errno;
	return rc(sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param));
}

static long op_recv_fair(struct op *op)
{
	struct sched_param param = {};

	if (sched_setscheduler(0, SCHED_OTHER, &param))
		return -1;
	return op_recv(op);
}

/* Send to a reader that waits; whether the bytes are there before it has run. */
static int landed(const int *fd, size_t room, size_t len, size_t pos)
{
	struct op op = { .fn = op_recv_fair, .fd = fd[0], .buf = in, .len = room };
	long sent;
	bool there;

	if (prime(fd) != 65536)
		return -EBADMSG;
	memset(in, 0, room);
	pat_fill(out, pos, len);
	if (!op_blocks(&op, SYS_recvfrom))
		return -EPROTO;
	sent = rc(send(fd[1], out, len, 0));
	there = pat_good(in, pos, len) == len;
	if (sent != (long)len || op_join(&op) != (long)len || !only(in, pos, len, room))
		return -EBADMSG;
	return there;
}

TEST_F(landing, lands)
{
	int i, n, count = 0;

	if (geteuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
	ASSERT_EQ(0, run_alone());
	for (i = 0; i < ROUNDS || (variant->runix && !count && i < TRIES); i++) {
		n = landed(self->fd, LARGE + 4096 * i, LARGE / 2 - i, i * 3);
		ASSERT_LE(0, n);
		count += n;
	}
	EXPECT_EQ(variant->runix, count > 0);
}

TEST_F(landing, small_ones_do_not_last)
{
	int i, n, count = 0;

	if (geteuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, run_alone());
	for (i = 0; i < ROUNDS; i++) {
		struct op op = { .fn = op_recv_fair, .fd = self->fd[0], .buf = in,
				 .len = LARGE };

		if (!i)
			ASSERT_EQ(65536, prime(self->fd));
		memset(in, 0, LARGE);
		pat_fill(out, i, 100);
		ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
		ASSERT_EQ(100, rc(send(self->fd[1], out, 100, 0)));
		n = pat_good(in, i, 100) == 100;
		ASSERT_EQ(100, op_join(&op));
		EXPECT_TRUE(only(in, i, 100, LARGE));
		count += n;
	}
	/* The first may, as one was expected that is large. */
	EXPECT_GE(1, count);
}

/* A stream's message may be larger than the buffer that it doesn't pass through. */
TEST_F(landing, past_the_buffer)
{
	const size_t len = 100000;
	int i, whole = 0;

	if (!stream(self->type))
		SKIP(return, "a packet is never larger than the buffer");
	for (i = 0; i < ROUNDS || (variant->runix && !whole && i < TRIES); i++) {
		struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = in, .len = LARGE };
		long sent, got;

		ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
		ASSERT_EQ(65536, prime(self->fd));
		/* What isn't in use isn't on offer. */
		memset(in, 0, LARGE);
		ASSERT_EQ(0, setint(self->fd[1], SO_SNDBUF, 16384));
		pat_fill(out, 0, len);
		ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
		sent = rc(send(self->fd[1], out, len, MSG_DONTWAIT));
		ASSERT_LT(0, sent);
		got = op_join(&op);
		ASSERT_LT(0, got);
		ASSERT_EQ(got, pat_good(in, 0, got));
		ASSERT_EQ(sent - got, drain(self->fd[0], got, sent - got));
		whole += sent == (long)len;
	}
	EXPECT_EQ(variant->runix, whole > 0);
}

static int put(const char *text)
{
	int fd, ret;

	fd = open("/proc/sys/net/runix/land_kib", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = rc(write(fd, text, strlen(text)));
	close(fd);
	return ret < 0 ? ret : 0;
}

TEST_F(landing, switched_off)
{
	int i, count = 0;

	if (!variant->runix)
		SKIP(return, "AF_UNIX has no such number");
	if (geteuid())
		SKIP(return, "needs root");
	EXPECT_EQ(-EINVAL, put("-1"));
	EXPECT_EQ(-EINVAL, put("1025"));
	ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
	ASSERT_EQ(0, run_alone());
	ASSERT_EQ(0, put("0"));
	for (i = 0; i < ROUNDS; i++)
		count += landed(self->fd, LARGE, LARGE / 2, i);
	EXPECT_EQ(0, count);

	/* A part of the room is of use to a stream alone. */
	ASSERT_EQ(0, put("64"));
	for (i = 0; !count && i < TRIES; i++)
		count += landed(self->fd, LARGE, 65536, i);
	EXPECT_EQ(0, put("1024"));
	EXPECT_LT(0, count);
}

/* --- any place and length ------------------------------------------------- */

TEST_F(landing, odd_places)
{
	static const size_t lens[] = { 49151, 49152, 49153, 65537, 100001, LARGE - 1, LARGE };
	size_t i, skip;

	ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
	for (i = 0; i < 2 * ARRAY_SIZE(lens); i++) {
		size_t len = lens[i % ARRAY_SIZE(lens)];
		struct op op = { .fn = op_recv, .fd = self->fd[0], .len = LARGE };

		ASSERT_EQ(65536, prime(self->fd));
		skip = i * 977 % 5000;
		op.buf = in + skip;
		memset(in, 0, sizeof(in));
		pat_fill(out, i, len);
		ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
		ASSERT_EQ((long)len, rc(send(self->fd[1], out, len, 0)));
		/* AF_UNIX may have woken the reader of a stream by a part. */
		op_join(&op);
		ASSERT_LT(0, op.ret);
		if (!stream(self->type))
			ASSERT_EQ((long)len, op.ret);
		EXPECT_TRUE(only(in, 0, 0, skip));
		EXPECT_TRUE(only(in + skip, i, op.ret, LARGE));
		EXPECT_EQ(len - op.ret, drain(self->fd[0], i + op.ret, len - op.ret));
	}
}

TEST_F(landing, longer_than_the_room)
{
	int i;

	ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
	for (i = 0; i < ROUNDS; i++) {
		struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = in, .len = 100000 };

		op.flags = stream(self->type) ? MSG_WAITALL : MSG_TRUNC;
		ASSERT_EQ(65536, prime(self->fd));
		memset(in, 0, 200000);
		pat_fill(out, 0, 150000);
		ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
		ASSERT_EQ(150000, rc(send(self->fd[1], out, 150000, 0)));
		ASSERT_EQ(1, rc(send(self->fd[1], "x", 1, 0)));
		ASSERT_EQ(stream(self->type) ? 100000 : 150000, op_join(&op));
		EXPECT_TRUE(only(in, 0, 100000, 200000));
		if (stream(self->type))
			ASSERT_EQ(50000, drain(self->fd[0], 100000, 50000));
		ASSERT_EQ(1, rc(recv(self->fd[0], in, 10, 0)));
		EXPECT_EQ('x', in[0]);
	}
}

TEST_F(landing, wait_for_all)
{
	struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = in, .len = sizeof(in),
			 .flags = MSG_WAITALL };
	size_t sent = 0, len;

	if (!stream(self->type))
		SKIP(return, "MSG_WAITALL is for streams");
	ASSERT_EQ(65536, prime(self->fd));
	pat_fill(out, 0, sizeof(out));
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	for (len = 300000; sent < sizeof(out); sent += len, len = len == 7 ? 300000 : 7) {
		if (len > sizeof(out) - sent)
			len = sizeof(out) - sent;
		ASSERT_EQ((long)len, rc(send(self->fd[1], out + sent, len, 0)));
	}
	EXPECT_EQ((long)sizeof(in), op_join(&op));
	EXPECT_EQ(sizeof(in), pat_good(in, 0, sizeof(in)));
}

/* --- waits that end in another way ---------------------------------------- */

/* What is sent later goes to who reads later, not to memory of one who has left. */
static void later(struct __test_metadata *_metadata, const int *fd)
{
	pat_fill(out, 5, 100000);
	ASSERT_EQ(100000, rc(send(fd[1], out, 100000, 0)));
	EXPECT_TRUE(only(in, 0, 0, LARGE));
	ASSERT_EQ(100000, rc(recv(fd[0], in, 100000, MSG_WAITALL)));
	EXPECT_TRUE(only(in, 5, 100000, LARGE));
}

TEST_F(landing, signal)
{
	int i;

	catch_signal(SIGUSR1, 0);
	for (i = 0; i < ROUNDS; i++) {
		struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = in, .len = LARGE };

		ASSERT_EQ(65536, prime(self->fd));
		memset(in, 0, LARGE);
		ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
		op_signal(&op, SIGUSR1);
		ASSERT_EQ(-EINTR, op_join(&op));
		later(_metadata, self->fd);
	}
}

TEST_F(landing, time_out)
{
	static const int times[] = { 10, 20, 60 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(times); i++) {
		int64_t start;

		ASSERT_EQ(65536, prime(self->fd));
		memset(in, 0, LARGE);
		ASSERT_EQ(0, set_timeo(self->fd[0], SO_RCVTIMEO, times[i]));
		start = tick_ms();
		EXPECT_EQ(-EAGAIN, rc(recv(self->fd[0], in, LARGE, 0)));
		EXPECT_LE(times[i] - 4, tick_ms() - start);
		later(_metadata, self->fd);
	}
	EXPECT_EQ(-EAGAIN, rc(recv(self->fd[0], in, LARGE, MSG_DONTWAIT)));
}

TEST_F(landing, long_wait)
{
	struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = in, .len = LARGE };

	ASSERT_EQ(65536, prime(self->fd));
	memset(in, 0, LARGE);
	pat_fill(out, 9, 100000);
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	usleep(100000);
	ASSERT_TRUE(op_sleeps_on(&op, SYS_recvfrom));
	ASSERT_EQ(100000, rc(send(self->fd[1], out, 100000, 0)));
	op_join(&op);
	ASSERT_LT(0, op.ret);
	EXPECT_TRUE(only(in, 9, op.ret, LARGE));
	EXPECT_EQ(100000 - op.ret, drain(self->fd[0], 9 + op.ret, 100000 - op.ret));
}

TEST_F(landing, end)
{
	struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = in, .len = LARGE };

	if (self->type == SOCK_DGRAM)
		SKIP(return, "datagrams have no end");
	ASSERT_EQ(65536, prime(self->fd));
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	ASSERT_EQ(0, rc(shutdown(self->fd[1], SHUT_WR)));
	EXPECT_EQ(0, op_join(&op));
	EXPECT_EQ(-EPIPE, rc(send(self->fd[1], out, 100000, MSG_NOSIGNAL)));
}

TEST_F(landing, shut_by_the_reader)
{
	struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = in, .len = LARGE };

	ASSERT_EQ(65536, prime(self->fd));
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_RD)));
	EXPECT_EQ(0, op_join(&op));
	EXPECT_EQ(-EPIPE, rc(send(self->fd[1], out, 100000, MSG_NOSIGNAL)));
}

/* --- memory ---------------------------------------------------------------- */

/* What a child has of its parent's memory stays as it was when it was made. */
TEST_F(landing, fork_meanwhile)
{
	int i, n, go[2];

	ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
	for (i = 0; i < ROUNDS; i++) {
		struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = in, .len = LARGE };
		pid_t child;
		char ch;

		ASSERT_EQ(65536, prime(self->fd));
		memset(in, 0, LARGE);
		pat_fill(out, i, LARGE);
		ASSERT_EQ(0, pipe(go));
		ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
		child = spawn();
		if (!child) {
			close(go[1]);
			n = read(go[0], &ch, 1);
			_exit(n != 0 || !only(in, 0, 0, LARGE));
		}
		ASSERT_EQ(LARGE, rc(send(self->fd[1], out, LARGE, 0)));
		op_join(&op);
		ASSERT_LT(0, op.ret);
		EXPECT_TRUE(only(in, i, op.ret, LARGE));
		EXPECT_EQ(LARGE - op.ret, drain(self->fd[0], i + op.ret, LARGE - op.ret));
		close(go[0]);
		close(go[1]);
		EXPECT_EQ(0, reap(child));
	}
}

/* The writer's memory ends half way. */
TEST_F(landing, fault_of_the_writer)
{
	char *bad = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i;

	ASSERT_NE(MAP_FAILED, bad);
	pat_fill(bad, 0, LARGE);
	ASSERT_EQ(0, mprotect(bad + LARGE / 2, LARGE / 2, PROT_NONE));
	ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
	for (i = 0; i < ROUNDS; i++) {
		struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = in, .len = LARGE };
		long sent;

		ASSERT_EQ(65536, prime(self->fd));
		memset(in, 0, LARGE);
		ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
		sent = rc(send(self->fd[1], bad, LARGE, 0));
		if (stream(self->type)) {
			ASSERT_LT(0, sent);
			ASSERT_GE(LARGE / 2, sent);
			op_join(&op);
			ASSERT_LT(0, op.ret);
			ASSERT_GE(sent, op.ret);
			EXPECT_TRUE(only(in, 0, op.ret, LARGE / 2));
			EXPECT_EQ(sent - op.ret, drain(self->fd[0], op.ret, sent - op.ret));
			EXPECT_EQ(-EAGAIN, rc(recv(self->fd[0], in, 1, MSG_DONTWAIT)));
		} else {
			ASSERT_EQ(-EFAULT, sent);
			EXPECT_FALSE(op_done(&op));
			pat_fill(out, 3, 60000);
			ASSERT_EQ(60000, rc(send(self->fd[1], out, 60000, 0)));
			ASSERT_EQ(60000, op_join(&op));
			EXPECT_EQ(60000, pat_good(in, 3, 60000));
		}
	}
}

/* The reader's memory can't be written to, or not all of it. */
TEST_F(landing, fault_of_the_reader)
{
	size_t good;

	ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
	for (good = 0; good <= 65536; good += 65536) {
		char *bad = mmap(NULL, LARGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = bad, .len = LARGE };

		ASSERT_NE(MAP_FAILED, bad);
		memset(bad, 0, LARGE);
		ASSERT_EQ(0, mprotect(bad + good, LARGE - good, PROT_READ));
		ASSERT_EQ(65536, prime(self->fd));
		pat_fill(out, 0, 100000);
		ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
		ASSERT_EQ(100000, rc(send(self->fd[1], out, 100000, 0)));
		op_join(&op);
		if (stream(self->type) && good) {
			/* How much of it is a matter of pieces. */
			ASSERT_LE(0, op.ret);
			ASSERT_GE(65536, op.ret);
			EXPECT_EQ(op.ret, pat_good(bad, 0, op.ret));
			EXPECT_EQ(100000 - op.ret,
				  drain(self->fd[0], op.ret, 100000 - op.ret));
		} else {
			EXPECT_EQ(-EFAULT, op.ret);
			if (stream(self->type))
				EXPECT_EQ(100000, drain(self->fd[0], 0, 100000));
		}
		EXPECT_EQ(-EAGAIN, rc(recv(self->fd[0], in, 1, MSG_DONTWAIT)));
		munmap(bad, LARGE);
	}
}

/* Files and shared memory. */
TEST_F(landing, other_memory)
{
	int fds[3], i, j;

	fds[0] = open("/", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fds[0] < 0)
		fds[0] = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	fds[1] = memfd_create("landing", MFD_CLOEXEC);
	fds[2] = memfd_create("landing", MFD_CLOEXEC | MFD_HUGETLB);
	ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
	for (i = 0; i < 3; i++) {
		size_t room = i == 2 ? 2 << 20 : LARGE;
		char *at;

		/* There may be no huge pages. */
		if (fds[i] < 0 || ftruncate(fds[i], room))
			continue;
		at = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, fds[i], 0);
		if (at == MAP_FAILED)
			continue;
		for (j = 0; j < ROUNDS && (i < 2 || !rc(mlock(at, room))); j++) {
			struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = at,
					 .len = LARGE };

			ASSERT_EQ(65536, prime(self->fd));
			pat_fill(out, j, 100000);
			ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
			ASSERT_EQ(100000, rc(send(self->fd[1], out, 100000, 0)));
			op_join(&op);
			ASSERT_LT(0, op.ret);
			EXPECT_EQ(op.ret, pat_good(at, j, op.ret));
			EXPECT_EQ(100000 - op.ret,
				  drain(self->fd[0], j + op.ret, 100000 - op.ret));
		}
		munmap(at, room);
		close(fds[i]);
	}
}

/* --- what comes with bytes ------------------------------------------------- */

struct message {
	struct op op;
	struct control c;
	struct name from;
	bool addressed;
};

static long op_recvmsg(struct op *op)
{
	struct message *m = (struct message *)op;
	struct iovec iov = { op->buf, op->len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = m->c.buf, .msg_controllen = sizeof(m->c.buf),
	};
	long ret;

	if (m->addressed) {
		msg.msg_name = &m->from.ss;
		msg.msg_namelen = sizeof(m->from.ss);
	}
	ret = recvmsg(op->fd, &msg, op->flags);
	m->c.len = msg.msg_controllen;
	m->c.flags = msg.msg_flags;
	m->from.len = msg.msg_namelen;
	return ret;
}

TEST_F(landing, credentials)
{
	int i;

	ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
	for (i = 0; i < ROUNDS; i++) {
		struct message m = { .op = { .fn = op_recvmsg, .fd = self->fd[0], .buf = in,
					     .len = LARGE } };

		ASSERT_EQ(0, setint(self->fd[0], SO_PASSCRED, i % 2));
		ASSERT_EQ(65536, prime(self->fd));
		pat_fill(out, i, 100000);
		ASSERT_TRUE(op_blocks(&m.op, SYS_recvmsg));
		/* Also if it is asked for while the reader waits. */
		ASSERT_EQ(0, setint(self->fd[0], SO_PASSCRED, 1));
		ASSERT_EQ(100000, rc(send(self->fd[1], out, 100000, 0)));
		op_join(&m.op);
		ASSERT_LT(0, m.op.ret);
		EXPECT_EQ(m.op.ret, pat_good(in, i, m.op.ret));
		EXPECT_EQ(getpid(), get_creds(&m.c).pid);
		EXPECT_EQ(geteuid(), get_creds(&m.c).uid);
		ASSERT_EQ(100000 - m.op.ret,
			  drain(self->fd[0], i + m.op.ret, 100000 - m.op.ret));
	}
}

TEST_F(landing, files)
{
	int i, fd;

	ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
	for (i = 0; i < ROUNDS; i++) {
		struct message m = { .op = { .fn = op_recvmsg, .fd = self->fd[0], .buf = in,
					     .len = LARGE } };
		struct control c = {};

		ASSERT_EQ(65536, prime(self->fd));
		pat_fill(out, i, 100000);
		ASSERT_TRUE(op_blocks(&m.op, SYS_recvmsg));
		ASSERT_EQ(100000, send_control(self->fd[1], out, 100000, 0,
					       add_fds(&c, &self->fd[1], 1)));
		op_join(&m.op);
		ASSERT_LT(0, m.op.ret);
		EXPECT_EQ(m.op.ret, pat_good(in, i, m.op.ret));
		ASSERT_EQ(1, get_fds(&m.c, &fd));
		EXPECT_TRUE(same_file(fd, self->fd[1]));
		close(fd);
		ASSERT_EQ(100000 - m.op.ret,
			  drain(self->fd[0], i + m.op.ret, 100000 - m.op.ret));
	}
}

TEST_F(landing, names)
{
	struct name name = abstract_name(self->family, "from");
	int i;

	ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
	ASSERT_EQ(0, xbind(self->fd[1], &name));
	for (i = 0; i < ROUNDS; i++) {
		struct message m = { .op = { .fn = op_recvmsg, .fd = self->fd[0], .buf = in,
					     .len = LARGE }, .addressed = true };

		ASSERT_EQ(65536, prime(self->fd));
		pat_fill(out, i, 100000);
		ASSERT_TRUE(op_blocks(&m.op, SYS_recvmsg));
		ASSERT_EQ(100000, rc(send(self->fd[1], out, 100000, 0)));
		op_join(&m.op);
		ASSERT_LT(0, m.op.ret);
		EXPECT_EQ(m.op.ret, pat_good(in, i, m.op.ret));
		EXPECT_TRUE(same_name(&name, &m.from));
		ASSERT_EQ(100000 - m.op.ret,
			  drain(self->fd[0], i + m.op.ret, 100000 - m.op.ret));
	}
}

TEST_F(landing, urgent)
{
	int i;

	if (!stream(self->type))
		SKIP(return, "out-of-band data is for streams");
	for (i = 0; i < ROUNDS; i++) {
		struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = in, .len = LARGE };
		char ch;

		ASSERT_EQ(65536, prime(self->fd));
		pat_fill(out, 0, 100000);
		ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
		ASSERT_EQ(100000, rc(send(self->fd[1], out, 100000, MSG_OOB)));
		op_join(&op);
		ASSERT_LT(0, op.ret);
		EXPECT_EQ(op.ret, pat_good(in, 0, op.ret));
		ASSERT_EQ(99999 - op.ret, drain(self->fd[0], op.ret, 99999 - op.ret));
		ASSERT_EQ(1, rc(recv(self->fd[0], &ch, 1, MSG_OOB)));
		EXPECT_EQ(out[99999], ch);
	}
}

TEST_F(landing, filtered)
{
	struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = in, .len = LARGE };
	struct sock_filter few = BPF_STMT(BPF_RET | BPF_K, 70000);
	struct sock_fprog prog = { .len = 1, .filter = &few };

	if (stream(self->type))
		SKIP(return, "filters are for packets");
	ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
	ASSERT_EQ(65536, prime(self->fd));
	pat_fill(out, 0, 100000);
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	ASSERT_EQ(0, rc(setsockopt(self->fd[0], SOL_SOCKET, SO_ATTACH_FILTER, &prog,
				   sizeof(prog))));
	ASSERT_EQ(100000, rc(send(self->fd[1], out, 100000, 0)));
	EXPECT_EQ(70000, op_join(&op));
	EXPECT_EQ(70000, pat_good(in, 0, 70000));
}

/* --- many ------------------------------------------------------------------ */

/* More readers than may have their memory on offer at a time. */
TEST_F(landing, many_readers)
{
	enum { MANY = 40, LEN = 80000 };
	static struct op ops[MANY];
	static int fds[MANY][2];
	int i;

	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(0, rc(socketpair(self->family, self->type, 0, fds[i])));
		ASSERT_EQ(65536, prime(fds[i]));
		ops[i] = (struct op) { .fn = op_recv, .fd = fds[i][0], .len = LEN,
				       .buf = malloc(LEN) };
		if (stream(self->type))
			ops[i].flags = MSG_WAITALL;
		ASSERT_TRUE(op_blocks(&ops[i], SYS_recvfrom));
	}
	for (i = 0; i < MANY; i++) {
		pat_fill(out, i, LEN);
		ASSERT_EQ(LEN, rc(send(fds[i][1], out, LEN, 0)));
	}
	for (i = 0; i < MANY; i++) {
		ASSERT_EQ(LEN, op_join(&ops[i]));
		EXPECT_EQ(LEN, pat_good(ops[i].buf, i, LEN));
		free(ops[i].buf);
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

/* How many pages are pinned on the machine. */
static long pins(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);
	long n, taken = 0, given = 0;
	char word[64];
	FILE *f;

	/* Each CPU counts for itself, and tells now and then. */
	if (fd < 0 || write(fd, "1", 1) != 1)
		return -1;
	close(fd);
	f = fopen("/proc/vmstat", "re");
	while (f && fscanf(f, "%63s %ld", word, &n) == 2) {
		if (!strcmp(word, "nr_foll_pin_acquired"))
			taken = n;
		if (!strcmp(word, "nr_foll_pin_released"))
			given = n;
	}
	if (f)
		fclose(f);
	return taken - given;
}

/* All pages are let go of, whatever came of the wait. */
TEST_F(landing, no_pin_stays)
{
	long before;
	int i;

	if (geteuid())
		SKIP(return, "needs root");
	before = pins();
	ASSERT_LE(0, before);
	ASSERT_EQ(0, room_for(self->fd[1], 1 << 20));
	catch_signal(SIGUSR1, 0);
	for (i = 0; i < 4 * ROUNDS; i++) {
		struct op op = { .fn = op_recv, .fd = self->fd[0], .buf = in + 4096 * i,
				 .len = LARGE };
		pid_t child;

		ASSERT_EQ(65536, prime(self->fd));
		if (i % 4 == 3) {
			child = spawn();
			if (!child)
				_exit(recv(self->fd[0], in, LARGE, 0) < 0);
			usleep(2000 * (i % 8));
			ASSERT_EQ(0, kill(child, SIGKILL));
			ASSERT_EQ(1000 + SIGKILL, reap(child));
			continue;
		}
		ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
		if (i % 4 == 2)
			op_signal(&op, SIGUSR1);
		else
			ASSERT_EQ(100000, rc(send(self->fd[1], out, i % 4 ? 100000 : 100, 0)
					     + (i % 4 ? 0 : 99900)));
		op_join(&op);
		while (recv(self->fd[0], in, LARGE, MSG_DONTWAIT) > 0)
			;
	}
	for (i = 0; i < 1000 && pins() > before; i++)
		usleep(5000);
	EXPECT_GE(before, pins());
}

TEST_HARNESS_MAIN
