// SPDX-License-Identifier: GPL-2.0
/* The same through io_uring: accept, connect, send, receive, poll, cancel. */

#include "uring.h"

FAMILY_FIXTURE(iouring);

TEST_F(iouring, accept_and_connect)
{
	struct name n = abstract_name(self->family, "n");
	struct name p = path_name(self->family, "client"), got = {};
	int l = listener(self->family, &n, 4), c = xsocket(self->family);
	struct done cqe[2];
	struct io_uring_sqe *sqe;
	char ch;
	int s;

	RING_OR_SKIP();
	ASSERT_LE(0, l);
	ASSERT_EQ(0, xbind(c, &p));
	got.len = sizeof(got.bytes);
	sqe = request(IORING_OP_ACCEPT, l, &got.sa, 0, 1);
	sqe->addr2 = (uintptr_t)&got.len;
	sqe->accept_flags = SOCK_CLOEXEC;
	ASSERT_TRUE(pending());

	sqe = request(IORING_OP_CONNECT, c, &n.sa, 0, 2);
	sqe->off = n.len;
	cqe[0] = next();
	cqe[1] = next();
	s = cqe[cqe[1].user_data == 1].res;
	ASSERT_LE(0, s);
	EXPECT_EQ(0, cqe[cqe[1].user_data == 2].res);
	EXPECT_EQ(3, cqe[0].user_data + cqe[1].user_data);
	EXPECT_EQ(FD_CLOEXEC, fcntl(s, F_GETFD));
	EXPECT_TRUE(same_name(&p, &got));
	EXPECT_EQ(1, rc(send(c, "x", 1, 0)));
	EXPECT_EQ(1, rc(recv(s, &ch, 1, 0)));
}

TEST_F(iouring, accept_many)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 8), i;
	struct done cqe;

	RING_OR_SKIP();
	ASSERT_LE(0, l);
	/* Some there already, some to come. */
	ASSERT_LE(0, dial(self->family, &n));
	ASSERT_LE(0, dial(self->family, &n));
	request(IORING_OP_ACCEPT, l, NULL, 0, 1)->ioprio = IORING_ACCEPT_MULTISHOT;
	for (i = 0; i < 5; i++) {
		if (i >= 2) {
			ASSERT_TRUE(pending());
			ASSERT_LE(0, dial(self->family, &n));
		}
		cqe = next();
		ASSERT_EQ(1, cqe.user_data);
		ASSERT_LE(0, cqe.res);
		ASSERT_EQ(IORING_CQE_F_MORE, cqe.flags & IORING_CQE_F_MORE);
		EXPECT_EQ(POLL_W, poll_mask(cqe.res));
	}
	request(IORING_OP_ASYNC_CANCEL, -1, (void *)1, 0, 2);
	for (i = 0; i < 2; i++) {
		cqe = next();
		EXPECT_EQ(cqe.user_data == 1 ? -ECANCELED : 0, cqe.res);
		EXPECT_EQ(0, cqe.flags & IORING_CQE_F_MORE);
	}
}

TEST_F(iouring, accept_ends)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 8);

	RING_OR_SKIP();
	ASSERT_LE(0, l);
	request(IORING_OP_ACCEPT, l, NULL, 0, 1);
	ASSERT_TRUE(pending());
	ASSERT_EQ(0, rc(shutdown(l, SHUT_RD)));
	EXPECT_DONE(1, -EINVAL);
	request(IORING_OP_ACCEPT, self->fd[0], NULL, 0, 2);
	EXPECT_DONE(2, -EINVAL);
}

TEST_F(iouring, connect)
{
	struct name n = abstract_name(self->family, "n");
	int l, c = xsocket(self->family);

	RING_OR_SKIP();
	request(IORING_OP_CONNECT, c, &n.sa, 0, 1)->off = n.len;
	EXPECT_DONE(1, -ECONNREFUSED);
	request(IORING_OP_CONNECT, self->fd[0], &n.sa, 0, 2)->off = n.len;
	EXPECT_DONE(2, -ECONNREFUSED);
	l = listener(self->family, &n, 0);
	ASSERT_LE(0, l);
	request(IORING_OP_CONNECT, self->fd[0], &n.sa, 0, 3)->off = n.len;
	EXPECT_DONE(3, -EISCONN);
	request(IORING_OP_CONNECT, c, &n.sa, 0, 4)->off = n.len;
	EXPECT_DONE(4, 0);
	/* No room: it waits, without anybody asleep in a call. */
	c = xsocket(self->family);
	request(IORING_OP_CONNECT, c, &n.sa, 0, 5)->off = n.len;
	ASSERT_TRUE(pending());
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_DONE(5, 0);
	EXPECT_EQ(POLL_W, poll_mask(c));
}

