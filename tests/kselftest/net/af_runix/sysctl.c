// SPDX-License-Identifier: GPL-2.0
/*
 * The family's numbers below /proc/sys/net. What max_dgram_qlen limits is the
 * matter of dgram_flow.
 */

#include "common.h"

#include <sched.h>

FAMILY_FIXTURE(sysctl);

#define NOBODY	65534

static const char *directory(int family)
{
	return family == AF_UNIX ? "/proc/sys/net/unix" : "/proc/sys/net/runix";
}

static const char *limit_path(int family)
{
	return family == AF_UNIX ? "/proc/sys/net/unix/max_dgram_qlen" :
				   "/proc/sys/net/runix/max_dgram_qlen";
}

/* What a write of @text comes to: 0 for all of it. */
static int put(int family, const char *text)
{
	int fd = open(limit_path(family), O_WRONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = rc(write(fd, text, strlen(text)));
	close(fd);
	return ret < 0 ? ret : ret == (int)strlen(text) ? 0 : -EBADMSG;
}

static int put_number(int family, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d\n", number);
	return put(family, text);
}

static long get(int family)
{
	int fd = open(limit_path(family), O_RDONLY | O_CLOEXEC);
	char text[32] = "", *end;
	long number;

	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text) - 1) < 2) {
		close(fd);
		return -EBADMSG;
	}
	close(fd);
	number = strtol(text, &end, 10);
	return strcmp(end, "\n") ? -EBADMSG : number;
}

TEST_F(sysctl, file)
{
	struct stat st;
	struct dirent *de;
	int n = 0;
	DIR *d;

	ASSERT_EQ(0, rc(stat(limit_path(self->family), &st)));
	EXPECT_EQ(S_IFREG | 0644, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, st.st_gid);
	EXPECT_LT(0, get(self->family));

	/* Each number of one family is one of the other. */
	d = opendir(directory(self->family));
	ASSERT_NE(NULL, d);
	while ((de = readdir(d)))
		n += !strcmp(de->d_name, "max_dgram_qlen");
	closedir(d);
	EXPECT_EQ(1, n);
}

TEST_F(sysctl, values)
{
	static const struct {
		const char *text;
		int ret;
		long then;
	} list[] = {
		{ "7\n", 0, 7 },
		{ "8", 0, 8 },
		{ " 9 ", 0, 9 },
		{ "0x10\n", 0, 16 },
		{ "0\n", 0, 0 },
		{ "2147483647\n", 0, INT32_MAX },
		{ "-1\n", -EINVAL, 5 },
		{ "2147483648\n", -EINVAL, 5 },
		{ "-2147483648\n", -EINVAL, 5 },
		{ "4294967296\n", -EINVAL, 5 },
		{ "99999999999999999999\n", -EINVAL, 5 },
		{ "many\n", -EINVAL, 5 },
		{ "6x\n", -EINVAL, 5 },
	};
	unsigned int i;
	bool unbounded;

	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	/* AF_UNIX has a lower bound since 7.3 only; our family always has. */
	unbounded = self->family == AF_UNIX && !put(self->family, "-1\n");
	for (i = 0; i < ARRAY_SIZE(list); i++) {
		long value = strtol(list[i].text, NULL, 0);

		if (unbounded && value < 0 && value >= INT32_MIN)
			continue;
		ASSERT_EQ(0, put_number(self->family, 5));
		EXPECT_EQ(list[i].ret, put(self->family, list[i].text)) {
			TH_LOG("'%s'", list[i].text);
		}
		EXPECT_EQ(list[i].then, get(self->family)) {
			TH_LOG("'%s'", list[i].text);
		}
	}
}

TEST_F(sysctl, read_at_an_offset)
{
	int fd = open(limit_path(self->family), O_RDONLY | O_CLOEXEC);
	char c, text[32];
	long len;

	ASSERT_LE(0, fd);
	len = rc(pread(fd, text, sizeof(text), 0));
	ASSERT_LT(1, len);
	/* The number is read in one piece. */
	EXPECT_EQ(1, rc(read(fd, &c, 1)));
	EXPECT_EQ(text[0], c);
	EXPECT_EQ(0, rc(read(fd, &c, 1)));
	EXPECT_EQ(0, rc(pread(fd, text, sizeof(text), len)));
}

