// SPDX-License-Identifier: GPL-2.0

//! Memory for queued bytes, in a few sizes.
//!
//! The sizes are slab caches of their own: the allocator keeps freed ones at
//! hand on each CPU, and doesn't zero them, as every byte is written before it
//! can be read. `/proc/slabinfo` shows how many are in use.

use super::word::Word;
use crate::bindings;
use crate::pure::ring::Segment;
use core::{
    cell::UnsafeCell,
    ptr,
    ptr::NonNull, //
};
use kernel::{
    bindings as kb,
    prelude::*,
    str::{
        CStr,
        CStrExt as _, //
    }, //
};

/// The sizes that there are, header included. The allocator adds a pointer to
/// each, which makes them powers of two.
///
/// The third takes a message of a page, with what stands in front of it, in one piece.
const SIZES: [usize; 4] = [504, 4088, 8184, 32760];

/// Where a buffer of the smallest size keeps whom its memory is charged to: in the
/// end, behind what may be used of it. Some that were freed wait to be used again, by
/// the same (`runix_helper_small_free`).
const OWNER: usize = SIZES[0] - size_of::<usize>();

/// How much of each size may be used.
const ROOM: [usize; SIZES.len()] = [OWNER, SIZES[1], SIZES[2], SIZES[3]];

/// The slab caches; null where there is none.
static CACHES: [Word; SIZES.len()] = [const { Word::new(0) }; SIZES.len()];

/// The slab caches that [`Chunk`]s come from; dropping the value takes them
/// away.
///
/// A module has one such value, from before its first socket until after the
/// last.
pub(crate) struct BufferCaches(());

impl BufferCaches {
    /// Makes the caches. May sleep.
    ///
    /// `ENOMEM` if that fails, `EBUSY` if the module has them already.
    ///
    /// The names, from the smallest size on, are what `/proc/slabinfo` shows.
    pub(crate) fn new(names: [&'static CStr; SIZES.len()]) -> Result<Self> {
        if CACHES[0].get() != 0 {
            return Err(EBUSY);
        }
        let this = Self(());
        for ((cache, size), name) in CACHES.iter().zip(SIZES).zip(names) {
            // SAFETY: The name is static.
            let raw = unsafe { bindings::chunk_cache_create(name.as_char_ptr(), size as c_uint) };
            if raw.is_null() {
                return Err(ENOMEM);
            }
            cache.set_release(raw.expose_provenance());
        }
        Ok(this)
    }
}

impl Drop for BufferCaches {
    fn drop(&mut self) {
        let small: *mut kb::kmem_cache = ptr::with_exposed_provenance_mut(CACHES[0].get());
        if !small.is_null() {
            // SAFETY: The cache is valid, and there are no sockets, so that nobody else uses it.
            unsafe { bindings::small_flush(small) };
        }
        for cache in &CACHES {
            let raw = ptr::with_exposed_provenance_mut(cache.get());
            cache.set(0);
            // SAFETY: The cache was made by `new`; each chunk belongs to a socket, which holds the
            // module, so that none is left. Null is taken for nothing.
            unsafe { kb::kmem_cache_destroy(raw) };
        }
    }
}

/// A piece of memory without a header.
///
/// # Invariants
///
/// Points to an object of the cache of its class, which the value owns.
pub(super) struct Block {
    raw: NonNull<u8>,
    class: Class,
}

/// Up to this many bytes, pages waste less memory than a large block.
const FEW_PAGES: usize = ROOM[1] + ROOM[2];

impl Block {
    /// Bytes of memory that a block of the smallest size takes.
    pub(super) const SMALLEST: usize = SIZES[0].next_power_of_two();

    /// Allocates the memory of a block of the smallest size, for
    /// [`Block::free_small`] to give back.
    ///
    /// It is aligned as a pointer is. May sleep. `ENOMEM` without memory.
    #[inline]
    pub(super) fn alloc_small() -> Result<NonNull<u8>> {
        alloc_class(Class::Small)
    }

    /// Gives the memory of a block of the smallest size back.
    ///
    /// # Safety
    ///
    /// `raw` comes from [`Block::alloc_small`], and nobody uses it any more.
    #[inline]
    pub(super) unsafe fn free_small(raw: NonNull<u8>) {
        // SAFETY: By the function's safety requirements.
        unsafe { free_class(Class::Small, raw) };
    }

