// SPDX-License-Identifier: GPL-2.0
/* SCM_RIGHTS: files on their way from one process to another. */

#include "scm.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

EVERY_FIXTURE(scm_rights);

#define PIPE(_p)							\
	int _p[2];							\
									\
	ASSERT_EQ(0, rc(pipe(_p)))

/* The lowest descriptor that is free. */
static int lowest(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

TEST_F(scm_rights, one)
{
	struct control c = {};
	int want, fd = -1;
	char buf[4] = {};
	PIPE(p);

	NEED(SCM_RIGHTS);
	want = lowest();
	EXPECT_EQ(3, say_fd(self->fd[0], "abc", p[0]));
	EXPECT_EQ(want, lowest());
	EXPECT_EQ(3, recv_all(self->fd[1], buf, 3, &c));
	EXPECT_STREQ("abc", buf);
	EXPECT_EQ(0, c.flags);
	EXPECT_EQ(CMSG_SPACE(sizeof(int)), c.len);
	EXPECT_EQ(CMSG_LEN(sizeof(int)), nth(&c, 0)->cmsg_len);
	ASSERT_EQ(1, get_fds(&c, &fd));
	EXPECT_EQ(NULL, nth(&c, 1));
	EXPECT_EQ(want, fd);
	EXPECT_TRUE(same_file(p[0], fd));
	EXPECT_EQ(0, fcntl(fd, F_GETFD));
	/* It goes with one message, and not with the next. */
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, recv_all(self->fd[1], buf, 3, &c));
	EXPECT_EQ(0, c.len);
	EXPECT_EQ(0, c.flags);
}

/* What /proc tells of a socket whose queue files come to and leave. */
TEST_F(scm_rights, fdinfo)
{
	struct control c = {};
	char buf[4];
	PIPE(p);

	NEED(SCM_RIGHTS);
	EXPECT_EQ(0, scm_fds(self->fd[1]));
	EXPECT_EQ(1, say_fds(self->fd[0], "a", p, 2));
	EXPECT_EQ(1, say_fd(self->fd[0], "b", p[0]));
	EXPECT_EQ(3, scm_fds(self->fd[1]));
	EXPECT_EQ(0, scm_fds(self->fd[0]));
	EXPECT_EQ(1, recv_all(self->fd[1], buf, 1, &c));
	EXPECT_EQ(1, scm_fds(self->fd[1]));
	EXPECT_EQ(1, recv_all(self->fd[1], buf, 1, &c));
	EXPECT_EQ(0, scm_fds(self->fd[1]));
}

TEST_F(scm_rights, order)
{
	struct control c = {};
	int fd[5], got[5], i;
	PIPE(p);

	NEED(SCM_RIGHTS);
	for (i = 0; i < 5; i++)
		fd[i] = i == 3 ? p[1] : eventfd(i, 0);
	EXPECT_EQ(1, say_fds(self->fd[0], "x", fd, 5));
	EXPECT_EQ(1, recv_all(self->fd[1], got, 1, &c));
	ASSERT_EQ(5, get_fds(&c, got));
	for (i = 0; i < 5; i++) {
		EXPECT_TRUE(same_file(fd[i], got[i]));
		EXPECT_LT(i ? got[i - 1] : 2, got[i]);
	}
	/* The same file twice is two descriptors; several lists are one. */
	c.len = 0;
	add_fds(&c, fd, 2);
	add_fds(&c, fd, 1);
	EXPECT_EQ(1, send_control(self->fd[0], "y", 1, 0, &c));
	EXPECT_EQ(1, recv_all(self->fd[1], got, 1, &c));
	ASSERT_EQ(3, get_fds(&c, got));
	EXPECT_EQ(NULL, nth(&c, 1));
	EXPECT_TRUE(same_file(fd[0], got[0]));
	EXPECT_TRUE(same_file(fd[1], got[1]));
	EXPECT_TRUE(same_file(fd[0], got[2]));
	EXPECT_NE(got[0], got[2]);
}

/* A file in a message is open, though nobody has it open. */
TEST_F(scm_rights, in_flight)
{
	struct control c = {};
	int fd = -1;
	char ch;
	PIPE(p);

	NEED(SCM_RIGHTS);
	EXPECT_EQ(1, say_fd(self->fd[0], "x", p[1]));
	close(p[1]);
	EXPECT_TRUE(still_open(p[0]));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	ASSERT_EQ(1, get_fds(&c, &fd));
	EXPECT_TRUE(still_open(p[0]));
	EXPECT_EQ(1, rc(write(fd, "y", 1)));
	EXPECT_EQ(1, rc(read(p[0], &ch, 1)));
	EXPECT_EQ('y', ch);
	close(fd);
	EXPECT_TRUE(ends_soon(p[0]));
}

