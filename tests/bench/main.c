// SPDX-License-Identifier: GPL-2.0
/*
 * bench: what socket families cost, workload by workload.
 *
 * Each workload runs in a process of its own, first for one subject, then for the
 * next, so that whatever drifts, drifts for all. One line comes out for each:
 *
 *   RESULT <workload> <type> <size> <subject> <value> <unit>
 *   SKIP <workload> <type> <size> <subject> <reason>
 *   FAIL <workload> <type> <size> <subject> <reason>
 *
 * The value is that of the least of several repetitions. Meant for a machine whose
 * clock counts instructions (scripts/bench), it also works on any other one.
 */
#include <errno.h>
#include <fnmatch.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* How a job ended, in memory that its processes share with the main one. */
struct verdict {
	enum { NOTHING, RESULT, SKIP, FAIL } state;
	double value;
	long ops;
	char reason[160];
};

static struct verdict *verdict;
static pid_t job_pid;

static int repetitions = 3;
static double target_ns = 8e6;	/* of each repetition */
static bool profile;
static bool listing;
static unsigned int time_limit = 120;
static const char *prefix = "";

/* --- how a job ends --- */

static void __attribute__((noreturn)) end_job(int state, const char *format, va_list args)
{
	/* The first reason counts. */
	if (verdict->state == NOTHING) {
		vsnprintf(verdict->reason, sizeof(verdict->reason), format, args);
		verdict->state = state;
	}
	/* From a helper: the measuring process would wait for it in vain. */
	if (getpid() != job_pid)
		kill(job_pid, SIGKILL);
	_exit(1);
}

void skip_job(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	end_job(SKIP, format, args);
}

static void __attribute__((noreturn)) fail_with(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	end_job(FAIL, format, args);
}

void fail_job(const char *what)
{
	fail_with("%s: %s", what, strerror(errno));
}

void give_up(const char *what)
{
	switch (errno) {
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
	case ESOCKTNOSUPPORT:
	case EOPNOTSUPP:
	case ENOPROTOOPT:
	case EPROTOTYPE:
	case ENOSYS:
		skip_job("%s: %s", what, strerror(errno));
	}
	fail_job(what);
}

/* --- measuring --- */

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/*
 * The emulator's plugin counts what is executed between these two, which it knows by
 * their addresses: the linker puts each where nothing else is.
 */
__attribute__((noipa, section(".bench_begin"))) static void mark_begin(void)
{
	__asm__ volatile("nop");
}

__attribute__((noipa, section(".bench_end"))) static void mark_end(void)
{
	__asm__ volatile("nop");
}

static double time_of(const struct workload *w, struct job *job, long ops)
{
	double start = now_ns();

	w->run(job, ops);
	return now_ns() - start;
}

static void measure(const struct workload *w, struct job *job)
{
	long granule = w->granule ? w->granule : 1;
	double least = 0, target = target_ns * (w->patience ? w->patience : 1);
	long ops;

	if (w->measure) {
		verdict->value = w->measure(job);
		verdict->ops = 1;
		verdict->state = RESULT;
		return;
	}
	if (w->setup)
		w->setup(job);
	w->run(job, granule);
	/* Two estimates: the first one still warms caches and allocators. */
	ops = 16 * granule;
	for (int i = 0; i < 2; i++) {
		double ns = time_of(w, job, ops);

		ops = target / (i ? 1 : 8) / (ns / ops) + 1;
		if (ops < w->least_ops)
			ops = w->least_ops;
		ops = (ops + granule - 1) / granule * granule;
	}
	if (job->size && ops * job->size < w->least_bytes)
		ops = w->least_bytes / job->size / granule * granule;
	if (profile)
		mark_begin();
	for (int i = 0; i < repetitions; i++) {
		double ns = time_of(w, job, ops) / ops;

		if (!i || ns < least)
			least = ns;
	}
	if (profile)
		mark_end();
	verdict->value = least;
	verdict->ops = ops * repetitions;
	verdict->state = RESULT;
}

static const char *type_name(int type)
{
	return type == SOCK_STREAM ? "stream" : type == SOCK_DGRAM ? "dgram" : "seqpacket";
}

static void say(const char *format, ...)
{
	va_list args;

	fputs(prefix, stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	fflush(stdout);
	/* A serial port shall be done with it before anything is measured. */
	if (isatty(1))
		tcdrain(1);
}

/* False if it failed; a job that is skipped has not failed. */
static bool run_job(const struct workload *w, const struct subject *subject, int type, size_t size)
{
	struct job job = { .subject = subject, .type = type, .size = size };
	char row[96];
	pid_t pid;
	int status;

	snprintf(row, sizeof(row), "%s %s %zu %s", w->name, type_name(type), size, subject->name);
	memset(verdict, 0, sizeof(*verdict));
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		signal(SIGPIPE, SIG_IGN);
		job_pid = getpid();
		alarm(time_limit);
		job.buf = malloc(MAX_SIZE);
		job.buf2 = malloc(MAX_SIZE);
		memset(job.buf, 'x', MAX_SIZE);
		memset(job.buf2, 0, MAX_SIZE);
		measure(w, &job);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		say("FAIL %s fork: %s\n", row, strerror(errno));
		return false;
	}
	/* The helpers. */
	kill(-pid, SIGKILL);
	usleep(200000);
	switch (verdict->state) {
	case RESULT:
		say("RESULT %s %.1f %s\n", row, verdict->value, w->measure ? "bytes" : "ns");
		if (profile)
			say("OPS %ld\n", verdict->ops);
		return true;
	case SKIP:
		say("SKIP %s %s\n", row, verdict->reason);
		return true;
	case FAIL:
		say("FAIL %s %s\n", row, verdict->reason);
		return false;
	default:
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
			say("FAIL %s not done after %u s\n", row, time_limit);
		else
			say("FAIL %s ended with status %#x\n", row, status);
		return false;
	}
}

