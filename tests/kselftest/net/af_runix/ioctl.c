// SPDX-License-Identifier: GPL-2.0
/* ioctl(): queue sizes, the bound file, what is unknown; and signals by I/O. */

#include <sched.h>
#include "common.h"

#include <grp.h>
#include <net/if.h>
#include <linux/sockios.h>
#include <termios.h>

#ifndef SIOCUNIXFILE
#define SIOCUNIXFILE	(SIOCPROTOPRIVATE + 0)
#endif

FAMILY_FIXTURE(ioctl);

static int outq(int fd)
{
	int n = -1;

	return ioctl(fd, SIOCOUTQ, &n) ? -errno : n;
}

TEST_F(ioctl, inq)
{
	struct name n = abstract_name(self->family, "n");
	int a = self->fd[0], b = self->fd[1], l;
	char buf[8];

	EXPECT_EQ(0, inq(b));
	ASSERT_EQ(5, rc(send(a, "abcde", 5, 0)));
	EXPECT_EQ(5, inq(b));
	EXPECT_EQ(0, inq(a));
	ASSERT_EQ(3, rc(send(a, "fgh", 3, 0)));
	EXPECT_EQ(8, inq(b));
	ASSERT_EQ(2, rc(recv(b, buf, 2, MSG_PEEK)));
	EXPECT_EQ(8, inq(b));
	ASSERT_EQ(2, rc(recv(b, buf, 2, 0)));
	EXPECT_EQ(6, inq(b));
	ASSERT_EQ(0, rc(shutdown(a, SHUT_WR)));
	EXPECT_EQ(6, inq(b));
	close(a);
	EXPECT_EQ(6, inq(b));
	ASSERT_EQ(6, rc(recv(b, buf, 8, 0)));
	EXPECT_EQ(0, inq(b));

	EXPECT_EQ(0, inq(xsocket(self->family)));
	l = listener(self->family, &n, 1);
	ASSERT_LE(0, l);
	EXPECT_EQ(-EINVAL, inq(l));
	ASSERT_LE(0, dial(self->family, &n));
	EXPECT_EQ(-EINVAL, inq(l));
}

TEST_F(ioctl, inq_large)
{
	size_t n = fill_up(self->fd[0]);

	EXPECT_EQ(n, inq(self->fd[1]));
	EXPECT_EQ(n / 2, drain(self->fd[1], 0, n / 2));
	EXPECT_EQ(n - n / 2, inq(self->fd[1]));
}

/* How much an unread byte weighs is the family's affair; that it does is not. */
TEST_F(ioctl, outq)
{
	struct name n = abstract_name(self->family, "n");
	int a = self->fd[0], b = self->fd[1], one, l;
	char buf[200];

	EXPECT_EQ(0, outq(a));
	ASSERT_EQ(1, rc(send(a, "x", 1, 0)));
	one = outq(a);
	EXPECT_LE(1, one);
	EXPECT_EQ(0, outq(b));
	ASSERT_EQ(100, rc(send(a, buf, 100, 0)));
	EXPECT_LE(101, outq(a));
	EXPECT_LE(one, outq(a));
	ASSERT_EQ(101, rc(recv(b, buf, 200, MSG_PEEK)));
	EXPECT_LE(101, outq(a));
	ASSERT_EQ(101, rc(recv(b, buf, 200, 0)));
	EXPECT_EQ(0, outq(a));

	/* What can never be read any more weighs nothing. */
	ASSERT_EQ(1, rc(send(a, "x", 1, 0)));
	close(b);
	EXPECT_EQ(0, outq(a));

	EXPECT_EQ(0, outq(xsocket(self->family)));
	l = listener(self->family, &n, 1);
	ASSERT_LE(0, l);
	ASSERT_LE(0, dial(self->family, &n));
	EXPECT_EQ(0, outq(l));
}

/* Nothing urgent has been sent, so no reader is there yet. */
TEST_F(ioctl, no_mark)
{
	int at = -1, err = rc(ioctl(self->fd[0], SIOCATMARK, &at));

	if (variant->runix && err == -ENOTTY)
		SKIP(return, "the family knows no urgent data yet");
	EXPECT_EQ(0, err);
	EXPECT_EQ(0, at);
	ASSERT_EQ(1, rc(send(self->fd[1], "x", 1, 0)));
	at = -1;
	EXPECT_EQ(0, rc(ioctl(self->fd[0], SIOCATMARK, &at)));
	EXPECT_EQ(0, at);
}

/* A connection that waits to be accepted is as good as a mark. */
TEST_F(ioctl, mark_of_listener)
{
	struct name n = abstract_name(self->family, "n");
	int at = -1, l = listener(self->family, &n, 1);

	ASSERT_LE(0, l);
	EXPECT_EQ(0, rc(ioctl(l, SIOCATMARK, &at)));
	EXPECT_EQ(0, at);
	ASSERT_LE(0, dial(self->family, &n));
	EXPECT_EQ(0, rc(ioctl(l, SIOCATMARK, &at)));
	EXPECT_EQ(1, at);
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(0, rc(ioctl(l, SIOCATMARK, &at)));
	EXPECT_EQ(0, at);
}

