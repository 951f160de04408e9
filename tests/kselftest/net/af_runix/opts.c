// SPDX-License-Identifier: GPL-2.0
/* Socket options, but for credentials. */

#include "common.h"

#include <grp.h>
#include <linux/sock_diag.h>

FAMILY_FIXTURE(opts);

static int sysctl_core(const char *name)
{
	char path[80];
	int val = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/net/core/%s", name);
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%d", &val) != 1)
			val = -1;
		fclose(f);
	}
	return val;
}

static int as_nobody_set(int fd, int opt, int val)
{
	if (setgroups(0, NULL) || setuid(65534))
		return -ENOTRECOVERABLE;
	return setint(fd, opt, val);
}

TEST_F(opts, buffers)
{
	int fd = self->fd[0], max, least;

	EXPECT_EQ(sysctl_core("wmem_default"), getint(fd, SO_SNDBUF));
	EXPECT_EQ(sysctl_core("rmem_default"), getint(fd, SO_RCVBUF));

	EXPECT_EQ(0, setint(fd, SO_SNDBUF, 20000));
	EXPECT_EQ(40000, getint(fd, SO_SNDBUF));
	EXPECT_EQ(0, setint(fd, SO_RCVBUF, 30000));
	EXPECT_EQ(60000, getint(fd, SO_RCVBUF));
	EXPECT_EQ(40000, getint(fd, SO_SNDBUF));

	EXPECT_EQ(0, setint(fd, SO_SNDBUF, 0));
	least = getint(fd, SO_SNDBUF);
	EXPECT_LT(0, least);
	EXPECT_GT(20000, least);
	EXPECT_EQ(0, setint(fd, SO_SNDBUF, 1));
	EXPECT_EQ(least, getint(fd, SO_SNDBUF));

	max = sysctl_core("wmem_max");
	ASSERT_LT(0, max);
	EXPECT_EQ(0, setint(fd, SO_SNDBUF, max + 1));
	EXPECT_EQ(2 * max, getint(fd, SO_SNDBUF));
	EXPECT_EQ(0, setint(fd, SO_SNDBUFFORCE, max + 1000));
	EXPECT_EQ(2 * (max + 1000), getint(fd, SO_SNDBUF));
	EXPECT_EQ(-EPERM, IN_CHILD(as_nobody_set(fd, SO_SNDBUFFORCE, 1000)));
	EXPECT_EQ(-EPERM, IN_CHILD(as_nobody_set(fd, SO_RCVBUFFORCE, 1000)));
	EXPECT_EQ(0, IN_CHILD(as_nobody_set(fd, SO_SNDBUF, 20000)));
	EXPECT_EQ(40000, getint(fd, SO_SNDBUF));
}

/* Kept for whoever asks, and otherwise of no effect. */
TEST_F(opts, stored)
{
	static const int flag[] = { SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST,
				    SO_OOBINLINE, SO_DONTROUTE };
	struct linger lg = { 1, 5 }, got = {};
	socklen_t len = sizeof(got);
	int64_t start;
	size_t i;
	char ch;

	for (i = 0; i < ARRAY_SIZE(flag); i++) {
		EXPECT_EQ(0, getint(self->fd[0], flag[i]));
		EXPECT_EQ(0, setint(self->fd[0], flag[i], 7));
		EXPECT_EQ(1, getint(self->fd[0], flag[i]))
			TH_LOG("option %d", flag[i]);
		EXPECT_EQ(0, getint(self->fd[1], flag[i]));
	}
	EXPECT_EQ(0, setint(self->fd[0], SO_PRIORITY, 4));
	EXPECT_EQ(4, getint(self->fd[0], SO_PRIORITY));

	ASSERT_EQ(0, rc(setsockopt(self->fd[0], SOL_SOCKET, SO_LINGER, &lg,
				   sizeof(lg))));
	ASSERT_EQ(0, rc(getsockopt(self->fd[0], SOL_SOCKET, SO_LINGER, &got, &len)));
	EXPECT_EQ(1, got.l_onoff);
	EXPECT_EQ(5, got.l_linger);
	/* A close lingers for nobody. */
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	start = now_ms();
	close(self->fd[0]);
	EXPECT_GT(4000, now_ms() - start);
	EXPECT_EQ(1, rc(recv(self->fd[1], &ch, 1, 0)));
}

/* An address is in use, whatever the option says. */
TEST_F(opts, reuse_address)
{
	struct name n = abstract_name(self->family, "n");
	struct name p = path_name(self->family, "s");
	int fd = xsocket(self->family);

	ASSERT_LE(0, listener(self->family, &n, 1));
	ASSERT_LE(0, listener(self->family, &p, 1));
	ASSERT_EQ(0, setint(fd, SO_REUSEADDR, 1));
	EXPECT_EQ(-EADDRINUSE, xbind(fd, &n));
	EXPECT_EQ(-EADDRINUSE, xbind(fd, &p));
}

