// SPDX-License-Identifier: GPL-2.0
/* sendfile, splice, tee and vmsplice to, from and between sockets. */

#include "common.h"

#include <sys/sendfile.h>

FAMILY_FIXTURE(splice);

static char big[1 << 20];

/* A file with the pattern in it, not yet unlinked. */
static int pattern_file(size_t len)
{
	int fd = open("file", O_CREAT | O_TRUNC | O_RDWR, 0600);

	pat_fill(big, 0, len);
	if (fd < 0 || write(fd, big, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET))
		abort();
	return fd;
}

struct drain_op {
	int fd;
	size_t pos, len, good;
	pthread_t thread;
};

static void *drain_main(void *arg)
{
	struct drain_op *d = arg;

	d->good = drain(d->fd, d->pos, d->len);
	return NULL;
}

static long op_splice(struct op *op)
{
	return splice(op->fd, NULL, *(int *)op->buf, NULL, op->len, op->flags);
}

TEST_F(splice, sendfile)
{
	int f = pattern_file(10000);
	off_t off = 100;

	EXPECT_EQ(4000, rc(sendfile(self->fd[0], f, NULL, 4000)));
	EXPECT_EQ(4000, drain(self->fd[1], 0, 4000));
	EXPECT_EQ(4000, lseek(f, 0, SEEK_CUR));
	EXPECT_EQ(50, rc(sendfile(self->fd[0], f, &off, 50)));
	EXPECT_EQ(150, off);
	EXPECT_EQ(50, drain(self->fd[1], 100, 50));
	EXPECT_EQ(4000, lseek(f, 0, SEEK_CUR));
	/* As much as there is, and no more. */
	EXPECT_EQ(6000, rc(sendfile(self->fd[0], f, NULL, 100000)));
	EXPECT_EQ(6000, drain(self->fd[1], 4000, 6000));
	EXPECT_EQ(0, rc(sendfile(self->fd[0], f, NULL, 100)));
	EXPECT_EQ(0, inq(self->fd[1]));
}

TEST_F(splice, sendfile_large)
{
	struct drain_op d = { self->fd[1], 0, sizeof(big) };
	int f = pattern_file(sizeof(big));
	size_t sent = 0;

	ASSERT_EQ(0, pthread_create(&d.thread, NULL, drain_main, &d));
	while (sent < sizeof(big)) {
		long ret = rc(sendfile(self->fd[0], f, NULL, sizeof(big) - sent));

		ASSERT_LT(0, ret);
		sent += ret;
	}
	pthread_join(d.thread, NULL);
	EXPECT_EQ(sizeof(big), d.good);
}

TEST_F(splice, sendfile_among_sends)
{
	static char got[20200], want[20200];
	int f = pattern_file(sizeof(want));
	off_t off = 100;
	size_t pos = 0;

	pat_fill(want, 0, sizeof(want));
	ASSERT_EQ(100, rc(send(self->fd[0], want, 100, 0)));
	ASSERT_EQ(20000, rc(sendfile(self->fd[0], f, &off, 20000)));
	ASSERT_EQ(100, rc(send(self->fd[0], want + 20100, 100, 0)));
	EXPECT_EQ(20200, inq(self->fd[1]));
	EXPECT_EQ(20200, rc(recv(self->fd[1], got, sizeof(got), MSG_PEEK)));
	EXPECT_EQ(0, memcmp(got, want, sizeof(want)));
	/* Pieces that end anywhere, pages or not. */
	while (pos < sizeof(want)) {
		size_t len = sizeof(want) - pos < 777 ? sizeof(want) - pos : 777;

		ASSERT_EQ(len, rc(recv(self->fd[1], got, len, 0)));
		ASSERT_EQ(0, memcmp(got, want + pos, len));
		pos += len;
	}
	EXPECT_EQ(0, inq(self->fd[1]));
	/* The same memory is used again for bytes. */
	ASSERT_EQ(3000, rc(send(self->fd[0], want, 3000, 0)));
	EXPECT_EQ(3000, drain(self->fd[1], 0, 3000));
	EXPECT_EQ(0, pread(f, got, sizeof(got), 0) != sizeof(got) ||
		     memcmp(got, want, sizeof(want)));
}

/* A page of a file is sent by reference: what is read is what is in it then. */
TEST_F(splice, sendfile_of_a_file_that_changes)
{
	static char got[16384], page[4096];
	int f = pattern_file(sizeof(got));

	memset(page, 'x', sizeof(page));
	ASSERT_EQ(16384, rc(sendfile(self->fd[0], f, NULL, 16384)));
	ASSERT_EQ(4096, pwrite(f, page, 4096, 4096));
	EXPECT_EQ(4096, drain(self->fd[1], 0, 4096));
	ASSERT_EQ(4096, rc(recv(self->fd[1], got, 4096, MSG_WAITALL)));
	EXPECT_EQ(0, memcmp(got, page, 4096));
	EXPECT_EQ(8192, drain(self->fd[1], 8192, 8192));
	/* What nobody reads is let go of with the socket. */
	ASSERT_EQ(16384, rc(sendfile(self->fd[0], f, &(off_t){ 0 }, 16384)));
	close(self->fd[1]);
	EXPECT_EQ(0, ftruncate(f, 0));
}