TEST_F(ioctl, unknown)
{
	struct winsize w;
	struct timeval tv;

	EXPECT_EQ(-ENOTTY, rc(ioctl(self->fd[0], 0x1234567, &w)));
	EXPECT_EQ(-ENOTTY, rc(ioctl(self->fd[0], TIOCGWINSZ, &w)));
	EXPECT_EQ(-ENOTTY, rc(ioctl(self->fd[0], TCGETS, &w)));
	EXPECT_EQ(0, isatty(self->fd[0]));
	EXPECT_EQ(-ENOTTY, rc(ioctl(self->fd[0], SIOCPROTOPRIVATE + 15, &w)));
	EXPECT_EQ(-ENOTTY, rc(ioctl(self->fd[0], SIOCGSTAMP, &tv)));
}

TEST_F(ioctl, fault)
{
	EXPECT_EQ(-EFAULT, rc(ioctl(self->fd[0], FIONREAD, bad_ptr())));
	EXPECT_EQ(-EFAULT, rc(ioctl(self->fd[0], SIOCOUTQ, bad_ptr())));
	EXPECT_EQ(-EFAULT, rc(ioctl(self->fd[0], FIONBIO, bad_ptr())));
}

/* Whatever the family does not know may concern the network devices. */
TEST_F(ioctl, devices)
{
	struct ifreq ifr = {};

	strcpy(ifr.ifr_name, "lo");
	ASSERT_EQ(0, rc(ioctl(self->fd[0], SIOCGIFINDEX, &ifr)));
	EXPECT_LT(0, ifr.ifr_ifindex);
	memset(ifr.ifr_name, 0, sizeof(ifr.ifr_name));
	EXPECT_EQ(0, rc(ioctl(self->fd[0], SIOCGIFNAME, &ifr)));
	EXPECT_STREQ("lo", ifr.ifr_name);
	strcpy(ifr.ifr_name, "no-such-device");
	EXPECT_EQ(-ENODEV, rc(ioctl(self->fd[0], SIOCGIFFLAGS, &ifr)));
}

