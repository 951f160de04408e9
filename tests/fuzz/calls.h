/* SPDX-License-Identifier: GPL-2.0 */
/* What the calls share. */
#ifndef FUZZ_CALLS_H
#define FUZZ_CALLS_H

#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuzz.h"

/* The call itself, past what a C library would make of bad pointers. */
#define SYS(name, ...) result_of(syscall(SYS_##name, ##__VA_ARGS__))

static inline long result_of(long ret)
{
	return ret == -1 ? -errno : ret;
}

/* --- material.c: arguments as the kernel wants them --------------------------- */

struct address {
	void *p;
	/* As told to the kernel. */
	int len;
};

struct out {
	unsigned char *p;
	size_t real;
	int *len;
};

struct vector {
	struct iovec *p;
	int n;
	unsigned long count;
	struct {
		unsigned char *p;
		size_t len, real;
	} part[IOV_MAX_PARTS];
};

int fd_of(const struct exec *x, long slot);
void new_socket(struct exec *x, long slot, int fd);
void new_file(struct exec *x, long slot, int fd);
struct address address_of(struct exec *x, const struct arg *a);
struct out out_of(struct exec *x, const struct arg *a);
const void *source_of(struct exec *x, const long *buf);
struct vector vector_of(struct exec *x, const struct arg *a, bool source);

/* --- tell.c: results in words --------------------------------------------------- */

void say_result(struct exec *x, long ret);
/* What @ret bytes of result are in a buffer, and whether more of it was touched. */
void say_buffer(struct exec *x, long ret, unsigned char *p, size_t real);
void say_vector(struct exec *x, long ret, const struct vector *v);
/* A name as a call handed it out: @len is the length it told, @room what was there. */
void say_name(struct exec *x, unsigned char *p, long len, size_t room);
void say_out_name(struct exec *x, long ret, const struct out *o, const struct arg *a);
/* Tells of bytes behind a result that were written to, and makes all as it was. */
void say_rest(struct exec *x, unsigned char *p, size_t done, size_t real);
void say_pid(struct exec *x, int pid);

/* --- call_*.c --------------------------------------------------------------------- */

#define CALL(name) void run_##name(struct exec *x, const struct call *c)
CALL(socket);
CALL(socketpair);
CALL(bind);
CALL(connect);
CALL(listen);
CALL(accept);
CALL(getsockname);
CALL(getpeername);
CALL(shutdown);
CALL(close);
CALL(dup);
CALL(send);
CALL(sendto);
CALL(recv);
CALL(recvfrom);
CALL(write);
CALL(read);
CALL(writev);
CALL(readv);
CALL(sendmsg);
CALL(sendmsg_to);
CALL(recvmsg);
CALL(sendmmsg);
CALL(recvmmsg);
CALL(poll);
CALL(epoll_create);
CALL(epoll_ctl);
CALL(epoll_wait);
CALL(setsockopt);
CALL(getsockopt);
CALL(filter);
CALL(ioctl);
CALL(fcntl);
CALL(unlink);
CALL(rename);
CALL(link);
CALL(symlink);
CALL(chmod);
CALL(mkdir);
CALL(rmdir);
CALL(mknod);
CALL(umask);
CALL(open);
CALL(stat);
CALL(fstat);
CALL(fchmod);
CALL(lseek);
CALL(pipe);
CALL(splice_out);
CALL(splice_in);
CALL(sendfile);
#undef CALL

#endif
