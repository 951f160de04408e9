// SPDX-License-Identifier: GPL-2.0
/* Abstract names, names of the kernel's choice, and network namespaces. */

#include "common.h"

#include <sched.h>

FAMILY_FIXTURE(abstract);

/* A name of exactly these bytes. */
static struct name raw_name(int family, const void *bytes, size_t len)
{
	struct name n = { .len = PATH_OFF + len };

	n.un.sun_family = family;
	memcpy(n.bytes + PATH_OFF, bytes, len);
	return n;
}

static int bound(int family, const struct name *n)
{
	int fd = xsocket(family), err = xbind(fd, n);

	if (!err)
		return fd;
	close(fd);
	return err;
}

TEST_F(abstract, connects)
{
	struct name n = abstract_name(self->family, "n"), got;
	int l = listener(self->family, &n, 4), c, s;
	char ch;

	ASSERT_LE(0, l);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(0, xgetsockname(l, &got));
	EXPECT_TRUE(same_name(&n, &got));
	EXPECT_EQ(0, xgetsockname(s, &got));
	EXPECT_TRUE(same_name(&n, &got));
	EXPECT_EQ(0, xgetpeername(c, &got));
	EXPECT_TRUE(same_name(&n, &got));
	EXPECT_EQ(1, rc(send(c, "x", 1, 0)));
	EXPECT_EQ(1, rc(recv(s, &ch, 1, 0)));
	/* Nothing of it shows in the file system. */
	EXPECT_EQ(-ENOENT, rc(access(n.un.sun_path + 1, F_OK)));
}

/* The length is part of the name; every byte of it counts, NUL or not. */
TEST_F(abstract, length_delimited)
{
	struct name base = abstract_name(self->family, "x"), got;
	int fd[4], i;

	for (i = 0; i < 4; i++) {
		struct name n = base;

		n.len += i;	/* trailing NULs */
		fd[i] = listener(self->family, &n, 1);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(0, xgetsockname(fd[i], &got));
		EXPECT_EQ(base.len + i, got.len);
		EXPECT_TRUE(same_name(&n, &got));
		EXPECT_EQ(-EADDRINUSE, bound(self->family, &n));
	}
	base.len += 4;
	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &base));
	base.len -= 2;
	EXPECT_LE(0, dial(self->family, &base));
	EXPECT_EQ(POLL_R, poll_mask(fd[2]));
	EXPECT_EQ(0, poll_mask(fd[1]));
	EXPECT_EQ(0, poll_mask(fd[3]));
}

TEST_F(abstract, any_bytes)
{
	unsigned char bytes[108];
	struct name a, b, got;
	int fa, fb, i;

	bytes[0] = 0;
	for (i = 1; i < 108; i++)
		bytes[i] = getpid() * 3 + i * 7;
	a = raw_name(self->family, bytes, 108);
	fa = listener(self->family, &a, 1);
	ASSERT_LE(0, fa);
	ASSERT_EQ(0, xgetsockname(fa, &got));
	EXPECT_EQ(sizeof(struct sockaddr_un), got.len);
	EXPECT_TRUE(same_name(&a, &got));

	/* One bit of the last byte makes another name. */
	bytes[107] ^= 1;
	b = raw_name(self->family, bytes, 108);
	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &b));
	fb = bound(self->family, &b);
	ASSERT_LE(0, fb);
	EXPECT_EQ(-EADDRINUSE, bound(self->family, &a));
}

/* The shortest name is a NUL alone. */
TEST_F(abstract, shortest)
{
	struct name n = raw_name(self->family, "", 1), got;
	int fd;

	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	fd = listener(self->family, &n, 1);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_EQ(PATH_OFF + 1, got.len);
	EXPECT_LE(0, dial(self->family, &n));
}

TEST_F(abstract, not_a_path)
{
	struct name n = path_name(self->family, "same");
	struct name a = raw_name(self->family, "\0same", 5);
	int fd;

	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	fd = listener(self->family, &a, 1);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOENT, dial(self->family, &n));
	EXPECT_LE(0, listener(self->family, &n, 1));
}

TEST_F(abstract, refused)
{
	struct name n = abstract_name(self->family, "n");

	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &n));
	ASSERT_LE(0, bound(self->family, &n));
	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &n));
}

TEST_F(abstract, in_use)
{
	struct name n = abstract_name(self->family, "n");
	struct name m = abstract_name(self->family, "m"), got;
	int fd = xsocket(self->family), other = xsocket(self->family);

	ASSERT_EQ(0, xbind(fd, &n));
	EXPECT_EQ(-EADDRINUSE, xbind(other, &n));
	/* A bound socket stays as it is, whatever the new name. */
	EXPECT_EQ(-EINVAL, xbind(fd, &m));
	EXPECT_EQ(-EINVAL, xbind(fd, &n));
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_TRUE(same_name(&n, &got));
	/* The loser is unharmed. */
	EXPECT_EQ(0, xbind(other, &m));
}

/* The name goes with the socket, not with its connections. */
TEST_F(abstract, vanishes)
{
	struct name n = abstract_name(self->family, "n"), got;
	int l = listener(self->family, &n, 4), copy = dup(l), c, s;

	ASSERT_LE(0, l);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);

	close(l);
	EXPECT_EQ(-EADDRINUSE, bound(self->family, &n));
	close(copy);
	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &n));
	l = listener(self->family, &n, 4);
	ASSERT_LE(0, l);
	EXPECT_EQ(0, xgetsockname(s, &got));
	EXPECT_TRUE(same_name(&n, &got));
	EXPECT_EQ(1, rc(send(c, "x", 1, MSG_NOSIGNAL)));
}