/* The sender need not be there any more. */
TEST_F(scm_rights, from_the_dead)
{
	struct control c = {};
	int fd = -1;
	pid_t pid;
	char ch;
	PIPE(p);

	NEED(SCM_RIGHTS);
	pid = spawn();
	if (!pid)
		_exit(say_fd(self->fd[0], "x", p[1]) != 1);
	EXPECT_EQ(0, reap(pid));
	close(p[1]);
	close(self->fd[0]);
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	ASSERT_EQ(1, get_fds(&c, &fd));
	EXPECT_TRUE(still_open(p[0]));
	close(fd);
	EXPECT_TRUE(ends_soon(p[0]));
}

/* --- limits and errors ------------------------------------------------ */

TEST_F(scm_rights, most)
{
	static int fd[MAX_FDS + 1], got[MAX_FDS + 1];
	struct control c = {};
	int i, fds;
	char ch;
	PIPE(p);

	NEED(SCM_RIGHTS);
	for (i = 0; i <= MAX_FDS; i++)
		fd[i] = p[i & 1];
	fds = count_fds();
	EXPECT_EQ(-EINVAL, say_fds(self->fd[0], "x", fd, MAX_FDS + 1));
	EXPECT_EQ(1, say_fds(self->fd[0], "x", fd, MAX_FDS));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(0, c.flags);
	ASSERT_EQ(MAX_FDS, get_fds(&c, got));
	EXPECT_EQ(fds + MAX_FDS, count_fds());
	for (i = 0; i < MAX_FDS; i++) {
		ASSERT_TRUE(same_file(fd[i], got[i])) TH_LOG("%d", i);
		close(got[i]);
	}
	/* It is the message that has the limit, not the list. */
	c.len = 0;
	add_fds(&c, fd, 200);
	add_fds(&c, fd, MAX_FDS - 200 + 1);
	EXPECT_EQ(-EINVAL, send_control(self->fd[0], "x", 1, 0, &c));
	c.len = 0;
	add_fds(&c, fd, 200);
	add_fds(&c, fd, MAX_FDS - 200);
	EXPECT_EQ(1, send_control(self->fd[0], "x", 1, 0, &c));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(MAX_FDS, get_fds(&c, got));
}

/* All of them or nothing at all. */
TEST_F(scm_rights, bad_descriptor)
{
	int bad = lowest(), list[3];
	PIPE(p);

	NEED(SCM_RIGHTS);
	EXPECT_EQ(-EBADF, say_fd(self->fd[0], "x", -1));
	EXPECT_EQ(-EBADF, say_fd(self->fd[0], "x", bad + 100));
	EXPECT_EQ(-EBADF, say_fd(self->fd[0], "x", 0x7fffffff));
	list[0] = list[2] = p[1];
	list[1] = bad + 100;
	EXPECT_EQ(-EBADF, say_fds(self->fd[0], "x", list, 3));
	list[1] = p[1];
	list[2] = -1;
	EXPECT_EQ(-EBADF, say_fds(self->fd[0], "x", list, 3));
	EXPECT_NO_MSG(self->fd[1]);
	close(p[1]);
	EXPECT_TRUE(ends_soon(p[0]));
}

TEST_F(scm_rights, none)
{
	struct control c = {};
	char ch;

	NEED(SCM_RIGHTS);
	EXPECT_EQ(1, say_fds(self->fd[0], "x", NULL, 0));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(0, c.len);
	EXPECT_EQ(0, c.flags);
}

