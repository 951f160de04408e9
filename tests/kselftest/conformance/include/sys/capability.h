/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few functions of libcap that the kernel's tests call, by the system calls below
 * them, so that no library is needed to build these tests. The names and what they
 * return are those of cap_get_proc(3) and its neighbours.
 */
#ifndef RUNIX_CONFORMANCE_CAPABILITY_H
#define RUNIX_CONFORMANCE_CAPABILITY_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

typedef int cap_value_t;
typedef enum { CAP_EFFECTIVE, CAP_PERMITTED, CAP_INHERITABLE } cap_flag_t;
typedef enum { CAP_CLEAR, CAP_SET } cap_flag_value_t;

typedef struct {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
} *cap_t;

static inline cap_t cap_get_proc(void)
{
	cap_t c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->head.version = _LINUX_CAPABILITY_VERSION_3;
	if (syscall(SYS_capget, &c->head, c->data)) {
		free(c);
		return NULL;
	}
	return c;
}

static inline int cap_set_proc(cap_t c)
{
	c->head.pid = 0;
	return syscall(SYS_capset, &c->head, c->data);
}

static inline int cap_free(void *c)
{
	free(c);
	return 0;
}

static inline int cap_clear(cap_t c)
{
	int i;

	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		c->data[i] = (struct __user_cap_data_struct) {};
	return 0;
}

static inline int cap_set_flag(cap_t c, cap_flag_t flag, int nr, const cap_value_t *caps,
			       cap_flag_value_t value)
{
	while (nr-- > 0) {
		int cap = caps[nr];
		__u32 bit = 1U << (cap & 31), *word;

		if (cap < 0 || cap >= 32 * _LINUX_CAPABILITY_U32S_3) {
			errno = EINVAL;
			return -1;
		}
		word = flag == CAP_EFFECTIVE ? &c->data[cap >> 5].effective :
		       flag == CAP_PERMITTED ? &c->data[cap >> 5].permitted :
					       &c->data[cap >> 5].inheritable;
		*word = value == CAP_SET ? *word | bit : *word & ~bit;
	}
	return 0;
}

static inline unsigned int cap_get_secbits(void)
{
	return prctl(PR_GET_SECUREBITS);
}

static inline int cap_set_secbits(unsigned int bits)
{
	return prctl(PR_SET_SECUREBITS, bits);
}

static inline int cap_get_ambient(cap_value_t cap)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0);
}

static inline int cap_set_ambient(cap_value_t cap, cap_flag_value_t value)
{
	return prctl(PR_CAP_AMBIENT,
		     value == CAP_SET ? PR_CAP_AMBIENT_RAISE : PR_CAP_AMBIENT_LOWER, cap, 0, 0);
}

#endif /* RUNIX_CONFORMANCE_CAPABILITY_H */
