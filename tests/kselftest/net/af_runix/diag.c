// SPDX-License-Identifier: GPL-2.0
/* sock_diag: what is told of a socket. */

#include "diag.h"

#include <sched.h>
#include <sys/sysmacros.h>

FAMILY_FIXTURE(diag);

#define NOBODY	65534

/* --- finding ---------------------------------------------------------- */

TEST_F(diag, found_by_inode)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	struct told t;

	DIAG_OR_SKIP();
	ASSERT_EQ(0, diag_by_inode(self->family, inode_of(self->fd[0]), NULL, 0, &t));
	EXPECT_EQ(self->family, t.msg.udiag_family);
	EXPECT_EQ(SOCK_STREAM, t.msg.udiag_type);
	EXPECT_EQ(ESTABLISHED, t.msg.udiag_state);
	EXPECT_EQ(0, t.msg.pad);
	EXPECT_EQ(inode_of(self->fd[0]), t.msg.udiag_ino);

	/* The cookie is that of the option. */
	ASSERT_EQ(0, rc(getsockopt(self->fd[0], SOL_SOCKET, SO_COOKIE, &cookie, &len)));
	EXPECT_EQ((uint32_t)cookie, t.msg.udiag_cookie[0]);
	EXPECT_EQ((uint32_t)(cookie >> 32), t.msg.udiag_cookie[1]);
}

TEST_F(diag, cookies)
{
	uint32_t ino = inode_of(self->fd[0]), cookie[2], wrong[2];
	struct told t;

	DIAG_OR_SKIP();
	ASSERT_EQ(0, diag(self->fd[0], &t));
	memcpy(cookie, t.msg.udiag_cookie, sizeof(cookie));
	EXPECT_EQ(0, diag_by_inode(self->family, ino, cookie, 0, &t));
	EXPECT_EQ(cookie[0], t.msg.udiag_cookie[0]);
	EXPECT_EQ(cookie[1], t.msg.udiag_cookie[1]);

	wrong[0] = cookie[0] ^ 1;
	wrong[1] = cookie[1];
	EXPECT_EQ(-ESTALE, diag_by_inode(self->family, ino, wrong, 0, &t));
	wrong[0] = cookie[0];
	wrong[1] = cookie[1] + 1;
	EXPECT_EQ(-ESTALE, diag_by_inode(self->family, ino, wrong, 0, &t));
	ASSERT_EQ(0, diag(self->fd[1], &t));
	EXPECT_EQ(-ESTALE, diag_by_inode(self->family, ino, t.msg.udiag_cookie, 0, &t));
}

TEST_F(diag, not_found)
{
	int other = self->family == AF_UNIX ? runix_family() : AF_UNIX;
	uint32_t ino = inode_of(self->fd[0]);
	struct told t;
	int pipes[2];

	DIAG_OR_SKIP();
	EXPECT_EQ(-EINVAL, diag_by_inode(self->family, 0, NULL, SHOW_ALL, &t));
	EXPECT_EQ(-ENOENT, diag_by_inode(self->family, ~0u, NULL, SHOW_ALL, &t));
	/* Neither a pipe nor another family's socket. */
	ASSERT_EQ(0, rc(pipe(pipes)));
	EXPECT_EQ(-ENOENT, diag_by_inode(self->family, inode_of(pipes[0]), NULL, 0, &t));
	EXPECT_EQ(-ENOENT, diag_by_inode(other, ino, NULL, 0, &t));
	/* Once it is closed, there is none; also where the peer still holds on to it. */
	close(self->fd[0]);
	EXPECT_EQ(-ENOENT, diag_by_inode(self->family, ino, NULL, 0, &t));
}

TEST_F(diag, other_namespace)
{
	uint32_t ino = inode_of(self->fd[0]);
	struct told t;
	int home;

	DIAG_OR_SKIP();
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, home);
	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	EXPECT_EQ(-ENOENT, diag_by_inode(self->family, ino, NULL, 0, &t));
	ASSERT_EQ(0, rc(setns(home, CLONE_NEWNET)));
	EXPECT_EQ(0, diag_by_inode(self->family, ino, NULL, 0, &t));
}

