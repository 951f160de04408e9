/* SPDX-License-Identifier: GPL-2.0 */
/* How much of something a test does, which whoever starts the guest may say. */
#ifndef RUNIX_WANTED_H
#define RUNIX_WANTED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the kernel was started with; empty if that can't be read. */
static inline const char *command_line(void)
{
	static char line[4096];
	FILE *f = fopen("/proc/cmdline", "re");

	if (!f || !fgets(line, sizeof(line), f))
		line[0] = 0;
	if (f)
		fclose(f);
	return line;
}

/* The number after @word, as in "runix.cycles=", on the kernel's command line, or @usual. */
static inline long wanted(const char *word, long usual)
{
	const char *at = strstr(command_line(), word);

	return at ? atol(at + strlen(word)) : usual;
}

#endif /* RUNIX_WANTED_H */
