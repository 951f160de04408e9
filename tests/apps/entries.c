// SPDX-License-Identifier: GPL-2.0
/*
 * A program that knows of AF_UNIX only and makes every call of libc that
 * carries a family or an address: entries MADE NAMED
 *
 * The two are the families that the kernel should say the sockets are of, as
 * they were made, and when they have a name or a peer. The same body runs plain,
 * with 1 for both, and under runix-run: whatever the program is told has to be the
 * same. It works in the current directory and says in TAP what came of it.
 *
 * entries PATH only makes a pair and a server there, and a client of that.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD	76
#define SO_PEERPIDFD	77
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS	83
#endif

extern char **environ;

static int made, family, tests, failed;
static const char *self, *doing;

#define OFF	offsetof(struct sockaddr_un, sun_path)

/* One that is not met ends the test it is in. */
#define EXPECT(condition)						\
	do {								\
		if (!(condition)) {					\
			printf("# %s:%d: %s (errno %d)\n", doing,	\
			       __LINE__, #condition, errno);		\
			return 1;					\
		}							\
	} while (0)

/* The family as the kernel tells it: nobody stands between. */
static int real_family(int fd)
{
	int value = -1;
	socklen_t len = sizeof(value);

	syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &value, &len);
	return value;
}

static socklen_t name(struct sockaddr_un *address, const char *path)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, path);
	return OFF + strlen(path) + 1;
}

static int do_bind(int fd, const char *path)
{
	struct sockaddr_un address;
	socklen_t len = name(&address, path);

	unlink(path);
	return bind(fd, (struct sockaddr *)&address, len);
}

static int do_connect(int fd, const char *path)
{
	struct sockaddr_un address;
	socklen_t len = name(&address, path);

	return connect(fd, (struct sockaddr *)&address, len);
}

static int listener(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || do_bind(fd, path) || listen(fd, 100))
		return -1;
	return fd;
}

static int datagrams(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	return fd < 0 || do_bind(fd, path) ? -1 : fd;
}

/* An address that was told is that of a path, on AF_UNIX. */
static int is_path(const struct sockaddr_un *address, socklen_t len,
		   const char *path)
{
	return address->sun_family == AF_UNIX &&
	       len == OFF + strlen(path) + 1 && !strcmp(address->sun_path, path);
}