TEST_F(diag, bad_requests)
{
	struct request r = diag_request(self->family, 0);
	struct told t;

	DIAG_OR_SKIP();
	r.req.udiag_ino = inode_of(self->fd[0]);
	EXPECT_EQ(0, diag_ask(&r, sizeof(r), &t));
	r.nlh.nlmsg_len = sizeof(r) - 1;
	EXPECT_EQ(-EINVAL, diag_ask(&r, sizeof(r), &t));
	r.nlh.nlmsg_len = NLMSG_LENGTH(2);
	EXPECT_EQ(-EINVAL, diag_ask(&r, sizeof(r), &t));
	r.nlh.nlmsg_flags |= NLM_F_DUMP;
	EXPECT_EQ(-EINVAL, diag_ask(&r, sizeof(r), &t));
	r = diag_request(self->family, 0);
	r.req.udiag_ino = inode_of(self->fd[0]);
	r.nlh.nlmsg_type = SOCK_DESTROY;
	EXPECT_EQ(-EOPNOTSUPP, diag_ask(&r, sizeof(r), &t));
	/* What the request doesn't define is ignored. */
	r = diag_request(self->family, 0);
	r.req.udiag_ino = inode_of(self->fd[0]);
	r.req.sdiag_protocol = 77;
	r.req.pad = 0xffff;
	r.req.udiag_show = ~0u;
	EXPECT_EQ(0, diag_ask(&r, sizeof(r), &t));
}

static int seen_by_nobody(int family, uint32_t ino)
{
	struct told t;

	return rc(setresuid(NOBODY, NOBODY, NOBODY)) ?:
	       diag_by_inode(family, ino, NULL, SHOW_ALL, &t);
}

TEST_F(diag, for_everybody)
{
	DIAG_OR_SKIP();
	EXPECT_EQ(0, IN_CHILD(seen_by_nobody(self->family, inode_of(self->fd[0]))));
}

TEST_F(diag, types)
{
	static const struct { int type, told; } list[] = {
		{ SOCK_STREAM, SOCK_STREAM },
		{ SOCK_DGRAM, SOCK_DGRAM },
		{ SOCK_RAW, SOCK_DGRAM },
		{ SOCK_SEQPACKET, SOCK_SEQPACKET },
	};
	struct told t;
	unsigned int i;

	DIAG_OR_SKIP();
	for (i = 0; i < ARRAY_SIZE(list); i++) {
		int fd = rc(socket(self->family, list[i].type, 0));

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, diag(fd, &t));
		EXPECT_EQ(list[i].told, t.msg.udiag_type);
		EXPECT_EQ(CLOSED, t.msg.udiag_state);
		close(fd);
	}
}

/* --- attributes ------------------------------------------------------- */

/* Only what is asked for is told, and what is shut down always. */
TEST_F(diag, asked_for)
{
	static const struct { int show, attribute; } list[] = {
		{ UDIAG_SHOW_NAME, UNIX_DIAG_NAME },
		{ UDIAG_SHOW_VFS, UNIX_DIAG_VFS },
		{ UDIAG_SHOW_ICONS, UNIX_DIAG_ICONS },
		{ UDIAG_SHOW_RQLEN, UNIX_DIAG_RQLEN },
		{ UDIAG_SHOW_MEMINFO, UNIX_DIAG_MEMINFO },
		{ UDIAG_SHOW_UID, UNIX_DIAG_UID },
	};
	struct name n = path_name(self->family, "s");
	unsigned int i, always = 1u << UNIX_DIAG_SHUTDOWN;
	struct told t;
	int l;

	DIAG_OR_SKIP();
	l = listener(self->family, &n, 5);
	ASSERT_LE(0, l);
	for (i = 0; i < ARRAY_SIZE(list); i++) {
		ASSERT_EQ(0, diag_by_inode(self->family, inode_of(l), NULL,
					   list[i].show, &t));
		EXPECT_EQ(always | 1u << list[i].attribute, t.has);
	}
	ASSERT_EQ(0, diag_by_inode(self->family, inode_of(self->fd[0]), NULL,
				   UDIAG_SHOW_PEER, &t));
	EXPECT_EQ(always | 1u << UNIX_DIAG_PEER, t.has);
	ASSERT_EQ(0, diag_by_inode(self->family, inode_of(l), NULL, 0, &t));
	EXPECT_EQ(always, t.has);
	/* Everything that there is of an unbound, unconnected socket. */
	close(l);
	l = xsocket(self->family);
	ASSERT_EQ(0, diag(l, &t));
	EXPECT_EQ(always | 1u << UNIX_DIAG_RQLEN | 1u << UNIX_DIAG_MEMINFO |
		  1u << UNIX_DIAG_UID, t.has);
}

