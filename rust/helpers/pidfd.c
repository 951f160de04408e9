// SPDX-License-Identifier: GPL-2.0
/* pidfds of who is at the other end, or was (pidfd.rs). */

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
