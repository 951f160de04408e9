// SPDX-License-Identifier: GPL-2.0
/* Sleeping on a socket, waking and signalling who does (sock.rs, wait.rs). */

wait_queue_head_t *runix_helper_sk_sleep(struct sock *sk)
{
	return sk_sleep(sk);
}

void runix_helper_wait_entry_init(struct wait_queue_entry *wait)
{
	init_wait(wait);
}

void runix_helper_cond_resched(void)
{
	cond_resched();
}

bool runix_helper_current_signal_pending(void)
{
	return signal_pending(current);
}

/*
 * These two look for sleepers before they take the lock of the queue: there are
 * none as a rule. The barrier pairs with the one in prepare_to_wait().
 */
void runix_helper_wake_one(wait_queue_head_t *wq)
{
	if (wq_has_sleeper(wq))
		wake_up_interruptible(wq);
}

void runix_helper_wake_all(wait_queue_head_t *wq)
{
	if (wq_has_sleeper(wq))
		wake_up_interruptible_all(wq);
}

/*
 * Whether anybody may have to be told of a change: who sleeps or polls, or gets SIGIO.
 * A full barrier comes before the look. Most often there is nobody, and no more to do.
 */
bool runix_helper_has_waiter(struct sock *sk)
{
	struct socket_wq *wq;
	bool any;

	/* Also before the look for the queue: an accepted connection gets one meanwhile. */
	smp_mb();
	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	any = wq && (waitqueue_active(&wq->wait) || READ_ONCE(wq->fasync_list));
	rcu_read_unlock();
	return any;
}

void runix_helper_data_ready(struct sock *sk)
{
	READ_ONCE(sk->sk_data_ready)(sk);
}

void runix_helper_state_change(struct sock *sk)
{
	sk->sk_state_change(sk);
}

void runix_helper_wake_writers(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_sync_poll(&wq->wait,
				EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	sk_wake_async_rcu(sk, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}

void runix_helper_signal_hangup(struct sock *sk)
{
	sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_HUP);
}

void runix_helper_signal_input(struct sock *sk)
{
	sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
}

/* The caller holds the lock under which the socket is parted from its file. */
void runix_helper_signal_urgent(struct sock *sk)
{
	sk_send_sigurg(sk);
}

bool runix_helper_urgent_inline(struct sock *sk)
{
	return sock_flag(sk, SOCK_URGINLINE);
}

/* SIGIO for room in the buffer is sent only to who has run out of it. */
void runix_helper_set_nospace(struct sock *sk)
{
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
}

/* While a reader sleeps, SIGIO for incoming data is held back. */
void runix_helper_set_waitdata(struct sock *sk)
{
	sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
}

void runix_helper_clear_waitdata(struct sock *sk)
{
	sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
}

void runix_helper_sock_poll_wait(struct file *file, struct socket *socket,
				 struct poll_table_struct *wait)
{
	sock_poll_wait(file, socket, wait);
}

void runix_helper_sigpipe(void)
{
	send_sig(SIGPIPE, current, 0);
}

/* The kernel crate has one too, but not the same in each series. */
void runix_helper_full_barrier(void)
{
	smp_mb();
}
