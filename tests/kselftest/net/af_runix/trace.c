// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's tracepoints tell of sends and receives: the family, how much, or why
 * not. A trace instance of its own keeps others out.
 */

#include "packet.h"

#define TRACING		"/sys/kernel/tracing"

EVERY_FIXTURE(trace);

static bool set_file(const char *dir, const char *file, const char *what)
{
	char path[200];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	done = fd >= 0 && write(fd, what, strlen(what)) == (ssize_t)strlen(what);
	if (fd >= 0)
		close(fd);
	return done;
}

/* The line about @event with @what in it, the last one if there are several. */
static bool traced(const char *dir, const char *event, const char *what, char *got)
{
	char path[200], line[512];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/trace", dir);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (line[0] == '#' || !strstr(line, event))
			continue;
		strcpy(got, line);
		if (strstr(line, what))
			found = true;
	}
	if (f)
		fclose(f);
	return found;
}

#define EXPECT_TRACED(_event, ...)					\
do {									\
	char __want[200], __got[512] = "";				\
									\
	snprintf(__want, sizeof(__want), __VA_ARGS__);			\
	EXPECT_TRUE(traced(dir, _event, __want, __got))			\
		TH_LOG("wanted %s, last is %s", __want, __got);		\
} while (0)

TEST_F(trace, lengths)
{
	char dir[100], pid[40], buf[100];

	snprintf(dir, sizeof(dir), TRACING "/instances/rx.%d", getpid());
	if (mkdir(dir, 0700))
		SKIP(return, "no trace instance: %m");
	snprintf(pid, sizeof(pid), "common_pid == %d", getpid());
	if (!set_file(dir, "events/sock/sock_send_length/filter", pid) ||
	    !set_file(dir, "events/sock/sock_recv_length/filter", pid)) {
		rmdir(dir);
		SKIP(return, "the kernel lacks these tracepoints");
	}
	ASSERT_TRUE(set_file(dir, "events/sock/sock_send_length/enable", "1"));
	ASSERT_TRUE(set_file(dir, "events/sock/sock_recv_length/enable", "1"));

	EXPECT_EQ(5, say(self->fd[0], "hello"));
	EXPECT_TRACED("sock_send_length", "family = 0x%x protocol = 0x0, length = 5, error = 0",
		      self->family);
	EXPECT_EQ(3, rc(recv(self->fd[1], buf, 3, MSG_PEEK)));
	/* Nothing is taken out by a look. */
	EXPECT_TRACED("sock_recv_length",
		      "family = 0x%x protocol = 0x0, length = 0, error = 0, flags = 0x2",
		      self->family);
	EXPECT_EQ(5, rc(recv(self->fd[1], buf, sizeof(buf), 0)));
	EXPECT_TRACED("sock_recv_length", "length = 5, error = 0, flags = 0x0");
	EXPECT_EQ(-EAGAIN, rc(recv(self->fd[1], buf, sizeof(buf), MSG_DONTWAIT)));
	EXPECT_TRACED("sock_recv_length", "length = 0, error = -%d, flags = 0x40", EAGAIN);
	close(self->fd[1]);
	EXPECT_GT(0, say(self->fd[0], "x"));
	EXPECT_TRACED("sock_send_length", "length = 0, error = -%d",
		      self->type == SOCK_DGRAM ? ECONNREFUSED : EPIPE);

	set_file(dir, "events/enable", "0");
	EXPECT_EQ(0, rc(rmdir(dir)));
}

TEST_HARNESS_MAIN
