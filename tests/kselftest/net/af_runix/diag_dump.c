// SPDX-License-Identifier: GPL-2.0
/*
 * sock_diag: what is told of all sockets.
 *
 * Each test has a network namespace of its own, so that it knows them all.
 */

#include "diag.h"

#include <sched.h>
#include <sys/resource.h>

FAMILY_FIXTURE(diag_dump);

#define OWN_NAMESPACE()						\
do {								\
	DIAG_OR_SKIP();						\
	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));		\
} while (0)

/* A buffer of the size that most programs take. */
#define BUFFER	8192

static int dump(int family, uint32_t states)
{
	return diag_dump(family, states, SHOW_ALL, BUFFER, NULL, NULL);
}

/* How often some sockets are told of. */
struct seen {
	uint32_t *ino;
	int *times;
	int nr;
	int others;
};

static void note(void *arg, const struct told *t)
{
	struct seen *seen = arg;
	int i;

	for (i = 0; i < seen->nr; i++) {
		if (seen->ino[i] == t->msg.udiag_ino) {
			seen->times[i]++;
			return;
		}
	}
	seen->others++;
}

TEST_F(diag_dump, empty)
{
	OWN_NAMESPACE();
	EXPECT_EQ(0, dump(self->family, ALL_STATES));
}

TEST_F(diag_dump, states)
{
	struct name n = abstract_name(self->family, "n");
	int fd[2], l, d;

	OWN_NAMESPACE();
	/* Two connected, one that listens, three that do nothing. */
	ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, fd)));
	l = listener(self->family, &n, 5);
	ASSERT_LE(0, l);
	ASSERT_LE(0, xsocket(self->family));
	d = rc(socket(self->family, SOCK_DGRAM, 0));
	ASSERT_LE(0, d);
	ASSERT_LE(0, rc(socket(self->family, SOCK_SEQPACKET, 0)));

	EXPECT_EQ(6, dump(self->family, ALL_STATES));
	EXPECT_EQ(2, dump(self->family, STATE(ESTABLISHED)));
	EXPECT_EQ(1, dump(self->family, STATE(LISTENING)));
	EXPECT_EQ(3, dump(self->family, STATE(CLOSED)));
	EXPECT_EQ(4, dump(self->family, STATE(LISTENING) | STATE(CLOSED)));
	EXPECT_EQ(0, dump(self->family, 0));
	EXPECT_EQ(0, dump(self->family, ALL_STATES & ~(STATE(LISTENING) |
			  STATE(CLOSED) | STATE(ESTABLISHED))));
	/* A listener goes on listening when nobody may connect. */
	ASSERT_EQ(0, rc(shutdown(l, SHUT_RDWR)));
	EXPECT_EQ(1, dump(self->family, STATE(LISTENING)));
	close(l);
	EXPECT_EQ(0, dump(self->family, STATE(LISTENING)));
	close(fd[0]);
	EXPECT_EQ(1, dump(self->family, STATE(ESTABLISHED)));
}

static void only(void *arg, const struct told *t)
{
	*(struct told *)arg = *t;
}

/* A dump tells what a look at one socket tells. */
TEST_F(diag_dump, same_as_one)
{
	struct name n = path_name(self->family, "s");
	struct told one, all;
	int l;

	OWN_NAMESPACE();
	l = listener(self->family, &n, 5);
	ASSERT_LE(0, l);
	ASSERT_EQ(0, rc(fchown(l, 77, -1)));
	ASSERT_EQ(0, diag(l, &one));
	ASSERT_EQ(1, diag_dump(self->family, ALL_STATES, SHOW_ALL, BUFFER, only, &all));
	EXPECT_EQ(0, memcmp(&one, &all, sizeof(one)));
	ASSERT_EQ(0, diag_by_inode(self->family, inode_of(l), NULL, 0, &one));
	ASSERT_EQ(1, diag_dump(self->family, ALL_STATES, 0, BUFFER, only, &all));
	EXPECT_EQ(0, memcmp(&one, &all, sizeof(one)));
}

