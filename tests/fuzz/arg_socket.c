// SPDX-License-Identifier: GPL-2.0
/* Arguments that say which socket, where in memory, and by which address. */

#include <string.h>
#include <sys/socket.h>

#include "args.h"

/* --- names ---------------------------------------------------------------- */

#define TEN(c) c c c c c c c c c c
#define HUNDRED(c) TEN(TEN(c))

static const struct {
	const char *s;
	size_t len;
} paths[] = {
#define PATH(s) { s, sizeof(s) - 1 }
	PATH("a"), PATH("b"), PATH("c"), PATH("d/s"),
	/* A directory, a file, a link to nowhere, one to "a", one to itself, a pipe. */
	PATH("d"), PATH("f"), PATH("l"), PATH("la"), PATH("loop"), PATH("fifo"),
	PATH("t"), PATH("f/x"), PATH("none/x"), PATH("."), PATH("a/"), PATH("./d/../a"),
	/* Below a directory that only root may write to. */
	PATH("ro/x"),
	PATH(HUNDRED("L") "LLLLLLL"), PATH(HUNDRED("M") "MMMMMMMM"),
	PATH("\xff\x01\n"),
	/* Not for calls that change files. */
	PATH("/"), PATH("/proc/self/x"), PATH("/dev/null"), PATH(".."),
#undef PATH
};
const int n_paths = ARRAY_SIZE(paths);
const int n_local_paths = ARRAY_SIZE(paths) - 4;

static const struct {
	const char *s;
	size_t len;
} abstracts[ABSTRACTS] = {
	{ "x", 1 }, { "y", 1 }, { "\0z\0", 3 }, { "", 0 }, { TEN("long") TEN("long") "endofnames", 90 },
};

const char *path_name(long index, size_t *len)
{
	if (index < 0 || index >= n_paths)
		index = 0;
	*len = paths[index].len;
	return paths[index].s;
}

const char *abstract_name(long index, size_t *len)
{
	if (index < 0 || index >= ABSTRACTS)
		index = 0;
	*len = abstracts[index].len;
	return abstracts[index].s;
}

void add_quoted(char *out, size_t size, const char *s, size_t len)
{
	add(out, size, "\"");
	if (len > 60) {
		add(out, size, "%.4s...\" (%zu bytes)", s, len);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = s[i];

		if (c >= ' ' && c < 0x7f && c != '"' && c != '\\')
			add(out, size, "%c", c);
		else
			add(out, size, "\\%03o", c);
	}
	add(out, size, "\"");
}

/* --- slots ---------------------------------------------------------------- */

bool is_socket(const struct belief *b)
{
	return b->what == W_STREAM || b->what == W_DGRAM || b->what == W_SEQ;
}

bool is_used(const struct belief *b)
{
	return b->what != W_FREE;
}

static bool is_free(const struct belief *b)
{
	return b->what == W_FREE;
}

int pick_slot(struct gen *g, bool (*wanted)(const struct belief *))
{
	int found[SLOTS], n = 0;

	for (int i = 0; i < SLOTS; i++)
		if (wanted(&g->slot[i]))
			found[n++] = i;
	return n ? found[rng_below(&g->rng, n)] : -1;
}

void gen_slot(struct gen *g, struct arg *a)
{
	unsigned int r = rng_below(&g->rng, 100);

	if (r < 92)
		a->v[0] = pick_slot(g, is_socket);
	else if (r < 98)
		a->v[0] = pick_slot(g, is_used);
	else
		a->v[0] = (int)rng_below(&g->rng, SLOTS + 1) - 1;
}

static void gen_new(struct gen *g, struct arg *a)
{
	a->v[0] = pick_slot(g, is_free);
	if (a->v[0] < 0)
		a->v[0] = rng_below(&g->rng, SLOTS);
}

void print_slot(char *out, size_t size, const struct arg *a)
{
	if (a->v[0] < 0)
		add(out, size, "-1");
	else
		add(out, size, "s%ld", a->v[0]);
}

/* --- sockets -------------------------------------------------------------- */

static const struct name types[] = {
	N(SOCK_STREAM), N(SOCK_DGRAM), N(SOCK_RAW), N(SOCK_RDM), N(SOCK_SEQPACKET), N(SOCK_DCCP),
	N(SOCK_PACKET),
};

static const struct name type_flags[] = { N(SOCK_NONBLOCK), N(SOCK_CLOEXEC) };

