// SPDX-License-Identifier: GPL-2.0
/*
 * Out-of-line copies of C inline functions and macros that the Rust layer in
 * rust/net calls, and the few compound steps that would cost several such calls
 * on a hot path. The prefix differs from the kernel's own `rust_helper_` so that
 * the two sets can't be confused in a backtrace.
 */
#include <linux/bvec.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/filter.h>
#include <linux/moduleparam.h>
#include <linux/stringify.h>
#include <linux/fs.h>
#include <linux/instrumented.h>
#include <linux/magic.h>
#include <linux/namei.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include <linux/security.h>
#include <linux/sched/user.h>
#include <linux/seq_file_net.h>
#include <linux/slab.h>
#include <linux/sock_diag.h>
#include <linux/sockptr.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/version.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/af_unix.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/netns/generic.h>
#include <net/scm.h>
#include <net/sock.h>

#include "bindings/head.h"

/* --- param.rs ------------------------------------------------------------- */

#ifndef RUNIX_DEFAULT_FAMILY
#define RUNIX_DEFAULT_FAMILY 18
#endif

static int runix_family = RUNIX_DEFAULT_FAMILY;
module_param_named(family, runix_family, int, 0444);
MODULE_PARM_DESC(family, "Address family number (default " __stringify(RUNIX_DEFAULT_FAMILY) ")");

int runix_helper_family_param(void)
{
	return runix_family;
}

/* --- sock.rs: the object ------------------------------------------------- */

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
	sock_prot_inuse_add(net, prot, 1);
	return sk;

uncount:
	atomic64_dec(sockets);
	return sk;
}

/* The other end: called by sk_destruct. */
void runix_helper_sock_gone(struct sock *sk, s64 *count)
{
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

/* --- sock.rs, wait.rs: sleeping and waking -------------------------------- */

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

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	any = skwq_has_sleeper(wq) || (wq && READ_ONCE(wq->fasync_list));
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

/* --- patience.rs ------------------------------------------------------------ */

/*
 * Who woke a socket's sleepers last: the thread that they are likely to wait for
 * again. Only its number is held, a hundred bytes, never the task itself. The lock is
 * what keeps the number from being given back while another looks at it.
 */
void runix_helper_companion_note(spinlock_t *lock, struct pid **slot)
{
	struct pid *pid = task_pid(current);

	/* Compared only. */
	if (READ_ONCE(*slot) == pid)
		return;
	get_pid(pid);
	spin_lock(lock);
	swap(*slot, pid);
	spin_unlock(lock);
	put_pid(pid);
}

/* That thread, with a reference, if it is another than the calling one and lives. */
struct task_struct *runix_helper_companion_get(spinlock_t *lock, struct pid **slot)
{
	struct task_struct *task = NULL;

	if (READ_ONCE(*slot) == NULL)
		return NULL;
	spin_lock(lock);
	if (*slot != task_pid(current))
		task = get_pid_task(*slot, PIDTYPE_PID);
	spin_unlock(lock);
	return task;
}

void runix_helper_companion_put(struct task_struct *task)
{
	put_task_struct(task);
}

void runix_helper_companion_init(spinlock_t *lock)
{
	spin_lock_init(lock);
}

/* Ready to run on this CPU, on which it can't be running. A snapshot. */
bool runix_helper_task_is_ready_here(struct task_struct *task)
{
	return task_is_running(task) && task_cpu(task) == raw_smp_processor_id();
}

/* Running on another CPU, as far as a virtual machine can tell. A snapshot. */
bool runix_helper_task_runs_elsewhere(struct task_struct *task)
{
	return owner_on_cpu(task);
}

/* Whether a fair task, which alone may stand back for others. */
bool runix_helper_current_is_fair(void)
{
	return !rt_or_dl_task(current);
}

/*
 * Hands the CPU over to a task, and tells for how many nanoseconds the calling one had
 * none, and for how many of those the other one didn't run either. False if there was
 * nobody to hand it to.
 *
 * The scheduler's own account is read, not the clock, which costs more: when a task got
 * the CPU, less what it has run altogether, moves on by just the time that it was off it.
 */
bool runix_helper_hand_over(struct task_struct *task, u64 *away, u64 *others)
{
	const struct sched_entity *self = &current->se;
	u64 off = self->exec_start - self->sum_exec_runtime;
	u64 ran = READ_ONCE(task->se.sum_exec_runtime);

	if (yield_to(task, false) <= 0)
		return false;
	off = self->exec_start - self->sum_exec_runtime - off;
	ran = READ_ONCE(task->se.sum_exec_runtime) - ran;
	*away = off;
	*others = off > ran ? off - ran : 0;
	return true;
}

u64 runix_helper_clock(void)
{
	return local_clock();
}

/* A pause in a loop; false if the loop should end, as something else wants the CPU. */
bool runix_helper_relax(void)
{
	cpu_relax();
	return !need_resched() && !signal_pending(current);
}

/*
 * Standing back turned out to take long on this CPU: something else runs here that isn't
 * done with it at once. Nobody stands back for a while, which grows to a second.
 */
struct runix_busy {
	unsigned long until;
	unsigned int times;
};

static DEFINE_PER_CPU(struct runix_busy, runix_busy);

/* All of it may be off if the task moves meanwhile, which harms nothing. */
bool runix_helper_cpu_is_busy(void)
{
	struct runix_busy *busy = raw_cpu_ptr(&runix_busy);

	return READ_ONCE(busy->times) && time_before(jiffies, READ_ONCE(busy->until));
}

void runix_helper_cpu_note_busy(bool is)
{
	struct runix_busy *busy = raw_cpu_ptr(&runix_busy);
	unsigned int times = READ_ONCE(busy->times);

	if (!is) {
		if (times)
			WRITE_ONCE(busy->times, 0);
		return;
	}
	WRITE_ONCE(busy->until, jiffies + (HZ >> (6 - min(times, 6u))) + 1);
	WRITE_ONCE(busy->times, times + 1);
}

/* --- sock.rs: the peek offset ---------------------------------------------- */

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

/* --- unix.rs: the part of the object that LSMs know ------------------------ */

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
	entry->private = NULL;
	rcu_read_lock();
	sleepers = rcu_dereference(sender->sk.sk_wq) ? sk_sleep(&sender->sk) : NULL;
	if (sleepers)
		wake_up_interruptible_poll(sleepers, key_to_poll(key));
	rcu_read_unlock();
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
}

