// SPDX-License-Identifier: GPL-2.0
/*
 * The system calls of 32-bit programs. A 64-bit program reaches them by their old gate,
 * with numbers and structures of i386 and with pointers that fit; the kernel can't tell
 * it from a program compiled for i386.
 */

#include "packet.h"

#include <linux/filter.h>
#include <linux/sockios.h>

EVERY_FIXTURE(compat32);

/* i386's numbers. */
enum {
	NR_READ = 3, NR_WRITE = 4, NR_GETPID = 20, NR_IOCTL = 54, NR_SOCKETCALL = 102,
	NR_READV = 145, NR_WRITEV = 146, NR_POLL = 168, NR_FCNTL64 = 221,
	NR_RECVMMSG = 337, NR_SENDMMSG = 345, NR_SOCKET = 359, NR_SOCKETPAIR = 360,
	NR_BIND = 361, NR_CONNECT = 362, NR_LISTEN = 363, NR_ACCEPT4 = 364,
	NR_GETSOCKOPT = 365, NR_SETSOCKOPT = 366, NR_GETSOCKNAME = 367,
	NR_GETPEERNAME = 368, NR_SENDTO = 369, NR_SENDMSG = 370, NR_RECVFROM = 371,
	NR_RECVMSG = 372, NR_SHUTDOWN = 373,
};

/* i386's structures. */
struct iovec32 { uint32_t base, len; };
struct msghdr32 {
	uint32_t name, namelen, iov, iovlen, control, controllen, flags;
};
struct mmsghdr32 { struct msghdr32 hdr; uint32_t len; };
struct cmsghdr32 { uint32_t len; int32_t level, type; };
struct timeval32 { int32_t sec, usec; };
struct fprog32 { uint16_t len; uint32_t filter; };

#define CMSG32_LEN(_len)	(sizeof(struct cmsghdr32) + (_len))
#define CMSG32_DATA(_c)		((void *)((_c) + 1))

/* All that a call looks at lies where 32 bits reach it. */
struct low {
	struct msghdr32 msg;
	struct mmsghdr32 mmsg[2];
	struct iovec32 iov[2];
	union {
		struct cmsghdr32 cmsg;
		char control[256];
	};
	struct name name;
	uint32_t args[6];
	struct pollfd poll;
	struct sock_filter filter[2];
	char buf[256];
	int32_t val[64];
	uint32_t len;
};

static uint32_t at(const void *p)
{
	return (uintptr_t)p;
}

static long call6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long sixth asm("r12") = f;
	long ret;

	/* The sixth argument travels in the frame pointer. */
	asm volatile("xchg %%rbp, %[sixth]\n\tint $0x80\n\txchg %%rbp, %[sixth]"
		     : "=a" (ret), [sixth] "+r" (sixth)
		     : "a" (nr), "b" (a), "c" (b), "d" (c), "S" (d), "D" (e)
		     : "r8", "r9", "r10", "r11", "memory", "cc");
	return (int)ret;
}

#define CALL_(_nr, _a, _b, _c, _d, _e, _f, ...)				\
	call6(_nr, (long)(_a), (long)(_b), (long)(_c), (long)(_d),	\
	      (long)(_e), (long)(_f))
#define CALL(_nr, ...)	CALL_(_nr, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)

static void no_such_gate(int sig)
{
	_exit(sig);
}

/* With a handler, the kernel does not log the fault where there are no such calls. */
static bool has_calls(void)
{
	pid_t pid = spawn();

	if (!pid) {
		signal(SIGSEGV, no_such_gate);
		_exit(CALL(NR_GETPID) == getpid() ? 0 : 1);
	}
	return reap(pid) == 0;
}

