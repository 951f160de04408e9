// SPDX-License-Identifier: GPL-2.0
/* Whose bytes a stream hands out: those of one sender at a time, if one asks. */

#include "scm.h"

TYPE_FIXTURE(scm_stream, SOCK_STREAM);

/* A byte sent with claimed credentials, as root may. */
static long as(int fd, const char *str, uid_t uid, gid_t gid)
{
	struct control c = {};

	return send_control(fd, str, strlen(str), 0,
			    add_creds(&c, getpid(), uid, gid));
}

/* What comes next is @_str, from @_uid. */
#define EXPECT_FROM(_str, _uid, _fd, _flags)				\
do {									\
	struct control __c = { .len = sizeof(__c.buf) };		\
	char __buf[64] = {};						\
									\
	EXPECT_EQ((long)strlen(_str), recv_control(_fd, __buf, 63,	\
					(_flags) | MSG_DONTWAIT, &__c));\
	EXPECT_STREQ(_str, __buf);					\
	EXPECT_EQ((uid_t)(_uid), get_creds(&__c).uid);			\
} while (0)

TEST_F(scm_stream, not_merged)
{
	int a = self->fd[0], b = self->fd[1];

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	EXPECT_EQ(2, as(a, "ab", 1, 1));
	EXPECT_EQ(2, as(a, "cd", 1, 1));
	EXPECT_EQ(2, as(a, "ef", 2, 1));
	EXPECT_EQ(2, as(a, "gh", 1, 1));
	EXPECT_EQ(2, as(a, "ij", 1, 2));
	EXPECT_FROM("abcd", 1, b, 0);
	EXPECT_FROM("ef", 2, b, 0);
	EXPECT_FROM("gh", 1, b, 0);
	EXPECT_FROM("ij", 1, b, 0);
	EXPECT_NO_MSG(b);
}

/* Nor for those who look, nor for those who wait for all they asked for. */
TEST_F(scm_stream, looked_at)
{
	int a = self->fd[0], b = self->fd[1];

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	EXPECT_EQ(2, as(a, "ab", 1, 1));
	EXPECT_EQ(1, as(a, "c", 1, 1));
	EXPECT_EQ(2, as(a, "ef", 2, 1));
	EXPECT_FROM("abc", 1, b, MSG_PEEK);
	EXPECT_FROM("abc", 1, b, MSG_WAITALL);
	EXPECT_FROM("ef", 2, b, MSG_PEEK);
	EXPECT_FROM("ef", 2, b, MSG_WAITALL);
}

/* Cut in the middle, both halves are of their sender. */
TEST_F(scm_stream, in_parts)
{
	int a = self->fd[0], b = self->fd[1];
	struct control c = {};
	char buf[8];

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	EXPECT_EQ(4, as(a, "abcd", 1, 1));
	EXPECT_EQ(2, as(a, "ef", 2, 1));
	EXPECT_EQ(3, recv_all(b, buf, 3, &c));
	EXPECT_EQ(1, get_creds(&c).uid);
	EXPECT_FROM("d", 1, b, 0);
	EXPECT_FROM("ef", 2, b, 0);
}

/* Even for calls that cannot be told: it is the socket that has asked. */
TEST_F(scm_stream, plain_calls)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[8];

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	EXPECT_EQ(2, as(a, "ab", 1, 1));
	EXPECT_EQ(2, as(a, "cd", 2, 1));
	EXPECT_EQ(2, as(a, "ef", 3, 1));
	EXPECT_EQ(2, rc(read(b, buf, 8)));
	EXPECT_EQ(2, rc(recv(b, buf, 8, 0)));
	EXPECT_EQ(2, rc(read(b, buf, 8)));
	EXPECT_EQ(0, memcmp("ef", buf, 2));
}

/* Nobody has asked: bytes are bytes. */
TEST_F(scm_stream, merged)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[8] = {};

	NEED(SCM_CREDENTIALS);
	EXPECT_EQ(2, as(a, "ab", 1, 1));
	EXPECT_EQ(2, as(a, "cd", 2, 2));
	EXPECT_EQ(2, say(a, "ef"));
	EXPECT_EQ(6, rc(recv(b, buf, 8, 0)));
	EXPECT_STREQ("abcdef", buf);
}

/* Known and unknown are two senders. */
TEST_F(scm_stream, unknown)
{
	int a = self->fd[0], b = self->fd[1];

	NEED(SCM_CREDENTIALS);
	EXPECT_EQ(2, say(a, "ab"));
	EXPECT_EQ(2, say(a, "cd"));
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	EXPECT_EQ(2, say(a, "ef"));
	EXPECT_FROM("abcd", 65534, b, 0);
	EXPECT_FROM("ef", getuid(), b, 0);
}

