// SPDX-License-Identifier: GPL-2.0
/* Three types, side by side: their names, who finds whom, how they are listed. */

#include "packet.h"

#include <sched.h>

TYPE_FIXTURE(types, SOCK_DGRAM);

static const int type_of[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

/* A type the family lacks is a reason to skip all of this. */
#define NEED_ALL()							\
do {									\
	const char *__why = missing(self->family, SOCK_SEQPACKET);	\
									\
	if (__why)							\
		SKIP(return, "%s", __why);				\
} while (0)

static int ready(int family, int type, const struct name *n)
{
	int fd = bound(family, type, n);

	if (fd >= 0 && type != SOCK_DGRAM && listen(fd, 8))
		abort();
	return fd;
}

TEST_F(types, create)
{
	int i, fd, sv[2];

	NEED_ALL();
	for (i = 0; i < 3; i++) {
		fd = rc(socket(self->family, type_of[i], 0));
		ASSERT_LE(0, fd);
		EXPECT_EQ(type_of[i], getint(fd, SO_TYPE));
		EXPECT_EQ(self->family, getint(fd, SO_DOMAIN));
		EXPECT_EQ(0, getint(fd, SO_PROTOCOL));
		EXPECT_EQ(0, getint(fd, SO_ACCEPTCONN));
		EXPECT_EQ(0, so_error(fd));
		EXPECT_EQ(0, fcntl(fd, F_GETFD));
		EXPECT_EQ(O_RDWR, fcntl(fd, F_GETFL));
		EXPECT_LE(0, rc(socket(self->family, type_of[i], self->family)));
		EXPECT_EQ(-EPROTONOSUPPORT,
			  rc(socket(self->family, type_of[i], self->family + 1)));

		fd = rc(socket(self->family,
			       type_of[i] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
		ASSERT_LE(0, fd);
		EXPECT_EQ(type_of[i], getint(fd, SO_TYPE));
		EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
		EXPECT_EQ(O_RDWR | O_NONBLOCK, fcntl(fd, F_GETFL));

		ASSERT_EQ(0, rc(socketpair(self->family,
					   type_of[i] | SOCK_NONBLOCK, 0, sv)));
		EXPECT_EQ(type_of[i], getint(sv[0], SO_TYPE));
		EXPECT_EQ(type_of[i], getint(sv[1], SO_TYPE));
		EXPECT_NO_MSG(sv[0]);
		EXPECT_EQ(O_RDWR | O_NONBLOCK, fcntl(sv[1], F_GETFL));
	}
	EXPECT_EQ(-ESOCKTNOSUPPORT, rc(socket(self->family, SOCK_RDM, 0)));
	EXPECT_EQ(-ESOCKTNOSUPPORT, rc(socket(self->family, SOCK_PACKET, 0)));
	EXPECT_EQ(-ESOCKTNOSUPPORT, rc(socketpair(self->family, SOCK_RDM, 0, sv)));
	EXPECT_EQ(-EINVAL, rc(socket(self->family, 11, 0)));
}

/* A raw socket is a datagram socket by another name. */
TEST_F(types, raw)
{
	struct name n = abstract_name(self->family, "n");
	int raw = rc(socket(self->family, SOCK_RAW, 0)), r, sv[2];

	ASSERT_LE(0, raw);
	EXPECT_EQ(SOCK_DGRAM, getint(raw, SO_TYPE));
	r = bound(self->family, SOCK_DGRAM, &n);
	ASSERT_LE(0, r);
	EXPECT_EQ(-EADDRINUSE, xbind(raw, &n));
	ASSERT_EQ(0, xconnect(raw, &n));
	EXPECT_EQ(2, say(raw, "ab"));
	EXPECT_EQ(2, say(raw, "cd"));
	EXPECT_MSG("ab", r);
	EXPECT_MSG("cd", r);
	EXPECT_EQ(-EOPNOTSUPP, rc(listen(raw, 1)));

	ASSERT_EQ(0, rc(socketpair(self->family, SOCK_RAW, 0, sv)));
	EXPECT_EQ(SOCK_DGRAM, getint(sv[1], SO_TYPE));
	EXPECT_EQ(1, say(sv[0], "x"));
	EXPECT_MSG("x", sv[1]);
	/* No privilege is needed, unlike elsewhere. */
	EXPECT_EQ(0, IN_CHILD(setuid(65534) ? -1 :
			      rc(socket(self->family, SOCK_RAW, 0)) < 0));
}

/* An abstract name is of a type; the others do not see it. */
TEST_F(types, abstract)
{
	struct name n = abstract_name(self->family, "n");
	int at[3], i, j;

	NEED_ALL();
	for (i = 0; i < 3; i++) {
		for (j = i; j < 3; j++) {
			EXPECT_EQ(-ECONNREFUSED, joined(self->family, type_of[j], &n))
				TH_LOG("from type %d, %d bound", type_of[j], i);
		}
		at[i] = ready(self->family, type_of[i], &n);
		ASSERT_LE(0, at[i]) TH_LOG("type %d", type_of[i]);
		EXPECT_EQ(-EADDRINUSE, bound(self->family, type_of[i], &n));
	}
	for (i = 0; i < 3; i++) {
		EXPECT_LE(0, joined(self->family, type_of[i], &n));
	}
	EXPECT_EQ(1, say_to(self->fd[0], "x", &n));
	EXPECT_MSG("x", at[1]);
	for (i = 0; i < 3; i++) {
		close(at[i]);
		EXPECT_EQ(-ECONNREFUSED, joined(self->family, type_of[i], &n));
		at[i] = ready(self->family, type_of[i], &n);
		EXPECT_LE(0, at[i]);
	}
}

/* A path is of one socket; the wrong type is told. */
TEST_F(types, path)
{
	struct name n = path_name(self->family, "p");
	int i, j, fd;

	NEED_ALL();
	for (i = 0; i < 3; i++) {
		fd = ready(self->family, type_of[i], &n);
		ASSERT_LE(0, fd);
		for (j = 0; j < 3; j++) {
			EXPECT_EQ(-EADDRINUSE, bound(self->family, type_of[j], &n));
			if (i != j)
				EXPECT_EQ(-EPROTOTYPE,
					  joined(self->family, type_of[j], &n));
		}
		EXPECT_LE(0, joined(self->family, type_of[i], &n));
		EXPECT_EQ(type_of[i] == SOCK_DGRAM ? 1 : -EPROTOTYPE,
			  say_to(self->fd[0], "x", &n));
		close(fd);
		for (j = 0; j < 3; j++) {
			EXPECT_EQ(-ECONNREFUSED, joined(self->family, type_of[j], &n));
		}
		ASSERT_EQ(0, unlink("p"));
	}
}

/* The type is looked at before whether anybody listens, and after the right. */
TEST_F(types, path_order)
{
	struct name n = path_name(self->family, "p");
	int fd;

	NEED_ALL();
	fd = bound(self->family, SOCK_SEQPACKET, &n);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ECONNREFUSED, joined(self->family, SOCK_SEQPACKET, &n));
	EXPECT_EQ(-EPROTOTYPE, joined(self->family, SOCK_STREAM, &n));
	EXPECT_EQ(-EPROTOTYPE, joined(self->family, SOCK_DGRAM, &n));
	ASSERT_EQ(0, chmod("p", 0555));
	EXPECT_EQ(-EACCES, IN_CHILD(setuid(65534) ? -1 :
				    joined(self->family, SOCK_STREAM, &n)));
}

TEST_F(types, wrong_type_keeps_peer)
{
	struct name n = abstract_name(self->family, "n"), p, got;
	int r = bound(self->family, SOCK_DGRAM, &n), s;

	ASSERT_LE(0, r);
	p = path_name(self->family, "stream");
	ASSERT_LE(0, ready(self->family, SOCK_STREAM, &p));
	s = joined(self->family, SOCK_DGRAM, &n);
	ASSERT_LE(0, s);
	EXPECT_EQ(-EPROTOTYPE, xconnect(s, &p));
	EXPECT_EQ(-EPROTOTYPE, say_to(s, "x", &p));
	ASSERT_EQ(0, xgetpeername(s, &got));
	EXPECT_TRUE(same_name(&n, &got));
	EXPECT_EQ(1, say(s, "y"));
	EXPECT_MSG("y", r);
}

/* --- names ------------------------------------------------------------ */

TEST_F(types, names)
{
	struct name n, got, none = { .len = PATH_OFF };
	int i, fd;

	NEED_ALL();
	none.un.sun_family = self->family;
	for (i = 0; i < 3; i++) {
		n = path_name(self->family, "n");
		fd = rc(socket(self->family, type_of[i], 0));
		ASSERT_EQ(0, xgetsockname(fd, &got));
		EXPECT_TRUE(same_name(&none, &got));
		EXPECT_EQ(-ENOTCONN, xgetpeername(fd, &got));
		ASSERT_EQ(0, xbind(fd, &n));
		ASSERT_EQ(0, xgetsockname(fd, &got));
		EXPECT_TRUE(same_name(&n, &got));
		n = abstract_name(self->family, "other");
		EXPECT_EQ(-EINVAL, xbind(fd, &n));
		ASSERT_EQ(0, unlink("n"));
	}
}

/* No name given, one found: five hexadecimal digits. */
TEST_F(types, autobind)
{
	struct name any = { .len = PATH_OFF }, got, again;
	int i, fd;

	NEED_ALL();
	any.un.sun_family = self->family;
	for (i = 0; i < 3; i++) {
		fd = bound(self->family, type_of[i], &any);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, xgetsockname(fd, &got));
		EXPECT_EQ(PATH_OFF + 6, got.len);
		EXPECT_EQ(0, got.bytes[PATH_OFF]);
		got.bytes[got.len] = 0;
		EXPECT_EQ(5, strspn((char *)got.bytes + PATH_OFF + 1,
				    "0123456789abcdef"));
		/* Once is enough. */
		ASSERT_EQ(0, xbind(fd, &any));
		ASSERT_EQ(0, xgetsockname(fd, &again));
		EXPECT_TRUE(same_name(&got, &again));
		EXPECT_EQ(-EADDRINUSE, bound(self->family, type_of[i], &got));
		/* It is a name like any other. */
		if (type_of[i] == SOCK_DGRAM) {
			EXPECT_EQ(1, say_to(self->fd[0], "x", &got));
			EXPECT_MSG("x", fd);
		}
	}
}

/* Answers need a name to go to. */
TEST_F(types, autobind_answers)
{
	struct name n = abstract_name(self->family, "n");
	struct name any = { .len = PATH_OFF }, from;
	int r = bound(self->family, SOCK_DGRAM, &n), s;
	char ch;

	any.un.sun_family = self->family;
	s = bound(self->family, SOCK_DGRAM, &any);
	ASSERT_LE(0, s);
	EXPECT_EQ(1, say_to(s, "q", &n));
	ASSERT_EQ(1, xrecvfrom(r, &ch, 1, 0, &from));
	EXPECT_EQ(PATH_OFF + 6, from.len);
	EXPECT_EQ(1, say_to(r, "a", &from));
	EXPECT_MSG_FROM("a", &n, s);
}

/* --- namespaces ------------------------------------------------------- */

TEST_F(types, network_namespaces)
{
	struct name n = abstract_name(self->family, "n");
	struct name p = path_name(self->family, "p");
	int r = bound(self->family, SOCK_DGRAM, &n);
	int file = bound(self->family, SOCK_DGRAM, &p);
	int old = dgram(self->family), new, r2;

	ASSERT_LE(0, r);
	ASSERT_LE(0, file);
	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	new = dgram(self->family);
	/* Abstract names are those of the namespace of the socket. */
	EXPECT_EQ(-ECONNREFUSED, say_to(new, "x", &n));
	EXPECT_EQ(-ECONNREFUSED, xconnect(new, &n));
	EXPECT_EQ(3, say_to(old, "old", &n));
	EXPECT_MSG("old", r);
	r2 = bound(self->family, SOCK_DGRAM, &n);
	ASSERT_LE(0, r2);
	EXPECT_EQ(3, say_to(new, "new", &n));
	EXPECT_EQ(3, say_to(old, "old", &n));
	EXPECT_MSG("new", r2);
	EXPECT_MSG("old", r);
	EXPECT_NO_MSG(r);
	EXPECT_NO_MSG(r2);
	/* Files are everybody's. */
	EXPECT_EQ(1, say_to(new, "f", &p));
	EXPECT_MSG("f", file);
	EXPECT_EQ(0, xconnect(new, &p));
	EXPECT_EQ(1, say(new, "g"));
	EXPECT_MSG("g", file);
}

/* --- listings --------------------------------------------------------- */

struct row {
	unsigned int refs, protocol, flags, type, state;
	char name[200];
};

/* The row of @fd in the listing of the family, or an error. */
static int row_of(int family, int fd, struct row *r)
{
	FILE *f = fopen(family == AF_UNIX ? "/proc/thread-self/net/unix" :
			"/proc/thread-self/net/runix", "re");
	int found = -ENOENT;
	char line[512];
	struct stat st;

	if (!f)
		return -errno;
	if (fstat(fd, &st))
		found = -errno;
	while (found == -ENOENT && fgets(line, sizeof(line), f)) {
		unsigned long ino;

		r->name[0] = 0;
		if (sscanf(line, "%*[0-9a-f]: %x %x %x %x %x %lu %199s",
			   &r->refs, &r->protocol, &r->flags, &r->type,
			   &r->state, &ino, r->name) >= 6 && ino == st.st_ino)
			found = 0;
	}
	fclose(f);
	return found;
}

TEST_F(types, listed)
{
	enum { UNCONNECTED = 1, CONNECTED = 3, LISTENING = 0x10000 };
	struct name n = path_name(self->family, "p");
	struct row r;
	int i, fd, sv[2];

	NEED_ALL();
	for (i = 0; i < 3; i++) {
		fd = rc(socket(self->family, type_of[i], 0));
		ASSERT_EQ(0, row_of(self->family, fd, &r));
		EXPECT_EQ(type_of[i], r.type);
		EXPECT_EQ(UNCONNECTED, r.state);
		EXPECT_EQ(0, r.flags);
		ASSERT_EQ(0, xbind(fd, &n));
		ASSERT_EQ(0, row_of(self->family, fd, &r));
		EXPECT_STREQ("p", r.name);
		EXPECT_EQ(type_of[i], r.type);
		if (type_of[i] != SOCK_DGRAM) {
			ASSERT_EQ(0, rc(listen(fd, 1)));
			ASSERT_EQ(0, row_of(self->family, fd, &r));
			EXPECT_EQ(LISTENING, r.flags);
			EXPECT_EQ(UNCONNECTED, r.state);
		}
		ASSERT_EQ(0, rc(socketpair(self->family, type_of[i], 0, sv)));
		ASSERT_EQ(0, row_of(self->family, sv[1], &r));
		EXPECT_EQ(type_of[i], r.type);
		EXPECT_EQ(CONNECTED, r.state);
		ASSERT_EQ(0, unlink("p"));
	}
	fd = rc(socket(self->family, SOCK_RAW, 0));
	ASSERT_EQ(0, row_of(self->family, fd, &r));
	EXPECT_EQ(SOCK_DGRAM, r.type);
}

/* A datagram socket counts as connected when somebody connects to it. */
TEST_F(types, listed_dgram)
{
	enum { UNCONNECTED = 1, CONNECTED = 3 };
	struct name n = abstract_name(self->family, "n"), got;
	int r = bound(self->family, SOCK_DGRAM, &n), s = dgram(self->family);
	struct row row;

#define STATE(_fd) (row_of(self->family, _fd, &row) ? 0 : row.state)
	EXPECT_EQ(1, say_to(s, "x", &n));
	EXPECT_EQ(UNCONNECTED, STATE(r));
	EXPECT_EQ(UNCONNECTED, STATE(s));
	ASSERT_EQ(0, xconnect(s, &n));
	EXPECT_EQ(CONNECTED, STATE(s));
	EXPECT_EQ(CONNECTED, STATE(r));
	EXPECT_EQ(-ENOTCONN, xgetpeername(r, &got));
	ASSERT_EQ(0, dissolve(s));
	EXPECT_EQ(UNCONNECTED, STATE(s));
	EXPECT_EQ(UNCONNECTED, STATE(r));
	/* To notice that the peer has gone ends it, its going does not. */
	ASSERT_EQ(0, xconnect(s, &n));
	close(r);
	EXPECT_EQ(CONNECTED, STATE(s));
	EXPECT_EQ(-ECONNREFUSED, say(s, "x"));
	EXPECT_EQ(UNCONNECTED, STATE(s));
#undef STATE
}

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

/* Datagrams and sequenced packets are of one protocol, streams of another. */
TEST_F(types, counted)
{
	const char *name = family_name(self->family);
	char stream[40];
	int fd, sv[2];

	NEED_ALL();
	snprintf(stream, sizeof(stream), "%s-STREAM", name);
	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	EXPECT_EQ(0, in_use(name));
	fd = dgram(self->family);
	EXPECT_EQ(1, in_use(name));
	ASSERT_EQ(0, rc(socketpair(self->family, SOCK_SEQPACKET, 0, sv)));
	EXPECT_EQ(3, in_use(name));
	ASSERT_LE(0, rc(socket(self->family, SOCK_RAW, 0)));
	EXPECT_EQ(4, in_use(name));
	EXPECT_EQ(0, in_use(stream));
	close(fd);
	close(sv[0]);
	close(sv[1]);
	EXPECT_EQ(1, in_use(name));
}

TEST_HARNESS_MAIN
