// SPDX-License-Identifier: GPL-2.0
/* SCM_CREDENTIALS: who says so, asked for by SO_PASSCRED or claimed by hand. */

#include "scm.h"

#include <grp.h>
#include <sched.h>

EVERY_FIXTURE(scm_creds);

/* What a sender without credentials looks like. */
#define NOBODY	65534

#define EXPECT_CREDS(_pid, _uid, _gid, _c)				\
do {									\
	struct ucred __cr = get_creds(_c);				\
									\
	EXPECT_EQ(_pid, __cr.pid);					\
	EXPECT_EQ((uid_t)(_uid), __cr.uid);				\
	EXPECT_EQ((gid_t)(_gid), __cr.gid);				\
} while (0)

#define EXPECT_MINE(_c)	EXPECT_CREDS(getpid(), getuid(), getgid(), _c)

static int listening(int family, int type, const struct name *n)
{
	int fd = bound(family, type, n);

	if (fd >= 0 && type != SOCK_DGRAM && listen(fd, 8))
		abort();
	return fd;
}

/* Where the option cannot be read back, there is nothing to compare. */
TEST_F(scm_creds, option)
{
	int fd = self->fd[0], val = getint(fd, SO_PASSCRED);
	bool readable = self->family == AF_UNIX || val != -EOPNOTSUPP;

	NEED(SCM_CREDENTIALS);
	if (readable)
		EXPECT_EQ(0, val);
	EXPECT_EQ(0, setint(fd, SO_PASSCRED, 1));
	if (readable)
		EXPECT_EQ(1, getint(fd, SO_PASSCRED));
	/* Any number but nought is yes. */
	EXPECT_EQ(0, setint(fd, SO_PASSCRED, -7));
	if (readable)
		EXPECT_EQ(1, getint(fd, SO_PASSCRED));
	EXPECT_EQ(0, setint(fd, SO_PASSCRED, 0));
	if (readable)
		EXPECT_EQ(0, getint(fd, SO_PASSCRED));
	EXPECT_EQ(-EINVAL, rc(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &val, 3)));
	EXPECT_EQ(-EFAULT, rc(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, bad_ptr(), 4)));
}

/* Not asked for, not given. */
TEST_F(scm_creds, not_asked)
{
	struct control c = {};
	char ch;

	NEED(SCM_CREDENTIALS);
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(0, c.len);
	EXPECT_EQ(0, c.flags);
	add_creds(&c, getpid(), getuid(), getgid());
	EXPECT_EQ(1, send_control(self->fd[0], "x", 1, 0, &c));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(0, c.len);
	EXPECT_EQ(0, c.flags);
}

TEST_F(scm_creds, implicit)
{
	struct control c = {};
	char ch;

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(0, c.flags);
	EXPECT_EQ(CMSG_SPACE(sizeof(struct ucred)), c.len);
	EXPECT_EQ(NULL, nth(&c, 1));
	EXPECT_MINE(&c);
	EXPECT_EQ(1, rc(write(self->fd[0], "y", 1)));
	c.len = sizeof(c.buf);
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, MSG_PEEK, &c));
	EXPECT_MINE(&c);
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_MINE(&c);
	/* Only one of the two has asked. */
	EXPECT_EQ(1, say(self->fd[1], "z"));
	EXPECT_EQ(1, recv_all(self->fd[0], &ch, 1, &c));
	EXPECT_EQ(0, c.len);
}

/* Real ids, not effective ones; of the process that sends, not that opened. */
TEST_F(scm_creds, of_sender)
{
	struct control c = {};
	pid_t pid;
	char ch;

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	pid = spawn();
	if (!pid) {
		if (setresgid(11, 12, 13) || setresuid(21, 22, 23))
			_exit(1);
		_exit(say(self->fd[0], "x") != 1);
	}
	EXPECT_EQ(0, reap(pid));
	/* It is told of the dead as well. */
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_CREDS(pid, 21, 11, &c);
}

static long op_say(struct op *op)
{
	return send(op->fd, "x", 1, MSG_NOSIGNAL);
}

/* A thread is its process. */
TEST_F(scm_creds, of_thread)
{
	struct op op = { .fn = op_say, .fd = self->fd[0] };
	struct control c = {};
	char ch;

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	op_blocks(&op, -1);
	EXPECT_EQ(1, op_join(&op));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_MINE(&c);
}

