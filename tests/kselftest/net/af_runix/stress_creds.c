// SPDX-License-Identifier: GPL-2.0
/*
 * Several processes, threads and users send into one stream, and several readers are told
 * by whom each byte was sent. The bytes tell it, too.
 */
#include "scm.h"
#include "stress.h"

FAMILY_FIXTURE(stress_creds);

/* Who sends. A byte is who has sent it, and whether it was out of band. */
enum { THREAD, THREAD2, OTHER, ROOT, REAL, STATED, BRIEF, NR };

#define URGENT	0x80
#define PIDS	65536

static struct {
	struct { pid_t pid; uid_t uid; } who[NR];
	long sent[NR], urgent;
	/* Those who send once, which are many. */
	int briefs;
	pid_t brief[PIDS];
} *all;

static bool always;	/* credentials are told of all bytes */
static bool over;

static void add_to(long *count, long n)
{
	__atomic_fetch_add(count, n, __ATOMIC_RELAXED);
}

/* Send some bytes as @id. False once that is over. */
static bool send_some(int fd, int id, unsigned int *seed)
{
	struct control c = {}, *with = NULL;
	char buf[200];
	long ret;

	if (rnd(seed) % 16 == 0 && id != STATED) {
		buf[0] = id | URGENT;
		if (rc(send(fd, buf, 1, MSG_OOB | MSG_NOSIGNAL)) != 1)
			return false;
		add_to(&all->urgent, 1);
		return true;
	}
	memset(buf, id, sizeof(buf));
	if (id == STATED)
		with = add_creds(&c, getpid(), 7, 0);
	ret = send_control(fd, buf, 1 + rnd(seed) % sizeof(buf), 0, with);
	if (ret > 0)
		add_to(&all->sent[id], ret);
	return ret > 0;
}

static void *sender(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = w->id + 1;

	/* Once at least, whoever else has the machine. */
	do {
		if (!send_some(w->fd, w->id, &seed))
			wrong(w, -errno);
	} while (more());
	return NULL;
}

/* Each is a process. */
static int be_threads(int fd)
{
	struct worker w[2] = { { .id = THREAD, .fd = fd }, { .id = THREAD2, .fd = fd } };

	start(&w[1], sender);
	sender(&w[0]);
	pthread_join(w[1].thread, NULL);
	return w[0].bad || w[1].bad;
}

static int be_another(int fd)
{
	struct worker w = { .id = OTHER, .fd = fd };

	if (setresgid(1, 1, 1) || setresuid(1, 1, 1))
		return 1;
	sender(&w);
	return !!w.bad;
}

static int be_many(int fd)
{
	unsigned int seed = 99;
	int n;

	for (n = 0; n < 3 || more(); n++) {
		int id = ROOT + (n < 3 ? n : rnd(&seed) % 3);

		if (setresuid(id == REAL ? 3 : 0, -1, -1) || !send_some(fd, id, &seed))
			return 1;
	}
	return 0;
}

static int be_brief(int fd)
{
	unsigned int seed = 77;

	do {
		pid_t pid = spawn();

		seed++;
		if (!pid) {
			all->brief[all->briefs] = getpid();
			__atomic_store_n(&all->briefs, all->briefs + 1, __ATOMIC_RELEASE);
			_exit(!send_some(fd, BRIEF, &seed));
		}
		if (reap(pid))
			return 1;
	} while (more() && all->briefs < PIDS);
	return 0;
}

static bool was_brief(pid_t pid)
{
	int i;

	for (i = __atomic_load_n(&all->briefs, __ATOMIC_ACQUIRE) - 1; i >= 0; i--)
		if (all->brief[i] == pid)
			return true;
	return false;
}

static bool is_of(unsigned char byte, const struct ucred *told)
{
	int id = byte & ~URGENT;

	if (id >= NR || told->uid != all->who[id].uid)
		return false;
	return id == BRIEF ? was_brief(told->pid) : told->pid == all->who[id].pid;
}

/* What was received is of who is told. */
static void check(struct worker *w, const unsigned char *buf, long n, struct control *c)
{
	struct ucred told = get_creds(c);
	long i;

	/* Who is first told of in the middle of a call is who has sent what comes last. */
	for (i = always ? 0 : n - 1; i < n; i++)
		if ((always || told.pid > 0) && !is_of(buf[i], &told))
			wrong(w, buf[i]);
}

