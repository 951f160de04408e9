// SPDX-License-Identifier: GPL-2.0
/* Creating sockets: types, protocols, flags, pairs, and what they answer. */

#include "common.h"

#include <sys/resource.h>
#include <sys/xattr.h>

FAMILY_FIXTURE(create);

TEST_F(create, stream)
{
	int fd = xsocket(self->family);

	ASSERT_LE(0, fd);
	EXPECT_EQ(SOCK_STREAM, getint(fd, SO_TYPE));
	EXPECT_EQ(self->family, getint(fd, SO_DOMAIN));
	EXPECT_EQ(0, getint(fd, SO_PROTOCOL));
	EXPECT_EQ(0, getint(fd, SO_ACCEPTCONN));
	EXPECT_EQ(0, getint(fd, SO_ERROR));
	EXPECT_EQ(O_RDWR, fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
	EXPECT_EQ(0, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, rc(close(fd)));
}

/* The family number is a valid protocol number too, and is forgotten. */
TEST_F(create, protocol)
{
	static const int bad[] = { 6, 17, 100, 255, 65536 };
	int fd, i;

	fd = rc(socket(self->family, SOCK_STREAM, self->family));
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, getint(fd, SO_PROTOCOL));

	for (i = 0; i < (int)ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EPROTONOSUPPORT,
			  rc(socket(self->family, SOCK_STREAM, bad[i])))
			TH_LOG("protocol %d", bad[i]);
	}
}

TEST_F(create, unknown_type)
{
	static const int unsupported[] = { 0, SOCK_RDM, SOCK_DCCP, 7, SOCK_PACKET };
	static const int invalid[] = { 11, 12, 15 };
	int i, pair[2];

	for (i = 0; i < (int)ARRAY_SIZE(unsupported); i++) {
		EXPECT_EQ(-ESOCKTNOSUPPORT,
			  rc(socket(self->family, unsupported[i], 0)))
			TH_LOG("type %d", unsupported[i]);
		EXPECT_EQ(-ESOCKTNOSUPPORT,
			  rc(socketpair(self->family, unsupported[i], 0, pair)))
			TH_LOG("type %d", unsupported[i]);
	}
	for (i = 0; i < (int)ARRAY_SIZE(invalid); i++) {
		EXPECT_EQ(-EINVAL, rc(socket(self->family, invalid[i], 0)))
			TH_LOG("type %d", invalid[i]);
	}
	/* The type is looked at before the protocol by neither or both. */
	EXPECT_EQ(-EPROTONOSUPPORT, rc(socket(self->family, SOCK_RDM, 99)));
}

TEST_F(create, flags)
{
	int fd;

	fd = rc(socket(self->family, SOCK_STREAM | SOCK_NONBLOCK, 0));
	ASSERT_LE(0, fd);
	EXPECT_EQ(O_NONBLOCK, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(0, fcntl(fd, F_GETFD));

	fd = rc(socket(self->family, SOCK_STREAM | SOCK_CLOEXEC, 0));
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(SOCK_STREAM, getint(fd, SO_TYPE));

	EXPECT_EQ(-EINVAL, rc(socket(self->family, SOCK_STREAM | 0x10, 0)));
	EXPECT_EQ(-EINVAL, rc(socket(self->family, SOCK_STREAM | 1 << 20, 0)));
}

TEST_F(create, pair)
{
	struct name n;
	char buf[4];
	int i;

	for (i = 0; i < 2; i++) {
		int fd = self->fd[i];

		EXPECT_EQ(SOCK_STREAM, getint(fd, SO_TYPE));
		EXPECT_EQ(self->family, getint(fd, SO_DOMAIN));
		EXPECT_EQ(0, getint(fd, SO_PROTOCOL));
		EXPECT_EQ(0, getint(fd, SO_ACCEPTCONN));
		EXPECT_EQ(0, getint(fd, SO_ERROR));

		EXPECT_EQ(0, xgetsockname(fd, &n));
		EXPECT_EQ(PATH_OFF, n.len);
		EXPECT_EQ(self->family, n.sa.sa_family);
		EXPECT_EQ(0, xgetpeername(fd, &n));
		EXPECT_EQ(PATH_OFF, n.len);
		EXPECT_EQ(self->family, n.sa.sa_family);

		EXPECT_EQ(3, rc(write(fd, "abc", 3)));
		EXPECT_EQ(3, rc(read(self->fd[!i], buf, sizeof(buf))));
		EXPECT_EQ(0, memcmp("abc", buf, 3));
	}
}

TEST_F(create, pair_flags)
{
	int pair[2], i;

	ASSERT_EQ(0, rc(socketpair(self->family,
				   SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				   self->family, pair)));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(O_NONBLOCK, fcntl(pair[i], F_GETFL) & O_NONBLOCK);
		EXPECT_EQ(FD_CLOEXEC, fcntl(pair[i], F_GETFD));
	}
	EXPECT_EQ(-EINVAL, rc(socketpair(self->family, SOCK_STREAM | 0x10, 0,
					 pair)));
}

