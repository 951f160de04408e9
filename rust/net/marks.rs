// SPDX-License-Identifier: GPL-2.0

//! Marks: what goes with runs of bytes in a queue.
//!
//! A stream rarely has any: one load tells that there are none. The marks of a
//! queue are in the order of its bytes, and don't overlap.

use super::word::Word;
use core::{
    ptr,
    ptr::NonNull, //
};
use kernel::{
    alloc::flags::GFP_KERNEL_ACCOUNT,
    new_spinlock,
    prelude::*,
    sync::SpinLock, //
};

/// A mark, and the positions of the bytes that it goes with.
pub(crate) struct Mark<M> {
    start: usize,
    len: usize,
    next: Option<KBox<Mark<M>>>,
    value: M,
}

impl<M> Mark<M> {
    /// Wraps a value, so that it can be queued under a lock.
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(crate) fn new(value: M) -> Result<KBox<Self>> {
        let mark = Self {
            start: 0,
            len: 0,
            next: None,
            value,
        };
        Ok(KBox::new(mark, GFP_KERNEL_ACCOUNT)?)
    }

    /// Returns the value.
    pub(crate) fn value(&self) -> &M {
        &self.value
    }
}

/// A run of bytes that one mark, or none, goes with.
pub(crate) struct Run<'a, M> {
    /// How many bytes the run has from where it was asked for, at most.
    pub(crate) len: usize,
    /// The mark.
    pub(crate) value: Option<&'a mut M>,
}

/// The marks of a queue.
#[pin_data]
pub(super) struct Marks<M: Send> {
    #[pin]
    list: SpinLock<List<M>>,
    count: Word,
}

/// # Invariants
///
/// `last` points to the last mark of the chain that begins at `first`; both are
/// `None` at the same time.
struct List<M> {
    first: Option<KBox<Mark<M>>>,
    last: Option<NonNull<Mark<M>>>,
}

// The marks are boxed: moving the list moves none of them.
impl<M> Unpin for List<M> {}

// SAFETY: The list owns its marks, which are `Send`.
unsafe impl<M: Send> Send for List<M> {}

impl<M> List<M> {
    fn pop(&mut self) -> Option<KBox<Mark<M>>> {
        let mut mark = self.first.take()?;
        self.first = mark.next.take();
        if self.first.is_none() {
            // INVARIANT: The chain is empty.
            self.last = None;
        }
        Some(mark)
    }
}

impl<M> Drop for List<M> {
    fn drop(&mut self) {
        // One by one: a chain that is dropped as a whole would recurse.
        while let Some(mark) = self.pop() {
            drop(mark);
        }
    }
}

impl<M: Send> Marks<M> {
    pub(super) fn new() -> impl PinInit<Self> {
        // INVARIANT: There are no marks.
        pin_init!(Self {
            list <- new_spinlock!(
                List { first: None, last: None },
                "Marks::list"
            ),
            count: Word::new(0),
        })
    }

    /// Tells whether there are none. Whoever has acquired a position sees the
    /// marks that were pushed before it was published.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.count.get_acquire() == 0
    }

    /// Returns how much memory the marks take, in bytes, about.
    #[inline]
    pub(super) fn memory(&self) -> usize {
        /// A mark, what it points to, and what the allocator adds.
        const EACH: usize = 256;
        self.count.get().saturating_mul(EACH)
    }

    /// Puts a mark behind all others, for `len` bytes from `start` on.
    ///
    /// By the writer alone, before it publishes the bytes.
    pub(super) fn push(&self, mut mark: KBox<Mark<M>>, start: usize, len: usize) {
        mark.start = start;
        mark.len = len;
        let raw = NonNull::from(&mut *mark);
        let mut list = self.list.lock();
        match list.last {
            // SAFETY: By the type invariants, it is the last mark of the chain, which is locked.
            Some(last) => unsafe { (*last.as_ptr()).next = Some(mark) },
            None => list.first = Some(mark),
        }
        // INVARIANT: The mark is the last one; boxed, it stays where it is.
        list.last = Some(raw);
        self.count.set_release(self.count.get().wrapping_add(1));
    }

    /// Drops the marks whose bytes lie in front of `position`.
    ///
    /// By the reader alone. May sleep, as what a mark holds is dropped.
    pub(super) fn discard_before(&self, position: usize) {
        loop {
            let mut list = self.list.lock();
            match list.first.as_ref() {
                Some(mark) if is_past(mark, position) => {}
                _ => return,
            }
            let mark = list.pop();
            self.count.set_release(self.count.get().wrapping_sub(1));
            // What a mark holds is dropped after the lock.
            drop(list);
            drop(mark);
        }
    }

    /// Drops all marks. By the reader, when there are no bytes left. May sleep.
    pub(super) fn discard_all(&self) {
        loop {
            let mut list = self.list.lock();
            let Some(mark) = list.pop() else {
                return;
            };
            self.count.set_release(self.count.get().wrapping_sub(1));
            drop(list);
            drop(mark);
        }
    }

    /// Returns the run at `position`.
    ///
    /// # Safety
    ///
    /// The caller is the reader, and is it for `'a`; it has no other run.
    pub(super) unsafe fn run_at<'a>(&'a self, position: usize) -> Run<'a, M> {
        if self.is_empty() {
            return Run {
                len: usize::MAX,
                value: None,
            };
        }
        let mut list = self.list.lock();
        let mut next = list.first.as_mut();
        while let Some(mark) = next {
            let into = position.wrapping_sub(mark.start);
            if into < mark.len {
                let len = mark.len.wrapping_sub(into);
                let value = ptr::from_mut(&mut mark.value);
                return Run {
                    len,
                    // SAFETY: Marks leave the list by the reader alone, and are boxed: the value
                    // stays where it is. The writer touches nothing but the link of the last mark.
                    value: Some(unsafe { &mut *value }),
                };
            }
            if !is_past(mark, position) {
                return Run {
                    len: mark.start.wrapping_sub(position),
                    value: None,
                };
            }
            next = mark.next.as_mut();
        }
        Run {
            len: usize::MAX,
            value: None,
        }
    }
}

/// Tells whether all bytes of a mark lie in front of `position`.
fn is_past<M>(mark: &Mark<M>, position: usize) -> bool {
    let into = position.wrapping_sub(mark.start);
    // Positions wrap around; what is ahead looks like very far behind.
    into >= mark.len && into <= usize::MAX / 2
}
