// SPDX-License-Identifier: GPL-2.0
/*
 * The number of sockets of the family is limited to twice fs.file-max. That is
 * a matter of the whole system: only where the tests have it to themselves,
 * which RUNIX_REQUIRED=1 says, is the limit lowered for a moment.
 */

#include "common.h"

FAMILY_FIXTURE(limit);

#define FILE_MAX	"/proc/sys/fs/file-max"

static bool set_file_max(const char *val)
{
	int fd = open(FILE_MAX, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, val, strlen(val)) == (ssize_t)strlen(val);

	close(fd);
	return done;
}

TEST_F(limit, sockets)
{
	struct name n = abstract_name(self->family, "n");
	int l, c, fds[200], nr = 0, full, pair, conn, before, after, again, sv[2];
	char old[32] = {};
	int f;

	if (!runix_required())
		SKIP(return, "would change " FILE_MAX " of the whole system");
	f = open(FILE_MAX, O_RDONLY | O_CLOEXEC);
	ASSERT_LT(0, read(f, old, sizeof(old) - 1));
	close(f);
	l = listener(self->family, &n, 4);
	ASSERT_LE(0, l);
	c = xsocket(self->family);
	ASSERT_LE(0, c);

	/* Nothing may fail here before the limit is what it was. */
	if (!set_file_max("50"))
		SKIP(return, "cannot change " FILE_MAX ": %m");
	while (nr < 200 && (full = xsocket(self->family)) >= 0)
		fds[nr++] = full;
	before = count_fds();
	pair = rc(socketpair(self->family, SOCK_STREAM, 0, sv));
	conn = xconnect(c, &n);
	after = count_fds();
	if (nr)
		close(fds[--nr]);
	again = xsocket(self->family);
	set_file_max(old);

	EXPECT_EQ(-ENFILE, full);
	/* Four were there already, and others may have some. */
	EXPECT_GE(96, nr + 1);
	EXPECT_LT(0, nr);
	EXPECT_EQ(-ENFILE, pair);
	EXPECT_EQ(-ENFILE, conn);
	EXPECT_EQ(before, after);
	EXPECT_LE(0, again);
	/* Nothing is left to be accepted, and now there is room. */
	EXPECT_EQ(0, poll_mask(l));
	EXPECT_EQ(0, xconnect(c, &n));
}

TEST_HARNESS_MAIN
