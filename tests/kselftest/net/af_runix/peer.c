// SPDX-License-Identifier: GPL-2.0
/*
 * Who is at the other end, beyond what cred.c asks: a descriptor of the process, its
 * security label, and its ids as other namespaces have them.
 */

#include "packet.h"

#include <sched.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD	77
#endif

EVERY_FIXTURE(peer);

static int pidfd_of(int fd)
{
	socklen_t len = sizeof(int);
	int pidfd = -1;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len))
		return -errno;
	return len == sizeof(int) ? pidfd : -EBADMSG;
}

/* The process that a descriptor is of: 0 if it is none here, -1 if it has ended. */
static int pid_of(int pidfd)
{
	char path[64], line[100];
	int pid = -EINVAL;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "Pid: %d", &pid);
	if (f)
		fclose(f);
	return pid;
}

TEST_F(peer, pidfd)
{
	int fd = pidfd_of(self->fd[0]), nobody;
	pid_t pid;

	ASSERT_LE(0, fd);
	EXPECT_EQ(getpid(), pid_of(fd));
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	nobody = rc(socket(self->family, self->type, 0));
	EXPECT_EQ(-ENODATA, pidfd_of(nobody));

	/* It is of whoever made the pair, ended or not, and not of who has it now. */
	pid = spawn();
	if (!pid)
		_exit(pidfd_of(self->fd[1]) < 0 ||
		      pid_of(pidfd_of(self->fd[1])) != getppid());
	EXPECT_EQ(0, reap(pid));

	EXPECT_EQ(-EINVAL, rc(getsockopt(self->fd[0], SOL_SOCKET, SO_PEERPIDFD, &fd,
					 &(socklen_t){ -1 })));
	EXPECT_EQ(-ENOPROTOOPT, rc(setsockopt(self->fd[0], SOL_SOCKET, SO_PEERPIDFD, &fd,
					      sizeof(fd))));
}

/* One who has ended and has been waited for. */
TEST_F(peer, pidfd_of_the_dead)
{
	struct name n = abstract_name(self->family, "n");
	int l, s, fd;
	pid_t pid;

	l = bound(self->family, self->type, &n);
	ASSERT_LE(0, l);
	if (self->type == SOCK_DGRAM) {
		/* Only those in pairs know whose their peer is. */
		ASSERT_LE(0, s = joined(self->family, self->type, &n));
		EXPECT_EQ(-ENODATA, pidfd_of(s));
		return;
	}
	ASSERT_EQ(0, rc(listen(l, 4)));
	pid = spawn();
	if (!pid)
		_exit(joined(self->family, self->type, &n) < 0);
	EXPECT_EQ(0, reap(pid));
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	fd = pidfd_of(s);
	if (variant->runix) {
		EXPECT_EQ(-ESRCH, fd);
		return;
	}
	EXPECT_LE(0, fd);
	EXPECT_EQ(-1, pid_of(fd));
}

/* The label of the peer, without a NUL, or the error. */
static int label(int fd, char *buf, socklen_t room)
{
	socklen_t len = room;

	memset(buf, 0, room);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERSEC, buf, &len))
		return -errno;
	return strnlen(buf, len);
}

static bool has_apparmor(void)
{
	FILE *f = fopen("/sys/module/apparmor/parameters/enabled", "re");
	int ch = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return ch == 'Y';
}

/* Connections have labels where AppArmor is in force, which has such. */
TEST_F(peer, label)
{
	struct name n = abstract_name(self->family, "n");
	char buf[100];
	int l, c, s, want, none;

	l = bound(self->family, self->type, &n);
	ASSERT_LE(0, l);
	none = rc(socket(self->family, self->type, 0));
	EXPECT_EQ(-ENOPROTOOPT, label(none, buf, sizeof(buf)));
	EXPECT_EQ(-ENOPROTOOPT, label(l, buf, sizeof(buf)));
	if (self->type == SOCK_DGRAM) {
		/* Datagram sockets have peers, but not for good. */
		c = joined(self->family, self->type, &n);
		ASSERT_LE(0, c);
		EXPECT_EQ(-ENOPROTOOPT, label(c, buf, sizeof(buf)));
		return;
	}
	ASSERT_EQ(0, rc(listen(l, 4)));
	c = joined(self->family, self->type, &n);
	ASSERT_LE(0, c);
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	want = has_apparmor() ? (int)strlen("unconfined") : -ENOPROTOOPT;
	EXPECT_EQ(want, label(c, buf, sizeof(buf))) TH_LOG("%s", buf);
	EXPECT_EQ(want, label(s, buf, sizeof(buf))) TH_LOG("%s", buf);
	if (want < 0)
		return;
	EXPECT_STREQ("unconfined", buf);
	/* Too little room: the length it takes. */
	EXPECT_EQ(-ERANGE, label(c, buf, 3));
	/* The label stays when the peer goes. */
	close(s);
	EXPECT_EQ(want, label(c, buf, sizeof(buf)));
}

/* The ends of a pair are labelled by AppArmor itself, for AF_UNIX alone. */
TEST_F(peer, label_of_pair)
{
	int want = !variant->runix && has_apparmor() ? (int)strlen("unconfined") : -ENOPROTOOPT;
	char buf[100];

	EXPECT_EQ(want, label(self->fd[0], buf, sizeof(buf)));
	EXPECT_EQ(want, label(self->fd[1], buf, sizeof(buf)));
}

/* The peer as seen from another user namespace, and another pid namespace. */
TEST_F(peer, namespaces)
{
	struct ucred c = {};
	socklen_t len = sizeof(c);
	pid_t pid = spawn();

	if (!pid) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWPID))
			_exit(1);
		/* No id is mapped, so all are the one for that. */
		if (getsockopt(self->fd[0], SOL_SOCKET, SO_PEERCRED, &c, &len))
			_exit(2);
		if (c.uid != 65534 || c.gid != 65534 || c.pid != getppid())
			_exit(3);
		/* The pid namespace is that of the first child. */
		pid = spawn();
		if (!pid) {
			if (getsockopt(self->fd[0], SOL_SOCKET, SO_PEERCRED, &c, &len))
				_exit(4);
			_exit(c.pid ? 5 : 0);
		}
		_exit(reap(pid));
	}
	EXPECT_EQ(0, reap(pid));
	ASSERT_EQ(0, rc(getsockopt(self->fd[0], SOL_SOCKET, SO_PEERCRED, &c, &len)));
	EXPECT_EQ(getpid(), c.pid);
	EXPECT_EQ(geteuid(), c.uid);
}

TEST_HARNESS_MAIN