/* Called with the sender's state locked, before it parts from `peer`. */
void runix_helper_unwatch_peer(struct runix_head *sender, struct sock *peer)
{
	wait_queue_head_t *wq = &runix_head(peer)->room_wait;

	/* As a rule; it isn't set but under the sender's state lock. */
	if (!READ_ONCE(runix_peer_wake(sender)->private))
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

/* --- pidfd.rs --------------------------------------------------------------- */

/*
 * The parser of ancillary data takes descriptors from AF_UNIX sockets alone, and
 * reads nothing of the socket but the family of its operations: this stands in
 * for one.
 */
static const struct proto_ops runix_gate_ops = { .family = PF_UNIX };
static struct socket runix_gate = { .ops = &runix_gate_ops };

/*
 * The socket layer makes pidfds of processes that are gone for AF_UNIX sockets
 * alone: a socket of that family is kept to be asked, with the wanted process as
 * its peer. The lock guards whose turn it is.
 */
static struct socket *runix_pidfd_source;
static const struct cred *runix_pidfd_cred;
static DEFINE_MUTEX(runix_pidfd_lock);

int runix_helper_pidfd_start(void)
{
	struct cred *cred = prepare_kernel_cred(&init_task);
	int err;

	if (!cred)
		return -ENOMEM;
	err = sock_create_kern(&init_net, PF_UNIX, SOCK_DGRAM, 0, &runix_pidfd_source);
	if (err) {
		put_cred(cred);
		return err;
	}
	runix_pidfd_cred = cred;
	return 0;
}

void runix_helper_pidfd_stop(void)
{
	sock_release(runix_pidfd_source);
	put_cred(runix_pidfd_cred);
	runix_pidfd_source = NULL;
	runix_pidfd_cred = NULL;
}

/*
 * pidfs keeps what is to be told of a process that is gone if it is told of it
 * before. The function for that is not exported: the parser of ancillary data
 * calls it for who is named in a message, once it has found that the caller may
 * name him; it always may name itself as the kernel.
 */
static int runix_keep_current_pid_slow(void)
{
	struct {
		struct cmsghdr head;
		struct ucred cred;
	} control = {
		.head.cmsg_level = SOL_SOCKET,
		.head.cmsg_type = SCM_CREDENTIALS,
		.head.cmsg_len = CMSG_LEN(sizeof(struct ucred)),
		.cred.pid = task_tgid_vnr(current),
	};
	struct msghdr msg = {
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct scm_cookie scm = { .creds.uid = INVALID_UID, .creds.gid = INVALID_GID };
	const struct cred *old;
	int err;

	BUILD_BUG_ON(offsetof(typeof(control), cred) != CMSG_LEN(0));
	if (!runix_pidfd_cred)
		return 0;
	old = override_creds(runix_pidfd_cred);
	err = __scm_send(&runix_gate, &msg, &scm);
	revert_creds(old);
	if (!err)
		scm_destroy(&scm);
	return err;
}

/* Lets there be pidfds of the calling process when it is gone. May sleep. */
static int runix_keep_current_pid(void)
{
	if (likely(!IS_ERR_OR_NULL(READ_ONCE(task_tgid(current)->attr))))
		return 0;
	return runix_keep_current_pid_slow();
}

/*
 * Opens a pidfd for the calling task, of a process that may be gone. `compat`
 * leaves out what cgroups may have to say of the option: nobody has asked for it.
 */
static int runix_pidfd_open(struct pid *pid)
{
	int fd = -1, len = sizeof(fd), err;
	struct sock *sk;

	if (!runix_pidfd_source)
		return -EOPNOTSUPP;
	sk = runix_pidfd_source->sk;
	mutex_lock(&runix_pidfd_lock);
	spin_lock(&sk->sk_peer_lock);
	sk->sk_peer_pid = pid;
	spin_unlock(&sk->sk_peer_lock);
	err = do_sock_getsockopt(runix_pidfd_source, true, SOL_SOCKET, SO_PEERPIDFD,
				 KERNEL_SOCKPTR(&fd), KERNEL_SOCKPTR(&len));
	/* The caller's reference goes where it came from. */
	spin_lock(&sk->sk_peer_lock);
	sk->sk_peer_pid = NULL;
	spin_unlock(&sk->sk_peer_lock);
	mutex_unlock(&runix_pidfd_lock);
	return err ? err : fd;
}

/* A pidfd of who is at the other end of a socket; -ENODATA if nobody is. */
int runix_helper_peer_pidfd(struct sock *sk)
{
	struct pid *pid;
	int fd;

	spin_lock(&sk->sk_peer_lock);
	pid = get_pid(sk->sk_peer_pid);
	spin_unlock(&sk->sk_peer_lock);
	if (!pid)
		return -ENODATA;
	fd = runix_pidfd_open(pid);
	put_pid(pid);
	return fd;
}

void runix_helper_close_descriptor(int fd)
{
	close_fd(fd);
}

/* --- cred.rs --------------------------------------------------------------- */

/* The calling process, for whom a pidfd may be asked for when it is gone. */
int runix_helper_peercred_current(struct pid **pid, const struct cred **cred)
{
	int err = runix_keep_current_pid();

	if (err)
		return err;
	*pid = get_pid(task_tgid(current));
	*cred = get_current_cred();
	return 0;
}

void runix_helper_peercred_put(const struct cred *cred)
{
	put_cred(cred);
}

/* Puts the pair in and hands out the one that was there. */
void runix_helper_peercred_swap(struct sock *sk, struct pid **pid,
				const struct cred **cred)
{
	spin_lock(&sk->sk_peer_lock);
	swap(sk->sk_peer_pid, *pid);
	swap(sk->sk_peer_cred, *cred);
	spin_unlock(&sk->sk_peer_lock);
}

/* For a socket that is connected to one of the calling process. */
int runix_helper_peercred_set_current(struct sock *sk)
{
	const struct cred *cred;
	struct pid *pid;
	int err = runix_helper_peercred_current(&pid, &cred);

	if (unlikely(err))
		return err;
	runix_helper_peercred_swap(sk, &pid, &cred);
	/* A new socket had none. */
	if (unlikely(pid))
		put_pid(pid);
	if (unlikely(cred))
		put_cred(cred);
	return 0;
}

void runix_helper_peercred_get(struct sock *sk, struct pid **pid,
			       const struct cred **cred)
{
	spin_lock(&sk->sk_peer_lock);
	*pid = get_pid(sk->sk_peer_pid);
	*cred = get_cred(sk->sk_peer_cred);
	spin_unlock(&sk->sk_peer_lock);
}

/* The kernel crate has one too, but not the same in each series. */
void runix_helper_full_barrier(void)
{
	smp_mb();
}

/* --- queue.rs --------------------------------------------------------------- */

/*
 * Most messages are one piece of user memory, for which the iterator's copies would
 * ask five times what it is. No more than the iterator has is asked for. The checked
 * copies would look up the slab object of the buffer each time; the caller has
 * bounds-checked the range.
 */
size_t runix_helper_copy_from_iter(void *to, size_t len, struct iov_iter *from)
{
	const void __user *user = from->ubuf + from->iov_offset;

	if (unlikely(!iter_is_ubuf(from)))
		return _copy_from_iter(to, len, from);
	if (unlikely(!access_ok(user, len)))
		return 0;
	instrument_copy_from_user_before(to, user, len);
	len -= raw_copy_from_user(to, user, len);
	instrument_copy_from_user_after(to, user, len, 0);
	from->iov_offset += len;
	from->count -= len;
	return len;
}

static size_t runix_copy_to_iter(const void *from, size_t len, struct iov_iter *to)
{
	void __user *user = to->ubuf + to->iov_offset;

	if (unlikely(!iter_is_ubuf(to)))
		return _copy_to_iter(from, len, to);
	if (unlikely(!access_ok(user, len)))
		return 0;
	instrument_copy_to_user(user, from, len);
	len -= raw_copy_to_user(user, from, len);
	to->iov_offset += len;
	to->count -= len;
	return len;
}

/*
 * These fail short instead of sleeping in a page fault, so that they may run under a
 * lock that others need.
 */
size_t runix_helper_copy_from_iter_nofault(void *to, size_t len, struct iov_iter *from)
{
	size_t n;

	pagefault_disable();
	n = runix_helper_copy_from_iter(to, len, from);
	pagefault_enable();
	return n;
}

size_t runix_helper_copy_to_iter_nofault(const void *from, size_t len, struct iov_iter *to)
{
	size_t n;

	pagefault_disable();
	n = runix_copy_to_iter(from, len, to);
	pagefault_enable();
	return n;
}

/*
 * A constructor, though it does nothing, keeps the allocator from zeroing each
 * object (init_on_alloc). Nothing reads a byte of a buffer that was not written
 * before.
 */
static void runix_chunk_ctor(void *chunk)
{
}

/*
 * Of the large ones the allocator keeps as many at hand as two messages of a megabyte
 * take: what it gives back to the page allocator, that one zeroes when it hands it out
 * again. (Rows oneway of the bench, 1 MiB.)
 */
struct kmem_cache *runix_helper_chunk_cache_create(const char *name, unsigned int size)
{
	struct kmem_cache_args args = {
		.ctor = runix_chunk_ctor,
		.sheaf_capacity = size > 4 * PAGE_SIZE ? 8 : 0,
	};

	return kmem_cache_create(name, size, &args, SLAB_ACCOUNT);
}

void *runix_helper_chunk_alloc(struct kmem_cache *cache)
{
	return kmem_cache_alloc(cache, GFP_KERNEL);
}

/*
 * The smallest buffers come and go with each message. A few that were freed wait on each
 * CPU to be used again, at a fourth of what it takes to ask the allocator. All of them
 * were charged to one cgroup, which is the one that may have them; nobody else gets
 * memory that others pay for.
 */
#define RUNIX_SPARES	8

struct runix_spares {
	unsigned long owner;
	unsigned int nr;
	void *spare[RUNIX_SPARES];
};

static DEFINE_PER_CPU(struct runix_spares, runix_spares);

/* Whom the calling task's memory is charged to; zero if that can't be told at once. */
static unsigned long runix_charged_to(void)
{
#ifdef CONFIG_MEMCG
	unsigned long objcg = (unsigned long)READ_ONCE(current->objcg);

	/*
	 * NULL is the root's. The lowest bit says that it has changed, and alone that
	 * nothing was ever charged: what has that for an owner is charged to nobody, as
	 * before there was any cgroup but the root.
	 */
	if (unlikely(current->active_memcg) || ((objcg & 1) && objcg != 1))
		return 0;
	return objcg | 2;
#else
	return 2;
#endif
}

/* @owner_at is where in the buffer, unused otherwise, is kept whom it is charged to. */
void *runix_helper_small_alloc(struct kmem_cache *cache, unsigned int owner_at)
{
	unsigned long owner = runix_charged_to();
	void *object = NULL;

	/* What is used again at once, the checkers of memory can't watch. */
	if (!IS_ENABLED(CONFIG_KASAN) && owner) {
		struct runix_spares *spares = get_cpu_ptr(&runix_spares);

		if (spares->nr && spares->owner == owner)
			object = spares->spare[--spares->nr];
		put_cpu_ptr(&runix_spares);
		if (object)
			return object;
	}
	object = kmem_cache_alloc(cache, GFP_KERNEL);
	/* That may have told whom tasks are charged to that didn't know. */
	if (object)
		*(unsigned long *)(object + owner_at) = runix_charged_to();
	return object;
}

void runix_helper_small_free(struct kmem_cache *cache, void *object, unsigned int owner_at)
{
	unsigned long owner = *(unsigned long *)(object + owner_at);

	if (!IS_ENABLED(CONFIG_KASAN) && owner) {
		struct runix_spares *spares = get_cpu_ptr(&runix_spares);

		if (!spares->nr)
			spares->owner = owner;
		if (spares->owner == owner && spares->nr < RUNIX_SPARES) {
			spares->spare[spares->nr++] = object;
			object = NULL;
		}
		put_cpu_ptr(&runix_spares);
	}
	if (object)
		kmem_cache_free(cache, object);
}

/* Gives all back, when nobody uses any. */
void runix_helper_small_flush(struct kmem_cache *cache)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct runix_spares *spares = per_cpu_ptr(&runix_spares, cpu);

		while (spares->nr)
			kmem_cache_free(cache, spares->spare[--spares->nr]);
	}
}