    /// Allocates a block that suits `wanted` bytes, or the first of them.
    ///
    /// It is aligned as a pointer is. May sleep. `ENOMEM` without memory.
    pub(super) fn alloc(wanted: usize) -> Result<Self> {
        let class = if wanted <= ROOM[0] {
            Class::Small
        } else if wanted <= ROOM[1] {
            Class::Page
        } else if wanted <= FEW_PAGES {
            Class::Pages
        } else {
            Class::Large
        };
        let (class, raw) = alloc_class_or_page(class)?;
        // INVARIANT: The object was just allocated.
        Ok(Self { raw, class })
    }

    /// Does the same, but allocates no more than a page.
    pub(super) fn alloc_page_at_most(wanted: usize) -> Result<Self> {
        Self::alloc(wanted.min(ROOM[1]))
    }

    /// Fails to compile if a block might be too small for a `T`, or not aligned
    /// for it.
    pub(super) const fn assert_holds<T>() {
        assert!(size_of::<T>() <= ROOM[0] && align_of::<T>() <= align_of::<usize>());
    }

    /// Returns the memory.
    pub(super) fn as_ptr(&self) -> NonNull<u8> {
        self.raw
    }

    /// Returns how many bytes there are.
    pub(super) fn size(&self) -> usize {
        ROOM[self.class as usize]
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: By the type invariants.
        unsafe { free_class(self.class, self.raw) };
    }
}

/// Allocates an object of a class; a page where there is nothing large.
fn alloc_class_or_page(class: Class) -> Result<(Class, NonNull<u8>)> {
    if class == Class::Large {
        // Large ones may be lacking where memory is fragmented.
        if let Ok(raw) = alloc_class(class) {
            return Ok((class, raw));
        }
        return Ok((Class::Page, alloc_class(Class::Page)?));
    }
    Ok((class, alloc_class(class)?))
}

fn alloc_class(class: Class) -> Result<NonNull<u8>> {
    let cache: *mut kb::kmem_cache =
        ptr::with_exposed_provenance_mut(CACHES[class as usize].get_acquire());
    if cache.is_null() {
        return Err(ENOMEM);
    }
    // SAFETY: The cache exists as long as there are sockets, and one is making the call.
    let raw = unsafe {
        match class {
            Class::Small => bindings::small_alloc(cache, OWNER as c_uint),
            Class::Page | Class::Pages => bindings::chunk_alloc(cache),
            Class::Large => bindings::chunk_try_alloc(cache),
        }
    };
    NonNull::new(raw.cast()).ok_or(ENOMEM)
}

/// Gives an object of a class back.
///
/// # Safety
///
/// `raw` comes from [`alloc_class`] for this class, and nobody uses it any more.
unsafe fn free_class(class: Class, raw: NonNull<u8>) {
    let cache = ptr::with_exposed_provenance_mut(CACHES[class as usize].get());
    // SAFETY: By the function's safety requirements; the owner lies behind what is used.
    unsafe {
        match class {
            Class::Small => bindings::small_free(cache, raw.as_ptr().cast(), OWNER as c_uint),
            _ => kb::kmem_cache_free(cache, raw.as_ptr().cast()),
        }
    };
}

/// A piece of memory for queued bytes, with its header.
///
/// # Invariants
///
/// Points to an object of the cache of its class, whose header is
/// initialised, and which holds `capacity()` bytes behind it. The value owns it.
pub(super) struct Chunk(NonNull<Header>);

/// An index into the sizes.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum Class {
    Small = 0,
    Page = 1,
    Pages = 2,
    Large = 3,
}

/// What stands in front of a chunk's bytes.
pub(super) struct Header {
    /// The chunk with the bytes that follow.
    next: Word,
    /// Which positions the chunk holds.
    pub(super) segment: UnsafeCell<Segment>,
    class: Class,
    /// How many parts of pages the chunk holds instead of bytes: see
    /// [`super::handed`]. They are at the start of its memory, a `struct bio_vec`
    /// each with a reference to its page. Set before others know the chunk.
    parts: u32,
}

/// How many bytes fit into a chunk of each class.
const CAPACITY: [usize; SIZES.len()] = {
    const HEADER: usize = size_of::<Header>();
    [
        ROOM[0] - HEADER,
        ROOM[1] - HEADER,
        ROOM[2] - HEADER,
        ROOM[3] - HEADER,
    ]
};

