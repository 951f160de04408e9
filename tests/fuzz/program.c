// SPDX-License-Identifier: GPL-2.0
/*
 * Random programs. Most calls shall do something, so the generator keeps in mind roughly
 * what each descriptor is, and programs begin with sockets that know each other.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "fuzz.h"

static bool listens(const struct belief *b)
{
	return is_socket(b) && b->listens;
}

static bool connected(const struct belief *b)
{
	return is_socket(b) && b->connected;
}

static bool fresh(const struct belief *b)
{
	return is_socket(b) && !b->connected && !b->listens;
}

static bool unbound(const struct belief *b)
{
	return fresh(b) && !b->bound;
}

static bool bound(const struct belief *b)
{
	return fresh(b) && b->bound;
}

static bool is_packet(const struct belief *b)
{
	return b->what == W_DGRAM || b->what == W_SEQ;
}

/* On what a call is made rather than on any socket. */
static const struct {
	const char *op;
	unsigned int percent;
	bool (*wanted)(const struct belief *);
} preferences[] = {
	{ "bind", 70, unbound },
	{ "listen", 70, bound },
	{ "accept4", 85, listens },
	{ "connect", 75, fresh },
	{ "send", 70, connected },
	{ "recv", 60, connected },
	{ "write", 70, connected },
	{ "read", 60, connected },
	{ "writev", 70, connected },
	{ "readv", 60, connected },
	{ "sendmsg", 70, connected },
	{ "recvmsg", 60, connected },
	{ "sendmmsg", 70, connected },
	{ "recvmmsg", 60, connected },
	{ "shutdown", 60, connected },
	{ "splice_in", 60, connected },
	{ "splice_out", 60, connected },
	{ "sendfile", 60, connected },
};

static enum what what_of(long type)
{
	switch (type) {
	case SOCK_DGRAM:
	case SOCK_RAW:
		return W_DGRAM;
	case SOCK_SEQPACKET:
		return W_SEQ;
	default:
		return W_STREAM;
	}
}

static void set(struct gen *g, const struct arg *slot, struct belief b)
{
	if (slot->v[0] >= 0 && slot->v[0] < SLOTS)
		g->slot[slot->v[0]] = b;
}

static void remember_name(struct gen *g, const struct arg *a)
{
	const int max = sizeof(g->name) / sizeof(g->name[0]);

	if (a->v[ADDR_SHAPE] > SH_ABSTRACT || a->v[ADDR_FAMILY] != FM_OWN || a->v[ADDR_PLACE] != PL_GOOD)
		return;
	g->name[g->n_names < max ? g->n_names++ : (int)rng_below(&g->rng, max)] = *a;
}

static void believe(struct gen *g, const struct call *c)
{
	const char *name = ops[c->op].name;
	const struct arg *a = c->arg;
	struct belief none = {}, *b = NULL;

	if (a[0].v[0] >= 0 && a[0].v[0] < SLOTS)
		b = &g->slot[a[0].v[0]];
	if (!strcmp(name, "socket")) {
		set(g, &a[0], (struct belief){ .what = what_of(a[1].v[0]) });
	} else if (!strcmp(name, "socketpair")) {
		for (int i = 0; i < 2; i++)
			set(g, &a[i], (struct belief){ .what = what_of(a[2].v[0]), .connected = true });
	} else if (!strcmp(name, "accept4")) {
		struct belief from = a[1].v[0] >= 0 && a[1].v[0] < SLOTS ? g->slot[a[1].v[0]] : none;

		if (from.listens)
			set(g, &a[0], (struct belief){ .what = from.what, .bound = true, .connected = true });
	} else if (!strcmp(name, "bind")) {
		if (b)
			b->bound = true;
		remember_name(g, &a[1]);
	} else if (!strcmp(name, "listen")) {
		if (b && b->bound && !b->connected && b->what != W_DGRAM)
			b->listens = true;
	} else if (!strcmp(name, "connect")) {
		if (b && !b->listens)
			b->connected = true;
	} else if (!strcmp(name, "close")) {
		if (b)
			*b = none;
	} else if (!strcmp(name, "dup")) {
		if (a[1].v[0] >= 0 && a[1].v[0] < SLOTS)
			set(g, &a[0], g->slot[a[1].v[0]]);
	} else if (!strcmp(name, "epoll_create")) {
		set(g, &a[0], (struct belief){ .what = W_EPOLL });
	} else if (!strcmp(name, "open")) {
		set(g, &a[0], (struct belief){ .what = W_FILE });
	} else if (!strcmp(name, "pipe2")) {
		set(g, &a[0], (struct belief){ .what = W_PIPE_R });
		set(g, &a[1], (struct belief){ .what = W_PIPE_W });
	}
}

