// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * runix-echo-server: sends back whatever its clients send.
 *
 * The calls are those of any stream server: socket, bind, listen, accept,
 * recv, send. Each client is served by a child process.
 */
#include "common.h"

#include <signal.h>
#include <sys/wait.h>

static const char usage[] =
	"usage: runix-echo-server [-n COUNT] ADDRESS\n"
	"\n"
	"Echoes what clients send, until it is stopped.\n"
	"\n"
	"ADDRESS   a path, or @name for an abstract name\n"
	"-n COUNT  stop after COUNT clients\n";

/* The socket's file, to be removed at the end; NULL for an abstract name. */
static const char *socket_file;

static void stop(int signal)
{
	(void)signal;
	if (socket_file)
		unlink(socket_file);
	_exit(EXIT_SUCCESS);
}

static void serve(int fd, unsigned long client)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	char data[CHUNK];
	size_t total = 0;
	ssize_t received;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		die(EXIT_FAILURE, "cannot ask who client %lu is: %s", client, strerror(errno));
	printf("server: client %lu is process %d of user %u\n", client, (int)peer.pid, peer.uid);

	while ((received = receive_some(fd, data, sizeof(data))) > 0) {
		printf("server: client %lu sent ", client);
		print_quoted(data, received);
		printf(", echoing %zd bytes\n", received);
		if (!send_all(fd, data, received))
			die(EXIT_FAILURE, "cannot send to client %lu: %s", client, strerror(errno));
		total += received;
	}
	if (received < 0)
		die(EXIT_FAILURE, "cannot receive from client %lu: %s", client, strerror(errno));
	printf("server: client %lu is done after %zu bytes\n", client, total);
}

/* Accepts one client and leaves it to a child process. */
static void accept_client(int listener, unsigned long client)
{
	int fd;

	do {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		die(EXIT_FAILURE, "cannot accept a client: %s", strerror(errno));

	switch (fork()) {
	case -1:
		die(EXIT_FAILURE, "cannot start a process: %s", strerror(errno));
	case 0:
		/* The socket's file is the parent's to remove. */
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		close(listener);
		serve(fd, client);
		exit(EXIT_SUCCESS);
	default:
		close(fd);
	}
}

int main(int argc, char **argv)
{
	unsigned long count = 0;
	struct name name;
	char *end = "";
	int listener;
	int option;

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
	listener = new_socket(name.addr.srunix_family);
	bind_or_die(listener, &name);
	if (!is_abstract(&name))
		socket_file = name.text;
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	signal(SIGCHLD, SIG_IGN);
	if (listen(listener, SOMAXCONN))
		die(EXIT_FAILURE, "cannot listen on '%s': %s", name.text, strerror(errno));
	printf("server: listening on %s, address family %d\n", name.text, name.addr.srunix_family);

	for (unsigned long client = 1; !count || client <= count; client++)
		accept_client(listener, client);

	/* With SIGCHLD ignored, this waits for all of them. */
	while (wait(NULL) >= 0 || errno == EINTR)
		;
	if (socket_file)
		unlink(socket_file);
	return EXIT_SUCCESS;
}