/* Asked for after sending, they are not known. */
TEST_F(scm_creds, late)
{
	struct control c = {};
	char ch;

	NEED(SCM_CREDENTIALS);
	EXPECT_EQ(1, say(self->fd[0], "x"));
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_CREDS(0, NOBODY, NOBODY, &c);
	/* But a sender who asks shows them, too. */
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 0));
	ASSERT_EQ(0, setint(self->fd[0], SO_PASSCRED, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_MINE(&c);
	/* And so does who said so. */
	ASSERT_EQ(0, setint(self->fd[0], SO_PASSCRED, 0));
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 0));
	c.len = 0;
	add_creds(&c, getpid(), getuid(), getgid());
	EXPECT_EQ(1, send_control(self->fd[0], "x", 1, 0, &c));
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_MINE(&c);
}

/* --- explicit --------------------------------------------------------- */

static long claim(int fd, pid_t pid, uid_t uid, gid_t gid)
{
	struct control c = {};

	return send_control(fd, "x", 1, 0, add_creds(&c, pid, uid, gid));
}

/* Who may be anybody may say so. */
TEST_F(scm_creds, claimed)
{
	struct control c = {};
	pid_t pid;
	char ch;

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	EXPECT_EQ(1, claim(self->fd[0], 1, 123, 456));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_CREDS(1, 123, 456, &c);
	/* The last claim counts. */
	c.len = 0;
	add_creds(&c, 1, 123, 456);
	add_creds(&c, getpid(), 7, 8);
	EXPECT_EQ(1, send_control(self->fd[0], "x", 1, 0, &c));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_CREDS(getpid(), 7, 8, &c);

	/* Not a process; not a user. */
	pid = spawn();
	if (!pid)
		_exit(0);
	EXPECT_EQ(0, reap(pid));
	EXPECT_EQ(-ESRCH, claim(self->fd[0], pid, 0, 0));
	EXPECT_EQ(-ESRCH, claim(self->fd[0], 0, 0, 0));
	EXPECT_EQ(-ESRCH, claim(self->fd[0], -1, 0, 0));
	EXPECT_EQ(-EINVAL, claim(self->fd[0], getpid(), -1, 0));
	EXPECT_EQ(-EINVAL, claim(self->fd[0], getpid(), 0, -1));
	EXPECT_NO_MSG(self->fd[1]);
}

TEST_F(scm_creds, malformed)
{
	struct ucred cr = { getpid(), getuid(), getgid() };
	struct control c = {};
	char ch;

	NEED(SCM_CREDENTIALS);
	add(&c, SOL_SOCKET, SCM_CREDENTIALS, &cr, sizeof(cr) - 1);
	EXPECT_EQ(-EINVAL, send_control(self->fd[0], "x", 1, 0, &c));
	c.len = 0;
	add(&c, SOL_SOCKET, SCM_CREDENTIALS, (int [4]) {}, sizeof(cr) + 4);
	EXPECT_EQ(-EINVAL, send_control(self->fd[0], "x", 1, 0, &c));
	c.len = 0;
	add(&c, SOL_SOCKET, SCM_CREDENTIALS, NULL, 0);
	EXPECT_EQ(-EINVAL, send_control(self->fd[0], "x", 1, 0, &c));
	EXPECT_EQ(-EAGAIN, recv_all(self->fd[1], &ch, 1, &c));
}

/* An ordinary user is who he is, in one of three ways. */
static int claims_of_user(int fd, int other)
{
	struct control c = {};
	pid_t me = getpid();
	int i;
	char ch;

	if (setgroups(0, NULL) || setresgid(11, 12, 13) || setresuid(21, 22, 23))
		return -1;
	for (i = 0; i < 3; i++) {
		struct ucred cr;

		if (claim(fd, me, 21 + i, 13 - i) != 1 ||
		    recv_all(other, &ch, 1, &c) != 1)
			return -2;
		cr = get_creds(&c);
		if (cr.pid != me || cr.uid != (uid_t)(21 + i) ||
		    cr.gid != (gid_t)(13 - i))
			return -3;
	}
	if (claim(fd, me, 24, 11) != -EPERM || claim(fd, me, 21, 14) != -EPERM ||
	    claim(fd, me, 0, 11) != -EPERM || claim(fd, me, 21, 0) != -EPERM)
		return -4;
	if (claim(fd, 1, 21, 11) != -EPERM || claim(fd, getppid(), 21, 11) != -EPERM ||
	    claim(fd, 0, 21, 11) != -EPERM || claim(fd, -1, 21, 11) != -EPERM)
		return -5;
	if (claim(fd, me, -1, 11) != -EINVAL)
		return -6;
	return 0;
}

