// SPDX-License-Identifier: GPL-2.0
/*
 * Each operation against each other one, for a short while, in one small world of
 * sockets; then all of them at once, with forks, signals and new namespaces.
 */
#include "race.h"
#include "diag.h"

#include <sched.h>
#include <sys/wait.h>

FAMILY_FIXTURE(race);

static void make(unsigned int *seed)
{
	int sv[2], ret = rc(socketpair(world.family, any_type(seed), 0, sv));

	JUDGE("socketpair", ret);
	if (ret)
		return;
	settle(seed, sv[0]);
	settle(seed, sv[1]);
}

static void alone(unsigned int *seed)
{
	settle(seed, rc(socket(world.family, any_type(seed), 0)));
}

static void closing(unsigned int *seed)
{
	close(slot(seed));
}

static void binding(unsigned int *seed)
{
	struct name n = any_name(seed);

	JUDGE("bind", xbind(slot(seed), &n), EADDRINUSE, EINVAL);
}

static void listening(unsigned int *seed)
{
	JUDGE("listen", rc(listen(slot(seed), pick(seed, 3))), EINVAL, EOPNOTSUPP);
}

static void connecting(unsigned int *seed)
{
	struct name n = any_name(seed);

	JUDGE("connect", xconnect(slot(seed), &n), ECONNREFUSED, ENOENT, EISCONN, EINVAL,
	      EPROTOTYPE, EPERM);
}

static void dissolving(unsigned int *seed)
{
	JUDGE("connect to nobody", dissolve(slot(seed)), EINVAL, EISCONN, ECONNREFUSED);
}

static void accepting(unsigned int *seed)
{
	int fd = rc(accept4(slot(seed), NULL, NULL, pick(seed, 2) ? SOCK_NONBLOCK : 0));

	JUDGE("accept", fd, EINVAL, EOPNOTSUPP);
	settle(seed, fd);
}

static void renaming(unsigned int *seed)
{
	char from[16], to[16];

	snprintf(from, sizeof(from), "race.%u", pick(seed, NAMES));
	snprintf(to, sizeof(to), "race.%u", pick(seed, NAMES));
	if (pick(seed, 2))
		rename(from, to);
	else
		unlink(from);
}

static void sending_some(unsigned int *seed)
{
	static char buf[70000];
	size_t len = pick(seed, 4) ? pick(seed, 600) : pick(seed, sizeof(buf));

	JUDGE("send", rc(send(slot(seed), buf, len, MSG_NOSIGNAL | (pick(seed, 2) ? MSG_DONTWAIT : 0))),
	      EPIPE, ENOTCONN, ECONNRESET, ECONNREFUSED, EMSGSIZE, EPERM, EINVAL);
}

static void sending_to_names(unsigned int *seed)
{
	struct name n = any_name(seed);

	JUDGE("sendto", xsendto(slot(seed), "to", 2, MSG_NOSIGNAL, &n), EPIPE, ENOTCONN,
	      ECONNRESET, ECONNREFUSED, ENOENT, EPROTOTYPE, EPERM, EISCONN, EOPNOTSUPP, EINVAL);
}

static const int receive_flags[] = { 0, MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL, MSG_TRUNC,
				     MSG_PEEK | MSG_DONTWAIT };

static void receiving_some(unsigned int *seed)
{
	char buf[9000];

	JUDGE("recv", rc(recv(slot(seed), buf, pick(seed, sizeof(buf)),
			      receive_flags[pick(seed, 6)])),
	      EINVAL, ENOTCONN, ECONNRESET, ECONNREFUSED);
}

static void shutting(unsigned int *seed)
{
	JUDGE("shutdown", rc(shutdown(slot(seed), pick(seed, 3))), EINVAL, ENOTCONN);
}

static void passing(unsigned int *seed)
{
	int fds[4] = { slot(seed), slot(seed), slot(seed), slot(seed) };
	char byte = 'p';

	JUDGE("sendmsg with descriptors",
	      say_fds(slot(seed), pick(seed, 2) ? "pass" : &byte, fds, 1 + pick(seed, 4)),
	      EPIPE, ENOTCONN, ECONNRESET, ECONNREFUSED, EPERM, EINVAL, ETOOMANYREFS, EMSGSIZE);
}

static void taking(unsigned int *seed)
{
	struct control c = { .len = sizeof(c.buf) };
	int fds[MAX_FDS], n, fd = slot(seed);
	char buf[200];
	long ret;

	ret = recv_control(fd, buf, sizeof(buf), receive_flags[pick(seed, 6)], &c);
	JUDGE("recvmsg", ret, EINVAL, ENOTCONN, ECONNRESET, ECONNREFUSED);
	if (ret < 0)
		return;
	n = get_fds(&c, fds);
	while (n--)
		settle(seed, fds[n]);
}

