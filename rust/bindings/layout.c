// SPDX-License-Identifier: GPL-2.0
/*
 * What the C compiler that built the kernel says about the structures that
 * bindgen, through libclang, describes to Rust. Never linked: Kbuild turns the
 * assembly into Rust constants, which bindings/mod.rs compares at build time.
 */
#define COMPILE_OFFSETS
#include <linux/fs.h>
#include <linux/kbuild.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <linux/sock_diag.h>
#include <linux/sysctl.h>
#include <net/af_unix.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include "../uapi/runix.h"
#include "head.h"

int main(void)
{
	DEFINE(SIZEOF_SOCK, sizeof(struct sock));
	OFFSET(SOCK_SOCKET, sock, sk_socket);
	OFFSET(SOCK_DESTRUCT, sock, sk_destruct);
	OFFSET(SOCK_SHUTDOWN, sock, sk_shutdown);
	OFFSET(SOCK_ERR, sock, sk_err);
	OFFSET(SOCK_SNDBUF, sock, sk_sndbuf);
	OFFSET(SOCK_RCVTIMEO, sock, sk_rcvtimeo);
	OFFSET(SOCK_SNDTIMEO, sock, sk_sndtimeo);
	OFFSET(SOCK_RCVLOWAT, sock, sk_rcvlowat);
	OFFSET(SOCK_PEEK_OFF, sock, sk_peek_off);
	OFFSET(SOCK_MAX_ACK_BACKLOG, sock, sk_max_ack_backlog);
	OFFSET(SOCK_TYPE, sock, sk_type);
	OFFSET(SOCK_SCM_FLAGS, sock, sk_scm_recv_flags);
	OFFSET(SOCK_FLAGS, sock, sk_flags);
	DEFINE(FLAG_DEAD, BIT(SOCK_DEAD));
	DEFINE(FLAG_RCVTSTAMP, BIT(SOCK_RCVTSTAMP));
	DEFINE(SIZEOF_SOCK_COMMON, sizeof(struct sock_common));
	OFFSET(SOCK_ADDRPAIR, sock, __sk_common.skc_addrpair);
	DEFINE(SIZEOF_SOCK_ADDRPAIR, sizeof_field(struct sock, __sk_common.skc_addrpair));
	DEFINE(SIZEOF_PROTO, sizeof(struct proto));
	OFFSET(PROTO_OBJ_SIZE, proto, obj_size);
	OFFSET(PROTO_NAME, proto, name);
	DEFINE(SIZEOF_HEAD, sizeof(struct runix_head));
	OFFSET(HEAD_ADDR, runix_head, addr);
	OFFSET(HEAD_PATH, runix_head, path);
	OFFSET(HEAD_ROOM_WAIT, runix_head, room_wait);
	OFFSET(HEAD_PEER, runix_head, peer);
	OFFSET(HEAD_SPARE, runix_head, spare);
	OFFSET(HEAD_LOCK, runix_head, lock);
	DEFINE(SIZEOF_UNIX_ADDRESS, sizeof(struct unix_address));
	DEFINE(SIZEOF_SOCKADDR_RUNIX, sizeof(struct sockaddr_runix));
	DEFINE(SIZEOF_SOCKET, sizeof(struct socket));
	OFFSET(SOCKET_OPS, socket, ops);
	OFFSET(SOCKET_SK, socket, sk);
	DEFINE(SIZEOF_PROTO_OPS, sizeof(struct proto_ops));
	OFFSET(PROTO_OPS_SPLICE_READ, proto_ops, splice_read);
	DEFINE(SIZEOF_NET_PROTO_FAMILY, sizeof(struct net_proto_family));
	DEFINE(SIZEOF_MSGHDR, sizeof(struct msghdr));
	OFFSET(MSGHDR_ITER, msghdr, msg_iter);
	OFFSET(MSGHDR_FLAGS, msghdr, msg_flags);
	DEFINE(SIZEOF_IOV_ITER, sizeof(struct iov_iter));
	DEFINE(SIZEOF_PATH, sizeof(struct path));
	DEFINE(SIZEOF_PERNET_OPERATIONS, sizeof(struct pernet_operations));
	DEFINE(SIZEOF_SEQ_OPERATIONS, sizeof(struct seq_operations));
	DEFINE(SIZEOF_SEQ_FILE, sizeof(struct seq_file));
	DEFINE(SIZEOF_WAIT_QUEUE_ENTRY, sizeof(struct wait_queue_entry));
	DEFINE(SIZEOF_CTL_TABLE, sizeof(struct ctl_table));
	OFFSET(CTL_TABLE_EXTRA2, ctl_table, extra2);
	DEFINE(SIZEOF_SOCK_DIAG_HANDLER, sizeof(struct sock_diag_handler));
	OFFSET(SOCK_DIAG_HANDLER_DUMP, sock_diag_handler, dump);
	DEFINE(SIZEOF_NLMSGHDR, sizeof(struct nlmsghdr));
	DEFINE(SIZEOF_NETLINK_CALLBACK, sizeof(struct netlink_callback));
	OFFSET(NETLINK_CALLBACK_ARGS, netlink_callback, args);
	OFFSET(SK_BUFF_LEN, sk_buff, len);
	return 0;
}