/* May fail where memory is fragmented; there is a smaller size to fall back to. */
void *runix_helper_chunk_try_alloc(struct kmem_cache *cache)
{
	return kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
}

/* --- warm.rs --------------------------------------------------------------- */

static DEFINE_SPINLOCK(runix_warm);

void runix_helper_warm_lock(void)
{
	spin_lock(&runix_warm);
}

bool runix_helper_warm_try_lock(void)
{
	return spin_trylock(&runix_warm);
}

void runix_helper_warm_unlock(void)
{
	spin_unlock(&runix_warm);
}

/* --- handed.rs --------------------------------------------------------------- */

/* Less of a page than this is copied: a reference holds all of it. */
#define RUNIX_PART_MIN 1024

/*
 * Takes references to the pages that a message hands over, for `count` bytes at
 * most. Stops at what isn't to be referred to: memory of the slab allocator, bits
 * of pages. Returns how many bytes were taken, in `used` parts.
 */
size_t runix_helper_parts_take(struct msghdr *msg, size_t count, struct bio_vec *parts,
			       unsigned int room, unsigned int *used)
{
	struct iov_iter *from = &msg->msg_iter;
	const struct bio_vec *next = from->bvec;
	size_t skip = from->iov_offset, taken = 0;

	*used = 0;
	if (!iov_iter_is_bvec(from) || IS_ENABLED(CONFIG_HIGHMEM))
		return 0;
	for (; taken < count && *used < room; next++, skip = 0) {
		size_t len = min(next->bv_len - skip, count - taken);
		size_t offset = next->bv_offset + skip;

		if (!len)
			continue;
		if (len < RUNIX_PART_MIN || !sendpages_ok(next->bv_page, len, offset))
			break;
		get_page(next->bv_page);
		bvec_set_page(&parts[(*used)++], next->bv_page, len, offset);
		taken += len;
	}
	iov_iter_advance(from, taken);
	return taken;
}