/* Makes up a call; the caller may change it before the generator believes in it. */
static struct call *make(struct gen *g, struct program *p, int op)
{
	struct call *c = &p->call[p->n];
	const char *sig = ops[op].sig;

	memset(c, 0, sizeof(*c));
	c->op = op;
	for (int i = 0; sig[i]; i++) {
		kind_of(sig[i])->generate(g, &c->arg[i]);
		/* Two new descriptors in one call are not the same. */
		if (sig[i] == 'n')
			for (int j = 0; j < i; j++)
				while (sig[j] == 'n' && c->arg[i].v[0] == c->arg[j].v[0])
					c->arg[i].v[0] = rng_below(&g->rng, SLOTS);
	}
	for (size_t i = 0; i < sizeof(preferences) / sizeof(preferences[0]); i++) {
		const char *s = strchr(sig, 's');
		int slot;

		if (strcmp(preferences[i].op, ops[op].name) || !rng_percent(&g->rng, preferences[i].percent))
			continue;
		slot = pick_slot(g, preferences[i].wanted);
		if (slot >= 0)
			c->arg[s - sig].v[0] = slot;
	}
	if (sig[1] == 'o' && c->arg[1].v[OPT_LEVEL] == SOL_SOCKET && 
	    (c->arg[1].v[OPT_NAME] == SO_SNDBUF || c->arg[1].v[OPT_NAME] == SO_SNDBUFFORCE)) {
		static const long sizes[] = { 106496, 212992, 300000, 0x7fffffff, -1 };

		c->arg[2].v[VAL_INT] = sizes[rng_below(&g->rng, 5)];
	}
	/* Time-outs: none, of some moments, or longer than any program. */
	if (sig[1] == 'o' && c->arg[1].v[OPT_LEVEL] == SOL_SOCKET &&
	    (c->arg[1].v[OPT_NAME] == SO_RCVTIMEO || c->arg[1].v[OPT_NAME] == SO_SNDTIMEO) &&
	    rng_percent(&g->rng, 70)) {
		static const int moments[] = { 0, 1, 1000, 1000000, -1 };

		c->arg[2].v[sig[2] == 'x' ? VAL_LEN : OUT_LEN] = 16;
		if (sig[2] == 'x') {
			c->arg[2].v[VAL_INT] = 0;
			c->arg[2].v[VAL_INT2] = moments[rng_below(&g->rng, 5)];
		}
	}
	/* At the limit of what a message may hold, and beyond any. */
	if (!strncmp(ops[op].name, "send", 4) && rng_percent(&g->rng, 1)) {
		static const long lengths[] = { 212959, 212960, 212961, 300000, 8388577, 0x7fffffff, -1 };
		long slot = c->arg[0].v[0];

		if (sig[1] == 'b' && slot >= 0 && slot < SLOTS && is_packet(&g->slot[slot])) {
			c->arg[1].v[BUF_PLACE] = PL_GOOD;
			c->arg[1].v[BUF_LEN] = lengths[rng_below(&g->rng, 7)];
		}
	}
	return c;
}

/* Calls for which a thread may wait. */
static bool may_wait(const char *op)
{
	static const char *const all[] = {
		"accept4", "connect", "recv", "recvfrom", "recvmsg", "recvmmsg", "read", "readv", "send",
		"sendto", "sendmsg", "write", "writev", "poll", "epoll_wait", "splice_out",
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i], op))
			return true;
	return false;
}

