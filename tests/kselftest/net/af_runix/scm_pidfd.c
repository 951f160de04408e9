// SPDX-License-Identifier: GPL-2.0
/*
 * Descriptors of processes: of who has sent (SCM_PIDFD), of who is at the other
 * end (SO_PEERPIDFD), and of both when they are gone.
 */

#include "scm.h"

#include <sched.h>
#include <sys/resource.h>

EVERY_FIXTURE(scm_pidfd);

/* The first that there was of struct pidfd_info; C libraries may have none. */
struct info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t pid;
	uint32_t other[10];
	int32_t exit_code;
};

#define GET_INFO	_IOWR(0xff, 11, struct info)
#define INFO_EXIT	(1ULL << 3)

/* How the process ended; an error while it has not. */
static int ended_with(int pidfd)
{
	struct info info = { .mask = INFO_EXIT };

	if (ioctl(pidfd, GET_INFO, &info))
		return -errno;
	if (!(info.mask & INFO_EXIT))
		return -ENODATA;
	return WIFEXITED(info.exit_code) ? WEXITSTATUS(info.exit_code) : -ECANCELED;
}

/* A process that has come and gone is told of: with a number that no one has. */
#define EXPECT_GONE(_status, _pidfd)					\
do {									\
	int __pidfd = _pidfd;						\
									\
	ASSERT_LE(0, __pidfd);						\
	EXPECT_EQ(-1, pid_of(__pidfd));					\
	EXPECT_EQ(_status, ended_with(__pidfd));			\
	EXPECT_EQ(-ESRCH, rc(syscall(SYS_pidfd_send_signal, __pidfd, 0, NULL, 0)));\
	EXPECT_EQ(FD_CLOEXEC, fcntl(__pidfd, F_GETFD));			\
	close(__pidfd);							\
} while (0)

#define EXPECT_PID(_pid, _pidfd)					\
do {									\
	int __pidfd = _pidfd;						\
									\
	ASSERT_LE(0, __pidfd);						\
	EXPECT_EQ(_pid, pid_of(__pidfd));				\
	EXPECT_EQ(FD_CLOEXEC, fcntl(__pidfd, F_GETFD));			\
	close(__pidfd);							\
} while (0)

/* The descriptor that comes with the next byte. */
static int next_pidfd(int fd)
{
	struct control c = {};
	char ch;
	long ret = recv_all(fd, &ch, 1, &c);

	return ret != 1 ? (ret < 0 ? ret : -EBADMSG) : c.flags ? -EMSGSIZE : get_pidfd(&c);
}

static int peer_pidfd(int fd)
{
	int pidfd = -1;

	return runix_get_peerpidfd(fd, &pidfd) ? -errno : pidfd;
}

static int listening(int family, int type, const struct name *n)
{
	int fd = bound(family, type, n);

	if (fd >= 0 && type != SOCK_DGRAM && listen(fd, 8))
		abort();
	return fd;
}

/* --- of who has sent -------------------------------------------------- */

TEST_F(scm_pidfd, of_the_dead)
{
	pid_t pid;

	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	pid = spawn();
	if (!pid)
		_exit(say(self->fd[0], "x") != 1 ? 1 : 77);
	EXPECT_EQ(77, reap(pid));
	EXPECT_GONE(77, next_pidfd(self->fd[1]));
}

/* Of one who ends before anybody has asked for descriptors. */
TEST_F(scm_pidfd, asked_for_late)
{
	pid_t pid;

	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 1));
	pid = spawn();
	if (!pid)
		_exit(say(self->fd[0], "x") != 1 ? 1 : 78);
	EXPECT_EQ(78, reap(pid));
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSCRED, 0));
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	EXPECT_GONE(78, next_pidfd(self->fd[1]));
}

