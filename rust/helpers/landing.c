// SPDX-License-Identifier: GPL-2.0
/* Memory of a reader that a writer copies to (landing.rs). */

/*
 * Pins the pages of the next `len` bytes of room, at most `most` of them, up to one that is
 * not present or can't be written to. Returns how many were pinned, from the first one on,
 * and where in that the room begins.
 *
 * A fork() meanwhile copies pinned pages instead of sharing them.
 */
size_t runix_helper_landing_pin(struct msghdr *msg, size_t len, struct page **pages,
				size_t most, size_t *offset)
{
	const struct iov_iter *to = &msg->msg_iter;
	unsigned long start;
	int pinned, i;

	if (!iter_is_ubuf(to) || IS_ENABLED(CONFIG_HIGHMEM))
		return 0;
	start = (unsigned long)to->ubuf + to->iov_offset;
	*offset = offset_in_page(start);
	pinned = pin_user_pages_fast(start & PAGE_MASK,
				     min(DIV_ROUND_UP(*offset + len, PAGE_SIZE), most),
				     FOLL_WRITE | FOLL_NOFAULT, pages);
	/*
	 * Anonymous memory and tmpfs. Some file systems want to be told before a page gets
	 * dirty, which was when it was pinned, and may have written it back by the time.
	 */
	for (i = 0; i < pinned; i++) {
		if (!folio_test_swapbacked(page_folio(pages[i]))) {
			unpin_user_pages(pages, pinned);
			return 0;
		}
	}
	return max(pinned, 0);
}

/* The first `dirty` of the pages were written to. May sleep. */
void runix_helper_landing_unpin(struct page **pages, size_t number, size_t dirty)
{
	unpin_user_pages_dirty_lock(pages, dirty, true);
	unpin_user_pages(pages + dirty, number - dirty);
}

/*
 * Copies to the pages, from byte `at` on, as runix_helper_copy_from_iter_nofault() does.
 * Pages that are neighbours in memory, as mostly those of a large folio are, are one piece.
 */
size_t runix_helper_landing_fill(struct page **pages, size_t at, size_t len,
				 struct iov_iter *from)
{
	size_t done = 0;

	pagefault_disable();
	while (done < len) {
		size_t first = (at + done) >> PAGE_SHIFT, offset = offset_in_page(at + done);
		size_t next = first + 1, part = PAGE_SIZE - offset, n;

		while (part < len - done &&
		       page_to_pfn(pages[next]) == page_to_pfn(pages[next - 1]) + 1) {
			part += PAGE_SIZE;
			next++;
		}
		part = min(part, len - done);
		n = runix_helper_copy_from_iter(page_address(pages[first]) + offset, part, from);
		done += n;
		if (n < part)
			break;
	}
	pagefault_enable();
	/* On some machines user space may have the pages in the cache under other addresses. */
	for (size_t at_page = at >> PAGE_SHIFT; at_page << PAGE_SHIFT < at + done; at_page++)
		flush_dcache_page(pages[at_page]);
	return done;
}