TEST_F(scm_creds, of_user)
{
	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	EXPECT_EQ(0, IN_CHILD(claims_of_user(self->fd[0], self->fd[1])));
	EXPECT_NO_MSG(self->fd[1]);
}

/* --- namespaces ------------------------------------------------------- */

/* In another user namespace nobody has a name. */
static int from_user_namespace(int fd)
{
	struct control c = {};
	struct ucred cr;
	char ch;

	if (unshare(CLONE_NEWUSER))
		return -ENOSYS;
	if (recv_all(fd, &ch, 1, &c) != 1)
		return -1;
	cr = get_creds(&c);
	return cr.pid == getppid() && cr.uid == NOBODY && cr.gid == NOBODY ? 0 : -2;
}

TEST_F(scm_creds, user_namespace)
{
	long err;

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	err = IN_CHILD(from_user_namespace(self->fd[1]));
	if (err == -ENOSYS)
		SKIP(return, "no user namespaces");
	EXPECT_EQ(0, err);
}

/* In another process namespace the sender may have no number, or another one. */
static int from_pid_namespace(int fd, int other)
{
	struct control c = {};
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return -ENOSYS;
	pid = spawn();
	if (!pid) {
		struct ucred cr;
		char ch;

		if (getpid() != 1 || recv_all(fd, &ch, 1, &c) != 1)
			_exit(1);
		cr = get_creds(&c);
		if (cr.pid != 0 || cr.uid != getuid())
			_exit(2);
		if (say(other, "y") != 1 || recv_all(fd, &ch, 1, &c) != 1 ||
		    get_creds(&c).pid != 1)
			_exit(3);
		_exit(say(other, "z") != 1);
	}
	return -reap(pid);
}

TEST_F(scm_creds, pid_namespace)
{
	struct control c = {};
	long err;
	char ch;

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	err = IN_CHILD(from_pid_namespace(self->fd[1], self->fd[0]));
	if (err == -ENOSYS)
		SKIP(return, "no process namespaces");
	EXPECT_EQ(0, err);
	/* Out here the first process there has a number like others. */
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_LT(getpid(), get_creds(&c).pid);
	EXPECT_EQ(getuid(), get_creds(&c).uid);
}

/* --- room ------------------------------------------------------------- */

TEST_F(scm_creds, no_room)
{
	struct control c = {};
	char ch;

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
	EXPECT_EQ(MSG_CTRUNC, c.flags);
	EXPECT_EQ(0, c.len);
	c.len = sizeof(struct cmsghdr) - 1;
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
	EXPECT_EQ(MSG_CTRUNC, c.flags);
	EXPECT_EQ(0, c.len);
	/* What fits of them is given. */
	c.len = CMSG_LEN(8);
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
	EXPECT_EQ(MSG_CTRUNC, c.flags);
	EXPECT_EQ(CMSG_LEN(8), c.h.cmsg_len);
	EXPECT_EQ(SCM_CREDENTIALS, c.h.cmsg_type);
	EXPECT_EQ(getpid(), ((struct ucred *)CMSG_DATA(&c.h))->pid);
	EXPECT_EQ(getuid(), ((struct ucred *)CMSG_DATA(&c.h))->uid);
	/* The padding is not needed. */
	c.len = CMSG_LEN(sizeof(struct ucred));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
	EXPECT_EQ(0, c.flags);
	EXPECT_MINE(&c);
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, rc(read(self->fd[1], &ch, 1)));
}

/* --- with descriptors ------------------------------------------------- */

