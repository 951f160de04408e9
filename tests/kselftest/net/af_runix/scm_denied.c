// SPDX-License-Identifier: GPL-2.0
/* Files that a security module withholds, and SO_RIGHTS_NOTRUNC. */

#include "scm.h"
#include "lsm.h"

#include <sys/resource.h>

EVERY_FIXTURE(scm_denied);

/* A file that may be received, and one that may not. */
static int file(bool denied)
{
	int fd = rc(syscall(SYS_memfd_create, "f", 0));

	return fd < 0 || (denied && fcntl(fd, F_SETFL, O_APPEND)) ? -1 : fd;
}

#define NEED_DENIAL()							\
do {									\
	int __fd = withhold(O_APPEND, EACCES);				\
									\
	if (__fd == -ENOSYS)						\
		SKIP(return, "no BPF programs as security module");	\
	ASSERT_LE(0, __fd);						\
} while (0)

#define NEED_NOTRUNC()							\
do {									\
	int __fd = rc(socket(AF_UNIX, SOCK_STREAM, 0));			\
	bool __has = runix_set_rights_notrunc(__fd, 1) == 0;		\
									\
	close(__fd);							\
	if (!__has)							\
		SKIP(return, "no SO_RIGHTS_NOTRUNC");			\
} while (0)

/* Three files, the @denied ones withheld: the rest is lost, and it is told. */
#define TRUNCATES(_denied, _count)					\
do {									\
	int __fd[3], __got[3], __i, __n, __fds;				\
	struct control __c = {};					\
	char __ch;							\
									\
	for (__i = 0; __i < 3; __i++)					\
		__fd[__i] = file((_denied) >> __i & 1);			\
	__fds = count_fds();						\
	EXPECT_EQ(1, say_fds(self->fd[0], "x", __fd, 3));		\
	EXPECT_EQ(1, recv_all(self->fd[1], &__ch, 1, &__c));		\
	EXPECT_EQ((_count) < 3 ? MSG_CTRUNC : 0, __c.flags);		\
	__n = get_fds(&__c, __got);					\
	EXPECT_EQ(_count, __n);						\
	EXPECT_EQ(__fds + __n, count_fds());				\
	for (__i = 0; __i < __n; __i++)					\
		EXPECT_TRUE(same_file(__fd[__i], __got[__i]));		\
} while (0)

TEST_F(scm_denied, truncates)
{
	NEED_DENIAL();
	TRUNCATES(0, 3);
	TRUNCATES(4, 2);
	TRUNCATES(2, 1);
	TRUNCATES(1, 0);
	TRUNCATES(7, 0);
}

/* What was withheld is closed. */
TEST_F(scm_denied, is_closed)
{
	struct control c = {};
	int p[2];
	char ch;

	NEED_DENIAL();
	ASSERT_EQ(0, rc(pipe(p)));
	ASSERT_EQ(0, fcntl(p[1], F_SETFL, O_APPEND));
	EXPECT_EQ(1, say_fd(self->fd[0], "x", p[1]));
	EXPECT_EQ(1, say(self->fd[0], "y"));
	close(p[1]);
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(MSG_CTRUNC, c.flags);
	EXPECT_EQ(0, c.len);
	EXPECT_TRUE(ends_soon(p[0]));
	EXPECT_MSG("y", self->fd[1]);
}