static bool has_name(const struct told *t, const struct name *n)
{
	return HAS(t, NAME) && t->name_len == (int)(n->len - PATH_OFF) &&
	       !memcmp(t->name, n->un.sun_path, t->name_len);
}

TEST_F(diag, name)
{
	struct name paths[2] = {
		path_name(self->family, "a path"),
		abstract_name(self->family, "odd\1name"),
	}, n;
	struct told t;
	int i;

	DIAG_OR_SKIP();
	for (i = 0; i < 2; i++) {
		int l = listener(self->family, &paths[i], 5), c, a;

		ASSERT_LE(0, l);
		ASSERT_EQ(0, diag(l, &t));
		EXPECT_TRUE(has_name(&t, &paths[i]));
		c = dial(self->family, &paths[i]);
		a = rc(accept(l, NULL, NULL));
		ASSERT_LE(0, a);
		/* Who was accepted has the name of the listener, who connects has none. */
		ASSERT_EQ(0, diag(a, &t));
		EXPECT_TRUE(has_name(&t, &paths[i]));
		ASSERT_EQ(0, diag(c, &t));
		EXPECT_FALSE(HAS(&t, NAME));
	}
	n = paths[0];
	n.len = 2;
	i = rc(socket(self->family, SOCK_DGRAM, 0));
	ASSERT_EQ(0, xbind(i, &n));
	ASSERT_EQ(0, xgetsockname(i, &n));
	ASSERT_EQ(0, diag(i, &t));
	EXPECT_TRUE(has_name(&t, &n));
	EXPECT_EQ(6, t.name_len);
}

static bool has_file(const struct told *t, const struct stat *st)
{
	/* The kernel's own form of device numbers. */
	uint32_t dev = major(st->st_dev) << 20 | minor(st->st_dev);

	return HAS(t, VFS) && t->vfs.udiag_vfs_ino == (uint32_t)st->st_ino &&
	       t->vfs.udiag_vfs_dev == dev;
}

TEST_F(diag, file)
{
	struct name n = path_name(self->family, "s"), m;
	struct stat st;
	struct told t;
	int l, c, a;

	DIAG_OR_SKIP();
	l = listener(self->family, &n, 5);
	ASSERT_LE(0, l);
	ASSERT_EQ(0, rc(stat("s", &st)));
	ASSERT_EQ(0, diag(l, &t));
	EXPECT_TRUE(has_file(&t, &st));
	c = dial(self->family, &n);
	a = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, a);
	ASSERT_EQ(0, diag(a, &t));
	EXPECT_TRUE(has_file(&t, &st));
	ASSERT_EQ(0, diag(c, &t));
	EXPECT_FALSE(HAS(&t, VFS));
	/* The file is the same by another name, and by none. */
	ASSERT_EQ(0, rc(rename("s", "t")));
	ASSERT_EQ(0, diag(l, &t));
	EXPECT_TRUE(has_file(&t, &st));
	ASSERT_EQ(0, rc(unlink("t")));
	ASSERT_EQ(0, diag(l, &t));
	EXPECT_TRUE(has_file(&t, &st));
	EXPECT_TRUE(has_name(&t, &n));
	/* An abstract name has none. */
	m = abstract_name(self->family, "m");
	l = listener(self->family, &m, 5);
	ASSERT_LE(0, l);
	ASSERT_EQ(0, diag(l, &t));
	EXPECT_FALSE(HAS(&t, VFS));
}