TEST_F(scm_rights, malformed)
{
	struct control c = {};
	int fd[2], got[2];
	char ch;
	PIPE(p);

	NEED(SCM_RIGHTS);
	fd[0] = p[1];
	fd[1] = -1;
	/* Shorter than its head; longer than all there is. */
	add_fds(&c, fd, 1);
	c.h.cmsg_len = sizeof(struct cmsghdr) - 1;
	EXPECT_EQ(-EINVAL, send_control(self->fd[0], "x", 1, 0, &c));
	c.h.cmsg_len = 0;
	EXPECT_EQ(-EINVAL, send_control(self->fd[0], "x", 1, 0, &c));
	c.h.cmsg_len = c.len + 1;
	EXPECT_EQ(-EINVAL, send_control(self->fd[0], "x", 1, 0, &c));
	c.h.cmsg_len = -1;
	EXPECT_EQ(-EINVAL, send_control(self->fd[0], "x", 1, 0, &c));
	/* Types nobody knows, and levels that are nobody's business here. */
	c.len = 0;
	add(&c, SOL_SOCKET, 0x77, fd, 4);
	EXPECT_EQ(-EINVAL, send_control(self->fd[0], "x", 1, 0, &c));
	c.len = 0;
	add(&c, SOL_SOCKET, SCM_TIMESTAMP, fd, 4);
	EXPECT_EQ(-EINVAL, send_control(self->fd[0], "x", 1, 0, &c));
	c.len = 0;
	add_fds(&c, fd, 1);
	add(&c, SOL_SOCKET, 0x77, fd, 4);
	EXPECT_EQ(-EINVAL, send_control(self->fd[0], "x", 1, 0, &c));
	EXPECT_NO_MSG(self->fd[1]);
	c.len = 0;
	add(&c, 12345, SCM_RIGHTS, fd + 1, 4);
	EXPECT_EQ(1, send_control(self->fd[0], "x", 1, 0, &c));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(0, c.len);
	/* Part of a descriptor is none. */
	c.len = 0;
	add(&c, SOL_SOCKET, SCM_RIGHTS, fd, 7);
	EXPECT_EQ(1, send_control(self->fd[0], "x", 1, 0, &c));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(1, get_fds(&c, got));
	close(got[0]);
	/* Less than a head is not looked at. */
	c.len = sizeof(struct cmsghdr) - 1;
	EXPECT_EQ(1, send_control(self->fd[0], "x", 1, 0, &c));
	EXPECT_MSG("x", self->fd[1]);
	close(p[1]);
	EXPECT_TRUE(ends_soon(p[0]));
}

TEST_F(scm_rights, faults)
{
	struct control c = {};
	int fds, got = -1;
	char ch;
	PACKET(m, &ch, 1);
	PIPE(p);

	NEED(SCM_RIGHTS);
	fds = count_fds();
	m.h.msg_control = bad_ptr();
	m.h.msg_controllen = 100;
	EXPECT_EQ(-EFAULT, rc(sendmsg(self->fd[0], &m.h, 0)));
	/* The descriptors could be read, the message not. */
	add_fds(&c, &p[1], 1);
	EXPECT_EQ(-EFAULT, send_control(self->fd[0], bad_ptr(), 1, 0, &c));
	EXPECT_NO_MSG(self->fd[1]);

	/* Nowhere to put them: none is opened, and the message is received. */
	EXPECT_EQ(1, say_fd(self->fd[0], "x", p[1]));
	EXPECT_EQ(1, rc(recvmsg(self->fd[1], &m.h, 0)));
	EXPECT_EQ(MSG_CTRUNC, m.h.msg_flags);
	EXPECT_EQ(fds, count_fds());

	/* The message fails: on a stream the descriptors wait for another try. */
	EXPECT_EQ(1, say_fd(self->fd[0], "x", p[1]));
	close(p[1]);
	c.len = sizeof(c.buf);
	EXPECT_EQ(-EFAULT, recv_control(self->fd[1], bad_ptr(), 1, 0, &c));
	EXPECT_EQ(fds - 1, count_fds());
	if (self->type == SOCK_STREAM) {
		EXPECT_TRUE(still_open(p[0]));
		EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
		EXPECT_EQ(1, get_fds(&c, &got));
		close(got);
	}
	EXPECT_TRUE(ends_soon(p[0]));
}

/* --- what may be sent ------------------------------------------------- */

TEST_F(scm_rights, kinds)
{
	struct control c = {};
	int fd[8], got[8], n = 0, i;
	struct stat a, b;
	char ch;

	NEED(SCM_RIGHTS);
	fd[n++] = open(".", O_RDONLY | O_DIRECTORY);
	fd[n++] = open("/", O_PATH);
	fd[n++] = open("file", O_CREAT | O_RDWR, 0600);
	fd[n++] = rc(epoll_create1(0));
	fd[n++] = rc(socket(AF_INET, SOCK_DGRAM, 0));
	fd[n++] = rc(socket(self->family, self->type, 0));
	fd[n++] = rc(syscall(SYS_memfd_create, "m", 0));
	fd[n++] = rc(syscall(SYS_pidfd_open, getpid(), 0));
	for (i = 0; i < n; i++) {
		ASSERT_LE(0, fd[i]) TH_LOG("%d", i);
	}
	EXPECT_EQ(1, say_fds(self->fd[0], "x", fd, n));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	ASSERT_EQ(n, get_fds(&c, got));
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, fstat(fd[i], &a));
		ASSERT_EQ(0, fstat(got[i], &b));
		EXPECT_EQ(a.st_ino, b.st_ino);
		EXPECT_EQ(a.st_dev, b.st_dev);
		EXPECT_EQ(fcntl(fd[i], F_GETFL), fcntl(got[i], F_GETFL));
	}
	/* The place in the file is shared. */
	EXPECT_EQ(3, rc(write(fd[2], "abc", 3)));
	EXPECT_EQ(3, lseek(got[2], 0, SEEK_CUR));
}