TEST_F(ioctl, nonblocking)
{
	char ch;

	ASSERT_EQ(0, rc(ioctl(self->fd[0], FIONBIO, &(int){ 1 })));
	EXPECT_EQ(O_NONBLOCK, fcntl(self->fd[0], F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EAGAIN, rc(recv(self->fd[0], &ch, 1, 0)));
	EXPECT_EQ(-EAGAIN, rc(read(self->fd[0], &ch, 1)));
	ASSERT_EQ(0, rc(ioctl(self->fd[0], FIONBIO, &(int){ 0 })));
	EXPECT_EQ(0, fcntl(self->fd[0], F_GETFL) & O_NONBLOCK);
}

/* The file a socket is bound to, wherever it has been moved. */
TEST_F(ioctl, bound_file)
{
	struct name p = path_name(self->family, "s");
	struct name n = abstract_name(self->family, "n");
	int fd = xsocket(self->family), other = xsocket(self->family), file;
	struct stat st, at;

	EXPECT_EQ(-ENOENT, rc(ioctl(fd, SIOCUNIXFILE)));
	ASSERT_EQ(0, xbind(other, &n));
	EXPECT_EQ(-ENOENT, rc(ioctl(other, SIOCUNIXFILE)));

	ASSERT_EQ(0, xbind(fd, &p));
	ASSERT_EQ(0, rename("s", "moved"));
	file = rc(ioctl(fd, SIOCUNIXFILE));
	ASSERT_LE(0, file);
	EXPECT_EQ(O_PATH, fcntl(file, F_GETFL) & O_PATH);
	EXPECT_EQ(FD_CLOEXEC, fcntl(file, F_GETFD));
	ASSERT_EQ(0, fstat(file, &st));
	ASSERT_EQ(0, lstat("moved", &at));
	EXPECT_TRUE(S_ISSOCK(st.st_mode));
	EXPECT_EQ(at.st_ino, st.st_ino);
	EXPECT_EQ(at.st_dev, st.st_dev);

	/* It is for the administrator of the network only. */
	EXPECT_EQ(-EPERM, IN_CHILD(setgroups(0, NULL) || setuid(65534) ? -ENOTRECOVERABLE :
				   rc(ioctl(fd, SIOCUNIXFILE))));
}

/* --- signals ---------------------------------------------------------- */

/* Queue @sig for each event on @fd, to be fetched by next_signal(). */
static int signal_on(int fd, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	if (sigprocmask(SIG_BLOCK, &set, NULL) || fcntl(fd, F_SETOWN, getpid()) ||
	    (sig != SIGIO && fcntl(fd, F_SETSIG, sig)))
		return -errno;
	return rc(ioctl(fd, FIOASYNC, &(int){ 1 }));
}

/* The si_code of the next signal, or 0 when none is there. */
static int next_signal(int sig, int *fd)
{
	struct timespec none = {};
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	if (sigtimedwait(&set, &info, &none) != sig)
		return 0;
	*fd = info.si_fd;
	return info.si_code;
}

TEST_F(ioctl, sigio)
{
	int fd = -1;
	char ch;

	ASSERT_EQ(0, signal_on(self->fd[1], SIGIO));
	EXPECT_EQ(O_ASYNC, fcntl(self->fd[1], F_GETFL) & O_ASYNC);
	EXPECT_EQ(0, next_signal(SIGIO, &fd));
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_NE(0, next_signal(SIGIO, &fd));
	EXPECT_EQ(0, next_signal(SIGIO, &fd));
	ASSERT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
	EXPECT_EQ(0, next_signal(SIGIO, &fd));

	ASSERT_EQ(0, rc(ioctl(self->fd[1], FIOASYNC, &(int){ 0 })));
	EXPECT_EQ(0, fcntl(self->fd[1], F_GETFL) & O_ASYNC);
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(0, next_signal(SIGIO, &fd));
}

/* But none for what a thread waits for, whoever looks without waiting meanwhile. */
TEST_F(ioctl, no_sigio_while_waiting)
{
	char ch, other;
	struct op op = { .fn = op_recv, .fd = self->fd[1], .buf = &ch, .len = 1 };
	struct sched_param first = { .sched_priority = 1 };
	int fd = -1;
	cpu_set_t one;

	/*
	 * On another processor, or ahead of the sender on this one, who is woken may have
	 * gone on before it is asked whether it waits.
	 */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	ASSERT_EQ(0, rc(sched_setaffinity(0, sizeof(one), &one)));
	ASSERT_EQ(0, signal_on(self->fd[1], SIGIO));
	ASSERT_TRUE(op_blocks(&op, SYS_recvfrom));
	EXPECT_EQ(-EAGAIN, rc(recv(self->fd[1], &other, 1, MSG_DONTWAIT)));
	if (rc(sched_setscheduler(0, SCHED_FIFO, &first)))
		SKIP(return, "may not go ahead of others");
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(1, op_join(&op));
	EXPECT_EQ(0, next_signal(SIGIO, &fd));
	ASSERT_EQ(1, rc(send(self->fd[0], "y", 1, 0)));
	EXPECT_NE(0, next_signal(SIGIO, &fd));
}

/* A chosen signal tells which descriptor and what about it. */
TEST_F(ioctl, signal_reasons)
{
	int sig = SIGRTMIN + 1, fd = -1;
	size_t n;

	ASSERT_EQ(0, signal_on(self->fd[1], sig));
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	EXPECT_EQ(POLL_IN, next_signal(sig, &fd));
	EXPECT_EQ(self->fd[1], fd);
	EXPECT_EQ(0, next_signal(sig, &fd));

	/* Room in a buffer that was found full. */
	n = fill_up(self->fd[1]);
	EXPECT_EQ(0, next_signal(sig, &fd));
	EXPECT_EQ(n, drain(self->fd[0], 0, n));
	EXPECT_EQ(POLL_OUT, next_signal(sig, &fd));
	while (next_signal(sig, &fd))
		;

	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_WR)));
	EXPECT_EQ(POLL_IN, next_signal(sig, &fd));
	EXPECT_EQ(0, next_signal(sig, &fd));
	close(self->fd[0]);
	EXPECT_EQ(POLL_HUP, next_signal(sig, &fd));
	EXPECT_EQ(0, next_signal(sig, &fd));
}

TEST_F(ioctl, signal_connection)
{
	struct name n = abstract_name(self->family, "n");
	int l = listener(self->family, &n, 4), sig = SIGRTMIN + 1, fd = -1;

	ASSERT_LE(0, l);
	ASSERT_EQ(0, signal_on(l, sig));
	ASSERT_LE(0, dial(self->family, &n));
	EXPECT_EQ(POLL_IN, next_signal(sig, &fd));
	EXPECT_EQ(l, fd);
	EXPECT_EQ(0, next_signal(sig, &fd));
}

TEST_F(ioctl, owner)
{
	int owner = -1;

	EXPECT_EQ(0, rc(ioctl(self->fd[0], FIOGETOWN, &owner)));
	EXPECT_EQ(0, owner);
	EXPECT_EQ(0, rc(ioctl(self->fd[0], SIOCSPGRP, &(int){ getpid() })));
	EXPECT_EQ(0, rc(ioctl(self->fd[0], SIOCGPGRP, &owner)));
	EXPECT_EQ(getpid(), owner);
	EXPECT_EQ(getpid(), rc(fcntl(self->fd[0], F_GETOWN)));
}

TEST_HARNESS_MAIN