TEST_F(iouring, send_and_receive)
{
	struct done a, b;
	char buf[16] = {};

	RING_OR_SKIP();
	request(IORING_OP_RECV, self->fd[1], buf, 16, 1);
	ASSERT_TRUE(pending());
	request(IORING_OP_SEND, self->fd[0], "abc", 3, 2);
	a = next();
	b = next();
	EXPECT_EQ(3, a.user_data + b.user_data);
	EXPECT_EQ(3, a.res);
	EXPECT_EQ(3, b.res);
	EXPECT_STREQ("abc", buf);

	/* All of it, in two parts. */
	request(IORING_OP_RECV, self->fd[1], buf, 6, 3)->msg_flags = MSG_WAITALL;
	ASSERT_TRUE(pending());
	ASSERT_EQ(4, rc(send(self->fd[0], "defg", 4, 0)));
	ASSERT_TRUE(pending());
	ASSERT_EQ(4, rc(send(self->fd[0], "hijk", 4, 0)));
	EXPECT_DONE(3, 6);
	EXPECT_EQ(0, memcmp("defghi", buf, 6));
	request(IORING_OP_RECV, self->fd[1], buf, 6, 4)->msg_flags = MSG_PEEK;
	EXPECT_DONE(4, 2);
	request(IORING_OP_RECV, self->fd[1], buf, 6, 5);
	EXPECT_DONE(5, 2);
	EXPECT_EQ(0, memcmp("jk", buf, 2));

	/* Nothing there, and told not to wait. */
	request(IORING_OP_RECV, self->fd[1], buf, 6, 6)->msg_flags = MSG_DONTWAIT;
	EXPECT_DONE(6, -EAGAIN);
}

TEST_F(iouring, messages)
{
	struct iovec out[2] = { { "ab", 2 }, { "cde", 3 } };
	char b1[2], b2[8];
	struct iovec in[2] = { { b1, 2 }, { b2, 8 } };
	struct msghdr mo = { .msg_iov = out, .msg_iovlen = 2 };
	struct msghdr mi = { .msg_iov = in, .msg_iovlen = 2, .msg_flags = -1 };

	RING_OR_SKIP();
	request(IORING_OP_SENDMSG, self->fd[0], &mo, 1, 1);
	EXPECT_DONE(1, 5);
	request(IORING_OP_RECVMSG, self->fd[1], &mi, 1, 2);
	EXPECT_DONE(2, 5);
	EXPECT_EQ(0, memcmp("ab", b1, 2));
	EXPECT_EQ(0, memcmp("cde", b2, 3));
	EXPECT_EQ(0, mi.msg_flags);

	request(IORING_OP_WRITEV, self->fd[0], out, 2, 3)->off = -1;
	EXPECT_DONE(3, 5);
	request(IORING_OP_READ, self->fd[1], b2, 8, 4)->off = -1;
	EXPECT_DONE(4, 5);
	EXPECT_EQ(0, memcmp("abcde", b2, 5));
}

TEST_F(iouring, ends)
{
	int sv[2];
	char ch;

	RING_OR_SKIP();
	catch_signal(SIGPIPE, 0);
	ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, sv)));
	request(IORING_OP_RECV, self->fd[0], &ch, 1, 1);
	ASSERT_TRUE(pending());
	close(self->fd[1]);
	EXPECT_DONE(1, 0);
	request(IORING_OP_SEND, self->fd[0], "x", 1, 2);
	EXPECT_DONE(2, -EPIPE);

	ASSERT_EQ(1, rc(send(sv[0], "x", 1, 0)));
	request(IORING_OP_RECV, sv[0], &ch, 1, 3);
	ASSERT_TRUE(pending());
	close(sv[1]);
	EXPECT_DONE(3, -ECONNRESET);
	EXPECT_EQ(0, nr_signals);
	request(IORING_OP_SEND, xsocket(self->family), "x", 1, 4);
	EXPECT_DONE(4, -ENOTCONN);
	request(IORING_OP_RECV, xsocket(self->family), &ch, 1, 5);
	EXPECT_DONE(5, -EINVAL);
}

