/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differential fuzzer: what its parts share.
 *
 * A program is a list of socket calls. It is run twice, each time in a process and an
 * empty directory of its own: on the left with AF_UNIX, on the right with AF_RUNIX. Each
 * call leaves one line of text, its outcome: the value or the error, the bytes, names and
 * options that came out, the signals it raised. Two runs agree if all lines are equal.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CALLS_MAX	72
#define ARGS_MAX	6
#define VALUES_MAX	14
/* Descriptors of a program have symbolic names, s0 to s11. */
#define SLOTS		12
/* Threads beside the main one. */
#define HELPERS		2

/* One argument: a few numbers, whose meaning depends on its kind. */
struct arg {
	long v[VALUES_MAX];
};

struct call {
	unsigned char op;
	/* 0: the main thread. Others may block while the program goes on. */
	unsigned char thread;
	struct arg arg[ARGS_MAX];
};

enum flavour {
	/* Sockets get a send buffer that no program fills. */
	FL_BIG = 1,
	/* The program runs as an ordinary user. */
	FL_USER = 2,
	/* Calls may block, till a signal comes. */
	FL_BLOCK = 4,
	/* Calls in other threads may block, while the program goes on. */
	FL_THREADS = 8,
	/* Much is out of band. */
	FL_URGENT = 16,
};

struct program {
	uint64_t seed;
	unsigned int flavour;
	int n;
	struct call call[CALLS_MAX];
};

/* --- random.c: the same numbers on every machine ------------------------- */

struct rng {
	uint64_t s;
};