static unsigned char *room(void)
{
	void *p = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

static long taken[2][NR];

static void *reader(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = w->id + 31;
	unsigned char *page = room();

	for (;;) {
		struct control c = { .len = sizeof(c.buf) };
		size_t size = 1 + rnd(&seed) % (rnd(&seed) % 4 ? 4000 : 100);
		unsigned char *buf = page + rnd(&seed) % 4096;
		long ret, i;

		if (rnd(&seed) % 8 == 0)
			madvise(page + rnd(&seed) % 2 * 4096, 4096, MADV_DONTNEED);
		if (rnd(&seed) % 16 == 0)
			ret = rc(read(w->fd, buf, size));
		else
			ret = recv_control(w->fd, buf, size,
					   rnd(&seed) % 8 ? 0 : MSG_WAITALL, &c);
		if (ret <= 0) {
			if (ret)
				wrong(w, ret);
			break;
		}
		if (c.len != sizeof(c.buf))
			check(w, buf, ret, &c);
		for (i = 0; i < ret; i++) {
			if (buf[i] & URGENT)
				w->other++;
			else
				taken[w->id][buf[i] % NR]++;
		}
	}
	munmap(page, 2 * 4096);
	return NULL;
}

/* Looks, takes what is out of band, and asks to be told, or not. */
static void *looker(void *arg)
{
	struct worker *w = arg;
	unsigned int seed = 3;

	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		struct control c = { .len = sizeof(c.buf) };
		unsigned char buf[300];
		long ret = recv_control(w->fd, buf, sizeof(buf), MSG_PEEK | MSG_DONTWAIT, &c);

		if (ret > 0)
			check(w, buf, ret, &c);
		else if (ret && ret != -EAGAIN)
			wrong(w, ret);
		ret = rc(recv(w->fd, buf, 1, MSG_OOB));
		if (ret == 1)
			w->other++;
		if (ret == 1 ? !(buf[0] & URGENT) : ret != -EINVAL)
			wrong(w, ret);
		if (rnd(&seed) % 8 == 0)
			setint(w->fd, SO_OOBINLINE, rnd(&seed) % 2);
		if (rnd(&seed) % 64 == 0)
			setint(w->fd, SO_PEEK_OFF, rnd(&seed) % 4 ? -1 : 0);
		if (!always)
			setint(w->fd, SO_PASSCRED, rnd(&seed) % 4 != 0);
		w->good++;
		if (w->good % 16 == 0)
			usleep(rnd(&seed) % 1000);
	}
	return NULL;
}

static void run(struct __test_metadata *_metadata, FIXTURE_DATA(stress_creds) *self)
{
	static int (*const be[])(int) = { be_threads, be_another, be_many, be_brief };
	int a = self->fd[0], b = self->fd[1], i, id;
	struct worker r[2] = {}, l = { .id = 2, .fd = b };
	pid_t pid[ARRAY_SIZE(be)];

	all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)all);
	ASSERT_EQ(0, setint(b, SO_PASSCRED, 1));
	begin(self->family);
	for (i = 0; i < (int)ARRAY_SIZE(be); i++) {
		static const int first[] = { THREAD, OTHER, ROOT, BRIEF, NR };

		pid[i] = spawn();
		if (pid[i])
			continue;
		for (id = first[i]; id < first[i + 1]; id++)
			all->who[id].pid = getpid();
		all->who[OTHER].uid = 1;
		all->who[REAL].uid = 3;
		all->who[STATED].uid = 7;
		close(b);
		_exit(be[i](a));
	}
	close(a);
	for (i = 0; i < 2; i++) {
		r[i] = (struct worker){ .id = i, .fd = b };
		start(&r[i], reader);
	}
	start(&l, looker);
	for (i = 0; i < (int)ARRAY_SIZE(be); i++)
		EXPECT_EQ(0, reap(pid[i])) TH_LOG("sender %d", i);
	for (i = 0; i < 2; i++)
		JOIN(&r[i]);
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	JOIN(&l);
	for (id = 0; id < NR; id++) {
		EXPECT_LT(0, all->sent[id]);
		EXPECT_EQ(all->sent[id], taken[0][id] + taken[1][id]) TH_LOG("of %d", id);
	}
	EXPECT_GE(all->urgent, r[0].other + r[1].other + l.other);
}

TEST_F(stress_creds, asked)
{
	always = true;
	run(_metadata, self);
}

TEST_F(stress_creds, now_and_then)
{
	run(_metadata, self);
}

TEST_HARNESS_MAIN
