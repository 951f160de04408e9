// SPDX-License-Identifier: GPL-2.0
/*
 * Threads in which calls may block while the program goes on.
 *
 * After each call of the program the threads are left alone till each of them has either
 * come back or sleeps: then it is known what the call has done to them, and the same
 * program always gives the same outcomes. A thread sleeps only in its call: it does
 * nothing else that could make it wait.
 */

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

#include "fuzz.h"

/* Seconds for a thread to come to rest. */
#define RESTLESS 10
/* Above what programs get. */
#define STAT_FD 900

enum state {
	ST_IDLE,
	ST_GIVEN,
	ST_CALLING,
	ST_DONE,
};

struct helper {
	pthread_t thread;
	pid_t tid;
	volatile int state;
	const struct call *call;
	int index;
	struct exec x;
	struct memory mem;
	char text[256 << 10];
};

static struct helper helpers[HELPERS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given = PTHREAD_COND_INITIALIZER;

static void *serve(void *arg)
{
	struct helper *h = arg;

	h->tid = syscall(SYS_gettid);
	for (;;) {
		pthread_mutex_lock(&lock);
		while (h->state != ST_GIVEN)
			pthread_cond_wait(&given, &lock);
		pthread_mutex_unlock(&lock);
		__atomic_store_n(&h->state, ST_CALLING, __ATOMIC_SEQ_CST);
		ops[h->call->op].run(&h->x, h->call);
		__atomic_store_n(&h->state, ST_DONE, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

void helpers_start(void)
{
	sigset_t all, old;
	char path[64];
	int fd;

	/* Only signals that are meant for a thread itself reach it. */
	sigfillset(&all);
	sigdelset(&all, SIGPIPE);
	sigdelset(&all, SIG_CANCEL);
	sigprocmask(SIG_SETMASK, &all, &old);
	for (int i = 0; i < HELPERS; i++) {
		struct helper *h = &helpers[i];

		memory_make(&h->mem);
		if (pthread_create(&h->thread, NULL, serve, h)) {
			perror("pthread_create");
			exit(1);
		}
		while (!*(volatile pid_t *)&h->tid)
			sched_yield();
		snprintf(path, sizeof(path), "/proc/self/task/%d/stat", h->tid);
		fd = open(path, O_RDONLY);
		if (fd < 0 || dup2(fd, STAT_FD + i) < 0) {
			perror(path);
			exit(1);
		}
		close(fd);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
}

bool helper_free(int thread)
{
	return helpers[thread - 1].state == ST_IDLE;
}

void helper_call(const struct exec *x, int thread, const struct call *c)
{
	struct helper *h = &helpers[thread - 1];

	h->call = c;
	h->index = x->index;
	h->x = *x;
	h->x.mem = &h->mem;
	h->x.text = h->text;
	h->x.size = sizeof(h->text);
	h->x.used = 0;
	h->text[0] = 0;
	memory_reset(&h->mem);
	pthread_mutex_lock(&lock);
	h->state = ST_GIVEN;
	pthread_cond_broadcast(&given);
	pthread_mutex_unlock(&lock);
}

static char state_of(int i)
{
	char text[256], *s;
	ssize_t n = pread(STAT_FD + i, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return '?';
	text[n] = 0;
	s = strrchr(text, ')');
	return s && s[1] ? s[2] : '?';
}

/* All have come back or sleep in their calls. */
static bool at_rest(void)
{
	for (int i = 0; i < HELPERS; i++) {
		int state = __atomic_load_n(&helpers[i].state, __ATOMIC_SEQ_CST);

		if (state == ST_GIVEN || (state == ST_CALLING && state_of(i) != 'S'))
			return false;
	}
	return true;
}

static bool all_idle(void)
{
	for (int i = 0; i < HELPERS; i++)
		if (helpers[i].state != ST_IDLE)
			return false;
	return true;
}

/* Waits till nothing moves, then tells what came back. */
void helpers_settle(struct exec *x)
{
	time_t start = time(NULL);

	if (all_idle())
		return;
	/* Twice, since the second may have woken the first after that was looked at. */
	while (!at_rest() || !at_rest()) {
		if (time(NULL) - start > RESTLESS) {
			say(x, " (a thread finds no rest)");
			break;
		}
		sched_yield();
	}
	for (int i = 0; i < HELPERS; i++) {
		struct helper *h = &helpers[i];

		if (h->state == ST_DONE) {
			say(x, "%scall %d %s", x->used > x->begin ? "; " : "", h->index - x->index, h->text);
			h->state = ST_IDLE;
		} else if (h->state == ST_CALLING && h->index == x->index) {
			say(x, "blocks");
		}
	}
}

/* The program is over; whoever still waits is interrupted. */
void helpers_cancel(struct exec *x)
{
	for (int i = 0; i < HELPERS; i++) {
		struct helper *h = &helpers[i];

		while (h->state != ST_IDLE && h->state != ST_DONE) {
			syscall(SYS_tgkill, x->pid, h->tid, SIG_CANCEL);
			sched_yield();
		}
		if (h->state == ST_DONE)
			say(x, "; at the end call %d %s", h->index - x->index, h->text);
		h->state = ST_IDLE;
	}
}
