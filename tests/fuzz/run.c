// SPDX-License-Identifier: GPL-2.0
/* One run of a program: in an empty directory, with no descriptors, and a text that remains. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "fuzz.h"

/* A call that blocks is interrupted after a while; one that cannot be is a finding. */
#define TICK_US	15000
#define NOBODY	65534

static struct memory memory;
static char base[64];
static char *dir;
static bool furnished;
static unsigned long runs;
static struct progress *progress;
static int fds[SLOTS];
static bool helpers_on;

static const struct {
	int number;
	const char *name;
} watched[] = {
	{ SIGPIPE, "SIGPIPE" }, { SIGIO, "SIGIO" }, { SIGURG, "SIGURG" }, { SIGUSR1, "SIGUSR1" },
};
#define WATCHED (sizeof(watched) / sizeof(watched[0]))

static volatile unsigned int arrived[WATCHED];

static void on_signal(int number)
{
	for (size_t i = 0; i < WATCHED; i++)
		if (watched[i].number == number)
			arrived[i]++;
}

static void on_tick(int number)
{
	(void)number;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void prepare_signals(void)
{
	const struct itimerval tick = {
		.it_interval = { .tv_usec = TICK_US }, .it_value = { .tv_usec = TICK_US },
	};
	struct sigaction sa = { .sa_handler = on_signal };

	for (size_t i = 0; i < WATCHED; i++)
		sigaction(watched[i].number, &sa, NULL);
	sa.sa_handler = on_tick;
	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIG_CANCEL, &sa, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
}

void say(struct exec *x, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(x->text + x->used, x->size - x->used, format, ap);
	va_end(ap);
	x->used += (size_t)n < x->size - x->used ? (size_t)n : x->size - x->used - 1;
}

/* --- files ------------------------------------------------------------------ */

static void remove_tree(int at, const char *name)
{
	struct dirent *de;
	DIR *d;
	int fd;

	if (!unlinkat(at, name, 0))
		return;
	fchmodat(at, name, 0700, 0);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	d = fdopendir(fd);
	while ((de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, ".."))
			remove_tree(fd, de->d_name);
	closedir(d);
	unlinkat(at, name, AT_REMOVEDIR);
}

/* The files that programs find: see the paths in arg_socket.c. */
static void furnish(void)
{
	static char text[5000];
	int fd;

	if (mkdir(dir, 0777) || chdir(dir))
		fail(dir);
	mkdir("d", 0777);
	mkdir("ro", 0555);
	symlink("a", "la");
	symlink("t", "l");
	symlink("loop", "loop");
	mkfifo("fifo", 0666);
	fd = open("f", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = 'a' + i % 23;
	if (fd < 0 || write(fd, text, sizeof(text)) != sizeof(text))
		fail("f");
	close(fd);
}

/* Calls that leave the files they name as they are. */
static bool only_looks(const char *op)
{
	return !strcmp(op, "lstat") || !strcmp(op, "connect") || !strncmp(op, "send", 4);
}

/* After most programs only the names that sockets are bound to have to go. */
static void tidy(const struct program *p)
{
	bool touched[PATHS_FIRST] = {};
	size_t len;

	for (int i = 0; i < p->n && furnished; i++) {
		const struct call *c = &p->call[i];

		for (int j = 0; ops[c->op].sig[j]; j++) {
			char letter = ops[c->op].sig[j];
			const long *v = c->arg[j].v;
			long path = v[0];

			if ((letter != 'a' && letter != 'P') || only_looks(ops[c->op].name))
				continue;
			if (letter == 'a') {
				if (v[ADDR_SHAPE] == SH_ABSTRACT || v[ADDR_SHAPE] == SH_BARE)
					continue;
				path = v[ADDR_NAME];
				if (v[ADDR_SHAPE] != SH_PATH || v[ADDR_LEN] != LM_EXACT)
					furnished = false;
			}
			if (path < PATHS_FIRST)
				touched[path] = true;
			else
				furnished = false;
		}
	}
	if (!furnished) {
		chdir("/");
		remove_tree(AT_FDCWD, dir);
		return;
	}
	for (int i = 0; i < PATHS_FIRST; i++)
		if (touched[i] && unlink(path_name(i, &len)) && errno == EISDIR)
			rmdir(path_name(i, &len));
}

/* --- the process ------------------------------------------------------------- */

/*
 * How many messages a socket takes from those it is not connected to is a setting, with
 * other values in the two families. In a network namespace of the fuzzer's own they are
 * made the same.
 */
static void same_settings(void)
{
	static const char value[] = "10";
	static const char *const files[] = {
		"/proc/sys/net/unix/max_dgram_qlen", "/proc/sys/net/runix/max_dgram_qlen",
	};

	for (int i = 0; i < 2; i++) {
		int fd = open(files[i], O_WRONLY);

		if (fd < 0)
			continue;
		if (write(fd, value, 2) != 2)
			perror(files[i]);
		close(fd);
	}
}

void run_setup(struct progress *p)
{
	const char *tmp = getenv("TMPDIR");

	progress = p;
	snprintf(base, sizeof(base), "%s/fuzz.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(base))
		fail("mkdtemp");
	/* Programs run as other users too. */
	chmod(base, 0755);
	if (asprintf(&dir, "%s/r", base) < 0)
		fail("memory");
	memory_make(&memory);
	/* Abstract names of this process' own, where that is possible. */
	if (!unshare(CLONE_NEWNET))
		same_settings();
	if (!geteuid())
		syscall(SYS_setgroups, 0, NULL);
	prepare_signals();
}

void run_teardown(void)
{
	chdir("/");
	remove_tree(AT_FDCWD, base);
}

static void become(bool user)
{
	if (user && (setegid(NOBODY) || seteuid(NOBODY)))
		fail("seteuid");
	if (!user && (seteuid(0) || setegid(0)))
		fail("seteuid");
}

static void make_call(struct exec *x, const struct call *c)
{
	if (!c->thread || !(x->program->flavour & FL_THREADS)) {
		memory_reset(x->mem);
		ops[c->op].run(x, c);
	} else if (helper_free(c->thread)) {
		helper_call(x, c->thread, c);
	} else {
		say(x, "(the thread is busy)");
	}
}

void run(const struct side *side, const struct program *p, struct outcomes *o)
{
	struct exec x = {
		.side = side, .program = p, .pid = getpid(), .mem = &memory,
		.text = o->text, .size = sizeof(o->text), .fd = fds,
	};
	bool user = p->flavour & FL_USER && !geteuid();
	unsigned int before[WATCHED];

	if (p->flavour & FL_THREADS && !helpers_on) {
		helpers_start();
		helpers_on = true;
	}
	progress->side = side->name;
	progress->program.n = p->n;
	memcpy(progress->program.call, p->call, p->n * sizeof(p->call[0]));
	for (int i = 0; i < SLOTS; i++)
		fds[i] = -1;
	/* Both runs of a program know it by the same names, and no other program does. */
	snprintf(x.prefix, sizeof(x.prefix), "%08lx", (runs++ >> 1 | (unsigned long)x.pid << 20) & 0xffffffff);
	umask(0);
	if (!furnished)
		furnish();
	furnished = true;
	if (user)
		become(true);
	o->at[0] = 0;
	for (int i = 0; i < p->n; i++) {
		for (size_t j = 0; j < WATCHED; j++)
			before[j] = arrived[j];
		progress->call = x.index = i;
		progress->beats++;
		x.begin = x.used;
		make_call(&x, &p->call[i]);
		if (p->flavour & FL_THREADS)
			helpers_settle(&x);
		if (p->flavour & FL_THREADS && i == p->n - 1)
			helpers_cancel(&x);
		for (size_t j = 0; j < WATCHED; j++)
			if (arrived[j] != before[j])
				say(&x, " %s", watched[j].name);
		x.text[x.used++] = 0;
		o->at[i + 1] = x.used;
	}
	o->n = p->n;
	o->used = x.used;
	if (user)
		become(false);
	close_range(3, SLOTS * 10, 0);
	umask(0);
	tidy(p);
}

const char *outcome(const struct outcomes *o, int i)
{
	return i < o->n ? o->text + o->at[i] : "(not reached)";
}

int compare(const struct program *p, const struct outcomes *left, const struct outcomes *right)
{
	int n = left->n > right->n ? left->n : right->n;

	for (int i = 0; i < n; i++) {
		const char *l = outcome(left, i), *r = outcome(right, i);

		if (strcmp(l, r))
			return difference_allowed(p, &p->call[i], l, r) ? -1 : i;
	}
	return -1;
}
