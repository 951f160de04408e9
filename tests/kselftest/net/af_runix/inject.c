// SPDX-License-Identifier: GPL-2.0
/* Faults in the calls that make, name, connect and end sockets. */

#include "inject.h"

#include <sched.h>

EVERY_FIXTURE(inject);

static struct name path_of(struct scene *s)
{
	return path_name(s->family, "s");
}

static struct name abstract_of(struct scene *s)
{
	return abstract_name(s->family, "i");
}

/* --- making ------------------------------------------------------------ */

static long run_socket(struct scene *s)
{
	return s->made = socket(s->family, s->type, 0);
}

static const char *after_made(struct scene *s, long ret)
{
	return ret >= 0 && ret != s->made ? "another descriptor" : NULL;
}

static long run_pair(struct scene *s)
{
	return socketpair(s->family, s->type, 0, s->other);
}

static const char *after_pair(struct scene *s, long ret)
{
	struct scene t = { .fd = { s->other[0], s->other[1] } };

	if (ret < 0) {
		s->other[0] = s->other[1] = -1;
		return NULL;
	}
	return usable(&t);
}

/* --- naming ------------------------------------------------------------ */

static void nameless(struct scene *s)
{
	unlink("s");
	s->made = socket(s->family, s->type, 0);
}

static long run_bind_path(struct scene *s)
{
	struct name n = path_of(s);

	return bind(s->made, &n.sa, n.len);
}

static long run_bind_abstract(struct scene *s)
{
	struct name n = abstract_of(s);

	return bind(s->made, &n.sa, n.len);
}

static long run_autobind(struct scene *s)
{
	struct sockaddr sa = { .sa_family = s->family };

	return bind(s->made, &sa, sizeof(sa.sa_family));
}

/* Not half bound: no name and no file, or all of it; and then it can be bound. */
static const char *after_bind(struct scene *s, long ret, struct name want)
{
	bool path = want.un.sun_path[0];
	struct name now;

	if (xgetsockname(s->made, &now))
		return "the name can't be asked for";
	if (ret < 0) {
		if (now.len != PATH_OFF)
			return "has a name after a failed bind";
		if (path && !access("s", F_OK))
			return "a file is left over";
		if (xbind(s->made, &want))
			return "can't be bound after a failed bind";
		xgetsockname(s->made, &now);
	}
	return same_name(&now, &want) ? NULL : "has another name";
}

static const char *after_bind_path(struct scene *s, long ret)
{
	return after_bind(s, ret, path_of(s));
}

static const char *after_bind_abstract(struct scene *s, long ret)
{
	return after_bind(s, ret, abstract_of(s));
}

static const char *after_autobind(struct scene *s, long ret)
{
	struct name now;

	if (xgetsockname(s->made, &now))
		return "the name can't be asked for";
	return now.len == (ret < 0 ? PATH_OFF : PATH_OFF + 6) ? NULL : "half a name";
}

/* --- connecting -------------------------------------------------------- */

static void named_peer(struct scene *s, struct name n)
{
	unlink("s");
	s->other[0] = bound(s->family, s->type, &n);
	if (s->type != SOCK_DGRAM)
		listen(s->other[0], 4);
	s->made = socket(s->family, s->type | SOCK_NONBLOCK, 0);
	s->name = n;
}

static void path_peer(struct scene *s)
{
	named_peer(s, path_of(s));
}

static void abstract_peer(struct scene *s)
{
	named_peer(s, abstract_of(s));
}

/* Without a name, but one is wanted: it is chosen as part of the call. */
static void abstract_peer_autobind(struct scene *s)
{
	abstract_peer(s);
	setint(s->made, SO_PASSCRED, 1);
}

static long run_connect(struct scene *s)
{
	return connect(s->made, &s->name.sa, s->name.len);
}

/* Whether it failed or not, the peer can be reached now, and is by this one. */
static const char *after_connect(struct scene *s, long ret)
{
	struct scene t = { .fd = { s->made, s->other[0] } };
	const char *wrong;
	char ch;
	int end;

	if (ret < 0 && xconnect(s->made, &s->name))
		return "can't connect after a failed connect";
	if (s->type == SOCK_DGRAM) {
		if (say(s->made, "x") != 1 || recv(s->other[0], &ch, 1, MSG_DONTWAIT) != 1)
			return "isn't connected";
		return NULL;
	}
	set_nonblock(s->other[0]);
	end = rc(accept(s->other[0], NULL, NULL));
	if (end < 0)
		return "nobody is there to be accepted";
	t.fd[1] = end;
	wrong = usable(&t);
	if (!wrong && accept(s->other[0], NULL, NULL) >= 0)
		wrong = "somebody else is there to be accepted";
	close(end);
	return wrong;
}

static long run_listen(struct scene *s)
{
	return listen(s->other[0], 7);
}

static void waiting_peer(struct scene *s)
{
	abstract_peer(s);
	xconnect(s->made, &s->name);
	set_nonblock(s->other[0]);
}