TEST_F(scm_creds, order)
{
	struct control c = {};
	int fd;
	char ch;

	NEED(SCM_CREDENTIALS);
	NEED(SCM_RIGHTS);
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	add_fds(&c, &self->fd[0], 1);
	add_creds(&c, getpid(), 7, 8);
	EXPECT_EQ(1, send_control(self->fd[0], "x", 1, 0, &c));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	ASSERT_NE(NULL, nth(&c, 1));
	EXPECT_EQ(SCM_CREDENTIALS, nth(&c, 0)->cmsg_type);
	EXPECT_EQ(SCM_RIGHTS, nth(&c, 1)->cmsg_type);
	EXPECT_EQ(NULL, nth(&c, 2));
	EXPECT_CREDS(getpid(), 7, 8, &c);
	ASSERT_EQ(1, get_fds(&c, &fd));
	EXPECT_TRUE(same_file(self->fd[0], fd));
	close(fd);

	/* Credentials first, even when there is no room for both. */
	EXPECT_EQ(1, say_fd(self->fd[0], "x", self->fd[0]));
	c.len = CMSG_SPACE(sizeof(struct ucred)) + CMSG_LEN(0);
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
	EXPECT_EQ(MSG_CTRUNC, c.flags);
	EXPECT_EQ(CMSG_SPACE(sizeof(struct ucred)), c.len);
	EXPECT_MINE(&c);
	EXPECT_EQ(0, get_fds(&c, &fd));

	/* A bad claim takes the descriptors along. */
	c.len = 0;
	add_fds(&c, &self->fd[0], 1);
	add_creds(&c, getpid(), -1, 0);
	fd = count_fds();
	EXPECT_EQ(-EINVAL, send_control(self->fd[0], "x", 1, 0, &c));
	EXPECT_EQ(-EAGAIN, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(fd, count_fds());
}

/* --- connections ------------------------------------------------------ */

/* Whoever asks gets a name, so that there is somebody to answer. */
TEST_F(scm_creds, autobind)
{
	struct name n = abstract_name(self->family, "n"), got;
	int fd;

	NEED(SCM_CREDENTIALS);
	ASSERT_LE(0, listening(self->family, self->type, &n));
	fd = rc(socket(self->family, self->type, 0));
	ASSERT_EQ(0, setint(fd, SO_PASSCRED, 1));
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_EQ(PATH_OFF, got.len);
	ASSERT_EQ(0, xconnect(fd, &n));
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_EQ(PATH_OFF + 6, got.len);
	got.bytes[got.len] = 0;
	EXPECT_EQ(5, strspn((char *)got.bytes + PATH_OFF + 1, "0123456789abcdef"));
	/* A name one has is kept. */
	fd = bound(self->family, self->type, &(struct name) { n.len + 1, .ss = n.ss });
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setint(fd, SO_PASSCRED, 1));
	ASSERT_EQ(0, xconnect(fd, &n));
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_EQ(n.len + 1, got.len);
}

/* Also those of a pair, and those who only send. */
TEST_F(scm_creds, autobind_sending)
{
	struct name n = abstract_name(self->family, "n"), got;
	int fd = self->fd[0];

	NEED(SCM_CREDENTIALS);
	if (self->type == SOCK_DGRAM) {
		ASSERT_LE(0, bound(self->family, self->type, &n));
		fd = dgram(self->family);
		ASSERT_EQ(0, setint(fd, SO_PASSCRED, 1));
		EXPECT_EQ(1, say_to(fd, "x", &n));
	} else {
		ASSERT_EQ(0, setint(fd, SO_PASSCRED, 1));
		EXPECT_EQ(1, say(fd, "x"));
	}
	ASSERT_EQ(0, xgetsockname(fd, &got));
	/* A stream needs no address to be answered. */
	EXPECT_EQ(self->type == SOCK_STREAM ? PATH_OFF : PATH_OFF + 6, got.len);
}

/* What the listener asked for is asked for by those it accepts. */
TEST_F(scm_creds, accepted)
{
	struct name n = abstract_name(self->family, "n");
	struct control c = {};
	int l, s, r;
	char ch;

	NEED(SCM_CREDENTIALS);
	l = listening(self->family, self->type, &n);
	ASSERT_EQ(0, setint(l, SO_PASSCRED, 1));
	s = joined(self->family, self->type, &n);
	ASSERT_LE(0, s);
	EXPECT_EQ(1, say(s, "x"));
	r = self->type == SOCK_DGRAM ? l : rc(accept(l, NULL, NULL));
	ASSERT_LE(0, r);
	EXPECT_EQ(1, recv_all(r, &ch, 1, &c));
	EXPECT_MINE(&c);
}

/* Before a connection is accepted nobody knows who will ask: it is noted. */
TEST_F(scm_creds, before_accept)
{
	struct name n = abstract_name(self->family, "n");
	struct control c = {};
	int l, s, r;
	char ch;

	NEED(SCM_CREDENTIALS);
	l = listening(self->family, self->type, &n);
	s = joined(self->family, self->type, &n);
	ASSERT_LE(0, s);
	EXPECT_EQ(1, say(s, "x"));
	r = self->type == SOCK_DGRAM ? l : rc(accept(l, NULL, NULL));
	ASSERT_LE(0, r);
	ASSERT_EQ(0, setint(r, SO_PASSCRED, 1));
	EXPECT_EQ(1, recv_all(r, &ch, 1, &c));
	/* A datagram socket is nobody's to accept. */
	if (self->type == SOCK_DGRAM)
		EXPECT_CREDS(0, NOBODY, NOBODY, &c);
	else
		EXPECT_MINE(&c);
}

TEST_HARNESS_MAIN
