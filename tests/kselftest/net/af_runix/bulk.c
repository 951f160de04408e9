// SPDX-License-Identifier: GPL-2.0
/* Much data, in all sizes, with many at it: nothing lost, added or moved. */

#include "common.h"

FAMILY_FIXTURE(bulk);

#define MAX	(4 << 20)

static char out[MAX], in[MAX];

struct flow {
	int fd;
	size_t total;
	size_t chunk;		/* 0: pieces of all sizes */
	long done;		/* bytes moved, all right, or an error */
	pthread_t thread;
};

static size_t piece(const struct flow *f, unsigned int *seed)
{
	size_t left = f->total - f->done, n = f->chunk;

	if (!n) {
		*seed = *seed * 1103515245 + 12345;
		n = 1 + ((*seed >> 8) & ((1 << (*seed >> 28 & 15)) - 1));
	}
	return n < left ? n : left;
}

static void *writer(void *arg)
{
	unsigned int seed = 1;
	struct flow *f = arg;
	char buf[65536];

	while (f->done < (long)f->total) {
		size_t n = piece(f, &seed);
		long ret;

		if (n > sizeof(buf))
			n = sizeof(buf);
		pat_fill(buf, f->done, n);
		ret = send(f->fd, buf, n, MSG_NOSIGNAL);
		if (ret <= 0) {
			f->done = ret ? -errno : -EBADMSG;
			break;
		}
		f->done += ret;
	}
	return NULL;
}

static void *reader(void *arg)
{
	unsigned int seed = 2;
	struct flow *f = arg;
	char buf[65536];

	while (f->done < (long)f->total) {
		size_t n = piece(f, &seed);
		long ret;

		if (n > sizeof(buf))
			n = sizeof(buf);
		ret = recv(f->fd, buf, n, 0);
		if (ret <= 0 || pat_good(buf, f->done, ret) != (size_t)ret) {
			f->done = ret < 0 ? -errno : -EBADMSG;
			break;
		}
		f->done += ret;
	}
	return NULL;
}

static void start(struct flow *f, void *(*fn)(void *))
{
	f->done = 0;
	if (pthread_create(&f->thread, NULL, fn, f))
		abort();
}

/* One message of each size around which something might change. */
TEST_F_TIMEOUT(bulk, sizes, 90)
{
	static const size_t sizes[] = {
		1, 2, 63, 64, 65, 127, 128, 255, 256, 257, 1000, 2048, 3839, 3840,
		3841, 4095, 4096, 4097, 8191, 8192, 8193, 16383, 32767, 32768,
		36608, 65535, 65536, 65537, 106368, 131072, 212992, 212993,
		1000000, 1 << 20, MAX,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct op op = { .fn = op_send, .fd = self->fd[0], .buf = out,
				 .len = sizes[i] };

		pat_fill(out, i, sizes[i]);
		ASSERT_EQ(0, pthread_create(&op.thread, NULL, op_main, &op));
		ASSERT_EQ(sizes[i], rc(recv(self->fd[1], in, sizes[i], MSG_WAITALL)));
		ASSERT_EQ(sizes[i], op_join(&op));
		ASSERT_EQ(sizes[i], pat_good(in, i, sizes[i]))
			TH_LOG("of size %zu", sizes[i]);
		ASSERT_EQ(0, inq(self->fd[1]));
	}
}

/* Pieces that fit into each other badly. */
TEST_F_TIMEOUT(bulk, chunks, 90)
{
	static const size_t size[] = { 1, 7, 100, 4096, 10000, 65536 };
	size_t w, r;

	for (w = 0; w < ARRAY_SIZE(size); w++) {
		for (r = 0; r < ARRAY_SIZE(size); r++) {
			size_t less = size[w] < size[r] ? size[w] : size[r];
			size_t total = less < 100 ? 400 * less : 80000;
			struct flow f = { self->fd[0], total, size[w] };
			struct flow g = { self->fd[1], total, size[r] };

			start(&f, writer);
			reader(&g);
			ASSERT_EQ(total, g.done)
				TH_LOG("from %zu to %zu", size[w], size[r]);
			pthread_join(f.thread, NULL);
			ASSERT_EQ(total, f.done);
		}
	}
}

