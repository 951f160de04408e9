// SPDX-License-Identifier: GPL-2.0
/* Files, credentials and labels that go with a message (ancillary.rs). */

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

/* Without a reference: for who compares it with one that has. */
struct pid *runix_helper_scm_current_id(kuid_t *uid, kgid_t *gid)
{
	current_uid_gid(uid, gid);
	return task_tgid(current);
}

int runix_helper_scm_current(struct pid **pid, kuid_t *uid, kgid_t *gid)
{
	int err = runix_keep_current_pid();

	if (unlikely(err))
		return err;
	*pid = get_pid(runix_helper_scm_current_id(uid, gid));
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
