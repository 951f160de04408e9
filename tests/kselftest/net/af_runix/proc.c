// SPDX-License-Identifier: GPL-2.0
/* The listings: /proc/net/unix, /proc/net/runix, /proc/net/protocols. */

#include "common.h"

#include <ctype.h>
#include <sched.h>

FAMILY_FIXTURE(proc);

/* Socket states as the listings count them. */
enum { UNCONNECTED = 1, CONNECTING = 2, CONNECTED = 3 };

#define LISTENING	0x10000

struct row {
	unsigned int refs, protocol, flags, type, state;
	unsigned long inode;
	char path[300];
	char line[512];
};

static const char *listing(int family)
{
	return family == AF_UNIX ? "/proc/thread-self/net/unix" :
				   "/proc/thread-self/net/runix";
}

static bool parse(const char *line, struct row *r)
{
	char ptr[32], again[600];
	int n = 0;

	memset(r, 0, sizeof(*r));
	if (sscanf(line, "%31[0-9a-f]: %8X %8X %8X %4X %2X %lu%n", ptr, &r->refs,
		   &r->protocol, &r->flags, &r->type, &r->state, &r->inode, &n) != 7)
		return false;
	snprintf(r->line, sizeof(r->line), "%s", line);
	r->line[strcspn(r->line, "\n")] = 0;
	/* A name is set off by one space; where there is none, there is none. */
	if (r->line[n] == ' ')
		snprintf(r->path, sizeof(r->path), "%s", r->line + n + 1);
	/* The columns have their widths: it reads as it would be printed. */
	snprintf(again, sizeof(again), "%s: %08X %08X %08X %04X %02X %5lu%s%s", ptr,
		 r->refs, r->protocol, r->flags, r->type, r->state, r->inode,
		 r->path[0] ? " " : "", r->path);
	return strlen(ptr) == 16 && !strcmp(again, r->line);
}

/*
 * Rows with this inode number, or with this name where it is 0. The last one
 * is left in @r. A row that cannot be parsed is an error.
 */
static int find(int family, unsigned long inode, const char *path, struct row *r)
{
	FILE *f = fopen(listing(family), "re");
	char line[512];
	struct row row;
	int n = 0;

	if (!f)
		return -errno;
	if (!fgets(line, sizeof(line), f))
		n = -ENODATA;
	while (n >= 0 && fgets(line, sizeof(line), f)) {
		if (!parse(line, &row))
			n = -EBADMSG;
		else if (row.inode == inode && (!path || !strcmp(row.path, path))) {
			*r = row;
			n++;
		}
	}
	fclose(f);
	return n;
}

static unsigned long inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static int find_fd(int family, int fd, struct row *r)
{
	return find(family, inode_of(fd), NULL, r);
}

static int count_rows(int family)
{
	FILE *f = fopen(listing(family), "re");
	int n = -1, ch;

	if (!f)
		return -errno;
	while ((ch = getc(f)) != EOF)
		n += ch == '\n';
	fclose(f);
	return n;
}

TEST_F(proc, header)
{
	FILE *f = fopen(listing(self->family), "re");
	char line[200] = {};

	ASSERT_NE(NULL, f);
	ASSERT_NE(NULL, fgets(line, sizeof(line), f));
	EXPECT_STREQ("Num       RefCount Protocol Flags    Type St Inode Path\n",
		     line);
	fclose(f);
	/* Everybody may read it, nobody write. */
	EXPECT_EQ(-EACCES, IN_CHILD(setuid(65534) ? -1 :
				    rc(open(listing(self->family), O_WRONLY))));
	EXPECT_EQ(0, IN_CHILD(setuid(65534) ? -1 :
			      access(listing(self->family), R_OK)));
}

TEST_F(proc, states)
{
	struct name n = path_name(self->family, "s");
	int fd = xsocket(self->family);
	struct row r;

	ASSERT_EQ(1, find_fd(self->family, fd, &r));
	EXPECT_EQ(UNCONNECTED, r.state);
	EXPECT_EQ(0, r.flags);
	EXPECT_EQ(0, r.protocol);
	EXPECT_EQ(SOCK_STREAM, r.type);
	EXPECT_LT(0, r.refs);
	EXPECT_STREQ("", r.path);

	ASSERT_EQ(0, xbind(fd, &n));
	ASSERT_EQ(1, find_fd(self->family, fd, &r));
	EXPECT_EQ(UNCONNECTED, r.state);
	EXPECT_EQ(0, r.flags);
	EXPECT_STREQ("s", r.path);

	ASSERT_EQ(0, rc(listen(fd, 1)));
	ASSERT_EQ(1, find_fd(self->family, fd, &r));
	EXPECT_EQ(UNCONNECTED, r.state);
	EXPECT_EQ(LISTENING, r.flags);
	EXPECT_EQ(SOCK_STREAM, r.type);
	EXPECT_STREQ("s", r.path);

	/* The name is what was bound, not where the file went. */
	ASSERT_EQ(0, rename("s", "t"));
	ASSERT_EQ(1, find_fd(self->family, fd, &r));
	EXPECT_STREQ("s", r.path);
	ASSERT_EQ(0, unlink("t"));
	ASSERT_EQ(1, find_fd(self->family, fd, &r));
	EXPECT_STREQ("s", r.path);

	ASSERT_EQ(1, find_fd(self->family, self->fd[0], &r));
	EXPECT_EQ(CONNECTED, r.state);
	EXPECT_EQ(0, r.flags);
	EXPECT_STREQ("", r.path);
	/* Connected it stays, when the other end has gone. */
	close(self->fd[1]);
	ASSERT_EQ(1, find_fd(self->family, self->fd[0], &r));
	EXPECT_EQ(CONNECTED, r.state);
}

