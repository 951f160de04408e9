// SPDX-License-Identifier: GPL-2.0
/*
 * The second family on the layer, samples/echo_family: a socket that sends to
 * itself. It is here to show that the layer serves more than one protocol.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"

/* The module's default number, AF_ECONET. */
#define AF_ECHO 19

FIXTURE(echo)
{
	int fd;
};

FIXTURE_SETUP(echo)
{
	self->fd = socket(AF_ECHO, SOCK_STREAM, 0);
	if (self->fd < 0 && errno == EAFNOSUPPORT)
		SKIP(return, "runix_echo.ko is not loaded");
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(echo)
{
	if (self->fd >= 0)
		close(self->fd);
}

TEST_F(echo, comes_back)
{
	struct pollfd p = { .fd = self->fd, .events = POLLIN | POLLOUT };
	char buf[16] = "";

	ASSERT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(POLLOUT, p.revents);
	ASSERT_EQ(5, write(self->fd, "hello", 5));
	ASSERT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT, p.revents);
	ASSERT_EQ(5, read(self->fd, buf, sizeof(buf)));
	EXPECT_STREQ("hello", buf);
	EXPECT_EQ(-1, recv(self->fd, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(echo, fills)
{
	static char in[65536], out[65536];
	size_t sent = 0, got = 0;
	ssize_t n;

	memset(in, 'x', sizeof(in));
	while ((n = send(self->fd, in, sizeof(in), MSG_DONTWAIT)) > 0)
		sent += n;
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_LT(sizeof(in), sent);
	while ((n = recv(self->fd, out, sizeof(out), MSG_DONTWAIT)) > 0) {
		EXPECT_EQ(0, memcmp(in, out, n));
		got += n;
	}
	EXPECT_EQ(sent, got);
}

TEST_F(echo, refuses)
{
	struct sockaddr addr = { .sa_family = AF_ECHO };

	EXPECT_EQ(-1, socket(AF_ECHO, SOCK_DGRAM, 0));
	EXPECT_EQ(ESOCKTNOSUPPORT, errno);
	EXPECT_EQ(-1, socket(AF_ECHO, SOCK_STREAM, 7));
	EXPECT_EQ(EPROTONOSUPPORT, errno);
	EXPECT_EQ(-1, bind(self->fd, &addr, sizeof(addr)));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, connect(self->fd, &addr, sizeof(addr)));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, listen(self->fd, 1));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, accept(self->fd, NULL, NULL));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, shutdown(self->fd, SHUT_RD));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, setsockopt(self->fd, 12345, 1, "", 1));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

TEST_HARNESS_MAIN