void rng_seed(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
/* 0 to n - 1. */
unsigned int rng_below(struct rng *r, unsigned int n);
static inline bool rng_percent(struct rng *r, unsigned int p)
{
	return rng_below(r, 100) < p;
}

/* --- args.c, arg_*.c: kinds of arguments ------------------------------- */

/* Where the memory of an argument lies. */
enum place {
	PL_GOOD,
	/* It ends so many bytes before an unmapped page. */
	PL_EDGE,
	PL_NULL,
	PL_HOLE,
	PL_RDONLY,
	PL_KERNEL,
};

/* What an address is; the second value says which of its shape. */
enum shape {
	SH_PATH,
	SH_ABSTRACT,
	/* The name of a socket of the program, asked for when the call is made. */
	SH_OWN,
	SH_PEER,
	/* No bytes behind the family. */
	SH_BARE,
};

/* How long the address is said to be. */
enum len_mode {
	LM_EXACT, LM_LESS, LM_MORE, LM_FULL, LM_111, LM_128, LM_129, LM_0, LM_1, LM_2, LM_3,
	LM_MINUS, LM_HUGE, LM_COUNT,
};

/* Which family the address names. */
enum fam_mode {
	FM_OWN, FM_UNSPEC, FM_INET, FM_OTHER, FM_MANY, FM_COUNT,
};

enum {
	ADDR_SHAPE, ADDR_NAME, ADDR_LEN, ADDR_FAMILY, ADDR_PLACE, ADDR_EDGE, ADDR_FILL,
};
enum { BUF_PLACE, BUF_LEN, BUF_EDGE };
enum { OUT_PLACE, OUT_LEN, OUT_EDGE, OUT_LEN_PLACE };
#define IOV_MAX_PARTS 3
enum { IOV_COUNT, IOV_PLACE, IOV_PARTS };
enum { OPT_LEVEL, OPT_NAME };
enum { VAL_PLACE, VAL_LEN, VAL_EDGE, VAL_INT, VAL_INT2 };

/* Control messages to send: up to three of them. */
enum ctl_shape {
	CT_NONE, CT_RIGHTS, CT_CREDS, CT_OTHER_LEVEL, CT_UNKNOWN, CT_SHORT, CT_LONG,
};
enum { CTL_PLACE, CTL_CUT, CTL_PARTS };
#define CTL_PARTS_MAX 3

#define PATHS_FIRST	4	/* names that programs bind to */
#define ABSTRACTS	5
extern const int n_paths;
const char *path_name(long index, size_t *len);
/* Behind the prefix that a program's names have. */
const char *abstract_name(long index, size_t *len);

/* What the generator believes about a slot. */
enum what {
	W_FREE, W_STREAM, W_DGRAM, W_SEQ, W_EPOLL, W_FILE, W_PIPE_R, W_PIPE_W,
};

struct belief {
	enum what what;
	bool bound, listens, connected;
};

struct gen {
	struct rng rng;
	/* On which descriptor each thread may be blocked. */
	long blocked[HELPERS + 1];
	struct belief slot[SLOTS];
	/* Addresses that somebody is bound to. */
	struct arg name[16];
	int n_names;
	unsigned int flavour;
	/* Bytes and messages that may still be sent. */
	long bytes, messages;
};

struct kind {
	char letter;
	const char *name;
	/* How each value is made simpler: see simplify(). */
	const char *classes;
	void (*generate)(struct gen *g, struct arg *a);
	void (*print)(char *out, size_t size, const struct arg *a);
};

const struct kind *kind_of(char letter);
/* The @step'th way to make an argument simpler; false if there are no more. */
bool simplify(const struct kind *k, struct arg *a, int step);
int pick_slot(struct gen *g, bool (*wanted)(const struct belief *));
bool is_socket(const struct belief *b);
bool is_used(const struct belief *b);
void errno_text(char *out, size_t size, int err);

/* --- calls.c, call_*.c: what can be called ------------------------------- */

struct exec;

struct op {
	const char *name;
	/* One letter for each argument: see the tables in arg_*.c. */
	const char *sig;
	unsigned int weight;
	void (*run)(struct exec *x, const struct call *c);
};

extern const struct op ops[];
extern const int n_ops;
int op_named(const char *name);
void print_call(char *out, size_t size, const struct call *c);

/* --- memory.c: a program's memory ---------------------------------------- */

struct memory {
	unsigned char *src, *dst, *meta, *edge, *rdonly;
	size_t meta_used, dst_used;
};

#define SRC_SIZE	(512L << 10)
#define DST_SIZE	(1L << 20)
#define META_SIZE	(64L << 10)
#define EDGE_SIZE	(64L << 10)
#define UNTOUCHED	0xa5

void memory_make(struct memory *m);
/* Before each call. What calls wrote to is whole again: see memory_mend(). */
void memory_reset(struct memory *m);
/* Memory that holds @len bytes from @data. */
void *memory_put(struct memory *m, long place, long edge, const void *data, size_t len);
/* Bytes to send. */
void *memory_source(struct memory *m, long place, long edge, size_t len, unsigned int phase);
/* Memory to be written to; *@real is how much of it there is. */
void *memory_room(struct memory *m, long place, long edge, size_t len, size_t *real);
/* The first @len bytes of such memory may have been written to. */
void memory_mend(unsigned char *p, size_t len);

/* --- run.c: one run of a program ----------------------------------------- */

/* What the right side gets wrong on purpose: the fuzzer's own test. */
enum wrong {
	WRONG_NOTHING,
	WRONG_ERRNO,	/* connect() to a name that nobody is bound to */
	WRONG_DATA,	/* the third byte peeked, where a message has so many */
	WRONG_POLL,	/* no POLLRDHUP after the peer's shutdown */
	WRONG_NAME,	/* the peer's name is a byte longer after accept() */
	WRONG_OPTION,	/* SO_TYPE of what is not a stream */
	WRONG_COUNT,
};

struct side {
	const char *name;
	int family;
	/* The family of the other side, as a wrong one to try. */
	int other;
	enum wrong wrong;
};

struct exec {
	const struct side *side;
	const struct program *program;
	/* Shared by the threads. */
	int *fd;
	char prefix[9];
	pid_t pid;
	struct memory *mem;
	/* The outcome being written. */
	char *text;
	size_t used, size;
	/* Where it begins. */
	size_t begin;
	/* The call being made. */
	int index;
};

/* The outcomes of a run. */
struct outcomes {
	int n;
	uint32_t at[CALLS_MAX + 1];
	uint32_t used;
	char text[512 << 10];
};

__attribute__((format(printf, 2, 3)))
void say(struct exec *x, const char *format, ...);

/* Where a process is in its work, for the one that looks after it. */
struct progress {
	volatile unsigned long beats;
	const char *side;
	int call;
	struct program program;
};

void run_setup(struct progress *p);
void run_teardown(void);
void run(const struct side *side, const struct program *p, struct outcomes *o);
const char *outcome(const struct outcomes *o, int i);
/* The first call whose outcomes differ in a way that is not allowed, or -1. */
int compare(const struct program *p, const struct outcomes *left, const struct outcomes *right);

/* --- threads.c: calls that block ------------------------------------------- */

#define SIG_CANCEL	SIGUSR2

void helpers_start(void);
bool helper_free(int thread);
/* Starts a call; helpers_settle() tells what comes of it, then or later. */
void helper_call(const struct exec *x, int thread, const struct call *c);
void helpers_settle(struct exec *x);
void helpers_cancel(struct exec *x);

/* --- program.c: random programs ------------------------------------------ */

void generate(struct program *p, uint64_t seed);

/* --- shrink.c: small programs -------------------------------------------- */

struct pair {
	const struct side *left, *right;
	struct outcomes *l, *r;
};

/* Runs a program on both sides; the first call that differs, or -1. */
int differs(const struct pair *sides, const struct program *p);
/* Does it differ again and again, and does the left side always say the same? */
bool certain(const struct pair *sides, const struct program *p);
void shrink(const struct pair *sides, struct program *p);

/* --- allowed.c: differences that are none -------------------------------- */

/* What the right side's family offers: what is missing is not generated. */
struct features {
	bool oob, rights, creds, pass, pidfd, label, notrunc;
};

extern struct features features;
void probe_features(int family);
/* Calls that a program doesn't make. */
bool call_excluded(const struct program *p, const struct call *c);
/*
 * True if the outcomes of a call may differ so. The rest of the program says nothing then,
 * as the two sides are not in the same state any more.
 */
bool difference_allowed(const struct program *p, const struct call *c, const char *left,
			const char *right);
/* A value that depends on the family or on how it counts memory, in words that don't. */
long option_value(const struct exec *x, int level, int name, size_t word, long value);
long ioctl_value(const struct program *p, unsigned long cmd, long value);
/* What is left to be read, as SCM_INQ tells it. */
long inq_value(const struct program *p, long value);

#endif
