// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * runix-privsep: a server in two parts. One has the rights to make the socket and
 * does nothing else; it passes the listening socket to a worker, which has given
 * up its rights and talks to the clients.
 */
#include "common.h"

#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

static const char usage[] =
	"usage: runix-privsep [-n COUNT] ADDRESS\n"
	"\n"
	"Echoes what clients send, until it is stopped, in a process without rights.\n"
	"\n"
	"ADDRESS   a path, or @name for an abstract name\n"
	"-n COUNT  stop after COUNT clients\n";

/* Somebody without rights. */
#define NOBODY	65534

/* The socket's file, to be removed at the end; NULL for an abstract name. */
static const char *socket_file;

static void stop(int signal)
{
	(void)signal;
	if (socket_file)
		unlink(socket_file);
	_exit(EXIT_SUCCESS);
}

/* Room for one descriptor; the union aligns it. */
union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* Passes a descriptor. A stream carries it with a byte, whatever that is. */
static void pass(int channel, int descriptor)
{
	union control control = { .head = {
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(sizeof(int)),
	} };
	struct iovec byte = { .iov_base = "!", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.head), &descriptor, sizeof(int));
	if (sendmsg(channel, &message, MSG_NOSIGNAL) != 1)
		die(EXIT_FAILURE, "cannot pass the socket: %s", strerror(errno));
}

/* Takes the descriptor that comes next. */
static int take(int channel)
{
	union control control;
	char place;
	struct iovec byte = { .iov_base = &place, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *head;
	int descriptor;

	if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1)
		die(EXIT_FAILURE, "cannot receive the socket: %s", strerror(errno));
	head = CMSG_FIRSTHDR(&message);
	if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS ||
	    head->cmsg_len != CMSG_LEN(sizeof(int)))
		die(EXIT_FAILURE, "the message has no socket");
	memcpy(&descriptor, CMSG_DATA(head), sizeof(int));
	return descriptor;
}

/* What a client does is no reason to leave the others alone. */
static void echo(int fd, unsigned long client)
{
	char data[CHUNK];
	size_t total = 0;
	ssize_t received;

	while ((received = receive_some(fd, data, sizeof(data))) > 0) {
		if (!send_all(fd, data, received)) {
			received = -1;
			break;
		}
		total += received;
	}
	if (received < 0)
		printf("worker: client %lu is lost: %s\n", client, strerror(errno));
	else
		printf("worker: client %lu is done after %zu bytes\n", client, total);
}

/* Gives up all rights that it has. */
static void become_nobody(void)
{
	if (geteuid())
		return;
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		die(EXIT_FAILURE, "cannot give up rights: %s", strerror(errno));
}

static void work(int channel, const char *address, unsigned long count)
{
	struct pollfd wait[2];
	int listener;

	become_nobody();
	listener = take(channel);
	printf("worker: is user %u and has the socket of %s\n", getuid(), address);

	/* The channel ends when the server does. */
	wait[0] = (struct pollfd) { .fd = listener, .events = POLLIN };
	wait[1] = (struct pollfd) { .fd = channel };
	for (unsigned long client = 1; !count || client <= count; client++) {
		int fd;

		if (poll(wait, 2, -1) < 0)
			die(EXIT_FAILURE, "cannot wait for a client: %s", strerror(errno));
		if (wait[1].revents)
			break;
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			die(EXIT_FAILURE, "cannot accept a client: %s", strerror(errno));
		echo(fd, client);
		close(fd);
	}
	exit(EXIT_SUCCESS);
}

/* Makes the socket and hands it over. Returns the worker's process. */
static pid_t serve(const struct name *name, unsigned long count)
{
	int family = name->addr.srunix_family;
	int listener = new_socket(family);
	int channel[2];
	pid_t pid;

	bind_or_die(listener, name);
	if (!is_abstract(name))
		socket_file = name->text;
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	/* No client has a reason to send descriptors. Older kernels have no such option. */
	runix_set_passrights(listener, 0);
	if (listen(listener, SOMAXCONN))
		die(EXIT_FAILURE, "cannot listen on '%s': %s", name->text, strerror(errno));
	printf("server: listening on %s, address family %d\n", name->text, family);

	if (socketpair(family, SOCK_STREAM | SOCK_CLOEXEC, 0, channel))
		die_no_socket(family);
	pid = fork();
	if (pid < 0)
		die(EXIT_FAILURE, "cannot start a process: %s", strerror(errno));
	if (!pid) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		/* It gets the socket as any other process would. */
		close(listener);
		close(channel[0]);
		work(channel[1], name->text, count);
	}
	close(channel[1]);
	printf("server: passes the socket to a worker\n");
	pass(channel[0], listener);
	close(listener);
	return pid;
}

int main(int argc, char **argv)
{
	unsigned long count = 0;
	struct name name;
	char *end = "";
	int option, status;
	pid_t pid;

	while ((option = getopt(argc, argv, "hn:")) != -1) {
		switch (option) {
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'n':
			count = strtoul(optarg, &end, 10);
			if (*end || !count || *optarg == '-')
				die(EXIT_USAGE, "-n wants a number above zero, not '%s'", optarg);
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind + 1 != argc)
		die(EXIT_USAGE, "one address is needed: see -h");

	setvbuf(stdout, NULL, _IOLBF, 0);
	name = parse_name(argv[optind]);
	pid = serve(&name, count);
	if (waitpid(pid, &status, 0) != pid)
		die(EXIT_FAILURE, "cannot wait for the worker: %s", strerror(errno));
	if (socket_file)
		unlink(socket_file);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die(EXIT_FAILURE, "the worker has failed");
	printf("server: the worker is done\n");
	return EXIT_SUCCESS;
}