TEST_F(scm_rights, not_io_uring)
{
	char params[120] = {};
	int ring = rc(syscall(SYS_io_uring_setup, 1, params)), fd[2] = { 0, ring };

	NEED(SCM_RIGHTS);
	if (ring == -ENOSYS || ring == -EPERM)
		SKIP(return, "no io_uring");
	ASSERT_LE(0, ring);
	EXPECT_EQ(-EINVAL, say_fd(self->fd[0], "x", ring));
	EXPECT_EQ(-EINVAL, say_fds(self->fd[0], "x", fd, 2));
	EXPECT_NO_MSG(self->fd[1]);
}

/* A socket on which one talks while it is on its way. */
TEST_F(scm_rights, socket_in_flight)
{
	struct control c = {};
	int sv[2], got = -1;
	char ch;

	NEED(SCM_RIGHTS);
	ASSERT_EQ(0, rc(socketpair(self->family, self->type, 0, sv)));
	EXPECT_EQ(1, say(sv[0], "1"));
	EXPECT_EQ(1, say_fd(self->fd[0], "x", sv[1]));
	close(sv[1]);
	EXPECT_EQ(1, say(sv[0], "2"));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	ASSERT_EQ(1, get_fds(&c, &got));
	EXPECT_EQ(1, rc(recv(got, &ch, 1, 0)));
	EXPECT_EQ('1', ch);
	EXPECT_EQ(1, rc(recv(got, &ch, 1, 0)));
	EXPECT_EQ('2', ch);
	EXPECT_EQ(2, say(got, "re"));
	EXPECT_MSG("re", sv[0]);
}

/* --- too little room -------------------------------------------------- */

TEST_F(scm_rights, truncated)
{
	static const struct {
		size_t room;
		int fds;
	} t[] = {
		{ 0, 0 },
		{ 1, 0 },
		{ sizeof(struct cmsghdr) - 1, 0 },
		{ sizeof(struct cmsghdr), 0 },
		{ CMSG_LEN(0) + 3, 0 },
		{ CMSG_LEN(4), 1 },
		{ CMSG_LEN(7), 1 },
		{ CMSG_LEN(8), 2 },
		{ CMSG_LEN(11), 2 },
		{ CMSG_LEN(12), 3 },
	};
	int fd[3], got[3], fds, i, j, n;
	struct control c = {};
	char ch;

	NEED(SCM_RIGHTS);
	for (i = 0; i < 3; i++)
		fd[i] = eventfd(i, 0);
	fds = count_fds();
	for (i = 0; i < (int)(sizeof(t) / sizeof(t[0])); i++) {
		memset(&c, 0, sizeof(c));
		c.len = t[i].room;
		EXPECT_EQ(1, say_fds(self->fd[0], "x", fd, 3));
		EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
		EXPECT_EQ(t[i].fds < 3 ? MSG_CTRUNC : 0, c.flags)
			TH_LOG("room %zu", t[i].room);
		n = get_fds(&c, got);
		EXPECT_EQ(t[i].fds, n) TH_LOG("room %zu", t[i].room);
		for (j = 0; j < n; j++) {
			EXPECT_TRUE(same_file(fd[j], got[j]));
			close(got[j]);
		}
		/* What there was no room for is not open. */
		EXPECT_EQ(fds, count_fds()) TH_LOG("room %zu", t[i].room);
	}
}

TEST_F(scm_rights, rest_is_closed)
{
	struct control c = { .len = CMSG_LEN(4) };
	int fd[2], got = -1;
	char ch;
	PIPE(p);

	NEED(SCM_RIGHTS);
	fd[0] = eventfd(0, 0);
	fd[1] = p[1];
	EXPECT_EQ(1, say_fds(self->fd[0], "x", fd, 2));
	close(p[1]);
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
	EXPECT_EQ(1, get_fds(&c, &got));
	EXPECT_TRUE(same_file(fd[0], got));
	EXPECT_TRUE(ends_soon(p[0]));
}

