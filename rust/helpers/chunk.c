// SPDX-License-Identifier: GPL-2.0
/* Memory for queued bytes (chunk.rs, smallbox.rs). */

/*
 * A constructor, though it does nothing, keeps the allocator from zeroing each
 * object (init_on_alloc). Nothing reads a byte of a buffer that was not written
 * before.
 */
static void runix_chunk_ctor(void *chunk)
{
}

/*
 * Of the large ones the allocator keeps as many at hand as two messages of a megabyte
 * take: what it gives back to the page allocator, that one zeroes when it hands it out
 * again. (Rows oneway of the bench, 1 MiB.)
 */
struct kmem_cache *runix_helper_chunk_cache_create(const char *name, unsigned int size)
{
	struct kmem_cache_args args = {
		.ctor = runix_chunk_ctor,
		.sheaf_capacity = size > 4 * PAGE_SIZE ? 8 : 0,
	};

	return kmem_cache_create(name, size, &args, SLAB_ACCOUNT);
}

void *runix_helper_chunk_alloc(struct kmem_cache *cache)
{
	return kmem_cache_alloc(cache, GFP_KERNEL);
}

/*
 * The smallest buffers come and go with each message. A few that were freed wait on each
 * CPU to be used again, at a fourth of what it takes to ask the allocator. All of them
 * were charged to one cgroup, which is the one that may have them; nobody else gets
 * memory that others pay for.
 */
#define RUNIX_SPARES	8

struct runix_spares {
	unsigned long owner;
	unsigned int nr;
	void *spare[RUNIX_SPARES];
};

static DEFINE_PER_CPU(struct runix_spares, runix_spares);

/* Whom the calling task's memory is charged to; zero if that can't be told at once. */
static unsigned long runix_charged_to(void)
{
#ifdef CONFIG_MEMCG
	unsigned long objcg = (unsigned long)READ_ONCE(current->objcg);

	/*
	 * NULL is the root's. The lowest bit says that it has changed, and alone that
	 * nothing was ever charged: what has that for an owner is charged to nobody, as
	 * before there was any cgroup but the root.
	 */
	if (unlikely(current->active_memcg) || ((objcg & 1) && objcg != 1))
		return 0;
	return objcg | 2;
#else
	return 2;
#endif
}

/* @owner_at is where in the buffer, unused otherwise, is kept whom it is charged to. */
void *runix_helper_small_alloc(struct kmem_cache *cache, unsigned int owner_at)
{
	unsigned long owner = runix_charged_to();
	void *object = NULL;

	/* What is used again at once, the checkers of memory can't watch. */
	if (!IS_ENABLED(CONFIG_KASAN) && owner) {
		struct runix_spares *spares = get_cpu_ptr(&runix_spares);

		if (spares->nr && spares->owner == owner)
			object = spares->spare[--spares->nr];
		put_cpu_ptr(&runix_spares);
		if (object)
			return object;
	}
	object = kmem_cache_alloc(cache, GFP_KERNEL);
	/* That may have told whom tasks are charged to that didn't know. */
	if (object)
		*(unsigned long *)(object + owner_at) = runix_charged_to();
	return object;
}

void runix_helper_small_free(struct kmem_cache *cache, void *object, unsigned int owner_at)
{
	unsigned long owner = *(unsigned long *)(object + owner_at);

	if (!IS_ENABLED(CONFIG_KASAN) && owner) {
		struct runix_spares *spares = get_cpu_ptr(&runix_spares);

		if (!spares->nr)
			spares->owner = owner;
		if (spares->owner == owner && spares->nr < RUNIX_SPARES) {
			spares->spare[spares->nr++] = object;
			object = NULL;
		}
		put_cpu_ptr(&runix_spares);
	}
	if (object)
		kmem_cache_free(cache, object);
}

/* Gives all back, when nobody uses any. */
void runix_helper_small_flush(struct kmem_cache *cache)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct runix_spares *spares = per_cpu_ptr(&runix_spares, cpu);

		while (spares->nr)
			kmem_cache_free(cache, spares->spare[--spares->nr]);
	}
}

/* May fail where memory is fragmented; there is a smaller size to fall back to. */
void *runix_helper_chunk_try_alloc(struct kmem_cache *cache)
{
	return kmem_cache_alloc(cache, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
}