/// Returns how many bytes fit into a chunk of a class.
const fn capacity(class: Class) -> usize {
    CAPACITY[class as usize]
}

impl Chunk {
    /// Allocates a chunk of a size that suits `wanted` bytes, given `queued`
    /// bytes in front of it, for positions from `position` on.
    ///
    /// The more a queue holds, the larger its next chunk: a queue that is
    /// emptied all the time stays small.
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(super) fn alloc(wanted: usize, queued: usize, position: usize) -> Result<Self> {
        let size = wanted.saturating_add(queued);
        let class = if size <= capacity(Class::Small) {
            Class::Small
        } else if size <= capacity(Class::Page) {
            Class::Page
        } else if size <= capacity(Class::Pages) {
            Class::Pages
        } else {
            Class::Large
        };
        let (class, raw) = alloc_class_or_page(class)?;
        let raw = raw.cast::<Header>();
        // SAFETY: The object has the size of its class, which is larger than the header.
        unsafe {
            raw.write(Header {
                next: Word::new(0),
                segment: UnsafeCell::new(Segment::new(position, capacity(class))),
                class,
                parts: 0,
            })
        };
        // INVARIANT: The object was just allocated and its header initialised.
        Ok(Self(raw))
    }

    /// Gives up ownership, for a chain to take it.
    pub(super) fn into_raw(self) -> NonNull<Header> {
        core::mem::ManuallyDrop::new(self).0
    }

    /// Takes ownership of a chunk again.
    ///
    /// # Safety
    ///
    /// `raw` comes from [`Chunk::into_raw`], and nobody uses it any more.
    pub(super) unsafe fn from_raw(raw: NonNull<Header>) -> Self {
        Self(raw)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: By the type invariants; the parts own their references.
        let class = unsafe {
            let parts = (*self.0.as_ptr()).parts;
            if parts > 0 {
                bindings::parts_put(Header::bytes(self.0).cast(), parts);
            }
            (*self.0.as_ptr()).class
        };
        // SAFETY: By the type invariants; the header needs no drop.
        unsafe { free_class(class, self.0.cast()) };
    }
}

impl Header {
    /// Tells whether the chunk is of the smallest size.
    pub(super) fn is_small(&self) -> bool {
        self.class == Class::Small
    }

    /// Returns the chunk that follows.
    pub(super) fn next(&self) -> Option<NonNull<Header>> {
        NonNull::new(ptr::with_exposed_provenance_mut(self.next.get_acquire()))
    }

    /// Lets none follow any more, and returns the one that did.
    pub(super) fn take_next(&self) -> Option<NonNull<Header>> {
        let next = self.next();
        self.next.set_release(0);
        next
    }

    /// Lets a chunk follow this one.
    pub(super) fn set_next(&self, next: NonNull<Header>) {
        self.next.set_release(next.as_ptr().expose_provenance());
    }

    /// Returns how many parts of pages the chunk holds instead of bytes.
    #[inline]
    pub(super) fn parts(&self) -> u32 {
        self.parts
    }

    /// Lets a chunk be one of `parts` parts, with `count` bytes from `position` on.
    ///
    /// # Safety
    ///
    /// `this` is a valid chunk that nobody else knows; it holds that many parts,
    /// which it owns from here on.
    pub(super) unsafe fn set_parts(this: NonNull<Self>, parts: u32, position: usize, count: usize) {
        // SAFETY: By the function's safety requirements.
        unsafe {
            (*this.as_ptr()).parts = parts;
            *(*this.as_ptr()).segment.get() = Segment::new(position, count);
        }
    }

    /// Returns how many `T` any chunk has room for.
    pub(super) const fn room_for<T>() -> u32 {
        assert!(align_of::<T>() <= align_of::<Self>());
        (capacity(Class::Small) / size_of::<T>()) as u32
    }

    /// Returns the memory of the chunk's bytes.
    ///
    /// # Safety
    ///
    /// `this` is a valid chunk.
    pub(super) unsafe fn bytes(this: NonNull<Self>) -> *mut u8 {
        // SAFETY: By the function's safety requirements, the bytes follow the header.
        unsafe { this.as_ptr().add(1).cast() }
    }
}
