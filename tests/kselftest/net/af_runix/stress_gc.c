// SPDX-License-Identifier: GPL-2.0
/*
 * Several processes put sockets into each other's queues at random, receive, peek
 * and close them, and are killed at random. In the end there are as many sockets,
 * files and slab objects as in the beginning.
 *
 * "runix.cycles=N" on the kernel's command line says how many cycles are made. A ring of
 * sockets is one; each further descriptor from one of its sockets to another closes one
 * more at least.
 */
#include "ring.h"
#include "wanted.h"

#include <sys/resource.h>

#define WORKERS		4
#define BOXES		6
#define MOST		6	/* sockets at once, in each process */
#define DENSE		253	/* descriptors in a message */

FIXTURE(stress_gc)
{
	int family;
};

FIXTURE_VARIANT(stress_gc)
{
	bool own, other;	/* AF_RUNIX, AF_UNIX */
};

FIXTURE_VARIANT_ADD(stress_gc, unix)
{
	.other = true,
};

FIXTURE_VARIANT_ADD(stress_gc, runix)
{
	.own = true,
};

FIXTURE_VARIANT_ADD(stress_gc, mixed)
{
	.own = true,
	.other = true,
};

FIXTURE_SETUP(stress_gc)
{
	self->family = runix_family();
	if (variant->own && rc(socket(self->family, SOCK_STREAM, 0)) == -EAFNOSUPPORT &&
	    !runix_required())
		SKIP(return, "family %d is not registered", self->family);
	close_range(3, ~0U, 0);
	if (variant->own && variant->other) {
		if (write_word(PASS_UNIX, "1") == -EACCES)
			SKIP(return, "needs root");
		ASSERT_EQ(1, read_number(PASS_UNIX));
	}
}

FIXTURE_TEARDOWN(stress_gc)
{
	write_word(PASS_UNIX, "0");
}

/* --- what there is ------------------------------------------------------- */

static const char *const protocols[] = { "UNIX", "UNIX-STREAM", "RUNIX", "RUNIX-STREAM" };
static const char *const caches[] = { "filp", "sock_inode_cache", "UNIX", "UNIX-STREAM",
				      "RUNIX", "RUNIX-STREAM", "runix_512", "runix_4k",
				      "runix_32k" };
#define N_PROTOCOLS	4
#define N_CACHES	9
/* Those of others come and go, and what each CPU keeps is not counted exactly. */
#define SLACK		96

struct census {
	long sockets[N_PROTOCOLS];
	long files;
	long objects[N_CACHES];
};

static struct census take_census(void)
{
	struct census c;
	int i;

	for (i = 0; i < N_CACHES; i++)
		c.objects[i] = objects_of(caches[i]);
	for (i = 0; i < N_PROTOCOLS; i++)
		c.sockets[i] = alive(protocols[i]);
	c.files = read_number("/proc/sys/fs/file-nr");
	return c;
}

static bool more_than(const struct census *a, const struct census *b)
{
	int i;

	for (i = 0; i < N_PROTOCOLS; i++)
		if (a->sockets[i] > b->sockets[i])
			return true;
	for (i = 0; i < N_CACHES; i++)
		if (a->objects[i] > b->objects[i] + SLACK)
			return true;
	return a->files > b->files;
}

/* --- the processes -------------------------------------------------------- */

struct shared {
	long cycles;		/* that were made */
	long graphs;		/* that they are in */
	long received;		/* sockets that came from another process */
	long wrong;		/* what can't be */
};

static struct shared *shared;
static struct node boxes[BOXES];
static int families[2], n_families;

static unsigned int rnd(unsigned int *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

static bool put_all(int in, const int *fds, int n)
{
	struct control c = {};
	long ret = send_control(in, "x", 1, MSG_DONTWAIT, add_fds(&c, fds, n));

	/* Full, or nobody there any more; nothing else. */
	if (ret != 1 && ret != -EAGAIN && ret != -EPIPE && ret != -ECONNREFUSED &&
	    ret != -ENOTCONN && ret != -ECONNRESET && ret != -ETOOMANYREFS)
		__atomic_store_n(&shared->wrong, ret, __ATOMIC_RELAXED);
	return ret == 1;
}

static bool put(int in, int fd)
{
	return put_all(in, &fd, 1);
}

/*
 * Descriptors of any nodes into the queue of any, and how many that were: most often one;
 * where everything takes long, most often many.
 */
static int put_some(const struct node *n, int count, unsigned int *seed)
{
	bool dense = (rnd(seed) % 8 == 0) == (time_scale() == 1);
	int fds[DENSE], i, many = dense ? 1 + rnd(seed) % DENSE : 1;

	for (i = 0; i < many; i++)
		fds[i] = n[rnd(seed) % count].fd;
	return put_all(n[rnd(seed) % count].in, fds, many) ? many : 0;
}

/* A descriptor out of a queue, or -1. */
static int get(int fd, int flags)
{
	struct control c = { .len = sizeof(c.buf) };
	int got[256], n;
	char ch;

	if (recv_control(fd, &ch, 1, MSG_DONTWAIT | flags, &c) < 0)
		return -1;
	n = get_fds(&c, got);
	while (n > 1)
		close(got[--n]);
	return n ? got[0] : -1;
}

/* A listener with a connection in it that nobody accepts, or might. */
static int make_listener(struct node *n, int family, int type, unsigned int *seed)
{
	struct name name = { .len = PATH_OFF, .un.sun_family = family };
	int l = rc(socket(family, type, 0)), c;

	/* The kernel chooses the name. */
	if (l < 0 || xbind(l, &name) || listen(l, 4) || xgetsockname(l, &name)) {
		close(l);
		return -1;
	}
	c = rc(socket(family, type | SOCK_NONBLOCK, 0));
	if (c < 0 || xconnect(c, &name)) {
		close(l);
		close(c);
		return -1;
	}
	n->fd = l;
	n->in = c;
	if (rnd(seed) % 3 == 0) {
		n->fd = rc(accept4(l, NULL, NULL, SOCK_NONBLOCK));
		close(l);
	}
	if (n->fd < 0)
		close(c);
	return n->fd < 0 ? -1 : 0;
}

static int make_any(struct node *n, unsigned int *seed)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	int family = families[rnd(seed) % n_families], type = types[rnd(seed) % 3];

	if (type != SOCK_DGRAM && rnd(seed) % 4 == 0)
		return make_listener(n, family, type, seed);
	return make_node(n, family, type);
}

