// SPDX-License-Identifier: GPL-2.0

//! Connections that wait to be accepted.

use super::socket::Runix;
use crate::net::Unattached;
use kernel::{
    alloc::flags::GFP_KERNEL_ACCOUNT,
    prelude::*, //
};

/// A connection that waits.
pub(super) type Pending = Unattached<Runix>;

/// Room for waiting connections, made before the lock under which it is used.
pub(super) struct Room(KVec<Option<Pending>>);

impl Room {
    /// Makes room for `count` connections.
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(super) fn new(count: usize) -> Result<Self> {
        let mut slots = KVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..count {
            slots.push(None, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(Self(slots))
    }
}

/// A queue of waiting connections, first come first served.
///
/// # Invariants
///
/// The `len` slots from `first` on, around the end, are filled; all others are
/// empty.
pub(crate) struct Backlog {
    slots: KVec<Option<Pending>>,
    first: usize,
    len: usize,
}

impl Backlog {
    /// Makes an empty queue.
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(super) fn new() -> Result<KBox<Self>> {
        const FEW: usize = 8;
        let Room(slots) = Room::new(FEW)?;
        // INVARIANT: All slots are empty.
        Ok(KBox::new(
            Self {
                slots,
                first: 0,
                len: 0,
            },
            GFP_KERNEL_ACCOUNT,
        )?)
    }

    /// Returns how much room a full queue asks for next; `None` if there is
    /// still a free slot.
    pub(super) fn wanted_room(&self) -> Option<usize> {
        (self.len >= self.slots.len()).then(|| self.slots.len().saturating_mul(2).max(1))
    }

    /// Moves to a larger room, and hands back the one to be freed after the
    /// lock.
    ///
    /// Does nothing if it isn't larger: another task may have been faster.
    pub(super) fn grow(&mut self, room: Room) -> Room {
        let Room(mut slots) = room;
        if slots.len() <= self.slots.len() {
            return Room(slots);
        }
        for slot in &mut slots {
            *slot = self.pop();
            if slot.is_none() {
                break;
            }
            // `pop` has counted it off.
        }
        let len = slots.iter().filter(|slot| slot.is_some()).count();
        // INVARIANT: The connections stand at the front, in order.
        self.first = 0;
        self.len = len;
        Room(core::mem::replace(&mut self.slots, slots))
    }

    /// Puts a connection at the end of the queue, or hands it back if there is
    /// no slot.
    pub(super) fn push(&mut self, pending: Pending) -> Result<(), Pending> {
        let end = self.index(self.len);
        match self.slots.get_mut(end) {
            Some(slot @ None) => {
                // INVARIANT: The slot is the first empty one.
                *slot = Some(pending);
                self.len = self.len.wrapping_add(1);
                Ok(())
            }
            _ => Err(pending),
        }
    }

    /// Takes the connection that has waited longest.
    pub(super) fn pop(&mut self) -> Option<Pending> {
        let pending = self.slots.get_mut(self.first)?.take()?;
        // INVARIANT: The slot is empty now.
        self.first = self.index(1);
        self.len = self.len.wrapping_sub(1);
        Some(pending)
    }

    /// Returns the slot `offset` places behind the first.
    fn index(&self, offset: usize) -> usize {
        let index = self.first.wrapping_add(offset);
        if index >= self.slots.len() {
            index.wrapping_sub(self.slots.len())
        } else {
            index
        }
    }
}