/* A connection without a descriptor isn't listed. */
TEST_F(diag_dump, not_accepted)
{
	struct name n = abstract_name(self->family, "n");
	int l;

	OWN_NAMESPACE();
	l = listener(self->family, &n, 5);
	ASSERT_LE(0, l);
	ASSERT_LE(0, dial(self->family, &n));
	EXPECT_EQ(2, dump(self->family, ALL_STATES));
	EXPECT_EQ(1, dump(self->family, STATE(ESTABLISHED)));
	ASSERT_LE(0, rc(accept(l, NULL, NULL)));
	EXPECT_EQ(3, dump(self->family, ALL_STATES));
}

TEST_F(diag_dump, other_namespace)
{
	int home, other = self->family == AF_UNIX ? runix_family() : AF_UNIX;

	OWN_NAMESPACE();
	ASSERT_LE(0, xsocket(self->family));
	EXPECT_EQ(1, dump(self->family, ALL_STATES));
	/* The other family has none here, if somebody answers for it at all. */
	if (diag_answers(other))
		EXPECT_EQ(0, dump(other, ALL_STATES));
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, home);
	ASSERT_EQ(0, rc(unshare(CLONE_NEWNET)));
	EXPECT_EQ(0, dump(self->family, ALL_STATES));
	ASSERT_EQ(0, rc(setns(home, CLONE_NEWNET)));
	EXPECT_EQ(1, dump(self->family, ALL_STATES));
}

/* Many sockets, each told once, in many messages or a few. */
TEST_F(diag_dump, many)
{
	enum { MANY = 900 };
	static uint32_t ino[MANY];
	static int times[MANY];
	struct seen seen = { ino, times, MANY, 0 };
	static const size_t sizes[] = { 4096, BUFFER, 32768 };
	unsigned int s;
	int i, fd;

	OWN_NAMESPACE();
	for (i = 0; i < MANY; i++) {
		fd = rc(socket(self->family, SOCK_DGRAM, 0));
		ASSERT_LE(0, fd);
		ino[i] = inode_of(fd);
	}
	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		memset(times, 0, sizeof(times));
		EXPECT_EQ(MANY, diag_dump(self->family, ALL_STATES, SHOW_ALL, sizes[s],
					  note, &seen));
		for (i = 0; i < MANY; i++) {
			EXPECT_EQ(1, times[i]);
		}
	}
	EXPECT_EQ(0, seen.others);
}

/* A listener with a long queue hides nobody. */
TEST_F(diag_dump, long_queue)
{
	struct name n = abstract_name(self->family, "n");
	enum { WAITING = 3000, OTHERS = 20 };
	struct told t;
	int i, l, fd;

	OWN_NAMESPACE();
	if (self->family == AF_UNIX)
		SKIP(return, "a dump of AF_UNIX ends there");
	l = listener(self->family, &n, WAITING);
	ASSERT_LE(0, l);
	for (i = 0; i < WAITING; i++) {
		fd = dial(self->family, &n);
		if (fd == -EAGAIN)
			SKIP(return, "no queue of that length: net.core.somaxconn");
		ASSERT_LE(0, fd);
		close(fd);
	}
	for (i = 0; i < OTHERS; i++) {
		ASSERT_LE(0, xsocket(self->family));
	}
	EXPECT_EQ(OTHERS + 1, dump(self->family, ALL_STATES));
	EXPECT_EQ(OTHERS + 1, diag_dump(self->family, ALL_STATES, SHOW_ALL, 32768,
					NULL, NULL));
	ASSERT_EQ(1, diag_dump(self->family, STATE(LISTENING), SHOW_ALL, BUFFER, only, &t));
	EXPECT_EQ(WAITING, t.rqlen.udiag_rqueue);
	EXPECT_LT(500, t.nr_icons);
	EXPECT_GT(WAITING, t.nr_icons);
	EXPECT_TRUE(HAS(&t, UID));
	/* With a large enough buffer, and alone, all are told. */
	ASSERT_EQ(0, diag(l, &t));
	EXPECT_EQ(WAITING, t.nr_icons);
}

