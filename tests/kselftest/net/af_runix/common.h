/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the AF_RUNIX tests share.
 *
 * Every test runs with the family as a variant: the same body, with the same
 * assertions, on AF_UNIX and on AF_RUNIX. An expectation that AF_UNIX itself
 * does not meet is a wrong expectation, and shows at once.
 *
 * A test starts in an empty directory of its own, with a connected pair in
 * self->fd. The runix variant is skipped where the family is not registered,
 * unless RUNIX_REQUIRED=1 is in the environment: then it fails.
 */
#ifndef AF_RUNIX_COMMON_H
#define AF_RUNIX_COMMON_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

/* Reasons belong next to the results, whoever records standard output. */
#define TH_LOG_STREAM stdout
#include "time_scale.h"

#include "runix.h"

/* GNU C predefines it; here it is the name of a variant. */
#undef unix

_Static_assert(sizeof(struct sockaddr_runix) == sizeof(struct sockaddr_un),
	       "the address layout is that of AF_UNIX");
_Static_assert(offsetof(struct sockaddr_runix, srunix_path) ==
	       offsetof(struct sockaddr_un, sun_path),
	       "the path lies where AF_UNIX has it");

#define PATH_OFF	offsetof(struct sockaddr_un, sun_path)

#define RUNIX_PARAM	"/sys/module/runix/parameters/family"

/* The result of a system call, or the error as a negative number. */
static inline long rc(long ret)
{
	return ret == -1 ? -errno : ret;
}

/* --- the family ------------------------------------------------------- */

static inline int runix_family(void)
{
	int family = AF_RUNIX;
	FILE *f = fopen(RUNIX_PARAM, "re");

	if (f) {
		if (fscanf(f, "%d", &family) != 1)
			family = AF_RUNIX;
		fclose(f);
	}
	return family;
}

static inline bool runix_required(void)
{
	const char *s = getenv("RUNIX_REQUIRED");

	return s && !strcmp(s, "1");
}

/* The name the family goes by in the listings of /proc/net. */
static inline const char *family_name(int family)
{
	return family == AF_UNIX ? "UNIX" : "RUNIX";
}

static inline int remove_tree(const char *path)
{
	struct dirent *de;
	DIR *d = opendir(path);

	if (!d)
		return unlink(path);
	while ((de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		if (de->d_type == DT_DIR) {
			if (chdir(path) || remove_tree(de->d_name) || chdir(".."))
				break;
		} else if (unlinkat(dirfd(d), de->d_name, 0)) {
			break;
		}
	}
	closedir(d);
	return rmdir(path);
}

/* What the harness keeps for each test of a fixture. */
#define FAMILY_FIXTURE(_name)						\
FIXTURE(_name)								\
{									\
	int family;							\
	int fd[2];	/* a connected pair */				\
	char dir[64];	/* the working directory */			\
};									\
									\
FIXTURE_VARIANT(_name)							\
{									\
	bool runix;							\
};									\
									\
FIXTURE_VARIANT_ADD(_name, unix)					\
{									\
	.runix = false,							\
};									\
									\
FIXTURE_VARIANT_ADD(_name, runix)					\
{									\
	.runix = true,							\
};									\
									\
FIXTURE_SETUP(_name)							\
{									\
	self->family = variant->runix ? runix_family() : AF_UNIX;	\
	if (rc(socket(self->family, SOCK_STREAM, 0)) == -EAFNOSUPPORT &&\
	    !runix_required())						\
		SKIP(return, "family %d is not registered", self->family);\
	close_range(3, ~0U, 0);						\
	ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, self->fd)));\
	snprintf(self->dir, sizeof(self->dir), "/tmp/rx.XXXXXX");	\
	ASSERT_NE(NULL, mkdtemp(self->dir));				\
	ASSERT_EQ(0, chmod(self->dir, 0755));				\
	ASSERT_EQ(0, chdir(self->dir));					\
}									\
									\
FIXTURE_TEARDOWN(_name)							\
{									\
	if (chdir("/") || remove_tree(self->dir))			\
		TH_LOG("cannot remove %s: %m", self->dir);		\
}									\
_Static_assert(1, "semicolon")

/* --- addresses -------------------------------------------------------- */

struct name {
	socklen_t len;
	union {
		struct sockaddr sa;
		struct sockaddr_un un;
		struct sockaddr_storage ss;
		unsigned char bytes[128];
	};
};

/* A pathname, NUL and all. */
static inline struct name path_name(int family, const char *path)
{
	struct name n = { .len = PATH_OFF + strlen(path) + 1 };

	n.un.sun_family = family;
	memcpy(n.bytes + PATH_OFF, path, n.len - PATH_OFF);
	return n;
}

