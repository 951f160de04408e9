// SPDX-License-Identifier: GPL-2.0

//! Sockets that wait to be accepted.

use super::family::{
    Family,
    Unattached, //
};
use super::unix::UnixHead;
use crate::bindings;
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    ptr,
    ptr::NonNull, //
};

/// A socket in a queue, to be looked at.
///
/// # Invariants
///
/// The socket stays in the queue, which owns it, during `'a`.
pub(crate) struct Waiting<'a, F: Family> {
    waiting: ManuallyDrop<Unattached<F>>,
    _p: PhantomData<&'a Unattached<F>>,
}

impl<F: Family> Deref for Waiting<'_, F> {
    type Target = Unattached<F>;

    fn deref(&self) -> &Unattached<F> {
        &self.waiting
    }
}

/// A queue of sockets that wait to be accepted, first come first served.
///
/// Each socket has the link to the next in its own memory, in a field that
/// AF_UNIX alone would use: a connection costs no allocation but its end itself
/// (rows `conn-*` and `req-*` of the bench).
///
/// # Invariants
///
/// The queue owns the socket at `last`, and those that lead from it, link by
/// link, round to itself: the next of the last is the first. A socket is in one
/// queue at most, as an [`Unattached`] is what is put into it.
pub(crate) struct Backlog<F: Family<Head = UnixHead>> {
    last: Option<NonNull<bindings::sock>>,
    _owns: PhantomData<Unattached<F>>,
}

// SAFETY: The queue owns references to sockets, which are `Send` and `Sync`.
unsafe impl<F: Family<Head = UnixHead>> Send for Backlog<F> {}

impl<F: Family<Head = UnixHead>> Backlog<F> {
    /// Makes an empty queue.
    pub(crate) const fn new() -> Self {
        // INVARIANT: There are none.
        Self {
            last: None,
            _owns: PhantomData,
        }
    }

    /// Tells whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// Returns the socket behind another one of the queue.
    ///
    /// # Safety
    ///
    /// `sk` is in the queue.
    unsafe fn next(sk: NonNull<bindings::sock>) -> NonNull<bindings::sock> {
        // SAFETY: By the function's safety requirements, the socket is valid, and its link that
        // of the queue, which is never null.
        unsafe { NonNull::new_unchecked(*UnixHead::spare(sk.as_ptr())) }
    }

    /// Puts a socket at the end of the queue.
    pub(crate) fn push(&mut self, new: Unattached<F>) {
        let raw = new.into_raw();
        // SAFETY: The new socket is ours, and in no other queue; the last one is in this one.
        unsafe {
            let first = match self.last {
                Some(last) => {
                    let first = Self::next(last);
                    *UnixHead::spare(last.as_ptr()) = raw.as_ptr();
                    first
                }
                None => raw,
            };
            *UnixHead::spare(raw.as_ptr()) = first.as_ptr();
        }
        // INVARIANT: The ring is closed again, and the socket is the last one in it.
        self.last = Some(raw);
    }

    /// Takes the socket that has waited longest.
    pub(crate) fn pop(&mut self) -> Option<Unattached<F>> {
        let last = self.last?;
        // SAFETY: By the type invariants, both are in the queue, which gives up the first.
        unsafe {
            let first = Self::next(last);
            if first == last {
                // INVARIANT: It was the only one.
                self.last = None;
            } else {
                // INVARIANT: The second one is the first now.
                *UnixHead::spare(last.as_ptr()) = Self::next(first).as_ptr();
            }
            *UnixHead::spare(first.as_ptr()) = ptr::null_mut();
            Some(Unattached::from_raw(first))
        }
    }

    /// Walks the queue, from the one that has waited longest.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Waiting<'_, F>> {
        let last = self.last;
        // SAFETY: By the type invariants.
        let mut next = last.map(|last| unsafe { Self::next(last) });
        core::iter::from_fn(move || {
            let sk = next?;
            // SAFETY: By the type invariants, the socket is in the queue, which doesn't change
            // while it is borrowed.
            unsafe {
                next = (Some(sk) != last).then(|| Self::next(sk));
                // INVARIANT: The queue stays as it is while it is borrowed.
                Some(Waiting {
                    waiting: ManuallyDrop::new(Unattached::from_raw(sk)),
                    _p: PhantomData,
                })
            }
        })
    }
}

impl<F: Family<Head = UnixHead>> Drop for Backlog<F> {
    fn drop(&mut self) {
        while let Some(waiting) = self.pop() {
            drop(waiting);
        }
    }
}
