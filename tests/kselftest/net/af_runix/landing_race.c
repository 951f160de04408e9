// SPDX-License-Identifier: GPL-2.0
/*
 * Large messages to a reader that waits for them, and meanwhile signals, forks, memory that
 * changes under the reader or fails the writer, shutdown and SIGKILL.
 */
#include "landing_race.h"

FAMILY_FIXTURE(landing_race);

/* --- one writer, one reader ------------------------------------------------ */

/* Sends the source again and again until the time is up; good counts the bytes. */
static void *stream_writer(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 3 + w->id;

	while (more()) {
		long ret = rc(send(w->fd, BYTES + w->good % PERIOD, some(&seed), MSG_NOSIGNAL));

		if (ret > 0)
			w->good += ret;
		else if (ret != -EINTR)
			break;
	}
	shutdown(w->fd, SHUT_WR);
	return NULL;
}

/* Receives it to odd places, and compares. */
static void *stream_reader(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 5;

	for (;;) {
		char *buf = room + rnd(&seed) % 5000;
		int flags = rnd(&seed) % 4 ? 0 : MSG_WAITALL;
		long ret = rc(recv(w->fd, buf, 1 + rnd(&seed) % 4 * (MOST / 4 - 1), flags));

		if (ret > 0) {
			if (memcmp(buf, BYTES + w->good % PERIOD, ret))
				wrong(w, w->good);
			w->good += ret;
		} else if (ret != -EINTR && ret != -EAGAIN && ret != -EFAULT) {
			w->what = ret;
			return NULL;
		} else {
			w->other++;
		}
	}
}

#define BALANCE(_w, _r)							\
do {									\
	JOIN(_w);							\
	JOIN(_r);							\
	EXPECT_EQ(0, (_r)->what);					\
	EXPECT_EQ((_w)->good, (_r)->good);				\
	EXPECT_LT(0, (_r)->good);					\
} while (0)

TEST_F_TIMEOUT(landing_race, signals, 60)
{
	struct worker w = { .fd = self->fd[0] }, r = { .fd = self->fd[1] }, p = {};

	prepare(self->family);
	catch_signal(SIGUSR1, 0);
	ASSERT_EQ(0, setint(w.fd, SO_SNDBUF, UNIT * 500));
	target[0] = &w;
	target[1] = &r;
	start(&w, stream_writer);
	start(&r, stream_reader);
	start(&p, pester);
	JOIN(&p);
	BALANCE(&w, &r);
}

/* Short times to wait, which end with the memory on offer and with none. */
TEST_F_TIMEOUT(landing_race, times, 60)
{
	struct worker w = { .fd = self->fd[0] }, r = { .fd = self->fd[1] };

	prepare(self->family);
	ASSERT_EQ(0, set_timeo(r.fd, SO_RCVTIMEO, 1));
	ASSERT_EQ(0, set_timeo(w.fd, SO_SNDTIMEO, 1000));
	start(&w, stream_writer);
	start(&r, stream_reader);
	BALANCE(&w, &r);
}

/* --- what happens to the reader's memory ------------------------------------ */

static uint64_t sum(const char *p, size_t len)
{
	uint64_t sum = 0;

	while (len--)
		sum = sum * 31 + (unsigned char)*p++;
	return sum;
}

/* Children whose copy of the memory is theirs alone: nothing comes, nothing goes. */
static void *forker(void *arg)
{
	struct worker *w = arg;

	do {
		pid_t pid = spawn();

		if (!pid) {
			uint64_t before = sum(room, 400000);

			usleep(1000);
			if (sum(room, 400000) != before)
				_exit(1);
			memset(room, 0xff, 400000);
			_exit(0);
		}
		if (reap(pid))
			wrong(w, pid);
		w->good++;
	} while (!stopped());
	return NULL;
}

TEST_F_TIMEOUT(landing_race, forks, 60)
{
	struct worker w = { .fd = self->fd[0] }, r = { .fd = self->fd[1] }, f = {};

	prepare(self->family);
	start(&w, stream_writer);
	start(&r, stream_reader);
	start(&f, forker);
	pthread_join(w.thread, NULL);
	stop();
	JOIN(&f);
	EXPECT_LT(0, f.good);
	/* The children are gone, which had the ends, too. */
	pthread_join(r.thread, NULL);
	EXPECT_EQ(0, r.bad);
	EXPECT_EQ(w.good, r.good);
}

static pthread_mutex_t intact = PTHREAD_MUTEX_INITIALIZER;