static int making(void)
{
	static const int kinds[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	int pair[2];

	for (size_t i = 0; i < 3; i++) {
		int flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
		int fd = socket(AF_UNIX, kinds[i] | flags, 0);

		EXPECT(fd >= 0);
		EXPECT(real_family(fd) == made);
		EXPECT(fcntl(fd, F_GETFL) & O_NONBLOCK);
		EXPECT(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		close(fd);
		/* The family's own number passes for a protocol. */
		fd = socket(AF_UNIX, kinds[i], PF_UNIX);
		EXPECT(fd >= 0 && real_family(fd) == made);
		close(fd);
		EXPECT(!socketpair(AF_UNIX, kinds[i], 0, pair));
		EXPECT(real_family(pair[0]) == made);
		EXPECT(real_family(pair[1]) == made);
		EXPECT(write(pair[0], "x", 1) == 1);
		close(pair[0]);
		close(pair[1]);
	}
	EXPECT(socket(AF_UNIX, SOCK_STREAM, 77) == -1);
	EXPECT(errno == EPROTONOSUPPORT);
	EXPECT(socket(AF_UNIX, SOCK_RDM, 0) == -1);
	EXPECT(errno == ESOCKTNOSUPPORT);
	return 0;
}

static int names(void)
{
	struct sockaddr_un address;
	socklen_t len = sizeof(address);
	int server = listener("names"), client, one, two;

	EXPECT(server >= 0);
	EXPECT(!getsockname(server, (struct sockaddr *)&address, &len));
	EXPECT(is_path(&address, len, "names"));

	client = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT(!do_connect(client, "names"));
	EXPECT(real_family(client) == family);
	len = sizeof(address);
	EXPECT(!getpeername(client, (struct sockaddr *)&address, &len));
	EXPECT(is_path(&address, len, "names"));
	len = sizeof(address);
	EXPECT(!getsockname(client, (struct sockaddr *)&address, &len));
	EXPECT(len == OFF && address.sun_family == AF_UNIX);

	/* Clients that have names, and no place for them at all. */
	one = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT(!do_bind(one, "client-one"));
	EXPECT(!do_connect(one, "names"));
	two = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT(!do_bind(two, "client-two"));
	EXPECT(!do_connect(two, "names"));
	len = sizeof(address);
	EXPECT(accept(server, (struct sockaddr *)&address, &len) >= 0);
	EXPECT(len == OFF && address.sun_family == AF_UNIX);
	len = sizeof(address);
	EXPECT(accept4(server, (struct sockaddr *)&address, &len, SOCK_CLOEXEC) >= 0);
	EXPECT(is_path(&address, len, "client-one"));
	EXPECT(accept(server, NULL, NULL) >= 0);

	/* Less place than there is to tell. */
	memset(&address, 0x55, sizeof(address));
	len = 5;
	EXPECT(!getpeername(client, (struct sockaddr *)&address, &len));
	EXPECT(len == OFF + sizeof("names") && address.sun_family == AF_UNIX);
	EXPECT(!memcmp(address.sun_path, "nam\x55", 4));
	len = 1;
	EXPECT(!getsockname(server, (struct sockaddr *)&address, &len));
	return 0;
}

static int abstract_names(void)
{
	struct sockaddr_un address = { AF_UNIX, "\0entries\0x" }, told;
	socklen_t len = OFF + 10;
	int server = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	int client = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	EXPECT(!bind(server, (struct sockaddr *)&address, len));
	EXPECT(!listen(server, 1));
	EXPECT(!connect(client, (struct sockaddr *)&address, len));
	len = sizeof(told);
	EXPECT(!getpeername(client, (struct sockaddr *)&told, &len));
	EXPECT(len == OFF + 10 && !memcmp(&told, &address, len));
	/* One that the kernel chooses. */
	EXPECT(!bind(client, (struct sockaddr *)&address, OFF));
	len = sizeof(told);
	EXPECT(!getsockname(client, (struct sockaddr *)&told, &len));
	EXPECT(len == OFF + 6 && told.sun_family == AF_UNIX && !told.sun_path[0]);
	return 0;
}

static int sending(void)
{
	struct sockaddr_un to, from;
	socklen_t to_len = name(&to, "receiver"), len;
	int receiver = datagrams("receiver"), sender = datagrams("sender");
	char data[8];
	volatile size_t size = sizeof(data);

	EXPECT(receiver >= 0 && sender >= 0);
	for (int i = 0; i < 2; i++)
		EXPECT(sendto(sender, "one", 3, 0, (struct sockaddr *)&to, to_len) == 3);
	len = sizeof(from);
	/* The size is not known to the compiler: a checked entry. */
	EXPECT(recvfrom(receiver, data, size, 0, (struct sockaddr *)&from, &len) == 3);
	EXPECT(is_path(&from, len, "sender"));
	len = sizeof(from);
	EXPECT(recvfrom(receiver, data, 8, 0, (struct sockaddr *)&from, &len) == 3);
	EXPECT(is_path(&from, len, "sender"));
	EXPECT(!do_connect(sender, "receiver"));
	EXPECT(sendto(sender, "two", 3, 0, NULL, 0) == 3);
	EXPECT(recvfrom(receiver, data, size, 0, NULL, NULL) == 3);
	EXPECT(send(sender, "three", 5, 0) == 5);
	EXPECT(recv(receiver, data, size, 0) == 5);
	return 0;
}

static int messages(void)
{
	struct sockaddr_un to, from;
	char data[8], control[CMSG_SPACE(sizeof(int))];
	struct iovec slice = { "one", 3 };
	struct msghdr message = { &to, 0, &slice, 1, control, sizeof(control), 0 };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int receiver = datagrams("receiver"), sender = datagrams("sender"), pipes[2], fd;

	message.msg_namelen = name(&to, "receiver");
	EXPECT(!pipe(pipes));
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &pipes[1], sizeof(int));
	EXPECT(sendmsg(sender, &message, 0) == 3);
	/* The program's own address is as it was. */
	EXPECT(to.sun_family == AF_UNIX && message.msg_name == &to);

	slice = (struct iovec){ data, sizeof(data) };
	message = (struct msghdr){ &from, sizeof(from), &slice, 1, control,
				   sizeof(control), 0 };
	EXPECT(recvmsg(receiver, &message, MSG_CMSG_CLOEXEC) == 3);
	EXPECT(is_path(&from, message.msg_namelen, "sender"));
	header = CMSG_FIRSTHDR(&message);
	EXPECT(header && header->cmsg_type == SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(header), sizeof(int));
	EXPECT(write(fd, "x", 1) == 1 && read(pipes[0], data, 1) == 1);
	EXPECT(recvmsg(receiver, NULL, MSG_DONTWAIT) == -1 && errno == EFAULT);
	EXPECT(sendmsg(sender, NULL, 0) == -1 && errno == EFAULT);
	return 0;
}

static int many_messages(void)
{
	struct sockaddr_un to, nobody, from[3];
	char data[3][8];
	struct iovec slices[3];
	struct mmsghdr messages[3];
	int receiver = datagrams("receiver"), sender = datagrams("sender");

	memset(messages, 0, sizeof(messages));
	for (int i = 0; i < 3; i++) {
		slices[i] = (struct iovec){ "12345", 3 + i };
		messages[i].msg_hdr.msg_iov = &slices[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_hdr.msg_name = &to;
		messages[i].msg_hdr.msg_namelen = name(&to, "receiver");
	}
	EXPECT(sendmmsg(sender, messages, 3, 0) == 3);
	EXPECT(messages[0].msg_len == 3 && messages[2].msg_len == 5);
	for (int i = 0; i < 3; i++) {
		slices[i] = (struct iovec){ data[i], 8 };
		messages[i].msg_hdr.msg_name = i == 1 ? NULL : &from[i];
		messages[i].msg_hdr.msg_namelen = i == 1 ? 0 : sizeof(from[i]);
	}
	EXPECT(recvmmsg(receiver, messages, 3, MSG_DONTWAIT, NULL) == 3);
	EXPECT(messages[0].msg_len == 3 && messages[2].msg_len == 5);
	EXPECT(is_path(&from[0], messages[0].msg_hdr.msg_namelen, "sender"));
	EXPECT(is_path(&from[2], messages[2].msg_hdr.msg_namelen, "sender"));

	/* What was sent before an error counts. */
	for (int i = 0; i < 3; i++) {
		messages[i].msg_hdr.msg_name = &to;
		messages[i].msg_hdr.msg_namelen = name(&to, "receiver");
	}
	messages[1].msg_hdr.msg_name = &nobody;
	messages[1].msg_hdr.msg_namelen = name(&nobody, "nobody");
	EXPECT(sendmmsg(sender, messages, 3, 0) == 1);
	EXPECT(sendmmsg(sender, messages + 1, 2, 0) == -1 && errno == ENOENT);
	EXPECT(sendmmsg(sender, messages, 0, 0) == 0);
	return 0;
}

static int option(int fd, int which)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, which, &value, &len) ? -1 : value;
}

