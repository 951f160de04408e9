// SPDX-License-Identifier: GPL-2.0
/* io_uring with sockets that keep messages apart. */

#include "uring.h"

PACKET_FIXTURE(packet_uring);

TEST_F(packet_uring, send_and_receive)
{
	char buf[10] = {};

	RING_OR_SKIP();
	request(IORING_OP_SEND, self->fd[0], "hello", 5, 1);
	EXPECT_DONE(1, 5);
	request(IORING_OP_WRITE, self->fd[0], "you", 3, 2);
	EXPECT_DONE(2, 3);
	request(IORING_OP_SEND, self->fd[0], "there", 5, 3);
	EXPECT_DONE(3, 5);
	request(IORING_OP_RECV, self->fd[1], buf, 10, 4);
	EXPECT_DONE(4, 5);
	EXPECT_STREQ("hello", buf);
	request(IORING_OP_READ, self->fd[1], buf, 10, 5);
	EXPECT_DONE(5, 3);
	request(IORING_OP_RECV, self->fd[1], buf, 2, 6)->msg_flags = MSG_TRUNC;
	EXPECT_DONE(6, 5);
	request(IORING_OP_RECV, self->fd[1], buf, 2, 7)->msg_flags = MSG_DONTWAIT;
	EXPECT_DONE(7, -EAGAIN);
	/* A message larger than SO_SNDBUF is an error, not a reason to wait. */
	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 0));
	request(IORING_OP_SEND, self->fd[0], ring.sqes, 4096 * 2, 8);
	EXPECT_DONE(8, -EMSGSIZE);
}

TEST_F(packet_uring, waits)
{
	char ch = 0;
	int had;

	RING_OR_SKIP();
	request(IORING_OP_RECV, self->fd[1], &ch, 1, 1);
	EXPECT_TRUE(pending());
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_DONE(1, 1);
	EXPECT_EQ('x', ch);

	had = fill_messages(self->fd[0]);
	ASSERT_LT(0, had);
	request(IORING_OP_SEND, self->fd[0], "y", 1, 2);
	EXPECT_TRUE(pending());
	had -= drain_messages(self->fd[1]);
	EXPECT_DONE(2, 1);
	EXPECT_EQ(-1, had - drain_messages(self->fd[1]));
}

/* A message for each completion, in buffers of the kernel's choice. */
TEST_F(packet_uring, receive_many)
{
	enum { NR = 4, SIZE = 64 };
	static char pool[NR][SIZE];
	struct io_uring_sqe *sqe;
	struct done cqe;
	int i, err;

	RING_OR_SKIP();
	err = provide(pool[0], NR, SIZE, 3);
	if (err)
		SKIP(return, "no rings of buffers: %s", strerror(-err));
	for (i = 0; i < NR; i++) {
		ASSERT_EQ(2, say(self->fd[0], (char []){ 'a' + i, 'x', 0 }));
	}
	sqe = request(IORING_OP_RECV, self->fd[1], NULL, 0, 1);
	sqe->ioprio = IORING_RECV_MULTISHOT;
	sqe->flags = IOSQE_BUFFER_SELECT;
	sqe->buf_group = 3;
	for (i = 0; i < NR; i++) {
		cqe = next();
		ASSERT_EQ(2, cqe.res);
		ASSERT_EQ(IORING_CQE_F_BUFFER, cqe.flags & IORING_CQE_F_BUFFER);
		EXPECT_EQ(i, cqe.flags >> IORING_CQE_BUFFER_SHIFT);
		EXPECT_EQ('a' + i, pool[i][0]);
	}
	/* One more finds no buffer, and stays. */
	ASSERT_EQ(1, say(self->fd[0], "z"));
	cqe = next();
	EXPECT_EQ(-ENOBUFS, cqe.res);
	EXPECT_EQ(0, cqe.flags & IORING_CQE_F_MORE);
	EXPECT_MSG("z", self->fd[1]);
}

TEST_F(packet_uring, messages)
{
	struct name n = abstract_name(self->family, "n");
	char buf[4] = {};
	struct name from;
	PACKET(out, "hello", 5);
	PACKET(in, buf, 3);
	int fd;

	RING_OR_SKIP();
	fd = bound(self->family, self->type, &n);
	ASSERT_LE(0, fd);
	if (self->type == SOCK_DGRAM) {
		/* To a name, and from one. */
		out.h.msg_name = &n.sa;
		out.h.msg_namelen = n.len;
		ASSERT_EQ(0, rc(bind(self->fd[0], &(struct sockaddr){ self->family }, PATH_OFF)));
	} else {
		fd = self->fd[1];
	}
	request(IORING_OP_SENDMSG, self->fd[0], &out.h, 1, 1);
	EXPECT_DONE(1, 5);
	in.h.msg_name = &from.sa;
	in.h.msg_namelen = sizeof(from.bytes);
	request(IORING_OP_RECVMSG, fd, &in.h, 1, 2);
	EXPECT_DONE(2, 3);
	EXPECT_EQ(MSG_TRUNC, in.h.msg_flags);
	EXPECT_STREQ("hel", buf);
	EXPECT_EQ(self->type == SOCK_DGRAM ? PATH_OFF + 6 : 0, in.h.msg_namelen);
}

TEST_HARNESS_MAIN
