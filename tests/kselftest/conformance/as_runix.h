/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included by force (-include) ahead of the kernel's own AF_UNIX tests: what
 * they say of AF_UNIX then holds of our family. Nothing of them is changed.
 *
 * The family number is the one in force on the running system. Where the
 * family is not registered, such a program skips itself as a whole, unless
 * RUNIX_REQUIRED=1 is in the environment.
 */
#ifndef AS_RUNIX_H
#define AS_RUNIX_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Failed assertions belong next to the results. */
#define TH_LOG_STREAM stdout
#include "time_scale.h"

#include "runix.h"

static inline int as_runix_family(void)
{
	static int family;
	FILE *f;

	if (family)
		return family;
	family = AF_RUNIX;
	f = fopen("/sys/module/runix/parameters/family", "re");
	if (f) {
		if (fscanf(f, "%d", &family) != 1)
			family = AF_RUNIX;
		fclose(f);
	}
	return family;
}

static void __attribute__((constructor(101))) as_runix_probe(void)
{
	const char *required = getenv("RUNIX_REQUIRED");
	int fd = socket(as_runix_family(), SOCK_STREAM, 0);

	if (fd >= 0) {
		close(fd);
	} else if (errno == EAFNOSUPPORT && !(required && !strcmp(required, "1"))) {
		printf("TAP version 13\n1..0 # SKIP family %d is not registered\n",
		       as_runix_family());
		fflush(stdout);
		_exit(4);
	}
}

#undef AF_UNIX
#undef PF_UNIX
#undef AF_LOCAL
#undef PF_LOCAL
#define AF_UNIX		as_runix_family()
#define PF_UNIX		as_runix_family()
#define AF_LOCAL	as_runix_family()
#define PF_LOCAL	as_runix_family()

/*
 * Who counts the sockets of AF_UNIX means ours. (The copy of the file is never given
 * back: tests are short.)
 */
static inline FILE *as_runix_fopen(const char *path, const char *mode)
{
	char *line = NULL, *text = NULL;
	size_t room = 0, size = 0;
	FILE *from, *to;

	from = fopen(path, mode);
	if (!from || strcmp(path, "/proc/net/protocols"))
		return from;
	to = open_memstream(&text, &size);
	while (to && getline(&line, &room, from) != -1)
		if (strncmp(line, "UNIX", 4))
			fputs(line + !strncmp(line, "RUNIX", 5), to);
	free(line);
	fclose(from);
	if (!to || fclose(to))
		return NULL;
	return fmemopen(text, size, "r");
}

#define fopen(path, mode)	as_runix_fopen(path, mode)

/* An option that generic code gives to AF_UNIX alone: a program of ours would call this. */
static inline int as_runix_getsockopt(int fd, int level, int name, void *value,
				      socklen_t *size)
{
	if (level == SOL_SOCKET && name == SO_PEERPIDFD && *size == sizeof(int))
		return runix_get_peerpidfd(fd, value);
	return getsockopt(fd, level, name, value, size);
}

#define getsockopt	as_runix_getsockopt

/* Younger than some C libraries; the Makefile takes it from the kernel. */
#if !defined(SO_INQ) && defined(KERNEL_SO_INQ)
#define SO_INQ	KERNEL_SO_INQ
#endif
#if !defined(SCM_INQ) && defined(SO_INQ)
#define SCM_INQ	SO_INQ
#endif

#endif /* AS_RUNIX_H */
