// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * runix-pair: a parent and its child talk over a socketpair. The parent shuts
 * its sending side down; the child sees the end of the stream and can still
 * answer.
 */
#include "common.h"

#include <sys/wait.h>

static const char usage[] =
	"usage: runix-pair\n"
	"\n"
	"A parent and its child process talk over a socketpair.\n";

static void say(const char *who, int fd, const char *text)
{
	printf("%s: sends \"%s\"\n", who, text);
	if (!send_all(fd, text, strlen(text)))
		die(EXIT_FAILURE, "%s cannot send: %s", who, strerror(errno));
}

/* Receives one short text, or an end of stream if the text is NULL. */
static void expect(const char *who, int fd, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	char data[64];
	ssize_t received;

	/* A stream has no message limits: MSG_WAITALL asks for all of them. */
	do {
		received = recv(fd, data, text ? len : sizeof(data), MSG_WAITALL);
	} while (received < 0 && errno == EINTR);
	if (received < 0)
		die(EXIT_FAILURE, "%s cannot receive: %s", who, strerror(errno));
	if ((size_t)received != len || (text && memcmp(data, text, len)))
		die(EXIT_FAILURE, "%s received %zd unexpected bytes", who, received);

	if (text)
		printf("%s: received \"%s\"\n", who, text);
	else
		printf("%s: end of stream\n", who);
}

static void child(int fd)
{
	expect("child", fd, "ping");
	say("child", fd, "pong");
	expect("child", fd, NULL);
	say("child", fd, "I can still send");
	exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
	int family = runix_family();
	int status;
	pid_t pid;
	int fd[2];

	if (argc == 2 && !strcmp(argv[1], "-h")) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (argc != 1)
		die(EXIT_USAGE, "it takes no arguments: see -h");

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (socketpair(family, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		die_no_socket(family);
	printf("parent: has a pair of sockets, address family %d\n", family);

	pid = fork();
	if (pid < 0)
		die(EXIT_FAILURE, "cannot start a process: %s", strerror(errno));
	if (!pid) {
		close(fd[0]);
		child(fd[1]);
	}
	close(fd[1]);

	say("parent", fd[0], "ping");
	expect("parent", fd[0], "pong");
	printf("parent: shuts its sending side down\n");
	if (shutdown(fd[0], SHUT_WR))
		die(EXIT_FAILURE, "cannot shut down: %s", strerror(errno));
	expect("parent", fd[0], "I can still send");
	expect("parent", fd[0], NULL);

	if (waitpid(pid, &status, 0) != pid)
		die(EXIT_FAILURE, "cannot wait for the child: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die(EXIT_FAILURE, "the child has failed");
	return EXIT_SUCCESS;
}