/* To and fro at once, in pieces of all sizes, through buffers of all sizes. */
TEST_F_TIMEOUT(bulk, both_ways, 90)
{
	static const int sndbuf[] = { 0, 10000, 400000 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sndbuf); i++) {
		struct flow f[4] = {
			{ self->fd[0], 400000 }, { self->fd[1], 400000 },
			{ self->fd[1], 300000 }, { self->fd[0], 300000 },
		};
		int k;

		ASSERT_EQ(0, setint(self->fd[0], SO_SNDBUF, sndbuf[i]));
		ASSERT_EQ(0, setint(self->fd[1], SO_SNDBUF, sndbuf[i]));
		for (k = 0; k < 4; k++)
			start(&f[k], k & 1 ? reader : writer);
		for (k = 0; k < 4; k++) {
			pthread_join(f[k].thread, NULL);
			EXPECT_EQ(f[k].total, f[k].done)
				TH_LOG("flow %d, buffer %d", k, sndbuf[i]);
		}
	}
}

/* Between processes, by scattered reads and gathered writes. */
TEST_F_TIMEOUT(bulk, processes, 90)
{
	enum { TOTAL = 2 << 20 };
	size_t done = 0;
	pid_t pid;

	pid = spawn();
	if (!pid) {
		close(self->fd[1]);
		pat_fill(out, 0, TOTAL);
		while (done < TOTAL) {
			size_t left = TOTAL - done;
			size_t a = left / 3, b = left - a < 5000 ? left - a : 5000;
			struct iovec iov[3] = {
				{ out + done, a < 11 ? a : 11 }, {}, {},
			};
			long ret;

			iov[1] = (struct iovec) { out + done + iov[0].iov_len, b };
			iov[2] = (struct iovec) { iov[1].iov_base + b,
				left - iov[0].iov_len - b < 70000 ?
				left - iov[0].iov_len - b : 70000 };
			ret = writev(self->fd[0], iov, 3);
			if (ret <= 0)
				_exit(1);
			done += ret;
		}
		_exit(0);
	}
	ASSERT_LT(0, pid);
	close(self->fd[0]);
	while (done < TOTAL) {
		struct iovec iov[3] = {
			{ in + done, 1 }, { in + done + 1, 4099 },
			{ in + done + 4100, 30000 },
		};
		long ret = rc(readv(self->fd[1], iov, 3));

		ASSERT_LT(0, ret);
		ASSERT_EQ(ret, pat_good(in + done, done, ret))
			TH_LOG("from byte %zu on", done);
		done += ret;
	}
	EXPECT_EQ(TOTAL, done);
	EXPECT_EQ(0, rc(read(self->fd[1], in, 1)));
	EXPECT_EQ(0, reap(pid));
}

/* What one sees is what one gets. */
TEST_F_TIMEOUT(bulk, peek_then_read, 90)
{
	struct flow f = { self->fd[0], 100000 };
	char look[3000], take[3000];
	long done = 0;

	start(&f, writer);
	while (done < 100000) {
		long seen = rc(recv(self->fd[1], look, sizeof(look), MSG_PEEK));

		ASSERT_LT(0, seen);
		ASSERT_EQ(seen, pat_good(look, done, seen));
		ASSERT_EQ(seen, rc(recv(self->fd[1], take, seen, 0)));
		ASSERT_EQ(0, memcmp(look, take, seen));
		done += seen;
	}
	EXPECT_EQ(100000, done);
	pthread_join(f.thread, NULL);
	EXPECT_EQ(100000, f.done);
}

/* --- many writers ----------------------------------------------------- */

enum { WRITERS = 4, RECORDS = 200, BODY = 4000 };

struct record {
	unsigned short len;	/* of the body */
	unsigned char writer;
	unsigned char nr;
	char body[BODY];
};