/* An abstract name that no other test has. */
static inline struct name abstract_name(int family, const char *tag)
{
	struct name n = {};

	n.un.sun_family = family;
	n.len = PATH_OFF + 1 + snprintf(n.un.sun_path + 1, 100, "rx.%d.%s",
					getpid(), tag);
	return n;
}

static inline int xbind(int fd, const struct name *n)
{
	return rc(bind(fd, &n->sa, n->len));
}

static inline int xconnect(int fd, const struct name *n)
{
	return rc(connect(fd, &n->sa, n->len));
}

static inline int xgetsockname(int fd, struct name *n)
{
	memset(n, 0xa5, sizeof(*n));
	n->len = sizeof(n->bytes);
	return rc(getsockname(fd, &n->sa, &n->len));
}

static inline int xgetpeername(int fd, struct name *n)
{
	memset(n, 0xa5, sizeof(*n));
	n->len = sizeof(n->bytes);
	return rc(getpeername(fd, &n->sa, &n->len));
}

static inline bool same_name(const struct name *a, const struct name *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

static inline int xsocket(int family)
{
	return rc(socket(family, SOCK_STREAM, 0));
}

/* A socket listening at @n, or the error. */
static inline int listener(int family, const struct name *n, int backlog)
{
	int err, fd = xsocket(family);

	if (fd < 0)
		return fd;
	err = xbind(fd, n);
	if (!err)
		err = rc(listen(fd, backlog));
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* A socket connected to @n, or the error. */
static inline int dial_flags(int family, const struct name *n, int flags)
{
	int err, fd = rc(socket(family, SOCK_STREAM | flags, 0));

	if (fd < 0)
		return fd;
	err = xconnect(fd, n);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static inline int dial(int family, const struct name *n)
{
	return dial_flags(family, n, 0);
}

/* --- small things ----------------------------------------------------- */

static inline int getint(int fd, int opt)
{
	int val = -1;
	socklen_t len = sizeof(val);

	if (getsockopt(fd, SOL_SOCKET, opt, &val, &len))
		return -errno;
	return len == sizeof(val) ? val : -EBADMSG;
}

static inline int setint(int fd, int opt, int val)
{
	return rc(setsockopt(fd, SOL_SOCKET, opt, &val, sizeof(val)));
}

static inline int set_timeo(int fd, int opt, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	return rc(setsockopt(fd, SOL_SOCKET, opt, &tv, sizeof(tv)));
}

static inline int set_nonblock(int fd)
{
	return rc(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK));
}

/* Everything poll() can say of a socket, asked and answered at once. */
#define POLL_ALL	(POLLIN | POLLPRI | POLLOUT | POLLRDHUP | POLLRDNORM |\
			 POLLRDBAND | POLLWRNORM | POLLWRBAND)
#define POLL_R		(POLLIN | POLLRDNORM)
#define POLL_W		(POLLOUT | POLLWRNORM | POLLWRBAND)

static inline int poll_mask(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLL_ALL };
	int ret = poll(&p, 1, 0);

	return ret < 0 ? -errno : p.revents;
}

static inline int inq(int fd)
{
	int n = -1;

	return ioctl(fd, FIONREAD, &n) ? -errno : n;
}

static inline int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	if (!d)
		return -errno;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static inline int64_t clock_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static inline int64_t now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

/*
 * The same at the last tick. Time limits are counted in ticks, which come late where the
 * machine is busy with others: what has passed is too little then by any other clock.
 */
static inline int64_t tick_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC_COARSE);
}

/* An address that nobody may read or write, and that no compiler sees through. */
static inline void *bad_ptr(void)
{
	void *volatile p = (void *)8;

	return p;
}

/* Two pages, of which touching the second one faults. Points at the edge. */
static inline char *guard_page(void)
{
	long page = sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + page, page, PROT_NONE))
		abort();
	return p + page;
}