/*
 * In programs with threads descriptors block. The main thread does not wait for data; the
 * others wait each for something else, or who is first would be a matter of luck.
 */
static void place_in_thread(struct gen *g, struct call *c)
{
	const char *sig = ops[c->op].sig, *flags = strpbrk(sig, "mM"), *s = strpbrk(sig, "sE");
	int thread = 1 + rng_below(&g->rng, HELPERS);
	long slot = s ? c->arg[s - sig].v[0] : -1;

	for (int i = 1; i <= HELPERS; i++)
		if (i != thread && g->blocked[i] == slot && slot >= 0)
			thread = 0;
	if (!may_wait(ops[c->op].name) || !rng_percent(&g->rng, 35) || !thread) {
		if (flags)
			c->arg[flags - sig].v[0] |= MSG_DONTWAIT;
		return;
	}
	c->thread = thread;
	g->blocked[thread] = slot;
	if (flags && rng_percent(&g->rng, 95))
		c->arg[flags - sig].v[0] &= ~MSG_DONTWAIT;
}

static void keep(struct gen *g, struct program *p)
{
	if (g->flavour & FL_THREADS)
		place_in_thread(g, &p->call[p->n]);
	if (call_excluded(p, &p->call[p->n]))
		return;
	believe(g, &p->call[p->n]);
	p->n++;
}

static bool has(const struct gen *g, enum what what)
{
	for (int i = 0; i < SLOTS; i++)
		if (g->slot[i].what == what)
			return true;
	return false;
}

/* Without the descriptor that it is about, a call has little to do. */
static bool pointless(struct gen *g, const char *sig)
{
	return (strchr(sig, 'E') && !has(g, W_EPOLL)) || (strchr(sig, 'F') && !has(g, W_FILE)) ||
	       (strpbrk(sig, "rw") && !has(g, W_PIPE_R));
}

static void random_call(struct gen *g, struct program *p)
{
	static unsigned int total;
	unsigned int r;
	int op;

	if (!total)
		for (int i = 0; i < n_ops; i++)
			total += ops[i].weight;
	do {
		op = 0;
		for (r = rng_below(&g->rng, total); r >= ops[op].weight; op++)
			r -= ops[op].weight;
	} while (pointless(g, ops[op].sig) && !rng_percent(&g->rng, 10));
	make(g, p, op);
	keep(g, p);
}

static struct arg bindable(struct gen *g)
{
	struct arg a = {};

	a.v[ADDR_SHAPE] = rng_percent(&g->rng, 60) ? SH_PATH : SH_ABSTRACT;
	a.v[ADDR_NAME] = rng_below(&g->rng, a.v[ADDR_SHAPE] == SH_PATH ? PATHS_FIRST : ABSTRACTS);
	return a;
}

static int new_socket(struct gen *g, struct program *p, int type)
{
	struct call *c = make(g, p, op_named("socket"));
	int slot = c->arg[0].v[0];

	c->arg[1].v[0] = type;
	c->arg[2].v[0] = 0;
	keep(g, p);
	return slot;
}

static void call_on(struct gen *g, struct program *p, const char *op, int slot, const struct arg *address)
{
	struct call *c = make(g, p, op_named(op));

	c->arg[0].v[0] = slot;
	if (address)
		c->arg[1] = *address;
	keep(g, p);
}