static void options(unsigned int *seed)
{
	static const int opts[] = { SO_PASSCRED, SO_SNDBUF, SO_RCVBUF, SO_PEEK_OFF, SO_RCVLOWAT,
				    SO_TIMESTAMP, SO_PASSRIGHTS, SO_KEEPALIVE, SO_DEBUG };
	int opt = opts[pick(seed, sizeof(opts) / sizeof(opts[0]))];

	JUDGE("setsockopt", setint(slot(seed), opt, pick(seed, 3) ? pick(seed, 2) : 4000),
	      EOPNOTSUPP, EINVAL, EACCES);
	getint(slot(seed), SO_ERROR);
	getint(slot(seed), SO_ACCEPTCONN);
}

static void looking(unsigned int *seed)
{
	struct name n;
	int out;

	JUDGE("getsockname", xgetsockname(slot(seed), &n), ENOTCONN);
	JUDGE("getpeername", xgetpeername(slot(seed), &n), ENOTCONN);
	ioctl(slot(seed), FIONREAD, &out);
	poll_mask(slot(seed));
}

static void watching(unsigned int *seed)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP |
					    (pick(seed, 2) ? EPOLLET : 0) };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (!epoll_ctl(ep, EPOLL_CTL_ADD, slot(seed), &ev))
		next_event(ep, pick(seed, 3));
	close(ep);
}

static void splicing(unsigned int *seed)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK))
		return;
	JUDGE("splice out", rc(splice(slot(seed), NULL, p[1], NULL, 5000, SPLICE_F_NONBLOCK)),
	      EINVAL, ENOTCONN, ECONNRESET, ECONNREFUSED);
	JUDGE("splice in", rc(splice(p[0], NULL, slot(seed), NULL, 5000, SPLICE_F_NONBLOCK)),
	      EINVAL, EPIPE, ENOTCONN, ECONNRESET, ECONNREFUSED, EMSGSIZE, EPERM);
	close(p[0]);
	close(p[1]);
}

static void listing(unsigned int *seed)
{
	struct request r = diag_request(world.family, NLM_F_DUMP);
	char buf[8192];
	int fd;

	if (pick(seed, 2)) {
		fd = open(world.family == AF_UNIX ? "/proc/net/unix" : "/proc/net/runix", O_RDONLY);
		while (read(fd, buf, sizeof(buf)) > 0)
			;
	} else {
		r.req.udiag_states = ALL_STATES;
		r.req.udiag_show = SHOW_ALL;
		fd = diag_socket();
		send(fd, &r, sizeof(r), 0);
		recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	}
	if (fd >= 0)
		close(fd);
}

static const struct actor actors[] = {
	{ "make", make }, { "alone", alone }, { "close", closing }, { "bind", binding },
	{ "listen", listening }, { "connect", connecting }, { "dissolve", dissolving },
	{ "accept", accepting }, { "rename", renaming }, { "send", sending_some },
	{ "sendto", sending_to_names }, { "recv", receiving_some }, { "shutdown", shutting },
	{ "pass", passing }, { "take", taking }, { "options", options }, { "look", looking },
	{ "watch", watching }, { "splice", splicing }, { "list", listing },
};

#define ACTORS	((int)(sizeof(actors) / sizeof(actors[0])))

/* --- who runs them ------------------------------------------------------- */

struct runner {
	int a, b;		/* actors, or -1 for any */
	unsigned int seed;
	pthread_t thread;
};

static void *runner_main(void *arg)
{
	struct runner *r = arg;

	while (!__atomic_load_n(&world.over, __ATOMIC_RELAXED)) {
		int who = pick(&r->seed, 3) ? r->a : r->b;

		actors[who < 0 ? (int)pick(&r->seed, ACTORS) : who].act(&r->seed);
		/* Not in step. */
		if (!pick(&r->seed, 8))
			sched_yield();
	}
	return NULL;
}

static void begin_world(int family)
{
	unsigned int seed = 1;

	world = (struct world) { .family = family, .owner = getpid(),
				 .guard = xsocket(family) };
	catch_signal(SIGUSR1, 0);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < SLOTS; i++)
		make(&seed);
}

static void end_world(void)
{
	close_range(FIRST_SLOT, FIRST_SLOT + SLOTS - 1, 0);
	close(world.guard);
	for (int i = 0; i < NAMES; i++) {
		char path[16];

		snprintf(path, sizeof(path), "race.%d", i);
		unlink(path);
	}
}

