// SPDX-License-Identifier: GPL-2.0

//! Connections that wait to be accepted.

use super::socket::Runix;
use crate::net::Unattached;
use kernel::{
    alloc::flags::GFP_KERNEL_ACCOUNT,
    prelude::*, //
};

/// A connection without a file.
pub(super) type Pending = Unattached<Runix>;

/// A connection, and where it stands in the queue.
pub(super) struct Waiting {
    pending: Pending,
    next: Option<KBox<Waiting>>,
}

impl Waiting {
    /// Wraps a connection, so that it can be queued under a lock.
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(super) fn new(pending: Pending) -> Result<KBox<Self>> {
        let waiting = Self {
            pending,
            next: None,
        };
        Ok(KBox::new(waiting, GFP_KERNEL_ACCOUNT)?)
    }

    /// Returns the connection.
    pub(super) fn pending(&self) -> &Pending {
        &self.pending
    }
}

/// A queue of waiting connections, first come first served.
///
/// Two chains: new connections go to the front of one, the oldest is taken from
/// the front of the other, and when that is empty the first is turned round into
/// it. Nothing is allocated, and each connection is moved once.
pub(crate) struct Backlog {
    newest: Option<KBox<Waiting>>,
    oldest: Option<KBox<Waiting>>,
}

impl Backlog {
    /// Makes an empty queue.
    pub(super) const fn new() -> Self {
        Self {
            newest: None,
            oldest: None,
        }
    }

    /// Puts a connection at the end of the queue.
    pub(super) fn push(&mut self, mut waiting: KBox<Waiting>) {
        waiting.next = self.newest.take();
        self.newest = Some(waiting);
    }

    /// Calls `f` with each connection and its place in the queue, from zero.
    pub(super) fn for_each(&self, mut f: impl FnMut(usize, &Pending)) {
        let mut place = 0usize;
        for pending in chain(&self.oldest) {
            f(place, pending);
            place = place.wrapping_add(1);
        }
        // From the end of the queue to the middle.
        place = chain(&self.newest).fold(place, |place, _| place.wrapping_add(1));
        for pending in chain(&self.newest) {
            place = place.wrapping_sub(1);
            f(place, pending);
        }
    }

    /// Takes the connection that has waited longest. What it was wrapped in is
    /// to be dropped after the lock.
    pub(super) fn pop(&mut self) -> Option<KBox<Waiting>> {
        if self.oldest.is_none() {
            while let Some(mut waiting) = self.newest.take() {
                self.newest = waiting.next.take();
                waiting.next = self.oldest.take();
                self.oldest = Some(waiting);
            }
        }
        let mut waiting = self.oldest.take()?;
        self.oldest = waiting.next.take();
        Some(waiting)
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        // One by one: a chain that is dropped as a whole would recurse.
        while let Some(waiting) = self.pop() {
            drop(waiting);
        }
    }
}

/// Walks a chain.
fn chain(first: &Option<KBox<Waiting>>) -> impl Iterator<Item = &Pending> {
    let mut next = first.as_deref();
    core::iter::from_fn(move || {
        let waiting = next?;
        next = waiting.next.as_deref();
        Some(&waiting.pending)
    })
}

/// Unwraps a connection that was taken from the queue.
pub(super) fn unwrap(waiting: KBox<Waiting>) -> Pending {
    KBox::into_inner(waiting).pending
}