TEST_F(splice, sendfile_errors)
{
	int f = pattern_file(10000);
	off_t off = 0;

	catch_signal(SIGPIPE, 0);
	/* A socket has no place to send from. */
	EXPECT_EQ(-EINVAL, rc(sendfile(self->fd[0], self->fd[1], NULL, 10)));
	EXPECT_EQ(-ESPIPE, rc(sendfile(self->fd[0], self->fd[1], &off, 10)));
	EXPECT_EQ(-ENOTCONN, rc(sendfile(xsocket(self->family), f, NULL, 10)));

	/* No room, no waiting. */
	ASSERT_EQ(0, set_nonblock(self->fd[0]));
	ASSERT_LT(0, fill_up(self->fd[0]));
	EXPECT_EQ(-EAGAIN, rc(sendfile(self->fd[0], f, NULL, 10)));
	EXPECT_EQ(0, lseek(f, 0, SEEK_CUR));

	EXPECT_EQ(0, nr_signals);
	close(self->fd[1]);
	EXPECT_EQ(-EPIPE, rc(sendfile(self->fd[0], f, NULL, 10)));
	EXPECT_EQ(1, nr_signals);
}

TEST_F(splice, through_a_pipe)
{
	int p[2], sv[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, sv)));
	pat_fill(big, 0, 5000);
	ASSERT_EQ(5000, rc(send(self->fd[0], big, 5000, 0)));

	/* Part of it, then the rest. */
	EXPECT_EQ(1234, rc(splice(self->fd[1], NULL, p[1], NULL, 1234, 0)));
	EXPECT_EQ(5000 - 1234, inq(self->fd[1]));
	EXPECT_EQ(1234, rc(splice(p[0], NULL, sv[0], NULL, 9999, 0)));
	EXPECT_EQ(1234, drain(sv[1], 0, 1234));

	EXPECT_EQ(5000 - 1234, rc(splice(self->fd[1], NULL, p[1], NULL, 9999, 0)));
	EXPECT_EQ(0, inq(self->fd[1]));
	EXPECT_EQ(766, rc(splice(p[0], NULL, sv[0], NULL, 766, 0)));
	EXPECT_EQ(3000, rc(read(p[0], big, 9999)));
	EXPECT_EQ(3000, pat_good(big, 2000, 3000));
	EXPECT_EQ(766, drain(sv[1], 1234, 766));
}

/* Spliced and plain traffic keep their order. */
TEST_F(splice, mixed)
{
	int p[2], round;
	size_t pos = 0;
	char buf[300];

	ASSERT_EQ(0, pipe(p));
	for (round = 0; round < 20; round++) {
		size_t n = 1 + round * 13;

		pat_fill(buf, pos, n);
		ASSERT_EQ(n, rc(send(self->fd[0], buf, n, 0)));
		pat_fill(buf, pos + n, n);
		ASSERT_EQ(n, rc(write(p[1], buf, n)));
		ASSERT_EQ(n, rc(splice(p[0], NULL, self->fd[0], NULL, n, 0)));
		pos += 2 * n;
	}
	EXPECT_EQ(pos, inq(self->fd[1]));
	EXPECT_EQ(pos, drain(self->fd[1], 0, pos));
}

TEST_F(splice, large)
{
	struct drain_op d = { 0, 0, sizeof(big) };
	struct op send = { .fn = op_send, .fd = self->fd[0], .buf = big,
			   .len = sizeof(big) };
	size_t moved = 0;
	int p[2], sv[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, sv)));
	pat_fill(big, 0, sizeof(big));
	d.fd = sv[1];
	ASSERT_EQ(0, pthread_create(&d.thread, NULL, drain_main, &d));
	ASSERT_EQ(0, pthread_create(&send.thread, NULL, op_main, &send));
	while (moved < sizeof(big)) {
		long in = rc(splice(self->fd[1], NULL, p[1], NULL, 50000, 0));

		ASSERT_LT(0, in);
		moved += in;
		while (in) {
			long ret = rc(splice(p[0], NULL, sv[0], NULL, in, 0));

			ASSERT_LT(0, ret);
			in -= ret;
		}
	}
	EXPECT_EQ(sizeof(big), op_join(&send));
	pthread_join(d.thread, NULL);
	EXPECT_EQ(sizeof(big), d.good);
}