/* Two processes, one socket. */
TEST_F(scm_stream, processes)
{
	int a = self->fd[0], b = self->fd[1], i;
	struct control c = {};
	pid_t pid[3] = {};
	char buf[8];

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	for (i = 0; i < 2; i++) {
		pid[i] = spawn();
		if (!pid[i])
			_exit(say(a, "ab") != 2 || say(a, "cd") != 2);
		EXPECT_EQ(0, reap(pid[i]));
	}
	EXPECT_EQ(2, say(a, "ef"));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(4, recv_all(b, buf, 8, &c));
		EXPECT_EQ(0, memcmp("abcd", buf, 4));
		EXPECT_EQ(pid[i], get_creds(&c).pid);
	}
	EXPECT_EQ(2, recv_all(b, buf, 8, &c));
	EXPECT_EQ(getpid(), get_creds(&c).pid);
}

/* What comes next is @_str, from @_pid, @_uid. */
#define EXPECT_SAID(_str, _pid, _uid, _fd)				\
do {									\
	struct control __c;						\
	char __buf[64] = {};						\
									\
	EXPECT_EQ((long)strlen(_str), recv_all(_fd, __buf, 63, &__c));	\
	EXPECT_STREQ(_str, __buf);					\
	EXPECT_EQ(_pid, get_creds(&__c).pid);				\
	EXPECT_EQ((uid_t)(_uid), get_creds(&__c).uid);			\
} while (0)

/* Of a process of its own, as @uid; which process that was. */
static pid_t said_by(int fd, const char *str, uid_t uid)
{
	pid_t pid = spawn();

	if (!pid)
		_exit(setresuid(uid, uid, uid) || say(fd, str) != (long)strlen(str));
	return reap(pid) ? -1 : pid;
}

/*
 * What is known of one sender's bytes isn't said of another's, whether those before have
 * been read by then or not.
 */
TEST_F(scm_stream, in_turns)
{
	int a = self->fd[0], b = self->fd[1];
	pid_t me = getpid(), other;
	uid_t uid = getuid();
	int i;

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(2, say(a, "ab"));
		EXPECT_SAID("ab", me, uid, b);
		EXPECT_EQ(2, say(a, "cd"));
		EXPECT_EQ(1, say(a, "e"));
		EXPECT_SAID("cde", me, uid, b);
		other = said_by(a, "f", uid);
		EXPECT_SAID("f", other, uid, b);
		/* One more with the same numbers is another one. */
		EXPECT_EQ(1, say(a, "g"));
		other = said_by(a, "h", uid);
		EXPECT_EQ(1, say(a, "i"));
		EXPECT_SAID("g", me, uid, b);
		EXPECT_SAID("h", other, uid, b);
		EXPECT_SAID("i", me, uid, b);
	}
}

/* A process that has become another user is not who it was. Effective ids don't count. */
TEST_F(scm_stream, another_user)
{
	int a = self->fd[0], b = self->fd[1];

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	EXPECT_EQ(0, IN_CHILD(say(a, "a") == 1 && !setresuid(-1, 1, 0) && say(a, "b") == 1 &&
			      !setresuid(-1, 0, -1) && !setresuid(2, 0, 0) && say(a, "c") == 1 &&
			      !setresgid(3, 3, 3) && say(a, "d") == 1 ? 0 : -1));
	EXPECT_FROM("ab", 0, b, 0);
	EXPECT_FROM("c", 2, b, 0);
	EXPECT_FROM("d", 2, b, 0);
}

/* Where nobody asks for a while, nothing is known of what is sent then. */
TEST_F(scm_stream, unknown_between)
{
	int a = self->fd[0], b = self->fd[1], read;

	NEED(SCM_CREDENTIALS);
	for (read = 0; read < 2; read++) {
		ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
		EXPECT_EQ(1, say(a, "a"));
		if (read)
			EXPECT_FROM("a", getuid(), b, 0);
		ASSERT_EQ(0, setint(b, SO_PASSCRED, 0));
		EXPECT_EQ(1, say(a, "b"));
		ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
		EXPECT_EQ(1, say(a, "c"));
		if (!read)
			EXPECT_FROM("a", getuid(), b, 0);
		EXPECT_FROM("b", 65534, b, 0);
		EXPECT_FROM("c", getuid(), b, 0);
	}
}

static struct control told;

static long op_recv_told(struct op *op)
{
	long ret;

	told.len = sizeof(told.buf);
	ret = recv_control(op->fd, op->buf, op->len, op->flags, &told);
	errno = -ret;
	return ret < 0 ? -1 : ret;
}

/* Who has begun to be told of one sender gets no bytes of another, who asks for it or not. */
TEST_F(scm_stream, not_asked_any_more)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[8] = {};
	struct op op = { .fn = op_recv_told, .fd = b, .buf = buf, .len = 2, .flags = MSG_WAITALL };

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	EXPECT_EQ(1, say(a, "a"));
	ASSERT_TRUE(op_blocks(&op, SYS_recvmsg));
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 0));
	EXPECT_EQ(1, as(a, "b", 1, 1));
	EXPECT_EQ(1, op_join(&op));
	EXPECT_STREQ("a", buf);
	EXPECT_EQ(NULL, of_type(&told, SCM_CREDENTIALS));
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	EXPECT_FROM("b", 1, b, 0);
}