/* Runs threads for @ms; those that sleep are woken by signals all the time. */
static void run_for(struct runner *r, int n, int ms)
{
	int64_t end = now_ms() + ms * time_scale();

	__atomic_store_n(&world.over, false, __ATOMIC_RELAXED);
	for (int i = 0; i < n; i++)
		if (pthread_create(&r[i].thread, NULL, runner_main, &r[i]))
			abort();
	while (now_ms() < end) {
		usleep(2000);
		pthread_kill(r[now_ms() % n].thread, SIGUSR1);
	}
	__atomic_store_n(&world.over, true, __ATOMIC_RELAXED);
	for (int i = 0; i < n; i++)
		pthread_join(r[i].thread, NULL);
}

/* Milliseconds for each pair; AF_UNIX only proves that nothing wrong is expected. */
static int pair_ms(void)
{
	const char *ms = getenv("RACE_MS");

	return world.family == AF_UNIX ? 3 : ms ? atoi(ms) : 15;
}

/*
 * Each with each: the first thread does one of two things, the other one the
 * other, with something else in between that gives them sockets to work with.
 */
TEST_F_TIMEOUT(race, pairs, 120)
{
	int before = count_fds();

	begin_world(self->family);
	for (int a = 0; a < ACTORS; a++) {
		for (int b = a; b < ACTORS; b++) {
			struct runner r[] = { { .a = a, .b = b, .seed = a * 100 + b }, { .a = b, .b = a, .seed = b * 100 + a },
					      { .a = 0, .b = b, .seed = 7 } };

			run_for(r, 3, pair_ms());
			ASSERT_EQ(0, world.bad)
				TH_LOG("%s and %s: %s", actors[a].name, actors[b].name, world.what);
		}
	}
	TH_LOG("%ld calls", world.calls);
	EXPECT_LT(ACTORS * ACTORS, world.calls);
	end_world();
	EXPECT_EQ(before, count_fds());
}

/* --- and what takes more than a thread ------------------------------------ */

static bool module_refuses(int family)
{
	return family == AF_UNIX ||
	       (syscall(SYS_delete_module, "runix", O_NONBLOCK) && errno == EWOULDBLOCK);
}

/* A child with all the sockets, which ends or becomes another program. */
static void forking(unsigned int *seed)
{
	pid_t pid = spawn();

	if (!pid) {
		for (int i = 0; i < 20; i++)
			actors[pick(seed, ACTORS)].act(seed);
		if (pick(seed, 2))
			execl("/bin/true", "true", NULL);
		_exit(0);
	}
	usleep(pick(seed, 2000));
	if (pick(seed, 2))
		kill(pid, SIGKILL);
	reap(pid);
}

/* A namespace whose last sockets are in flight, or in a slot, when its tasks are gone. */
static void in_namespace(unsigned int *seed)
{
	int out = slot(seed);
	pid_t pid = spawn();

	if (!pid) {
		struct name n = abstract_name(world.family, "ns");
		int l, c;

		if (unshare(CLONE_NEWNET))
			_exit(0);
		l = listener(world.family, &n, 3);
		c = dial(world.family, &n);
		say(c, "unread");
		hurry(out);
		say_fd(out, "l", l);
		say_fd(out, "c", c);
		say_fd(c, "s", l);
		_exit(l < 0 || c < 0);
	}
	if (reap(pid)) {
		__atomic_fetch_add(&world.bad, 1, __ATOMIC_RELAXED);
		snprintf(world.what, sizeof(world.what), "in a namespace");
	}
}

TEST_F_TIMEOUT(race, everybody, 60)
{
	int before = count_fds(), rounds = 0;
	unsigned int seed = 99;
	struct runner r[4];
	int64_t end;

	begin_world(self->family);
	for (int i = 0; i < 4; i++)
		r[i] = (struct runner) { .a = -1, .b = -1, .seed = 1000 + i };
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, pthread_create(&r[i].thread, NULL, runner_main, &r[i]));
	}
	for (end = now_ms() + 200 * pair_ms() * time_scale(); now_ms() < end; rounds++) {
		pthread_kill(r[rounds % 4].thread, SIGUSR1);
		if (!pick(&seed, 3))
			forking(&seed);
		if (!pick(&seed, 6))
			in_namespace(&seed);
		EXPECT_TRUE(module_refuses(self->family)) TH_LOG("%m");
		usleep(500);
	}
	__atomic_store_n(&world.over, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 4; i++)
		pthread_join(r[i].thread, NULL);
	EXPECT_EQ(0, world.bad) TH_LOG("%s", world.what);
	TH_LOG("%ld calls, %d rounds", world.calls, rounds);
	/* How many depends on the machine: two are enough to have come round. */
	EXPECT_LT(1, rounds);
	end_world();
	EXPECT_EQ(before, count_fds());
}

TEST_HARNESS_MAIN
