// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * runix-who: a parent learns from the kernel who has sent a message: the process,
 * its user and group, and a descriptor of it, which stays that process's even when
 * its number is another's.
 */
#include "common.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const char usage[] =
	"usage: runix-who\n"
	"\n"
	"A parent asks the kernel who its child is, and ends it by a descriptor.\n";

#ifndef SCM_PIDFD
#define SCM_PIDFD	0x04
#endif

/* What a message says of its sender. */
struct sender {
	struct ucred cred;
	int pidfd;
};

static struct sender receive_sender(int fd, char *text, size_t size)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = { .iov_base = text, .iov_len = size };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct sender sender = { .pidfd = -1 };
	ssize_t received = recvmsg(fd, &message, 0);

	if (received < 0)
		die(EXIT_FAILURE, "cannot receive: %s", strerror(errno));
	printf("parent: received ");
	print_quoted(text, received);
	putchar('\n');
	for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head;
	     head = CMSG_NXTHDR(&message, head)) {
		if (head->cmsg_level != SOL_SOCKET)
			continue;
		if (head->cmsg_type == SCM_CREDENTIALS)
			memcpy(&sender.cred, CMSG_DATA(head), sizeof(sender.cred));
		else if (head->cmsg_type == SCM_PIDFD)
			memcpy(&sender.pidfd, CMSG_DATA(head), sizeof(sender.pidfd));
	}
	/* An error number may stand in its place. */
	if (sender.pidfd < 0)
		die(EXIT_FAILURE, "cannot get a process descriptor: %s",
		    strerror(-sender.pidfd));
	return sender;
}

static void child(int fd)
{
	static const char text[] = "here I am";

	printf("child: sends \"%s\"\n", text);
	if (!send_all(fd, text, strlen(text)))
		die(EXIT_FAILURE, "cannot send: %s", strerror(errno));
	for (;;)
		pause();
}

/* Ends the process, and waits until it has. */
static void end(int pidfd)
{
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };

	printf("parent: ends that process by its descriptor\n");
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0))
		die(EXIT_FAILURE, "cannot send a signal: %s", strerror(errno));
	if (poll(&wait, 1, -1) < 0)
		die(EXIT_FAILURE, "cannot wait for the process: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	int family = runix_family();
	struct sender sender;
	int status, fd[2];
	char text[64];
	pid_t pid;

	if (argc == 2 && !strcmp(argv[1], "-h")) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (argc != 1)
		die(EXIT_USAGE, "it takes no arguments: see -h");

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (socketpair(family, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		die_no_socket(family);
	if (runix_set_passcred(fd[0], 1) || runix_set_passpidfd(fd[0], 1))
		die(EXIT_FAILURE, "cannot ask for senders: %s", strerror(errno));
	printf("parent: asks to be told who sends, address family %d\n", family);

	pid = fork();
	if (pid < 0)
		die(EXIT_FAILURE, "cannot start a process: %s", strerror(errno));
	if (!pid) {
		close(fd[0]);
		child(fd[1]);
	}
	close(fd[1]);

	sender = receive_sender(fd[0], text, sizeof(text));
	printf("parent: it is from %s, of user %u and group %u\n",
	       sender.cred.pid == pid ? "the child" : "somebody else",
	       sender.cred.uid, sender.cred.gid);
	end(sender.pidfd);
	if (waitpid(pid, &status, 0) != pid)
		die(EXIT_FAILURE, "cannot wait for the child: %s", strerror(errno));
	if (!WIFSIGNALED(status))
		die(EXIT_FAILURE, "the child has ended by itself");
	printf("parent: the child was ended by signal %d\n", WTERMSIG(status));
	return EXIT_SUCCESS;
}