/* Sockets that have to do with each other. */
static void scene(struct gen *g, struct program *p)
{
	static const int types[] = { SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	int type = types[rng_below(&g->rng, 4)], a, b;
	struct call *c;
	struct arg name;

	if (rng_percent(&g->rng, 35)) {
		c = make(g, p, op_named("socketpair"));
		c->arg[2].v[0] = type;
		c->arg[3].v[0] = 0;
		keep(g, p);
		return;
	}
	name = bindable(g);
	a = new_socket(g, p, type);
	call_on(g, p, "bind", a, &name);
	if (type != SOCK_DGRAM)
		call_on(g, p, "listen", a, NULL);
	b = new_socket(g, p, type);
	if (rng_percent(&g->rng, 30)) {
		struct arg own = bindable(g);

		call_on(g, p, "bind", b, &own);
		if (type == SOCK_DGRAM && rng_percent(&g->rng, 50))
			call_on(g, p, "connect", a, &own);
	}
	if (rng_percent(&g->rng, 85))
		call_on(g, p, "connect", b, &name);
	if (type != SOCK_DGRAM && rng_percent(&g->rng, 75)) {
		c = make(g, p, op_named("accept4"));
		c->arg[1].v[0] = a;
		keep(g, p);
	}
}

/* A queue of messages, or of connections, that is full or nearly so. */
static void flood(struct gen *g, struct program *p)
{
	int slot = pick_slot(g, connected), n = 8 + rng_below(&g->rng, 5);
	struct call *c;

	if (slot < 0 || g->slot[slot].what == W_STREAM)
		return;
	while (n-- && p->n < CALLS_MAX) {
		c = make(g, p, op_named("send"));
		c->arg[0].v[0] = slot;
		c->arg[1].v[BUF_PLACE] = PL_GOOD;
		if (c->arg[1].v[BUF_LEN] > 100)
			c->arg[1].v[BUF_LEN] = 1;
		keep(g, p);
	}
}

/* Signals when something happens to a socket. */
static void alarm_at(struct gen *g, struct program *p)
{
	int slot = pick_slot(g, is_socket);
	struct call *c;

	for (int i = 0; i < 2 && slot >= 0; i++) {
		c = make(g, p, op_named("fcntl"));
		c->arg[0].v[0] = slot;
		c->arg[1].v[0] = i ? F_SETFL : F_SETOWN;
		c->arg[1].v[1] = i ? O_ASYNC : 1;
		if (i && !(g->flavour & (FL_BLOCK | FL_THREADS)))
			c->arg[1].v[1] |= O_NONBLOCK;
		keep(g, p);
	}
}

static void watch(struct gen *g, struct program *p)
{
	struct call *c = make(g, p, op_named("epoll_create"));
	int epoll = c->arg[0].v[0];

	keep(g, p);
	for (int i = 1 + rng_below(&g->rng, 4); i; i--) {
		c = make(g, p, op_named("epoll_ctl"));
		c->arg[0].v[0] = epoll;
		c->arg[2].v[0] = EPOLL_CTL_ADD;
		keep(g, p);
	}
}

void generate(struct program *p, uint64_t seed)
{
	struct gen g = {};
	unsigned int r;
	int n;

	memset(p, 0, sizeof(*p));
	rng_seed(&g.rng, seed);
	p->seed = seed;
	r = rng_below(&g.rng, 100);
	p->flavour = r < 25 ? FL_BIG : r < 40 ? FL_USER : 0;
	if (rng_percent(&g.rng, 2))
		p->flavour |= FL_BLOCK;
	else if (rng_percent(&g.rng, 15))
		p->flavour |= FL_THREADS;
	if (features.oob && rng_percent(&g.rng, 15))
		p->flavour |= FL_URGENT;
	g.flavour = p->flavour;
	g.bytes = p->flavour & FL_BIG ? 400000 : 16000;
	g.messages = p->flavour & FL_BIG ? CALLS_MAX : 32;
	n = 4 + rng_below(&g.rng, rng_percent(&g.rng, 50) ? 20 : CALLS_MAX - 24);

	for (int i = 1 + rng_below(&g.rng, 3); i; i--)
		scene(&g, p);
	if (rng_percent(&g.rng, 25))
		watch(&g, p);
	if (rng_percent(&g.rng, 8))
		flood(&g, p);
	if (rng_percent(&g.rng, 8))
		alarm_at(&g, p);
	for (; n && p->n < CALLS_MAX; n--)
		random_call(&g, p);
}