/* An error in its place, and all the others. */
TEST_F(scm_denied, whole)
{
	int fd[3], got[3], fds, denied, i;
	struct control c = {};
	char ch;

	NEED_NOTRUNC();
	NEED_DENIAL();
	ASSERT_EQ(0, runix_set_rights_notrunc(self->fd[1], 1));
	for (denied = 0; denied < 8; denied++) {
		int open = 0;

		for (i = 0; i < 3; i++)
			fd[i] = file(denied >> i & 1);
		fds = count_fds();
		EXPECT_EQ(1, say_fds(self->fd[0], "x", fd, 3));
		EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
		EXPECT_EQ(0, c.flags);
		ASSERT_EQ(3, get_fds(&c, got));
		for (i = 0; i < 3; i++) {
			if (denied >> i & 1) {
				EXPECT_EQ(-EACCES, got[i]);
				continue;
			}
			EXPECT_TRUE(same_file(fd[i], got[i]));
			open++;
		}
		EXPECT_EQ(fds + open, count_fds());
	}
	ASSERT_EQ(0, runix_set_rights_notrunc(self->fd[1], 0));
	TRUNCATES(2, 1);
	/* It is the receiver's option. */
	ASSERT_EQ(0, runix_set_rights_notrunc(self->fd[0], 1));
	TRUNCATES(2, 1);
}

/* Also for those who look, and those who give little room. */
TEST_F(scm_denied, whole_peeked)
{
	struct control c = {};
	int fd[3], got[3];
	char ch;

	NEED_NOTRUNC();
	NEED_DENIAL();
	ASSERT_EQ(0, runix_set_rights_notrunc(self->fd[1], 1));
	fd[0] = file(true);
	fd[1] = file(false);
	fd[2] = file(true);
	EXPECT_EQ(1, say_fds(self->fd[0], "x", fd, 3));
	c.len = sizeof(c.buf);
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, MSG_PEEK, &c));
	EXPECT_EQ(0, c.flags);
	ASSERT_EQ(3, get_fds(&c, got));
	EXPECT_EQ(-EACCES, got[0]);
	EXPECT_TRUE(same_file(fd[1], got[1]));
	EXPECT_EQ(-EACCES, got[2]);
	c.len = CMSG_LEN(2 * sizeof(int));
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
	EXPECT_EQ(MSG_CTRUNC, c.flags);
	ASSERT_EQ(2, get_fds(&c, got));
	EXPECT_EQ(-EACCES, got[0]);
	EXPECT_TRUE(same_file(fd[1], got[1]));
}

/* A full table is no denial. */
TEST_F(scm_denied, table_full)
{
	struct control c = {};
	struct rlimit lim, was;
	int fd[3], got[3], low;
	char ch;

	NEED_NOTRUNC();
	NEED_DENIAL();
	ASSERT_EQ(0, runix_set_rights_notrunc(self->fd[1], 1));
	fd[0] = file(true);
	fd[1] = file(false);
	fd[2] = file(false);
	EXPECT_EQ(1, say_fds(self->fd[0], "x", fd, 3));
	low = dup(0);
	close(low);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &was));
	lim = was;
	lim.rlim_cur = low + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &lim));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &was));
	EXPECT_EQ(MSG_CTRUNC, c.flags);
	ASSERT_EQ(2, get_fds(&c, got));
	EXPECT_EQ(-EACCES, got[0]);
	EXPECT_EQ(low, got[1]);
}

/* A connection has what the listener had. */
TEST_F(scm_denied, inherited)
{
	struct name n = abstract_name(self->family, "n");
	struct control c = {};
	int l, fd, got = 0;
	char ch;

	NEED_NOTRUNC();
	NEED_DENIAL();
	l = bound(self->family, self->type, &n);
	ASSERT_LE(0, l);
	if (self->type == SOCK_DGRAM) {
		EXPECT_EQ(-EOPNOTSUPP, rc(listen(l, 1)));
		return;
	}
	ASSERT_EQ(0, rc(listen(l, 1)));
	ASSERT_EQ(0, runix_set_rights_notrunc(l, 1));
	fd = joined(self->family, self->type, &n);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, runix_set_rights_notrunc(l, 0));
	l = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, l);
	EXPECT_EQ(1, say_fd(fd, "x", file(true)));
	EXPECT_EQ(1, recv_all(l, &ch, 1, &c));
	EXPECT_EQ(0, c.flags);
	ASSERT_EQ(1, get_fds(&c, &got));
	EXPECT_EQ(-EACCES, got);
}

TEST_HARNESS_MAIN