TEST_F(splice, errors)
{
	loff_t off = 0;
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(3, rc(send(self->fd[0], "abc", 3, 0)));
	/* One side has to be a pipe, and the other has no offsets. */
	EXPECT_EQ(-EINVAL, rc(splice(self->fd[1], NULL, self->fd[0], NULL, 3, 0)));
	EXPECT_EQ(-EINVAL, rc(splice(self->fd[1], &off, p[1], NULL, 3, 0)));
	EXPECT_EQ(-EINVAL, rc(splice(p[0], NULL, self->fd[1], &off, 3, 0)));
	EXPECT_EQ(-EINVAL, rc(tee(self->fd[1], p[1], 3, 0)));
	EXPECT_EQ(-EINVAL, rc(tee(p[0], self->fd[0], 3, 0)));
	EXPECT_EQ(-EBADF, rc(vmsplice(self->fd[0],
				      &(struct iovec) { "x", 1 }, 1, 0)));
	EXPECT_EQ(3, inq(self->fd[1]));
	EXPECT_EQ(-EINVAL, rc(splice(xsocket(self->family), NULL, p[1], NULL, 3, 0)));
	EXPECT_EQ(0, rc(splice(self->fd[1], NULL, p[1], NULL, 0, 0)));
	EXPECT_EQ(3, inq(self->fd[1]));
}

TEST_F(splice, nothing_there)
{
	int p[2];

	ASSERT_EQ(0, pipe(p));
	EXPECT_EQ(-EAGAIN, rc(splice(self->fd[1], NULL, p[1], NULL, 10,
				     SPLICE_F_NONBLOCK)));
	ASSERT_EQ(0, set_nonblock(self->fd[1]));
	EXPECT_EQ(-EAGAIN, rc(splice(self->fd[1], NULL, p[1], NULL, 10, 0)));
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(1, rc(splice(self->fd[1], NULL, p[1], NULL, 10, 0)));
	close(self->fd[0]);
	EXPECT_EQ(0, rc(splice(self->fd[1], NULL, p[1], NULL, 10, 0)));
}

TEST_F(splice, waits)
{
	struct op op = { .fn = op_splice, .fd = self->fd[1], .len = 10 };
	int p[2];

	ASSERT_EQ(0, pipe(p));
	op.buf = &p[1];
	ASSERT_TRUE(op_blocks(&op, SYS_splice));
	ASSERT_EQ(2, rc(send(self->fd[0], "xy", 2, 0)));
	EXPECT_EQ(2, op_join(&op));

	ASSERT_TRUE(op_blocks(&op, SYS_splice));
	close(self->fd[0]);
	EXPECT_EQ(0, op_join(&op));
}

/* A full pipe takes what it can; the rest stays in the socket. */
TEST_F(splice, full_pipe)
{
	size_t took, left;
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(4096, rc(fcntl(p[1], F_SETPIPE_SZ, 4096)));
	pat_fill(big, 0, 100000);
	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 400000));
	ASSERT_EQ(100000, rc(send(self->fd[0], big, 100000, 0)));
	took = rc(splice(self->fd[1], NULL, p[1], NULL, 100000, SPLICE_F_NONBLOCK));
	ASSERT_LT(0, (long)took);
	left = inq(self->fd[1]);
	EXPECT_EQ(100000, took + left);
	EXPECT_EQ(-EAGAIN, rc(splice(self->fd[1], NULL, p[1], NULL, 100000,
				     SPLICE_F_NONBLOCK)));
	EXPECT_EQ(left, inq(self->fd[1]));
	EXPECT_EQ(took, rc(read(p[0], big, sizeof(big))));
	EXPECT_EQ(took, pat_good(big, 0, took));
	EXPECT_EQ(left, drain(self->fd[1], took, left));
}

TEST_F(splice, broken_pipe)
{
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(3, rc(write(p[1], "abc", 3)));
	catch_signal(SIGPIPE, 0);
	close(self->fd[1]);
	EXPECT_EQ(-EPIPE, rc(splice(p[0], NULL, self->fd[0], NULL, 3, 0)));
	EXPECT_EQ(1, nr_signals);
}

/* User pages lent to a pipe, and from there to a socket. */
TEST_F(splice, vmsplice)
{
	struct iovec iov = { big, 20000 };
	int p[2];

	ASSERT_EQ(0, pipe(p));
	pat_fill(big, 0, 20000);
	ASSERT_EQ(20000, rc(vmsplice(p[1], &iov, 1, 0)));
	ASSERT_EQ(20000, rc(splice(p[0], NULL, self->fd[0], NULL, 20000, 0)));
	EXPECT_EQ(20000, drain(self->fd[1], 0, 20000));
}

/* What a pipe was given stays as it was when later data passes the socket. */
TEST_F(splice, pages_are_not_reused)
{
	size_t took, i;
	int p[2];

	ASSERT_EQ(0, pipe(p));
	pat_fill(big, 0, 30000);
	ASSERT_EQ(30000, rc(send(self->fd[0], big, 30000, 0)));
	took = rc(splice(self->fd[1], NULL, p[1], NULL, 30000, 0));
	ASSERT_LT(0, (long)took);
	drain(self->fd[1], took, 30000 - took);
	memset(big, 0, sizeof(big));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(30000, rc(send(self->fd[0], big, 30000, 0)));
		ASSERT_EQ(30000, rc(recv(self->fd[1], big + 40000, 30000, MSG_WAITALL)));
	}
	EXPECT_EQ(took, rc(read(p[0], big, sizeof(big))));
	EXPECT_EQ(took, pat_good(big, 0, took));
}

TEST_HARNESS_MAIN
