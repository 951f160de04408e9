/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a socket of a UnixHead (rust/net/unix.rs) begins with: struct unix_sock as
 * far as anybody but AF_UNIX looks into it, which is up to its lock, and nothing
 * of the rest, which would make each socket larger and dearer to zero. Of the
 * fields up to there, those that only AF_UNIX itself uses serve other ends here.
 */
#ifndef RUNIX_HEAD_H
#define RUNIX_HEAD_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <net/af_unix.h>

struct runix_head {
	struct sock sk;
	struct unix_address *addr;
	struct path path;
	/* In the place of iolock: those who wait until the socket takes something. */
	wait_queue_head_t room_wait;
	char unused[sizeof(struct mutex) - sizeof(wait_queue_head_t)];
	struct mutex bindlock;
	struct sock *peer;
	struct sock *listener;
	/*
	 * In the place of vertex: while the socket waits to be accepted, the link
	 * of the queue; later the inode that it is bound to, for comparison alone.
	 */
	struct sock *spare;
	spinlock_t lock;
};

/*
 * How the socket waits at its peer's room_wait. It lies where protocols keep a timer:
 * nothing but those looks there, and a socket has no memory to spare.
 */
static inline wait_queue_entry_t *runix_peer_wake(struct runix_head *u)
{
	return (wait_queue_entry_t *)&u->sk.sk_timer;
}

static_assert(sizeof(wait_queue_entry_t) <= sizeof_field(struct sock, sk_timer));
static_assert(__alignof__(wait_queue_entry_t) <= __alignof__(struct timer_list));

#define RUNIX_HEAD_LIKE(field)							\
	static_assert(offsetof(struct runix_head, field) ==			\
		      offsetof(struct unix_sock, field))

RUNIX_HEAD_LIKE(sk);
RUNIX_HEAD_LIKE(addr);
RUNIX_HEAD_LIKE(path);
RUNIX_HEAD_LIKE(bindlock);
RUNIX_HEAD_LIKE(peer);
RUNIX_HEAD_LIKE(listener);
RUNIX_HEAD_LIKE(lock);

#endif
