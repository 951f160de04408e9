// SPDX-License-Identifier: GPL-2.0
/*
 * one-call FAMILY CASE: one write() or read() of five bytes on a stream, with the kernel's
 * tracing switched on for it and nothing else (tests/guest/mode-trace).
 *
 *   write   nobody waits at the other end
 *   wake    somebody does
 *   read    what was written before
 *
 * The same is done some times before, so that it is seen as it usually goes.
 */

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACING	"/sys/kernel/tracing/"
#define BEFORE	3

static int tracing_on;

static void set(const char *file, const char *value)
{
	int fd = open(file, O_WRONLY | O_TRUNC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		err(1, "%s", file);
	close(fd);
}

static void trace_me(void)
{
	char pid[20];

	snprintf(pid, sizeof(pid), "%d", getpid());
	set(TRACING "set_ftrace_pid", pid);
	set("/sys/module/runix_entered/parameters/pid", pid);
	tracing_on = open(TRACING "tracing_on", O_WRONLY);
	if (tracing_on < 0)
		err(1, "tracing_on");
}

static void one_write(int fd, int traced)
{
	ssize_t on = 1, off = 1, done;

	if (traced)
		on = write(tracing_on, "1", 1);
	done = write(fd, "hello", 5);
	if (traced)
		off = write(tracing_on, "0", 1);
	if (on != 1 || off != 1 || done != 5)
		err(1, "write");
}

static void one_read(int fd, int traced)
{
	ssize_t on = 1, off = 1, done;
	char buf[100];

	if (traced)
		on = write(tracing_on, "1", 1);
	done = read(fd, buf, sizeof(buf));
	if (traced)
		off = write(tracing_on, "0", 1);
	if (on != 1 || off != 1 || done != 5)
		err(1, "read");
}

static void with_reader(int writer, int reader)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		for (int i = 0; i <= BEFORE; i++)
			one_read(reader, 0);
		_exit(0);
	}
	for (int i = 0; i <= BEFORE; i++) {
		/* The reader is asleep by then. */
		usleep(20000);
		one_write(writer, i == BEFORE);
	}
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	int fd[2];

	if (argc != 3)
		errx(2, "usage: one-call FAMILY write|wake|read");
	if (socketpair(atoi(argv[1]), SOCK_STREAM, 0, fd))
		err(1, "socketpair");
	trace_me();
	if (!strcmp(argv[2], "wake")) {
		with_reader(fd[0], fd[1]);
		return 0;
	}
	for (int i = 0; i <= BEFORE; i++) {
		one_write(fd[0], i == BEFORE && !strcmp(argv[2], "write"));
		one_read(fd[1], i == BEFORE && !strcmp(argv[2], "read"));
	}
	return 0;
}
