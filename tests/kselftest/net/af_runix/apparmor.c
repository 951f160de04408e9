// SPDX-License-Identifier: GPL-2.0
/*
 * AppArmor: what rules for "unix" say of connecting and sending holds for both families.
 *
 * There is no policy compiler here. The profiles are made by hand: a state machine that
 * has the class of network rules, in it denies AF_UNIX (or not), and allows all else.
 * Files are not mediated.
 */

#include "packet.h"

#include <endian.h>
#include <sched.h>
#include <sys/mount.h>

EVERY_FIXTURE(apparmor);

#define ENABLED		"/sys/module/apparmor/parameters/enabled"
#define CURRENT		"/proc/thread-self/attr/apparmor/current"
#define INTERFACE	"interface"	/* where the test mounts securityfs */

/* --- profiles in the form that the kernel loads -------------------------- */

#define VERSION		9		/* of that form */
#define NETWORK		15		/* the class of network rules */
#define ALL		0x0fffffff	/* every permission */

enum { U32 = 2, NAME = 4, STRING, BLOB, STRUCT, STRUCTEND };
enum { DATA32 = 4, ACCEPT = 1, BASE, CHECK, DEFAULT, ACCEPT2 = 7, NEXT };

struct bytes {
	size_t len;
	unsigned char at[16384];
};

static void put(struct bytes *b, const void *from, size_t len)
{
	if (b->len + len > sizeof(b->at))
		abort();
	memcpy(b->at + b->len, from, len);
	b->len += len;
}

static void put_tag(struct bytes *b, unsigned char tag)
{
	put(b, &tag, 1);
}

static void put_string(struct bytes *b, unsigned char tag, const char *str)
{
	uint16_t len = htole16(strlen(str) + 1);

	put_tag(b, tag);
	put(b, &len, sizeof(len));
	put(b, str, strlen(str) + 1);
}

static void put_u32(struct bytes *b, uint32_t val)
{
	val = htole32(val);
	put_tag(b, U32);
	put(b, &val, sizeof(val));
}

static void put_u32s(struct bytes *b, int nr, uint32_t val)
{
	while (nr--)
		put_u32(b, val);
}

static void put_struct(struct bytes *b, const char *name)
{
	put_string(b, NAME, name);
	put_tag(b, STRUCT);
}

/* A table of the state machine; these are in the other byte order. */
static void put_table(struct bytes *b, int id, const uint32_t *entry, uint32_t nr)
{
	uint16_t head[2] = { htobe16(id), htobe16(DATA32) };
	uint32_t rest[2] = { 0, htobe32(nr) };
	uint32_t i;

	put(b, head, sizeof(head));
	put(b, rest, sizeof(rest));
	for (i = 0; i < nr; i++)
		put(b, &(uint32_t){ htobe32(entry[i]) }, 4);
	while (b->len % 8)
		put_tag(b, 0);
}

/*
 * State 0 denies. From 1, the start, the class leads to 2; there the two bytes of a
 * family follow. 3 has seen the first, which is 0; from it AF_UNIX leads to @unix_to,
 * and all else to 4, which stays and allows.
 */
static void put_machine(struct bytes *b, int unix_to)
{
	static const uint32_t accept[] = { 0, 0, 0, 0, ALL }, accept2[5];
	static const uint32_t base[] = { 0, 0, 256, 512, 768 };
	const uint32_t others[] = { 0, 0, 0, 4, 4 };
	uint32_t next[1024] = {}, check[1024] = {};
	struct {
		uint32_t magic, size, total;
		uint16_t flags;
		char names[2];
	} head = { htobe32(0x1b5e783d), htobe32(16) };

	next[NETWORK] = 2;
	check[NETWORK] = 1;
	next[256] = 3;
	check[256] = 2;
	next[512 + AF_UNIX] = unix_to;
	check[512 + AF_UNIX] = 3;
	put(b, &head, sizeof(head));
	put_table(b, ACCEPT, accept, 5);
	put_table(b, ACCEPT2, accept2, 5);
	put_table(b, BASE, base, 5);
	put_table(b, DEFAULT, others, 5);
	put_table(b, NEXT, next, 1024);
	put_table(b, CHECK, check, 1024);
}

static void make_profile(struct bytes *b, const char *name, int unix_to)
{
	static struct bytes machine;
	uint32_t size;
	size_t pad;

	b->len = machine.len = 0;
	put_string(b, NAME, "version");
	put_u32(b, VERSION);
	put_struct(b, "profile");
	put_string(b, STRING, name);
	put_struct(b, "flags");
	put_u32s(b, 3, 0);
	put_tag(b, STRUCTEND);
	/* Capabilities: all that can be had are allowed. */
	put_u32(b, ~0U);
	put_u32s(b, 3, 0);
	put_struct(b, "caps64");
	put_u32(b, ~0U);
	put_u32s(b, 3, 0);
	put_tag(b, STRUCTEND);

	put_struct(b, "policydb");
	put_machine(&machine, unix_to);
	put_string(b, NAME, "aadfa");
	put_tag(b, BLOB);
	/* The machine is aligned, as the kernel reckons: from where the blob ends. */
	for (pad = 0; pad < 8; pad++) {
		size_t start = b->len + 4, end = start + pad + machine.len;

		if ((8 - (start - (end & 7)) % 8) % 8 == pad)
			break;
	}
	size = htole32(pad + machine.len);
	put(b, &size, sizeof(size));
	put(b, "\0\0\0\0\0\0\0", pad);
	put(b, machine.at, machine.len);
	put_string(b, NAME, "dfa_start");
	put_u32(b, 0);
	put_tag(b, STRUCTEND);
	put_tag(b, STRUCTEND);
}