static int options(void)
{
	static const int passed[] = { SO_PASSCRED, SO_PASSSEC, SO_PASSPIDFD };
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int pair[2], on = 1, off = 0, pidfd;
	char one = 0x55;

	EXPECT(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	EXPECT(option(pair[0], SO_DOMAIN) == AF_UNIX);
	EXPECT(option(pair[0], SO_TYPE) == SOCK_STREAM);
	EXPECT(option(pair[0], SO_PROTOCOL) == 0);
	EXPECT(option(pair[0], SO_ACCEPTCONN) == 0);
	for (size_t i = 0; i < 3; i++) {
		EXPECT(option(pair[0], passed[i]) == 0);
		EXPECT(!setsockopt(pair[0], SOL_SOCKET, passed[i], &on, sizeof(on)));
		EXPECT(option(pair[0], passed[i]) == 1);
		EXPECT(option(pair[1], passed[i]) == 0);
		EXPECT(!setsockopt(pair[0], SOL_SOCKET, passed[i], &off, sizeof(off)));
		EXPECT(option(pair[0], passed[i]) == 0);
	}
	EXPECT(option(pair[0], SO_PASSRIGHTS) == 1);
	EXPECT(!setsockopt(pair[0], SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off)));
	EXPECT(option(pair[0], SO_PASSRIGHTS) == 0);
	EXPECT(!getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
	EXPECT(cred.pid == getpid() && cred.uid == getuid());
	pidfd = option(pair[0], SO_PEERPIDFD);
	EXPECT(pidfd >= 0 && !close(pidfd));
	/* Less place than the value takes. */
	len = 1;
	EXPECT(!getsockopt(pair[0], SOL_SOCKET, SO_DOMAIN, &one, &len));
	EXPECT(len == 1 && one == AF_UNIX);
	len = 1;
	EXPECT(!getsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &one, &len));
	EXPECT(len == 1 && one == 0);
	EXPECT(option(pair[0], 999) == -1 && errno == ENOPROTOOPT);
	return 0;
}