static void one_graph(unsigned int *seed)
{
	int count = 1 + rnd(seed) % MOST, cycles = 1, i, extra, fd;
	struct node n[MOST];
	bool ring;

	for (i = 0; i < count; i++)
		if (make_any(&n[i], seed)) {
			count = i;
			break;
		}
	ring = count > 0;
	for (i = 0; i < count; i++)
		ring &= put(n[i].in, n[(i + 1) % count].fd);
	for (extra = rnd(seed) % 12; count && extra; extra--)
		cycles += put_some(n, count, seed);
	/* Something from another process, and something for it. */
	fd = get(boxes[rnd(seed) % BOXES].fd, rnd(seed) % 4 ? 0 : MSG_PEEK);
	if (fd >= 0) {
		__atomic_add_fetch(&shared->received, 1, __ATOMIC_RELAXED);
		if (count)
			put(n[rnd(seed) % count].in, fd);
		close(fd);
	}
	if (count && rnd(seed) % 2)
		put(boxes[rnd(seed) % BOXES].in, n[rnd(seed) % count].fd);
	/* Look at one, or take something out again. */
	if (count && rnd(seed) % 2) {
		fd = get(n[rnd(seed) % count].fd, rnd(seed) % 2 ? MSG_PEEK : 0);
		if (fd >= 0) {
			ring = false;
			close(fd);
		}
	}
	while (count) {
		i = rnd(seed) % count;
		close_node(&n[i]);
		n[i] = n[--count];
	}
	if (ring) {
		__atomic_add_fetch(&shared->cycles, cycles, __ATOMIC_RELAXED);
		__atomic_add_fetch(&shared->graphs, 1, __ATOMIC_RELAXED);
	}
}

static pid_t start_worker(unsigned int seed)
{
	pid_t pid = spawn();

	if (!pid)
		for (;;)
			one_graph(&seed);
	return pid;
}

static void kill_worker(pid_t pid)
{
	kill(pid, SIGKILL);
	reap(pid);
}

TEST_F_TIMEOUT(stress_gc, as_many_as_before, 7200)
{
	long cycles = wanted("runix.cycles=", 100000), told = 0;
	struct census before, after;
	int kills = 0, i, wait;
	unsigned int seed = 1;
	pid_t pid[WORKERS];
	int64_t end;

	families[0] = variant->own ? self->family : AF_UNIX;
	families[1] = AF_UNIX;
	n_families = variant->own && variant->other ? 2 : 1;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
	usleep(300000);
	before = take_census();
	for (i = 0; i < BOXES; i++) {
		ASSERT_EQ(0, make_node(&boxes[i], families[i % n_families],
				       i % 3 ? SOCK_DGRAM : SOCK_SEQPACKET));
	}
	for (i = 0; i < WORKERS; i++)
		pid[i] = start_worker(++seed * 2654435761u);
	end = now_ms() + (30000 + 5 * cycles) * time_scale();
	while (shared->cycles < cycles && !shared->wrong && now_ms() < end) {
		usleep((1000 + rnd(&seed) % 65000) * time_scale());
		i = rnd(&seed) % WORKERS;
		kill_worker(pid[i]);
		pid[i] = start_worker(++seed * 2654435761u);
		kills++;
		if (shared->cycles > told + cycles / 10) {
			told = shared->cycles;
			TH_LOG("%ld cycles", told);
		}
	}
	for (i = 0; i < WORKERS; i++)
		kill_worker(pid[i]);
	for (i = 0; i < BOXES; i++)
		close_node(&boxes[i]);
	EXPECT_EQ(0, shared->wrong);
	EXPECT_LE(cycles, shared->cycles);
	EXPECT_LT(0, shared->received);
	EXPECT_LT(0, kills);

	for (wait = 0; wait < 300; wait++) {
		after = take_census();
		if (!more_than(&after, &before))
			break;
		for (i = 0; i < n_families; i++)
			close_another(families[i]);
		usleep(100000);
	}
	for (i = 0; i < N_PROTOCOLS; i++) {
		EXPECT_GE(before.sockets[i], after.sockets[i])
			TH_LOG("%s", protocols[i]);
	}
	EXPECT_GE(before.files, after.files);
	for (i = 0; i < N_CACHES; i++) {
		EXPECT_GE(before.objects[i] + SLACK, after.objects[i])
			TH_LOG("%s", caches[i]);
	}
	TH_LOG("%ld cycles in %ld graphs, %d kills, %ld sockets between processes, all gone after %d ms",
	       shared->cycles, shared->graphs, kills, shared->received, wait * 100);
	TH_LOG("sockets %ld %ld %ld %ld, files %ld, in caches %ld %ld", after.sockets[0],
	       after.sockets[1], after.sockets[2], after.sockets[3], after.files,
	       after.objects[0], after.objects[1]);
}

TEST_HARNESS_MAIN