/* --- loading and entering ------------------------------------------------- */

static int write_to(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = rc(write(fd, data, len));
	close(fd);
	return err < 0 ? err : 0;
}

static int load(const char *name, int unix_to)
{
	static struct bytes b;

	make_profile(&b, name, unix_to);
	return write_to(INTERFACE "/apparmor/.replace", b.at, b.len);
}

static void unload(const char *name)
{
	write_to(INTERFACE "/apparmor/.remove", name, strlen(name) + 1);
}

/* For good; to be done in a child. */
static int enter(const char *profile)
{
	char command[80];

	snprintf(command, sizeof(command), "changeprofile %s", profile);
	return write_to(CURRENT, command, strlen(command));
}

/* What a child under the profile gets for the expression; 99 if it cannot be put there. */
#define UNDER(_profile, _expr)	IN_CHILD(enter(_profile) ? -99 : (_expr))

static bool enabled(void)
{
	FILE *f = fopen(ENABLED, "re");
	int ch = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return ch == 'Y';
}

#define NEED_APPARMOR()							\
do {									\
	if (!enabled())							\
		SKIP(return, "AppArmor is not in force");		\
	/* The kernel's own code complains of itself there. */		\
	if (!access("/proc/lockdep", F_OK))				\
		SKIP(return, "policy cannot be loaded under the lock checker");	\
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||\
	    mkdir(INTERFACE, 0700) || mount("none", INTERFACE, "securityfs", 0, NULL))	\
		SKIP(return, "cannot mount securityfs: %m");		\
} while (0)

static int serve(int family, int type, const struct name *n)
{
	int fd = bound(family, type, n);

	if (fd >= 0 && type != SOCK_DGRAM && listen(fd, 8))
		abort();
	return fd;
}

TEST_F(apparmor, unix_rules)
{
	struct name n = abstract_name(self->family, "n");
	struct name p = path_name(self->family, "p");
	int l, fd, by_path, connected, i, err;
	char deny[40], allow[40];

	NEED_APPARMOR();
	snprintf(deny, sizeof(deny), "rx.%d.deny", getpid());
	snprintf(allow, sizeof(allow), "rx.%d.allow", getpid());
	err = load(deny, 0);
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, load(allow, 4));

	/* All sockets are made outside, so that creating them is not what is denied. */
	l = serve(self->family, self->type, &n);
	ASSERT_LE(0, l);
	ASSERT_LE(0, serve(self->family, self->type, &p));
	connected = joined(self->family, self->type, &n);
	ASSERT_LE(0, connected);
	fd = rc(socket(self->family, self->type, 0));
	by_path = rc(socket(self->family, self->type, 0));

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-EACCES, UNDER(deny, xconnect(fd, &n)));
		if (self->type == SOCK_DGRAM) {
			EXPECT_EQ(-EACCES, UNDER(deny, say_to(fd, "x", &n)));
			EXPECT_EQ(-EACCES, UNDER(deny, say(connected, "x")));
		} else {
			/* A connection has been asked for once. */
			EXPECT_EQ(0, UNDER(deny, say(connected, "x") == 1 ? 0 : -EIO));
		}
	}
	EXPECT_EQ(0, UNDER(allow, xconnect(fd, &n)));
	EXPECT_EQ(0, UNDER(allow, say(fd, "x") == 1 ? 0 : -EIO));
	/* Sockets in files are a matter of rules for files. */
	EXPECT_EQ(0, UNDER(deny, xconnect(by_path, &p)));
	EXPECT_EQ(0, UNDER(deny, say(by_path, "x") == 1 ? 0 : -EIO));
	unload(deny);
	unload(allow);
	EXPECT_EQ(0, rc(umount2(INTERFACE, MNT_DETACH)));
}

/* The label that one sees of the other end is the profile. */
TEST_F(apparmor, label)
{
	struct name n = abstract_name(self->family, "n");
	char allow[40], buf[100] = {};
	socklen_t len = sizeof(buf);
	int l, s;

	NEED_APPARMOR();
	snprintf(allow, sizeof(allow), "rx.%d.label", getpid());
	ASSERT_EQ(0, load(allow, 4));
	l = serve(self->family, self->type, &n);
	ASSERT_LE(0, l);
	EXPECT_EQ(0, UNDER(allow, joined(self->family, self->type, &n) < 0 ? -EIO : 0));
	if (self->type == SOCK_DGRAM) {
		EXPECT_EQ(-ENOPROTOOPT,
			  rc(getsockopt(l, SOL_SOCKET, SO_PEERSEC, buf, &len)));
	} else {
		s = rc(accept(l, NULL, NULL));
		ASSERT_LE(0, s);
		ASSERT_EQ(0, rc(getsockopt(s, SOL_SOCKET, SO_PEERSEC, buf, &len)));
		strcat(allow, " (enforce)");
		EXPECT_STREQ(allow, buf);
		*strchr(allow, ' ') = 0;
	}
	unload(allow);
	EXPECT_EQ(0, rc(umount2(INTERFACE, MNT_DETACH)));
}

TEST_HARNESS_MAIN
