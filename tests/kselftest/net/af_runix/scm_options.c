// SPDX-License-Identifier: GPL-2.0
/* More that is asked for by options: SO_PASSRIGHTS, SO_PASSPIDFD, and the order. */

#include "scm.h"

#include <sys/eventfd.h>

EVERY_FIXTURE(scm_options);
PACKET_FIXTURE(packet_options);

/* --- SO_PASSRIGHTS: no files, please ---------------------------------- */

#define NEED_PASSRIGHTS()						\
do {									\
	int __err = setint(self->fd[0], SO_PASSRIGHTS, 1);		\
									\
	NEED(SCM_RIGHTS);						\
	if (__err == -ENOPROTOOPT || (__err == -EOPNOTSUPP &&		\
	    self->family != AF_UNIX && !runix_required()))		\
		SKIP(return, "no SO_PASSRIGHTS");			\
} while (0)

TEST_F(scm_options, no_files)
{
	struct control c = {};
	int p[2], got;
	char ch;

	NEED_PASSRIGHTS();
	ASSERT_EQ(0, rc(pipe(p)));
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSRIGHTS, 0));
	EXPECT_EQ(-EPERM, say_fd(self->fd[0], "x", p[1]));
	EXPECT_NO_MSG(self->fd[1]);
	/* Everything else passes. */
	EXPECT_EQ(1, say_fds(self->fd[0], "x", NULL, 0));
	EXPECT_MSG("x", self->fd[1]);
	EXPECT_EQ(1, say(self->fd[0], "y"));
	EXPECT_MSG("y", self->fd[1]);
	EXPECT_EQ(1, say_fd(self->fd[1], "z", p[1]));
	EXPECT_MSG("z", self->fd[0]);

	ASSERT_EQ(0, setint(self->fd[1], SO_PASSRIGHTS, 1));
	EXPECT_EQ(1, say_fd(self->fd[0], "x", p[1]));
	/* What is there already may be taken. */
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSRIGHTS, 0));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	ASSERT_EQ(1, get_fds(&c, &got));
	close(got);
	close(p[1]);
	EXPECT_TRUE(ends_soon(p[0]));
}

/* The descriptor in `flags` with a message. */
static long op_send_file(struct op *op)
{
	long ret = say_fd(op->fd, "f", op->flags);

	errno = -ret;
	return ret < 0 ? -1 : ret;
}

/* Who is woken, and refused then, leaves the room to the next one. */
TEST_F(scm_options, no_files_turn_passed_on)
{
	struct name n = abstract_name(self->family, "n");
	struct op file = { .fn = op_send_file }, plain;
	int r, p[2];
	char ch;

	NEED_PASSRIGHTS();
	if (self->type != SOCK_DGRAM)
		SKIP(return, "nobody waits for a turn");
	if (self->family == AF_UNIX)
		SKIP(return, "AF_UNIX leaves the next one asleep");
	ASSERT_EQ(0, rc(pipe(p)));
	r = bound(self->family, SOCK_DGRAM, &n);
	ASSERT_LT(0, fill_receiver(self->family, &n));
	file.fd = joined(self->family, SOCK_DGRAM, &n);
	file.flags = p[1];
	plain = sending(joined(self->family, SOCK_DGRAM, &n), "p", 1);
	ASSERT_TRUE(op_blocks(&file, SYS_sendmsg));
	ASSERT_TRUE(op_blocks(&plain, SYS_sendto));
	ASSERT_EQ(0, setint(r, SO_PASSRIGHTS, 0));
	EXPECT_EQ(1, rc(recv(r, &ch, 1, 0)));
	EXPECT_EQ(-EPERM, op_join(&file));
	EXPECT_EQ(1, op_join(&plain));
}

TEST_F(scm_options, no_files_value)
{
	int val = -1;

	NEED_PASSRIGHTS();
	EXPECT_EQ(0, runix_get_passrights(self->fd[0], &val));
	EXPECT_EQ(1, val);
	EXPECT_EQ(0, setint(self->fd[0], SO_PASSRIGHTS, 0));
	EXPECT_EQ(0, runix_get_passrights(self->fd[0], &val));
	EXPECT_EQ(0, val);
	EXPECT_EQ(0, runix_get_passrights(self->fd[1], &val));
	EXPECT_EQ(1, val);
	EXPECT_EQ(0, setint(self->fd[0], SO_PASSRIGHTS, 5));
	EXPECT_EQ(0, runix_get_passrights(self->fd[0], &val));
	EXPECT_EQ(1, val);
}

/* A listener's wish is that of those it accepts. */
TEST_F(scm_options, no_files_accepted)
{
	struct name n = abstract_name(self->family, "n");
	int l, c;

	NEED_PASSRIGHTS();
	l = bound(self->family, self->type, &n);
	ASSERT_LE(0, l);
	if (self->type != SOCK_DGRAM)
		ASSERT_EQ(0, rc(listen(l, 4)));
	ASSERT_EQ(0, setint(l, SO_PASSRIGHTS, 0));
	c = joined(self->family, self->type, &n);
	ASSERT_LE(0, c);
	EXPECT_EQ(-EPERM, say_fd(c, "x", 0));
	EXPECT_EQ(1, say(c, "y"));
}

