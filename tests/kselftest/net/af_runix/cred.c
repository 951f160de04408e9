// SPDX-License-Identifier: GPL-2.0
/* Who is at the other end: SO_PEERCRED and SO_PEERGROUPS. */

#include "common.h"

#include <grp.h>

FAMILY_FIXTURE(cred);

static struct ucred peer(int fd)
{
	struct ucred c = { -2, -2, -2 };
	socklen_t len = sizeof(c);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) || len != sizeof(c))
		c.pid = -errno;
	return c;
}

#define EXPECT_PEER(_pid, _uid, _gid, _fd)				\
do {									\
	struct ucred __c = peer(_fd);					\
									\
	EXPECT_EQ(_pid, __c.pid);					\
	EXPECT_EQ((uid_t)(_uid), __c.uid);				\
	EXPECT_EQ((gid_t)(_gid), __c.gid);				\
} while (0)

TEST_F(cred, pair)
{
	EXPECT_PEER(getpid(), geteuid(), getegid(), self->fd[0]);
	EXPECT_PEER(getpid(), geteuid(), getegid(), self->fd[1]);
}

TEST_F(cred, nobody_there)
{
	struct name n = abstract_name(self->family, "n");
	int fd = xsocket(self->family);

	EXPECT_PEER(0, -1, -1, fd);
	ASSERT_EQ(0, xbind(fd, &n));
	EXPECT_PEER(0, -1, -1, fd);
	EXPECT_EQ(-ECONNREFUSED, xconnect(fd, &n));
	EXPECT_PEER(0, -1, -1, fd);
	/* A listener shows whom its clients will see. */
	ASSERT_EQ(0, rc(listen(fd, 1)));
	EXPECT_PEER(getpid(), geteuid(), getegid(), fd);
}

/* A process that does as it is told, one letter at a time. */
struct actor {
	pid_t pid;
	int fd;
};

static bool tell(struct actor *a, char what)
{
	char ch = 0;

	return write(a->fd, &what, 1) == 1 && read(a->fd, &ch, 1) == 1 && ch == what;
}

static void act(struct actor *a, int family, int l, const struct name *n)
{
	int sv[2], fd = -1;
	char ch;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		abort();
	a->fd = sv[0];
	a->pid = spawn();
	if (a->pid) {
		close(sv[1]);
		return;
	}
	close(sv[0]);
	while (read(sv[1], &ch, 1) == 1) {
		int err = 0;

		switch (ch) {
		case 'l':
			err = listen(l, 4);
			break;
		case 'c':
			fd = dial(family, n);
			err = fd < 0;
			break;
		case 'u':
			err = setgroups(3, (gid_t []) { 30, 10, 20 }) ||
			      setresgid(1001, 1002, 1002) ||
			      setresuid(2001, 2002, 2002);
			break;
		}
		if (err)
			_exit(1);
		if (write(sv[1], &ch, 1) != 1)
			_exit(1);
	}
	_exit(0);
}

/* The client sees who listened, the server who connected, as they were then. */
TEST_F(cred, connection)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4), s;
	struct actor a;

	ASSERT_LE(0, l);
	act(&a, self->family, l, &n);
	ASSERT_TRUE(tell(&a, 'c'));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_PEER(a.pid, geteuid(), getegid(), s);

	/* A change of identity is not seen... */
	ASSERT_TRUE(tell(&a, 'u'));
	EXPECT_PEER(a.pid, geteuid(), getegid(), s);
	/* ...but by those connected to later: effective, not real ones. */
	ASSERT_TRUE(tell(&a, 'c'));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_PEER(a.pid, 2002, 1002, s);

	/* The answer is there after the process has gone. */
	close(a.fd);
	EXPECT_EQ(0, reap(a.pid));
	EXPECT_PEER(a.pid, 2002, 1002, s);
}

/* Whoever called listen() last is the listener. */
TEST_F(cred, listen_refreshes)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4), c, c2;
	struct actor a;

	ASSERT_LE(0, l);
	act(&a, self->family, l, &n);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	EXPECT_PEER(getpid(), geteuid(), getegid(), c);
	ASSERT_TRUE(tell(&a, 'u'));
	ASSERT_TRUE(tell(&a, 'l'));
	c2 = dial(self->family, &n);
	ASSERT_LE(0, c2);
	EXPECT_PEER(a.pid, 2002, 1002, c2);
	EXPECT_PEER(a.pid, 2002, 1002, l);
	EXPECT_PEER(getpid(), geteuid(), getegid(), c);
	/* Accepting changes nothing about it. */
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_PEER(a.pid, 2002, 1002, c2);
}

TEST_F(cred, arguments)
{
	struct ucred c;
	socklen_t len = sizeof(c.pid);

	/* As much as there is room for. */
	c.uid = 77;
	EXPECT_EQ(0, rc(getsockopt(self->fd[0], SOL_SOCKET, SO_PEERCRED, &c, &len)));
	EXPECT_EQ(sizeof(c.pid), len);
	EXPECT_EQ(getpid(), c.pid);
	EXPECT_EQ(77, c.uid);
	len = 100;
	EXPECT_EQ(0, rc(getsockopt(self->fd[0], SOL_SOCKET, SO_PEERCRED, &c, &len)));
	EXPECT_EQ(sizeof(c), len);
	EXPECT_EQ(-EFAULT, rc(getsockopt(self->fd[0], SOL_SOCKET, SO_PEERCRED,
					 bad_ptr(), &len)));
	EXPECT_EQ(-ENOPROTOOPT, rc(setsockopt(self->fd[0], SOL_SOCKET, SO_PEERCRED,
					      &c, sizeof(c))));
}

TEST_F(cred, groups)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4), s;
	gid_t gids[8] = {};
	struct actor a;
	socklen_t len;

	ASSERT_LE(0, l);
	act(&a, self->family, l, &n);
	ASSERT_TRUE(tell(&a, 'u'));
	ASSERT_TRUE(tell(&a, 'c'));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);

	len = sizeof(gids);
	ASSERT_EQ(0, rc(getsockopt(s, SOL_SOCKET, SO_PEERGROUPS, gids, &len)));
	EXPECT_EQ(3 * sizeof(gid_t), len);
	EXPECT_EQ(10, gids[0]);
	EXPECT_EQ(20, gids[1]);
	EXPECT_EQ(30, gids[2]);

	/* Too little room: the size it takes. */
	len = 2 * sizeof(gid_t);
	EXPECT_EQ(-ERANGE, rc(getsockopt(s, SOL_SOCKET, SO_PEERGROUPS, gids, &len)));
	EXPECT_EQ(3 * sizeof(gid_t), len);
	EXPECT_EQ(-EFAULT, rc(getsockopt(s, SOL_SOCKET, SO_PEERGROUPS, bad_ptr(), &len)));

	len = sizeof(gids);
	EXPECT_EQ(-ENODATA, rc(getsockopt(xsocket(self->family), SOL_SOCKET,
					  SO_PEERGROUPS, gids, &len)));
}

TEST_HARNESS_MAIN
