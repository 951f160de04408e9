// SPDX-License-Identifier: GPL-2.0

//! One of two things in the same memory.

use super::compat::raw_try_init;
use core::{
    cell::UnsafeCell,
    mem::ManuallyDrop,
    ptr, //
};
use kernel::prelude::*;

/// An `A` or a `B`, pinned, and the same for all its life; and a `C` in any case, which is
/// small, and takes no memory besides.
///
/// What an enum would be, if it could be initialised in place: a stream's queue
/// and a queue of packets share memory, since a socket has either one or the
/// other. An idle pair shall not take more memory than one of AF_UNIX
/// (rows `mem-idle` of the bench), and each byte of it is zeroed when a socket is
/// made (rows `socket` and `pair`).
///
/// # Invariants
///
/// `one` holds an initialised `A` if `is_first`, else an initialised `B`.
pub(crate) struct Either<A, B, C = ()> {
    one: UnsafeCell<One<A, B>>,
    is_first: bool,
    common: C,
}

/// The memory.
union One<A, B> {
    first: ManuallyDrop<A>,
    second: ManuallyDrop<B>,
}

// SAFETY: It is an `A` or a `B`, which are both `Send`, and a `C`, which is, too.
unsafe impl<A: Send, B: Send, C: Send> Send for Either<A, B, C> {}
// SAFETY: It is an `A` or a `B`, and a `C`, which are `Sync`; only shared references are handed out.
unsafe impl<A: Sync, B: Sync, C: Sync> Sync for Either<A, B, C> {}

impl<A, B, C> Either<A, B, C> {
    /// Returns the initialiser of the first, if `is_first`, or of the second.
    pub(crate) fn new(
        is_first: bool,
        common: C,
        first: impl PinInit<A>,
        second: impl PinInit<B>,
    ) -> impl PinInit<Self> {
        let init = move |slot: *mut Self| {
            // SAFETY: The slot is valid for writes; what is written there is initialised in place,
            // and stays, as the initialiser is one of pinned memory.
            // INVARIANT: What `is_first` tells of is what was initialised.
            unsafe {
                (&raw mut (*slot).is_first).write(is_first);
                (&raw mut (*slot).common).write(common);
                let one = UnsafeCell::raw_get(&raw const (*slot).one);
                if is_first {
                    raw_try_init(one.cast::<A>(), first)
                } else {
                    raw_try_init(one.cast::<B>(), second)
                }
            }
        };
        // SAFETY: The closure initialises the whole value; it can't fail.
        unsafe { pin_init::pin_init_from_closure(init) }
    }

    /// Returns what there is in any case.
    #[inline]
    pub(crate) fn common(&self) -> &C {
        &self.common
    }

    /// Returns the first, if it is that.
    #[inline]
    pub(crate) fn first(&self) -> Option<&A> {
        if !self.is_first {
            return None;
        }
        // SAFETY: By the type invariants; nobody has it exclusively but `drop`.
        Some(unsafe { &*self.one.get().cast::<A>() })
    }

    /// Returns the second, if it is that.
    #[inline]
    pub(crate) fn second(&self) -> Option<&B> {
        if self.is_first {
            return None;
        }
        // SAFETY: By the type invariants; nobody has it exclusively but `drop`.
        Some(unsafe { &*self.one.get().cast::<B>() })
    }
}

impl<A, B, C> Drop for Either<A, B, C> {
    fn drop(&mut self) {
        let one = self.one.get();
        // SAFETY: By the type invariants, this is what the memory holds; it isn't moved.
        unsafe {
            if self.is_first {
                ptr::drop_in_place(one.cast::<A>());
            } else {
                ptr::drop_in_place(one.cast::<B>());
            }
        }
    }
}
