// SPDX-License-Identifier: GPL-2.0
/* Socket files (path.rs). */

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
