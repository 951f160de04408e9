// SPDX-License-Identifier: GPL-2.0
/* Memory that is charged to the socket that has sent it (charge.rs). */

/*
 * As sock_wfree() and its kin do it, without an skb. The count starts at one, which is
 * given back with the last reference.
 */
bool runix_helper_charge(struct sock *sk, unsigned int size)
{
	/* Far from where the count would saturate, even if some do this at once. */
	if (unlikely(size > INT_MAX / 4 ||
		     refcount_read(&sk->sk_wmem_alloc) > INT_MAX / 2))
		return false;
	refcount_add(size, &sk->sk_wmem_alloc);
	return true;
}

/* Where something is charged already, which keeps the sock. */
void runix_helper_charge_again(struct sock *sk)
{
	refcount_inc(&sk->sk_wmem_alloc);
}

/*
 * Takes all but one byte off, and tells what others are left. The last one, which the
 * caller gives back by sk_free(), keeps the sock until then.
 */
unsigned int runix_helper_uncharge_but_one(struct sock *sk, unsigned int size)
{
	int old;

	/* Fully ordered: the caller looks next whether somebody waits for this. */
	old = atomic_fetch_sub(size - 1, &sk->sk_wmem_alloc.refs);
	return max(old - (int)size - 1, 0);
}
