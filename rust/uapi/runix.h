/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * AF_RUNIX: the address family of the runix module, as user space sees it.
 *
 * This header is the one source of the family's numbers and structures: the
 * module reads it through bindgen, the C and Rust samples and the tests
 * include it.
 */
#ifndef _UAPI_RUNIX_H
#define _UAPI_RUNIX_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/socket.h>
#else
#include <sys/socket.h>
#endif

/*
 * The default family number. 18 is reserved as AF_ASH and was never used by
 * any code. The module may be loaded with another one (family=); the number
 * in force can be read from /sys/module/runix/parameters/family.
 */
#define AF_RUNIX	18
#define PF_RUNIX	AF_RUNIX

/* The option level of the family; it has no options yet. */
#define SOL_RUNIX	21077

/* Bytes in srunix_path, as in struct sockaddr_un. */
#define RUNIX_PATH_MAX	108

/*
 * An address; the layout is that of struct sockaddr_un. A name that starts
 * with a NUL byte is abstract: it lives in the network namespace, not in the
 * file system, and is as long as the address length says.
 */
struct sockaddr_runix {
	unsigned short	srunix_family;			/* AF_RUNIX */
	char		srunix_path[RUNIX_PATH_MAX];	/* pathname or abstract name */
};

#endif /* _UAPI_RUNIX_H */