/* A receiver is told whether there is more where that came from. */
TEST_F(iouring, more_to_come)
{
	struct done done;
	char buf[8];

	RING_OR_SKIP();
	ASSERT_EQ(6, rc(send(self->fd[0], "abcdef", 6, 0)));
	request(IORING_OP_RECV, self->fd[1], buf, 4, 1);
	done = next();
	EXPECT_EQ(4, done.res);
	EXPECT_EQ(IORING_CQE_F_SOCK_NONEMPTY, done.flags & IORING_CQE_F_SOCK_NONEMPTY);
	request(IORING_OP_RECV, self->fd[1], buf, 4, 2);
	done = next();
	EXPECT_EQ(2, done.res);
	EXPECT_EQ(0, done.flags & IORING_CQE_F_SOCK_NONEMPTY);
}

/* A sender waits for room as a receiver does for data. */
TEST_F(iouring, send_waits)
{
	static char buf[300000];
	size_t n = fill_up(self->fd[0]);

	RING_OR_SKIP();
	pat_fill(buf, n, 4);
	request(IORING_OP_SEND, self->fd[0], buf, 4, 1);
	ASSERT_TRUE(pending());
	EXPECT_EQ(n, drain(self->fd[1], 0, n));
	EXPECT_DONE(1, 4);
	EXPECT_EQ(4, drain(self->fd[1], n, 4));

	pat_fill(buf, 0, sizeof(buf));
	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 30000));
	request(IORING_OP_SEND, self->fd[0], buf, sizeof(buf), 2)->msg_flags =
		MSG_WAITALL;
	ASSERT_TRUE(pending());
	for (n = 0; n < sizeof(buf); ) {
		char part[9000];
		long ret = rc(recv(self->fd[1], part, sizeof(part), MSG_DONTWAIT));

		if (ret == -EAGAIN) {
			enter(0);
			continue;
		}
		ASSERT_LT(0, ret);
		ASSERT_EQ(ret, pat_good(part, n, ret));
		n += ret;
	}
	EXPECT_DONE(2, (int)sizeof(buf));
}

TEST_F(iouring, poll)
{
	struct done cqe;
	char ch;
	int i;

	RING_OR_SKIP();
	request(IORING_OP_POLL_ADD, self->fd[1], NULL, 0, 1)->poll32_events =
		POLLIN | POLLRDHUP;
	ASSERT_TRUE(pending());
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_DONE(1, POLLIN);
	ASSERT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));

	/* One completion an arrival. */
	request(IORING_OP_POLL_ADD, self->fd[1], NULL, IORING_POLL_ADD_MULTI, 2)
		->poll32_events = POLLIN | POLLRDHUP;
	for (i = 0; i < 3; i++) {
		ASSERT_TRUE(pending());
		ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
		cqe = next();
		EXPECT_EQ(2, cqe.user_data);
		EXPECT_EQ(POLLIN, cqe.res);
		EXPECT_EQ(IORING_CQE_F_MORE, cqe.flags & IORING_CQE_F_MORE);
	}
	ASSERT_TRUE(pending());
	close(self->fd[0]);
	EXPECT_DONE(2, POLLIN | POLLRDHUP | POLLHUP);
}

/* What was called off has taken nothing. */
TEST_F(iouring, cancel)
{
	struct __kernel_timespec ts = { .tv_nsec = 20000000 };
	char ch;
	int i;

	RING_OR_SKIP();
	request(IORING_OP_RECV, self->fd[1], &ch, 1, 1);
	ASSERT_TRUE(pending());
	request(IORING_OP_ASYNC_CANCEL, -1, (void *)1, 0, 2);
	for (i = 0; i < 2; i++) {
		struct done cqe = next();

		EXPECT_EQ(cqe.user_data == 1 ? -ECANCELED : 0, cqe.res);
	}
	request(IORING_OP_RECV, self->fd[1], &ch, 1, 3)->flags = IOSQE_IO_LINK;
	request(IORING_OP_LINK_TIMEOUT, -1, &ts, 1, 4);
	for (i = 0; i < 2; i++) {
		struct done cqe = next();

		EXPECT_EQ(cqe.user_data == 3 ? -ECANCELED : -ETIME, cqe.res);
	}
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(1, rc(recv(self->fd[1], &ch, 1, MSG_DONTWAIT)));
}

