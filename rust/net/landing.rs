// SPDX-License-Identifier: GPL-2.0

//! Memory of a waiting reader, for a writer to copy to.
//!
//! A byte is copied twice on its way, into the queue and out of it. Where a reader waits
//! for much, and there is nothing in the queue, once is enough: the reader pins the pages
//! of its buffer before it sleeps, and whoever writes copies to them. Such memory is a
//! *landing*. (Rows `oneway` and `pingpong` of the bench, from 64 KiB on.)
//!
//! What keeps it harmless:
//!
//! * Pages are pinned for the [first moments](super::offer::wait_briefly) of a wait, not for as
//!   long as it lasts, and by no more than [`MOST`] readers at a time.
//! * A reader does so only where the last large message has been no long time ago, and
//!   pins no more than twice as much as that was ([`Habit`]).
//! * No page is brought in for it: memory that a program was given, but has not used, stays
//!   unused if nothing comes, and nobody waits for memory that is slow.
//! * A writer copies under a lock that the reader takes to have its memory back, but with
//!   page faults disabled: memory of a writer that is slow to come keeps no reader.
//! * What was written belongs to the reader at once: it has been received, as if the
//!   reader had been awake. A landing is used while nothing is queued, and no more once
//!   something was, so that nothing overtakes.
//!
//! Lock order: a queue's writer lock, or the one of those who look at packets, guards the
//! [`Slot`] in which writers find a landing.
//!
//! C header: [`include/linux/mm.h`](srctree/include/linux/mm.h)

