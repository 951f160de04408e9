// SPDX-License-Identifier: GPL-2.0
/* Bytes out of band while others send, read, look and take them. */

#include "stress.h"

#include <linux/sockios.h>

FAMILY_FIXTURE(oob_race);

/*
 * What is sent: plain bytes, which count up from 0 to 99, and between any two of them
 * now and then one out of band, which counts up from 100 to 227. All plain ones arrive,
 * in order; of the others, which may be lost, no more than were sent.
 */
#define PLAIN	100
#define URGENT	128

static int last_urgent;		/* that was sent, counted from 1 */
static bool over;

static void *sender(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = w->id;
	long plain = 0;

	while (more()) {
		unsigned char buf[16];
		int n = 1 + rnd(&seed) % 8, i;
		bool oob = rnd(&seed) % 2;

		for (i = 0; i < n; i++)
			buf[i] = plain++ % PLAIN;
		if (oob)
			buf[n++] = PLAIN + last_urgent++ % URGENT;
		for (i = 0; i < n; ) {
			long ret = rc(send(w->fd, buf + i, n - i, oob ? MSG_OOB : 0));

			if (ret <= 0) {
				wrong(w, ret);
				return NULL;
			}
			i += ret;
			/* Sent in part, the last byte was not out of band yet. */
		}
		w->good += n;
	}
	w->other = plain;
	shutdown(w->fd, SHUT_WR);
	return NULL;
}

/* Reads to the end. */
static void *reader(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = w->id;
	char buf[64];
	long ret;

	while ((ret = rc(recv(w->fd, buf, 1 + rnd(&seed) % 64, 0))) > 0) {
		for (int i = 0; i < ret; i++) {
			unsigned char c = buf[i];

			if (c < PLAIN) {
				if (c != w->good++ % PLAIN)
					wrong(w, c);
			} else {
				w->other++;
			}
		}
	}
	if (ret)
		wrong(w, ret);
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	return NULL;
}

static void *taker(void *arg)
{
	struct worker *w = arg;

	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		unsigned char c = 0;
		long ret = rc(recv(w->fd, &c, 1, MSG_OOB));

		if (ret == 1) {
			if (c < PLAIN)
				wrong(w, c);
			w->good++;
		} else if (ret != -EINVAL) {
			wrong(w, ret);
		}
	}
	return NULL;
}

/* Looks, asks, and changes its mind about where the bytes belong. */
static void *looker(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = w->id;

	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		unsigned char buf[64];
		long ret, i;
		int at = -1;

		ret = rc(recv(w->fd, buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT));
		for (i = 1; i < ret; i++)
			if (buf[i] < PLAIN && buf[i - 1] < PLAIN &&
			    buf[i] != (buf[i - 1] + 1) % PLAIN)
				wrong(w, buf[i]);
		if (ret < 0 && ret != -EAGAIN)
			wrong(w, ret);
		ret = rc(recv(w->fd, buf, 1, MSG_OOB | MSG_PEEK));
		if (ret == 1 ? buf[0] < PLAIN : ret != -EINVAL)
			wrong(w, ret);
		if (ioctl(w->fd, SIOCATMARK, &at) || at < 0 || at > 1)
			wrong(w, at);
		if (inq(w->fd) < 0)
			wrong(w, inq(w->fd));
		if (!(poll_mask(w->fd) & POLL_W))
			wrong(w, poll_mask(w->fd));
		setint(w->fd, SO_OOBINLINE, rnd(&seed) % 8 == 0);
		w->good++;
	}
	return NULL;
}

TEST_F(oob_race, all_at_once)
{
	struct worker w[4] = { { .fd = self->fd[0] } };
	void *(*fn[4])(void *) = { sender, reader, taker, looker };
	int i;

	begin(self->family);
	for (i = 0; i < 4; i++) {
		w[i].id = i + 1;
		if (i)
			w[i].fd = self->fd[1];
		start(&w[i], fn[i]);
	}
	for (i = 0; i < 4; i++)
		JOIN(&w[i]);
	EXPECT_EQ(w[0].other, w[1].good);
	EXPECT_LT(0, last_urgent);
	EXPECT_GE(last_urgent, w[1].other + w[2].good);
}

static void *shouter(void *arg)
{
	struct worker *w = arg;

	while (more()) {
		long ret = rc(send(w->fd, "ab", 2, MSG_OOB | MSG_NOSIGNAL));

		if (ret == 2)
			w->good++;
		else if (ret != -EPIPE && ret != -ECONNRESET && ret != 1)
			wrong(w, ret);
		else
			break;
	}
	return NULL;
}

/* The receiver goes, while its owner is told of what comes. */
TEST_F(oob_race, closed)
{
	long rounds = 0;

	catch_signal(SIGURG, SA_RESTART);
	begin(self->family);
	while (now_ms() < deadline) {
		struct worker w = { .id = 1 };
		char buf[64];
		int fd[2];

		ASSERT_EQ(0, rc(socketpair(self->family, SOCK_STREAM, 0, fd)));
		ASSERT_EQ(0, rc(fcntl(fd[1], F_SETOWN, getpid())));
		w.fd = fd[0];
		start(&w, shouter);
		while (rc(recv(fd[1], buf, sizeof(buf), rounds % 2 ? MSG_OOB : 0)) == -EINVAL)
			;
		close(fd[1]);
		JOIN(&w);
		close(fd[0]);
		rounds++;
	}
	EXPECT_LT(0, rounds);
}

TEST_HARNESS_MAIN
