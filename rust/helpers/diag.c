// SPDX-License-Identifier: GPL-2.0
/* Answers to sock_diag(7) (diag.rs). */

struct sock *runix_helper_netlink_asker(struct sk_buff *skb)
{
	return NETLINK_CB(skb).sk;
}

u32 runix_helper_netlink_port(struct sk_buff *skb)
{
	return NETLINK_CB(skb).portid;
}

struct sock *runix_helper_skb_owner(const struct sk_buff *skb)
{
	return skb->sk;
}

int runix_helper_skb_tailroom(const struct sk_buff *skb)
{
	return skb_tailroom(skb);
}

struct user_namespace *runix_helper_sk_users(const struct sock *sk)
{
	return sk_user_ns(sk);
}

u32 runix_helper_sock_user_id(const struct sock *sk, struct user_namespace *users)
{
	return from_kuid_munged(users, sk_uid(sk));
}

int runix_helper_diag_dump_start(struct sk_buff *skb, const struct nlmsghdr *nlh,
				 int (*dump)(struct sk_buff *skb, struct netlink_callback *cb))
{
	struct netlink_dump_control control = { .dump = dump };

	return netlink_dump_start(sock_net(skb->sk)->diag_nlsk, skb, nlh, &control);
}

struct sk_buff *runix_helper_diag_reply_new(size_t size)
{
	return nlmsg_new(size, GFP_KERNEL);
}

void runix_helper_diag_reply_free(struct sk_buff *skb)
{
	nlmsg_free(skb);
}

int runix_helper_diag_reply_send(const struct sock *asker, struct sk_buff *skb, u32 port)
{
	return nlmsg_unicast(sock_net(asker)->diag_nlsk, skb, port);
}

struct nlmsghdr *runix_helper_diag_message_start(struct sk_buff *skb, u32 port, u32 sequence,
						 int len, int flags)
{
	return nlmsg_put(skb, port, sequence, SOCK_DIAG_BY_FAMILY, len, flags);
}

void runix_helper_diag_message_end(struct sk_buff *skb, struct nlmsghdr *nlh)
{
	nlmsg_end(skb, nlh);
}

void runix_helper_diag_message_cancel(struct sk_buff *skb, struct nlmsghdr *nlh)
{
	nlmsg_cancel(skb, nlh);
}

/* A queue's memory isn't charged to the sender's sock: it is told apart. */
int runix_helper_diag_put_meminfo(struct sock *sk, struct sk_buff *skb, int attr,
				  u32 outstanding)
{
	int err = sock_diag_put_meminfo(sk, skb, attr);
	u32 *meminfo = (u32 *)skb_tail_pointer(skb) - SK_MEMINFO_VARS;

	if (!err)
		meminfo[SK_MEMINFO_WMEM_ALLOC] = outstanding;
	return err;
}