/* Copies as runix_helper_copy_to_iter_nofault() does. */
size_t runix_helper_parts_copy(const struct bio_vec *parts, unsigned int number,
			       size_t offset, size_t len, struct iov_iter *to)
{
	const struct bio_vec *end = parts + number;
	size_t done = 0;

	pagefault_disable();
	for (; parts < end && done < len; parts++) {
		size_t n, part;

		if (offset >= parts->bv_len) {
			offset -= parts->bv_len;
			continue;
		}
		part = min(parts->bv_len - offset, len - done);
		n = _copy_to_iter(page_address(parts->bv_page) + parts->bv_offset + offset,
				  part, to);
		done += n;
		if (n < part)
			break;
		offset = 0;
	}
	pagefault_enable();
	return done;
}

void runix_helper_parts_put(struct bio_vec *parts, unsigned int number)
{
	while (number--)
		put_page(parts[number].bv_page);
}

/* --- path.rs ---------------------------------------------------------------- */

/* The mode of a new socket file: the socket's own, less the umask. */
umode_t runix_helper_socket_file_mode(struct socket *socket)
{
	return S_IFSOCK | (SOCK_INODE(socket)->i_mode & ~current_umask());
}

int runix_helper_mknod_socket(const struct path *parent, struct dentry *dentry, umode_t mode)
{
	int err = security_path_mknod(parent, dentry, mode, 0);

	if (err)
		return err;
	return vfs_mknod(mnt_idmap(parent->mnt), d_inode(parent->dentry), dentry, mode, 0,
			 NULL);
}