TEST_F(diag, peer)
{
	struct name n = abstract_name(self->family, "n");
	struct told t;
	int a, b, c;

	DIAG_OR_SKIP();
	ASSERT_EQ(0, diag(self->fd[0], &t));
	EXPECT_TRUE(HAS(&t, PEER));
	EXPECT_EQ(inode_of(self->fd[1]), t.peer);
	ASSERT_EQ(0, diag(self->fd[1], &t));
	EXPECT_EQ(inode_of(self->fd[0]), t.peer);
	/* The peer that has gone has no inode any more. */
	close(self->fd[1]);
	ASSERT_EQ(0, diag(self->fd[0], &t));
	EXPECT_TRUE(HAS(&t, PEER));
	EXPECT_EQ(0, t.peer);

	/* Not accepted yet, accepted. */
	a = listener(self->family, &n, 5);
	b = dial(self->family, &n);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, diag(b, &t));
	EXPECT_TRUE(HAS(&t, PEER));
	EXPECT_EQ(0, t.peer);
	c = rc(accept(a, NULL, NULL));
	ASSERT_LE(0, c);
	ASSERT_EQ(0, diag(b, &t));
	EXPECT_EQ(inode_of(c), t.peer);
	ASSERT_EQ(0, diag(c, &t));
	EXPECT_EQ(inode_of(b), t.peer);
}

/* A datagram socket's peer needn't be mutual, and may change; the state tells both. */
TEST_F(diag, datagram_peer)
{
	struct name n = abstract_name(self->family, "n");
	struct name none = { .len = 2 };
	struct told t;
	int r, s;

	DIAG_OR_SKIP();
	r = rc(socket(self->family, SOCK_DGRAM, 0));
	s = rc(socket(self->family, SOCK_DGRAM, 0));
	ASSERT_LE(0, s);
	ASSERT_EQ(0, xbind(r, &n));
	ASSERT_EQ(0, xconnect(s, &n));
	ASSERT_EQ(0, diag(s, &t));
	EXPECT_EQ(inode_of(r), t.peer);
	EXPECT_EQ(ESTABLISHED, t.msg.udiag_state);
	ASSERT_EQ(0, diag(r, &t));
	EXPECT_FALSE(HAS(&t, PEER));
	EXPECT_EQ(ESTABLISHED, t.msg.udiag_state);
	ASSERT_EQ(0, xconnect(s, &none));
	ASSERT_EQ(0, diag(s, &t));
	EXPECT_FALSE(HAS(&t, PEER));
	EXPECT_EQ(CLOSED, t.msg.udiag_state);
	ASSERT_EQ(0, diag(r, &t));
	EXPECT_EQ(CLOSED, t.msg.udiag_state);
}

/* Those who wait at a listener, first come first. */
TEST_F(diag, waiting)
{
	struct name n = abstract_name(self->family, "n");
	struct told t;
	int l, c[5], i;

	DIAG_OR_SKIP();
	l = listener(self->family, &n, 9);
	ASSERT_LE(0, l);
	ASSERT_EQ(0, diag(l, &t));
	EXPECT_EQ(LISTENING, t.msg.udiag_state);
	EXPECT_TRUE(HAS(&t, ICONS));
	EXPECT_EQ(0, t.nr_icons);
	EXPECT_EQ(0, t.rqlen.udiag_rqueue);
	EXPECT_EQ(9, t.rqlen.udiag_wqueue);
	for (i = 0; i < 3; i++) {
		ASSERT_LE(0, c[i] = dial(self->family, &n));
	}
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	for (i = 3; i < 5; i++) {
		ASSERT_LE(0, c[i] = dial(self->family, &n));
	}

	ASSERT_EQ(0, diag(l, &t));
	EXPECT_EQ(4, t.rqlen.udiag_rqueue);
	EXPECT_EQ(9, t.rqlen.udiag_wqueue);
	ASSERT_EQ(4, t.nr_icons);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(inode_of(c[i + 1]), t.icon[i]);
	}
	/* One who has given up still counts. */
	close(c[2]);
	ASSERT_EQ(0, diag(l, &t));
	ASSERT_EQ(4, t.nr_icons);
	EXPECT_EQ(inode_of(c[1]), t.icon[0]);
	EXPECT_EQ(0, t.icon[1]);
	EXPECT_EQ(inode_of(c[3]), t.icon[2]);
	/* Others have nobody waiting. */
	ASSERT_EQ(0, diag(c[1], &t));
	EXPECT_FALSE(HAS(&t, ICONS));
}