static int as_nobody(int (*fn)(int family), int family)
{
	return IN_CHILD(({
		int err = rc(setresgid(NOBODY, NOBODY, NOBODY)) ?:
			  rc(setresuid(NOBODY, NOBODY, NOBODY));
		err ?: fn(family);
	}));
}

static int can_read(int family)
{
	long limit = get(family);

	return limit < 0 ? limit : 0;
}

static int can_write(int family)
{
	return put_number(family, 21);
}

TEST_F(sysctl, not_for_everybody)
{
	long was = get(self->family);

	EXPECT_EQ(0, as_nobody(can_read, self->family));
	EXPECT_EQ(-EACCES, as_nobody(can_write, self->family));
	EXPECT_EQ(was, get(self->family));
}

/* Children that tell their errors apart from those of what they test. */
enum { NO_NAMESPACE = EXFULL, WRONG_NUMBER };

static int own_user_namespace(int family)
{
	return unshare(CLONE_NEWUSER) ? -NO_NAMESPACE : can_write(family);
}

static int own_network_namespace(int family)
{
	int err;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -NO_NAMESPACE;
	err = can_write(family);
	return err ?: get(family) == 21 ? 0 : -WRONG_NUMBER;
}

/* Who owns the network namespace may write; being somebody's root isn't enough. */
TEST_F(sysctl, user_namespace)
{
	long was = get(self->family);
	int err = as_nobody(own_network_namespace, self->family);

	if (err == -NO_NAMESPACE)
		SKIP(return, "no user namespace for this user");
	EXPECT_EQ(0, err);
	EXPECT_EQ(-EACCES, as_nobody(own_user_namespace, self->family));
	EXPECT_EQ(was, get(self->family));
}

/* A namespace starts with the default, whatever others have been set to. */
TEST_F(sysctl, namespaces)
{
	long first;
	int outer;

	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	outer = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, outer);
	first = get(self->family);
	ASSERT_LT(0, first);
	ASSERT_EQ(0, put_number(self->family, first + 5));

	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	EXPECT_EQ(first, get(self->family));
	ASSERT_EQ(0, put_number(self->family, first + 6));
	EXPECT_EQ(first + 6, get(self->family));

	ASSERT_EQ(0, rc(setns(outer, CLONE_NEWNET)));
	EXPECT_EQ(first + 5, get(self->family));
}

/* With its namespace it goes, also where somebody has it open. */
TEST_F(sysctl, goes_with_the_namespace)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int64_t end = now_ms() + time_scale() * 20000;
	char text[32];
	int fd, ret;

	ASSERT_LE(0, home);
	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	fd = open(limit_path(self->family), O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_LT(0, rc(pread(fd, text, sizeof(text), 0)));

	/* The pair is of the first namespace: nothing keeps the second one. */
	ASSERT_EQ(0, rc(setns(home, CLONE_NEWNET)));
	do {
		usleep(10000);
		ret = rc(pread(fd, text, sizeof(text), 0));
	} while (ret > 0 && now_ms() < end);
	EXPECT_EQ(-ENOENT, ret);
	EXPECT_EQ(-ENOENT, rc(pwrite(fd, "5\n", 2, 0)));
	EXPECT_LT(0, get(self->family));
}

static int come_and_go(int family)
{
	struct name n = abstract_name(family, "n");
	int i, fd;

	for (i = 0; i < 20; i++) {
		if (unshare(CLONE_NEWNET))
			return -errno;
		if (put_number(family, i))
			return -EBADMSG;
		fd = rc(socket(family, SOCK_DGRAM, 0));
		if (fd < 0 || xbind(fd, &n) || get(family) != i)
			return -EBADMSG;
	}
	return 0;
}

TEST_F(sysctl, namespaces_come_and_go)
{
	EXPECT_EQ(0, IN_CHILD(come_and_go(self->family)));
}

TEST_HARNESS_MAIN