int runix_helper_unlink_in(const struct path *parent, struct dentry *dentry)
{
	return vfs_unlink(mnt_idmap(parent->mnt), d_inode(parent->dentry), dentry, NULL);
}

void runix_helper_path_of_new(struct path *path, const struct path *parent,
			      struct dentry *dentry)
{
	path->mnt = mntget(parent->mnt);
	path->dentry = dget(dentry);
}

struct inode *runix_helper_path_inode(const struct path *path)
{
	return d_backing_inode(path->dentry);
}

u64 runix_helper_path_inode_number(const struct path *path)
{
	return d_backing_inode(path->dentry)->i_ino;
}

u32 runix_helper_path_device(const struct path *path)
{
	return path->dentry->d_sb->s_dev;
}

bool runix_helper_path_is_socket(const struct path *path)
{
	return S_ISSOCK(d_backing_inode(path->dentry)->i_mode);
}

int runix_helper_path_may_write(const struct path *path)
{
	return path_permission(path, MAY_WRITE);
}

/* An O_PATH descriptor of the path, for the calling task. */
int runix_helper_path_descriptor(const struct path *path)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	file = dentry_open(path, O_PATH, current_cred());
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

long runix_helper_is_err(const void *ptr)
{
	return IS_ERR(ptr) ? PTR_ERR(ptr) : 0;
}

