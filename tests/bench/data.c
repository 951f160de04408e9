// SPDX-License-Identifier: GPL-2.0
/*
 * One process sends to itself: the price of the data path without a switch.
 * An operation is a message sent and received.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"

static void run_sr(struct job *job, long ops)
{
	while (ops--) {
		send_all(&job->a, job->buf, job->size);
		recv_all(&job->b, job->buf2, job->size);
	}
}

static void run_rw(struct job *job, long ops)
{
	while (ops--) {
		if (write(job->a.wr, job->buf, job->size) != (ssize_t)job->size)
			give_up("write");
		if (read(job->b.rd, job->buf2, job->size) != (ssize_t)job->size)
			give_up("read");
	}
}

static void run_msg(struct job *job, long ops)
{
	while (ops--) {
		struct iovec out = { job->buf, job->size }, in = { job->buf2, job->size };
		struct msghdr to = { .msg_iov = &out, .msg_iovlen = 1 };
		struct msghdr from = { .msg_iov = &in, .msg_iovlen = 1 };

		if (sendmsg(job->a.wr, &to, 0) != (ssize_t)job->size)
			give_up("sendmsg");
		if (recvmsg(job->b.rd, &from, 0) != (ssize_t)job->size)
			give_up("recvmsg");
	}
}

#define BATCH 8

static void run_mmsg(struct job *job, long ops)
{
	struct mmsghdr to[BATCH], from[BATCH];
	struct iovec out[BATCH], in[BATCH];

	memset(to, 0, sizeof(to));
	memset(from, 0, sizeof(from));
	for (int i = 0; i < BATCH; i++) {
		out[i] = (struct iovec){ job->buf, job->size };
		in[i] = (struct iovec){ job->buf2 + i * job->size, job->size };
		to[i].msg_hdr = (struct msghdr){ .msg_iov = out + i, .msg_iovlen = 1 };
		from[i].msg_hdr = (struct msghdr){ .msg_iov = in + i, .msg_iovlen = 1 };
	}
	for (; ops > 0; ops -= BATCH) {
		if (sendmmsg(job->a.wr, to, BATCH, 0) != BATCH)
			give_up("sendmmsg");
		if (recvmmsg(job->b.rd, from, BATCH, 0, NULL) != BATCH)
			give_up("recvmmsg");
	}
}

/* --- credentials and descriptors --- */

union control {
	struct cmsghdr align;
	char buf[256];
};

static void setup_creds(struct job *job)
{
	int one = 1;

	open_pair(job);
	if (setsockopt(job->b.rd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)))
		give_up("SO_PASSCRED");
}

static ssize_t recv_control(struct job *job, union control *control, struct msghdr *from)
{
	struct iovec in = { job->buf2, job->size };

	*from = (struct msghdr){
		.msg_iov = &in, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(*control),
	};
	return recvmsg(job->b.rd, from, 0);
}

static void run_creds(struct job *job, long ops)
{
	union control control;
	struct msghdr from;

	while (ops--) {
		if (send(job->a.wr, job->buf, job->size, 0) != (ssize_t)job->size)
			give_up("send");
		if (recv_control(job, &control, &from) != (ssize_t)job->size)
			give_up("recvmsg");
		if (control.align.cmsg_type != SCM_CREDENTIALS)
			fail_job("no credentials arrived");
	}
}

/* The size of these workloads is the number of descriptors; one byte goes with them. */
static void run_fds(struct job *job, long ops)
{
	size_t fds = job->size;
	union control out = { .align = {
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(fds * sizeof(int)),
	} }, in;
	struct iovec byte = { job->buf, 1 };
	struct msghdr to = {
		.msg_iov = &byte, .msg_iovlen = 1,
		.msg_control = &out, .msg_controllen = CMSG_SPACE(fds * sizeof(int)),
	};
	struct msghdr from;
	int *fd = (int *)CMSG_DATA(&out.align);

	for (size_t i = 0; i < fds; i++)
		fd[i] = job->fds[0];
	fd = (int *)CMSG_DATA(&in.align);
	while (ops--) {
		if (sendmsg(job->a.wr, &to, 0) != 1)
			give_up("sendmsg of descriptors");
		if (recv_control(job, &in, &from) < 1)
			give_up("recvmsg of descriptors");
		if (from.msg_controllen < CMSG_LEN(fds * sizeof(int)))
			fail_job("no descriptors arrived");
		for (size_t i = 0; i < fds; i++)
			close(fd[i]);
	}
}

