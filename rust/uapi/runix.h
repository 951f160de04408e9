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
#include <errno.h>
#include <sys/socket.h>
#endif

/*
 * The default family number. 18 is reserved as AF_ASH and was never used by
 * any code. The module may be loaded with another one (family=); the number
 * in force can be read from /sys/module/runix/parameters/family.
 */
#define AF_RUNIX	18
#define PF_RUNIX	AF_RUNIX

/*
 * The option level of the family. setsockopt(2) takes these options at
 * SOL_SOCKET under the names that unix(7) gives them, and here. getsockopt(2)
 * tells them here alone: at SOL_SOCKET the kernel answers by itself, and knows
 * AF_UNIX only. The functions at the end of this file hide the difference.
 */
#define SOL_RUNIX	21077

#define RUNIX_PASSCRED		1	/* int: SO_PASSCRED */
#define RUNIX_PASSSEC		2	/* int: SO_PASSSEC */
#define RUNIX_PASSPIDFD		3	/* int: SO_PASSPIDFD */
#define RUNIX_PASSRIGHTS	4	/* int: SO_PASSRIGHTS */
#define RUNIX_RIGHTS_NOTRUNC	5	/* int: SO_RIGHTS_NOTRUNC */
#define RUNIX_INQ		6	/* int: SO_INQ */
#define RUNIX_PEERPIDFD		7	/* int, told only: SO_PEERPIDFD, also of a
					 * peer that has been reaped
					 */

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

#ifndef __KERNEL__

/* Younger than some C libraries; these are the numbers of most architectures. */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD		76
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD		77
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS		83
#endif
#ifndef SO_INQ
#define SO_INQ			84
#endif
#ifndef SO_RIGHTS_NOTRUNC
#define SO_RIGHTS_NOTRUNC	85
#endif

/*
 * The options, for sockets of AF_RUNIX and of AF_UNIX. Each function returns 0,
 * or -1 with errno set as setsockopt(2) and getsockopt(2) do.
 */
static inline int __runix_set(int fd, int name, int value)
{
	return setsockopt(fd, SOL_SOCKET, name, &value, sizeof(value));
}

static inline int __runix_get(int fd, int own, int name, int *value)
{
	socklen_t len = sizeof(*value);

	if (!getsockopt(fd, SOL_RUNIX, own, value, &len))
		return 0;
	if (errno != EOPNOTSUPP)
		return -1;
	/* It is a socket of another family. */
	len = sizeof(*value);
	return getsockopt(fd, SOL_SOCKET, name, value, &len);
}

/* Receives tell who has sent: SCM_CREDENTIALS. */
static inline int runix_set_passcred(int fd, int on)
{
	return __runix_set(fd, SO_PASSCRED, on);
}

static inline int runix_get_passcred(int fd, int *on)
{
	return __runix_get(fd, RUNIX_PASSCRED, SO_PASSCRED, on);
}

/* Receives tell the sender's security label: SCM_SECURITY. */
static inline int runix_set_passsec(int fd, int on)
{
	return __runix_set(fd, SO_PASSSEC, on);
}

static inline int runix_get_passsec(int fd, int *on)
{
	return __runix_get(fd, RUNIX_PASSSEC, SO_PASSSEC, on);
}

/* Receives open a descriptor of the process that has sent: SCM_PIDFD. */
static inline int runix_set_passpidfd(int fd, int on)
{
	return __runix_set(fd, SO_PASSPIDFD, on);
}

static inline int runix_get_passpidfd(int fd, int *on)
{
	return __runix_get(fd, RUNIX_PASSPIDFD, SO_PASSPIDFD, on);
}

/* Descriptors may be sent to this socket: SCM_RIGHTS. On at first. */
static inline int runix_set_passrights(int fd, int on)
{
	return __runix_set(fd, SO_PASSRIGHTS, on);
}

static inline int runix_get_passrights(int fd, int *on)
{
	return __runix_get(fd, RUNIX_PASSRIGHTS, SO_PASSRIGHTS, on);
}

/*
 * A descriptor that a security module withholds leaves an error number below
 * zero in its place, and does not end the list.
 */
static inline int runix_set_rights_notrunc(int fd, int on)
{
	return __runix_set(fd, SO_RIGHTS_NOTRUNC, on);
}

/* Not told by AF_UNIX. */
static inline int runix_get_rights_notrunc(int fd, int *on)
{
	return __runix_get(fd, RUNIX_RIGHTS_NOTRUNC, SO_RIGHTS_NOTRUNC, on);
}

/* Receives from a stream tell how many bytes are left in it: SCM_INQ. */
static inline int runix_set_inq(int fd, int on)
{
	return __runix_set(fd, SO_INQ, on);
}

/* Not told by AF_UNIX. */
static inline int runix_get_inq(int fd, int *on)
{
	return __runix_get(fd, RUNIX_INQ, SO_INQ, on);
}

/*
 * A new descriptor of the process at the other end, as it was when the
 * connection was made; it may have been reaped since.
 */
static inline int runix_get_peerpidfd(int fd, int *pidfd)
{
	return __runix_get(fd, RUNIX_PEERPIDFD, SO_PEERPIDFD, pidfd);
}

#endif /* __KERNEL__ */

#endif /* _UAPI_RUNIX_H */