/* Nobody has asked at all: it isn't known who it was. */
TEST_F(scm_pidfd, unknown)
{
	struct control c = {};
	char ch;

	EXPECT_EQ(1, say(self->fd[0], "x"));
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	EXPECT_EQ(1, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(0, c.len);
	EXPECT_EQ(0, c.flags);
}

/* Who sends while the connection waits to be accepted is known. */
TEST_F(scm_pidfd, before_accept)
{
	struct name n = abstract_name(self->family, "n");
	int l = listening(self->family, self->type, &n), a;
	pid_t pid;

	ASSERT_LE(0, l);
	if (self->type == SOCK_DGRAM) {
		EXPECT_EQ(-EOPNOTSUPP, rc(listen(l, 1)));
		return;
	}
	pid = spawn();
	if (!pid) {
		int fd = joined(self->family, self->type, &n);

		_exit(fd < 0 || say(fd, "x") != 1 ? 1 : 79);
	}
	EXPECT_EQ(79, reap(pid));
	a = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, a);
	EXPECT_GONE(79, peer_pidfd(a));
	ASSERT_EQ(0, setint(a, SO_PASSPIDFD, 1));
	EXPECT_GONE(79, next_pidfd(a));
}

/* The sender's asking is enough, and so is its saying who it is. */
TEST_F(scm_pidfd, told_by_sender)
{
	struct control c = {};
	pid_t pid;

	ASSERT_EQ(0, setint(self->fd[0], SO_PASSPIDFD, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	ASSERT_EQ(0, setint(self->fd[0], SO_PASSPIDFD, 0));
	add_creds(&c, getpid(), getuid(), getgid());
	EXPECT_EQ(1, send_control(self->fd[0], "y", 1, 0, &c));
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	EXPECT_PID(getpid(), next_pidfd(self->fd[1]));
	EXPECT_PID(getpid(), next_pidfd(self->fd[1]));

	/* Root says who somebody else is. */
	pid = spawn();
	if (!pid) {
		pause();
		_exit(0);
	}
	c.len = 0;
	add_creds(&c, pid, 1, 2);
	EXPECT_EQ(1, send_control(self->fd[0], "z", 1, 0, &c));
	EXPECT_EQ(1, send_control(self->fd[0], "z", 1, 0, &c));
	EXPECT_PID(pid, next_pidfd(self->fd[1]));
	kill(pid, SIGKILL);
	EXPECT_EQ(1000 + SIGKILL, reap(pid));
	EXPECT_GONE(-ECANCELED, next_pidfd(self->fd[1]));
}

/* A thread is its process. */
static long op_say(struct op *op)
{
	return send(op->fd, "x", 1, MSG_NOSIGNAL);
}

TEST_F(scm_pidfd, of_thread)
{
	struct op op = { .fn = op_say, .fd = self->fd[0] };

	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	op_blocks(&op, -1);
	EXPECT_EQ(1, op_join(&op));
	EXPECT_PID(getpid(), next_pidfd(self->fd[1]));
}

/* Somebody whom the user namespace that it is in has no name for. */
static int nameless_says(int fd)
{
	if (unshare(CLONE_NEWUSER))
		return -ENOSYS;
	return say(fd, "x") == 1 ? -80 : -1;
}

TEST_F(scm_pidfd, of_nameless)
{
	long err;

	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	err = IN_CHILD(nameless_says(self->fd[0]));
	if (err == -ENOSYS)
		SKIP(return, "no user namespaces");
	ASSERT_EQ(-80, err);
	EXPECT_GONE(80, next_pidfd(self->fd[1]));
}

/* Into a process namespace, where the sender has no number, and out of it. */
static int in_pid_namespace(int fd, int other)
{
	pid_t pid, sender = getppid();

	if (unshare(CLONE_NEWPID))
		return -ENOSYS;
	pid = spawn();
	if (!pid) {
		int pidfd = next_pidfd(fd);

		/* The numbers in /proc are those of the namespace outside. */
		if (pidfd < 0 || pid_of(pidfd) != sender)
			_exit(1);
		_exit(say(other, "y") != 1 ? 2 : 0);
	}
	return -reap(pid);
}

TEST_F(scm_pidfd, process_namespace)
{
	long err;

	ASSERT_EQ(0, setint(self->fd[0], SO_PASSPIDFD, 1));
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	err = IN_CHILD(in_pid_namespace(self->fd[1], self->fd[1]));
	if (err == -ENOSYS)
		SKIP(return, "no process namespaces");
	ASSERT_EQ(0, err);
	EXPECT_GONE(0, next_pidfd(self->fd[0]));
}

/* --- how it comes ----------------------------------------------------- */

/* Each look opens another one. */
TEST_F(scm_pidfd, peek)
{
	struct control c = {};
	int fds, i;
	char ch;

	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	fds = count_fds();
	for (i = 0; i < 3; i++) {
		c.len = sizeof(c.buf);
		EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, i < 2 ? MSG_PEEK : 0, &c));
		EXPECT_EQ(0, c.flags);
		ASSERT_LE(0, get_pidfd(&c));
		EXPECT_EQ(getpid(), pid_of(get_pidfd(&c)));
		EXPECT_EQ(fds + 1 + i, count_fds());
	}
}