/* A pair that cannot be made leaves no descriptor behind. */
TEST_F(create, pair_fails_whole)
{
	int before = count_fds(), pair[2];
	struct rlimit rl;

	ASSERT_LT(0, before);
	EXPECT_EQ(-EPROTONOSUPPORT, rc(socketpair(self->family, SOCK_STREAM, 99,
						  pair)));
	EXPECT_EQ(-EFAULT, rc(socketpair(self->family, SOCK_STREAM, 0,
					 bad_ptr())));

	/* Room for one more descriptor, not for two. */
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &rl));
	rl.rlim_cur = self->fd[1] + 2;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &rl));
	EXPECT_EQ(-EMFILE, rc(socketpair(self->family, SOCK_STREAM, 0, pair)));
	rl.rlim_cur = rl.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &rl));

	EXPECT_EQ(before, count_fds());
}

TEST_F(create, fstat)
{
	char path[64], link[64] = {}, want[64];
	struct stat a, b;
	mode_t mask;

	mask = umask(022);
	ASSERT_EQ(0, fstat(self->fd[0], &a));
	ASSERT_EQ(0, fstat(self->fd[1], &b));
	umask(mask);

	EXPECT_TRUE(S_ISSOCK(a.st_mode));
	EXPECT_EQ(0777, a.st_mode & 07777);
	EXPECT_EQ(1, a.st_nlink);
	EXPECT_EQ(0, a.st_size);
	EXPECT_EQ(geteuid(), a.st_uid);
	EXPECT_EQ(getegid(), a.st_gid);
	EXPECT_NE(0, a.st_ino);
	EXPECT_NE(a.st_ino, b.st_ino);
	EXPECT_EQ(a.st_dev, b.st_dev);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd[0]);
	snprintf(want, sizeof(want), "socket:[%lu]", (unsigned long)a.st_ino);
	ASSERT_LT(0, readlink(path, link, sizeof(link) - 1));
	EXPECT_STREQ(want, link);
	/* There is nothing in the file system to open again. */
	EXPECT_EQ(-ENXIO, rc(open(path, O_RDWR)));
}

TEST_F(create, protocol_name)
{
	char want[32], got[32] = {};

	snprintf(want, sizeof(want), "%s-STREAM", family_name(self->family));
	EXPECT_EQ(strlen(want) + 1, rc(fgetxattr(self->fd[0],
						 "system.sockprotoname",
						 got, sizeof(got))));
	EXPECT_STREQ(want, got);
}

/* A note may be pinned to a socket, where the kernel lets it. */
TEST_F(create, user_attributes)
{
	int err = rc(fsetxattr(self->fd[0], "user.note", "mine", 4, 0));
	char got[8] = {};

	if (err == -EPERM || err == -EOPNOTSUPP)
		SKIP(return, "this kernel pins no notes to sockets");
	ASSERT_EQ(0, err);
	EXPECT_EQ(4, rc(fgetxattr(self->fd[0], "user.note", got, sizeof(got))));
	EXPECT_STREQ("mine", got);
	EXPECT_EQ(-ENODATA, rc(fgetxattr(self->fd[1], "user.note", got, sizeof(got))));
	EXPECT_EQ(0, rc(fremovexattr(self->fd[0], "user.note")));
	EXPECT_EQ(-ENODATA, rc(fgetxattr(self->fd[0], "user.note", got, sizeof(got))));
}

