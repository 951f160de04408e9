// SPDX-License-Identifier: GPL-2.0
/*
 * Large messages where many read, write and look: bytes and packets.
 */
#include "landing_race.h"

#include <linux/sockios.h>

FAMILY_FIXTURE(landing_crowd);
PACKET_FIXTURE(landing_packets);

/* --- many readers ------------------------------------------------------------- */

enum { READERS = 3, PIECES = 1 << 16 };

static struct piece { long at, len; } pieces[PIECES];
static int nr_pieces;

static int by_place(const void *a, const void *b)
{
	const struct piece *p = a, *q = b;

	return p->at < q->at ? -1 : p->at > q->at;
}

/* The source once, in large messages. */
static void *once_writer(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = w->id;

	while (w->good < PERIOD) {
		long len = some(&seed), ret;

		if (len > PERIOD - w->good)
			len = PERIOD - w->good;
		ret = rc(send(w->fd, BYTES + w->good, len, MSG_NOSIGNAL));
		if (ret <= 0) {
			wrong(w, ret);
			break;
		}
		w->good += ret;
	}
	shutdown(w->fd, SHUT_WR);
	return NULL;
}

/* Each receive gets neighbouring bytes, behind those that it has got before. */
static void *one_of_readers(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 41 + w->id;
	char *mine = new_room();
	long ret, next = 0;

	for (;;) {
		char *buf = mine + rnd(&seed) % 5000;
		int n;
		long at;

		/* At times to memory that isn't there yet. */
		if (!(rnd(&seed) % 4))
			madvise(mine, 4 << 20, MADV_DONTNEED);
		ret = rc(recv(w->fd, buf, some(&seed), rnd(&seed) % 8 ? 0 : MSG_DONTWAIT));
		if (ret == -EAGAIN)
			continue;
		if (ret <= 0)
			break;
		at = place(buf, ret);
		if (at < next) {
			wrong(w, at);
			continue;
		}
		next = at + ret;
		n = __atomic_fetch_add(&nr_pieces, 1, __ATOMIC_RELAXED);
		if (n < PIECES)
			pieces[n] = (struct piece) { at, ret };
		w->good += ret;
	}
	w->what = ret;
	munmap(mine, 4 << 20);
	return NULL;
}

/* Who looks sees bytes that are neighbours, too. */
static void *looker(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 47;
	char *mine = new_room();

	while (!stopped()) {
		char *buf = mine + rnd(&seed) % 5000;
		long ret = rc(recv(w->fd, buf, some(&seed),
				   MSG_PEEK | (rnd(&seed) % 2 ? 0 : MSG_DONTWAIT)));

		if (!ret)
			break;
		if (ret > 0 && place(buf, ret) < 0)
			wrong(w, ret);
		w->good += ret > 0;
	}
	munmap(mine, 4 << 20);
	return NULL;
}

TEST_F_TIMEOUT(landing_crowd, many_readers, 60)
{
	prepare(self->family);
	for (int round = 0; more() || round < 2; round++) {
		struct worker w = { .id = round }, r[READERS], l = {};
		long end = 0;
		int sv[2];

		nr_pieces = 0;
		ASSERT_EQ(0, rc(socketpair(family, SOCK_STREAM, 0, sv)));
		ASSERT_EQ(0, setint(sv[0], SO_SNDBUF, UNIT * (round & 1 ? 500 : 3000)));
		w.fd = sv[0];
		l.fd = sv[1];
		for (int i = 0; i < READERS; i++) {
			r[i] = (struct worker) { .id = i, .fd = sv[1] };
			start(&r[i], one_of_readers);
		}
		if (round % 3 == 2)
			start(&l, looker);
		start(&w, once_writer);
		JOIN(&w);
		for (int i = 0; i < READERS; i++) {
			JOIN(&r[i]);
			EXPECT_EQ(0, r[i].what);
		}
		if (round % 3 == 2)
			JOIN(&l);
		ASSERT_GT(PIECES, nr_pieces);
		qsort(pieces, nr_pieces, sizeof(pieces[0]), by_place);
		for (int i = 0; i < nr_pieces; i++) {
			ASSERT_EQ(end, pieces[i].at);
			end += pieces[i].len;
		}
		ASSERT_EQ(PERIOD, end);
		close(sv[0]);
		close(sv[1]);
	}
}