static int errors(void)
{
	struct sockaddr_un address;
	socklen_t len = name(&address, "errors");
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), pipes[2];

	EXPECT(!pipe(pipes));
	EXPECT(do_bind(-1, "errors") == -1 && errno == EBADF);
	EXPECT(do_connect(-1, "errors") == -1 && errno == EBADF);
	EXPECT(do_bind(pipes[0], "errors") == -1 && errno == ENOTSOCK);
	EXPECT(option(pipes[0], SO_DOMAIN) == -1 && errno == ENOTSOCK);
	EXPECT(bind(fd, NULL, len) == -1 && errno == EFAULT);
	EXPECT(bind(fd, (struct sockaddr *)&address, 1) == -1 && errno == EINVAL);
	EXPECT(bind(fd, (struct sockaddr *)&address, 200) == -1 && errno == EINVAL);
	EXPECT(do_connect(fd, "errors") == -1 && errno == ENOENT);
	address.sun_family = AF_INET;
	EXPECT(bind(fd, (struct sockaddr *)&address, len) == -1 && errno == EINVAL);
	EXPECT(connect(fd, (struct sockaddr *)&address, len) == -1 && errno == EINVAL);
	EXPECT(!do_bind(fd, "errors"));
	EXPECT(do_bind(fd, "errors-again") == -1 && errno == EINVAL);
	EXPECT(getpeername(fd, (struct sockaddr *)&address, &len) == -1 &&
	       errno == ENOTCONN);
	/* A call that succeeds doesn't touch errno. */
	errno = 12345;
	EXPECT(!listen(fd, 5) && option(fd, SO_PASSCRED) == 0);
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT(fd >= 0 && errno == 12345);
	return 0;
}

static int other_families(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0), netlink;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	EXPECT(fd >= 0 && real_family(fd) == AF_INET);
	EXPECT(option(fd, SO_DOMAIN) == AF_INET);
	EXPECT(!bind(fd, (struct sockaddr *)&address, len));
	EXPECT(!getsockname(fd, (struct sockaddr *)&address, &len));
	EXPECT(len == sizeof(address) && address.sin_family == AF_INET);
	netlink = socket(AF_NETLINK, SOCK_RAW, 0);
	EXPECT(netlink >= 0 && option(netlink, SO_DOMAIN) == AF_NETLINK);
	EXPECT(do_connect(fd, "names") == -1);
	return 0;
}

