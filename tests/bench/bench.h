/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of the bench share. A workload is a way of using a channel; a
 * subject is what the channel is made of: a socket family, or one of the
 * landmarks (pipe, TCP over loopback, a ring in shared memory).
 */
#ifndef _RUNIX_BENCH_H
#define _RUNIX_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum kind { KIND_FAMILY, KIND_PIPE, KIND_TCP, KIND_SHM };

struct subject {
	const char *name;
	enum kind kind;
	int family;
};

/* Masks of workloads: socket types, landmarks. */
#define STREAM		1
#define SEQPACKET	2
#define DGRAM		4
#define ALL_TYPES	(STREAM | SEQPACKET | DGRAM)
#define PIPE		1
#define TCP		2
#define SHM		4

struct ring;

/* One end of a channel, as one process sees it. */
struct end {
	enum kind kind;
	int rd, wr;
	struct ring *from, *to;
};

struct crew;

/* One workload, with one type and size, on one subject. */
struct job {
	const struct subject *subject;
	int type;		/* SOCK_* */
	size_t size;
	char *buf;		/* MAX_SIZE bytes */
	char *buf2;
	struct end a, b;
	int fds[8];		/* whatever else a workload opens */
	char name[108];		/* a name to bind to */
	struct crew *crew;
	void *priv;
};

#define MAX_SIZE	(1 << 20)

struct workload {
	const char *name;
	const char *what;
	unsigned int types;
	unsigned int landmarks;
	const size_t *sizes;	/* ends with 0; the size 0 alone is no size */
	void (*setup)(struct job *job);
	void (*run)(struct job *job, long ops);
	/* Instead of run: bytes of memory. */
	double (*measure)(struct job *job);
	long granule;		/* ops come in multiples of it */
	long least_ops;
	size_t least_bytes;	/* that pass through the channel in one repetition */
	int patience;		/* how many times the usual time is spent */
};

extern const struct workload one_process[], two_processes[], churn[], memory[];

/* Ends the job: with a reason to skip it, or as a failure. */
void skip_job(const char *format, ...)
	__attribute__((format(printf, 1, 2), noreturn));
void fail_job(const char *what) __attribute__((noreturn));
/* errno tells whether the family has not got it or it went wrong. */
void give_up(const char *what) __attribute__((noreturn));

/* --- channels (channel.c) --- */
void open_pair(struct job *job);
int open_socket(struct job *job);
void raise_buffers(int fd, size_t size);
void send_all(struct end *end, const char *buf, size_t size);
void recv_all(struct end *end, char *buf, size_t size);
/* One read of at most `size` bytes. */
size_t recv_some(struct end *end, char *buf, size_t size);

/* A socket address of the job's family. */
struct name {
	union {
		struct sockaddr sa;
		struct {
			sa_family_t family;
			char path[108];
		} un;
		struct sockaddr_storage storage;
	};
	socklen_t len;
};

struct name path_name(struct job *job, const char *tail);
struct name abstract_name(struct job *job, const char *tail);
struct name tcp_name(void);

/* --- helpers that run beside the measuring process (crew.c) --- */
typedef void (*crew_fn)(struct job *job, int member, long ops);

/* `serve` runs once without being told to go, for helpers that only answer. */
void crew_serve(struct job *job, int members, crew_fn fn);
/* `fn` runs each time crew_go() is called, with the number given there. */
void crew_start(struct job *job, int members, crew_fn fn);
void crew_go(struct job *job, long ops);
void crew_wait(struct job *job, int members);

#endif
