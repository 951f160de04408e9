// SPDX-License-Identifier: GPL-2.0
/*
 * Landlock: who is shut in a domain reaches no abstract socket outside of it where the
 * domain is scoped so, and no socket by its file where that right is handled and not
 * given. What is reached within the domain, or was before, stays.
 */

#include "packet.h"

#include <linux/landlock.h>

/* Younger than some kernels; one that lacks it refuses it. */
#ifndef LANDLOCK_ACCESS_FS_RESOLVE_UNIX
#define LANDLOCK_ACCESS_FS_RESOLVE_UNIX	(1ULL << 16)
#endif

EVERY_FIXTURE(landlock);

/* How many bytes of the structure a kernel of this age knows does not matter: the rest is 0. */
static int ruleset(uint64_t fs, uint64_t scoped)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = fs, .scoped = scoped };

	return rc(syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0));
}

static int allow_beneath(int rules, uint64_t fs, const char *path)
{
	struct landlock_path_beneath_attr attr = {
		.allowed_access = fs,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};
	int err = rc(syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
			     &attr, 0));

	close(attr.parent_fd);
	return err;
}

/* For good; to be done in a child. */
static int restrict_self(int rules)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return rc(syscall(SYS_landlock_restrict_self, rules, 0));
}

#define NEED(_rules)							\
do {									\
	if ((_rules) < 0)						\
		SKIP(return, "this kernel's Landlock does not do that: %s",	\
		     strerror(-(_rules)));				\
} while (0)

#define SCOPED	ruleset(0, LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET)
#define RESOLVE	ruleset(LANDLOCK_ACCESS_FS_RESOLVE_UNIX, 0)

/* A socket at @n that can be connected to. */
static int serve(int family, int type, const struct name *n)
{
	int fd = bound(family, type, n);

	if (fd >= 0 && type != SOCK_DGRAM && listen(fd, 8))
		abort();
	return fd;
}

/* connect() of a new socket: 0 or the error. */
static int reach(int family, int type, const struct name *n)
{
	int fd = joined(family, type, n);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* What a child that is shut in gets for the expression; 99 if it cannot be shut in. */
#define SHUT_IN(_rules, _expr)	IN_CHILD(restrict_self(_rules) ? -99 : (_expr))

TEST_F(landlock, abstract_outside)
{
	struct name n = abstract_name(self->family, "n");
	int rules = SCOPED;

	NEED(rules);
	ASSERT_LE(0, serve(self->family, self->type, &n));
	EXPECT_EQ(0, IN_CHILD(reach(self->family, self->type, &n)));
	EXPECT_EQ(-EPERM, SHUT_IN(rules, reach(self->family, self->type, &n)));
	if (self->type == SOCK_DGRAM) {
		int fd = dgram(self->family);

		EXPECT_EQ(-EPERM, SHUT_IN(rules, say_to(fd, "x", &n)));
		EXPECT_EQ(1, say_to(fd, "x", &n));
	}
}

/* The domain is that of who made the socket, not of who holds it. */
TEST_F(landlock, abstract_made_before)
{
	struct name n = abstract_name(self->family, "n");
	struct name late = abstract_name(self->family, "late");
	int rules = SCOPED, fd;

	NEED(rules);
	ASSERT_LE(0, serve(self->family, self->type, &n));
	fd = rc(socket(self->family, self->type, 0));
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EPERM, SHUT_IN(rules,
		xbind(fd, &late) ? -98 :
		self->type != SOCK_DGRAM && listen(fd, 1) ? -97 :
		reach(self->family, self->type, &late)));
	EXPECT_EQ(-EPERM, SHUT_IN(rules, reach(self->family, self->type, &n)));
}

TEST_F(landlock, abstract_inside)
{
	struct name n = abstract_name(self->family, "n");
	struct name mine = abstract_name(self->family, "mine");
	struct name inner = abstract_name(self->family, "inner");
	int rules = SCOPED;
	pid_t pid;

	NEED(rules);
	ASSERT_LE(0, serve(self->family, self->type, &n));
	pid = spawn();
	if (!pid) {
		if (restrict_self(rules))
			_exit(1);
		if (serve(self->family, self->type, &mine) < 0 ||
		    reach(self->family, self->type, &mine))
			_exit(2);
		/* A domain within it reaches what is further in, not what is further out. */
		pid = spawn();
		if (!pid) {
			if (restrict_self(rules))
				_exit(3);
			if (reach(self->family, self->type, &mine) != -EPERM)
				_exit(4);
			_exit(serve(self->family, self->type, &inner) < 0 ||
			      reach(self->family, self->type, &inner) ? 5 : 0);
		}
		if (reap(pid))
			_exit(6);
		_exit(0);
	}
	EXPECT_EQ(0, reap(pid));
	/* From outside, all is reached. */
	EXPECT_EQ(0, reach(self->family, self->type, &n));
}