/* --- pernet.rs, procfs.rs ---------------------------------------------------- */

bool runix_helper_net_admin(const struct net *net)
{
	return ns_capable(net->user_ns, CAP_NET_ADMIN);
}

void *runix_helper_net_generic(const struct net *net, unsigned int id)
{
	return net_generic(net, id);
}

struct proc_dir_entry *runix_helper_proc_create_net(const char *name, struct net *net,
						    const struct seq_operations *ops)
{
	return proc_create_net(name, 0444, net->proc_net, ops, sizeof(struct seq_net_private));
}

void runix_helper_proc_remove_net(const char *name, struct net *net)
{
	remove_proc_entry(name, net->proc_net);
}

struct net *runix_helper_seq_file_net(struct seq_file *m)
{
	return seq_file_net(m);
}

/* --- diag.rs ----------------------------------------------------------------- */

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

/* --- ops.rs ------------------------------------------------------------------ */

int runix_helper_int_from_sockptr(int *value, sockptr_t src)
{
	return copy_from_sockptr(value, src, sizeof(*value)) ? -EFAULT : 0;
}

bool runix_helper_file_nonblock(const struct socket *socket)
{
	return socket->file && (socket->file->f_flags & O_NONBLOCK);
}

/* --- ancillary.rs -------------------------------------------------------------- */

/* As many files as one may send in one message without the parser's help. */
#define RUNIX_FEW_FILES 16

/* A file that the parser would look at twice: one of io_uring, or an AF_UNIX socket. */
static bool runix_is_special(const struct file *file)
{
	struct inode *inode = file_inode(file);
	const struct proto_ops *ops;

	if (inode->i_sb->s_magic == ANON_INODE_FS_MAGIC)
		return true;
	if (!S_ISSOCK(inode->i_mode) || (file->f_mode & FMODE_PATH))
		return false;
	ops = READ_ONCE(SOCKET_I(inode)->ops);
	return !ops || ops->family == PF_UNIX;
}

/*
 * Takes the files of a message that has a few of them, and nothing else: the list
 * is as long as it must be then, where the parser takes 2 KiB, zeroed. NULL for
 * whatever isn't as simple as that, or is an error: the parser knows which. (Rows
 * fds of the bench.)
 */
