// SPDX-License-Identifier: GPL-2.0
/*
 * What rust/net/foreign.rs has to know of the queues of AF_UNIX. All of it is
 * looked at, and nothing changed but reference counts and a lock.
 */

static bool runix_mixed_collector = true;
module_param_named(mixed_collector, runix_mixed_collector, bool, 0644);
MODULE_PARM_DESC(mixed_collector, "Find rings of sockets through AF_UNIX too (default Y)");

/*
 * What AF_UNIX keeps in each sk_buff, as far as the files that it carries. The
 * declaration is private to AF_UNIX: whether it is still this one is found out
 * when the module is loaded.
 */
struct runix_unix_cb {
	struct pid *pid;
	kuid_t uid;
	kgid_t gid;
	struct scm_fp_list *files;
};

static_assert(sizeof(struct runix_unix_cb) <= sizeof_field(struct sk_buff, cb));

/* Stable for who holds the reader's lock, and a reference to the skb. */
struct scm_fp_list *runix_helper_unix_skb_files(struct sk_buff *skb)
{
	return ((struct runix_unix_cb *)skb->cb)->files;
}

/*
 * Any number of these are held at once, more than the lock checker can count. It
 * is only ever tried, so that there is no order to be checked.
 */
bool runix_helper_unix_reader_trylock(struct sock *sk)
{
	bool locked;

	lockdep_off();
	locked = mutex_trylock(&unix_sk(sk)->iolock);
	lockdep_on();
	return locked;
}

void runix_helper_unix_reader_unlock(struct sock *sk)
{
	lockdep_off();
	mutex_unlock(&unix_sk(sk)->iolock);
	lockdep_on();
}

bool runix_helper_unix_listens(const struct sock *sk)
{
	return READ_ONCE(sk->sk_state) == TCP_LISTEN;
}

static bool runix_unix_wanted(struct sk_buff *skb, bool all)
{
	return all || runix_helper_unix_skb_files(skb);
}

/*
 * Takes references to the skbs that carry files, or to all. Returns how many
 * there are; if that is more than there is room for, no references are taken.
 * Called with the reader's lock.
 */
unsigned int runix_helper_unix_pin(struct sock *sk, bool all, struct sk_buff **pins,
				   unsigned int room)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	unsigned int count = 0;
	struct sk_buff *skb;

	spin_lock(&queue->lock);
	skb_queue_walk(queue, skb)
		count += runix_unix_wanted(skb, all);
	if (count <= room)
		skb_queue_walk(queue, skb)
			if (runix_unix_wanted(skb, all))
				*pins++ = skb_get(skb);
	spin_unlock(&queue->lock);
	return count;
}

/* Are these skbs still in the queue, in this order? */
bool runix_helper_unix_has_pinned(struct sock *sk, struct sk_buff *const *pins,
				  unsigned int count)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	unsigned int found = 0;
	struct sk_buff *skb;

	spin_lock(&queue->lock);
	skb_queue_walk(queue, skb)
		if (found < count && skb == pins[found])
			found++;
	spin_unlock(&queue->lock);
	return found == count;
}

void runix_helper_unix_unpin(struct sk_buff *skb)
{
	kfree_skb(skb);
}

/*
 * The connection that an skb in a listener's queue stood for when that was looked at;
 * NULL if it was accepted and closed since: what the skb keeps is its memory alone.
 */
struct sock *runix_helper_unix_skb_connection(struct sk_buff *skb)
{
	return refcount_inc_not_zero(&skb->sk->sk_refcnt) ? skb->sk : NULL;
}

/* The end of any socket makes AF_UNIX's collector look. */
void runix_helper_unix_wake_collector(void)
{
	struct socket *socket;

	if (!sock_create_kern(&init_net, PF_UNIX, SOCK_DGRAM, 0, &socket))
		sock_release(socket);
}

bool runix_helper_unix_mixed_collector(void)
{
	return READ_ONCE(runix_mixed_collector);
}

/* --- Is the declaration above still true? ------------------------------------ */

static int runix_probe_send(struct socket *from, int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {
		.head = {
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		},
	};
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT };
	char byte = 0;
	struct kvec vec = { &byte, 1 };
	int ret;

	if (fd >= 0) {
		memcpy(control.space + CMSG_LEN(0), &fd, sizeof(fd));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	ret = kernel_sendmsg(from, &msg, &vec, 1, 1);
	return ret == 1 ? 0 : -EIO;
}

/* Is there, at this place of the skb, a list with this file alone? */
static bool runix_probe_shows(struct sk_buff *skb, size_t place, struct file *file)
{
	struct scm_fp_list *list;
	struct file *first;
	short count;

	memcpy(&list, skb->cb + place, sizeof(list));
	/* Not every architecture knows by itself what can't be an address at all. */
	return virt_addr_valid(list) &&
	       !copy_from_kernel_nofault(&count, &list->count, sizeof(count)) &&
	       !copy_from_kernel_nofault(&first, &list->fp[0], sizeof(first)) &&
	       count == 1 && first == file;
}

/* The first message has no files, the second one has. */
static bool runix_probe_queue(struct sk_buff_head *queue, struct file *file)
{
	const size_t true_place = offsetof(struct runix_unix_cb, files);
	struct sk_buff *without, *with;
	size_t place;
	void *none;
	bool good;

	spin_lock(&queue->lock);
	without = skb_peek(queue);
	with = without ? skb_peek_next(without, queue) : NULL;
	good = with && skb_queue_len(queue) == 2;
	if (good) {
		memcpy(&none, without->cb + true_place, sizeof(none));
		good = !none;
	}
	/* It is there, and nowhere else. */
	for (place = 0; good && place + sizeof(void *) <= sizeof(with->cb); place += 4)
		good = runix_probe_shows(with, place, file) == (place == true_place);
	spin_unlock(&queue->lock);
	return good;
}

static bool runix_probe_pair(struct socket *from, struct socket *to)
{
	struct socket *passed;
	bool good = false;
	struct file *file;
	int fd;

	if (from->ops->socketpair(from, to) ||
	    sock_create_kern(&init_net, PF_UNIX, SOCK_DGRAM, 0, &passed))
		return false;
	/* Releases the socket if it fails. */
	file = sock_alloc_file(passed, O_CLOEXEC, NULL);
	if (IS_ERR(file))
		return false;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd >= 0) {
		fd_install(fd, get_file(file));
		good = !runix_probe_send(from, -1) && !runix_probe_send(from, fd) &&
		       runix_probe_queue(&to->sk->sk_receive_queue, file);
		close_fd(fd);
	}
	fput(file);
	return good;
}

/* May sleep; wants a task with a table of files. */
bool runix_helper_unix_layout_holds(void)
{
	struct socket *from, *to;
	bool good = false;

	/* Nobody has looked at what comes later. */
	if (LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0) ||
	    LINUX_VERSION_CODE >= KERNEL_VERSION(7, 4, 0))
		return false;
	if (sock_create_kern(&init_net, PF_UNIX, SOCK_DGRAM, 0, &from))
		return false;
	if (!sock_create_kern(&init_net, PF_UNIX, SOCK_DGRAM, 0, &to)) {
		good = runix_probe_pair(from, to);
		sock_release(to);
	}
	sock_release(from);
	return good;
}
