// SPDX-License-Identifier: GPL-2.0
/* Faults in the calls that send and receive: bytes, packets, descriptors, credentials. */

#include "inject.h"

#include <sys/sendfile.h>

EVERY_FIXTURE(inject_data);

/* Only so many bytes, which are right, wait at @fd; packets are received whole. */
static const char *holds(struct scene *s, int fd, long want)
{
	static char got[MOST_BYTES];
	long have = 0;

	while (have < want) {
		long ret = rc(recv(fd, got, sizeof(got), MSG_DONTWAIT));

		if (ret <= 0)
			return "bytes are lost";
		if (pat_good(got, have, ret) != (size_t)ret)
			return "wrong bytes";
		have += ret;
		if (s->type != SOCK_STREAM && have < want)
			return "a packet is cut";
	}
	if (have != want || rc(recv(fd, got, 1, MSG_DONTWAIT)) != -EAGAIN)
		return "more bytes than were sent";
	return NULL;
}

/* --- sending ------------------------------------------------------------ */

static void with_message(struct scene *s)
{
	pat_fill(s->buf, 0, s->len);
}

static long run_send(struct scene *s)
{
	return send(s->fd[0], s->buf, s->len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static const char *after_send(struct scene *s, long ret)
{
	if (ret > 0 && s->type != SOCK_STREAM && ret != s->len)
		return "a packet in part";
	return holds(s, s->fd[1], ret < 0 ? 0 : ret);
}

static void with_unread(struct scene *s)
{
	with_message(s);
	send(s->fd[0], s->buf, 700, MSG_DONTWAIT);
	pat_fill(s->buf, 700, s->len);
}

static const char *after_send_unread(struct scene *s, long ret)
{
	return holds(s, s->fd[1], 700 + (ret < 0 ? 0 : ret));
}

static void with_named(struct scene *s)
{
	s->name = path_name(s->family, "to");
	unlink("to");
	s->other[0] = bound(s->family, s->type, &s->name);
	s->made = socket(s->family, s->type, 0);
	setint(s->made, SO_PASSCRED, 1);
	with_message(s);
}

static long run_sendto(struct scene *s)
{
	return sendto(s->made, s->buf, s->len, MSG_DONTWAIT, &s->name.sa, s->name.len);
}

static const char *after_sendto(struct scene *s, long ret)
{
	return holds(s, s->other[0], ret < 0 ? 0 : ret);
}

static long run_sendmmsg(struct scene *s)
{
	PACKET(p, s->buf, s->len);
	struct mmsghdr v[2] = { { .msg_hdr = p.h }, { .msg_hdr = p.h } };
	int ret = sendmmsg(s->fd[0], v, 2, MSG_DONTWAIT);

	return ret < 0 ? ret : (long)ret * s->len;
}

/* The same message twice: the pattern begins anew. */
static const char *after_sendmmsg(struct scene *s, long ret)
{
	char got[512];

	for (; ret > 0; ret -= s->len)
		if (recv(s->fd[1], got, s->len, MSG_DONTWAIT) != s->len ||
		    pat_good(got, 0, s->len) != (size_t)s->len)
			return "a message is lost";
	/* One that went out but could not be told of is there, whole. */
	while ((ret = recv(s->fd[1], got, s->len, MSG_DONTWAIT)) >= 0)
		if (ret != s->len)
			return "a message in part";
	return NULL;
}

/* --- descriptors and credentials ----------------------------------------- */

/* The write end of a pipe, several times, and with it a socket of the family. */
static long run_send_fds(struct scene *s)
{
	struct control c = {};
	int fds[MAX_FDS], i;

	for (i = 0; i < s->nr_fds; i++)
		fds[i] = i == 1 ? s->fd[1] : s->pipe[1];
	add_fds(&c, fds, s->nr_fds);
	return send_control(s->fd[0], s->buf, s->len, MSG_DONTWAIT, &c) < 0 ? -1 : s->len;
}

static const char *get_them(struct scene *s, int fd, int want)
{
	static char got[MOST_BYTES];
	struct control c;
	int fds[MAX_FDS], n, i, bad = 0;
	long ret;

	ret = recv_all(fd, got, sizeof(got), &c);
	if (ret != s->len || pat_good(got, 0, ret) != (size_t)ret)
		return "the message is lost";
	n = get_fds(&c, fds);
	for (i = 0; i < n; i++) {
		bad += !same_file(fds[i], i == 1 ? s->fd[1] : s->pipe[1]);
		close(fds[i]);
	}
	return n != want ? "descriptors are lost" : bad ? "other descriptors" : NULL;
}

static const char *after_send_fds(struct scene *s, long ret)
{
	return ret < 0 ? holds(s, s->fd[1], 0) : get_them(s, s->fd[1], s->nr_fds);
}

static void with_creds(struct scene *s)
{
	with_message(s);
	setint(s->fd[1], SO_PASSCRED, 1);
}

static long run_send_creds(struct scene *s)
{
	struct control c = {};

	add_creds(&c, getpid(), getuid(), getgid());
	return send_control(s->fd[0], s->buf, s->len, MSG_DONTWAIT, &c) < 0 ? -1 : s->len;
}

static const char *after_send_creds(struct scene *s, long ret)
{
	struct control c;
	char got[512];

	if (ret < 0)
		return holds(s, s->fd[1], 0);
	if (recv_all(s->fd[1], got, sizeof(got), &c) != s->len)
		return "the message is lost";
	return get_creds(&c).pid == getpid() ? NULL : "no credentials";
}

/* --- receiving ----------------------------------------------------------- */

static void with_queued(struct scene *s)
{
	with_message(s);
	send(s->fd[0], s->buf, s->len, 0);
	memset(s->buf, 0, s->len);
}

static long run_recv(struct scene *s)
{
	return recv(s->fd[1], s->buf, s->len, MSG_DONTWAIT);
}

/* Of a stream nothing is lost; a packet that could not be copied may be gone whole. */
static const char *after_recv(struct scene *s, long ret)
{
	long have = ret < 0 ? 0 : ret;
	char got[4096];

	if (pat_good(s->buf, 0, have) != (size_t)have)
		return "wrong bytes";
	if (s->type != SOCK_STREAM) {
		if (ret >= 0)
			return ret == s->len ? NULL : "a packet is cut";
		have = rc(recv(s->fd[1], s->buf, s->len, MSG_DONTWAIT));
		return have == s->len || have == -EAGAIN ? NULL : "a packet in part";
	}
	while (have < s->len) {
		ret = rc(recv(s->fd[1], got, sizeof(got), MSG_DONTWAIT));
		if (ret <= 0 || pat_good(got, have, ret) != (size_t)ret)
			return "bytes are lost";
		have += ret;
	}
	return NULL;
}

static long run_peek(struct scene *s)
{
	return recv(s->fd[1], s->buf, s->len, MSG_DONTWAIT | MSG_PEEK);
}

static const char *after_peek(struct scene *s, long ret)
{
	if (ret > 0 && pat_good(s->buf, 0, ret) != (size_t)ret)
		return "wrong bytes";
	return holds(s, s->fd[1], s->len);
}

static void with_queued_fds(struct scene *s)
{
	with_message(s);
	run_send_fds(s);
}

/* As many as could be installed; the others are closed, which the pipe shows. */
static long recv_fds(struct scene *s, int flags)
{
	struct control c = { .len = sizeof(c.buf) };
	long ret = recv_control(s->fd[1], s->buf, s->len, flags | MSG_DONTWAIT, &c);
	int fds[MAX_FDS], n, i;

	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	n = get_fds(&c, fds);
	for (i = 0; i < n; i++)
		close(fds[i]);
	return ret;
}

static long run_recv_fds(struct scene *s)
{
	return recv_fds(s, 0);
}

static long run_peek_fds(struct scene *s)
{
	return recv_fds(s, MSG_PEEK);
}

static const char *after_recv_fds(struct scene *s, long ret)
{
	/* What was not received is thrown away, if it is still there. */
	if (ret < 0)
		recv(s->fd[1], s->buf, s->len, MSG_DONTWAIT);
	return NULL;
}

static const char *after_peek_fds(struct scene *s, long ret)
{
	(void)ret;
	return get_them(s, s->fd[1], s->nr_fds);
}

static void with_queued_creds(struct scene *s)
{
	with_creds(s);
	run_send_creds(s);
}

/* --- files --------------------------------------------------------------- */

static void with_pipe(struct scene *s)
{
	with_message(s);
	if (pipe2(s->other, O_NONBLOCK) || write(s->other[1], s->buf, s->len) != s->len)
		abort();
}

static long run_splice_in(struct scene *s)
{
	return splice(s->other[0], NULL, s->fd[0], NULL, s->len, SPLICE_F_NONBLOCK);
}

/* What was spliced is what arrives, and what wasn't is still in the pipe, or lost. */
static const char *after_splice_in(struct scene *s, long ret)
{
	return ret > 0 ? holds(s, s->fd[1], ret) : holds(s, s->fd[1], 0);
}

static void with_queued_pipe(struct scene *s)
{
	with_queued(s);
	if (pipe2(s->other, O_NONBLOCK))
		abort();
}

static long run_splice_out(struct scene *s)
{
	return splice(s->fd[1], NULL, s->other[1], NULL, s->len, SPLICE_F_NONBLOCK);
}

static const char *after_splice_out(struct scene *s, long ret)
{
	long have = ret < 0 ? 0 : ret;

	if (have && (read(s->other[0], s->buf, have) != have ||
		     pat_good(s->buf, 0, have) != (size_t)have))
		return "wrong bytes";
	if (s->type == SOCK_STREAM)
		return after_recv(s, ret);
	/* A packet may have been taken and lost, but not in part. */
	have = ret < 0 ? rc(recv(s->fd[1], s->buf, MOST_BYTES, MSG_DONTWAIT)) : s->len;
	return have == s->len || have == -EAGAIN ? NULL : "a packet in part";
}

static void with_file(struct scene *s)
{
	with_message(s);
	s->other[0] = open("bytes", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (write(s->other[0], s->buf, s->len) != s->len)
		abort();
}

static long run_sendfile(struct scene *s)
{
	off_t at = 0;

	return sendfile(s->fd[0], s->other[0], &at, s->len);
}

#define BOTH	.streams = true, .packets = true

static const struct action sends[] = {
	{ "send 1", 1, .before = with_message, .run = run_send, .after = after_send, BOTH },
	{ "send 4000", 4000, .before = with_message, .run = run_send, .after = after_send,
	  BOTH },
	{ "send 60000", MOST_BYTES, .before = with_message, .run = run_send,
	  .after = after_send, BOTH },
	{ "send behind unread", 20000, .before = with_unread, .run = run_send,
	  .after = after_send_unread, .streams = true },
	{ "sendmmsg", 300, .before = with_message, .run = run_sendmmsg,
	  .after = after_sendmmsg, BOTH },
	{ "send one descriptor", 10, 1, with_message, run_send_fds, after_send_fds, BOTH },
	{ "send 253 descriptors", 5000, MAX_FDS, with_message, run_send_fds,
	  after_send_fds, BOTH },
	{ "send credentials", 100, .before = with_creds, .run = run_send_creds,
	  .after = after_send_creds, BOTH },
	{ "splice in", 6000, .before = with_pipe, .run = run_splice_in,
	  .after = after_splice_in, .streams = true },
	{ "sendfile", 6000, .before = with_file, .run = run_sendfile,
	  .after = after_splice_in, .streams = true },
};

static const struct action receives[] = {
	{ "recv 1", 1, .before = with_queued, .run = run_recv, .after = after_recv, BOTH },
	{ "recv 60000", MOST_BYTES, .before = with_queued, .run = run_recv,
	  .after = after_recv, BOTH },
	{ "peek", 5000, .before = with_queued, .run = run_peek, .after = after_peek, BOTH },
	{ "recv one descriptor", 10, 1, with_queued_fds, run_recv_fds, after_recv_fds, BOTH },
	{ "recv 253 descriptors", 10, MAX_FDS, with_queued_fds, run_recv_fds,
	  after_recv_fds, BOTH },
	{ "peek at descriptors", 10, 3, with_queued_fds, run_peek_fds, after_peek_fds, BOTH },
	{ "recv credentials", 100, .before = with_queued_creds, .run = run_recv_fds,
	  .after = after_recv_fds, BOTH },
	{ "splice out", 6000, .before = with_queued_pipe, .run = run_splice_out,
	  .after = after_splice_out, BOTH },
};

static const struct action to_names[] = {
	{ "sendto a path", 500, .before = with_named, .run = run_sendto,
	  .after = after_sendto, .packets = true },
};

TEST_F(inject_data, send)
{
	EACH_ACTION(sends, self->type);
	if (self->type == SOCK_DGRAM)
		EACH_ACTION(to_names, self->type);
}

TEST_F(inject_data, receive)
{
	EACH_ACTION(receives, self->type);
}

TEST_HARNESS_MAIN