/* One that is polled before it is connected, and one that starts non-blocking. */
static int polling(void)
{
	int server = listener("polling"), set = epoll_create1(0), client, peer;
	struct epoll_event event = { EPOLLIN, { .u64 = 7 } }, told;

	client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	EXPECT(!epoll_ctl(set, EPOLL_CTL_ADD, client, &event));
	EXPECT(epoll_ctl(set, EPOLL_CTL_ADD, client, &event) == -1 && errno == EEXIST);
	EXPECT(!do_connect(client, "polling"));
	peer = accept(server, NULL, NULL);
	EXPECT(peer >= 0);
	epoll_wait(set, &told, 1, 0);
	EXPECT(write(peer, "x", 1) == 1);
	EXPECT(epoll_wait(set, &told, 1, 20000) == 1);
	EXPECT(told.events == EPOLLIN && told.data.u64 == 7);
	EXPECT(!epoll_ctl(set, EPOLL_CTL_DEL, client, NULL));
	EXPECT(epoll_ctl(set, EPOLL_CTL_DEL, client, NULL) == -1 && errno == ENOENT);
	return 0;
}

static volatile sig_atomic_t signals, trouble;

/* What may be called in a signal handler, also in the middle of such a call. */
static void on_signal(int number)
{
	int saved = errno, fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)number;
	if (fd < 0 || do_connect(fd, "signals") || real_family(fd) != family ||
	    option(fd, SO_DOMAIN) != AF_UNIX)
		trouble = 1;
	close(fd);
	signals++;
	errno = saved;
}

static int in_signal_handlers(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct itimerval timer = { { 0, 2000 }, { 0, 2000 } }, none = { 0 };
	int server = listener("signals"), count = 0;

	EXPECT(server >= 0 && !sigaction(SIGALRM, &action, NULL));
	EXPECT(!setitimer(ITIMER_REAL, &timer, NULL));
	while (signals < 50) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		/* The queue may be full of the handler's. */
		EXPECT(fd >= 0);
		EXPECT(!do_connect(fd, "signals"));
		EXPECT(real_family(fd) == family);
		close(fd);
		for (int i = 0; i < 3; i++) {
			struct pollfd waiting = { server, POLLIN, 0 };

			if (poll(&waiting, 1, 0) == 1)
				close(accept(server, NULL, NULL));
		}
		count++;
	}
	setitimer(ITIMER_REAL, &none, NULL);
	signal(SIGALRM, SIG_DFL);
	EXPECT(!trouble && count > 0);
	return 0;
}

#define THREADS	8
#define ROUNDS	30

/* Threads that share the table of descriptors, with all numbers used again. */
static void *talk(void *result)
{
	char data[3];

	for (int i = 0; i < ROUNDS; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0 || do_connect(fd, "threads") || real_family(fd) != family ||
		    read(fd, data, 3) != 3 || memcmp(data, "hi", 3)) {
			printf("# thread: round %d, errno %d\n", i, errno);
			return result;
		}
		close(fd);
	}
	return NULL;
}

static void *serve(void *server)
{
	for (int i = 0; i < THREADS * ROUNDS; i++) {
		int fd = accept4(*(int *)server, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0 || write(fd, "hi", 3) != 3)
			return server;
		close(fd);
	}
	return NULL;
}

static int in_threads(void)
{
	pthread_t threads[THREADS], server_thread;
	int server = listener("threads");
	void *result;

	EXPECT(server >= 0);
	EXPECT(!pthread_create(&server_thread, NULL, serve, &server));
	for (int i = 0; i < THREADS; i++)
		EXPECT(!pthread_create(&threads[i], NULL, talk, &server));
	for (int i = 0; i < THREADS; i++)
		EXPECT(!pthread_join(threads[i], &result) && !result);
	EXPECT(!pthread_join(server_thread, &result) && !result);
	return 0;
}