static struct low *low_memory(void)
{
	void *p = mmap(NULL, sizeof(struct low), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

#define NEED_CALLS()							\
	struct low *low = low_memory();					\
									\
	if (!has_calls())						\
		SKIP(return, "the kernel runs no 32-bit programs");	\
	ASSERT_NE(NULL, low)

/* A message of @len bytes in buf, with room for control messages or without. */
static uint32_t message(struct low *low, size_t len, size_t controllen)
{
	low->iov[0] = (struct iovec32) { at(low->buf), len };
	low->msg = (struct msghdr32) {
		.iov = at(low->iov), .iovlen = 1,
		.control = controllen ? at(low->control) : 0, .controllen = controllen,
	};
	return at(&low->msg);
}

TEST_F(compat32, calls)
{
	int l, c, s, i;
	NEED_CALLS();

	low->name = path_name(self->family, "s");
	l = CALL(NR_SOCKET, self->family, self->type, 0);
	ASSERT_LE(0, l);
	ASSERT_EQ(0, CALL(NR_BIND, l, at(&low->name.sa), low->name.len));
	EXPECT_EQ(-EINVAL, CALL(NR_BIND, l, at(&low->name.sa), 1));
	c = CALL(NR_SOCKET, self->family, self->type, 0);
	ASSERT_LE(0, c);
	s = l;
	if (self->type != SOCK_DGRAM)
		ASSERT_EQ(0, CALL(NR_LISTEN, l, 4));
	ASSERT_EQ(0, CALL(NR_CONNECT, c, at(&low->name.sa), low->name.len));
	if (self->type != SOCK_DGRAM) {
		low->len = sizeof(low->name.bytes);
		s = CALL(NR_ACCEPT4, l, at(&low->name.sa), at(&low->len), SOCK_CLOEXEC);
		ASSERT_LE(0, s);
		EXPECT_EQ(PATH_OFF, low->len);
	}
	for (i = 0; i < 2; i++) {
		low->len = sizeof(low->name.bytes);
		EXPECT_EQ(0, CALL(i ? NR_GETPEERNAME : NR_GETSOCKNAME, i ? c : l,
				  at(&low->name.sa), at(&low->len)));
		EXPECT_EQ(PATH_OFF + 2, low->len);
		EXPECT_STREQ("s", low->name.un.sun_path);
	}

	strcpy(low->buf, "hello");
	EXPECT_EQ(5, CALL(NR_SENDTO, c, at(low->buf), 5, 0, 0, 0));
	low->poll = (struct pollfd) { .fd = s, .events = POLLIN };
	EXPECT_EQ(1, CALL(NR_POLL, at(&low->poll), 1, -1));
	low->len = sizeof(low->name.bytes);
	EXPECT_EQ(5, CALL(NR_RECVFROM, s, at(low->buf + 10), 100, 0, at(&low->name.sa),
			  at(&low->len)));
	EXPECT_EQ(0, low->len);
	EXPECT_EQ(0, memcmp("hello", low->buf + 10, 5));
	EXPECT_EQ(3, CALL(NR_WRITE, c, at(low->buf), 3));
	EXPECT_EQ(3, CALL(NR_READ, s, at(low->buf), 100));
	EXPECT_EQ(-EAGAIN, CALL(NR_RECVFROM, s, at(low->buf), 1, MSG_DONTWAIT, 0, 0));
	EXPECT_EQ(0, CALL(NR_SHUTDOWN, c, SHUT_WR));
	EXPECT_EQ(-EPIPE, CALL(NR_SENDTO, c, at(low->buf), 1, MSG_NOSIGNAL, 0, 0));
}

/* The one call for all of older programs. */
TEST_F(compat32, socketcall)
{
	NEED_CALLS();

	low->args[0] = self->family;
	low->args[1] = self->type;
	low->args[2] = 0;
	low->args[3] = at(low->val);
	ASSERT_EQ(0, CALL(NR_SOCKETCALL, 8 /* socketpair */, at(low->args)));
	strcpy(low->buf, "hello");
	low->args[0] = low->val[0];
	low->args[1] = at(low->buf);
	low->args[2] = 5;
	low->args[3] = 0;
	EXPECT_EQ(5, CALL(NR_SOCKETCALL, 9 /* send */, at(low->args)));
	low->args[0] = low->val[1];
	low->args[1] = at(low->buf + 10);
	EXPECT_EQ(5, CALL(NR_SOCKETCALL, 10 /* recv */, at(low->args)));
	EXPECT_STREQ("hello", low->buf + 10);
	EXPECT_EQ(-EINVAL, CALL(NR_SOCKETCALL, 99, at(low->args)));
}

TEST_F(compat32, messages)
{
	int i;
	NEED_CALLS();

	strcpy(low->buf, "hello");
	message(low, 3, 0);
	low->iov[1] = (struct iovec32) { at(low->buf + 3), 2 };
	low->msg.iovlen = 2;
	EXPECT_EQ(5, CALL(NR_SENDMSG, self->fd[0], at(&low->msg), 0));
	EXPECT_MSG("hello", self->fd[1]);
	EXPECT_EQ(5, CALL(NR_WRITEV, self->fd[0], at(low->iov), 2));
	low->iov[0] = (struct iovec32) { at(low->buf + 10), 1 };
	low->iov[1] = (struct iovec32) { at(low->buf + 11), 100 };
	EXPECT_EQ(5, CALL(NR_READV, self->fd[1], at(low->iov), 2));
	EXPECT_STREQ("hello", low->buf + 10);

	for (i = 0; i < 2; i++) {
		message(low, 5, 0);
		low->mmsg[i].hdr = low->msg;
	}
	EXPECT_EQ(2, CALL(NR_SENDMMSG, self->fd[0], at(low->mmsg), 2, 0));
	EXPECT_EQ(5, low->mmsg[1].len);
	if (self->type == SOCK_STREAM) {
		EXPECT_MSG("hellohello", self->fd[1]);
		return;
	}
	low->mmsg[1].hdr.flags = 77;
	EXPECT_EQ(2, CALL(NR_RECVMMSG, self->fd[1], at(low->mmsg), 2, MSG_DONTWAIT, 0));
	EXPECT_EQ(5, low->mmsg[0].len);
	EXPECT_EQ(0, low->mmsg[1].hdr.flags);

	/* What was cut is told in the structure. */
	EXPECT_EQ(5, say(self->fd[0], "hello"));
	message(low, 2, 0);
	EXPECT_EQ(2, CALL(NR_RECVMSG, self->fd[1], at(&low->msg), 0));
	EXPECT_EQ(MSG_TRUNC, low->msg.flags);
}

/* Descriptors, sent and received with the shorter head. */
TEST_F(compat32, rights)
{
	int before, got[2], *fds;
	NEED_CALLS();

	before = count_fds();
	message(low, 1, CMSG32_LEN(2 * sizeof(int)));
	low->cmsg = (struct cmsghdr32) { CMSG32_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	fds = CMSG32_DATA(&low->cmsg);
	fds[0] = 0;
	fds[1] = self->fd[0];
	ASSERT_EQ(1, CALL(NR_SENDMSG, self->fd[0], at(&low->msg), 0));
	ASSERT_EQ(1, CALL(NR_SENDMSG, self->fd[0], at(&low->msg), 0));

	message(low, 1, sizeof(low->control));
	memset(low->control, 0xa5, sizeof(low->control));
	/* A flag that only the kernel sets, refused from programs. */
	ASSERT_EQ(1, CALL(NR_RECVMSG, self->fd[1], at(&low->msg), MSG_CMSG_CLOEXEC));
	EXPECT_EQ(CMSG32_LEN(2 * sizeof(int)), low->msg.controllen);
	EXPECT_EQ(MSG_CMSG_CLOEXEC, low->msg.flags & ~0x80000000);
	EXPECT_EQ(CMSG32_LEN(2 * sizeof(int)), low->cmsg.len);
	EXPECT_EQ(SOL_SOCKET, low->cmsg.level);
	EXPECT_EQ(SCM_RIGHTS, low->cmsg.type);
	memcpy(got, fds, sizeof(got));
	EXPECT_EQ(before + 2, count_fds());
	EXPECT_EQ(self->family, getint(got[1], SO_DOMAIN));
	EXPECT_EQ(FD_CLOEXEC, fcntl(got[0], F_GETFD));
	close(got[0]);
	close(got[1]);

	/* Room for one alone. */
	message(low, 1, CMSG32_LEN(sizeof(int)));
	ASSERT_EQ(1, CALL(NR_RECVMSG, self->fd[1], at(&low->msg), 0));
	EXPECT_EQ(MSG_CTRUNC, low->msg.flags & MSG_CTRUNC);
	EXPECT_EQ(CMSG32_LEN(sizeof(int)), low->cmsg.len);
	EXPECT_EQ(before + 1, count_fds());
	close(fds[0]);

	/* Malformed. */
	message(low, 1, CMSG32_LEN(sizeof(int)));
	low->cmsg = (struct cmsghdr32) { CMSG32_LEN(sizeof(int)) + 4, SOL_SOCKET, SCM_RIGHTS };
	EXPECT_EQ(-EINVAL, CALL(NR_SENDMSG, self->fd[0], at(&low->msg), 0));
	low->cmsg.len = CMSG32_LEN(sizeof(int));
	fds[0] = -1;
	EXPECT_EQ(-EBADF, CALL(NR_SENDMSG, self->fd[0], at(&low->msg), 0));
}

TEST_F(compat32, credentials)
{
	struct ucred *c;
	NEED_CALLS();

	c = CMSG32_DATA(&low->cmsg);
	low->val[0] = 1;
	ASSERT_EQ(0, CALL(NR_SETSOCKOPT, self->fd[1], SOL_SOCKET, SO_PASSCRED,
			  at(low->val), sizeof(int)));
	message(low, 1, CMSG32_LEN(sizeof(*c)));
	low->cmsg = (struct cmsghdr32) { CMSG32_LEN(sizeof(*c)), SOL_SOCKET, SCM_CREDENTIALS };
	*c = (struct ucred) { getpid(), 1000, 1001 };
	ASSERT_EQ(1, CALL(NR_SENDMSG, self->fd[0], at(&low->msg), 0));
	message(low, 1, sizeof(low->control));
	memset(low->control, 0, sizeof(low->control));
	ASSERT_EQ(1, CALL(NR_RECVMSG, self->fd[1], at(&low->msg), 0));
	EXPECT_EQ(CMSG32_LEN(sizeof(*c)), low->cmsg.len);
	EXPECT_EQ(SCM_CREDENTIALS, low->cmsg.type);
	EXPECT_EQ(getpid(), c->pid);
	EXPECT_EQ(1000, c->uid);
	EXPECT_EQ(1001, c->gid);

	low->len = sizeof(*c);
	ASSERT_EQ(0, CALL(NR_GETSOCKOPT, self->fd[0], SOL_SOCKET, SO_PEERCRED,
			  at(low->val), at(&low->len)));
	EXPECT_EQ(sizeof(*c), low->len);
	EXPECT_EQ(getpid(), low->val[0]);
	EXPECT_EQ(getuid(), low->val[1]);
}

/* Times of 32 bits, as options and with messages. */
TEST_F(compat32, times)
{
	struct timeval32 *tv;
	int64_t start;
	NEED_CALLS();

	tv = (void *)low->val;
	*tv = (struct timeval32) { 0, 50000 };
	ASSERT_EQ(0, CALL(NR_SETSOCKOPT, self->fd[1], SOL_SOCKET, 20 /* SO_RCVTIMEO_OLD */,
			  at(tv), sizeof(*tv)));
	start = tick_ms();
	EXPECT_EQ(-EAGAIN, CALL(NR_READ, self->fd[1], at(low->buf), 1));
	EXPECT_LE(45, tick_ms() - start);
	low->len = sizeof(*tv);
	*tv = (struct timeval32) { -1, -1 };
	ASSERT_EQ(0, CALL(NR_GETSOCKOPT, self->fd[1], SOL_SOCKET, 20, at(tv), at(&low->len)));
	EXPECT_EQ(sizeof(*tv), low->len);
	EXPECT_EQ(0, tv->sec);
	EXPECT_LE(45000, tv->usec);

	if (self->type == SOCK_STREAM)
		return;
	low->val[0] = 1;
	ASSERT_EQ(0, CALL(NR_SETSOCKOPT, self->fd[1], SOL_SOCKET, 29 /* SO_TIMESTAMP_OLD */,
			  at(low->val), sizeof(int)));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	message(low, 1, sizeof(low->control));
	ASSERT_EQ(1, CALL(NR_RECVMSG, self->fd[1], at(&low->msg), 0));
	EXPECT_EQ(CMSG32_LEN(sizeof(*tv)), low->cmsg.len);
	EXPECT_EQ(29, low->cmsg.type);
	tv = CMSG32_DATA(&low->cmsg);
	EXPECT_GE(5, labs((long)tv->sec - (long)time(NULL)));
	EXPECT_TRUE(tv->usec >= 0 && tv->usec < 1000000);
}

TEST_F(compat32, ioctls)
{
	int fd;
	NEED_CALLS();

	EXPECT_EQ(5, say(self->fd[0], "hello"));
	low->val[0] = -1;
	EXPECT_EQ(0, CALL(NR_IOCTL, self->fd[1], FIONREAD, at(low->val)));
	EXPECT_EQ(5, low->val[0]);
	low->val[0] = -1;
	EXPECT_EQ(0, CALL(NR_IOCTL, self->fd[0], SIOCOUTQ, at(low->val)));
	EXPECT_LE(5, low->val[0]);
	EXPECT_EQ(self->type == SOCK_STREAM ? 0 : -EOPNOTSUPP,
		  CALL(NR_IOCTL, self->fd[1], SIOCATMARK, at(low->val)));
	EXPECT_EQ(-EFAULT, CALL(NR_IOCTL, self->fd[1], FIONREAD, 8));
	EXPECT_EQ(-ENOTTY, CALL(NR_IOCTL, self->fd[1], 0x54ff, at(low->val)));

	low->val[0] = 1;
	EXPECT_EQ(0, CALL(NR_IOCTL, self->fd[0], FIONBIO, at(low->val)));
	EXPECT_EQ(O_RDWR | O_NONBLOCK, fcntl(self->fd[0], F_GETFL));

	EXPECT_EQ(-ENOENT, CALL(NR_IOCTL, self->fd[1], 0x89e0 /* SIOCUNIXFILE */, 0));
	low->name = path_name(self->family, "s");
	fd = bound(self->family, self->type, &low->name);
	ASSERT_LE(0, fd);
	fd = CALL(NR_IOCTL, fd, 0x89e0, 0);
	EXPECT_LE(0, fd);
	EXPECT_LE(0, fcntl(fd, F_GETFL) & O_PATH);
}

/* A filter whose instructions a short pointer leads to. */
TEST_F(compat32, filter)
{
	struct fprog32 *prog;
	NEED_CALLS();

	prog = (void *)low->val;
	low->filter[0] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, 2);
	*prog = (struct fprog32) { 1, at(low->filter) };
	ASSERT_EQ(0, CALL(NR_SETSOCKOPT, self->fd[1], SOL_SOCKET, SO_ATTACH_FILTER,
			  at(prog), sizeof(*prog)));
	EXPECT_EQ(5, say(self->fd[0], "hello"));
	EXPECT_MSG(self->type == SOCK_STREAM ? "hello" : "he", self->fd[1]);
}

/* What one kind of program sends, the other receives. */
TEST_F(compat32, mixed)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} c = { .h = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	PACKET(m, "x", 1);
	int fd, *fds;
	NEED_CALLS();

	m.h.msg_control = &c;
	m.h.msg_controllen = sizeof(c);
	memcpy(CMSG_DATA(&c.h), &self->fd[0], sizeof(int));
	ASSERT_EQ(1, rc(sendmsg(self->fd[0], &m.h, 0)));
	message(low, 1, sizeof(low->control));
	ASSERT_EQ(1, CALL(NR_RECVMSG, self->fd[1], at(&low->msg), 0));
	EXPECT_EQ(CMSG32_LEN(sizeof(int)), low->cmsg.len);
	fds = CMSG32_DATA(&low->cmsg);
	EXPECT_EQ(self->type, getint(fds[0], SO_TYPE));

	low->msg.controllen = CMSG32_LEN(sizeof(int));
	ASSERT_EQ(1, CALL(NR_SENDMSG, self->fd[0], at(&low->msg), 0));
	memset(&c, 0, sizeof(c));
	m.h.msg_controllen = sizeof(c);
	m.iov.iov_base = low->buf;
	ASSERT_EQ(1, rc(recvmsg(self->fd[1], &m.h, 0)));
	EXPECT_EQ(CMSG_LEN(sizeof(int)), c.h.cmsg_len);
	memcpy(&fd, CMSG_DATA(&c.h), sizeof(int));
	EXPECT_EQ(self->type, getint(fd, SO_TYPE));
}

TEST_HARNESS_MAIN
