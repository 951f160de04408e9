// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * runix-echo-client: sends messages to an echo server and checks what comes
 * back.
 */
#include "common.h"

static const char usage[] =
	"usage: runix-echo-client ADDRESS [MESSAGE]...\n"
	"\n"
	"Sends each message, or else each line of its input, to an echo server and\n"
	"checks that it comes back.\n"
	"\n"
	"ADDRESS   a path, or @name for an abstract name\n";

/* Sends up to CHUNK bytes and waits until they are back. */
static void exchange(int fd, const char *data, size_t len)
{
	char answer[CHUNK];
	size_t back = 0;

	printf("client: sends ");
	print_quoted(data, len);
	putchar('\n');
	if (!send_all(fd, data, len))
		die(EXIT_FAILURE, "cannot send: %s", strerror(errno));

	while (back < len) {
		ssize_t received = receive_some(fd, answer + back, len - back);

		if (received < 0)
			die(EXIT_FAILURE, "cannot receive: %s", strerror(errno));
		if (!received)
			die(EXIT_FAILURE,
			    "the server closed the connection after %zu of %zu bytes: look at its messages",
			    back, len);
		back += received;
	}
	printf("client: received ");
	print_quoted(answer, len);
	putchar('\n');
	if (memcmp(answer, data, len))
		die(EXIT_FAILURE, "the answer differs from the message: is this an echo server?");
}

static size_t say(int fd, const char *message, size_t len)
{
	for (size_t done = 0; done < len; ) {
		size_t part = len - done > CHUNK ? CHUNK : len - done;

		exchange(fd, message + done, part);
		done += part;
	}
	return len;
}

static size_t say_arguments(int fd, char **messages)
{
	size_t total = 0;
	char *line;

	for (; *messages; messages++) {
		int len = asprintf(&line, "%s\n", *messages);

		if (len < 0)
			die(EXIT_FAILURE, "out of memory");
		total += say(fd, line, len);
		free(line);
	}
	return total;
}

static size_t say_input(int fd)
{
	size_t total = 0, size = 0;
	char *line = NULL;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) > 0)
		total += say(fd, line, len);
	if (ferror(stdin))
		die(EXIT_FAILURE, "cannot read the input: %s", strerror(errno));
	free(line);
	return total;
}

int main(int argc, char **argv)
{
	struct name name;
	ssize_t rest;
	size_t total;
	char byte;
	int option;
	int fd;

	while ((option = getopt(argc, argv, "h")) != -1) {
		if (option != 'h')
			return EXIT_USAGE;
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (optind >= argc)
		die(EXIT_USAGE, "an address is needed: see -h");

	setvbuf(stdout, NULL, _IOLBF, 0);
	name = parse_name(argv[optind]);
	fd = new_socket(name.addr.srunix_family);
	connect_or_die(fd, &name);
	printf("client: connected to %s\n", name.text);

	if (optind + 1 < argc)
		total = say_arguments(fd, argv + optind + 1);
	else
		total = say_input(fd);

	/* The server sees the end of the stream, and we see that it saw it. */
	if (shutdown(fd, SHUT_WR))
		die(EXIT_FAILURE, "cannot shut down: %s", strerror(errno));
	rest = receive_some(fd, &byte, 1);
	if (rest < 0)
		die(EXIT_FAILURE, "cannot receive: %s", strerror(errno));
	if (rest > 0)
		die(EXIT_FAILURE, "more came back than was sent: is this an echo server?");
	printf("client: end of stream, %zu bytes came back\n", total);
	return EXIT_SUCCESS;
}
