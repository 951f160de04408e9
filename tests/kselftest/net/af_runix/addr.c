// SPDX-License-Identifier: GPL-2.0
/* Pathname addresses: lengths, files, permissions, errors. */

#include "common.h"

#include <grp.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#define NOBODY	65534

FAMILY_FIXTURE(addr);

static mode_t mode_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? 0 : st.st_mode;
}

/* Give up root for good, in a child of the test. */
static bool become_nobody(void)
{
	return !setgroups(0, NULL) && !setgid(NOBODY) && !setuid(NOBODY);
}

static int as_nobody_bind(int family, const char *path)
{
	struct name n = path_name(family, path);
	int fd = xsocket(family);

	if (fd < 0 || !become_nobody())
		return -ENOTRECOVERABLE;
	return xbind(fd, &n);
}

static int as_nobody_connect(int family, const char *path)
{
	struct name n = path_name(family, path);
	int fd;

	if (!become_nobody())
		return -ENOTRECOVERABLE;
	fd = dial(family, &n);
	return fd < 0 ? fd : 0;
}

static int try_bind(int family, const char *path)
{
	struct name n = path_name(family, path);
	int fd = xsocket(family), err;

	if (fd < 0)
		return fd;
	err = xbind(fd, &n);
	close(fd);
	return err;
}

static int try_connect(int family, const char *path)
{
	struct name n = path_name(family, path);
	int fd = dial(family, &n);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int touch(const char *path)
{
	return close(open(path, O_CREAT | O_WRONLY, 0666));
}

TEST_F(addr, bind_creates_socket)
{
	struct name n = path_name(self->family, "s");
	int fd = xsocket(self->family);
	struct stat st;

	umask(022);
	ASSERT_EQ(0, xbind(fd, &n));
	ASSERT_EQ(0, lstat("s", &st));
	EXPECT_EQ(S_IFSOCK | 0755, st.st_mode);
	EXPECT_EQ(0, st.st_size);
	EXPECT_EQ(1, st.st_nlink);
	EXPECT_EQ(geteuid(), st.st_uid);
	/* The file is not the socket. */
	EXPECT_EQ(-ENXIO, rc(open("s", O_RDWR)));

	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(S_IFSOCK | 0755, mode_of("s"));
}

TEST_F(addr, name_length)
{
	struct name n = path_name(self->family, "abc"), got, want = n;
	int fd;

	/* Bytes behind the NUL do not count. */
	fd = xsocket(self->family);
	n.len = sizeof(n.un);
	memset(n.un.sun_path + 4, 'z', 20);
	ASSERT_EQ(0, xbind(fd, &n));
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_EQ(PATH_OFF + 4, got.len);
	EXPECT_TRUE(same_name(&want, &got));
	ASSERT_EQ(0, unlink("abc"));

	/* A missing NUL is put there. */
	fd = xsocket(self->family);
	n.len = PATH_OFF + 2;
	ASSERT_EQ(0, xbind(fd, &n));
	want = path_name(self->family, "ab");
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_EQ(PATH_OFF + 3, got.len);
	EXPECT_TRUE(same_name(&want, &got));
	EXPECT_EQ(S_IFSOCK, mode_of("ab") & S_IFMT);
}

/* 108 bytes of path need no NUL; the name then is one byte longer than that. */
TEST_F(addr, longest_path)
{
	char path[109] = {};
	struct name n, got;
	int l, c;

	memset(path, 'x', 108);
	n = path_name(self->family, path);
	n.len = sizeof(struct sockaddr_un);
	l = listener(self->family, &n, 1);
	ASSERT_LE(0, l);
	EXPECT_EQ(S_IFSOCK, mode_of(path) & S_IFMT);
	ASSERT_EQ(0, xgetsockname(l, &got));
	EXPECT_EQ(PATH_OFF + 109, got.len);
	EXPECT_EQ(0, memcmp(path, got.un.sun_path, 109));

	c = dial(self->family, &n);
	ASSERT_LE(0, c);
	ASSERT_EQ(0, xgetpeername(c, &got));
	EXPECT_EQ(PATH_OFF + 109, got.len);

	/* Cut to the room there is, with the whole length told. */
	memset(got.bytes, 0xa5, sizeof(got.bytes));
	got.len = 10;
	EXPECT_EQ(0, rc(getsockname(l, &got.sa, &got.len)));
	EXPECT_EQ(PATH_OFF + 109, got.len);
	EXPECT_EQ('x', got.bytes[9]);
	EXPECT_EQ(0xa5, got.bytes[10]);
}

TEST_F(addr, bad_length)
{
	static const int bad[] = { -1, 0, 1, 111, 127, 129, 1 << 20 };
	struct name n = path_name(self->family, "s");
	int fd = xsocket(self->family), i;

	for (i = 0; i < (int)ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, rc(bind(fd, &n.sa, bad[i])))
			TH_LOG("bind, length %d", bad[i]);
		EXPECT_EQ(-EINVAL, rc(connect(fd, &n.sa, bad[i])))
			TH_LOG("connect, length %d", bad[i]);
	}
	EXPECT_EQ(-EINVAL, rc(connect(fd, &n.sa, PATH_OFF)));
	EXPECT_EQ(-EFAULT, rc(bind(fd, bad_ptr(), n.len)));
	EXPECT_EQ(-EFAULT, rc(connect(fd, bad_ptr(), n.len)));
	EXPECT_EQ(0, mode_of("s"));
	EXPECT_EQ(0, xbind(fd, &n));
}

