// SPDX-License-Identifier: GPL-2.0
/* The fuzzer as a program: its own tests, a bounded number of programs, or a long hunt. */

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "fuzz.h"
#include "runix.h"

static const char usage[] =
"usage: fuzz [OPTION...]\n"
"\n"
"Runs random programs of socket calls on AF_UNIX and on AF_RUNIX and compares every\n"
"result. Without options: a fixed set of programs and the fuzzer's own tests, as TAP.\n"
"\n"
"  --seed N       where to begin\n"
"  --count N      how many programs\n"
"  --minutes N    for how long; otherwise, or with 0, there is no end\n"
"  --one SEED     one program, with its outcomes\n"
"  --right N      the family on the right, otherwise AF_RUNIX\n"
"  --wrong N      what the right side gets wrong on purpose\n"
"  --jobs N       programs at a time, otherwise one for each processor\n"
"  --no-shrink    findings as they are\n"
"  --all          go on after the first twenty findings\n";

#define RUNIX_PARAM "/sys/module/runix/parameters/family"
#define FINDINGS_MAX 20
#define JOBS_MAX 64
/* For a single call. */
#define HUNG_SECONDS 30
#define PROGRESS_SECONDS 30

/* What the workers share. */
struct shared {
	unsigned long next, done;
	unsigned int findings;
	int lock;
	uint64_t seen[512];
	unsigned int n_seen;
	/* The shortest finding. */
	int shortest;
	struct progress progress[JOBS_MAX];
};

static struct shared *shared;
static struct side left = { .name = "AF_UNIX", .family = AF_UNIX };
static struct side right = { .name = "AF_RUNIX" };
static bool shrinking = true, quiet, endless;
static int jobs;

static void *share(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* --- reports --------------------------------------------------------------------- */

struct report {
	char text[128 << 10];
	size_t used;
};

__attribute__((format(printf, 2, 3)))
static void tell(struct report *r, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(r->text + r->used, sizeof(r->text) - r->used, format, ap);
	va_end(ap);
	r->used += (size_t)n < sizeof(r->text) - r->used ? (size_t)n : sizeof(r->text) - r->used - 1;
}

/* In one piece, so that those of several workers don't mix. */
static void send_report(const struct report *r)
{
	for (size_t at = 0; at < r->used;) {
		ssize_t n = write(STDOUT_FILENO, r->text + at, r->used - at);

		if (n < 0 && errno != EINTR)
			exit(1);
		at += n < 0 ? 0 : n;
	}
}

static void tell_program(struct report *r, const struct program *p, const struct pair *sides, int at)
{
	char line[2048];

	if (p->flavour)
		tell(r, "#   // %s%s%s%s%s\n", p->flavour & FL_BIG ? "large send buffers " : "",
		     p->flavour & FL_USER ? "as an ordinary user " : "",
		     p->flavour & FL_BLOCK ? "calls may block " : "",
		     p->flavour & FL_URGENT ? "much out of band " : "",
		     p->flavour & FL_THREADS ? "with threads" : "");
	for (int i = 0; i < p->n; i++) {
		const char *l = outcome(sides->l, i), *r_ = outcome(sides->r, i);

		print_call(line, sizeof(line), &p->call[i]);
		if (!strcmp(l, r_)) {
			tell(r, "#   %s;  // %s\n", line, l);
			continue;
		}
		tell(r, "#   %s;%s\n", line, i == at ? "  // <--" : "");
		tell(r, "#       // %s: %s\n", sides->left->name, l);
		tell(r, "#       // %s: %s\n", sides->right->name, r_);
	}
}

static uint64_t hash_text(uint64_t hash, const char *s)
{
	for (; *s; s++)
		hash = (hash ^ (unsigned char)*s) * 0x100000001b3;
	return hash;
}

/* Findings that end in the same call with the same outcomes count once. */
static bool seen_before(const struct program *p, const struct pair *sides, int at)
{
	uint64_t hash = hash_text(0xcbf29ce484222325, ops[p->call[at].op].name);
	const char *l = outcome(sides->l, at), *r = outcome(sides->r, at);
	bool seen = false;
	char word[24];

	snprintf(word, sizeof(word), "%.16s", l);
	hash = hash_text(hash, word);
	snprintf(word, sizeof(word), "%.16s", r);
	hash = hash_text(hash, word);
	hash = hash * 31 + p->n;
	while (__atomic_exchange_n(&shared->lock, 1, __ATOMIC_ACQUIRE))
		sched_yield();
	for (unsigned int i = 0; i < shared->n_seen; i++)
		seen |= shared->seen[i] == hash;
	if (!seen && shared->n_seen < sizeof(shared->seen) / sizeof(shared->seen[0]))
		shared->seen[shared->n_seen++] = hash;
	__atomic_store_n(&shared->lock, 0, __ATOMIC_RELEASE);
	return seen;
}

/* --- the hunt -------------------------------------------------------------------- */

static void found(const struct pair *sides, struct program *p)
{
	static struct report report;
	int at, calls = p->n;

	if (!certain(sides, p))
		return;
	if (shrinking)
		shrink(sides, p);
	at = differs(sides, p);
	if (at < 0 || seen_before(p, sides, at))
		return;
	__atomic_fetch_add(&shared->findings, 1, __ATOMIC_RELAXED);
	if (!shared->shortest || p->n < shared->shortest)
		shared->shortest = p->n;
	if (quiet)
		return;
	report.used = 0;
	tell(&report, "# %s and %s differ, seed %#llx (%d calls, shrunk to %d)\n", sides->left->name,
	     sides->right->name, (unsigned long long)p->seed, calls, p->n);
	tell_program(&report, p, sides, at);
	tell(&report, "#\n");
	send_report(&report);
}

struct hunt {
	uint64_t seed;
	unsigned long count;
	/* 0: no limit. */
	double end;
	unsigned int max_findings;
};

static uint64_t seed_of(uint64_t seed, unsigned long index)
{
	struct rng r;

	rng_seed(&r, seed + index * 0x9e3779b97f4a7c15);
	return rng_next(&r);
}

static void work(const struct hunt *h, struct progress *progress)
{
	struct pair sides = {
		.left = &left, .right = &right,
		.l = share(sizeof(struct outcomes)), .r = share(sizeof(struct outcomes)),
	};
	static struct program p;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run_setup(progress);
	for (;;) {
		unsigned long i = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED);

		if ((h->count && i >= h->count) || (h->end && now() > h->end) ||
		    shared->findings >= h->max_findings)
			break;
		progress->program.seed = seed_of(h->seed, i);
		generate(&p, progress->program.seed);
		if (differs(&sides, &p) >= 0)
			found(&sides, &p);
		__atomic_fetch_add(&shared->done, 1, __ATOMIC_RELAXED);
	}
	run_teardown();
	exit(0);
}