/* Too little room, or memory that isn't there: nothing stays open. */
TEST_F(scm_pidfd, not_delivered)
{
	static const size_t room[] = { 0, 1, CMSG_LEN(0), CMSG_LEN(3), CMSG_LEN(4) };
	struct control c = {};
	int fds, i;
	char ch;
	PACKET(m, &ch, 1);

	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	fds = count_fds();
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(1, say(self->fd[0], "x"));
		c.len = room[i];
		EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
		EXPECT_EQ(i < 4 ? MSG_CTRUNC : 0, c.flags) TH_LOG("%zu", room[i]);
		EXPECT_EQ(i < 4 ? 0 : CMSG_LEN(4), c.len);
		if (i == 4)
			EXPECT_PID(getpid(), get_pidfd(&c));
		EXPECT_EQ(fds, count_fds());
	}

	EXPECT_EQ(1, say(self->fd[0], "x"));
	m.h.msg_control = bad_ptr();
	m.h.msg_controllen = 100;
	EXPECT_EQ(1, rc(recvmsg(self->fd[1], &m.h, 0)));
	EXPECT_EQ(0, m.h.msg_flags);
	EXPECT_EQ(0, m.h.msg_controllen);
	EXPECT_EQ(fds, count_fds());

	/* The end, too, has no room to come in, and then nobody to tell of. */
	if (self->type == SOCK_DGRAM)
		return;
	close(self->fd[0]);
	c.len = CMSG_LEN(0);
	EXPECT_EQ(0, recv_control(self->fd[1], &ch, 1, 0, &c));
	EXPECT_EQ(self->type == SOCK_STREAM ? MSG_CTRUNC : 0, c.flags);
	EXPECT_EQ(0, recv_all(self->fd[1], &ch, 1, &c));
	EXPECT_EQ(0, c.flags);
	EXPECT_EQ(0, c.len);
}

/* No more descriptors may be opened: the error comes instead. */
TEST_F(scm_pidfd, table_full)
{
	struct rlimit lim, was;
	int low = dup(0);

	close(low);
	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	EXPECT_EQ(1, say(self->fd[0], "y"));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &was));
	lim = was;
	lim.rlim_cur = low;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &lim));
	EXPECT_EQ(-EMFILE, next_pidfd(self->fd[1]));
	EXPECT_EQ(-EMFILE, peer_pidfd(self->fd[1]));
	lim.rlim_cur = low + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &lim));
	EXPECT_EQ(low, next_pidfd(self->fd[1]));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &was));
}

