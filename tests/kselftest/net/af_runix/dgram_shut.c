// SPDX-License-Identifier: GPL-2.0
/* shutdown() of datagram sockets: each side's own affair. */

#include "packet.h"

TYPE_FIXTURE(dgram_shut, SOCK_DGRAM);

TEST_F(dgram_shut, write)
{
	struct name n = abstract_name(self->family, "n");
	int a = self->fd[0], b = self->fd[1], s = dgram(self->family);

	ASSERT_LE(0, bound(self->family, SOCK_DGRAM, &n));
	ASSERT_EQ(0, rc(shutdown(a, SHUT_WR)));
	EXPECT_EQ(-EPIPE, say(a, "x"));
	EXPECT_EQ(-EPIPE, rc(send(a, "", 0, MSG_NOSIGNAL)));
	EXPECT_EQ(-EPIPE, say_to(a, "x", &n));
	/* The peer does not know. */
	EXPECT_NO_MSG(b);
	EXPECT_EQ(1, say(b, "y"));
	EXPECT_MSG("y", a);
	EXPECT_NO_MSG(a);

	/* Peer or not. */
	ASSERT_EQ(0, rc(shutdown(s, SHUT_WR)));
	EXPECT_EQ(-EPIPE, say_to(s, "x", &n));
	EXPECT_EQ(-EPIPE, say(s, "x"));
	EXPECT_EQ(0, xconnect(s, &n));
	EXPECT_EQ(-EPIPE, say(s, "x"));
}

TEST_F(dgram_shut, read)
{
	struct name n = abstract_name(self->family, "n");
	int a = self->fd[0], b = self->fd[1], r, s = dgram(self->family);
	char buf[8];

	EXPECT_EQ(3, say(a, "abc"));
	EXPECT_EQ(0, rc(send(a, "", 0, 0)));
	ASSERT_EQ(0, rc(shutdown(b, SHUT_RD)));
	EXPECT_EQ(-EPIPE, say(a, "x"));
	EXPECT_MSG("abc", b);
	EXPECT_MSG("", b);
	/* The end, for those who would have waited. */
	EXPECT_EQ(0, rc(recv(b, buf, 8, 0)));
	EXPECT_EQ(0, rc(recv(b, buf, 8, MSG_PEEK)));
	EXPECT_EQ(-EAGAIN, rc(recv(b, buf, 8, MSG_DONTWAIT)));
	EXPECT_EQ(1, say(b, "y"));
	EXPECT_MSG("y", a);

	r = bound(self->family, SOCK_DGRAM, &n);
	ASSERT_EQ(0, rc(shutdown(r, SHUT_RD)));
	EXPECT_EQ(-EPIPE, say_to(s, "x", &n));
	EXPECT_EQ(0, xconnect(s, &n));
	EXPECT_EQ(-EPIPE, say(s, "x"));
	EXPECT_EQ(0, xgetpeername(s, &n));
}

TEST_F(dgram_shut, values)
{
	int fd = dgram(self->family);

	EXPECT_EQ(-EINVAL, rc(shutdown(fd, -1)));
	EXPECT_EQ(-EINVAL, rc(shutdown(fd, 3)));
	EXPECT_EQ(0, rc(shutdown(fd, SHUT_RD)));
	EXPECT_EQ(0, rc(shutdown(fd, SHUT_RD)));
	EXPECT_EQ(0, rc(shutdown(fd, SHUT_WR)));
	EXPECT_EQ(0, rc(shutdown(fd, SHUT_RDWR)));
}