/* Who begins to ask in the middle is told of what comes next, and gets no more than that. */
TEST_F(scm_stream, asked_meanwhile)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[8] = {};
	struct op op = { .fn = op_recv_told, .fd = b, .buf = buf, .len = 3, .flags = MSG_WAITALL };

	NEED(SCM_CREDENTIALS);
	EXPECT_EQ(1, say(a, "a"));
	ASSERT_TRUE(op_blocks(&op, SYS_recvmsg));
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	EXPECT_EQ(1, as(a, "b", 1, 1));
	EXPECT_EQ(1, as(a, "c", 2, 2));
	EXPECT_EQ(2, op_join(&op));
	EXPECT_STREQ("ab", buf);
	EXPECT_EQ(1, get_creds(&told).uid);
	EXPECT_FROM("c", 2, b, 0);
}

/* Files come with their byte, whatever the same sender has sent before or sends then. */
TEST_F(scm_stream, files_between)
{
	int a = self->fd[0], b = self->fd[1], fd[MAX_FDS];
	struct control c;
	char buf[8];
	int i;

	NEED(SCM_RIGHTS);
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, say(a, "a"));
		EXPECT_EQ(1, say_fd(a, "b", a));
		EXPECT_EQ(1, say(a, "c"));
		EXPECT_EQ(2, recv_all(b, buf, 8, &c));
		ASSERT_EQ(1, get_fds(&c, fd));
		EXPECT_TRUE(same_file(a, fd[0]));
		EXPECT_EQ(getpid(), get_creds(&c).pid);
		close(fd[0]);
		EXPECT_EQ(1, recv_all(b, buf, 8, &c));
		EXPECT_EQ(0, get_fds(&c, fd));
		EXPECT_EQ(getpid(), get_creds(&c).pid);
	}
}

/* What is out of band is a byte of its own. */
TEST_F(scm_stream, urgent_between)
{
	int a = self->fd[0], b = self->fd[1];
	char ch;

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	EXPECT_EQ(1, say(a, "a"));
	EXPECT_EQ(1, rc(send(a, "!", 1, MSG_OOB)));
	EXPECT_EQ(1, say(a, "b"));
	EXPECT_EQ(1, rc(recv(b, &ch, 1, MSG_OOB)));
	EXPECT_EQ('!', ch);
	EXPECT_SAID("a", getpid(), getuid(), b);
	EXPECT_SAID("b", getpid(), getuid(), b);
	EXPECT_EQ(1, say(a, "c"));
	EXPECT_SAID("c", getpid(), getuid(), b);
}

/* Who only looks is shown the files that come next, even without room for their bytes. */
TEST_F(scm_stream, files_ahead)
{
	int a = self->fd[0], b = self->fd[1], fd[MAX_FDS];
	size_t room[] = { 0, 1, 2, 3 };
	struct control c = {};
	char buf[8];
	int i;

	NEED(SCM_RIGHTS);
	EXPECT_EQ(2, say(a, "ab"));
	EXPECT_EQ(1, say_fd(a, "c", a));
	EXPECT_EQ(1, say_fd(a, "d", a));
	for (i = 0; i < 4; i++) {
		c.len = sizeof(c.buf);
		EXPECT_EQ(room[i], recv_control(b, buf, room[i], MSG_PEEK, &c));
		ASSERT_EQ(1, get_fds(&c, fd));
		EXPECT_TRUE(same_file(a, fd[0]));
		close(fd[0]);
	}
	/* Who reads is not. */
	EXPECT_EQ(2, recv_all(b, buf, 2, &c));
	EXPECT_EQ(0, get_fds(&c, fd));
	EXPECT_EQ(1, recv_all(b, buf, 2, &c));
	EXPECT_EQ(1, get_fds(&c, fd));
}

/* A time limit does not help either, nor more bytes of others. */
TEST_F(scm_stream, waits)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[8];
	struct op op = receiving(b, buf, 8, MSG_WAITALL);

	NEED(SCM_CREDENTIALS);
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	EXPECT_EQ(2, as(a, "ab", 1, 1));
	ASSERT_TRUE(op_sleeps_on(&op, SYS_recvfrom));
	EXPECT_EQ(1, as(a, "c", 1, 1));
	ASSERT_TRUE(op_sleeps_on(&op, SYS_recvfrom));
	EXPECT_EQ(2, as(a, "de", 2, 1));
	EXPECT_EQ(3, op_join(&op));
	EXPECT_FROM("de", 2, b, 0);
}

TEST_HARNESS_MAIN