/* Whoever asks gets a name, so that there is somebody to answer. */
TEST_F(scm_pidfd, autobind)
{
	struct name n = abstract_name(self->family, "n"), got;
	int fd;

	ASSERT_LE(0, listening(self->family, self->type, &n));
	fd = rc(socket(self->family, self->type, 0));
	ASSERT_EQ(0, setint(fd, SO_PASSPIDFD, 1));
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_EQ(PATH_OFF, got.len);
	ASSERT_EQ(0, xconnect(fd, &n));
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_EQ(PATH_OFF + 6, got.len);
	/* Sending is enough for those that send messages. */
	ASSERT_EQ(0, setint(self->fd[0], SO_PASSPIDFD, 1));
	EXPECT_EQ(1, say(self->fd[0], "x"));
	ASSERT_EQ(0, xgetsockname(self->fd[0], &got));
	EXPECT_EQ(self->type == SOCK_STREAM ? PATH_OFF : PATH_OFF + 6, got.len);
	/* Labels need nobody to answer. */
	fd = rc(socket(self->family, self->type, 0));
	if (setint(fd, SO_PASSSEC, 1))
		return;
	ASSERT_EQ(0, xconnect(fd, &n));
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_EQ(PATH_OFF, got.len);
}

/* Bytes of two processes are not told of as one's. */
TEST_F(scm_pidfd, not_merged)
{
	int i, size = self->type == SOCK_STREAM ? 4 : 2, times = 4 / size;
	struct control c = {};
	pid_t pid[2];
	char buf[8];

	ASSERT_EQ(0, setint(self->fd[1], SO_PASSPIDFD, 1));
	for (i = 0; i < 2; i++) {
		pid[i] = spawn();
		if (!pid[i])
			_exit(say(self->fd[0], "ab") != 2 || say(self->fd[0], "cd") != 2 ? 1 : 50 + i);
		EXPECT_EQ(50 + i, reap(pid[i]));
	}
	for (i = 0; i < 2 * times; i++) {
		EXPECT_EQ(size, recv_all(self->fd[1], buf, 8, &c));
		EXPECT_EQ(CMSG_SPACE(sizeof(int)), c.len);
		EXPECT_GONE(50 + i / times, get_pidfd(&c));
	}
}

/* --- of who is at the other end --------------------------------------- */

TEST_F(scm_pidfd, peer)
{
	struct name n = abstract_name(self->family, "n");
	int fd, l;
	pid_t pid;

	EXPECT_PID(getpid(), peer_pidfd(self->fd[0]));
	EXPECT_PID(getpid(), peer_pidfd(self->fd[1]));
	fd = rc(socket(self->family, self->type, 0));
	EXPECT_EQ(-ENODATA, peer_pidfd(fd));
	if (self->type == SOCK_DGRAM) {
		/* Those may have any number of others. */
		ASSERT_LE(0, bound(self->family, self->type, &n));
		ASSERT_EQ(0, xconnect(fd, &n));
		EXPECT_EQ(-ENODATA, peer_pidfd(fd));
		return;
	}
	ASSERT_EQ(0, xbind(fd, &n));
	EXPECT_EQ(-ENODATA, peer_pidfd(fd));
	ASSERT_EQ(0, rc(listen(fd, 4)));
	EXPECT_PID(getpid(), peer_pidfd(fd));

	/* Who has listened is seen, even if it has gone. */
	pid = spawn();
	if (!pid)
		_exit(listen(fd, 4) ? 1 : 81);
	EXPECT_EQ(81, reap(pid));
	EXPECT_GONE(81, peer_pidfd(fd));
	l = joined(self->family, self->type, &n);
	ASSERT_LE(0, l);
	EXPECT_GONE(81, peer_pidfd(l));
	l = rc(accept(fd, NULL, NULL));
	ASSERT_LE(0, l);
	EXPECT_PID(getpid(), peer_pidfd(l));
}

TEST_F(scm_pidfd, peer_of_pair)
{
	int sv[2];
	pid_t pid;

	ASSERT_EQ(0, rc(socketpair(AF_UNIX, SOCK_STREAM, 0, sv)));
	pid = spawn();
	if (!pid) {
		int made[2];

		if (socketpair(self->family, self->type, 0, made) ||
		    say_fds(sv[0], "x", made, 2) != 1)
			_exit(1);
		_exit(82);
	} else {
		struct control c = {};
		int got[2];
		char ch;

		EXPECT_EQ(82, reap(pid));
		EXPECT_EQ(1, recv_all(sv[1], &ch, 1, &c));
		ASSERT_EQ(2, get_fds(&c, got));
		EXPECT_GONE(82, peer_pidfd(got[0]));
		EXPECT_GONE(82, peer_pidfd(got[1]));
	}
}

