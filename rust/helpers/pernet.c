// SPDX-License-Identifier: GPL-2.0
/* Network namespaces and their files (pernet.rs, procfs.rs, sysctl.rs). */

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