/* A child that does not outlive the test. */
static inline pid_t spawn(void)
{
	pid_t pid = fork();

	if (!pid) {
		signal(SIGABRT, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	}
	return pid;
}

/* The exit status of a child, or the signal that ended it as 1000 + signal. */
static inline int reap(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Run @expr in a child and hand its (positive) error number back. */
#define IN_CHILD(expr)							\
({									\
	pid_t __pid = spawn();						\
	if (!__pid)							\
		_exit(-(expr));						\
	-reap(__pid);							\
})

/* --- bytes whose place can be told ------------------------------------ */

static inline unsigned char pat(size_t pos)
{
	return ((uint32_t)pos * 2654435761u) >> 24;
}

static inline void pat_fill(void *buf, size_t pos, size_t len)
{
	unsigned char *p = buf;

	while (len--)
		*p++ = pat(pos++);
}

/* The number of leading bytes that are those of the stream from @pos on. */
static inline size_t pat_good(const void *buf, size_t pos, size_t len)
{
	const unsigned char *p = buf;
	size_t i;

	for (i = 0; i < len && p[i] == pat(pos + i); i++)
		;
	return i;
}

/* Send without blocking until not a byte more fits; says how many did. */
static inline size_t fill_up(int fd)
{
	size_t sent = 0, chunk = 8192;
	char buf[8192];

	while (chunk) {
		long ret;

		pat_fill(buf, sent, chunk);
		ret = send(fd, buf, chunk, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (ret > 0)
			sent += ret;
		else
			chunk /= 2;
	}
	return sent;
}

/* Receive @len bytes of the pattern from @pos on; says how many were right. */
static inline size_t drain(int fd, size_t pos, size_t len)
{
	size_t got = 0;
	char buf[8192];

	while (got < len) {
		size_t want = len - got < sizeof(buf) ? len - got : sizeof(buf);
		long ret = recv(fd, buf, want, 0);

		if (ret <= 0 || pat_good(buf, pos + got, ret) != (size_t)ret)
			break;
		got += ret;
	}
	return got;
}

/* --- signals ---------------------------------------------------------- */

static volatile sig_atomic_t nr_signals;

static inline void count_signal(int sig)
{
	(void)sig;
	nr_signals++;
}

static inline void catch_signal(int sig, int flags)
{
	struct sigaction act = { .sa_handler = count_signal, .sa_flags = flags };

	sigaction(sig, &act, NULL);
}

/* --- a call made by another thread ------------------------------------ */

struct op {
	long (*fn)(struct op *op);	/* as a system call: -1 and errno */
	int fd;
	int flags;
	void *buf;
	size_t len;
	const struct name *to;
	/* private */
	pthread_t thread;
	pid_t tid;
	long ret;
	bool done;
};

static inline void *op_main(void *arg)
{
	struct op *op = arg;

	__atomic_store_n(&op->tid, gettid(), __ATOMIC_RELEASE);
	op->ret = rc(op->fn(op));
	__atomic_store_n(&op->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static inline bool op_done(struct op *op)
{
	return __atomic_load_n(&op->done, __ATOMIC_ACQUIRE);
}

/* Is thread @tid of this process asleep in system call @nr? */
static inline bool asleep_in(pid_t tid, long nr)
{
	char path[64], state = 0;
	long in = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%ld", &in) != 1)
			in = -1;
		fclose(f);
	}
	if (in != nr)
		return false;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			state = 0;
		fclose(f);
	}
	return state == 'S';
}

/* Start @op; true when it sleeps in system call @nr, false when it is over. */
static inline bool op_blocks(struct op *op, long nr)
{
	op->tid = 0;
	op->done = false;
	if (pthread_create(&op->thread, NULL, op_main, op))
		abort();
	while (!op_done(op)) {
		pid_t tid = __atomic_load_n(&op->tid, __ATOMIC_ACQUIRE);

		if (tid && asleep_in(tid, nr))
			return true;
		usleep(500);
	}
	return false;
}

static inline long op_join(struct op *op)
{
	pthread_join(op->thread, NULL);
	return op->ret;
}

static inline void op_signal(struct op *op, int sig)
{
	int before = nr_signals;

	pthread_kill(op->thread, sig);
	while (nr_signals == before)
		usleep(500);
}

/* Signalled, and a while later still asleep in @nr. */
static inline bool op_sleeps_on(struct op *op, long nr)
{
	usleep(20000);
	while (!op_done(op)) {
		if (asleep_in(op->tid, nr))
			return true;
		usleep(500);
	}
	return false;
}

static inline long op_recv(struct op *op)
{
	return recv(op->fd, op->buf, op->len, op->flags);
}

static inline long op_send(struct op *op)
{
	return send(op->fd, op->buf, op->len, op->flags);
}

static inline long op_accept(struct op *op)
{
	return accept4(op->fd, NULL, NULL, op->flags);
}

static inline long op_connect(struct op *op)
{
	return connect(op->fd, &op->to->sa, op->to->len);
}

/* Poll for the events in flags; the mask is the result. */
static inline long op_poll(struct op *op)
{
	struct pollfd p = { .fd = op->fd, .events = op->flags };

	return poll(&p, 1, -1) < 0 ? -1 : p.revents;
}

#endif /* AF_RUNIX_COMMON_H */