TEST_F(addr, bad_family)
{
	int other = self->family == AF_UNIX ? AF_RUNIX : AF_UNIX;
	int bad[] = { AF_UNSPEC, AF_INET, other, 0xffff }, i;
	struct name good = path_name(self->family, "s"), n = good;
	int l = listener(self->family, &good, 1);
	int fd = xsocket(self->family);

	ASSERT_LE(0, l);
	for (i = 0; i < (int)ARRAY_SIZE(bad); i++) {
		n.un.sun_family = bad[i];
		EXPECT_EQ(-EINVAL, xbind(fd, &n))
			TH_LOG("bind, family %d", bad[i]);
		EXPECT_EQ(-EINVAL, xconnect(fd, &n))
			TH_LOG("connect, family %d", bad[i]);
		/* Nor does it ask for a name of the kernel's choice. */
		EXPECT_EQ(-EINVAL, rc(bind(fd, &n.sa, PATH_OFF)))
			TH_LOG("autobind, family %d", bad[i]);
	}
	EXPECT_EQ(0, xconnect(fd, &good));
}

TEST_F(addr, in_use)
{
	struct name n = path_name(self->family, "live");
	int l = listener(self->family, &n, 1);

	ASSERT_LE(0, l);
	ASSERT_EQ(0, touch("file"));
	ASSERT_EQ(0, mkdir("dir", 0755));
	ASSERT_EQ(0, symlink("nowhere", "dangling"));
	ASSERT_EQ(0, mkfifo("fifo", 0666));

	EXPECT_EQ(-EADDRINUSE, try_bind(self->family, "live"));
	EXPECT_EQ(-EADDRINUSE, try_bind(self->family, "file"));
	EXPECT_EQ(-EADDRINUSE, try_bind(self->family, "dir"));
	EXPECT_EQ(-EADDRINUSE, try_bind(self->family, "dangling"));
	EXPECT_EQ(-EADDRINUSE, try_bind(self->family, "fifo"));
	EXPECT_EQ(-EADDRINUSE, try_bind(self->family, "."));
	EXPECT_EQ(-EADDRINUSE, try_bind(self->family, "/"));
	EXPECT_EQ(0, mode_of("nowhere"));
	EXPECT_EQ(S_IFREG, mode_of("file") & S_IFMT);
}

/* One name a socket; a second one leaves no file, and an old file wins. */
TEST_F(addr, bind_twice)
{
	struct name a = path_name(self->family, "a"), got;
	struct name b = path_name(self->family, "b");
	int fd = xsocket(self->family);

	ASSERT_EQ(0, touch("old"));
	ASSERT_EQ(0, xbind(fd, &a));
	EXPECT_EQ(-EINVAL, xbind(fd, &b));
	EXPECT_EQ(0, mode_of("b"));
	EXPECT_EQ(-EADDRINUSE, xbind(fd, &a));
	b = path_name(self->family, "old");
	EXPECT_EQ(-EADDRINUSE, xbind(fd, &b));
	b = path_name(self->family, "no/where");
	EXPECT_EQ(-ENOENT, xbind(fd, &b));
	b = abstract_name(self->family, "b");
	EXPECT_EQ(-EINVAL, xbind(fd, &b));

	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_TRUE(same_name(&a, &got));
}