/* Before it is accepted a connection has a row, but no inode. */
TEST_F(proc, embryo)
{
	struct name n = path_name(self->family, self->dir);
	char path[80];
	struct row r;
	int l, c, s;

	snprintf(path, sizeof(path), "%s/s", self->dir);
	n = path_name(self->family, path);
	l = listener(self->family, &n, 4);
	ASSERT_LE(0, l);
	EXPECT_EQ(0, find(self->family, 0, path, &r));
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	ASSERT_EQ(1, find(self->family, 0, path, &r));
	EXPECT_EQ(CONNECTING, r.state);
	EXPECT_EQ(0, r.flags);
	EXPECT_EQ(SOCK_STREAM, r.type);
	ASSERT_EQ(1, find_fd(self->family, c, &r));
	EXPECT_EQ(CONNECTED, r.state);
	EXPECT_STREQ("", r.path);

	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(0, find(self->family, 0, path, &r));
	ASSERT_EQ(1, find_fd(self->family, s, &r));
	EXPECT_EQ(CONNECTED, r.state);
	EXPECT_EQ(0, r.flags);
	EXPECT_STREQ(path, r.path);
}

/* Names without a file begin with @, which stands for any NUL. */
TEST_F(proc, abstract_names)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *shown;
	} t[] = {
		{ "\0rx.one", 7, "@rx.one" },
		{ "\0rx.one\0", 8, "@rx.one@" },
		{ "\0rx\0\0two", 8, "@rx@@two" },
		{ "\0", 1, "@" },
	};
	struct row r;
	size_t i;

	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		struct name n = { .len = PATH_OFF + t[i].len };
		int fd = xsocket(self->family);

		n.un.sun_family = self->family;
		memcpy(n.un.sun_path, t[i].bytes, t[i].len);
		ASSERT_EQ(0, xbind(fd, &n));
		ASSERT_EQ(1, find_fd(self->family, fd, &r));
		EXPECT_STREQ(t[i].shown, r.path);
	}
}

TEST_F(proc, longest_path)
{
	char path[109] = {};
	struct name n;
	struct row r;
	int fd = xsocket(self->family);

	memset(path, 'p', 108);
	n = path_name(self->family, path);
	n.len = sizeof(struct sockaddr_un);
	ASSERT_EQ(0, xbind(fd, &n));
	ASSERT_EQ(1, find_fd(self->family, fd, &r));
	EXPECT_STREQ(path, r.path);
}

TEST_F(proc, closed)
{
	unsigned long ino = inode_of(self->fd[0]);
	struct row r;

	ASSERT_EQ(1, find(self->family, ino, NULL, &r));
	close(self->fd[0]);
	EXPECT_EQ(0, find(self->family, ino, NULL, &r));
	EXPECT_EQ(1, find_fd(self->family, self->fd[1], &r));
}

/* A listing is of one network namespace: that of the socket, not of its owner. */
TEST_F(proc, namespaces)
{
	struct row r;
	int fd;

	ASSERT_EQ(1, find_fd(self->family, self->fd[0], &r));
	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	EXPECT_EQ(0, count_rows(self->family));
	EXPECT_EQ(0, find_fd(self->family, self->fd[0], &r));
	fd = xsocket(self->family);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, count_rows(self->family));
	EXPECT_EQ(1, find_fd(self->family, fd, &r));
	close(fd);
	EXPECT_EQ(0, count_rows(self->family));
}

/* More rows than fit into one read, each there once. */
TEST_F(proc, many)
{
	enum { NR = 300 };
	static char text[NR * 200];
	size_t len = 0, step;
	long ret;
	int fd[NR], f, i;

	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	for (i = 0; i < NR; i++) {
		char tag[8];
		struct name n;

		snprintf(tag, sizeof(tag), "%04d", i);
		n = abstract_name(self->family, tag);
		fd[i] = xsocket(self->family);
		ASSERT_EQ(0, xbind(fd[i], &n));
	}
	EXPECT_EQ(NR, count_rows(self->family));

	for (step = 100; step <= 10000; step *= 10) {
		f = open(listing(self->family), O_RDONLY);
		ASSERT_LE(0, f);
		for (len = 0; (ret = rc(read(f, text + len, step))) > 0; len += ret) {
			ASSERT_GT(sizeof(text), len + ret);
		}
		ASSERT_EQ(0, ret);
		close(f);
		text[len] = 0;
		for (i = 0; i < NR; i++) {
			char want[16];
			char *at;

			snprintf(want, sizeof(want), ".%04d\n", i);
			at = strstr(text, want);
			ASSERT_NE(NULL, at) TH_LOG("row %d, step %zu", i, step);
			ASSERT_EQ(NULL, strstr(at + 1, want))
				TH_LOG("row %d, step %zu", i, step);
		}
	}
}

