// SPDX-License-Identifier: GPL-2.0
/*
 * The two families side by side: what is said of one of them is said with the
 * other one present. Needs both.
 */

#include "common.h"

FAMILY_FIXTURE(families);

/* The family that is not the variant's. */
#define OTHER_OR_SKIP()							\
({									\
	int __other = self->family == AF_UNIX ? runix_family() : AF_UNIX;\
	int __fd = xsocket(__other);					\
									\
	if (__fd == -EAFNOSUPPORT && !runix_required())			\
		SKIP(return, "family %d is not registered", __other);	\
	ASSERT_LE(0, __fd);						\
	close(__fd);							\
	__other;							\
})

/* A path can have one owner; that the owner is of another kind is no help. */
TEST_F(families, paths)
{
	int other = OTHER_OR_SKIP(), l, l2;
	struct name theirs = path_name(other, "s");
	struct name ours = path_name(self->family, "s");

	l = listener(other, &theirs, 4);
	ASSERT_LE(0, l);
	EXPECT_EQ(-EADDRINUSE, listener(self->family, &ours, 4));
	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &ours));
	EXPECT_LE(0, dial(other, &theirs));

	ASSERT_EQ(0, unlink("s"));
	l2 = listener(self->family, &ours, 4);
	ASSERT_LE(0, l2);
	EXPECT_EQ(-ECONNREFUSED, dial(other, &theirs));
	EXPECT_LE(0, dial(self->family, &ours));
	EXPECT_EQ(POLL_R, poll_mask(l2));
}

/* Abstract names are each family's own. */
TEST_F(families, abstract_names)
{
	int other = OTHER_OR_SKIP(), l, l2;
	struct name theirs = abstract_name(other, "n");
	struct name ours = abstract_name(self->family, "n");

	l = listener(other, &theirs, 4);
	ASSERT_LE(0, l);
	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &ours));
	l2 = listener(self->family, &ours, 4);
	ASSERT_LE(0, l2);
	EXPECT_LE(0, dial(self->family, &ours));
	EXPECT_EQ(0, poll_mask(l));
	EXPECT_EQ(POLL_R, poll_mask(l2));
	close(l2);
	EXPECT_LE(0, dial(other, &theirs));
}

/* An address of one family is none for a socket of the other. */
TEST_F(families, addresses)
{
	int other = OTHER_OR_SKIP();
	struct name theirs = abstract_name(other, "n");
	int fd = xsocket(self->family);

	ASSERT_LE(0, listener(other, &theirs, 4));
	EXPECT_EQ(-EINVAL, xconnect(fd, &theirs));
	theirs = path_name(other, "s");
	EXPECT_EQ(-EINVAL, xbind(fd, &theirs));
	EXPECT_EQ(-1, access("s", F_OK));
}

/* Neither is listed among the other's. */
TEST_F(families, listings)
{
	int other = OTHER_OR_SKIP();
	char path[64], line[512], want[32];
	struct stat st;
	FILE *f;

	ASSERT_EQ(0, fstat(self->fd[0], &st));
	snprintf(want, sizeof(want), " %lu\n", (unsigned long)st.st_ino);
	snprintf(path, sizeof(path), "/proc/net/%s",
		 other == AF_UNIX ? "unix" : "runix");
	f = fopen(path, "re");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f)) {
		EXPECT_EQ(NULL, strstr(line, want)) TH_LOG("%s", line);
	}
	fclose(f);
}

/* Sockets are files: a descriptor goes where descriptors go. */
TEST_F(families, passed_over_unix)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} c = { .h = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { (char [1]) { 'x' }, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &c, .msg_controllen = sizeof(c) };
	int sv[2], got = -1;
	char ch;

	ASSERT_EQ(0, rc(socketpair(AF_UNIX, SOCK_STREAM, 0, sv)));
	memcpy(CMSG_DATA(&c.h), &self->fd[0], sizeof(int));
	ASSERT_EQ(1, rc(sendmsg(sv[0], &m, 0)));
	close(self->fd[0]);
	/* Under way it is as alive as before. */
	EXPECT_EQ(POLL_W, poll_mask(self->fd[1]));
	ASSERT_EQ(1, rc(send(self->fd[1], "y", 1, 0)));

	ASSERT_EQ(1, rc(recvmsg(sv[1], &m, 0)));
	ASSERT_EQ(CMSG_LEN(sizeof(int)), c.h.cmsg_len);
	memcpy(&got, CMSG_DATA(&c.h), sizeof(int));
	EXPECT_EQ(self->family, getint(got, SO_DOMAIN));
	EXPECT_EQ(1, rc(recv(got, &ch, 1, 0)));
	EXPECT_EQ('y', ch);
	close(got);
	EXPECT_EQ(0, rc(recv(self->fd[1], &ch, 1, 0)));

	/* Never fetched, it goes with the message. */
	ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, self->fd)));
	memcpy(CMSG_DATA(&c.h), &self->fd[0], sizeof(int));
	ASSERT_EQ(1, rc(sendmsg(sv[0], &m, 0)));
	close(self->fd[0]);
	EXPECT_EQ(POLL_W, poll_mask(self->fd[1]));
	close(sv[0]);
	close(sv[1]);
	EXPECT_EQ(0, rc(recv(self->fd[1], &ch, 1, 0)));
}

TEST_HARNESS_MAIN