TEST_F(addr, stale_file)
{
	struct name n = path_name(self->family, "s");
	int l;

	l = listener(self->family, &n, 1);
	ASSERT_LE(0, l);
	EXPECT_EQ(0, try_connect(self->family, "s"));
	close(l);
	EXPECT_EQ(S_IFSOCK, mode_of("s") & S_IFMT);
	EXPECT_EQ(-ECONNREFUSED, try_connect(self->family, "s"));
	EXPECT_EQ(-EADDRINUSE, try_bind(self->family, "s"));
	ASSERT_EQ(0, unlink("s"));
	l = listener(self->family, &n, 1);
	ASSERT_LE(0, l);
	EXPECT_EQ(0, try_connect(self->family, "s"));
}

TEST_F(addr, connect_errors)
{
	char far[300] = {};
	struct name n = path_name(self->family, "bound");
	int fd = xsocket(self->family);

	ASSERT_EQ(0, touch("file"));
	ASSERT_EQ(0, mkdir("dir", 0755));
	ASSERT_EQ(0, symlink("loop", "loop"));
	memset(far, 'y', 256);
	ASSERT_EQ(0, symlink(far, "far"));
	ASSERT_EQ(0, xbind(fd, &n));

	EXPECT_EQ(-ENOENT, try_connect(self->family, "missing"));
	EXPECT_EQ(-ENOENT, try_connect(self->family, "no/where"));
	EXPECT_EQ(-ENOTDIR, try_connect(self->family, "file/x"));
	EXPECT_EQ(-ENOTDIR, try_connect(self->family, "bound/"));
	EXPECT_EQ(-ELOOP, try_connect(self->family, "loop"));
	EXPECT_EQ(-ENAMETOOLONG, try_connect(self->family, "far"));
	EXPECT_EQ(-ECONNREFUSED, try_connect(self->family, "file"));
	EXPECT_EQ(-ECONNREFUSED, try_connect(self->family, "dir"));
	EXPECT_EQ(-ECONNREFUSED, try_connect(self->family, "/dev/null"));
	/* Bound, but nobody listens. */
	EXPECT_EQ(-ECONNREFUSED, try_connect(self->family, "bound"));
}

/* Whatever a bind fails with, the socket can be bound afterwards. */
TEST_F(addr, bind_errors)
{
	char far[300] = {};
	struct name n;
	int fd = xsocket(self->family);

	ASSERT_EQ(0, touch("file"));
	ASSERT_EQ(0, mkdir("dir", 0755));
	ASSERT_EQ(0, symlink("loop", "loop"));
	memset(far, 'y', 256);
	ASSERT_EQ(0, symlink(far, "far"));

	n = path_name(self->family, "no/where");
	EXPECT_EQ(-ENOENT, xbind(fd, &n));
	n = path_name(self->family, "new/");
	EXPECT_EQ(-ENOENT, xbind(fd, &n));
	n = path_name(self->family, "file/x");
	EXPECT_EQ(-ENOTDIR, xbind(fd, &n));
	n = path_name(self->family, "loop/x");
	EXPECT_EQ(-ELOOP, xbind(fd, &n));
	n = path_name(self->family, "far/x");
	EXPECT_EQ(-ENAMETOOLONG, xbind(fd, &n));

	ASSERT_EQ(0, xgetsockname(fd, &n));
	EXPECT_EQ(PATH_OFF, n.len);
	n = path_name(self->family, "dir/x");
	EXPECT_EQ(0, xbind(fd, &n));
	EXPECT_EQ(S_IFSOCK, mode_of("dir/x") & S_IFMT);
}