static void pull_away(unsigned int *seed)
{
	size_t len = 4096 * (1 + rnd(seed) % 100);
	char *p = room + 4096 * (rnd(seed) % 150);
	void *q;

	switch (rnd(seed) % 6) {
	case 0:
		madvise(p, len, MADV_DONTNEED);
		break;
	case 1:
		mprotect(p, len, PROT_READ);
		usleep(200);
		mprotect(p, len, PROT_READ | PROT_WRITE);
		break;
	case 2:
		munmap(p, len);
		usleep(200);
		mmap(p, len, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		break;
	case 3:
		q = mremap(p, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, new_room());
		usleep(200);
		mremap(q, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, p);
		munmap(q, 4 << 20);
		break;
	case 4:
		madvise(p, len, MADV_FREE);
		madvise(p, len, MADV_PAGEOUT);
		break;
	case 5:
		madvise(room, 4 << 20, MADV_HUGEPAGE);
		madvise(room, 4 << 20, 25 /* MADV_COLLAPSE */);
		break;
	}
}

static void *puller(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 23;

	do {
		pthread_mutex_lock(&intact);
		pull_away(&seed);
		pthread_mutex_unlock(&intact);
		w->good++;
		usleep(rnd(&seed) % 500);
	} while (!stopped());
	return NULL;
}

/* Receives to such memory: each byte that is there is right, or none. */
static void *robbed_reader(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 29;

	for (;;) {
		char *buf = room + rnd(&seed) % 5000;
		long ret = rc(recv(w->fd, buf, 1 + rnd(&seed) % 4 * (MOST / 4 - 1), 0));

		if (ret == -EFAULT) {
			w->other++;
			continue;
		}
		if (ret <= 0) {
			w->what = ret;
			return NULL;
		}
		pthread_mutex_lock(&intact);
		for (long i = 0; i < ret; i++)
			if (buf[i] != BYTES[w->good % PERIOD + i] && buf[i])
				wrong(w, w->good + i);
		pthread_mutex_unlock(&intact);
		w->good += ret;
	}
}

TEST_F_TIMEOUT(landing_race, pulled_away, 60)
{
	struct worker w = { .fd = self->fd[0] }, r = { .fd = self->fd[1] }, p = {};

	prepare(self->family);
	start(&w, stream_writer);
	start(&r, robbed_reader);
	start(&p, puller);
	BALANCE(&w, &r);
	stop();
	JOIN(&p);
	EXPECT_LT(0, p.good);
}

/* --- memory that fails the writer -------------------------------------------- */

static void *weak_writer(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 37;

	while (more()) {
		long ret = rc(send(w->fd, weak + w->good % PERIOD, some(&seed), MSG_NOSIGNAL));

		if (ret == -EFAULT)
			w->other++;
		else if (ret <= 0)
			break;
		else
			w->good += ret;
	}
	shutdown(w->fd, SHUT_WR);
	return NULL;
}

TEST_F_TIMEOUT(landing_race, weak_writer, 60)
{
	struct worker w = { .fd = self->fd[0] }, r = { .fd = self->fd[1] }, p = {};

	prepare(self->family);
	ASSERT_TRUE(weak_source());
	start(&p, weakener);
	start(&w, weak_writer);
	start(&r, stream_reader);
	BALANCE(&w, &r);
	stop();
	JOIN(&p);
	EXPECT_LT(0, p.good);
}

/* --- ends ------------------------------------------------------------------- */

/* What was sent before the end arrives, and nothing else. */
TEST_F_TIMEOUT(landing_race, shutdown, 60)
{
	static const struct { int end, how; } t[] = {
		{ 0, SHUT_WR }, { 1, SHUT_RD }, { 0, SHUT_RDWR }, { 1, SHUT_RDWR },
	};
	unsigned int seed = 53;

	prepare(self->family);
	for (int round = 0; now_ms() < deadline || round < 4; round++) {
		struct worker w = {}, r = {};
		int sv[2];

		ASSERT_EQ(0, rc(socketpair(family, SOCK_STREAM, 0, sv)));
		w.fd = sv[0];
		r.fd = sv[1];
		start(&r, stream_reader);
		start(&w, stream_writer);
		usleep(rnd(&seed) % 4000);
		ASSERT_EQ(0, rc(shutdown(sv[t[round % 4].end], t[round % 4].how)));
		JOIN(&w);
		JOIN(&r);
		ASSERT_EQ(0, r.what);
		ASSERT_EQ(w.good, r.good);
		close(sv[0]);
		close(sv[1]);
	}
}

/*
 * Does a message go to the memory of a waiting reader, which can't run meanwhile? Then one
 * that doesn't wait for room is taken whole, though there is room for little of it.
 */
static bool lands(int from, int to)
{
	long len = UNIT * 8000;
	struct op op = { .fn = op_recv, .fd = to, .buf = room, .len = len, .flags = MSG_WAITALL };

	setint(from, SO_SNDBUF, 16384);
	for (int i = 0; i < 100 && one_cpu(); i++) {
		bool asleep = op_blocks(&op, SYS_recvfrom);
		long sent;

		be_first(true);
		sent = send(from, BYTES, len, i ? MSG_DONTWAIT : 0);
		be_first(false);
		if (sent > 0 && sent < len)
			send(from, BYTES + sent, len - sent, 0);
		if (op_join(&op) != len || memcmp(room, BYTES, len))
			break;
		if (i && asleep && sent == len)
			return true;
	}
	return false;
}

TEST_F_TIMEOUT(landing_race, used, 60)
{
	prepare(self->family);
	EXPECT_EQ(self->family != AF_UNIX, lands(self->fd[0], self->fd[1]));
}

/* Readers that are killed with their memory on offer leave nothing behind. */
TEST_F_TIMEOUT(landing_race, killed, 60)
{
	unsigned int seed = 59;

	prepare(self->family);
	memset(room, 0, 1 << 20);
	for (int i = 0; i < 50; i++) {
		int sv[2];
		pid_t pid;

		ASSERT_EQ(0, rc(socketpair(family, SOCK_STREAM, 0, sv)));
		pid = spawn();
		if (!pid) {
			struct worker r[2] = { { .fd = sv[1] }, { .fd = sv[1] } };

			close(sv[0]);
			start(&r[0], stream_reader);
			start(&r[1], stream_reader);
			pause();
		}
		close(sv[1]);
		send(sv[0], BYTES, UNIT * 2000, MSG_NOSIGNAL);
		usleep(rnd(&seed) % 4000);
		if (i & 1)
			send(sv[0], BYTES, UNIT * 2000, MSG_NOSIGNAL | MSG_DONTWAIT);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(1000 + SIGKILL, reap(pid));
		close(sv[0]);
	}
	EXPECT_EQ(self->family != AF_UNIX, lands(self->fd[0], self->fd[1]));
}

/* --- more than bytes --------------------------------------------------------- */

/* Bytes with descriptors between those without. */
static void *mixed_writer(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 61;

	for (int i = 0; i < 8 || more(); i++) {
		const char *from = BYTES + w->good % PERIOD;
		long ret, len = some(&seed);

		if (i % 4 != 3) {
			ret = rc(send(w->fd, from, len, MSG_NOSIGNAL));
		} else {
			char byte[2] = { *from ? *from : 1 };

			/* say_fds() sends a string. */
			if (!*from) {
				ret = rc(send(w->fd, from, 1, MSG_NOSIGNAL));
			} else {
				ret = say_fds(w->fd, byte, &w->fd, 1);
				w->other += ret > 0;
			}
		}
		if (ret <= 0) {
			wrong(w, ret);
			break;
		}
		w->good += ret;
	}
	shutdown(w->fd, SHUT_WR);
	return NULL;
}

/* Options that say what is told, which change all the time. */
static void *fickle(void *arg)
{
	static const int options[] = { SO_PASSCRED, SO_TIMESTAMP, SO_PEEK_OFF };
	struct worker *w = arg;
	unsigned int seed = 67;

	do {
		int option = options[rnd(&seed) % 3];

		if (setint(w->fd, option, option == SO_PEEK_OFF ? (int)(rnd(&seed) % 2) * 8 - 1 :
								  (int)(rnd(&seed) % 2)))
			wrong(w, option);
		w->good++;
		usleep(rnd(&seed) % 300);
	} while (!stopped());
	return NULL;
}

TEST_F_TIMEOUT(landing_race, mixed, 60)
{
	struct worker w = { .fd = self->fd[0] }, r = { .fd = self->fd[1] }, f = r;

	prepare(self->family);
	start(&w, mixed_writer);
	start(&r, stream_reader);
	start(&f, fickle);
	BALANCE(&w, &r);
	EXPECT_LT(0, w.other);
	stop();
	JOIN(&f);
}

TEST_HARNESS_MAIN