/* A bind of nothing but the family: five lower-case hex digits. */
TEST_F(abstract, autobind)
{
	struct name none = { .len = PATH_OFF }, a, b, got;
	int fa = xsocket(self->family), fb = xsocket(self->family), i;

	none.un.sun_family = self->family;
	ASSERT_EQ(0, xbind(fa, &none));
	ASSERT_EQ(0, xbind(fb, &none));
	ASSERT_EQ(0, xgetsockname(fa, &a));
	ASSERT_EQ(0, xgetsockname(fb, &b));
	EXPECT_FALSE(same_name(&a, &b));
	EXPECT_EQ(PATH_OFF + 6, a.len);
	EXPECT_EQ(self->family, a.sa.sa_family);
	EXPECT_EQ(0, a.un.sun_path[0]);
	for (i = 1; i < 6; i++) {
		EXPECT_NE(NULL, strchr("0123456789abcdef", a.un.sun_path[i]));
	}

	/* It is a name like any other. */
	EXPECT_EQ(-EADDRINUSE, bound(self->family, &a));
	ASSERT_EQ(0, rc(listen(fa, 1)));
	EXPECT_LE(0, dial(self->family, &a));

	/* Asking again changes nothing and is no error. */
	EXPECT_EQ(0, xbind(fa, &none));
	ASSERT_EQ(0, xgetsockname(fa, &got));
	EXPECT_TRUE(same_name(&a, &got));
	got = abstract_name(self->family, "n");
	EXPECT_EQ(-EINVAL, xbind(fa, &got));
}

TEST_F(abstract, autobind_many)
{
	enum { NR = 300 };
	struct name none = { .len = PATH_OFF };
	static struct name n[NR];
	int i, j, fd;

	none.un.sun_family = self->family;
	for (i = 0; i < NR; i++) {
		fd = xsocket(self->family);
		ASSERT_EQ(0, xbind(fd, &none));
		ASSERT_EQ(0, xgetsockname(fd, &n[i]));
		ASSERT_EQ(PATH_OFF + 6, n[i].len);
		for (j = 0; j < i; j++) {
			ASSERT_FALSE(same_name(&n[i], &n[j]));
		}
	}
}

/* Wanting to pass credentials gives a connecting socket a name. */
TEST_F(abstract, autobind_on_connect)
{
	struct name n = abstract_name(self->family, "n"), got;
	struct name p = path_name(self->family, "mine");
	int l = listener(self->family, &n, 4), fd, err;

	ASSERT_LE(0, l);
	fd = xsocket(self->family);
	err = setint(fd, SO_PASSCRED, 1);
	if (variant->runix && err == -EOPNOTSUPP)
		SKIP(return, "the family passes no credentials yet");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, xconnect(fd, &n));
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_EQ(PATH_OFF + 6, got.len);

	/* One that has a name keeps it. */
	fd = xsocket(self->family);
	ASSERT_EQ(0, setint(fd, SO_PASSCRED, 1));
	ASSERT_EQ(0, xbind(fd, &p));
	ASSERT_EQ(0, xconnect(fd, &n));
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_TRUE(same_name(&p, &got));

	/* And one that does not ask gets none. */
	fd = xsocket(self->family);
	ASSERT_EQ(0, xconnect(fd, &n));
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_EQ(PATH_OFF, got.len);
}

/* Abstract names are of a network namespace; so is a socket, for life. */
TEST_F(abstract, namespaces)
{
	struct name n = abstract_name(self->family, "n"), got;
	int early = xsocket(self->family), late, l, l2, c;

	l = listener(self->family, &n, 4);
	ASSERT_LE(0, l);
	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));

	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &n));
	EXPECT_EQ(-EADDRINUSE, xbind(early, &n));

	l2 = listener(self->family, &n, 4);
	ASSERT_LE(0, l2);
	late = dial(self->family, &n);
	ASSERT_LE(0, late);
	EXPECT_EQ(0, poll_mask(l));
	EXPECT_EQ(POLL_R, poll_mask(l2));

	EXPECT_EQ(0, xconnect(early, &n));
	EXPECT_EQ(POLL_R, poll_mask(l));
	/* What is accepted belongs where its listener does. */
	c = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, c);
	EXPECT_EQ(0, xgetsockname(c, &got));
	EXPECT_TRUE(same_name(&n, &got));
}

TEST_F(abstract, paths_cross_namespaces)
{
	struct name n = path_name(self->family, "s");
	int l = listener(self->family, &n, 4), c, s;
	char ch;

	ASSERT_LE(0, l);
	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(1, rc(send(c, "x", 1, 0)));
	EXPECT_EQ(1, rc(recv(s, &ch, 1, 0)));
	EXPECT_EQ(-EADDRINUSE, bound(self->family, &n));
}

/* A namespace that ends while sockets of it live, and the other way round. */
TEST_F(abstract, namespace_ends)
{
	struct name n = abstract_name(self->family, "n");
	int round;

	for (round = 0; round < 3; round++) {
		int sv[2], l, c, before = count_fds();
		pid_t pid;
		char ch;

		ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, sv)));
		pid = spawn();
		if (!pid) {
			if (unshare(CLONE_NEWNET))
				_exit(1);
			l = listener(self->family, &n, 1);
			c = dial(self->family, &n);
			if (l < 0 || c < 0)
				_exit(2);
			_exit(send(sv[1], "x", 1, 0) != 1);
		}
		ASSERT_LT(0, pid);
		EXPECT_EQ(0, reap(pid));
		EXPECT_EQ(1, rc(recv(sv[0], &ch, 1, 0)));
		close(sv[0]);
		close(sv[1]);
		EXPECT_EQ(before, count_fds());
		EXPECT_EQ(-ECONNREFUSED, dial(self->family, &n));
	}
}

TEST_HARNESS_MAIN
