/* SPDX-License-Identifier: GPL-2.0 */
/* How much of something a test does, which whoever starts the guest may say. */
#ifndef RUNIX_WANTED_H
#define RUNIX_WANTED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number after @word, as in "runix.cycles=", on the kernel's command line, or @usual. */
static inline long wanted(const char *word, long usual)
{
	FILE *f = fopen("/proc/cmdline", "re");
	char line[4096], *at;

	if (f && fgets(line, sizeof(line), f) && (at = strstr(line, word)))
		usual = atol(at + strlen(word));
	if (f)
		fclose(f);
	return usual;
}

#endif /* RUNIX_WANTED_H */
