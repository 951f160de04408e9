// SPDX-License-Identifier: GPL-2.0
/* The table of calls: name, arguments, how often. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"

const struct op ops[] = {
	{ "socket", "ntp", 40, run_socket },
	{ "socketpair", "nntp", 15, run_socketpair },
	{ "bind", "sa", 50, run_bind },
	{ "connect", "sa", 60, run_connect },
	{ "listen", "sk", 25, run_listen },
	{ "accept4", "nsAg", 40, run_accept },
	{ "getsockname", "sA", 12, run_getsockname },
	{ "getpeername", "sA", 12, run_getpeername },
	{ "shutdown", "sh", 25, run_shutdown },
	{ "close", "s", 30, run_close },
	{ "dup", "ns", 6, run_dup },
	{ "send", "sbm", 60, run_send },
	{ "sendto", "sbma", 40, run_sendto },
	{ "recv", "sBM", 50, run_recv },
	{ "recvfrom", "sBMA", 40, run_recvfrom },
	{ "write", "sb", 25, run_write },
	{ "read", "sB", 25, run_read },
	{ "writev", "sv", 12, run_writev },
	{ "readv", "sV", 12, run_readv },
	{ "sendmsg", "svcm", 40, run_sendmsg },
	{ "sendmsg_to", "svacm", 20, run_sendmsg_to },
	{ "recvmsg", "nsVACM", 50, run_recvmsg },
	{ "sendmmsg", "sbbm", 10, run_sendmmsg },
	{ "recvmmsg", "sBBM", 10, run_recvmmsg },
	{ "poll", "l", 50, run_poll },
	{ "epoll_create", "n", 6, run_epoll_create },
	{ "epoll_ctl", "Ese", 20, run_epoll_ctl },
	{ "epoll_wait", "E", 25, run_epoll_wait },
	{ "setsockopt", "sox", 30, run_setsockopt },
	{ "getsockopt", "soX", 30, run_getsockopt },
	{ "attach_filter", "sK", 3, run_filter },
	{ "ioctl", "si", 30, run_ioctl },
	{ "fcntl", "sf", 18, run_fcntl },
	{ "unlink", "P", 8, run_unlink },
	{ "rename", "PP", 5, run_rename },
	{ "link", "PP", 4, run_link },
	{ "symlink", "PP", 2, run_symlink },
	{ "chmod", "Pu", 4, run_chmod },
	{ "mkdir", "Pu", 1, run_mkdir },
	{ "rmdir", "P", 1, run_rmdir },
	{ "mknod_socket", "Pu", 1, run_mknod },
	{ "umask", "u", 2, run_umask },
	{ "open", "nPO", 4, run_open },
	{ "lstat", "P", 8, run_stat },
	{ "fstat", "s", 3, run_fstat },
	{ "fchmod", "su", 2, run_fchmod },
	{ "lseek", "s", 1, run_lseek },
	{ "pipe2", "nn", 3, run_pipe },
	{ "splice_out", "swz", 5, run_splice_out },
	{ "splice_in", "rsz", 5, run_splice_in },
	{ "sendfile", "sFz", 4, run_sendfile },
};
const int n_ops = sizeof(ops) / sizeof(ops[0]);

int op_named(const char *name)
{
	for (int i = 0; i < n_ops; i++)
		if (!strcmp(ops[i].name, name))
			return i;
	abort();
}

/* As it would stand in a C program, more or less. */
void print_call(char *out, size_t size, const struct call *c)
{
	const struct op *op = &ops[c->op];
	const char *sep = "";
	size_t used;
	int i = 0;

	out[0] = 0;
	if (c->thread)
		snprintf(out, size, "thread %d: ", c->thread);
	/* New descriptors stand on the left. */
	for (; op->sig[i] == 'n'; i++) {
		used = strlen(out);
		snprintf(out + used, size - used, "%ss%ld", i ? ", " : "", c->arg[i].v[0]);
	}
	used = strlen(out);
	snprintf(out + used, size - used, "%s%s(", i ? " = " : "", op->name);
	if (strchr(op->sig, 't')) {
		used = strlen(out);
		snprintf(out + used, size - used, "F, ");
	}
	for (; op->sig[i]; i++) {
		used = strlen(out);
		snprintf(out + used, size - used, "%s", sep);
		kind_of(op->sig[i])->print(out, size, &c->arg[i]);
		sep = ", ";
	}
	used = strlen(out);
	snprintf(out + used, size - used, ")");
}
