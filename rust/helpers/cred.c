// SPDX-License-Identifier: GPL-2.0
/* Who is at the other end (cred.rs). */

/*
 * Each reference to credentials writes the same zero to them (`non_rcu`), which the kernel
 * doesn't mark; init_file() does so for every file.
 */
static const struct cred *runix_get_cred(const struct cred *cred)
{
	return data_race(get_cred(cred));
}

/* The calling process, for whom a pidfd may be asked for when it is gone. */
int runix_helper_peercred_current(struct pid **pid, const struct cred **cred)
{
	int err = runix_keep_current_pid();

	if (err)
		return err;
	*pid = get_pid(task_tgid(current));
	*cred = runix_get_cred(current_cred());
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
	*cred = runix_get_cred(sk->sk_peer_cred);
	spin_unlock(&sk->sk_peer_lock);
}
