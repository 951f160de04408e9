// SPDX-License-Identifier: GPL-2.0
/* The object: its references, its lists, its lock, its flags (sock.rs, table.rs). */

void runix_helper_sock_hold(struct sock *sk)
{
	sock_hold(sk);
}

void runix_helper_sock_put(struct sock *sk)
{
	sock_put(sk);
}

void runix_helper_sock_orphan(struct sock *sk)
{
	sock_orphan(sk);
}

void runix_helper_sock_graft(struct sock *sk, struct socket *socket)
{
	sock_graft(sk, socket);
}

bool runix_helper_sock_dead(struct sock *sk)
{
	return sock_flag(sk, SOCK_DEAD);
}

struct net *runix_helper_sock_net(const struct sock *sk)
{
	return sock_net(sk);
}

/*
 * Who asks for times would have the socket layer take the time of every packet of the
 * machine, since the family isn't AF_UNIX: messages have their own (packet.rs). It counts
 * for a socket once, and believes it has if the flag is there from the start. That goes
 * before it would count back.
 */
static void runix_no_packet_times(struct sock *sk)
{
	sock_set_flag(sk, SOCK_TIMESTAMP);
}

static void runix_no_packet_times_end(struct sock *sk)
{
	sk->sk_flags &= ~SK_FLAGS_TIMESTAMP;
}

/*
 * All that C has a hand in when a socket is made: one call instead of eight. As
 * AF_UNIX counts them, there are no more sockets than two for each file that the
 * machine may have.
 */
struct sock *runix_helper_sock_new(struct net *net, struct socket *socket, int family,
				   int type, struct proto *prot, int kern, s64 *count)
{
	atomic64_t *sockets = (atomic64_t *)count;
	struct sock *sk = ERR_PTR(-ENFILE);

	if ((u64)atomic64_inc_return(sockets) > 2 * get_max_files())
		goto uncount;
	sk = sk_alloc(net, family, GFP_KERNEL, prot, kern);
	if (!sk) {
		sk = ERR_PTR(-ENOMEM);
		goto uncount;
	}
	if (!socket && net->user_ns == &init_user_ns)
		/* What sock_init_data() comes to by way of a search. */
		sock_init_data_uid(NULL, sk, GLOBAL_ROOT_UID);
	else
		sock_init_data(socket, sk);
	sk->sk_type = type;
	sk->sk_allocation = GFP_KERNEL_ACCOUNT;
	runix_no_packet_times(sk);
	sock_prot_inuse_add(net, prot, 1);
	return sk;

uncount:
	atomic64_dec(sockets);
	return sk;
}

/* The other end: called by sk_destruct. */
void runix_helper_sock_gone(struct sock *sk, s64 *count)
{
	runix_no_packet_times_end(sk);
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, -1);
	atomic64_dec((atomic64_t *)count);
}

static void runix_sock_ctor(void *sk)
{
}

/*
 * Like proto_register(prot, 1), but sk_alloc() zeroes each object anyway: a
 * constructor, though it does nothing, keeps the allocator from zeroing it once
 * more before (init_on_alloc). The place of the free pointer, inside of the
 * object, is the one that the socket layer has set apart. The objects don't begin
 * at a cache line: what that would waste is a part of the memory of each socket.
 */
int runix_helper_proto_register(struct proto *prot, unsigned int align)
{
	struct kmem_cache_args args = {
		.align = align,
		.freeptr_offset = offsetof(struct sock, sk_freeptr),
		.use_freeptr_offset = true,
		.ctor = runix_sock_ctor,
	};
	int err;

	prot->slab = kmem_cache_create(prot->name, prot->obj_size, &args, SLAB_ACCOUNT);
	if (!prot->slab)
		return -ENOBUFS;
	err = proto_register(prot, 0);
	if (err) {
		kmem_cache_destroy(prot->slab);
		prot->slab = NULL;
	}
	return err;
}

int runix_helper_sock_error(struct sock *sk)
{
	return sock_error(sk);
}

u64 runix_helper_sock_i_ino(const struct sock *sk)
{
	return sock_i_ino(sk);
}

int runix_helper_sock_refcount(const struct sock *sk)
{
	return refcount_read(&sk->sk_refcnt);
}

struct hlist_node *runix_helper_sk_node(struct sock *sk)
{
	return &sk->sk_node;
}

struct hlist_node *runix_helper_sk_bind_node(struct sock *sk)
{
	return &sk->sk_bind_node;
}

void runix_helper_socket_set_custom_sockopt(struct socket *socket)
{
	set_bit(SOCK_CUSTOM_SOCKOPT, &socket->flags);
}

/* The first lock of a pair, or a lone one. */
void runix_helper_state_lock(spinlock_t *lock)
{
	spin_lock(lock);
}

/* The second of a pair; the caller orders them by address. */
void runix_helper_state_lock_second(spinlock_t *lock)
{
	spin_lock_nested(lock, SINGLE_DEPTH_NESTING);
}

void runix_helper_state_unlock(spinlock_t *lock)
{
	spin_unlock(lock);
}

void runix_helper_plain_lock_init(spinlock_t *lock)
{
	spin_lock_init(lock);
}

int runix_helper_peek_offset(struct sock *sk, int flags)
{
	return sk_peek_offset(sk, flags);
}

void runix_helper_peek_offset_fwd(struct sock *sk, int val)
{
	sk_peek_offset_fwd(sk, val);
}

void runix_helper_peek_offset_bwd(struct sock *sk, int val)
{
	sk_peek_offset_bwd(sk, val);
}