/* Connections that are there, pairs and files are not concerned. */
TEST_F(landlock, abstract_not_concerned)
{
	struct name n = abstract_name(self->family, "n");
	struct name p = path_name(self->family, "p");
	int rules = SCOPED, fd, sv[2];

	NEED(rules);
	ASSERT_LE(0, serve(self->family, self->type, &n));
	ASSERT_LE(0, serve(self->family, self->type, &p));
	fd = joined(self->family, self->type, &n);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, SHUT_IN(rules, say(fd, "x") == 1 ? 0 : -EIO));
	EXPECT_EQ(0, SHUT_IN(rules, say(self->fd[0], "x") == 1 ? 0 : -EIO));
	EXPECT_EQ(0, SHUT_IN(rules, reach(self->family, self->type, &p)));
	EXPECT_EQ(0, SHUT_IN(rules, socketpair(self->family, self->type, 0, sv) ? -EIO :
			     say(sv[0], "x") == 1 ? 0 : -EIO));
	EXPECT_MSG("x", self->fd[1]);
	if (self->type == SOCK_DGRAM) {
		/* To the peer it has, also by name. */
		EXPECT_EQ(0, SHUT_IN(rules, say_to(fd, "x", &n) == 1 ? 0 : -EIO));
		EXPECT_EQ(0, SHUT_IN(rules, xconnect(fd, &n)));
	}
}

/* Other reasons to fail come first. */
TEST_F(landlock, abstract_order)
{
	struct name n = abstract_name(self->family, "n");
	struct name free = abstract_name(self->family, "free");
	int rules = SCOPED, fd;

	NEED(rules);
	EXPECT_EQ(-ECONNREFUSED, SHUT_IN(rules, reach(self->family, self->type, &free)));
	fd = bound(self->family, self->type, &n);
	ASSERT_LE(0, fd);
	if (self->type == SOCK_DGRAM) {
		ASSERT_EQ(0, xconnect(self->fd[1], &n));
		ASSERT_EQ(0, xconnect(fd, &n));
		EXPECT_EQ(-EPERM, SHUT_IN(rules, reach(self->family, self->type, &n)));
		return;
	}
	/* Nobody listens. */
	EXPECT_EQ(-ECONNREFUSED, SHUT_IN(rules, reach(self->family, self->type, &n)));
	ASSERT_EQ(0, rc(listen(fd, 8)));
	EXPECT_EQ(-EISCONN, SHUT_IN(rules, xconnect(self->fd[0], &n)));
	EXPECT_EQ(-EPERM, SHUT_IN(rules, reach(self->family, self->type, &n)));
	ASSERT_EQ(0, rc(shutdown(fd, SHUT_RD)));
	EXPECT_EQ(-ECONNREFUSED, SHUT_IN(rules, reach(self->family, self->type, &n)));
}

/* Nothing is left of what was refused. */
TEST_F(landlock, refused_whole)
{
	struct name n = abstract_name(self->family, "n"), got;
	int rules = SCOPED, l;
	pid_t pid;

	NEED(rules);
	l = serve(self->family, self->type, &n);
	ASSERT_LE(0, l);
	pid = spawn();
	if (!pid) {
		int fd = rc(socket(self->family, self->type, 0));

		if (restrict_self(rules))
			_exit(1);
		if (xconnect(fd, &n) != -EPERM || xgetpeername(fd, &got) != -ENOTCONN)
			_exit(2);
		n = abstract_name(self->family, "inside");
		_exit(serve(self->family, self->type, &n) < 0 || xconnect(fd, &n) ? 3 : 0);
	}
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(0, poll_mask(l) & POLLIN);
}

