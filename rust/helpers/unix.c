// SPDX-License-Identifier: GPL-2.0
/* The part of the object that security modules know (unix.rs). */

static struct runix_head *runix_head(struct sock *sk)
{
	return container_of(sk, struct runix_head, sk);
}

/*
 * A sender that polls while its peer's queue is full can't wait on the peer's
 * queue itself, which may go away before the poller does. So the sender's own
 * entry waits there, and passes one wake-up on to those who wait on the sender.
 *
 * The entry is only ever on the queue of the sender's peer, to which the sender
 * has a reference; `private` is that peer while it is, and guarded by the lock
 * of the queue.
 */
static int runix_relay(wait_queue_entry_t *entry, unsigned int mode, int flags,
		       void *key)
{
	struct runix_head *sender = container_of((struct timer_list *)entry,
						 struct runix_head, sk.sk_timer);
	struct sock *peer = entry->private;
	wait_queue_head_t *sleepers;

	__remove_wait_queue(&runix_head(peer)->room_wait, entry);
	rcu_read_lock();
	sleepers = rcu_dereference(sender->sk.sk_wq) ? sk_sleep(&sender->sk) : NULL;
	if (sleepers)
		wake_up_interruptible_poll(sleepers, key_to_poll(key));
	rcu_read_unlock();
	/* The last use of the sender, which may part from the peer, and go, from here on. */
	smp_store_release(&entry->private, NULL);
	return 0;
}

/* The peer, with a reference, or null. */
struct sock *runix_helper_unix_peer_get(struct runix_head *u)
{
	struct sock *peer;

	spin_lock(&u->lock);
	peer = u->peer;
	if (peer)
		sock_hold(peer);
	spin_unlock(&u->lock);
	return peer;
}

/* Called with the sender's state locked, and `peer` its peer. */
void runix_helper_watch_peer(struct runix_head *sender, struct sock *peer)
{
	wait_queue_head_t *wq = &runix_head(peer)->room_wait;

	spin_lock(&wq->lock);
	if (!runix_peer_wake(sender)->private) {
		runix_peer_wake(sender)->private = peer;
		__add_wait_queue(wq, runix_peer_wake(sender));
	}
	spin_unlock(&wq->lock);
	/*
	 * The caller looks next whether the peer is full. Pairs with the barrier in
	 * runix_helper_wake_senders(): either the entry is seen there, or what was taken
	 * is seen here.
	 */
	smp_mb();
}

/* Called with the sender's state locked, before it parts from `peer`. */
void runix_helper_unwatch_peer(struct runix_head *sender, struct sock *peer)
{
	wait_queue_head_t *wq = &runix_head(peer)->room_wait;

	/*
	 * As a rule; it isn't set but under the sender's state lock, and is NULL again
	 * when the wake-up, which uses the sender, is over.
	 */
	if (!smp_load_acquire(&runix_peer_wake(sender)->private))
		return;
	spin_lock(&wq->lock);
	if (runix_peer_wake(sender)->private == peer) {
		__remove_wait_queue(wq, runix_peer_wake(sender));
		runix_peer_wake(sender)->private = NULL;
	}
	spin_unlock(&wq->lock);
}

/* Tells one sender, sleeping or polling, that a packet was taken. */
void runix_helper_wake_senders(wait_queue_head_t *wq)
{
	if (wq_has_sleeper(wq))
		wake_up_interruptible_sync_poll(wq, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
}

void runix_helper_error_report(struct sock *sk)
{
	sk_error_report(sk);
}

/* Called with the state of both locked, and both alive: they have a socket. */
int runix_helper_may_send(struct sock *sk, struct sock *other)
{
	return security_unix_may_send(sk->sk_socket, other->sk_socket);
}

void runix_helper_head_init(struct runix_head *u)
{
	/* The rest is zero. */
	spin_lock_init(&u->lock);
	mutex_init(&u->bindlock);
	init_waitqueue_head(&u->room_wait);
	memset(runix_peer_wake(u), 0, sizeof(wait_queue_entry_t));
	init_waitqueue_func_entry(runix_peer_wake(u), runix_relay);
	u->sk.sk_scm_rights = 1;
}

int runix_helper_bind_lock(struct runix_head *u)
{
	return mutex_lock_interruptible(&u->bindlock);
}

void runix_helper_bind_unlock(struct runix_head *u)
{
	mutex_unlock(&u->bindlock);
}

struct unix_address *runix_helper_unix_address_get(struct runix_head *u)
{
	return smp_load_acquire(&u->addr);
}

void runix_helper_unix_address_set(struct runix_head *u, struct unix_address *addr)
{
	smp_store_release(&u->addr, addr);
}

struct unix_address *runix_helper_unix_address_new(const void *name, int len)
{
	struct unix_address *addr = kmalloc(sizeof(*addr) + len, GFP_KERNEL_ACCOUNT);

	if (addr) {
		refcount_set(&addr->refcnt, 1);
		addr->len = len;
		memcpy(addr->name, name, len);
	}
	return addr;
}

struct unix_address *runix_helper_unix_address_hold(struct unix_address *addr)
{
	refcount_inc(&addr->refcnt);
	return addr;
}

void runix_helper_unix_address_put(struct unix_address *addr)
{
	if (refcount_dec_and_test(&addr->refcnt))
		kfree(addr);
}

const void *runix_helper_unix_address_bytes(const struct unix_address *addr)
{
	return addr->name;
}

/*
 * Pairs with the lockless load of the pointer, which all later accesses to the
 * peer depend on.
 */
void runix_helper_unix_peer_set(struct runix_head *u, struct sock *peer)
{
	smp_store_release(&u->peer, peer);
}

bool runix_helper_current_fatal_signal(void)
{
	return fatal_signal_pending(current);
}
