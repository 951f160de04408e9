// SPDX-License-Identifier: GPL-2.0
/*
 * Loads and unloads the module over and over, with traffic in between, and while
 * others try to get hold of it. That is a matter of the whole system: only where the
 * tests have it to themselves, which RUNIX_REQUIRED=1 says, and the module is at hand.
 */
#include "scm.h"
#include "wanted.h"

#define MODULE	"/lib/modules/runix.ko"

FIXTURE(reload)
{
	int family;
	int file;
};

FIXTURE_SETUP(reload)
{
	self->family = runix_family();
	self->file = open(MODULE, O_RDONLY | O_CLOEXEC);
	if (!runix_required() || self->file < 0)
		SKIP(return, "the module is not there to be loaded and unloaded");
	if (!access("/sys/module/runix/parameters/coverage", F_OK))
		SKIP(return, "the module would forget which of its code was reached");
}

FIXTURE_TEARDOWN(reload)
{
	/* As it was. */
	syscall(SYS_finit_module, self->file, "", 0);
	close(self->file);
}

static long load(int file)
{
	return rc(syscall(SYS_finit_module, file, "", 0));
}

/* The last socket's memory may be given back only after a grace period. */
static long unload(void)
{
	int64_t end = now_ms() + SOON;
	long ret;

	while ((ret = rc(syscall(SYS_delete_module, "runix", O_NONBLOCK))) == -EWOULDBLOCK &&
	       now_ms() < end)
		usleep(500);
	return ret;
}

/* A bit of everything; whatever is left open is closed by the caller. */
static bool traffic(int family, int round)
{
	struct name n = abstract_name(family, "r"), p = path_name(family, "/tmp/rx.reload");
	int sv[2], l, c, s, d;
	char ch;

	if (socketpair(family, round % 3 ? SOCK_STREAM : SOCK_SEQPACKET, 0, sv) ||
	    say_fd(sv[0], "x", sv[1]) != 1 || recv(sv[1], &ch, 1, 0) != 1)
		return false;
	/* A ring that only the collector can free. */
	if (say_fd(sv[0], "y", sv[1]) != 1 || say_fd(sv[1], "z", sv[0]) != 1)
		return false;
	unlink("/tmp/rx.reload");
	l = listener(family, round & 1 ? &n : &p, 2);
	c = dial(family, round & 1 ? &n : &p);
	s = l < 0 ? -1 : accept(l, NULL, NULL);
	d = dgram(family);
	return c >= 0 && s >= 0 && d >= 0 && say(c, "unread") == 6 && say(s, "unread") == 6;
}

TEST_F_TIMEOUT(reload, with_traffic, 7200)
{
	int rounds = wanted("runix.reloads=", 50), i, before;
	int64_t begin = now_ms();

	before = count_fds();
	for (i = 0; i < rounds; i++) {
		if (i)
			ASSERT_EQ(0, load(self->file)) TH_LOG("round %d", i);
		ASSERT_TRUE(traffic(self->family, i)) TH_LOG("round %d: %m", i);
		/* Not while there are sockets. */
		ASSERT_EQ(-EWOULDBLOCK, rc(syscall(SYS_delete_module, "runix", O_NONBLOCK)));
		close_range(self->file + 1, ~0U, 0);
		ASSERT_EQ(before, count_fds());
		ASSERT_EQ(0, unload()) TH_LOG("round %d: sockets are left", i);
		ASSERT_EQ(-EAFNOSUPPORT, xsocket(self->family));
	}
	unlink("/tmp/rx.reload");
	TH_LOG("%d rounds in %lld ms", rounds, (long long)(now_ms() - begin));
	EXPECT_EQ(0, load(self->file));
}

static bool over;

/* Sockets as soon as there are any, with breaks in which the module may go. */
static void *grab(void *arg)
{
	long *got = arg;

	while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
		int sv[2];

		if (!socketpair(AF_RUNIX, SOCK_STREAM, 0, sv)) {
			close(sv[0]);
			close(sv[1]);
			if (++*got % 16 == 0)
				usleep(2000);
		}
	}
	return NULL;
}

/* Others open sockets while the module comes and goes. */
TEST_F_TIMEOUT(reload, under_attack, 60)
{
	int64_t end = now_ms() + 2000 * time_scale(), last = end + 20000;
	long got[2] = {}, loaded = 0;
	pthread_t t[2];

	if (self->family != AF_RUNIX)
		SKIP(return, "another family number");
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&t[i], NULL, grab, &got[i]));
	}
	/* On a busy machine it may take long until the module is free for once. */
	while (now_ms() < end || (!loaded && now_ms() < last)) {
		long ret = rc(syscall(SYS_delete_module, "runix", O_NONBLOCK));

		if (ret)
			ASSERT_EQ(-EWOULDBLOCK, ret);
		ret = load(self->file);
		loaded += !ret;
		if (ret)
			ASSERT_EQ(-EEXIST, ret);
		usleep(200);
	}
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	TH_LOG("loaded %ld times, %ld pairs", loaded, got[0] + got[1]);
	EXPECT_LT(0, loaded);
	EXPECT_LT(0, got[0] + got[1]);
}

TEST_HARNESS_MAIN