/* Calls that have no room for descriptors close them. */
TEST_F(scm_rights, ignored)
{
	struct control c = {};
	int fds, i;
	char ch;
	PIPE(p);

	NEED(SCM_RIGHTS);
	fds = count_fds();
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(1, say_fd(self->fd[0], "x", p[1]));
	}
	close(p[1]);
	EXPECT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
	EXPECT_TRUE(still_open(p[0]));
	EXPECT_EQ(1, rc(read(self->fd[1], &ch, 1)));
	EXPECT_TRUE(ends_soon(p[0]));
	EXPECT_EQ(fds - 1, count_fds());
	EXPECT_EQ(-EAGAIN, recv_all(self->fd[1], &ch, 1, &c));
}

/* No more descriptors may be opened: as many as may be, and the rest is told. */
TEST_F(scm_rights, table_full)
{
	struct rlimit lim, was;
	struct control c = {};
	int fd[4], got[4], i, limit = lowest() + 6;
	char ch;

	NEED(SCM_RIGHTS);
	for (i = 0; i < 4; i++)
		fd[i] = eventfd(0, 0);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &was));
	lim = was;
	lim.rlim_cur = limit;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &lim));
	EXPECT_EQ(1, say_fds(self->fd[0], "x", fd, 4));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(MSG_CTRUNC, c.flags);
	ASSERT_EQ(2, get_fds(&c, got));
	EXPECT_TRUE(same_file(fd[1], got[1]));
	EXPECT_EQ(1, say_fds(self->fd[0], "y", fd, 4));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(MSG_CTRUNC, c.flags);
	EXPECT_EQ(0, c.len);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &was));
}

/* --- flags ------------------------------------------------------------ */

TEST_F(scm_rights, close_on_exec)
{
	struct control c = {};
	int ev = eventfd(0, EFD_CLOEXEC), got = -1;
	char ch;

	NEED(SCM_RIGHTS);
	EXPECT_EQ(1, say_fd(self->fd[0], "x", ev));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	ASSERT_EQ(1, get_fds(&c, &got));
	/* It is the receiver's, and says nothing of the sender's. */
	EXPECT_EQ(0, fcntl(got, F_GETFD));
	close(got);
	EXPECT_EQ(1, say_fd(self->fd[0], "x", ev));
	c.len = sizeof(c.buf);
	EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, MSG_CMSG_CLOEXEC, &c));
	EXPECT_EQ(MSG_CMSG_CLOEXEC, c.flags);
	ASSERT_EQ(1, get_fds(&c, &got));
	EXPECT_EQ(FD_CLOEXEC, fcntl(got, F_GETFD));
}

/* Every look opens the file anew, and taking opens it once more. */
TEST_F(scm_rights, peek)
{
	struct control c = {};
	int got[3] = { -1, -1, -1 }, fds, i;
	char ch;
	PIPE(p);

	NEED(SCM_RIGHTS);
	EXPECT_EQ(1, say_fd(self->fd[0], "x", p[1]));
	fds = count_fds();
	for (i = 0; i < 3; i++) {
		c.len = sizeof(c.buf);
		EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1,
					  i < 2 ? MSG_PEEK : 0, &c));
		EXPECT_EQ(0, c.flags);
		ASSERT_EQ(1, get_fds(&c, &got[i]));
		EXPECT_TRUE(same_file(p[1], got[i]));
		if (!i) {
			/* Looking without room takes nothing away. */
			c.len = 0;
			EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, MSG_PEEK, &c));
			EXPECT_EQ(MSG_CTRUNC, c.flags);
		}
	}
	EXPECT_EQ(fds + 3, count_fds());
	close(p[1]);
	close(got[0]);
	close(got[2]);
	EXPECT_TRUE(still_open(p[0]));
	close(got[1]);
	EXPECT_TRUE(ends_soon(p[0]));
}

TEST_F(scm_rights, mmsg)
{
	struct control c[3] = {};
	struct iovec iov = { "x", 1 };
	struct mmsghdr mm[3] = {};
	int i, got = -1;
	char ch;

	NEED(SCM_RIGHTS);
	for (i = 0; i < 3; i++) {
		int ev = eventfd(10 + i, 0);

		add_fds(&c[i], &ev, 1);
		mm[i].msg_hdr = (struct msghdr) { .msg_iov = &iov, .msg_iovlen = 1,
						  .msg_control = c[i].buf,
						  .msg_controllen = c[i].len };
	}
	c[2].h.cmsg_len = 1;
	EXPECT_EQ(2, rc(sendmmsg(self->fd[0], mm, 3, 0)));
	for (i = 0; i < 2; i++) {
		uint64_t value = 0;

		EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c[i]));
		ASSERT_EQ(1, get_fds(&c[i], &got));
		EXPECT_EQ(8, rc(read(got, &value, 8)));
		EXPECT_EQ(10 + i, (int)value);
	}
	EXPECT_NO_MSG(self->fd[1]);
}

TEST_HARNESS_MAIN