static void gen_type(struct gen *g, struct arg *a)
{
	static const int usual[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	static const int rare[] = { SOCK_RAW, SOCK_RDM, SOCK_DCCP, SOCK_PACKET, 0, 7, 11, 15 };

	a->v[0] = rng_percent(&g->rng, 97) ? PICK(g, usual) : PICK(g, rare);
	a->v[1] = g->flavour & (FL_BLOCK | FL_THREADS) ? 0 : SOCK_NONBLOCK;
	if (rng_percent(&g->rng, 4))
		a->v[1] |= SOCK_CLOEXEC;
	if (rng_percent(&g->rng, 1))
		a->v[1] |= 0x10 << rng_below(&g->rng, 20);
}

static void print_type(char *out, size_t size, const struct arg *a)
{
	ADD_NAME(out, size, types, a->v[0]);
	if (a->v[1]) {
		add(out, size, "|");
		ADD_FLAGS(out, size, type_flags, a->v[1]);
	}
}

/* Minus one stands for the number of the family itself. */
static void gen_protocol(struct gen *g, struct arg *a)
{
	static const int rare[] = { -1, 2, 6, 255, -2, 0x7fffffff };

	a->v[0] = rng_percent(&g->rng, 97) ? 0 : PICK(g, rare);
}

static void print_protocol(char *out, size_t size, const struct arg *a)
{
	if (a->v[0] == -1)
		add(out, size, "F");
	else
		add(out, size, "%ld", a->v[0]);
}

static void gen_accept_flags(struct gen *g, struct arg *a)
{
	a->v[0] = g->flavour & (FL_BLOCK | FL_THREADS) ? 0 : SOCK_NONBLOCK;
	if (rng_percent(&g->rng, 5))
		a->v[0] |= SOCK_CLOEXEC;
	if (rng_percent(&g->rng, 2))
		a->v[0] |= 1 << rng_below(&g->rng, 30);
}

static void print_accept_flags(char *out, size_t size, const struct arg *a)
{
	ADD_FLAGS(out, size, type_flags, a->v[0]);
}

static void gen_backlog(struct gen *g, struct arg *a)
{
	static const int some[] = { 0, 1, 2, 5, 128, -1, 0x7fffffff, -0x7fffffff - 1 };

	a->v[0] = PICK(g, some);
}

static void gen_how(struct gen *g, struct arg *a)
{
	static const int rare[] = { 3, 4, -1, 0x7fffffff };

	a->v[0] = rng_percent(&g->rng, 95) ? (int)rng_below(&g->rng, 3) : PICK(g, rare);
}

static void print_how(char *out, size_t size, const struct arg *a)
{
	static const struct name hows[] = { N(SHUT_RD), N(SHUT_WR), N(SHUT_RDWR) };

	ADD_NAME(out, size, hows, a->v[0]);
}

void print_number(char *out, size_t size, const struct arg *a)
{
	add(out, size, "%ld", a->v[0]);
}

/* --- memory --------------------------------------------------------------- */

void gen_place(struct gen *g, struct arg *a, int place, int edge, long len, int percent)
{
	a->v[place] = PL_GOOD;
	if (!rng_percent(&g->rng, percent))
		return;
	a->v[place] = PL_EDGE + rng_below(&g->rng, PL_KERNEL);
	if (rng_percent(&g->rng, 50))
		a->v[place] = PL_EDGE;
	if (a->v[place] == PL_EDGE) {
		/* All of it, or nearly all, or part of it. */
		switch (rng_below(&g->rng, 3)) {
		case 0:
			a->v[edge] = len;
			break;
		case 1:
			a->v[edge] = len > 0 ? len - 1 : 0;
			break;
		default:
			a->v[edge] = len > 0 ? rng_below(&g->rng, len > 60000 ? 60000 : len) : 0;
		}
	}
}

void add_place(char *out, size_t size, const char *good, long place, long edge)
{
	switch (place) {
	case PL_GOOD:
		add(out, size, "%s", good);
		break;
	case PL_EDGE:
		add(out, size, "%s[only %ld mapped]", good, edge);
		break;
	case PL_NULL:
		add(out, size, "NULL");
		break;
	case PL_HOLE:
		add(out, size, "UNMAPPED");
		break;
	case PL_RDONLY:
		add(out, size, "READONLY");
		break;
	default:
		add(out, size, "KERNEL");
	}
}

static long random_length(struct gen *g)
{
	static const int lengths[] = { 0, 1, 2, 3, 4, 7, 8, 16, 100 };
	static const int longer[] = { 255, 256, 1000, 4095, 4096, 4097, 8192 };
	static const int great[] = { 16384, 32767, 32768, 32769, 65535, 65536, 65537, 100000 };
	unsigned int r = rng_below(&g->rng, 100);

	if (r < 70)
		return PICK(g, lengths);
	if (r < 80)
		return rng_below(&g->rng, 300);
	if (r < 90 || !(g->flavour & FL_BIG))
		return PICK(g, longer);
	return PICK(g, great);
}

/* What is sent is limited, so that no buffer fills up. */
long source_length(struct gen *g)
{
	long len = random_length(g);

	if (g->messages <= 0 || len > g->bytes)
		return rng_below(&g->rng, 2);
	g->bytes -= len;
	g->messages--;
	return len;
}

static void gen_source(struct gen *g, struct arg *a)
{
	a->v[BUF_LEN] = source_length(g);
	gen_place(g, a, BUF_PLACE, BUF_EDGE, a->v[BUF_LEN], 3);
}

static void gen_room(struct gen *g, struct arg *a)
{
	static const long odd[] = { 300000, -1, 0x7fffffff, 0x80000000 };

	a->v[BUF_LEN] = rng_percent(&g->rng, 20) ? 20000 : random_length(g);
	gen_place(g, a, BUF_PLACE, BUF_EDGE, a->v[BUF_LEN], 4);
	if (a->v[BUF_PLACE] == PL_GOOD && rng_percent(&g->rng, 1))
		a->v[BUF_LEN] = PICK(g, odd);
}

void print_buffer(char *out, size_t size, const struct arg *a)
{
	add_place(out, size, "buf", a->v[BUF_PLACE], a->v[BUF_EDGE]);
	add(out, size, ", %ld", a->v[BUF_LEN]);
}

static void gen_iov(struct gen *g, struct arg *a, bool source)
{
	static const int odd[] = { 1024, 1025, -1, 0x7fffffff };
	int n = rng_below(&g->rng, IOV_MAX_PARTS + 1);

	if (!n && rng_percent(&g->rng, 70))
		n = 1;
	a->v[IOV_COUNT] = n;
	for (int i = 0; i < IOV_MAX_PARTS; i++) {
		struct arg part = {};

		if (i < n) {
			if (source)
				gen_source(g, &part);
			else
				gen_room(g, &part);
		}
		memcpy(&a->v[IOV_PARTS + 3 * i], part.v, 3 * sizeof(long));
	}
	if (rng_percent(&g->rng, 1))
		a->v[IOV_PLACE] = PL_NULL + rng_below(&g->rng, 2);
	else if (rng_percent(&g->rng, 1))
		a->v[IOV_COUNT] = PICK(g, odd);
}

static void gen_source_iov(struct gen *g, struct arg *a)
{
	gen_iov(g, a, true);
}

static void gen_room_iov(struct gen *g, struct arg *a)
{
	gen_iov(g, a, false);
}

static void print_iov(char *out, size_t size, const struct arg *a)
{
	add_place(out, size, "", a->v[IOV_PLACE], 0);
	add(out, size, "{");
	for (int i = 0; i < IOV_MAX_PARTS && i < a->v[IOV_COUNT]; i++) {
		struct arg part = {};

		memcpy(part.v, &a->v[IOV_PARTS + 3 * i], 3 * sizeof(long));
		add(out, size, "%s{", i ? ", " : "");
		print_buffer(out, size, &part);
		add(out, size, "}");
	}
	add(out, size, "}, %ld", a->v[IOV_COUNT]);
}

/* --- addresses ------------------------------------------------------------ */

static void gen_address(struct gen *g, struct arg *a)
{
	unsigned int r = rng_below(&g->rng, 100);

	if (g->n_names && r < 55) {
		*a = g->name[rng_below(&g->rng, g->n_names)];
	} else if (r < 75) {
		a->v[ADDR_SHAPE] = SH_PATH;
		a->v[ADDR_NAME] = rng_below(&g->rng, PATHS_FIRST);
	} else if (r < 86) {
		a->v[ADDR_SHAPE] = SH_ABSTRACT;
		a->v[ADDR_NAME] = rng_below(&g->rng, ABSTRACTS);
	} else if (r < 91) {
		a->v[ADDR_SHAPE] = SH_PATH;
		a->v[ADDR_NAME] = rng_below(&g->rng, n_paths);
	} else if (r < 95) {
		a->v[ADDR_SHAPE] = SH_OWN;
		a->v[ADDR_NAME] = pick_slot(g, is_socket);
	} else if (r < 96) {
		a->v[ADDR_SHAPE] = SH_PEER;
		a->v[ADDR_NAME] = pick_slot(g, is_socket);
	} else {
		a->v[ADDR_SHAPE] = SH_BARE;
		if (rng_percent(&g->rng, 60))
			a->v[ADDR_FAMILY] = FM_UNSPEC;
	}
	if (rng_percent(&g->rng, 4))
		a->v[ADDR_LEN] = rng_below(&g->rng, LM_COUNT);
	if (rng_percent(&g->rng, 2))
		a->v[ADDR_FAMILY] = rng_below(&g->rng, FM_COUNT);
	if (rng_percent(&g->rng, 10))
		a->v[ADDR_FILL] = 'z';
	gen_place(g, a, ADDR_PLACE, ADDR_EDGE, 12, 2);
}

static void print_address(char *out, size_t size, const struct arg *a)
{
	static const char *const families[FM_COUNT] = { "F", "AF_UNSPEC", "AF_INET", "OTHER", "0xff01" };
	static const char *const lens[LM_COUNT] = {
		"", "-1", "+1", "110", "111", "128", "129", "0", "1", "2", "3", "-1", "0x7fffffff",
	};
	const char *family = families[a->v[ADDR_FAMILY]], *s;
	size_t len;

	if (a->v[ADDR_PLACE] != PL_GOOD) {
		add_place(out, size, "", a->v[ADDR_PLACE], a->v[ADDR_EDGE]);
		if (a->v[ADDR_PLACE] != PL_EDGE) {
			add(out, size, ", len");
			return;
		}
	}
	add(out, size, "{%s", family);
	switch (a->v[ADDR_SHAPE]) {
	case SH_PATH:
		s = path_name(a->v[ADDR_NAME], &len);
		add(out, size, ", ");
		add_quoted(out, size, s, len);
		break;
	case SH_ABSTRACT:
		s = abstract_name(a->v[ADDR_NAME], &len);
		add(out, size, ", @");
		add_quoted(out, size, s, len);
		break;
	case SH_OWN:
		add(out, size, ", name of s%ld", a->v[ADDR_NAME]);
		break;
	case SH_PEER:
		add(out, size, ", name of s%ld's peer", a->v[ADDR_NAME]);
		break;
	}
	if (a->v[ADDR_FILL])
		add(out, size, ", '%c'...", (int)a->v[ADDR_FILL]);
	add(out, size, "}, ");
	switch (a->v[ADDR_LEN]) {
	case LM_EXACT:
		add(out, size, "len");
		break;
	case LM_LESS:
	case LM_MORE:
		add(out, size, "len%s", lens[a->v[ADDR_LEN]]);
		break;
	default:
		add(out, size, "%s", lens[a->v[ADDR_LEN]]);
	}
}

static void gen_name_out(struct gen *g, struct arg *a)
{
	static const int lens[] = { 0, 1, 2, 3, 10, 109, 110, 111, -1, 0x7fffffff };

	a->v[OUT_LEN] = rng_percent(&g->rng, 85) ? 128 : PICK(g, lens);
	gen_place(g, a, OUT_PLACE, OUT_EDGE, 12, 3);
	if (rng_percent(&g->rng, 2))
		a->v[OUT_LEN_PLACE] = PL_EDGE + rng_below(&g->rng, PL_KERNEL);
}

void print_out(char *out, size_t size, const struct arg *a)
{
	add_place(out, size, "out", a->v[OUT_PLACE], a->v[OUT_EDGE]);
	add(out, size, ", ");
	if (a->v[OUT_LEN_PLACE] == PL_GOOD)
		add(out, size, "&%ld", a->v[OUT_LEN]);
	else
		add_place(out, size, "&len", a->v[OUT_LEN_PLACE], 0);
}

const struct kind socket_kinds[] = {
	{ 's', "socket", "k", gen_slot, print_slot },
	{ 'n', "new slot", "k", gen_new, print_slot },
	{ 't', "type", "kf", gen_type, print_type },
	{ 'p', "protocol", "n", gen_protocol, print_protocol },
	{ 'g', "accept flags", "f", gen_accept_flags, print_accept_flags },
	{ 'k', "backlog", "n", gen_backlog, print_number },
	{ 'h', "how", "n", gen_how, print_how },
	{ 'b', "source", "enn", gen_source, print_buffer },
	{ 'B', "room", "enn", gen_room, print_buffer },
	{ 'v', "source vector", "neennennenn", gen_source_iov, print_iov },
	{ 'V', "room vector", "neennennenn", gen_room_iov, print_iov },
	{ 'a', "address", "eeeeene", gen_address, print_address },
	{ 'A', "room for a name", "enne", gen_name_out, print_out },
	{},
};