TEST_F(opts, timeouts)
{
	static const int opt[] = { SO_RCVTIMEO, SO_SNDTIMEO };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(opt); i++) {
		struct timeval tv = { 1, 1 };
		socklen_t len = sizeof(tv);

		EXPECT_EQ(0, rc(getsockopt(self->fd[0], SOL_SOCKET, opt[i], &tv, &len)));
		EXPECT_EQ(sizeof(tv), len);
		EXPECT_EQ(0, tv.tv_sec);
		EXPECT_EQ(0, tv.tv_usec);
		EXPECT_EQ(0, set_timeo(self->fd[0], opt[i], 90500));
		EXPECT_EQ(0, rc(getsockopt(self->fd[0], SOL_SOCKET, opt[i], &tv, &len)));
		EXPECT_EQ(90, tv.tv_sec);
		EXPECT_EQ(500000, tv.tv_usec);
		tv = (struct timeval) { 0, 1000000 };
		EXPECT_EQ(-EDOM, rc(setsockopt(self->fd[0], SOL_SOCKET, opt[i], &tv,
					       sizeof(tv))));
		EXPECT_EQ(-EINVAL, rc(setsockopt(self->fd[0], SOL_SOCKET, opt[i],
						 &tv, 3)));
	}
}

TEST_F(opts, refused)
{
	EXPECT_EQ(-EOPNOTSUPP, setint(self->fd[0], SO_REUSEPORT, 1));
	EXPECT_EQ(0, getint(self->fd[0], SO_REUSEPORT));
	EXPECT_EQ(-EOPNOTSUPP, setint(self->fd[0], SO_ZEROCOPY, 1));
	EXPECT_EQ(0, getint(self->fd[0], SO_ZEROCOPY));
	EXPECT_EQ(-EPERM, IN_CHILD(as_nobody_set(self->fd[0], SO_MARK, 3)));
	EXPECT_EQ(0, setint(self->fd[0], SO_MARK, 3));
	EXPECT_EQ(3, getint(self->fd[0], SO_MARK));

	/* What can only be asked for. */
	EXPECT_EQ(-ENOPROTOOPT, setint(self->fd[0], SO_TYPE, SOCK_STREAM));
	EXPECT_EQ(-ENOPROTOOPT, setint(self->fd[0], SO_DOMAIN, self->family));
	EXPECT_EQ(-ENOPROTOOPT, setint(self->fd[0], SO_ERROR, 0));
	EXPECT_EQ(-ENOPROTOOPT, setint(self->fd[0], SO_ACCEPTCONN, 1));
	EXPECT_EQ(-ENOPROTOOPT, setint(self->fd[0], 9999, 1));
	EXPECT_EQ(-ENOPROTOOPT, getint(self->fd[0], 9999));
}

/* The family has no options at the levels of others. */
TEST_F(opts, other_levels)
{
	static const int level[] = { 0, 6, 17, 41, 270, 9999 };
	int val = 1;
	socklen_t len = sizeof(val);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(level); i++) {
		EXPECT_EQ(-EOPNOTSUPP, rc(setsockopt(self->fd[0], level[i], 1,
						     &val, sizeof(val))))
			TH_LOG("level %d", level[i]);
		EXPECT_EQ(-EOPNOTSUPP, rc(getsockopt(self->fd[0], level[i], 1,
						     &val, &len)))
			TH_LOG("level %d", level[i]);
	}
}

TEST_F(opts, arguments)
{
	socklen_t len = -1;
	int val = 0;

	EXPECT_EQ(-EINVAL, rc(setsockopt(self->fd[0], SOL_SOCKET, SO_SNDBUF, &val, 3)));
	EXPECT_EQ(-EINVAL, rc(setsockopt(self->fd[0], SOL_SOCKET, SO_SNDBUF, &val, -1)));
	EXPECT_EQ(-EFAULT, rc(setsockopt(self->fd[0], SOL_SOCKET, SO_SNDBUF,
					 bad_ptr(), 4)));
	EXPECT_EQ(-EOPNOTSUPP, rc(setsockopt(self->fd[0], 9999, 1, bad_ptr(), 4)));
	EXPECT_EQ(-EINVAL, rc(getsockopt(self->fd[0], SOL_SOCKET, SO_TYPE, &val, &len)));
	EXPECT_EQ(-EFAULT, rc(getsockopt(self->fd[0], SOL_SOCKET, SO_TYPE, &val, NULL)));
	len = sizeof(val);
	EXPECT_EQ(-EFAULT, rc(getsockopt(self->fd[0], SOL_SOCKET, SO_TYPE,
					 bad_ptr(), &len)));
	/* Cut to the room there is. */
	len = 1;
	val = -1;
	EXPECT_EQ(0, rc(getsockopt(self->fd[0], SOL_SOCKET, SO_TYPE, &val, &len)));
	EXPECT_EQ(1, len);
	EXPECT_EQ(0xffffff00 | SOCK_STREAM, (unsigned int)val);
}

