// SPDX-License-Identifier: GPL-2.0
/* Files, pipes, and what goes between them and sockets. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "calls.h"

static const char *path_of(struct exec *x, const struct arg *a)
{
	char path[128] = {};
	size_t len;
	const char *s = path_name(a->v[0], &len);

	memcpy(path, s, len);
	return memory_put(x->mem, PL_GOOD, 0, path, sizeof(path));
}

void run_unlink(struct exec *x, const struct call *c)
{
	say_result(x, SYS(unlink, path_of(x, &c->arg[0])));
}

void run_rename(struct exec *x, const struct call *c)
{
	say_result(x, SYS(rename, path_of(x, &c->arg[0]), path_of(x, &c->arg[1])));
}

void run_link(struct exec *x, const struct call *c)
{
	say_result(x, SYS(link, path_of(x, &c->arg[0]), path_of(x, &c->arg[1])));
}

void run_symlink(struct exec *x, const struct call *c)
{
	say_result(x, SYS(symlink, path_of(x, &c->arg[0]), path_of(x, &c->arg[1])));
}

void run_chmod(struct exec *x, const struct call *c)
{
	say_result(x, SYS(chmod, path_of(x, &c->arg[0]), (int)c->arg[1].v[0]));
}

void run_mkdir(struct exec *x, const struct call *c)
{
	say_result(x, SYS(mkdir, path_of(x, &c->arg[0]), (int)c->arg[1].v[0]));
}

void run_rmdir(struct exec *x, const struct call *c)
{
	say_result(x, SYS(rmdir, path_of(x, &c->arg[0])));
}

/* A socket file that nobody is bound to. */
void run_mknod(struct exec *x, const struct call *c)
{
	say_result(x, SYS(mknod, path_of(x, &c->arg[0]), S_IFSOCK | (int)c->arg[1].v[0], 0));
}

void run_umask(struct exec *x, const struct call *c)
{
	say_result(x, SYS(umask, (int)c->arg[0].v[0]));
}

/* n P O */
void run_open(struct exec *x, const struct call *c)
{
	long fd = SYS(open, path_of(x, &c->arg[1]), (int)c->arg[2].v[0], 0644);

	say_result(x, fd);
	if (fd >= 0)
		new_file(x, c->arg[0].v[0], fd);
}

void run_stat(struct exec *x, const struct call *c)
{
	struct stat st = {};
	long ret = result_of(lstat(path_of(x, &c->arg[0]), &st));

	say_result(x, ret);
	if (!ret)
		say(x, " mode %o links %lu uid %u", st.st_mode, (unsigned long)st.st_nlink, st.st_uid);
}

void run_fstat(struct exec *x, const struct call *c)
{
	struct stat st = {};
	long ret = result_of(fstat(fd_of(x, c->arg[0].v[0]), &st));

	say_result(x, ret);
	if (!ret)
		say(x, " mode %o links %lu size %ld uid %u", st.st_mode, (unsigned long)st.st_nlink,
		    (long)st.st_size, st.st_uid);
}

void run_fchmod(struct exec *x, const struct call *c)
{
	say_result(x, SYS(fchmod, fd_of(x, c->arg[0].v[0]), (int)c->arg[1].v[0]));
}

void run_lseek(struct exec *x, const struct call *c)
{
	say_result(x, SYS(lseek, fd_of(x, c->arg[0].v[0]), 0L, SEEK_SET));
}

/* n n */
void run_pipe(struct exec *x, const struct call *c)
{
	int fd[2] = { -1, -1 };
	long ret = SYS(pipe2, fd, O_NONBLOCK);

	say_result(x, ret);
	if (ret)
		return;
	say(x, " %d %d", fd[0], fd[1]);
	new_file(x, c->arg[0].v[0], fd[0]);
	new_file(x, c->arg[1].v[0], fd[1]);
}

/* s w z: from a socket into a pipe */
void run_splice_out(struct exec *x, const struct call *c)
{
	say_result(x, SYS(splice, fd_of(x, c->arg[0].v[0]), NULL, fd_of(x, c->arg[1].v[0]), NULL,
			  c->arg[2].v[0], c->thread ? 0 : 2));
}

/* r s z: from a pipe into a socket */
void run_splice_in(struct exec *x, const struct call *c)
{
	say_result(x, SYS(splice, fd_of(x, c->arg[0].v[0]), NULL, fd_of(x, c->arg[1].v[0]), NULL,
			  c->arg[2].v[0], c->thread ? 0 : 2));
}

/* s F z */
void run_sendfile(struct exec *x, const struct call *c)
{
	say_result(x, SYS(sendfile, fd_of(x, c->arg[0].v[0]), fd_of(x, c->arg[1].v[0]), NULL,
			  c->arg[2].v[0]));
}