struct crowd {
	pthread_t thread;
	int family;
	bool end;
};

/* Pairs, listeners and connections that come and go. */
static void *come_and_go(void *arg)
{
	struct crowd *c = arg;
	struct name n = abstract_name(c->family, "");
	int fd[40], i;

	n.len += 1 + snprintf(n.un.sun_path + n.len - PATH_OFF, 20, "%d", gettid());
	while (!__atomic_load_n(&c->end, __ATOMIC_RELAXED)) {
		fd[0] = listener(c->family, &n, 10);
		fd[1] = dial(c->family, &n);
		fd[2] = dial(c->family, &n);
		fd[3] = rc(accept(fd[0], NULL, NULL));
		for (i = 4; i < 40; i += 2) {
			if (socketpair(c->family, SOCK_DGRAM, 0, fd + i))
				abort();
			if (write(fd[i], "x", 1) != 1)
				abort();
		}
		for (i = 0; i < 40; i++)
			if (fd[i] < 0 || close(fd[i]))
				abort();
	}
	return NULL;
}

TEST_F(diag_dump, while_others_come_and_go)
{
	enum { STAY = 50, CROWD = 3 };
	uint32_t ino[STAY];
	int fd[STAY], times[STAY], i, n, round;
	struct seen seen = { ino, times, STAY };
	struct crowd crowd[CROWD];
	struct told t;

	OWN_NAMESPACE();
	for (i = 0; i < STAY; i++) {
		ASSERT_LE(0, fd[i] = xsocket(self->family));
	}
	for (i = 0; i < STAY; i++)
		ino[i] = inode_of(fd[i]);
	for (i = 0; i < CROWD; i++) {
		crowd[i] = (struct crowd) { .family = self->family };
		ASSERT_EQ(0, pthread_create(&crowd[i].thread, NULL, come_and_go, &crowd[i]));
	}
	for (round = 0; round < 60; round++) {
		memset(times, 0, sizeof(times));
		n = diag_dump(self->family, ALL_STATES, SHOW_ALL, BUFFER, note, &seen);
		/* AF_UNIX counts: what goes between two messages hides others. */
		EXPECT_LE(self->family == AF_UNIX ? STAY / 2 : STAY, n);
		for (i = 0; i < STAY && self->family != AF_UNIX; i++) {
			EXPECT_EQ(1, times[i]) TH_LOG("round %d, socket %d", round, i);
		}
		EXPECT_GE(STAY + CROWD * 40 * 2, n);
		/* One that stays is found at any time. */
		EXPECT_EQ(0, diag(fd[round % STAY], &t));
	}
	for (i = 0; i < CROWD; i++) {
		__atomic_store_n(&crowd[i].end, true, __ATOMIC_RELAXED);
		pthread_join(crowd[i].thread, NULL);
	}
	EXPECT_EQ(STAY, dump(self->family, ALL_STATES));
}

/* Who asks may stop listening in the middle. */
TEST_F(diag_dump, not_read_to_the_end)
{
	struct request r = diag_request(self->family, NLM_F_DUMP);
	char buf[4096];
	int i, nl;

	OWN_NAMESPACE();
	for (i = 0; i < 500; i++) {
		ASSERT_LE(0, xsocket(self->family));
	}
	r.req.udiag_states = ALL_STATES;
	r.req.udiag_show = SHOW_ALL;
	for (i = 0; i < 20; i++) {
		nl = diag_socket();
		ASSERT_LE(0, nl);
		ASSERT_EQ((long)sizeof(r), rc(send(nl, &r, sizeof(r), 0)));
		if (i % 2)
			EXPECT_LT(0, rc(recv(nl, buf, sizeof(buf), 0)));
		/* One dump at a time. */
		if (i % 4 == 3)
			EXPECT_EQ((long)sizeof(r), rc(send(nl, &r, sizeof(r), 0)));
		close(nl);
	}
	EXPECT_EQ(500, dump(self->family, ALL_STATES));
}

TEST_HARNESS_MAIN
