// SPDX-License-Identifier: GPL-2.0
/* Socket filters and timestamps (packet.rs). */

bool runix_helper_has_filter(const struct sock *sk)
{
	return rcu_access_pointer(sk->sk_filter);
}

/* A copy of a packet in the form that socket filters take. */
struct sk_buff *runix_helper_filter_skb(unsigned int len)
{
	return alloc_skb(len, GFP_KERNEL);
}

void runix_helper_filter_add(struct sk_buff *skb, const void *data, unsigned int len)
{
	skb_put_data(skb, data, len);
}

/* How many bytes the filter leaves, or a negative number if it wants none. */
int runix_helper_filter_run(struct sock *sk, struct sk_buff *skb)
{
	int len = sk_filter(sk, skb) ? -1 : skb->len;

	consume_skb(skb);
	return len;
}

bool runix_helper_wants_timestamp(const struct sock *sk)
{
	return sock_flag(sk, SOCK_RCVTSTAMP);
}

s64 runix_helper_timestamp(void)
{
	return ktime_get_real();
}

/* The socket layer takes the time from an skb, and knows all the formats. */
void runix_helper_put_timestamp(struct sock *sk, struct msghdr *msg, s64 stamp)
{
	struct sk_buff *skb = alloc_skb(0, GFP_KERNEL);

	if (!skb)
		return;
	skb->tstamp = stamp;
	__sock_recv_timestamp(msg, sk, skb);
	consume_skb(skb);
}