/* A read-only file system takes no new name, but serves those it has. */
TEST_F(addr, read_only)
{
	struct name n = path_name(self->family, "ro/old");
	int l;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mkdir("ro", 0755) || mount("none", "ro", "tmpfs", 0, NULL))
		SKIP(return, "cannot mount a tmpfs: %m");

	l = listener(self->family, &n, 4);
	ASSERT_LE(0, l);
	ASSERT_EQ(0, mount(NULL, "ro", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_EQ(-EROFS, try_bind(self->family, "ro/new"));
	EXPECT_EQ(-EADDRINUSE, try_bind(self->family, "ro/old"));
	EXPECT_EQ(0, try_connect(self->family, "ro/old"));
	/* The file system is busy as long as the socket is bound in it. */
	EXPECT_EQ(-EBUSY, rc(umount("ro")));
	close(l);
	EXPECT_EQ(0, rc(umount("ro")));
}

static int set_immutable(const char *path, bool on)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), flags = 0, err;

	err = rc(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
	if (!err)
		err = rc(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	close(fd);
	return err;
}

/* A directory that may not be changed takes no new name. */
TEST_F(addr, immutable)
{
	struct name n = path_name(self->family, "dir/old");
	int l, err;

	ASSERT_EQ(0, mkdir("dir", 0755));
	l = listener(self->family, &n, 4);
	ASSERT_LE(0, l);
	err = set_immutable("dir", true);
	if (err)
		SKIP(return, "no immutable directories here: %s", strerror(-err));
	EXPECT_EQ(-EPERM, try_bind(self->family, "dir/new"));
	EXPECT_EQ(-EADDRINUSE, try_bind(self->family, "dir/old"));
	EXPECT_EQ(0, try_connect(self->family, "dir/old"));
	EXPECT_EQ(0, set_immutable("dir", false));
	EXPECT_EQ(0, try_bind(self->family, "dir/new"));
}

TEST_F(addr, permissions)
{
	struct name n = path_name(self->family, "open/s");
	int l;

	umask(0);
	ASSERT_EQ(0, mkdir("open", 0777));
	ASSERT_EQ(0, mkdir("shut", 0700));
	ASSERT_EQ(0, mkdir("fixed", 0755));
	l = listener(self->family, &n, 16);
	ASSERT_LE(0, l);

	/* Writing to the socket file is what connecting needs. */
	EXPECT_EQ(0, IN_CHILD(as_nobody_connect(self->family, "open/s")));
	ASSERT_EQ(0, chmod("open/s", 0222));
	EXPECT_EQ(0, IN_CHILD(as_nobody_connect(self->family, "open/s")));
	ASSERT_EQ(0, chmod("open/s", 0755));
	EXPECT_EQ(-EACCES, IN_CHILD(as_nobody_connect(self->family, "open/s")));
	ASSERT_EQ(0, chmod("open/s", 0));
	EXPECT_EQ(-EACCES, IN_CHILD(as_nobody_connect(self->family, "open/s")));
	EXPECT_EQ(0, try_connect(self->family, "open/s"));

	EXPECT_EQ(-EACCES, IN_CHILD(as_nobody_connect(self->family, "shut/s")));
	EXPECT_EQ(-EACCES, IN_CHILD(as_nobody_bind(self->family, "shut/s")));
	EXPECT_EQ(-EACCES, IN_CHILD(as_nobody_bind(self->family, "fixed/s")));
	EXPECT_EQ(0, mode_of("fixed/s"));
	EXPECT_EQ(0, IN_CHILD(as_nobody_bind(self->family, "open/n")));
	EXPECT_EQ(S_IFSOCK | 0777, mode_of("open/n"));
}

TEST_F(addr, umask)
{
	static const mode_t mask[] = { 0, 022, 027, 077, 0777 };
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(mask); i++) {
		umask(mask[i]);
		ASSERT_EQ(0, try_bind(self->family, "s"));
		EXPECT_EQ(S_IFSOCK | (0777 & ~mask[i]), mode_of("s"));
		ASSERT_EQ(0, unlink("s"));
	}
}

/* The mode of the descriptor's own inode limits that of the file. */
TEST_F(addr, fchmod_before_bind)
{
	struct name n = path_name(self->family, "s");
	int fd = xsocket(self->family);
	struct stat st;

	umask(0);
	ASSERT_EQ(0, rc(fchmod(fd, 0640)));
	ASSERT_EQ(0, xbind(fd, &n));
	EXPECT_EQ(S_IFSOCK | 0640, mode_of("s"));
	/* Afterwards each has its own. */
	ASSERT_EQ(0, rc(fchmod(fd, 0600)));
	EXPECT_EQ(S_IFSOCK | 0640, mode_of("s"));
	ASSERT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(S_IFSOCK | 0600, st.st_mode);

	umask(022);
	fd = xsocket(self->family);
	n = path_name(self->family, "t");
	ASSERT_EQ(0, rc(fchmod(fd, 0777)));
	ASSERT_EQ(0, xbind(fd, &n));
	EXPECT_EQ(S_IFSOCK | 0755, mode_of("t"));
}