TEST_F(diag, stream_queues)
{
	struct told t;
	char buf[1000] = "";

	DIAG_OR_SKIP();
	ASSERT_EQ(0, diag(self->fd[0], &t));
	EXPECT_EQ(0, t.rqlen.udiag_rqueue);
	EXPECT_EQ(0, t.rqlen.udiag_wqueue);
	EXPECT_EQ(0, t.meminfo[SK_MEMINFO_WMEM_ALLOC]);
	ASSERT_EQ(1000, rc(write(self->fd[0], buf, 1000)));
	ASSERT_EQ(300, rc(write(self->fd[0], buf, 300)));
	ASSERT_EQ(0, diag(self->fd[1], &t));
	EXPECT_EQ(1300, t.rqlen.udiag_rqueue);
	EXPECT_EQ(0, t.rqlen.udiag_wqueue);
	/* The sender's memory is counted, not less than the bytes. */
	ASSERT_EQ(0, diag(self->fd[0], &t));
	EXPECT_EQ(0, t.rqlen.udiag_rqueue);
	EXPECT_LE(1300, t.rqlen.udiag_wqueue);
	EXPECT_EQ(t.rqlen.udiag_wqueue, t.meminfo[SK_MEMINFO_WMEM_ALLOC]);
	ASSERT_EQ(1000, rc(read(self->fd[1], buf, 1000)));
	ASSERT_EQ(0, diag(self->fd[1], &t));
	EXPECT_EQ(300, t.rqlen.udiag_rqueue);
	ASSERT_EQ(300, rc(read(self->fd[1], buf, 1000)));
	ASSERT_EQ(0, diag(self->fd[0], &t));
	EXPECT_EQ(0, t.rqlen.udiag_wqueue);
	EXPECT_EQ(0, t.meminfo[SK_MEMINFO_WMEM_ALLOC]);
}

/* The next datagram is told, and all sequenced packets. */
TEST_F(diag, packet_queues)
{
	static const struct { int type; uint32_t rqueue; } list[] = {
		{ SOCK_DGRAM, 100 }, { SOCK_SEQPACKET, 130 },
	};
	struct told t;
	char buf[100] = "";
	unsigned int i;
	int fd[2];

	DIAG_OR_SKIP();
	for (i = 0; i < ARRAY_SIZE(list); i++) {
		ASSERT_EQ(0, rc(socketpair(self->family, list[i].type, 0, fd)));
		ASSERT_EQ(100, rc(write(fd[0], buf, 100)));
		ASSERT_EQ(30, rc(write(fd[0], buf, 30)));
		ASSERT_EQ(0, diag(fd[1], &t));
		EXPECT_EQ(list[i].rqueue, t.rqlen.udiag_rqueue);
		EXPECT_EQ(0, t.rqlen.udiag_wqueue);
		ASSERT_EQ(0, diag(fd[0], &t));
		EXPECT_EQ(0, t.rqlen.udiag_rqueue);
		EXPECT_LE(130, t.rqlen.udiag_wqueue);
		EXPECT_EQ(t.rqlen.udiag_wqueue, t.meminfo[SK_MEMINFO_WMEM_ALLOC]);
		ASSERT_EQ(100, rc(read(fd[1], buf, 100)));
		ASSERT_EQ(0, diag(fd[1], &t));
		EXPECT_EQ(30, t.rqlen.udiag_rqueue);
		ASSERT_EQ(30, rc(read(fd[1], buf, 100)));
		ASSERT_EQ(0, diag(fd[0], &t));
		EXPECT_EQ(0, t.rqlen.udiag_wqueue);
	}
}

