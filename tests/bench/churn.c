// SPDX-License-Identifier: GPL-2.0
/* Making and closing sockets, names and connections. */
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

static void run_pair(struct job *job, long ops)
{
	int fd[2];

	while (ops--) {
		if (job->subject->kind == KIND_PIPE ? pipe(fd) :
		    socketpair(job->subject->family, job->type, 0, fd))
			give_up("socketpair");
		close(fd[0]);
		close(fd[1]);
	}
}

/* The first message of a pair meets queues that have nothing yet. */
static void run_life(struct job *job, long ops)
{
	while (ops--) {
		open_pair(job);
		send_all(&job->a, job->buf, job->size);
		recv_all(&job->b, job->buf2, job->size);
		close(job->a.wr);
		close(job->b.rd);
	}
}

static void run_socket(struct job *job, long ops)
{
	while (ops--)
		close(open_socket(job));
}

static void setup_socket(struct job *job)
{
	close(open_socket(job));
}

static void run_bind(struct job *job, struct name *name, bool path, long ops)
{
	while (ops--) {
		int fd = open_socket(job);

		if (bind(fd, &name->sa, name->len))
			give_up("bind");
		close(fd);
		if (path)
			unlink(name->un.path);
	}
}

static void run_bind_path(struct job *job, long ops)
{
	struct name name = path_name(job, "churn");

	run_bind(job, &name, true, ops);
}

static void run_bind_abstract(struct job *job, long ops)
{
	struct name name = abstract_name(job, "churn");

	run_bind(job, &name, false, ops);
}

/* --- connections --- */

static void setup_listener(struct job *job, struct name name)
{
	struct name *to = malloc(sizeof(*to));

	*to = name;
	job->priv = to;
	job->fds[0] = open_socket(job);
	if (bind(job->fds[0], &to->sa, to->len))
		give_up("bind");
	if (listen(job->fds[0], 128))
		give_up("listen");
	if (job->subject->kind == KIND_TCP)
		getsockname(job->fds[0], &to->sa, &to->len);
}

static void setup_listener_path(struct job *job)
{
	setup_listener(job, path_name(job, "listener"));
}

static void setup_listener_abstract(struct job *job)
{
	setup_listener(job, job->subject->kind == KIND_TCP ? tcp_name() :
		       abstract_name(job, "listener"));
}

static int connect_to(struct job *job)
{
	struct name *to = job->priv;
	int fd = open_socket(job);

	if (connect(fd, &to->sa, to->len))
		give_up("connect");
	return fd;
}

static void run_connect(struct job *job, long ops)
{
	while (ops--) {
		int fd = connect_to(job);
		int accepted = accept(job->fds[0], NULL, NULL);

		if (accepted < 0)
			give_up("accept");
		close(fd);
		close(accepted);
	}
}

static void serve_connections(struct job *job, int member, long ops)
{
	(void)member, (void)ops;
	for (;;) {
		struct end end = { .kind = job->subject->kind };

		end.rd = end.wr = accept(job->fds[0], NULL, NULL);
		if (end.rd < 0)
			give_up("accept");
		recv_all(&end, job->buf2, job->size);
		send_all(&end, job->buf2, job->size);
		close(end.rd);
	}
}

static void setup_server_path(struct job *job)
{
	setup_listener_path(job);
	crew_serve(job, 1, serve_connections);
}

static void setup_server_abstract(struct job *job)
{
	setup_listener_abstract(job);
	crew_serve(job, 1, serve_connections);
}

static void run_request(struct job *job, long ops)
{
	while (ops--) {
		struct end end = { .kind = job->subject->kind };

		end.rd = end.wr = connect_to(job);
		send_all(&end, job->buf, job->size);
		recv_all(&end, job->buf2, job->size);
		close(end.rd);
	}
}

static const size_t none[] = { 0 };
static const size_t small[] = { 64, 0 };

const struct workload churn[] = {
	{ "pair", "socketpair and two times close", ALL_TYPES, PIPE,
	  none, NULL, run_pair, .patience = 4 },
	{ "life", "socketpair, one message, two times close", ALL_TYPES, 0,
	  small, NULL, run_life, .patience = 4 },
	{ "socket", "socket and close", ALL_TYPES, TCP,
	  none, setup_socket, run_socket, .patience = 4 },
	{ "bind-path", "socket, bind to a pathname, close, unlink", ALL_TYPES, 0,
	  none, setup_socket, run_bind_path, .patience = 4 },
	{ "bind-abstract", "socket, bind to an abstract name, close", ALL_TYPES, 0,
	  none, setup_socket, run_bind_abstract, .patience = 4 },
	{ "conn-path", "connect to a pathname, accept, two times close", STREAM | SEQPACKET,
	  0, none, setup_listener_path, run_connect, .patience = 4 },
	{ "conn-abstract", "connect to an abstract name, accept, two times close",
	  STREAM | SEQPACKET, TCP, none, setup_listener_abstract, run_connect, .patience = 4 },
	{ "req-path", "a connection to another process's pathname, 64 bytes and back",
	  STREAM | SEQPACKET, 0, small, setup_server_path, run_request, .patience = 4 },
	{ "req-abstract", "a connection to another process's abstract name, 64 bytes and back",
	  STREAM | SEQPACKET, TCP, small, setup_server_abstract, run_request, .patience = 4 },
	{ }
};