/* The inode is what is bound: links lead to it, and renames take it along. */
TEST_F(addr, follows_the_inode)
{
	struct name n = path_name(self->family, "s"), got;
	struct name other = path_name(self->family, "other");
	struct name moved = path_name(self->family, "moved");
	int l = listener(self->family, &n, 16), l2, c;

	ASSERT_LE(0, l);
	ASSERT_EQ(0, mkdir("sub", 0755));
	ASSERT_EQ(0, symlink("../s", "sub/sym"));
	ASSERT_EQ(0, link("s", "hard"));
	EXPECT_EQ(0, try_connect(self->family, "sub/sym"));
	EXPECT_EQ(0, try_connect(self->family, "hard"));

	ASSERT_EQ(0, rename("s", "moved"));
	EXPECT_EQ(-ENOENT, try_connect(self->family, "s"));
	EXPECT_EQ(-ENOENT, try_connect(self->family, "sub/sym"));
	c = dial(self->family, &moved);
	ASSERT_LE(0, c);
	/* The name stays what was bound. */
	ASSERT_EQ(0, xgetpeername(c, &got));
	EXPECT_TRUE(same_name(&n, &got));
	EXPECT_EQ(-EADDRINUSE, try_bind(self->family, "moved"));

	/* A newcomer takes over the path; a rename over it replaces it. */
	l2 = listener(self->family, &n, 16);
	ASSERT_LE(0, l2);
	EXPECT_EQ(0, try_connect(self->family, "s"));
	ASSERT_EQ(0, rename("moved", "s"));
	close(l2);
	EXPECT_EQ(0, try_connect(self->family, "s"));

	ASSERT_EQ(0, unlink("s"));
	EXPECT_EQ(-ENOENT, try_connect(self->family, "s"));
	EXPECT_EQ(0, try_connect(self->family, "hard"));
	ASSERT_EQ(0, unlink("hard"));
	l2 = listener(self->family, &other, 1);
	ASSERT_LE(0, l2);
	close(l);
	EXPECT_EQ(0, try_connect(self->family, "other"));
}

TEST_F(addr, relative_path)
{
	struct name n = path_name(self->family, "s"), got, full;
	int l = listener(self->family, &n, 4);
	char path[80];

	ASSERT_LE(0, l);
	snprintf(path, sizeof(path), "%s/s", self->dir);
	full = path_name(self->family, path);
	ASSERT_EQ(0, chdir("/"));
	EXPECT_EQ(-ENOENT, try_connect(self->family, "s"));
	EXPECT_LE(0, dial(self->family, &full));
	ASSERT_EQ(0, xgetsockname(l, &got));
	EXPECT_TRUE(same_name(&n, &got));
}

/* A file can be mounted elsewhere; what another mount namespace has is not seen here. */
TEST_F(addr, mounts)
{
	struct name n = path_name(self->family, "s"), got;
	struct name t = path_name(self->family, "t");
	int l = listener(self->family, &n, 4), c, sv[2];
	char path[120], ch;
	pid_t pid;

	ASSERT_LE(0, l);
	ASSERT_EQ(0, touch("t"));
	ASSERT_EQ(0, mkdir("m", 0755));
	ASSERT_EQ(0, rc(socketpair(AF_UNIX, SOCK_STREAM, 0, sv)));
	pid = spawn();
	if (!pid) {
		if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("s", "t", NULL, MS_BIND, NULL) ||
		    mount(NULL, "t", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) ||
		    mount("none", "m", "tmpfs", 0, NULL))
			_exit(77);
		c = dial(self->family, &t);
		if (c < 0 || xgetpeername(c, &got) || !same_name(&n, &got))
			_exit(1);
		n = path_name(self->family, "m/inner");
		if (listener(self->family, &n, 4) < 0 || write(sv[1], "x", 1) != 1)
			_exit(2);
		_exit(read(sv[1], &ch, 1) != 1);
	}
	close(sv[1]);
	if (read(sv[0], &ch, 1) != 1) {
		ASSERT_EQ(77, reap(pid));
		SKIP(return, "cannot mount here");
	}
	EXPECT_EQ(-ECONNREFUSED, try_connect(self->family, "t"));
	EXPECT_EQ(-ENOENT, try_connect(self->family, "m/inner"));
	snprintf(path, sizeof(path), "/proc/%d/root%s/m/inner", pid, self->dir);
	EXPECT_EQ(0, try_connect(self->family, path));
	EXPECT_EQ(1, write(sv[0], "x", 1));
	EXPECT_EQ(0, reap(pid));
}