/* More readers at once than may have their memory on offer. */
TEST_F_TIMEOUT(landing_crowd, many_pairs, 60)
{
	enum { PAIRS = 45 };
	struct worker w[PAIRS] = {}, r[PAIRS] = {};
	long len = UNIT * 1500;
	int sv[2];

	prepare(self->family);
	for (int i = 0; i < PAIRS; i++) {
		ASSERT_EQ(0, rc(socketpair(family, SOCK_STREAM, 0, sv)));
		w[i].fd = sv[0];
		r[i].fd = sv[1];
		start(&r[i], one_of_readers);
	}
	for (int round = 0; round < 4; round++)
		for (int i = 0; i < PAIRS; i++) {
			ASSERT_EQ(len, rc(send(w[i].fd, BYTES + w[i].good, len, 0)));
			w[i].good += len;
		}
	for (int i = 0; i < PAIRS; i++) {
		shutdown(w[i].fd, SHUT_WR);
		JOIN(&r[i]);
		ASSERT_EQ(w[i].good, r[i].good);
	}
}

/* --- messages ------------------------------------------------------------------ */

enum { SENDERS = 2, MESSAGES = 1 << 20, LARGEST = UNIT * 1800 };

/* Which message of whom it is; behind it, bytes of the source. */
struct head {
	uint32_t from, nr;
};

static unsigned char got[SENDERS][MESSAGES];

static long length(uint32_t from, uint32_t nr)
{
	unsigned int seed = from * 7919 + nr;

	return sizeof(struct head) + (rnd(&seed) % 5 ? rnd(&seed) % LARGEST : rnd(&seed) % 100);
}

static const char *content(const struct head *h)
{
	return BYTES + (h->nr * 64997ULL + h->from * 1000) % PERIOD;
}

static void *sender(void *arg)
{
	struct worker *w = arg;
	char *mine = new_room();

	while (more() && w->good < MESSAGES) {
		struct head h = { .from = w->id, .nr = w->good };
		long ret, len = length(h.from, h.nr);

		memcpy(mine, &h, sizeof(h));
		memcpy(mine + sizeof(h), content(&h), len - sizeof(h));
		if (w->to.len)
			ret = xsendto(w->fd, mine, len, 0, &w->to);
		else
			ret = rc(send(w->fd, mine, len, MSG_NOSIGNAL));
		if (ret == len)
			w->good++;
		else if (ret != -EINTR)
			wrong(w, ret);
	}
	munmap(mine, 4 << 20);
	return NULL;
}

/* Messages are whole; those of each sender come one behind the other. */
static void *receiver(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 71 + w->id;
	long next[SENDERS] = {}, ret;
	char *mine = new_room();

	for (;;) {
		/* A looker that slept might be woken in the place of one who receives. */
		int flags = w->id < 0 ? MSG_PEEK | MSG_DONTWAIT : 0;
		char *buf = mine + rnd(&seed) % 5000;
		struct head h;

		ret = rc(recv(w->fd, buf, LARGEST + 100, flags));
		if (ret == -EAGAIN && !stopped())
			usleep(200);
		if (ret == -EINTR || (ret == -EAGAIN && !stopped()))
			continue;
		if (ret <= 0)
			break;
		memcpy(&h, buf, sizeof(h));
		if (ret < (long)sizeof(h) || h.from >= SENDERS || h.nr >= MESSAGES ||
		    h.nr < next[h.from] || ret != length(h.from, h.nr) ||
		    memcmp(buf + sizeof(h), content(&h), ret - sizeof(h))) {
			wrong(w, ret);
			continue;
		}
		w->good++;
		if (w->id < 0)
			continue;
		next[h.from] = h.nr + 1;
		__atomic_add_fetch(&got[h.from][h.nr], 1, __ATOMIC_RELAXED);
	}
	w->what = ret;
	munmap(mine, 4 << 20);
	return NULL;
}

/* What is left is received; then who waits is told that no more comes. */
static bool finish(int fd)
{
	int64_t end = now_ms() + 20000;
	int left = 1;

	while (!ioctl(fd, FIONREAD, &left) && left && now_ms() < end)
		usleep(1000);
	return !left && !shutdown(fd, SHUT_RD);
}

#define EXPECT_ALL(_s)							\
do {									\
	for (int __i = 0; __i < SENDERS; __i++) {			\
		for (int __k = 0; __k < (_s)[__i].good; __k++) {	\
			ASSERT_EQ(1, got[__i][__k])			\
				TH_LOG("message %d of %d", __k, __i);	\
		}							\
	}								\
} while (0)

TEST_F_TIMEOUT(landing_packets, crowd, 60)
{
	struct worker s[SENDERS], r[3], p = {};

	prepare(self->family);
	catch_signal(SIGUSR1, 0);
	for (int i = 0; i < 3; i++) {
		/* The last one looks. */
		r[i] = (struct worker) { .id = i < 2 ? i : -1, .fd = self->fd[1] };
		start(&r[i], receiver);
	}
	for (int i = 0; i < SENDERS; i++) {
		s[i] = (struct worker) { .id = i, .fd = self->fd[0] };
		start(&s[i], sender);
	}
	target[0] = &s[0];
	target[1] = &r[0];
	start(&p, pester);
	JOIN(&p);
	for (int i = 0; i < SENDERS; i++)
		JOIN(&s[i]);
	ASSERT_TRUE(finish(self->fd[1]));
	stop();
	for (int i = 0; i < 3; i++)
		JOIN(&r[i]);
	EXPECT_EQ(s[0].good + s[1].good, r[0].good + r[1].good);
	EXPECT_ALL(s);
}