struct crowd {
	int fd;
	int id;
	int failed;
	pthread_t thread;
};

static size_t body_len(int writer, int nr)
{
	return 1 + (nr * 131 + writer * 977) % BODY;
}

static void *crowd_writer(void *arg)
{
	struct crowd *c = arg;
	int i;

	for (i = 0; i < RECORDS; i++) {
		struct record r = { body_len(c->id, i), c->id, i };
		long len = offsetof(struct record, body) + r.len;

		pat_fill(r.body, c->id + i, r.len);
		if (send(c->fd, &r, len, MSG_NOSIGNAL) != len)
			c->failed++;
	}
	return NULL;
}

/* Messages of a page at most are whole, and in the order of their writer. */
TEST_F_TIMEOUT(bulk, many_writers, 90)
{
	struct crowd c[WRITERS];
	int next[WRITERS] = {}, i;

	for (i = 0; i < WRITERS; i++) {
		c[i] = (struct crowd) { self->fd[0], i };
		ASSERT_EQ(0, pthread_create(&c[i].thread, NULL, crowd_writer, &c[i]));
	}
	for (i = 0; i < WRITERS * RECORDS; i++) {
		struct record r;

		ASSERT_EQ(4, rc(recv(self->fd[1], &r, 4, MSG_WAITALL)));
		ASSERT_GT(WRITERS, r.writer);
		ASSERT_EQ(next[r.writer] & 0xff, r.nr);
		ASSERT_EQ(body_len(r.writer, r.nr), r.len);
		ASSERT_EQ(r.len, rc(recv(self->fd[1], r.body, r.len, MSG_WAITALL)));
		ASSERT_EQ(r.len, pat_good(r.body, r.writer + r.nr, r.len));
		next[r.writer]++;
	}
	for (i = 0; i < WRITERS; i++) {
		pthread_join(c[i].thread, NULL);
		EXPECT_EQ(0, c[i].failed);
		EXPECT_EQ(RECORDS, next[i]);
	}
	EXPECT_EQ(0, inq(self->fd[1]));
}

/* --- many readers ----------------------------------------------------- */

enum { READERS = 4, TICKETS = 2000 };

struct ticket {
	unsigned int nr;
	char body[60];
};

static unsigned char ticket_seen[TICKETS];

static void *crowd_reader(void *arg)
{
	struct crowd *c = arg;
	struct ticket t;
	long ret;

	while ((ret = recv(c->fd, &t, sizeof(t), 0)) > 0) {
		if (ret != sizeof(t) || t.nr >= TICKETS ||
		    pat_good(t.body, t.nr, sizeof(t.body)) != sizeof(t.body))
			c->failed++;
		else
			__atomic_add_fetch(&ticket_seen[t.nr], 1, __ATOMIC_RELAXED);
	}
	if (ret)
		c->failed++;
	return NULL;
}

/* Each read gets neighbouring bytes; each byte goes to one reader. */
TEST_F_TIMEOUT(bulk, many_readers, 90)
{
	struct crowd c[READERS];
	int i;

	for (i = 0; i < READERS; i++) {
		c[i] = (struct crowd) { self->fd[1], i };
		ASSERT_EQ(0, pthread_create(&c[i].thread, NULL, crowd_reader, &c[i]));
	}
	for (i = 0; i < TICKETS; i++) {
		struct ticket t = { .nr = i };

		pat_fill(t.body, i, sizeof(t.body));
		ASSERT_EQ(sizeof(t), rc(send(self->fd[0], &t, sizeof(t), 0)));
	}
	ASSERT_EQ(0, rc(shutdown(self->fd[0], SHUT_WR)));
	for (i = 0; i < READERS; i++) {
		pthread_join(c[i].thread, NULL);
		EXPECT_EQ(0, c[i].failed);
	}
	for (i = 0; i < TICKETS; i++) {
		ASSERT_EQ(1, ticket_seen[i])
			TH_LOG("ticket %d", i);
	}
}

TEST_HARNESS_MAIN
