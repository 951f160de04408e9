// SPDX-License-Identifier: GPL-2.0
/* Pages that are handed over instead of copied (handed.rs). */

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
