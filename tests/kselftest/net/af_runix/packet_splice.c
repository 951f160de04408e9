// SPDX-License-Identifier: GPL-2.0
/* Splice and sendfile with sockets that keep messages apart. */

#include "packet.h"

#include <sys/sendfile.h>

PACKET_FIXTURE(packet_splice);

#define PIPE_ROOM	65536

static char big[2 * PIPE_ROOM];

static long xsplice(int in, int out, size_t len, int flags)
{
	return rc(splice(in, NULL, out, NULL, len, flags));
}

/* The next message has @len bytes of the pattern from @pos on. */
#define EXPECT_PATTERN(_fd, _pos, _len)					\
do {									\
	EXPECT_EQ((long)(_len), rc(recv(_fd, big, sizeof(big), MSG_DONTWAIT)));\
	EXPECT_EQ((size_t)(_len), pat_good(big, _pos, _len));		\
} while (0)

/* One message for each call, whatever the pipe holds. */
TEST_F(packet_splice, in)
{
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(5, write(p[1], "hello", 5));
	EXPECT_EQ(5, xsplice(p[0], self->fd[0], 100, 0));
	EXPECT_MSG("hello", self->fd[1]);
	ASSERT_EQ(3, write(p[1], "abc", 3));
	ASSERT_EQ(4, write(p[1], "defg", 4));
	EXPECT_EQ(5, xsplice(p[0], self->fd[0], 5, 0));
	EXPECT_EQ(2, xsplice(p[0], self->fd[0], 5, 0));
	EXPECT_MSG("abcde", self->fd[1]);
	EXPECT_MSG("fg", self->fd[1]);
	EXPECT_EQ(-EAGAIN, xsplice(p[0], self->fd[0], 5, SPLICE_F_NONBLOCK));
	EXPECT_NO_MSG(self->fd[1]);
	close(p[1]);
	EXPECT_EQ(0, xsplice(p[0], self->fd[0], 5, 0));
	EXPECT_NO_MSG(self->fd[1]);
}

/* What does not go out stays in the pipe. */
TEST_F(packet_splice, in_fails)
{
	int p[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(5, write(p[1], "hello", 5));
	ASSERT_EQ(0, set_nonblock(self->fd[0]));
	ASSERT_LT(0, fill_messages(self->fd[0]));
	EXPECT_EQ(-EAGAIN, xsplice(p[0], self->fd[0], 5, 0));
	ASSERT_LT(0, drain_messages(self->fd[1]));
	EXPECT_EQ(5, xsplice(p[0], self->fd[0], 5, 0));
	EXPECT_MSG("hello", self->fd[1]);

	ASSERT_EQ(5, write(p[1], "later", 5));
	close(self->fd[1]);
	signal(SIGPIPE, SIG_IGN);
	EXPECT_EQ(self->type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE,
		  xsplice(p[0], self->fd[0], 5, 0));
	EXPECT_EQ(5, read(p[0], big, 10));
}

/* One message for each call; what there is no room for is gone. */
TEST_F(packet_splice, out)
{
	char buf[20] = {};
	int p[2];

	ASSERT_EQ(0, pipe(p));
	EXPECT_EQ(5, say(self->fd[0], "hello"));
	EXPECT_EQ(5, say(self->fd[0], "there"));
	EXPECT_EQ(3, say(self->fd[0], "you"));
	EXPECT_EQ(5, xsplice(self->fd[1], p[1], 100, 0));
	EXPECT_EQ(2, xsplice(self->fd[1], p[1], 2, 0));
	EXPECT_EQ(3, xsplice(self->fd[1], p[1], 100, 0));
	EXPECT_EQ(10, read(p[0], buf, sizeof(buf)));
	EXPECT_STREQ("hellothyou", buf);

	/* An empty message looks like an end, and is none. */
	EXPECT_EQ(0, rc(send(self->fd[0], "", 0, 0)));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(0, xsplice(self->fd[1], p[1], 100, 0));
	EXPECT_EQ(1, xsplice(self->fd[1], p[1], 100, 0));
	ASSERT_EQ(0, set_nonblock(self->fd[1]));
	EXPECT_EQ(-EAGAIN, xsplice(self->fd[1], p[1], 100, 0));
	EXPECT_EQ(1, read(p[0], buf, sizeof(buf)));
}

TEST_F(packet_splice, through)
{
	int p[2], out[2];

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, rc(socketpair(self->family, self->type, 0, out)));
	pat_fill(big, 0, 40000);
	EXPECT_EQ(40000, rc(send(self->fd[0], big, 40000, 0)));
	EXPECT_EQ(40000, xsplice(self->fd[1], p[1], PIPE_ROOM, 0));
	EXPECT_EQ(40000, xsplice(p[0], out[0], PIPE_ROOM, 0));
	EXPECT_PATTERN(out[1], 0, 40000);
	/* The other way. */
	EXPECT_EQ(2, say(self->fd[1], "ab"));
	EXPECT_EQ(2, xsplice(self->fd[0], p[1], PIPE_ROOM, 0));
	EXPECT_EQ(2, xsplice(p[0], out[1], PIPE_ROOM, 0));
	EXPECT_MSG("ab", out[0]);
}

TEST_F(packet_splice, errors)
{
	loff_t off = 0;
	int p[2];

	ASSERT_EQ(0, pipe(p));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(-EINVAL, rc(splice(self->fd[1], &off, p[1], NULL, 10, 0)));
	EXPECT_EQ(-EINVAL, xsplice(self->fd[1], self->fd[0], 10, 0));
	EXPECT_MSG("x", self->fd[1]);
	ASSERT_EQ(1, write(p[1], "y", 1));
	EXPECT_EQ(-EINVAL, rc(splice(p[0], NULL, self->fd[0], &off, 10, 0)));
	EXPECT_NO_MSG(self->fd[1]);
}

/* Of a file, what fits into a pipe makes a message. */
TEST_F(packet_splice, sendfile)
{
	int f = open("file", O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	pat_fill(big, 0, sizeof(big));
	ASSERT_EQ(100000, write(f, big, 100000));
	ASSERT_EQ(0, lseek(f, 0, SEEK_SET));
	EXPECT_EQ(300, rc(sendfile(self->fd[0], f, NULL, 300)));
	EXPECT_PATTERN(self->fd[1], 0, 300);
	EXPECT_EQ(99700, rc(sendfile(self->fd[0], f, NULL, 200000)));
	EXPECT_PATTERN(self->fd[1], 300, PIPE_ROOM - 300);
	EXPECT_PATTERN(self->fd[1], PIPE_ROOM, 100000 - PIPE_ROOM);
	EXPECT_NO_MSG(self->fd[1]);
}

TEST_HARNESS_MAIN