static void setup_fds(struct job *job)
{
	open_pair(job);
	job->fds[0] = open("/dev/null", O_RDWR);
	/* A family that cannot do it has its own ways to say so. */
	errno = 0;
	run_fds(job, 1);
}

/* --- sendfile --- */

static void setup_sendfile(struct job *job)
{
	open_pair(job);
	job->fds[0] = memfd_create("bench", 0);
	if (write(job->fds[0], job->buf, job->size) != (ssize_t)job->size)
		fail_job("memfd");
}

static void run_sendfile(struct job *job, long ops)
{
	while (ops--) {
		off_t at = 0;

		if (sendfile(job->a.wr, job->fds[0], &at, job->size) != (ssize_t)job->size)
			give_up("sendfile");
		recv_all(&job->b, job->buf2, job->size);
	}
}

/* --- by name --- */

static void setup_name(struct job *job, struct name name)
{
	struct name *to = malloc(sizeof(*to));

	*to = name;
	job->priv = to;
	job->fds[0] = open_socket(job);
	job->fds[1] = open_socket(job);
	if (bind(job->fds[0], &to->sa, to->len))
		give_up("bind");
}

static void setup_path(struct job *job)
{
	setup_name(job, path_name(job, "to"));
}

static void setup_abstract(struct job *job)
{
	setup_name(job, abstract_name(job, "to"));
}

static void run_name(struct job *job, long ops)
{
	struct name *to = job->priv;

	while (ops--) {
		if (sendto(job->fds[1], job->buf, job->size, 0, &to->sa, to->len) !=
		    (ssize_t)job->size)
			give_up("sendto");
		if (recv(job->fds[0], job->buf2, job->size, 0) != (ssize_t)job->size)
			give_up("recv");
	}
}

static const size_t all_sizes[] = { 1, 64, 256, 1024, 4096, 16384, 65536, 0 };
static const size_t one_byte[] = { 1, 0 };
static const size_t small[] = { 64, 0 };
static const size_t large[] = { 65536, 0 };
static const size_t descriptors[] = { 1, 10, 0 };

const struct workload one_process[] = {
	{ "sr", "send, then receive, in one process", ALL_TYPES, PIPE | TCP | SHM,
	  all_sizes, open_pair, run_sr },
	{ "rw", "the same with write and read", ALL_TYPES, PIPE, one_byte, open_pair, run_rw },
	{ "msg", "the same with sendmsg and recvmsg", ALL_TYPES, TCP,
	  one_byte, open_pair, run_msg },
	{ "mmsg", "the same with sendmmsg and recvmmsg of 8, each", ALL_TYPES, 0,
	  small, open_pair, run_mmsg, .granule = BATCH },
	{ "creds", "the same with SO_PASSCRED on", ALL_TYPES, 0, small, setup_creds, run_creds },
	{ "fds", "SCM_RIGHTS: so many descriptors, closed by the receiver", ALL_TYPES, 0,
	  descriptors, setup_fds, run_fds },
	{ "sendfile", "sendfile, then receive", STREAM, 0, large, setup_sendfile, run_sendfile },
	{ "to-path", "sendto a pathname, then receive", DGRAM, 0, small, setup_path, run_name },
	{ "to-abstract", "sendto an abstract name, then receive", DGRAM, 0,
	  small, setup_abstract, run_name },
	{ }
};