use super::chunk::Block;
use super::msg::{
    ReceiveMsg,
    SendMsg, //
};
use super::word::Word;
use crate::bindings;
use crate::pure::habit::{
    self,
    WORTHWHILE, //
};
use core::ptr::NonNull;
use kernel::{
    bindings as kb,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// How many readers may have pinned their pages at a time, on the whole machine.
const MOST: i32 = 32;

const PAGE_SIZE: usize = kernel::page::PAGE_SIZE;

/// How many readers have.
static PINNING: Atomic<i32> = Atomic::new(0);

/// The right to pin pages.
struct Place(());

impl Place {
    fn take() -> Option<Self> {
        // Dropped again, if it is one too many.
        let place = Self(());
        (PINNING.fetch_add(1, Relaxed) < MOST).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = PINNING.fetch_sub(1, Relaxed);
    }
}

/// How much is likely to come at once: see [`habit`].
pub(super) struct Habit(Word<u8>);

impl Habit {
    pub(super) const fn new() -> Self {
        Self(Word::new(0))
    }

    /// Notes that so many bytes come at once. Any context.
    pub(super) fn note(&self, count: usize) {
        let kept = habit::kept(count);
        if self.0.get() != kept {
            self.0.set(kept);
        }
    }

    /// Returns for how many bytes to make ready; zero if for none. Any context.
    #[inline]
    pub(super) fn expected(&self) -> usize {
        habit::expected(self.0.get())
    }
}

/// What stands in front of the list of pages.
struct Head {
    /// Bytes that have landed; changed by who has the lock of the slot.
    filled: Word,
    /// Bytes that may.
    room: usize,
    /// Where in the first page they begin.
    offset: usize,
    /// How many pages there are.
    pages: usize,
    /// A number that its maker compares.
    tag: usize,
}

/// Where bytes land.
///
/// # Invariants
///
/// * Points to an initialised [`Head`] at the start of `block`, behind which there are
///   that many pointers to pages. Each owns a pin of a page that may be written to.
/// * `filled` is no more than `room`, which is as much as the pages have from `offset` on.
pub(super) struct Landing {
    head: NonNull<Head>,
    _block: Block,
    _place: Place,
}

// SAFETY: The memory and the pins belong to no thread.
unsafe impl Send for Landing {}
// SAFETY: A shared reference reads what is constant, and a word.
unsafe impl Sync for Landing {}

/// Where writers find a landing, guarded by a lock.
///
/// # Invariants
///
/// The pointer is that of a [`Landing`] that exists.
pub(crate) struct Slot(Option<NonNull<Head>>);

// SAFETY: See `Landing`.
unsafe impl Send for Slot {}

impl Slot {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// Tells whether there is a landing.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Lets writers find a landing.
    ///
    /// # Safety
    ///
    /// The landing is taken [out](Slot::remove) before it is dropped.
    pub(super) unsafe fn insert(&mut self, landing: &Landing) {
        // INVARIANT: By the function's safety requirements.
        self.0 = Some(landing.head);
    }

    /// Lets no writer find a landing any more. Does nothing if it isn't this one.
    pub(super) fn remove(&mut self, landing: &Landing) {
        if self.0 == Some(landing.head) {
            self.0 = None;
        }
    }

    /// Lets no writer find any.
    pub(super) fn clear(&mut self) {
        self.0 = None;
    }

    /// Returns the tag of the landing, and how many bytes it has room for.
    pub(super) fn look(&self) -> Option<(usize, usize)> {
        // SAFETY: By the type invariants.
        let head = unsafe { self.0?.as_ref() };
        Some((head.tag, head.room.saturating_sub(head.filled.get())))
    }

    /// Copies the next `count` bytes of a message to the landing, or as many as there is
    /// room for, and returns how many were copied: fewer if a page of the program's
    /// memory isn't present.
    pub(super) fn fill(&mut self, msg: &mut SendMsg<'_>, count: usize) -> usize {
        let Some(raw) = self.0 else {
            return 0;
        };
        // SAFETY: By the type invariants.
        let head = unsafe { raw.as_ref() };
        let filled = head.filled.get();
        let count = count.min(head.room.saturating_sub(filled));
        // SAFETY: By the invariants of `Landing`, the pages have so many bytes from there on. Only
        // who has the slot writes there, and nobody reads but the program.
        let copied = unsafe {
            let pages = raw.as_ptr().add(1).cast();
            msg.copy_to_pages(pages, head.offset.wrapping_add(filled), count)
        };
        // INVARIANT: It is no more than `room`.
        head.filled.set_release(filled.wrapping_add(copied));
        copied
    }

    /// Takes back what was copied last by [`Slot::fill`]: nothing has landed.
    ///
    /// # Safety
    ///
    /// That were `count` bytes of this message, and nothing had landed before.
    pub(super) unsafe fn undo(&mut self, msg: &mut SendMsg<'_>, count: usize) {
        if let Some(raw) = self.0 {
            // SAFETY: By the type invariants.
            unsafe { raw.as_ref() }.filled.set_release(0);
        }
        // SAFETY: By the function's safety requirements.
        unsafe { msg.revert(count) };
    }
}

impl Landing {
    /// Pins the pages of the next `len` bytes of a message's room, or of the first of
    /// them, up to one that isn't present: no more than two megabytes. `None` where that
    /// isn't possible or not worthwhile.
    ///
    /// May sleep, but not for the program's memory.
    pub(super) fn of(msg: &mut ReceiveMsg<'_>, len: usize, tag: usize) -> Option<Self> {
        const LINK: usize = size_of::<*mut kb::page>();
        let len = len.min(msg.room());
        if len < WORTHWHILE {
            return None;
        }
        let place = Place::take()?;
        // The bytes may begin and end within a page.
        let list = (len / PAGE_SIZE).saturating_add(2).saturating_mul(LINK);
        let block = Block::alloc_page_at_most(list.saturating_add(size_of::<Head>())).ok()?;
        let most = block.size().saturating_sub(size_of::<Head>()) / LINK;
        let head = block.as_ptr().cast::<Head>();
        // SAFETY: There is room for so many pointers behind the head.
        let (pages, offset) = unsafe { msg.pin_pages(len, head.as_ptr().add(1).cast(), most) };
        let room = pages.saturating_mul(PAGE_SIZE).saturating_sub(offset);
        // SAFETY: The block is ours, has room for a head, and is aligned for it.
        unsafe {
            head.write(Head {
                filled: Word::new(0),
                room: room.min(len),
                offset,
                pages,
                tag,
            });
        }
        // INVARIANT: The head was just written, and the function has pinned so many pages.
        let this = Self {
            head,
            _block: block,
            _place: place,
        };
        (room >= WORTHWHILE).then_some(this)
    }

    fn head(&self) -> &Head {
        // SAFETY: By the type invariants.
        unsafe { self.head.as_ref() }
    }

    /// Returns the number that its maker has given it.
    pub(super) fn tag(&self) -> usize {
        self.head().tag
    }

    /// Returns how many bytes have landed. Any context.
    pub(super) fn filled(&self) -> usize {
        self.head().filled.get_acquire()
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let head = self.head();
        let dirty = head.offset.wrapping_add(head.filled.get());
        let dirty = match head.filled.get() {
            0 => 0,
            _ => dirty.div_ceil(PAGE_SIZE).min(head.pages),
        };
        // SAFETY: By the type invariants, the pins are ours to give up; who writes has found the
        // landing in a slot, which it was taken out of.
        unsafe { bindings::landing_unpin(self.head.as_ptr().add(1).cast(), head.pages, dirty) };
    }
}