/* What a child does: one socket that it inherits, one of its own. */
static int as_child(int inherited)
{
	int own = socket(AF_UNIX, SOCK_STREAM, 0);

	return do_connect(inherited, "children") || do_connect(own, "children") ||
	       real_family(inherited) != family || real_family(own) != family ||
	       write(inherited, "a", 1) != 1 || write(own, "b", 1) != 1;
}

static int both_arrive(int server)
{
	char got[2];

	for (int i = 0; i < 2; i++) {
		int fd = accept(server, NULL, NULL);

		EXPECT(fd >= 0 && read(fd, &got[i], 1) == 1);
		close(fd);
	}
	EXPECT(got[0] + got[1] == 'a' + 'b');
	return 0;
}

static int in_children(void)
{
	int server = listener("children"), client = socket(AF_UNIX, SOCK_STREAM, 0), status;
	char numbers[2][12];
	char *arguments[] = { (char *)self, numbers[0], numbers[1], NULL, NULL };
	pid_t pid;

	EXPECT(server >= 0 && client >= 0);
	pid = fork();
	if (!pid)
		_exit(as_child(client));
	EXPECT(!both_arrive(server));
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0);

	/* Executed, by posix_spawn, which is vfork inside, and by hand. */
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	sprintf(numbers[0], "%d", made);
	sprintf(numbers[1], "%d", family);
	EXPECT(asprintf(&arguments[3], "%d", client) > 0);
	EXPECT(!posix_spawn(&pid, "/proc/self/exe", NULL, NULL, arguments, environ));
	EXPECT(!both_arrive(server));
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
	client = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT(asprintf(&arguments[3], "%d", client) > 0);
	pid = vfork();
	if (!pid) {
		execv("/proc/self/exe", arguments);
		_exit(9);
	}
	EXPECT(!both_arrive(server));
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
	return 0;
}

static void *wait_for_connection(void *server)
{
	accept(*(int *)server, NULL, NULL);
	return NULL;
}

/* Calls that wait are still points at which a thread may be cancelled. */
static int cancelled(void)
{
	int server = listener("cancelled");
	pthread_t thread;
	void *result;

	EXPECT(!pthread_create(&thread, NULL, wait_for_connection, &server));
	usleep(50000);
	EXPECT(!pthread_cancel(thread));
	EXPECT(!pthread_join(thread, &result) && result == PTHREAD_CANCELED);
	return 0;
}

static void test(const char *title, int (*body)(void))
{
	int bad;

	doing = title;
	errno = 0;
	/* What hangs is ended. */
	alarm(60);
	bad = body();
	failed += bad;
	printf("%sok %d %s\n", bad ? "not " : "", ++tests, title);
	fflush(stdout);
}

static int dialogue(const char *path)
{
	int server = listener(path), client = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];
	char byte = 0;

	if (server < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) ||
	    do_connect(client, path) || write(client, "x", 1) != 1 ||
	    read(accept(server, NULL, NULL), &byte, 1) != 1)
		perror(path);
	return byte != 'x';
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return dialogue(argv[1]);
	if (argc < 3)
		return 2;
	self = argv[0];
	made = atoi(argv[1]);
	family = atoi(argv[2]);
	if (argc == 4)
		return as_child(atoi(argv[3]));
	test("socket, socketpair", making);
	test("bind, connect, accept, accept4, getsockname, getpeername", names);
	test("abstract names", abstract_names);
	test("sendto, recvfrom", sending);
	test("sendmsg, recvmsg", messages);
	test("sendmmsg, recvmmsg", many_messages);
	test("getsockopt, setsockopt", options);
	test("epoll_ctl", polling);
	test("errors, and errno", errors);
	test("other families", other_families);
	test("in signal handlers", in_signal_handlers);
	test("in threads", in_threads);
	test("in children, forked and executed", in_children);
	test("cancelled threads", cancelled);
	printf("1..%d\n", tests);
	return failed ? 1 : 0;
}