static struct scm_fp_list *runix_few_files(struct msghdr *msg)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	struct scm_fp_list *list;
	struct file *file;
	const int *fds;
	size_t count;

	if (!cmsg || !CMSG_OK(msg, cmsg) || cmsg->cmsg_level != SOL_SOCKET ||
	    cmsg->cmsg_type != SCM_RIGHTS || CMSG_NXTHDR(msg, cmsg))
		return NULL;
	fds = CMSG_DATA(cmsg);
	count = (cmsg->cmsg_len - sizeof(*cmsg)) / sizeof(*fds);
	if (!count || count > RUNIX_FEW_FILES)
		return NULL;
	list = kmalloc(offsetof(struct scm_fp_list, fp[count]), GFP_KERNEL_ACCOUNT);
	if (!list)
		return NULL;
	memset(list, 0, offsetof(struct scm_fp_list, fp));
#if IS_ENABLED(CONFIG_UNIX)
	INIT_LIST_HEAD(&list->vertices);
#endif
	list->max = count;
	while (list->count < count) {
		file = fds[list->count] < 0 ? NULL : fget_raw(fds[list->count]);
		if (!file)
			goto leave;
		list->fp[list->count++] = file;
		if (unlikely(runix_is_special(file)))
			goto leave;
	}
	list->user = get_uid(current_user());
	return list;

leave:
	while (list->count)
		fput(list->fp[--list->count]);
	kfree(list);
	return NULL;
}

int runix_helper_scm_parse(struct msghdr *msg, struct pid **pid, kuid_t *uid, kgid_t *gid,
			   struct scm_fp_list **files)
{
	struct scm_cookie scm = { .creds.uid = INVALID_UID, .creds.gid = INVALID_GID };
	int err;

	scm.fp = runix_few_files(msg);
	err = scm.fp ? 0 : __scm_send(&runix_gate, msg, &scm);
	if (err)
		return err;
	*pid = scm.pid;
	*uid = scm.creds.uid;
	*gid = scm.creds.gid;
	*files = scm.fp;
	return 0;
}

/* The label of what a socket sends, as far as a security module tells it of any family. */
static u32 runix_sock_label(const struct sock *sk)
{
	struct flowi_common flow = {};

	security_sk_classify_flow(sk, &flow);
	return flow.flowic_secid;
}

/* Where files are wanted that nobody can have, they are dropped. */
static void runix_scm_deliver_files(struct msghdr *msg, struct scm_cookie *scm, bool whole)
{
	if (!msg->msg_control_is_user) {
		/* Kernel code has no table to put descriptors into. */
		msg->msg_flags |= MSG_CTRUNC;
		__scm_destroy(scm);
		return;
	}
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
	scm_detach_fds(msg, scm, whole);
#else
	scm_detach_fds(msg, scm);
#endif
}

/* An error takes the descriptor's place, as with AF_UNIX. */
static void runix_scm_deliver_pidfd(struct msghdr *msg, struct pid *pid)
{
	size_t head = msg->msg_flags & MSG_CMSG_COMPAT ? sizeof(struct compat_cmsghdr) :
							 sizeof(struct cmsghdr);
	int fd;

	if (msg->msg_controllen < head + sizeof(fd)) {
		msg->msg_flags |= MSG_CTRUNC;
		return;
	}
	if (!pid)
		return;
	fd = runix_pidfd_open(pid);
	if (put_cmsg(msg, SOL_SOCKET, SCM_PIDFD, sizeof(fd), &fd) && fd >= 0)
		close_fd(fd);
}

/*
 * What the program asks for comes in the order of AF_UNIX. `pid` may be null, and is
 * the caller's; the files are dropped if they aren't delivered; `from` is null where
 * no label is known.
 */
void runix_helper_scm_deliver(struct socket *socket, struct msghdr *msg, struct pid *pid,
			      kuid_t uid, kgid_t gid, struct scm_fp_list *files,
			      const struct sock *from, bool whole)
{
	struct scm_cookie scm = { .fp = files };
	const struct sock *sk = socket->sk;

	scm_set_cred(&scm, pid, uid, gid);
#ifdef CONFIG_SECURITY_NETWORK
	if (from && sk->sk_scm_security)
		scm.secid = runix_sock_label(from);
#endif
	/* Without room for any of it, this drops the files too, and says so. */
	scm_recv(socket, msg, &scm, 0);
	if (!msg->msg_control)
		return;
	if (scm.fp)
		runix_scm_deliver_files(msg, &scm, whole);
	if (sk->sk_scm_pidfd)
		runix_scm_deliver_pidfd(msg, pid);
}