/* --- what to run --- */

static struct subject families[8];
static int family_count;
static bool with_landmarks;

static const struct { struct subject subject; unsigned int mask; } landmarks[] = {
	{ { "pipe", KIND_PIPE, 0 }, PIPE },
	{ { "tcp", KIND_TCP, AF_INET }, TCP },
	{ { "shm", KIND_SHM, 0 }, SHM },
};

static bool chosen(const char *row, char **patterns)
{
	if (!*patterns)
		return true;
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, row, 0))
			return true;
	return false;
}

static bool run_row(const struct workload *w, unsigned int mask, int type, size_t size,
		    char **patterns)
{
	char row[96];
	bool good = true;

	snprintf(row, sizeof(row), "%s/%s/%zu", w->name, type_name(type), size);
	if (!(w->types & mask) || !chosen(row, patterns))
		return true;
	if (listing) {
		printf("%-28s %s\n", row, w->what);
		return true;
	}
	for (int i = 0; i < family_count; i++)
		good &= run_job(w, &families[i], type, size);
	/* Landmarks know no types; they stand beside the streams. */
	if (!with_landmarks || type != SOCK_STREAM)
		return good;
	for (size_t i = 0; i < sizeof(landmarks) / sizeof(*landmarks); i++)
		if (w->landmarks & landmarks[i].mask)
			good &= run_job(w, &landmarks[i].subject, type, size);
	return good;
}

static bool run_workloads(const struct workload *w, char **patterns)
{
	static const struct { unsigned int mask; int type; } types[] = {
		{ STREAM, SOCK_STREAM }, { SEQPACKET, SOCK_SEQPACKET }, { DGRAM, SOCK_DGRAM },
	};
	bool good = true;

	for (; w->name; w++)
		for (int t = 0; t < 3; t++) {
			const size_t *size = w->sizes;

			do {
				good &= run_row(w, types[t].mask, types[t].type, *size, patterns);
			} while (*size && *++size);
		}
	return good;
}

static void usage(FILE *file)
{
	fprintf(file,
		"usage: bench [OPTION...] [PATTERN...]\n"
		"\n"
		"Runs the workloads whose row, such as sr/stream/4096, matches a shell pattern;\n"
		"without patterns all of them.\n"
		"\n"
		"  -f NAME=NUMBER  a socket family to measure; may be repeated (default unix=1)\n"
		"  -l              landmarks as well: pipe, TCP over loopback, shared memory\n"
		"  -o TEXT         what each line of the report starts with\n"
		"  -r TIMES        repetitions, of which the least counts (default 3)\n"
		"  -t MS           time of one repetition, roughly (default 8)\n"
		"  -w SECONDS      time limit of one row (default 120)\n"
		"  -a              do not bind everything to one CPU\n"
		"  -p              for the emulator's plugin: mark what is measured\n"
		"  -L              list the rows and end\n");
}

int main(int argc, char **argv)
{
	bool pin = true, good = true;
	int opt;

	while ((opt = getopt(argc, argv, "f:lo:r:t:w:apLh")) != -1) {
		char *equals;

		switch (opt) {
		case 'f':
			equals = strchr(optarg, '=');
			if (!equals || family_count == 8) {
				usage(stderr);
				return 2;
			}
			*equals = '\0';
			families[family_count++] =
				(struct subject){ optarg, KIND_FAMILY, atoi(equals + 1) };
			break;
		case 'l': with_landmarks = true; break;
		case 'o': prefix = optarg; break;
		case 'r': repetitions = atoi(optarg); break;
		case 't': target_ns = atof(optarg) * 1e6; break;
		case 'w': time_limit = atoi(optarg); break;
		case 'a': pin = false; break;
		case 'p': profile = true; break;
		case 'L': listing = true; break;
		case 'h': usage(stdout); return 0;
		default: usage(stderr); return 2;
		}
	}
	if (repetitions < 1 || target_ns <= 0) {
		usage(stderr);
		return 2;
	}
	if (!family_count)
		families[family_count++] = (struct subject){ "unix", KIND_FAMILY, AF_UNIX };
	if (pin) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET(0, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	verdict = mmap(NULL, sizeof(*verdict), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (verdict == MAP_FAILED) {
		perror("bench: mmap");
		return 1;
	}
	good &= run_workloads(one_process, argv + optind);
	good &= run_workloads(two_processes, argv + optind);
	good &= run_workloads(churn, argv + optind);
	good &= run_workloads(memory, argv + optind);
	return good ? 0 : 1;
}