/* --- SO_PASSPIDFD ----------------------------------------------------- */

/* What does not exist in the kernel, or not for the family, is skipped. */
static bool gives_pidfd(int family, int type)
{
	struct control c = {};
	bool does = false;
	int sv[2];
	char ch;

	if (socketpair(family, type, 0, sv))
		return false;
	if (!setint(sv[1], SO_PASSPIDFD, 1)) {
		does = family == AF_UNIX || runix_required();
		if (say(sv[0], "x") == 1 && recv_all(sv[1], &ch, 1, &c) == 1 &&
		    get_pidfd(&c) >= 0) {
			close(get_pidfd(&c));
			does = true;
		}
	}
	close(sv[0]);
	close(sv[1]);
	return does;
}

#define NEED_PIDFD()							\
do {									\
	if (!gives_pidfd(self->family, self->type))			\
		SKIP(return, "no SO_PASSPIDFD");			\
} while (0)

TEST_F(scm_options, pidfd)
{
	struct control c = {};
	pid_t pid;
	int fd, end[2];
	char ch;

	NEED_PIDFD();
	ASSERT_EQ(0, rc(pipe(end)));
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	pid = spawn();
	if (!pid) {
		close(end[1]);
		_exit(say(self->fd[0], "x") != 1 || read(end[0], &ch, 1) != 0);
	}
	EXPECT_EQ(1, rc(recv(self->fd[1], &ch, 1, MSG_PEEK)));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(0, c.flags);
	EXPECT_EQ(CMSG_SPACE(sizeof(int)), c.len);
	fd = get_pidfd(&c);
	ASSERT_LE(0, fd);
	EXPECT_EQ(pid, pid_of(fd));
	EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
	EXPECT_EQ(0, rc(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0)));
	close(end[1]);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(-ESRCH, rc(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0)));
}

/* No room: none is opened. */
TEST_F(scm_options, pidfd_no_room)
{
	struct control c = {};
	int fds;
	char ch;

	NEED_PIDFD();
	fds = count_fds();
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
	EXPECT_EQ(MSG_CTRUNC, c.flags);
	EXPECT_EQ(1, say(self->fd[0], "x"));
	c.len = CMSG_LEN(0);
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
	EXPECT_EQ(MSG_CTRUNC, c.flags);
	EXPECT_EQ(0, c.len);
	EXPECT_EQ(fds, count_fds());
}

/* --- all together ----------------------------------------------------- */

TEST_F(scm_options, order)
{
	static const int want[] = { SCM_CREDENTIALS, SCM_RIGHTS, SCM_PIDFD };
	int ev = eventfd(0, 0), i;
	struct control c = {};
	char ch;

	NEED(SCM_RIGHTS);
	NEED_PIDFD();
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	EXPECT_EQ(1, say_fd(self->fd[0], "x", ev));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	for (i = 0; i < 3; i++) {
		ASSERT_NE(NULL, nth(&c, i));
		EXPECT_EQ(SOL_SOCKET, nth(&c, i)->cmsg_level);
		EXPECT_EQ(want[i], nth(&c, i)->cmsg_type);
	}
	EXPECT_EQ(NULL, nth(&c, 3));
	EXPECT_EQ(getpid(), get_creds(&c).pid);
	EXPECT_EQ(getpid(), pid_of(get_pidfd(&c)));
}

/* The time comes before everything else. */
TEST_F(packet_options, time_first)
{
	int ev = eventfd(0, 0), got;
	struct control c = {};
	char ch;

	NEED(SCM_RIGHTS);
	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	ASSERT_EQ(0, setint(self->fd[1], SO_TIMESTAMP, 1));
	EXPECT_EQ(1, say_fd(self->fd[0], "x", ev));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	if (!of_type(&c, SCM_TIMESTAMP) && self->family != AF_UNIX &&
	    !runix_required())
		SKIP(return, "no receive times in this family");
	ASSERT_NE(NULL, nth(&c, 2));
	EXPECT_EQ(SCM_TIMESTAMP, nth(&c, 0)->cmsg_type);
	EXPECT_EQ(SCM_CREDENTIALS, nth(&c, 1)->cmsg_type);
	EXPECT_EQ(SCM_RIGHTS, nth(&c, 2)->cmsg_type);
	EXPECT_EQ(1, get_fds(&c, &got));
}

/* Cut, and without room for the rest: both are told. */
TEST_F(packet_options, both_cut)
{
	struct control c = {};
	char ch;

	NEED(SCM_RIGHTS);
	EXPECT_EQ(3, say_fd(self->fd[0], "abc", 0));
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
	EXPECT_EQ(MSG_TRUNC | MSG_CTRUNC, c.flags);
}

TEST_HARNESS_MAIN