void runix_helper_scm_files_put(struct scm_fp_list *files)
{
	struct scm_cookie scm = { .fp = files };

	__scm_destroy(&scm);
}

bool runix_helper_scm_over_limit(const struct scm_fp_list *files, unsigned long own)
{
	struct user_struct *user = files->user;

	if (!user)
		return false;
	/* Written under a lock of AF_UNIX's own; off by a few at worst. */
	own += READ_ONCE(user->unix_inflight);
	return own > task_rlimit(current, RLIMIT_NOFILE);
}

bool runix_helper_scm_too_many(const struct scm_fp_list *files, unsigned long own)
{
	return runix_helper_scm_over_limit(files, own) &&
	       !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN);
}

/* Asked before each file is looked at by the function below: most are no sockets. */
bool runix_helper_scm_any_socket(const struct scm_fp_list *files)
{
	for (int i = 0; i < files->count; i++)
		if (S_ISSOCK(file_inode(files->fp[i])->i_mode))
			return true;
	return false;
}

/* A file that is a socket of the family; with a reference to its sock. */
struct sock *runix_helper_scm_socket(const struct scm_fp_list *files, int index, int family)
{
	struct file *file = files->fp[index];
	const struct proto_ops *ops;
	struct socket *socket;

	if (!S_ISSOCK(file_inode(file)->i_mode) || (file->f_mode & FMODE_PATH))
		return NULL;
	socket = SOCKET_I(file_inode(file));
	ops = READ_ONCE(socket->ops);
	if (!ops || ops->family != family || !socket->sk)
		return NULL;
	sock_hold(socket->sk);
	return socket->sk;
}

int runix_helper_scm_current(struct pid **pid, kuid_t *uid, kgid_t *gid)
{
	int err = runix_keep_current_pid();

	if (unlikely(err))
		return err;
	*pid = get_pid(task_tgid(current));
	current_uid_gid(uid, gid);
	return 0;
}

struct pid *runix_helper_pid_hold(struct pid *pid)
{
	return get_pid(pid);
}

/* The bits of `Pass` in ancillary.rs. */
u8 runix_helper_sk_pass(const struct sock *sk)
{
	return sk->sk_scm_credentials | sk->sk_scm_security << 1 |
	       sk->sk_scm_pidfd << 2 | sk->sk_scm_rights << 3;
}

void runix_helper_sk_set_pass(struct sock *sk, u8 what, bool on)
{
	lock_sock(sk);
	if (what & 1)
		sk->sk_scm_credentials = on;
	if (what & 2)
		sk->sk_scm_security = on;
	if (what & 4)
		sk->sk_scm_pidfd = on;
	if (what & 8)
		sk->sk_scm_rights = on;
	release_sock(sk);
}

void runix_helper_sk_inherit_pass(struct sock *sk, const struct sock *listener)
{
	sk->sk_scm_recv_flags = listener->sk_scm_recv_flags;
}

unsigned long runix_helper_sk_file_count(const struct sock *sk)
{
	unsigned long count = 0;
	struct socket *socket;
	struct file *file;

	/* Sockets are freed after a grace period, and the memory of files stays that of files. */
	rcu_read_lock();
	socket = READ_ONCE(sk->sk_socket);
	file = socket ? READ_ONCE(socket->file) : NULL;
	if (file)
		count = file_count(file);
	rcu_read_unlock();
	return count;
}

/* --- deferred.rs ------------------------------------------------------------- */

void runix_helper_work_init(struct delayed_work *work, work_func_t func)
{
	INIT_DELAYED_WORK(work, func);
}

/* Not before so many milliseconds have passed, unless it is due already. */
void runix_helper_work_queue(struct delayed_work *work, unsigned int delay)
{
	queue_delayed_work(system_dfl_wq, work, msecs_to_jiffies(delay));
}

/* In so many milliseconds, whenever it is due. */
void runix_helper_work_queue_in(struct delayed_work *work, unsigned int delay)
{
	mod_delayed_work(system_dfl_wq, work, msecs_to_jiffies(delay));
}

void runix_helper_work_cancel(struct delayed_work *work)
{
	cancel_delayed_work_sync(work);
}

/* --- charge.rs ----------------------------------------------------------------- */

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

/* --- packet.rs ----------------------------------------------------------------- */

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

/* --- foreign.rs ---------------------------------------------------------------- */

#include "helpers_unix.c"
