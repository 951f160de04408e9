// SPDX-License-Identifier: GPL-2.0
/*
 * Which places of the module's Rust code have been passed: linked into the module when
 * it is built for scripts/coverage. The compiler calls __sanitizer_cov_trace_pc() at the
 * start of each basic block; the kernel has one of its own, for KCOV, which knows of
 * one task at a time.
 *
 * Write an offset to /sys/module/runix/parameters/coverage, and each read from it tells
 * some of those that were passed, in hexadecimal, from there on.
 */
#include <linux/module.h>

#define MOST_TEXT	(1 << 22)

/* Set by whoever comes by; nobody ever clears it. */
static u8 passed[MOST_TEXT];
static unsigned long position;

void __sanitizer_cov_trace_pc(void);

void notrace __sanitizer_cov_trace_pc(void)
{
	unsigned long at = _RET_IP_ - (unsigned long)THIS_MODULE->mem[MOD_TEXT].base;

	if (at < MOST_TEXT && !READ_ONCE(passed[at]))
		WRITE_ONCE(passed[at], 1);
}

static int coverage_set(const char *val, const struct kernel_param *kp)
{
	return kstrtoul(val, 16, &position);
}

static int coverage_get(char *buf, const struct kernel_param *kp)
{
	int len = 0;

	for (; position < MOST_TEXT && len < 4000; position++)
		if (READ_ONCE(passed[position]))
			len += sysfs_emit_at(buf, len, "%lx ", position);
	return len + sysfs_emit_at(buf, len, "\n");
}

static const struct kernel_param_ops coverage_ops = {
	.set = coverage_set,
	.get = coverage_get,
};

module_param_cb(coverage, &coverage_ops, NULL, 0600);