TEST_F(opts, cookies)
{
	uint64_t c[2] = {}, again = 0, ns[2] = {};
	socklen_t len = sizeof(again);
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, rc(getsockopt(self->fd[i], SOL_SOCKET, SO_COOKIE,
					   &c[i], &len)));
		ASSERT_EQ(0, rc(getsockopt(self->fd[i], SOL_SOCKET, SO_NETNS_COOKIE,
					   &ns[i], &len)));
	}
	EXPECT_NE(0, c[0]);
	EXPECT_NE(c[0], c[1]);
	ASSERT_EQ(0, rc(getsockopt(self->fd[0], SOL_SOCKET, SO_COOKIE, &again, &len)));
	EXPECT_EQ(c[0], again);
	EXPECT_NE(0, ns[0]);
	EXPECT_EQ(ns[0], ns[1]);
}

TEST_F(opts, memory)
{
	uint32_t mem[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(mem);

	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 20000));
	ASSERT_EQ(0, rc(getsockopt(self->fd[0], SOL_SOCKET, SO_MEMINFO, mem, &len)));
	EXPECT_EQ(sizeof(mem), len);
	EXPECT_EQ(40000, mem[SK_MEMINFO_SNDBUF]);
	EXPECT_EQ(getint(self->fd[0], SO_RCVBUF), mem[SK_MEMINFO_RCVBUF]);
}

/* --- looking ahead ---------------------------------------------------- */

static long peek(int fd, char *buf, size_t len)
{
	memset(buf, 0, len + 1);
	return rc(recv(fd, buf, len, MSG_PEEK | MSG_DONTWAIT));
}

TEST_F(opts, peek_offset)
{
	int a = self->fd[0], b = self->fd[1];
	char buf[32];

	EXPECT_EQ(-1, getint(b, SO_PEEK_OFF));
	ASSERT_EQ(5, rc(send(a, "abcde", 5, 0)));
	ASSERT_EQ(5, rc(send(a, "fghij", 5, 0)));
	EXPECT_EQ(2, peek(b, buf, 2));
	EXPECT_EQ(2, peek(b, buf, 2));
	EXPECT_STREQ("ab", buf);

	/* Every look goes on where the last one ended... */
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 0));
	EXPECT_EQ(2, peek(b, buf, 2));
	EXPECT_STREQ("ab", buf);
	EXPECT_EQ(2, getint(b, SO_PEEK_OFF));
	EXPECT_EQ(4, peek(b, buf, 4));
	EXPECT_STREQ("cdef", buf);
	EXPECT_EQ(6, getint(b, SO_PEEK_OFF));
	/* ...and reading moves the place along. */
	EXPECT_EQ(3, rc(recv(b, buf, 3, 0)));
	EXPECT_EQ(3, getint(b, SO_PEEK_OFF));
	EXPECT_EQ(4, peek(b, buf, 9));
	EXPECT_STREQ("ghij", buf);
	EXPECT_EQ(-EAGAIN, peek(b, buf, 9));
	EXPECT_EQ(7, getint(b, SO_PEEK_OFF));
	ASSERT_EQ(1, rc(send(a, "k", 1, 0)));
	EXPECT_EQ(1, peek(b, buf, 9));
	EXPECT_STREQ("k", buf);

	/* Set to a place, and switched off. */
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 6));
	EXPECT_EQ(2, peek(b, buf, 9));
	EXPECT_STREQ("jk", buf);
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, 100));
	EXPECT_EQ(-EAGAIN, peek(b, buf, 9));
	EXPECT_EQ(100, getint(b, SO_PEEK_OFF));
	ASSERT_EQ(0, setint(b, SO_PEEK_OFF, -1));
	EXPECT_EQ(8, peek(b, buf, 9));
	EXPECT_STREQ("defghijk", buf);
	EXPECT_EQ(8, rc(recv(b, buf, 9, 0)));
	EXPECT_EQ(0, memcmp("defghijk", buf, 8));
}

/* Behind all there is, at the end, is the end. */
TEST_F(opts, peek_offset_end)
{
	char buf[32];

	ASSERT_EQ(0, setint(self->fd[1], SO_PEEK_OFF, 0));
	ASSERT_EQ(3, rc(send(self->fd[0], "abc", 3, 0)));
	close(self->fd[0]);
	EXPECT_EQ(3, peek(self->fd[1], buf, 9));
	EXPECT_EQ(0, peek(self->fd[1], buf, 9));
	EXPECT_EQ(3, rc(recv(self->fd[1], buf, 9, 0)));
	EXPECT_EQ(0, getint(self->fd[1], SO_PEEK_OFF));
	EXPECT_EQ(0, peek(self->fd[1], buf, 9));
}

TEST_F(opts, error)
{
	EXPECT_EQ(0, getint(self->fd[0], SO_ERROR));
	ASSERT_EQ(1, rc(send(self->fd[0], "x", 1, 0)));
	close(self->fd[1]);
	EXPECT_EQ(ECONNRESET, getint(self->fd[0], SO_ERROR));
	EXPECT_EQ(0, getint(self->fd[0], SO_ERROR));
	EXPECT_EQ(-EPIPE, rc(send(self->fd[0], "x", 1, MSG_NOSIGNAL)));
	EXPECT_EQ(0, getint(self->fd[0], SO_ERROR));
}

TEST_HARNESS_MAIN
