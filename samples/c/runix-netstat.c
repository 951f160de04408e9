// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * runix-netstat: lists the sockets of the family, as "netstat -a" does those
 * of AF_UNIX.
 *
 * The kernel's table has a line a socket, in hexadecimal but for the inode:
 *
 *	Num: RefCount Protocol Flags Type St Inode [Path]
 */
#include "common.h"

#include <ctype.h>

static const char usage[] =
	"usage: runix-netstat\n"
	"\n"
	"Lists the sockets of this network namespace.\n";

/* A bit of the column Flags. */
#define FLAG_LISTENING	0x10000

struct row {
	unsigned long	references;
	unsigned long	flags;
	unsigned int	type;
	unsigned int	state;
	unsigned long	inode;
	const char	*path;
};

/* Takes a line apart; false if it isn't one of the table. */
static int parse_row(char *line, struct row *row)
{
	int end = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%*[^:]: %lx %*x %lx %x %x %lu%n",
		   &row->references, &row->flags, &row->type, &row->state,
		   &row->inode, &end) != 5 || !end)
		return 0;
	if (line[end] && line[end] != ' ')
		return 0;

	row->path = line[end] ? line + end + 1 : "";
	return 1;
}

static const char *type_name(unsigned int type)
{
	switch (type) {
	case SOCK_STREAM:
		return "STREAM";
	case SOCK_DGRAM:
		return "DGRAM";
	case SOCK_SEQPACKET:
		return "SEQPACKET";
	default:
		return "UNKNOWN";
	}
}

/* The states are those of enum socket_state in <linux/net.h>. */
static const char *state_name(const struct row *row)
{
	switch (row->state) {
	case 0:
		return "FREE";
	case 1:
		return row->flags & FLAG_LISTENING ? "LISTENING" : "";
	case 2:
		return "CONNECTING";
	case 3:
		return "CONNECTED";
	case 4:
		return "DISCONNECTING";
	default:
		return "UNKNOWN";
	}
}

/*
 * A name may hold anything; a terminal should not act upon it. In UTF-8, the control
 * characters beyond ASCII are 0xc2 and a byte from 0x80 to 0x9f.
 */
static void print_name(const char *name)
{
	for (; *name; name++) {
		unsigned char byte = name[0], next = name[1];

		if (byte == 0xc2 && next >= 0x80 && next <= 0x9f)
			name++;
		else if (!iscntrl(byte)) {
			putchar(byte);
			continue;
		}
		putchar('?');
	}
}

static void print_row(const char *proto, const struct row *row)
{
	printf("%-5s %-6lu %-11s %-10s %-13s %-8lu ", proto, row->references,
	       row->flags & FLAG_LISTENING ? "[ ACC ]" : "[ ]",
	       type_name(row->type), state_name(row), row->inode);

	print_name(row->path);
	putchar('\n');
}

int main(int argc, char **argv)
{
	int is_unix = runix_family() == AF_UNIX;
	const char *table = is_unix ? "/proc/net/unix" : "/proc/net/runix";
	const char *proto = is_unix ? "unix" : "runix";
	unsigned long odd = 0;
	size_t size = 0;
	char *line = NULL;
	struct row row;
	FILE *file;

	if (argc == 2 && !strcmp(argv[1], "-h")) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (argc != 1)
		die(EXIT_USAGE, "it takes no arguments: see -h");

	file = fopen(table, "re");
	if (!file && errno == ENOENT)
		die(EXIT_FAILURE, "there is no %s: load the runix module (modprobe runix)", table);
	if (!file || getline(&line, &size, file) < 0)
		die(EXIT_FAILURE, "cannot read %s: %s", table, strerror(errno));

	printf("Active %s sockets (servers and established)\n", is_unix ? "UNIX" : "RUNIX");
	printf("Proto RefCnt Flags       Type       State         I-Node   Path\n");
	while (getline(&line, &size, file) > 0) {
		if (parse_row(line, &row))
			print_row(proto, &row);
		else
			odd++;
	}
	if (ferror(file))
		die(EXIT_FAILURE, "cannot read %s: %s", table, strerror(errno));
	if (odd)
		die(EXIT_FAILURE,
		    "%lu lines of %s could not be read: is there a newline in a socket's name?",
		    odd, table);
	return EXIT_SUCCESS;
}