/* Many receives with buffers of the kernel's choice. */
TEST_F(iouring, receive_many)
{
	enum { NR = 4, SIZE = 64 };
	static char pool[NR][SIZE];
	struct done cqe;
	struct io_uring_sqe *sqe;
	int i;

	RING_OR_SKIP();
	sqe = request(IORING_OP_PROVIDE_BUFFERS, NR, pool, SIZE, 1);
	sqe->buf_group = 7;
	EXPECT_DONE(1, 0);
	sqe = request(IORING_OP_RECV, self->fd[1], NULL, 0, 2);
	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = 7;
	for (i = 0; i < NR - 1; i++) {
		char msg[] = { 'a' + i, 'x' };

		ASSERT_TRUE(pending());
		ASSERT_EQ(2, rc(send(self->fd[0], msg, 2, 0)));
		cqe = next();
		ASSERT_EQ(2, cqe.user_data);
		if (cqe.res == -EINVAL)
			SKIP(return, "this kernel wants a ring of buffers");
		ASSERT_EQ(2, cqe.res);
		ASSERT_EQ(IORING_CQE_F_BUFFER, cqe.flags & IORING_CQE_F_BUFFER);
		ASSERT_EQ(IORING_CQE_F_MORE, cqe.flags & IORING_CQE_F_MORE);
		EXPECT_EQ(0, memcmp(msg, pool[cqe.flags >> IORING_CQE_BUFFER_SHIFT], 2));
	}
	close(self->fd[0]);
	cqe = next();
	EXPECT_EQ(0, cqe.res);
	EXPECT_EQ(0, cqe.flags & IORING_CQE_F_MORE);
}

/* One request for as many buffers as there are, or as the bytes fill. */
TEST_F(iouring, bundles)
{
	enum { NR = 8, SIZE = 16 };
	static char in[NR][SIZE], out[NR][SIZE], got[NR * SIZE + 1];
	struct io_uring_sqe *sqe;
	struct done cqe;
	int err, i;

	RING_OR_SKIP();
	err = provide(in[0], NR, SIZE, 1);
	if (err)
		SKIP(return, "no rings of buffers: %s", strerror(-err));
	pat_fill(got, 0, 40);
	ASSERT_EQ(40, rc(send(self->fd[0], got, 40, 0)));
	for (i = 0; i < 40; i += cqe.res) {
		sqe = request(IORING_OP_RECV, self->fd[1], NULL, 0, 1);
		sqe->ioprio = IORING_RECVSEND_BUNDLE;
		sqe->flags = IOSQE_BUFFER_SELECT;
		sqe->buf_group = 1;
		cqe = next();
		if (cqe.res == -EINVAL)
			SKIP(return, "this kernel's io_uring makes no bundles");
		/* More than one buffer, the first of which is told. */
		ASSERT_LT(i ? 0 : SIZE, cqe.res);
		ASSERT_EQ(IORING_CQE_F_BUFFER, cqe.flags & IORING_CQE_F_BUFFER);
		EXPECT_EQ(i / SIZE, cqe.flags >> IORING_CQE_BUFFER_SHIFT);
	}
	EXPECT_EQ(40, i);
	EXPECT_EQ(40, pat_good(in, 0, 40));

	pat_fill(out, 0, sizeof(out));
	ASSERT_EQ(0, provide(out[0], NR, SIZE, 2));
	sqe = request(IORING_OP_SEND, self->fd[0], NULL, 0, 2);
	sqe->ioprio = IORING_RECVSEND_BUNDLE;
	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = 2;
	EXPECT_DONE(2, NR * SIZE);
	EXPECT_EQ(NR * SIZE, rc(recv(self->fd[1], got, sizeof(got), 0)));
	EXPECT_EQ(NR * SIZE, pat_good(got, 0, NR * SIZE));
}