struct worker {
	pid_t pid;
	unsigned long beats;
	double since;
};

/* Which call a worker does not come back from. */
static void tell_hung(const struct progress *at)
{
	char line[2048];

	printf("# hung for %d s, seed %#llx, %s:\n", HUNG_SECONDS, (unsigned long long)at->program.seed, at->side);
	for (int i = 0; i <= at->call; i++) {
		print_call(line, sizeof(line), &at->program.call[i]);
		printf("#   %s;\n", line);
	}
}

/* Returns whether all workers came to their end. */
static bool hunt(const struct hunt *h)
{
	struct worker workers[JOBS_MAX] = {};
	double start = now(), told = start;
	bool good = true;
	int status, alive = jobs;

	memset(shared, 0, sizeof(*shared));
	fflush(stdout);
	for (int i = 0; i < jobs; i++) {
		workers[i].pid = fork();
		workers[i].since = now();
		if (workers[i].pid < 0) {
			perror("fork");
			exit(1);
		}
		if (!workers[i].pid)
			work(h, &shared->progress[i]);
	}
	while (alive) {
		usleep(20000);
		if (now() - told > PROGRESS_SECONDS) {
			told = now();
			printf("# %.0f s: %lu programs, %u findings\n", told - start, shared->done, shared->findings);
		}
		for (int i = 0; i < jobs; i++) {
			struct worker *w = &workers[i];

			if (!w->pid)
				continue;
			if (waitpid(w->pid, &status, WNOHANG) == w->pid) {
				good &= status == 0;
				w->pid = 0;
				alive--;
			} else if (w->beats != shared->progress[i].beats) {
				w->beats = shared->progress[i].beats;
				w->since = now();
			} else if (now() - w->since > HUNG_SECONDS) {
				tell_hung(&shared->progress[i]);
				kill(w->pid, SIGKILL);
				w->since = now() + 1e9;
				good = false;
			}
		}
	}
	return good;
}

/* --- tests ----------------------------------------------------------------------- */

static int n_tests, n_failed;

__attribute__((format(printf, 2, 3)))
static void test(bool ok, const char *format, ...)
{
	va_list ap;

	printf("%sok %d ", ok ? "" : "not ", ++n_tests);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
	n_failed += !ok;
}

/* The fuzzer finds what it shall find, and leaves little of the program around it. */
static void test_itself(void)
{
	static const struct {
		enum wrong wrong;
		const char *what;
		int calls;
		/* One with which it doesn't take long. */
		uint64_t seed;
	} mistakes[] = {
		{ WRONG_ERRNO, "error", 2, 2 },
		{ WRONG_DATA, "byte of data", 3, 21 },
		{ WRONG_POLL, "event", 3, 2 },
		{ WRONG_NAME, "length of a name", 6, 1 },
		{ WRONG_OPTION, "value of an option", 2, 97 },
	};
	const struct side real = right;
	struct hunt h = { .seed = 1, .count = 50, .max_findings = 1 };
	bool good;

	right = left;
	right.name = "AF_UNIX again";
	probe_features(AF_UNIX);
	good = hunt(&h);
	test(good && !shared->findings && shared->done == h.count,
	     "AF_UNIX agrees with itself in %lu programs", shared->done);
	quiet = true;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		right.wrong = mistakes[i].wrong;
		h.seed = mistakes[i].seed;
		h.count = 500;
		good = hunt(&h);
		test(good && shared->findings && shared->shortest <= mistakes[i].calls,
		     "a wrong %s is found and shrunk to %d calls or less", mistakes[i].what, mistakes[i].calls);
		printf("# found in %lu programs, shrunk to %d calls\n", shared->next, shared->shortest);
	}
	quiet = false;
	right = real;
	probe_features(right.family);
}

