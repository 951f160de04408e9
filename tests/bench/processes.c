// SPDX-License-Identifier: GPL-2.0
/* Two processes and more: switches and wake-ups as well as the data path. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

/* --- ping-pong: an operation is a round trip --- */

static void serve_echo(struct job *job, int member, long ops)
{
	(void)member, (void)ops;
	for (;;) {
		recv_all(&job->b, job->buf2, job->size);
		send_all(&job->b, job->buf2, job->size);
	}
}

static void setup_pingpong(struct job *job)
{
	open_pair(job);
	crew_serve(job, 1, serve_echo);
}

static void run_pingpong(struct job *job, long ops)
{
	while (ops--) {
		send_all(&job->a, job->buf, job->size);
		recv_all(&job->a, job->buf2, job->size);
	}
}

/* --- one way: an operation is a message --- */

static void send_many(struct job *job, int member, long ops)
{
	(void)member;
	while (ops--)
		send_all(&job->a, job->buf, job->size);
}

static void setup_oneway(struct job *job)
{
	open_pair(job);
	crew_start(job, 1, send_many);
}

static void receive_total(struct job *job, size_t total, size_t ask)
{
	while (total) {
		size_t n = recv_some(&job->b, job->buf2, total < ask ? total : ask);

		total -= n;
	}
}

static void run_oneway(struct job *job, long ops)
{
	crew_go(job, ops);
	receive_total(job, ops * job->size, job->size);
	crew_wait(job, 1);
}

static void run_oneway_large(struct job *job, long ops)
{
	crew_go(job, ops);
	receive_total(job, ops * job->size, 65536);
	crew_wait(job, 1);
}

/* --- many senders, one receiver --- */

#define SENDERS 8

static void send_many_connected(struct job *job, int member, long ops)
{
	struct name *name = job->priv;

	if (name && !job->a.wr) {
		job->a.kind = job->subject->kind;
		job->a.wr = open_socket(job);
		if (connect(job->a.wr, &name->sa, name->len))
			give_up("connect");
	}
	send_many(job, member, ops);
}

/*
 * Connections are shared by the senders. Datagrams come from sockets of their own, each
 * connected to the receiver's name: where the receiver is not connected back, there is a
 * limit on what waits for it.
 */
static void setup_many(struct job *job)
{
	struct name *name = malloc(sizeof(*name));

	if (job->type != SOCK_DGRAM) {
		open_pair(job);
	} else {
		*name = abstract_name(job, "many");
		job->b.kind = job->subject->kind;
		job->b.rd = open_socket(job);
		if (bind(job->b.rd, &name->sa, name->len))
			give_up("bind");
		job->priv = name;
	}
	crew_start(job, SENDERS, send_many_connected);
}

static void run_many(struct job *job, long ops)
{
	crew_go(job, ops / SENDERS);
	receive_total(job, ops * job->size, job->size);
	crew_wait(job, SENDERS);
}

/* --- groups, after hackbench: each sender of a group writes to each receiver --- */

#define GROUPS	2
#define HALF	10	/* senders, and receivers, in a group */

static void work_in_group(struct job *job, int member, long ops)
{
	int group = member / (2 * HALF), place = member % (2 * HALF);
	struct end (*pairs)[2] = (struct end (*)[2])job->priv + group * HALF;
	long rounds = ops / (GROUPS * HALF * HALF);

	if (place < HALF) {
		for (long left = rounds * HALF; left; left--)
			recv_all(&pairs[place][1], job->buf2, job->size);
		return;
	}
	while (rounds--)
		for (int i = 0; i < HALF; i++)
			send_all(&pairs[i][0], job->buf, job->size);
}

static void setup_groups(struct job *job)
{
	struct end (*pairs)[2] = calloc(GROUPS * HALF, sizeof(*pairs));

	for (int i = 0; i < GROUPS * HALF; i++) {
		open_pair(job);
		pairs[i][0] = job->a;
		pairs[i][1] = job->b;
	}
	job->priv = pairs;
	crew_start(job, GROUPS * HALF * 2, work_in_group);
}

static void run_groups(struct job *job, long ops)
{
	crew_go(job, ops);
	crew_wait(job, GROUPS * HALF * 2);
}

/* --- an echo server with many connections --- */

#define CONNECTIONS	1000
#define EVENTS		64

static void serve_epoll(struct job *job, int member, long ops)
{
	struct end (*pairs)[2] = job->priv;
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(0);

	(void)member, (void)ops;
	for (int i = 0; i < CONNECTIONS; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, pairs[i][1].rd, &event))
			give_up("epoll_ctl");
	}
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			struct end *end = &pairs[events[i].data.u32][1];
			size_t size = recv_some(end, job->buf2, 4096);

			send_all(end, job->buf2, size);
		}
	}
}

static void setup_epoll(struct job *job)
{
	struct end (*pairs)[2] = calloc(CONNECTIONS, sizeof(*pairs));
	struct rlimit limit = { 8 * CONNECTIONS, 8 * CONNECTIONS };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		skip_job("RLIMIT_NOFILE: %s", strerror(errno));
	for (int i = 0; i < CONNECTIONS; i++) {
		open_pair(job);
		pairs[i][0] = job->a;
		pairs[i][1] = job->b;
	}
	job->priv = pairs;
	crew_serve(job, 1, serve_epoll);
}

static void run_epoll(struct job *job, long ops)
{
	struct end (*pairs)[2] = job->priv;

	for (; ops > 0; ops -= CONNECTIONS) {
		for (int i = 0; i < CONNECTIONS; i++)
			send_all(&pairs[i][0], job->buf, job->size);
		for (int i = 0; i < CONNECTIONS; i++)
			recv_all(&pairs[i][0], job->buf2, job->size);
	}
}

static const size_t round_trips[] = { 1, 64, 1024, 4096, 65536, 0 };
static const size_t messages[] = { 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 0 };
static const size_t into_large[] = { 64, 4096, 0 };
static const size_t small[] = { 64, 0 };
static const size_t hundred[] = { 100, 0 };

const struct workload two_processes[] = {
	{ "pingpong", "round trip between two processes on one CPU", ALL_TYPES,
	  PIPE | TCP | SHM, round_trips, setup_pingpong, run_pingpong, .patience = 2 },
	{ "oneway", "one process sends, one receives", ALL_TYPES, PIPE | TCP | SHM,
	  messages, setup_oneway, run_oneway, .least_ops = 32, .least_bytes = 1 << 20,
	  .patience = 2 },
	{ "oneway-64k", "the same, the receiver asks for 64 KiB", STREAM, PIPE | TCP | SHM,
	  into_large, setup_oneway, run_oneway_large, .least_bytes = 1 << 20, .patience = 2 },
	{ "many", "8 processes send to one", ALL_TYPES, PIPE,
	  small, setup_many, run_many, .granule = SENDERS, .least_ops = 8192 },
	{ "groups", "40 processes in 2 groups, each sender to each receiver", ALL_TYPES,
	  PIPE | TCP, hundred, setup_groups, run_groups,
	  .granule = GROUPS * HALF * HALF, .least_ops = 100 * GROUPS * HALF * HALF },
	{ "epoll", "echo server with 1000 connections", ALL_TYPES, PIPE | TCP,
	  small, setup_epoll, run_epoll, .granule = CONNECTIONS, .least_ops = 4 * CONNECTIONS },
	{ }
};