TEST_F(iouring, registered)
{
	int files[2] = { self->fd[0], self->fd[1] };
	static char buf[2][4096];
	struct iovec iov[2] = { { buf[0], 4096 }, { buf[1], 4096 } };
	struct io_uring_sqe *sqe;

	RING_OR_SKIP();
	ASSERT_EQ(0, rc(syscall(__NR_io_uring_register, ring.fd,
				IORING_REGISTER_FILES, files, 2)));
	ASSERT_EQ(0, rc(syscall(__NR_io_uring_register, ring.fd,
				IORING_REGISTER_BUFFERS, iov, 2)));
	close(self->fd[0]);
	close(self->fd[1]);
	pat_fill(buf[0], 0, 4096);
	sqe = request(IORING_OP_WRITE_FIXED, 0, buf[0], 4000, 1);
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->buf_index = 0;
	EXPECT_DONE(1, 4000);
	sqe = request(IORING_OP_READ_FIXED, 1, buf[1], 4096, 2);
	sqe->flags = IOSQE_FIXED_FILE;
	sqe->buf_index = 1;
	EXPECT_DONE(2, 4000);
	EXPECT_EQ(4000, pat_good(buf[1], 0, 4000));
}

TEST_F(iouring, create_and_close)
{
	struct done cqe;
	int i;

	RING_OR_SKIP();
	request(IORING_OP_SOCKET, self->family, NULL, 0, 1)->off = SOCK_STREAM;
	cqe = next();
	ASSERT_LE(0, cqe.res);
	EXPECT_EQ(self->family, getint(cqe.res, SO_DOMAIN));
	request(IORING_OP_SHUTDOWN, self->fd[0], NULL, SHUT_WR, 2);
	EXPECT_DONE(2, 0);
	EXPECT_EQ(POLL_R | POLLRDHUP | POLL_W, poll_mask(self->fd[1]));
	request(IORING_OP_CLOSE, self->fd[0], NULL, 0, 3);
	EXPECT_DONE(3, 0);
	/* The file is let go of a little later than that is told. */
	for (i = 0; i < 500 && !(poll_mask(self->fd[1]) & POLLHUP); i++)
		usleep(10000);
	EXPECT_EQ(POLL_R | POLLRDHUP | POLLHUP | POLL_W, poll_mask(self->fd[1]));
}

TEST_F(iouring, bind_and_listen)
{
	struct {
		struct io_uring_probe p;
		struct io_uring_probe_op op[256];
	} probe = {};
	struct name n = abstract_name(self->family, "n");
	struct name p = path_name(self->family, "s");
	int fd = xsocket(self->family), other = xsocket(self->family);

	RING_OR_SKIP();
	ASSERT_EQ(0, rc(syscall(__NR_io_uring_register, ring.fd,
				IORING_REGISTER_PROBE, &probe, 256)));
	if (probe.p.last_op < OP_LISTEN)
		SKIP(return, "this kernel's io_uring cannot listen");
	request(OP_LISTEN, fd, NULL, 4, 1);
	EXPECT_DONE(1, -EINVAL);
	request(OP_BIND, fd, &n.sa, 0, 2)->off = n.len;
	EXPECT_DONE(2, 0);
	request(OP_BIND, other, &n.sa, 0, 3)->off = n.len;
	EXPECT_DONE(3, -EADDRINUSE);
	request(OP_LISTEN, fd, NULL, 4, 4);
	EXPECT_DONE(4, 0);
	EXPECT_LE(0, dial(self->family, &n));
	request(OP_BIND, other, &p.sa, 0, 5)->off = p.len;
	EXPECT_DONE(5, 0);
	EXPECT_EQ(0, access("s", F_OK));
}

/* What streams within one machine have no use for. */
TEST_F(iouring, unsupported)
{
	RING_OR_SKIP();
	request(OP_SEND_ZC, self->fd[0], "x", 1, 1);
	EXPECT_DONE(1, -EOPNOTSUPP);
	EXPECT_EQ(0, inq(self->fd[1]));
	request(OP_URING_CMD, self->fd[0], NULL, 0, 2)->off = SOCK_CMD_INQ;
	EXPECT_DONE(2, -EOPNOTSUPP);
	request(OP_URING_CMD, self->fd[0], NULL, 0, 3)->off = SOCK_CMD_OUTQ;
	EXPECT_DONE(3, -EOPNOTSUPP);
}

TEST_HARNESS_MAIN