static long run_accept(struct scene *s)
{
	struct name n = { .len = sizeof(n.bytes) };

	return s->other[1] = accept4(s->other[0], &n.sa, &n.len, SOCK_CLOEXEC);
}

/* A failed accept may have taken the connection, which is closed then: never half. */
static const char *after_accept(struct scene *s, long ret)
{
	struct scene t = { .fd = { s->made, s->other[1] } };
	char ch;
	long got;

	if (ret >= 0)
		return usable(&t);
	s->other[1] = rc(accept(s->other[0], NULL, NULL));
	if (s->other[1] >= 0) {
		t.fd[1] = s->other[1];
		return usable(&t);
	}
	got = rc(recv(s->made, &ch, 1, MSG_DONTWAIT));
	return got == 0 || got == -ECONNRESET ? NULL : "neither accepted nor closed";
}

static long run_getname(struct scene *s)
{
	struct name n = { .len = sizeof(n.bytes) };

	return getsockname(s->other[0], &n.sa, &n.len) ?: getpeername(s->fd[0], &n.sa, &n.len);
}

static long run_shutdown(struct scene *s)
{
	return shutdown(s->made, SHUT_RDWR);
}

/* Closing never fails, with all that is in the queues. */
static void full_queues(struct scene *s)
{
	socketpair(s->family, s->type, 0, s->other);
	say_fd(s->other[0], "abc", s->pipe[1]);
	say_fd(s->other[1], "abc", s->other[0]);
	s->made = s->other[0];
	s->other[0] = -1;
}

static long run_close(struct scene *s)
{
	int fd = s->made;

	s->made = -1;
	return close(fd);
}

static const struct action actions[] = {
	{ "socket", .run = run_socket, .after = after_made, .streams = true, .packets = true },
	{ "socketpair", .run = run_pair, .after = after_pair, .streams = true,
	  .packets = true },
	{ "bind to a path", .before = nameless, .run = run_bind_path,
	  .after = after_bind_path, .streams = true, .packets = true },
	{ "bind to an abstract name", .before = nameless, .run = run_bind_abstract,
	  .after = after_bind_abstract, .streams = true, .packets = true },
	{ "autobind", .before = nameless, .run = run_autobind, .after = after_autobind,
	  .streams = true, .packets = true },
	{ "connect to a path", .before = path_peer, .run = run_connect,
	  .after = after_connect, .streams = true, .packets = true },
	{ "connect to an abstract name", .before = abstract_peer, .run = run_connect,
	  .after = after_connect, .streams = true, .packets = true },
	{ "connect with autobind", .before = abstract_peer_autobind, .run = run_connect,
	  .after = after_connect, .streams = true, .packets = true },
	{ "listen", .before = abstract_peer, .run = run_listen, .streams = true },
	{ "accept", .before = waiting_peer, .run = run_accept, .after = after_accept,
	  .streams = true },
	{ "getsockname, getpeername", .before = abstract_peer, .run = run_getname,
	  .streams = true, .packets = true },
	{ "shutdown", .before = waiting_peer, .run = run_shutdown, .streams = true,
	  .packets = true },
	{ "close", .nr_fds = 1, .before = full_queues, .run = run_close, .streams = true,
	  .packets = true },
};

TEST_F(inject, life)
{
	EACH_ACTION(actions, self->type);
}

/*
 * A network namespace comes with the family's data, table of names, settings and
 * listing. What the family adds to it is added last, after some hundred others.
 */
TEST_F(inject, namespace)
{
	const char *why = faults_ready();
	int n, total = 0, failed = 0;

	if (why)
		SKIP(return, "%s", why);
	if (self->type != SOCK_STREAM)
		SKIP(return, "the same for all types");
	/* How many there are: a child looks, as a task has but one namespace. */
	for (n = 1 << 14; n; n >>= 1) {
		pid_t pid = spawn();

		if (!pid) {
			faults_ready();
			arm(total + n);
			unshare(CLONE_NEWNET);
			_exit(disarm());
		}
		if (reap(pid) == 1)
			total += n;
	}
	ASSERT_LT(0, total);
	for (n = total > 60 ? total - 60 : 1; n <= total; n++) {
		pid_t pid = spawn();
		int status;

		if (!pid) {
			long ret;

			faults_ready();
			arm(n);
			ret = rc(unshare(CLONE_NEWNET));
			disarm();
			if (ret < 0)
				_exit(documented(ret) ? 1 : 2);
			/* It may have been one that isn't needed. */
			_exit(rc(socket(self->family, SOCK_STREAM, 0)) < 0 ? 3 : 0);
		}
		status = reap(pid);
		failed += status == 1;
		ASSERT_LE(0, status);
		ASSERT_GE(1, status) TH_LOG("fault %d of %d", n, total);
	}
	TH_LOG("unshare: the last %d faults of %d, %d of them seen", total > 60 ? 61 : total,
	       total, failed);
	EXPECT_LT(0, failed);
}

TEST_HARNESS_MAIN