/* Descriptors stand for directories, and for the socket's file itself. */
TEST_F(addr, by_descriptor)
{
	int dir, file, l, fd;
	char path[80];
	struct name n, got;

	ASSERT_EQ(0, mkdir("dir", 0755));
	dir = open("dir", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, dir);
	ASSERT_EQ(0, chdir("/"));
	snprintf(path, sizeof(path), "/proc/self/fd/%d/s", dir);
	n = path_name(self->family, path);
	l = listener(self->family, &n, 4);
	ASSERT_LE(0, l);
	EXPECT_EQ(0, fstatat(dir, "s", &(struct stat){}, 0));
	ASSERT_EQ(0, xgetsockname(l, &got));
	EXPECT_TRUE(same_name(&n, &got));
	EXPECT_EQ(0, try_connect(self->family, path));

	file = openat(dir, "s", O_PATH | O_CLOEXEC);
	ASSERT_LE(0, file);
	ASSERT_EQ(0, rc(unlinkat(dir, "s", 0)));
	EXPECT_EQ(-ENOENT, try_connect(self->family, path));
	/* It has no name any more, and is found. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	EXPECT_EQ(0, try_connect(self->family, path));
	EXPECT_EQ(-EADDRINUSE, try_bind(self->family, path));
	/* The socket is not its file. */
	fd = xsocket(self->family);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_EQ(-ECONNREFUSED, try_connect(self->family, path));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", l);
	EXPECT_EQ(-ECONNREFUSED, try_connect(self->family, path));
}

TEST_F(addr, access_time)
{
	struct timespec past[2] = { { .tv_sec = 86400 }, { .tv_sec = 86400 } };
	struct name n = path_name(self->family, "s");
	int l = listener(self->family, &n, 4);
	struct statvfs vfs;
	struct stat st;

	ASSERT_LE(0, l);
	ASSERT_EQ(0, statvfs(".", &vfs));
	if (vfs.f_flag & ST_NOATIME)
		SKIP(return, "the file system keeps no access times");
	ASSERT_EQ(0, utimensat(AT_FDCWD, "s", past, 0));
	EXPECT_EQ(0, try_connect(self->family, "s"));
	ASSERT_EQ(0, lstat("s", &st));
	EXPECT_LT(86400, st.st_atime);
	EXPECT_EQ(86400, st.st_mtime);
}

TEST_F(addr, get_name)
{
	struct name n = path_name(self->family, "s"), got;
	int fd = xsocket(self->family);

	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_EQ(PATH_OFF, got.len);
	EXPECT_EQ(self->family, got.sa.sa_family);
	EXPECT_EQ(-ENOTCONN, xgetpeername(fd, &got));

	ASSERT_EQ(0, xbind(fd, &n));
	ASSERT_EQ(0, xgetsockname(fd, &got));
	EXPECT_TRUE(same_name(&n, &got));
	EXPECT_EQ(-ENOTCONN, xgetpeername(fd, &got));
	ASSERT_EQ(0, rc(listen(fd, 1)));
	EXPECT_EQ(-ENOTCONN, xgetpeername(fd, &got));

	/* No room is room enough; a negative one is an error. */
	got.len = 0;
	EXPECT_EQ(0, rc(getsockname(fd, &got.sa, &got.len)));
	EXPECT_EQ(n.len, got.len);
	got.len = -1;
	EXPECT_EQ(-EINVAL, rc(getsockname(fd, &got.sa, &got.len)));
	EXPECT_EQ(-EFAULT, rc(getsockname(fd, &got.sa, NULL)));
	got.len = sizeof(got.bytes);
	EXPECT_EQ(-EFAULT, rc(getsockname(fd, bad_ptr(), &got.len)));

	/* The peer has gone: its name has, too. */
	close(self->fd[1]);
	EXPECT_EQ(0, xgetpeername(self->fd[0], &got));
	EXPECT_EQ(PATH_OFF, got.len);
}

TEST_HARNESS_MAIN
