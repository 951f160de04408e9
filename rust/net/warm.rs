// SPDX-License-Identifier: GPL-2.0

//! Queues that keep their memory while they are empty.
//!
//! To take a buffer for a small message and to give it back when that was read costs
//! as much as all else that a queue does for the message. A queue that keeps its buffer
//! saves that; but all connections that were ever used would keep one. So there are some
//! [`PLACES`] for such queues, which take turns: a queue that is drained again and again
//! asks for a place, and gets that of one that was not drained since it was asked for
//! last. (Rows `sr/stream`, `pingpong/stream` and `mem-drained` of the bench.)
//!
//! Lock order: a queue's reader lock, then the lock of the places. Under that, other
//! queues are only tried to be locked.

use super::word::Word;
use crate::bindings;
use core::{
    cell::UnsafeCell,
    ptr::NonNull, //
};
use kernel::types::NotThreadSafe;

/// How many queues may keep a buffer, of half a kilobyte each.
const PLACES: usize = 128;

/// A queue asks for a place once in so many times that it is drained.
const PATIENCE: u16 = 8;

/// What may keep memory.
pub(super) trait Cool {
    /// Gives the memory back, unless somebody is at work, or has been since the last
    /// call. Returns whether it keeps none from now on.
    ///
    /// Called under a spin lock.
    fn cool(&self) -> bool;
}

/// Who has a place.
///
/// # Invariants
///
/// Each pointer is valid until its place is given up, which takes the lock.
struct Places {
    taken: [Option<NonNull<dyn Cool>>; PLACES],
    /// The place that is asked for next.
    hand: usize,
}

// SAFETY: What the pointers lead to may be used by any thread: see `enter`.
unsafe impl Send for Places {}

/// The places of all queues.
struct Table(UnsafeCell<Places>);

// SAFETY: The places are reached under the lock alone.
unsafe impl Sync for Table {}

static TABLE: Table = Table(UnsafeCell::new(Places {
    taken: [None; PLACES],
    hand: 0,
}));

/// The right to the places.
///
/// # Invariants
///
/// The lock of the places is held by this context.
struct Guard(NotThreadSafe);

impl Guard {
    fn lock() -> Self {
        // SAFETY: Has no requirements.
        unsafe { bindings::warm_lock() };
        // INVARIANT: The lock was just taken.
        Self(NotThreadSafe)
    }

    fn try_lock() -> Option<Self> {
        // SAFETY: Has no requirements.
        let taken = unsafe { bindings::warm_try_lock() };
        // Not `then_some()`, which would make a guard in any case, and drop it.
        // INVARIANT: The lock was just taken.
        taken.then(|| Self(NotThreadSafe))
    }

    fn places(&mut self) -> &mut Places {
        // SAFETY: By the type invariants; the guard is borrowed exclusively.
        unsafe { &mut *TABLE.0.get() }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // SAFETY: By the type invariants.
        unsafe { bindings::warm_unlock() };
    }
}

/// Whether a queue has a place, and how it came to it.
///
/// Changed under the queue's reader lock alone.
pub(super) struct Warmth(Word<u16>);

impl Warmth {
    /// The queue has a place.
    const WARM: u16 = 1;
    /// It was drained since it was asked for its place.
    const USED: u16 = 2;
    /// It has had a place: somebody who takes that may still be at work in the queue,
    /// under the lock of the places, when it is cold already.
    const KNOWN: u16 = 4;
    /// What comes above: the number of the place, or how often the queue was drained.
    const SHIFT: u32 = 4;

    /// Makes that of a queue without a place.
    pub(super) const fn new() -> Self {
        Self(Word::new(0))
    }

    /// Tells whether the queue has a place. A snapshot, without the lock.
    #[inline]
    pub(super) fn is_warm(&self) -> bool {
        self.0.get() & Self::WARM != 0
    }

    /// Notes that the queue was drained, and tells whether it has a place.
    #[inline]
    pub(super) fn use_place(&self) -> bool {
        let value = self.0.get();
        if value & Self::WARM == 0 {
            return false;
        }
        if value & Self::USED == 0 {
            self.0.set(value | Self::USED);
        }
        true
    }

    /// Asks for a place now and then. Returns whether there is one.
    ///
    /// # Safety
    ///
    /// `queue` is the one that this belongs to, whose reader lock is held. It may be
    /// used by any thread, and stays valid until [`Warmth::leave`] has been called, or
    /// [`Cool::cool`] has returned true.
    pub(super) unsafe fn ask(&self, queue: NonNull<dyn Cool>) -> bool {
        let drained = (self.0.get() >> Self::SHIFT).wrapping_add(1);
        if drained % PATIENCE != 0 {
            self.0
                .set((drained % PATIENCE) << Self::SHIFT | self.known());
            return false;
        }
        self.0.set(self.known());
        let Some(mut guard) = Guard::try_lock() else {
            return false;
        };
        let places = guard.places();
        let place = places.hand % PLACES;
        places.hand = place.wrapping_add(1);
        let Some(taken) = places.taken.get_mut(place) else {
            return false;
        };
        if let Some(other) = *taken {
            // SAFETY: By the type invariants of `Places`, whose lock is held.
            if !unsafe { other.as_ref() }.cool() {
                return false;
            }
        }
        // INVARIANT: The queue is valid by the function's safety requirements.
        *taken = Some(queue);
        self.0
            .set((place as u16) << Self::SHIFT | Self::WARM | Self::USED | Self::KNOWN);
        true
    }

    /// Returns the bit that stays when all else changes.
    #[inline(always)]
    fn known(&self) -> u16 {
        self.0.get() & Self::KNOWN
    }

    /// For [`Cool::cool`]: gives the place up, unless the queue was drained since this
    /// was asked last. Returns whether it has none any more.
    pub(super) fn grows_cold(&self) -> bool {
        let value = self.0.get();
        if value & Self::WARM != 0 && value & Self::USED != 0 {
            self.0.set(value & !Self::USED);
            return false;
        }
        true
    }

    /// For [`Cool::cool`]: notes that the place is another's.
    pub(super) fn set_cold(&self) {
        self.0.set(self.known());
    }

    /// Gives up the place of `queue`, if it has one, because that goes. Nobody uses
    /// the queue by way of the places once this has returned.
    ///
    /// Nobody may ask for one meanwhile, nor hold the queue's locks.
    pub(super) fn leave(&self, queue: NonNull<dyn Cool>) {
        if self.known() == 0 {
            return;
        }
        // Also where it is cold: who made it so is done with the queue once the lock is free.
        let mut guard = Guard::lock();
        let value = self.0.get();
        if value & Self::WARM != 0 {
            let place = usize::from(value >> Self::SHIFT);
            if let Some(taken) = guard.places().taken.get_mut(place) {
                // Another one may have it by now.
                if taken.is_some_and(|other| other.addr() == queue.addr()) {
                    *taken = None;
                }
            }
        }
        // INVARIANT: No place leads to the queue.
        self.0.set(0);
    }
}
