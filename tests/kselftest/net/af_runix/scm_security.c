// SPDX-License-Identifier: GPL-2.0
/*
 * Labels of senders (SO_PASSSEC): what AF_UNIX tells of them on this system, with
 * whatever security module there is.
 */

#include "scm.h"

EVERY_FIXTURE(scm_security);

struct label {
	long len;	/* below zero where there is none */
	char text[256];
};

static struct label label_of(struct control *c)
{
	struct cmsghdr *h = of_type(c, SCM_SECURITY);
	struct label l = { .len = -1 };

	if (h) {
		l.len = h->cmsg_len - CMSG_LEN(0);
		memcpy(l.text, CMSG_DATA(h), l.len);
	}
	return l;
}

/* What AF_UNIX tells of this process. */
static struct label ours(int type, bool credentials)
{
	struct label l = { .len = -2 };
	struct control c = {};
	int sv[2];
	char ch;

	if (socketpair(AF_UNIX, type, 0, sv) || setint(sv[1], SO_PASSSEC, 1) ||
	    setint(sv[1], SO_PASSCRED, credentials) || say(sv[0], "x") != 1 ||
	    recv_all(sv[1], &ch, 1, &c) != 1)
		return l;
	close(sv[0]);
	close(sv[1]);
	return label_of(&c);
}

#define EXPECT_LABEL(_want, _c)						\
do {									\
	struct label __want = _want, __got = label_of(_c);		\
									\
	ASSERT_NE(-2, __want.len);					\
	EXPECT_EQ(__want.len, __got.len);				\
	EXPECT_STREQ(__want.text, __got.text);				\
} while (0)

/* Smack tells labels of AF_UNIX by its number. */
#define NEED_LABELS()							\
do {									\
	if (setint(self->fd[1], SO_PASSSEC, 1))				\
		SKIP(return, "no security modules");			\
	if (self->family != AF_UNIX && !access("/sys/fs/smackfs", F_OK))\
		SKIP(return, "Smack labels AF_UNIX alone");		\
} while (0)

TEST_F(scm_security, labels)
{
	struct control c = {};
	int cred;
	char ch;

	NEED_LABELS();
	for (cred = 0; cred < 2; cred++) {
		ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, cred));
		EXPECT_EQ(1, say(self->fd[0], "x"));
		c.len = sizeof(c.buf);
		EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, MSG_PEEK, &c));
		EXPECT_EQ(0, c.flags);
		EXPECT_LABEL(ours(self->type, cred), &c);
		EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
		EXPECT_EQ(0, c.flags);
		EXPECT_LABEL(ours(self->type, cred), &c);
	}
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSSEC, 0));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(-1, label_of(&c).len);
}

/* Otherwise nothing is compared here but that there is nothing. */
TEST_F(scm_security, labels_there)
{
	NEED_LABELS();
	if (access("/sys/fs/selinux", F_OK))
		SKIP(return, "no SELinux");
	EXPECT_LT(0, ours(self->type, true).len);
	EXPECT_EQ(self->type == SOCK_STREAM, ours(self->type, false).len < 0);
}

/* What is told, not what was asked for when it was sent. */
TEST_F(scm_security, late)
{
	struct control c = {};
	pid_t pid;
	char ch;

	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	pid = spawn();
	if (!pid)
		_exit(say(self->fd[0], "x") != 1);
	EXPECT_EQ(0, reap(pid));
	close(self->fd[0]);
	NEED_LABELS();
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_LABEL(ours(self->type, true), &c);
}

/* Behind the credentials, in front of files and process. */
TEST_F(scm_security, order)
{
	int want[4] = { SCM_CREDENTIALS, SCM_SECURITY, SCM_RIGHTS, SCM_PIDFD };
	bool labelled = ours(self->type, true).len >= 0;
	struct control c = {};
	int i, at = 0;
	char ch;

	NEED_LABELS();
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	EXPECT_EQ(1, say_fd(self->fd[0], "x", 0));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	for (i = 0; i < 4; i++) {
		if (want[i] == SCM_SECURITY && !labelled)
			continue;
		ASSERT_NE(NULL, nth(&c, at));
		EXPECT_EQ(want[i], nth(&c, at)->cmsg_type);
		at++;
	}
	EXPECT_EQ(NULL, nth(&c, at));
}

/* Asked for, and no room: that is told even where there is no label. */
TEST_F(scm_security, no_room)
{
	struct control c = {};
	char ch;

	NEED_LABELS();
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
	EXPECT_EQ(MSG_CTRUNC, c.flags);
	if (self->type == SOCK_DGRAM)
		return;
	close(self->fd[0]);
	c.len = sizeof(c.buf);
	EXPECT_EQ(0, recv_control(self->fd[1], &ch, 1, 0, &c));
	EXPECT_EQ(0, c.flags);
	EXPECT_EQ(0, c.len);
}

TEST_HARNESS_MAIN
