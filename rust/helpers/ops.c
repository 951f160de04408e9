// SPDX-License-Identifier: GPL-2.0
/* What a call brings along (ops.rs, request.rs). */

int runix_helper_int_from_sockptr(int *value, sockptr_t src)
{
	return copy_from_sockptr(value, src, sizeof(*value)) ? -EFAULT : 0;
}

bool runix_helper_file_nonblock(const struct socket *socket)
{
	return socket->file && (socket->file->f_flags & O_NONBLOCK);
}
