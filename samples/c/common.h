/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * What the C samples share: the family's number, names on the command line,
 * and errors that tell the cause and what to do, in one line.
 */
#ifndef _RUNIX_SAMPLES_COMMON_H
#define _RUNIX_SAMPLES_COMMON_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <runix.h>

/* Exit status of a program that was called in a way it doesn't understand. */
#define EXIT_USAGE	2

/* The most bytes that the samples send before they wait for the echo. */
#define CHUNK		4096

/* Prints "program: ..." on standard error, as one line, and exits. */
__attribute__((format(printf, 2, 3), noreturn))
static inline void die(int status, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

/* Reads a family number; zero if the text isn't one. */
static inline int parse_family(const char *text)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	if (*end == '\n')
		end++;
	if (errno || end == text || *end || number < 1 || number > USHRT_MAX)
		return 0;
	return number;
}

/*
 * The family number in force: RUNIX_FAMILY if it is set, else what the loaded
 * module says, else the default. RUNIX_FAMILY=1 runs a sample on AF_UNIX.
 */
static inline int runix_family(void)
{
	const char *chosen = getenv("RUNIX_FAMILY");
	char line[32] = "";
	int family = 0;
	FILE *file;

	if (chosen) {
		family = parse_family(chosen);
		if (!family)
			die(EXIT_USAGE,
			    "RUNIX_FAMILY is '%s': give the number of an address family, or unset it",
			    chosen);
		return family;
	}

	file = fopen("/sys/module/runix/parameters/family", "re");
	if (file) {
		if (fgets(line, sizeof(line), file))
			family = parse_family(line);
		fclose(file);
	}
	return family ? family : AF_RUNIX;
}

/* An address with its length and the name that the user typed for it. */
struct name {
	const char		*text;
	struct sockaddr_runix	addr;
	socklen_t		len;
};

static inline int is_abstract(const struct name *name)
{
	return name->text[0] == '@';
}

/* "@name" is an abstract name, anything else a path. */
static inline struct name parse_name(const char *text)
{
	size_t len = strlen(text);
	size_t longest = RUNIX_PATH_MAX - 1;
	struct name name = { .text = text };

	if (!len)
		die(EXIT_USAGE, "the address is empty: give a path, or @name for an abstract name");

	/* The '@' stands for the NUL byte in front of an abstract name. */
	if (text[0] == '@')
		len--;
	if (len > longest)
		die(EXIT_FAILURE,
		    "the name is %zu bytes long and at most %zu fit: choose a shorter one",
		    len, longest);

	name.addr.srunix_family = runix_family();
	name.len = offsetof(struct sockaddr_runix, srunix_path) + 1 + len;
	if (text[0] == '@')
		memcpy(name.addr.srunix_path + 1, text + 1, len);
	else
		memcpy(name.addr.srunix_path, text, len);	/* and its NUL */
	return name;
}

/* Called when socket() or socketpair() has failed. */
__attribute__((noreturn))
static inline void die_no_socket(int family)
{
	if (errno != EAFNOSUPPORT)
		die(EXIT_FAILURE, "cannot create a socket: %s", strerror(errno));
	if (getenv("RUNIX_FAMILY"))
		die(EXIT_FAILURE,
		    "address family %d (from RUNIX_FAMILY) is not available: unset RUNIX_FAMILY or load the module for it (modprobe runix family=%d)",
		    family, family);
	die(EXIT_FAILURE,
	    "address family %d is not available: load the runix module (modprobe runix)",
	    family);
}

static inline int new_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die_no_socket(family);
	return fd;
}

/* Binds the name, or tells why it can't be had. */
static inline void bind_or_die(int fd, const struct name *name)
{
	if (!bind(fd, (const struct sockaddr *)&name->addr, name->len))
		return;

	switch (errno) {
	case EADDRINUSE:
		die(EXIT_FAILURE, "the name '%s' is in use: %s, or choose another name",
		    name->text,
		    is_abstract(name) ? "stop its server"
				      : "stop its server, remove a file left behind");
	case EACCES:
		die(EXIT_FAILURE,
		    "permission denied for '%s': choose a directory in which you may create files",
		    name->text);
	case ENOENT:
		die(EXIT_FAILURE, "no directory for '%s': create it first", name->text);
	default:
		die(EXIT_FAILURE, "cannot bind '%s': %s", name->text, strerror(errno));
	}
}

/* Connects to the name, or tells why there is no answer. */
static inline void connect_or_die(int fd, const struct name *name)
{
	if (!connect(fd, (const struct sockaddr *)&name->addr, name->len))
		return;

	switch (errno) {
	case ECONNREFUSED:
		die(EXIT_FAILURE, "nobody listens on '%s': start a server there first", name->text);
	case ENOENT:
		die(EXIT_FAILURE, "there is no socket '%s': start a server there first", name->text);
	case EACCES:
		die(EXIT_FAILURE,
		    "permission denied for '%s': become its owner, or have write permission given to you",
		    name->text);
	case EPROTOTYPE:
		die(EXIT_FAILURE, "'%s' is not a stream socket: choose a stream server", name->text);
	default:
		die(EXIT_FAILURE, "cannot connect to '%s': %s", name->text, strerror(errno));
	}
}

/* Sends it all; false, with errno set, if that can't be done. */
static inline int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return 0;
		data += sent;
		len -= sent;
	}
	return 1;
}

/* Receives what is there, up to size; zero at end of stream, -1 on error. */
static inline ssize_t receive_some(int fd, char *data, size_t size)
{
	ssize_t received;

	do {
		received = recv(fd, data, size, 0);
	} while (received < 0 && errno == EINTR);
	return received;
}

/* Prints bytes between quotes, without the newline at their end. */
static inline void print_quoted(const char *data, size_t len)
{
	size_t shown;

	if (len && data[len - 1] == '\n')
		len--;
	shown = len > 60 ? 60 : len;

	putchar('"');
	for (size_t i = 0; i < shown; i++) {
		unsigned char byte = data[i];

		if (byte < 0x20 || byte > 0x7e)
			printf("\\x%02x", byte);
		else if (byte == '"' || byte == '\\')
			printf("\\%c", byte);
		else
			putchar(byte);
	}
	fputs(shown < len ? "...\"" : "\"", stdout);
}

#endif /* _RUNIX_SAMPLES_COMMON_H */