TEST_F(diag, memory)
{
	struct told t;

	DIAG_OR_SKIP();
	ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, 30000));
	ASSERT_EQ(0, setint(self->fd[0], SO_RCVBUF, 20000));
	ASSERT_EQ(0, diag(self->fd[0], &t));
	EXPECT_EQ(getint(self->fd[0], SO_SNDBUF), (int)t.meminfo[SK_MEMINFO_SNDBUF]);
	EXPECT_EQ(getint(self->fd[0], SO_RCVBUF), (int)t.meminfo[SK_MEMINFO_RCVBUF]);
	EXPECT_EQ(0, t.meminfo[SK_MEMINFO_RMEM_ALLOC]);
	EXPECT_EQ(0, t.meminfo[SK_MEMINFO_FWD_ALLOC]);
	EXPECT_EQ(0, t.meminfo[SK_MEMINFO_WMEM_QUEUED]);
	EXPECT_EQ(0, t.meminfo[SK_MEMINFO_BACKLOG]);
	EXPECT_EQ(0, t.meminfo[SK_MEMINFO_DROPS]);
}

TEST_F(diag, shut_down)
{
	struct told t;

	DIAG_OR_SKIP();
	ASSERT_EQ(0, diag(self->fd[0], &t));
	EXPECT_EQ(0, t.shutdown);
	/* Bits: 1 receives no more, 2 sends no more. */
	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_WR)));
	ASSERT_EQ(0, diag(self->fd[0], &t));
	EXPECT_EQ(2, t.shutdown);
	ASSERT_EQ(0, diag(self->fd[1], &t));
	EXPECT_EQ(1, t.shutdown);
	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_RD)));
	ASSERT_EQ(0, diag(self->fd[0], &t));
	EXPECT_EQ(3, t.shutdown);
	close(self->fd[0]);
	ASSERT_EQ(0, diag(self->fd[1], &t));
	EXPECT_EQ(3, t.shutdown);
	EXPECT_EQ(ESTABLISHED, t.msg.udiag_state);
}

static int uid_as_seen_inside(int fd)
{
	struct told t;
	int err;

	if (unshare(CLONE_NEWUSER))
		return -EXFULL;
	/* Nobody is mapped. */
	err = diag(fd, &t);
	return err ?: t.uid == NOBODY ? 0 : -EBADMSG;
}

TEST_F(diag, owner)
{
	struct name n = abstract_name(self->family, "n");
	struct told t;
	int l, c, a, err;

	DIAG_OR_SKIP();
	ASSERT_EQ(0, diag(self->fd[0], &t));
	EXPECT_EQ(0, t.uid);
	ASSERT_EQ(0, rc(fchown(self->fd[0], 1234, -1)));
	ASSERT_EQ(0, diag(self->fd[0], &t));
	EXPECT_EQ(1234, t.uid);
	ASSERT_EQ(0, diag(self->fd[1], &t));
	EXPECT_EQ(0, t.uid);

	/* An accepted socket belongs to who has accepted it. */
	l = listener(self->family, &n, 5);
	ASSERT_EQ(0, rc(fchown(l, 1234, -1)));
	c = dial(self->family, &n);
	ASSERT_EQ(0, rc(fchown(c, 4321, -1)));
	a = rc(accept(l, NULL, NULL));
	ASSERT_LE(0, a);
	ASSERT_EQ(0, diag(a, &t));
	EXPECT_EQ(0, t.uid);
	ASSERT_EQ(0, diag(c, &t));
	EXPECT_EQ(4321, t.uid);

	err = IN_CHILD(uid_as_seen_inside(self->fd[1]));
	if (err != -EXFULL)
		EXPECT_EQ(0, err);
}

TEST_HARNESS_MAIN