static int ask_peer(int family, int fd, void *value, void *len)
{
	if (family == AF_UNIX)
		return rc(getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, value, len));
	return rc(getsockopt(fd, SOL_RUNIX, RUNIX_PEERPIDFD, value, len));
}

TEST_F(scm_pidfd, peer_arguments)
{
	int fd = self->fd[0], fds = count_fds(), none, value[2] = { -1, -1 };
	socklen_t len = 8;

	none = rc(socket(self->family, self->type, 0));
	EXPECT_EQ(0, ask_peer(self->family, fd, value, &len));
	EXPECT_EQ(4, len);
	EXPECT_EQ(-1, value[1]);
	EXPECT_PID(getpid(), value[0]);

	len = 4;
	EXPECT_EQ(-EFAULT, ask_peer(self->family, fd, bad_ptr(), &len));
	EXPECT_EQ(-EFAULT, ask_peer(self->family, fd, value, bad_ptr()));
	EXPECT_EQ(-EFAULT, ask_peer(self->family, none, value, bad_ptr()));
	EXPECT_EQ(-ENODATA, ask_peer(self->family, none, bad_ptr(), &len));
	len = -4;
	EXPECT_EQ(-EINVAL, ask_peer(self->family, fd, value, &len));
	EXPECT_EQ(-EINVAL, ask_peer(self->family, none, value, &len));
	close(none);
	EXPECT_EQ(fds, count_fds());

	/* A part of the number; the whole is opened. */
	value[0] = -1;
	len = 1;
	EXPECT_EQ(0, ask_peer(self->family, fd, value, &len));
	EXPECT_EQ(1, len);
	EXPECT_EQ(fds + 1, count_fds());
	EXPECT_EQ(getpid(), pid_of(value[0] & 0xff));
}

/* --- by many at once --------------------------------------------------- */

#define ROUNDS	200

/* The peer's, and that of who has sent, in turn; flags says who that is. */
static long op_pidfds(struct op *op)
{
	int i, fd;

	for (i = 0; i < ROUNDS; i++) {
		fd = i & 1 ? peer_pidfd(op->fd) : next_pidfd(op->fd);
		if (fd < 0 || pid_of(fd) != op->flags) {
			errno = ERANGE;
			return -1;
		}
		close(fd);
	}
	return 0;
}

/* Makes a pair, says much, gives one end away and stays. */
static void give_end(int family, int type, int to)
{
	int sv[2], i;

	if (socketpair(family, type, 0, sv) || setint(sv[1], SO_PASSPIDFD, 1))
		_exit(1);
	for (i = 0; i < ROUNDS / 2; i++)
		if (say(sv[0], "x") != 1)
			_exit(2);
	if (say_fd(to, "f", sv[1]) != 1)
		_exit(3);
	for (;;)
		pause();
}

/* Each gets that of its own peer. */
TEST_F(scm_pidfd, at_once)
{
	struct op op[4];
	pid_t pid[4];
	int i;

	for (i = 0; i < 4; i++) {
		struct control c = { .len = sizeof(c.buf) };
		char ch;

		pid[i] = spawn();
		if (!pid[i])
			give_end(self->family, self->type, self->fd[0]);
		op[i] = (struct op) { .fn = op_pidfds, .flags = pid[i] };
		EXPECT_EQ(1, recv_control(self->fd[1], &ch, 1, 0, &c));
		ASSERT_EQ(1, get_fds(&c, &op[i].fd));
	}
	for (i = 0; i < 4; i++)
		op_blocks(&op[i], -1);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(0, op_join(&op[i]));
	}
	for (i = 0; i < 4; i++) {
		kill(pid[i], SIGKILL);
		EXPECT_EQ(1000 + SIGKILL, reap(pid[i]));
	}
}

TEST_HARNESS_MAIN