/* What the family does not have is not in the programs. */
static void compared(const char *what, bool was)
{
	printf("ok %d comparing %s%s\n", ++n_tests, what, was ? "" : " # SKIP not yet there");
}

static void test_families(uint64_t seed, unsigned long count, double seconds)
{
	struct hunt h = {
		.seed = seed, .count = count, .end = now() + seconds, .max_findings = 5,
	};
	bool good = hunt(&h);

	test(good && !shared->findings, "AF_UNIX and AF_RUNIX agree");
	printf("# %lu programs\n", shared->done);
	test(shared->findings || shared->done >= 30, "there was time for enough programs");
	compared("files and credentials in messages", features.rights && features.creds && features.pass);
	compared("pidfds and labels in messages", features.pidfd && features.label);
	compared("SO_RIGHTS_NOTRUNC", features.notrunc);
	compared("out-of-band data", features.oob);
}

static int one(uint64_t seed)
{
	struct pair sides = {
		.left = &left, .right = &right,
		.l = share(sizeof(struct outcomes)), .r = share(sizeof(struct outcomes)),
	};
	static struct report report;
	static struct program p;
	int at;

	run_setup(&shared->progress[0]);
	generate(&p, seed);
	at = differs(&sides, &p);
	if (at >= 0 && shrinking) {
		shrink(&sides, &p);
		at = differs(&sides, &p);
	}
	tell_program(&report, &p, &sides, at);
	send_report(&report);
	run_teardown();
	return at >= 0;
}

static int family_of_runix(void)
{
	FILE *f = fopen(RUNIX_PARAM, "re");
	int family = AF_RUNIX;

	if (f) {
		if (fscanf(f, "%d", &family) != 1)
			family = AF_RUNIX;
		fclose(f);
	}
	return family;
}

static bool is_registered(int family)
{
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", 1, NULL, 's' }, { "count", 1, NULL, 'c' }, { "minutes", 1, NULL, 'm' },
		{ "one", 1, NULL, '1' }, { "right", 1, NULL, 'r' }, { "wrong", 1, NULL, 'w' },
		{ "jobs", 1, NULL, 'j' }, { "no-shrink", 0, NULL, 'n' }, { "all", 0, NULL, 'a' },
		{ "help", 0, NULL, 'h' }, {},
	};
	struct hunt h = { .seed = 1, .max_findings = FINDINGS_MAX };
	bool hunting = false, single = false;
	uint64_t seed = 0;
	int c;

	right.family = family_of_runix();
	jobs = sysconf(_SC_NPROCESSORS_ONLN);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			h.seed = strtoull(optarg, NULL, 0);
			hunting = true;
			break;
		case 'c':
			h.count = strtoul(optarg, NULL, 0);
			hunting = true;
			break;
		case 'm':
			h.end = strtod(optarg, NULL) * 60;
			hunting = true;
			break;
		case '1':
			seed = strtoull(optarg, NULL, 0);
			single = true;
			break;
		case 'r':
			right.family = strtol(optarg, NULL, 0);
			break;
		case 'w':
			right.wrong = strtol(optarg, NULL, 0);
			break;
		case 'j':
			jobs = strtol(optarg, NULL, 0);
			break;
		case 'n':
			shrinking = false;
			break;
		case 'a':
			endless = true;
			break;
		default:
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
	}
	if (jobs < 1 || jobs > JOBS_MAX)
		jobs = JOBS_MAX;
	if (right.family == AF_UNIX)
		right.name = "AF_UNIX again";
	left.other = right.family == AF_UNIX ? AF_RUNIX : right.family;
	right.other = right.family == AF_UNIX ? AF_RUNIX : AF_UNIX;
	setvbuf(stdout, NULL, _IOLBF, 0);
	shared = share(sizeof(*shared));
	probe_features(right.family);

	if (!is_registered(right.family)) {
		const char *required = getenv("RUNIX_REQUIRED");

		if (required && !strcmp(required, "1")) {
			printf("1..1\nnot ok 1 family %d is registered\n", right.family);
			return 1;
		}
		printf("1..0 # SKIP family %d is not registered\n", right.family);
		return 4;
	}
	if (single)
		return one(seed);
	if (hunting) {
		double start = now();
		bool good;

		if (h.end)
			h.end += start;
		if (endless)
			h.max_findings = ~0U;
		good = hunt(&h);
		printf("# %lu programs in %.0f s, %u findings\n", shared->done, now() - start,
		       shared->findings);
		return !good || shared->findings;
	}
	printf("TAP version 13\n");
	test_itself();
	test_families(h.seed, 250, 60);
	printf("1..%d\n", n_tests);
	return !!n_failed;
}
