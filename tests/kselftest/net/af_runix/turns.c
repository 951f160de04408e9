// SPDX-License-Identifier: GPL-2.0
/*
 * Far more streams than may keep their memory while they are empty (rust/net/warm.rs):
 * each that is drained again and again takes the place of another, which may be at work,
 * or about to go.
 */
#include "common.h"

#include <pthread.h>
#include <sys/resource.h>

#define PAIRS	200	/* in each of the threads; there are 128 places */
#define ROUNDS	40	/* a place is asked for once in eight times */

FAMILY_FIXTURE(turns);

struct half {
	pthread_t thread;
	int family;
	bool close;		/* each pair after some rounds, and make another */
	long good, bad;
};

/* Sends what is of this pair and round alone, and takes it out. */
static bool pass(int sv[2], int pair, int round)
{
	char out[64], in[64];
	int n = snprintf(out, sizeof(out), "%d in round %d of %d", pair, round, gettid()) + 1;

	return rc(send(sv[0], out, n, 0)) == n && rc(recv(sv[1], in, sizeof(in), 0)) == n &&
	       !memcmp(in, out, n);
}

static void *take_turns(void *arg)
{
	struct half *h = arg;
	int sv[PAIRS][2], i, round;

	for (i = 0; i < PAIRS; i++)
		if (socketpair(h->family, SOCK_STREAM, 0, sv[i]))
			abort();
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < PAIRS; i++) {
			if (pass(sv[i], i, round))
				h->good++;
			else
				h->bad++;
			if (!h->close || (i + round) % 13)
				continue;
			/* Something is left in some. */
			if (i & 1 && rc(send(sv[i][0], "left", 4, 0)) != 4)
				h->bad++;
			close(sv[i][i & 1]);
			close(sv[i][!(i & 1)]);
			if (socketpair(h->family, SOCK_STREAM, 0, sv[i]))
				abort();
		}
	}
	for (i = 0; i < PAIRS; i++) {
		close(sv[i][0]);
		close(sv[i][1]);
	}
	return NULL;
}

TEST_F_TIMEOUT(turns, more_than_places, 120)
{
	struct rlimit many = { 4 * PAIRS + 100, 4 * PAIRS + 100 };
	struct half half[2] = { { .family = self->family },
				{ .family = self->family, .close = true } };
	int before = count_fds(), i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &many));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&half[i].thread, NULL, take_turns, &half[i]));
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(half[i].thread, NULL));
	}
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, half[i].bad);
		EXPECT_EQ((long)PAIRS * ROUNDS, half[i].good);
	}
	EXPECT_EQ(before, count_fds());
}

/* One that keeps its memory is read from on, whoever takes its place meanwhile. */
TEST_F_TIMEOUT(turns, old_one_among_new_ones, 120)
{
	struct rlimit many = { 2 * PAIRS + 100, 2 * PAIRS + 100 };
	struct half half = { .family = self->family, .close = true };
	long rounds = 0;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &many));
	ASSERT_EQ(0, pthread_create(&half.thread, NULL, take_turns, &half));
	while (pthread_tryjoin_np(half.thread, NULL)) {
		ASSERT_TRUE(pass(self->fd, -1, rounds));
		rounds++;
	}
	EXPECT_LT(0, rounds);
	EXPECT_EQ(0, half.bad);
	EXPECT_EQ((long)PAIRS * ROUNDS, half.good);
}

TEST_HARNESS_MAIN