TEST_F(landlock, file)
{
	struct name n = path_name(self->family, "dir/s");
	int none = RESOLVE, some = RESOLVE, other = RESOLVE;

	NEED(none);
	ASSERT_EQ(0, mkdir("dir", 0755));
	ASSERT_EQ(0, mkdir("elsewhere", 0755));
	ASSERT_LE(0, serve(self->family, self->type, &n));
	ASSERT_EQ(0, allow_beneath(some, LANDLOCK_ACCESS_FS_RESOLVE_UNIX, "dir"));
	ASSERT_EQ(0, allow_beneath(other, LANDLOCK_ACCESS_FS_RESOLVE_UNIX, "elsewhere"));
	EXPECT_EQ(-EACCES, SHUT_IN(none, reach(self->family, self->type, &n)));
	EXPECT_EQ(-EACCES, SHUT_IN(other, reach(self->family, self->type, &n)));
	EXPECT_EQ(0, SHUT_IN(some, reach(self->family, self->type, &n)));
	if (self->type == SOCK_DGRAM) {
		int fd = dgram(self->family);

		EXPECT_EQ(-EACCES, SHUT_IN(none, say_to(fd, "x", &n)));
		EXPECT_EQ(0, SHUT_IN(some, say_to(fd, "x", &n) == 1 ? 0 : -EIO));
	}
	/* The file is what counts, by whatever name. */
	ASSERT_EQ(0, symlink("../dir/s", "elsewhere/sym"));
	ASSERT_EQ(0, link("dir/s", "elsewhere/hard"));
	n = path_name(self->family, "elsewhere/sym");
	EXPECT_EQ(-EACCES, SHUT_IN(other, reach(self->family, self->type, &n)));
	EXPECT_EQ(0, SHUT_IN(some, reach(self->family, self->type, &n)));
	n = path_name(self->family, "elsewhere/hard");
	EXPECT_EQ(0, SHUT_IN(other, reach(self->family, self->type, &n)));
	EXPECT_EQ(-EACCES, SHUT_IN(some, reach(self->family, self->type, &n)));
}

/* A server in the same domain is reached without a rule; abstract names anyway. */
TEST_F(landlock, file_inside)
{
	struct name a = abstract_name(self->family, "a");
	struct name n = path_name(self->family, "s");
	int rules = RESOLVE;

	NEED(rules);
	ASSERT_LE(0, serve(self->family, self->type, &a));
	EXPECT_EQ(0, SHUT_IN(rules, serve(self->family, self->type, &n) < 0 ? -98 :
			     reach(self->family, self->type, &n)));
	EXPECT_EQ(0, SHUT_IN(rules, reach(self->family, self->type, &a)));
}

/* What is wrong with the file comes first, what is wrong with the socket afterwards. */
TEST_F(landlock, file_order)
{
	struct name n = path_name(self->family, "s");
	int other = self->type == SOCK_STREAM ? SOCK_DGRAM : SOCK_STREAM;
	int rules = RESOLVE, fd;

	NEED(rules);
	EXPECT_EQ(-ENOENT, SHUT_IN(rules, reach(self->family, self->type, &n)));
	fd = bound(self->family, self->type, &n);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EPROTOTYPE, SHUT_IN(rules, reach(self->family, other, &n)));
	/* Nobody listens, nor may it be asked for. */
	EXPECT_EQ(-EACCES, SHUT_IN(rules, reach(self->family, self->type, &n)));
	close(fd);
	EXPECT_EQ(-ECONNREFUSED, SHUT_IN(rules, reach(self->family, self->type, &n)));
}

/* A file that may not be made is no name. */
TEST_F(landlock, bind)
{
	struct name n = path_name(self->family, "s");
	struct name a = abstract_name(self->family, "a");
	int rules = ruleset(LANDLOCK_ACCESS_FS_MAKE_SOCK, 0);
	struct stat st;

	NEED(rules);
	EXPECT_EQ(-EACCES, SHUT_IN(rules, bound(self->family, self->type, &n)));
	EXPECT_EQ(-ENOENT, rc(stat("s", &st)));
	EXPECT_EQ(0, SHUT_IN(rules, bound(self->family, self->type, &a) < 0));
	ASSERT_EQ(0, allow_beneath(rules, LANDLOCK_ACCESS_FS_MAKE_SOCK, "."));
	EXPECT_EQ(0, SHUT_IN(rules, bound(self->family, self->type, &n) < 0));
	EXPECT_EQ(0, stat("s", &st));
}

TEST_HARNESS_MAIN
