// SPDX-License-Identifier: GPL-2.0
/* Copies from and to a message (msg.rs). */

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
	if (can_do_masked_user_access()) {
		user = mask_user_address(user);
	} else {
		if (unlikely(!access_ok(user, len)))
			return 0;
		/* No kernel memory is read in advance, either. */
		barrier_nospec();
	}
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