/* An accepted socket answers like any other; a listener says so. */
TEST_F(create, accepted)
{
	struct name n = abstract_name(self->family, "l");
	int l, c, s;
	struct stat st;

	l = listener(self->family, &n, 4);
	ASSERT_LE(0, l);
	EXPECT_EQ(1, getint(l, SO_ACCEPTCONN));
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	EXPECT_EQ(0, getint(c, SO_ACCEPTCONN));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);

	EXPECT_EQ(SOCK_STREAM, getint(s, SO_TYPE));
	EXPECT_EQ(self->family, getint(s, SO_DOMAIN));
	EXPECT_EQ(0, getint(s, SO_PROTOCOL));
	EXPECT_EQ(0, getint(s, SO_ACCEPTCONN));
	EXPECT_EQ(0, getint(s, SO_ERROR));
	ASSERT_EQ(0, fstat(s, &st));
	EXPECT_TRUE(S_ISSOCK(st.st_mode));
	EXPECT_EQ(geteuid(), st.st_uid);
}

/* The socket lives as long as one descriptor does, in any process. */
TEST_F(create, shared)
{
	int copy = dup(self->fd[0]);
	char c;
	pid_t pid;

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, close(self->fd[0]));
	EXPECT_EQ(POLL_W, poll_mask(self->fd[1]));
	EXPECT_EQ(1, rc(send(copy, "x", 1, MSG_NOSIGNAL)));
	EXPECT_EQ(1, rc(recv(self->fd[1], &c, 1, MSG_DONTWAIT)));

	pid = spawn();
	if (!pid) {
		close(self->fd[1]);
		if (recv(copy, &c, 1, 0) != 1 || c != 'p')
			_exit(1);
		_exit(send(copy, "q", 1, MSG_NOSIGNAL) != 1);
	}
	ASSERT_LT(0, pid);
	close(copy);
	EXPECT_EQ(1, rc(send(self->fd[1], "p", 1, MSG_NOSIGNAL)));
	EXPECT_EQ(1, rc(recv(self->fd[1], &c, 1, 0)));
	EXPECT_EQ('q', c);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(0, rc(recv(self->fd[1], &c, 1, 0)));
}

/* Closing on exec ends the connection. */
TEST_F(create, close_on_exec)
{
	pid_t pid;
	char c;

	ASSERT_EQ(0, fcntl(self->fd[0], F_SETFD, FD_CLOEXEC));
	pid = spawn();
	if (!pid) {
		close(self->fd[1]);
		close(STDERR_FILENO);
		execl("/proc/self/exe", "create", "-h", NULL);
		_exit(127);
	}
	ASSERT_LT(0, pid);
	close(self->fd[0]);
	EXPECT_EQ(0, rc(recv(self->fd[1], &c, 1, 0)));
	EXPECT_EQ(KSFT_SKIP, reap(pid));
}

TEST_F(create, many)
{
	enum { NR = 200 };
	int before = count_fds(), fd[NR], i;

	for (i = 0; i < NR; i += 2) {
		ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, fd + i)));
	}
	for (i = 0; i < NR; i++) {
		ASSERT_EQ(1, rc(send(fd[i], (char []) { i }, 1, 0)));
	}
	for (i = 0; i < NR; i++) {
		unsigned char c;

		ASSERT_EQ(1, rc(recv(fd[i], &c, 1, MSG_DONTWAIT)));
		ASSERT_EQ((i ^ 1) & 0xff, c);
	}
	for (i = 0; i < NR; i++) {
		ASSERT_EQ(0, rc(close(fd[i])));
	}
	EXPECT_EQ(before, count_fds());
}

TEST_HARNESS_MAIN