/* Senders of whom the receiver knows nothing but what they send. */
TEST_F_TIMEOUT(landing_packets, by_name, 60)
{
	struct worker s[SENDERS], r[2];
	struct name n = abstract_name(self->family, "landing");
	int fd;

	if (self->type != SOCK_DGRAM)
		SKIP(return, "only datagrams are sent to a name");
	prepare(self->family);
	fd = bound(family, SOCK_DGRAM, &n);
	ASSERT_LE(0, fd);
	for (int i = 0; i < 2; i++) {
		r[i] = (struct worker) { .id = i, .fd = fd };
		start(&r[i], receiver);
	}
	for (int i = 0; i < SENDERS; i++) {
		s[i] = (struct worker) { .id = i, .fd = dgram(family), .to = n };
		if (i)
			ASSERT_EQ(0, xconnect(s[i].fd, &n));
		if (i)
			s[i].to.len = 0;
		start(&s[i], sender);
	}
	for (int i = 0; i < SENDERS; i++)
		JOIN(&s[i]);
	ASSERT_TRUE(finish(fd));
	for (int i = 0; i < 2; i++)
		JOIN(&r[i]);
	EXPECT_EQ(s[0].good + s[1].good, r[0].good + r[1].good);
	EXPECT_ALL(s);
}

/* Sends again what has failed: it is as if it had not been tried. */
static void *weak_sender(void *arg)
{
	struct worker *w = arg;

	while (more()) {
		long len = length(0, w->good);
		long ret = rc(send(w->fd, weak + w->good * 64 * 997 % PERIOD, len, MSG_NOSIGNAL));

		if (ret == len)
			w->good++;
		else if (ret == -EFAULT)
			w->other++;
		else
			wrong(w, ret);
	}
	return NULL;
}

static void *weak_receiver(void *arg)
{
	struct worker *w = arg;
	long ret;

	while ((ret = rc(recv(w->fd, room + 100, LARGEST + 100, 0))) > 0) {
		if (ret != length(0, w->good) ||
		    memcmp(room + 100, BYTES + w->good * 64 * 997 % PERIOD, ret))
			wrong(w, ret);
		w->good++;
	}
	w->what = ret;
	return NULL;
}

TEST_F_TIMEOUT(landing_packets, weak_sender, 60)
{
	struct worker s = { .fd = self->fd[0] }, r = { .fd = self->fd[1] }, p = {};

	prepare(self->family);
	ASSERT_TRUE(weak_source());
	start(&p, weakener);
	start(&r, weak_receiver);
	start(&s, weak_sender);
	JOIN(&s);
	ASSERT_TRUE(finish(r.fd));
	JOIN(&r);
	EXPECT_EQ(s.good, r.good);
	stop();
	JOIN(&p);
}

/* The same of messages: what is received at once was never queued. */
static bool lands_whole(int from, int to, const struct name *name)
{
	struct op op = { .fn = op_recv, .fd = to, .buf = room, .len = LARGEST };
	bool landed = false;

	for (int i = 0; i < 100 && !landed && one_cpu(); i++) {
		bool asleep = op_blocks(&op, SYS_recvfrom);
		int queued = -1;
		long sent;

		be_first(true);
		sent = name ? xsendto(from, BYTES, LARGEST, 0, name) :
			      rc(send(from, BYTES, LARGEST, 0));
		ioctl(from, SIOCOUTQ, &queued);
		be_first(false);
		if (op_join(&op) != LARGEST || sent != LARGEST || memcmp(room, BYTES, LARGEST))
			return false;
		landed = asleep && !queued;
	}
	return landed;
}

/* Those of a sender that the receiver isn't connected to, too. */
TEST_F_TIMEOUT(landing_packets, used, 60)
{
	struct name n = abstract_name(self->family, "used");
	bool runix = self->family != AF_UNIX;
	int a, b;

	prepare(self->family);
	EXPECT_EQ(runix, lands_whole(self->fd[0], self->fd[1], NULL));
	if (self->type != SOCK_DGRAM)
		return;
	a = dgram(family);
	b = bound(family, SOCK_DGRAM, &n);
	EXPECT_EQ(runix, lands_whole(a, b, &n));
	ASSERT_EQ(0, xconnect(a, &n));
	EXPECT_EQ(runix, lands_whole(a, b, NULL));
}

TEST_HARNESS_MAIN