/* Reading while sockets come and go; every row seen is a whole one. */
static void *come_and_go(void *arg)
{
	int family = *(int *)arg, i;

	for (i = 0; i < 2000; i++) {
		char tag[12];
		struct name n;
		int fd = xsocket(family);

		snprintf(tag, sizeof(tag), "%d", i);
		n = abstract_name(family, tag);
		if (fd < 0 || xbind(fd, &n))
			abort();
		close(fd);
	}
	return NULL;
}

TEST_F(proc, while_changing)
{
	pthread_t thread;
	struct row r;
	int i, n;

	ASSERT_EQ(0, pthread_create(&thread, NULL, come_and_go, &self->family));
	for (i = 0; i < 100; i++) {
		n = find_fd(self->family, self->fd[0], &r);
		/* AF_UNIX counts rows: what comes and goes between reads moves others. */
		ASSERT_TRUE(n == 1 || (self->family == AF_UNIX && n >= 0))
			TH_LOG("round %d: %d", i, n);
	}
	pthread_join(thread, NULL);
}

/* --- /proc/net/protocols ---------------------------------------------- */

/* The number of sockets a protocol has in this namespace. */
static int in_use(const char *name)
{
	FILE *f = fopen("/proc/thread-self/net/protocols", "re");
	int sockets, size, n = -ENOENT;
	char line[300], proto[40];

	if (!f)
		return -errno;
	while (n < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "%39s %d %d", proto, &size, &sockets) == 3 &&
		    !strcmp(proto, name))
			n = sockets;
	fclose(f);
	return n;
}

TEST_F(proc, protocols)
{
	struct name n = abstract_name(self->family, "n");
	char stream[40];
	int l, c, s, sv[2];

	snprintf(stream, sizeof(stream), "%s-STREAM", family_name(self->family));
	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	EXPECT_EQ(0, in_use(family_name(self->family)));
	EXPECT_EQ(0, in_use(stream));

	l = listener(self->family, &n, 4);
	ASSERT_LE(0, l);
	EXPECT_EQ(1, in_use(stream));
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	EXPECT_EQ(3, in_use(stream));	/* one is not accepted yet */
	s = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, s);
	EXPECT_EQ(3, in_use(stream));
	ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, sv)));
	EXPECT_EQ(5, in_use(stream));
	EXPECT_EQ(0, in_use(family_name(self->family)));

	/* A connection that fails leaves nothing. */
	close(l);
	EXPECT_EQ(-ECONNREFUSED, dial(self->family, &n));
	EXPECT_EQ(4, in_use(stream));
	close(sv[0]);
	close(sv[1]);
	close(c);
	close(s);
	EXPECT_EQ(0, in_use(stream));
}

/* All sockets of this namespace, of any family. */
static int sockets_used(void)
{
	FILE *f = fopen("/proc/thread-self/net/sockstat", "re");
	int n = -ENOENT;

	if (!f)
		return -errno;
	if (fscanf(f, "sockets: used %d", &n) != 1)
		n = -EINVAL;
	fclose(f);
	return n;
}

/* A socket that was closed is counted until the last who may look at it has gone. */
static bool come_to(int used)
{
	int i;

	for (i = 0; i < 500 && sockets_used() != used; i++)
		usleep(10000);
	return sockets_used() == used;
}

TEST_F(proc, sockets_used)
{
	struct name n = abstract_name(self->family, "n");
	int start, l, c, sv[2], type;

	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	start = sockets_used();
	ASSERT_LE(0, start);
	for (type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++) {
		if (type == SOCK_RAW || type == SOCK_RDM)
			continue;
		ASSERT_EQ(0, rc(socketpair(self->family, type, 0, sv)));
		EXPECT_TRUE(come_to(start + 2));
		/* The other end still has it for its peer. */
		close(sv[0]);
		EXPECT_EQ(start + 2, sockets_used());
		close(sv[1]);
		EXPECT_TRUE(come_to(start));
	}
	l = listener(self->family, &n, 4);
	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	/* One of the three has no descriptor yet. */
	EXPECT_TRUE(come_to(start + 3));
	close(l);
	EXPECT_TRUE(come_to(start + 2));
	close(c);
	EXPECT_TRUE(come_to(start));
}

TEST_HARNESS_MAIN