/* There is no way back, not even by a new association. */
TEST_F(dgram_shut, for_good)
{
	struct name n = abstract_name(self->family, "n");
	int a = self->fd[0];

	ASSERT_LE(0, bound(self->family, SOCK_DGRAM, &n));
	ASSERT_EQ(0, rc(shutdown(a, SHUT_RDWR)));
	ASSERT_EQ(0, dissolve(a));
	EXPECT_EQ(-EPIPE, say_to(a, "x", &n));
	EXPECT_EQ(-EPIPE, say(self->fd[1], "x"));
	ASSERT_EQ(0, xconnect(a, &n));
	EXPECT_EQ(-EPIPE, say(a, "x"));
	/* That it is another's comes before that it is shut. */
	EXPECT_EQ(-EPERM, say(self->fd[1], "x"));
}

/* No signal, whoever is at fault. */
TEST_F(dgram_shut, no_sigpipe)
{
	catch_signal(SIGPIPE, 0);
	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_RDWR)));
	EXPECT_EQ(-EPIPE, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(-EPIPE, rc(write(self->fd[0], "x", 1)));
	EXPECT_EQ(-EPIPE, rc(write(self->fd[1], "x", 1)));
	EXPECT_EQ(0, nr_signals);
}

/* Who is shut hears that before who is there. */
TEST_F(dgram_shut, order)
{
	struct name n = abstract_name(self->family, "none");
	int a = self->fd[0];
	static char big[1 << 20];

	ASSERT_EQ(0, rc(shutdown(a, SHUT_WR)));
	EXPECT_EQ(-EPIPE, say_to(a, "x", &n));
	EXPECT_EQ(-EMSGSIZE, rc(send(a, big, sizeof(big), MSG_NOSIGNAL)));
	EXPECT_EQ(-EPIPE, rc(send(a, bad_ptr(), 1, MSG_NOSIGNAL)));
	n.un.sun_family = AF_INET;
	EXPECT_EQ(-EINVAL, say_to(a, "x", &n));
	/* A peer that is gone is not noticed by one who may not send. */
	close(self->fd[1]);
	EXPECT_EQ(-EPIPE, say(a, "x"));
	EXPECT_EQ(0, xgetpeername(a, &n));
}

/* The order of refusals, where there are several reasons. */
TEST_F(dgram_shut, order_of_errors)
{
	struct name n = abstract_name(self->family, "none"), r;
	int s = dgram(self->family), fd;
	static char big[1 << 20];

	n.un.sun_family = AF_INET;
	EXPECT_EQ(-EOPNOTSUPP, rc(sendto(s, big, sizeof(big), MSG_OOB, &n.sa, n.len)));
	EXPECT_EQ(-EINVAL, rc(sendto(s, big, sizeof(big), 0, &n.sa, n.len)));
	n.un.sun_family = self->family;
	EXPECT_EQ(-EMSGSIZE, rc(sendto(s, big, sizeof(big), 0, &n.sa, n.len)));
	EXPECT_EQ(-EMSGSIZE, rc(send(s, big, sizeof(big), 0)));
	EXPECT_EQ(-EFAULT, rc(sendto(s, bad_ptr(), 1, 0, &n.sa, n.len)));
	EXPECT_EQ(-EFAULT, rc(send(s, bad_ptr(), 1, 0)));
	EXPECT_EQ(-ECONNREFUSED, rc(sendto(s, "x", 1, 0, &n.sa, n.len)));
	EXPECT_EQ(-ENOTCONN, rc(send(s, "x", 1, 0)));

	/* Somebody else's, shut and full: the first of these counts. */
	r = abstract_name(self->family, "r");
	fd = bound(self->family, SOCK_DGRAM, &r);
	ASSERT_LT(0, fill_receiver(self->family, &r));
	EXPECT_EQ(-EAGAIN, xsendto(s, "x", 1, MSG_DONTWAIT, &r));
	ASSERT_EQ(0, rc(shutdown(fd, SHUT_RD)));
	EXPECT_EQ(-EPIPE, xsendto(s, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL, &r));
	ASSERT_EQ(0, xconnect(fd, &r));
	EXPECT_EQ(-EPERM, xsendto(s, "x", 1, MSG_DONTWAIT, &r));
}

TEST_HARNESS_MAIN
