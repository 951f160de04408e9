// SPDX-License-Identifier: GPL-2.0

//! A reader's memory on offer to the writers of a queue: see [`super::landing`].

use super::landing::{
    Habit,
    Landing,
    Slot, //
};
use super::msg::{
    ReceiveMsg,
    SendMsg, //
};
use super::packet::PacketQueue;
use super::queue::ByteQueue;
use super::reader::Reader;
use super::wait::Timeout;
use super::word::Flag;
use crate::pure::habit::WORTHWHILE;
use core::mem;
use kernel::{
    prelude::*,
    time::msecs_to_jiffies, //
};

/// For how many milliseconds of a wait pages are pinned.
const MOMENTS: u32 = 20;

/// What a queue keeps for offers, beside the slot.
pub(crate) struct Open {
    /// There is a landing in the slot. Changed under the slot's lock.
    flag: Flag,
    /// What was sent last has landed.
    landed: Flag,
    /// How much comes at once.
    habit: Habit,
}

impl Open {
    pub(super) const fn new() -> Self {
        Self {
            flag: Flag::new(false),
            landed: Flag::new(false),
            habit: Habit::new(),
        }
    }
}

/// A queue whose writers may find a landing.
///
/// # Safety
///
/// Both functions hand out the same slot, which is reached under one lock alone;
/// [`Lands::shut_again`] does so in any case.
pub(crate) unsafe trait Lands {
    /// Hands out the slot, under its lock, if a reader that has found nothing may make an
    /// offer now, which has `tag`. May sleep.
    fn open(&self, tag: usize, with: impl FnOnce(&mut Slot));

    /// Hands out the slot, under its lock. May sleep, but for no program's memory.
    fn shut_again(&self, with: impl FnOnce(&mut Slot));

    /// Returns what is known without the lock.
    fn state(&self) -> &Open;

    /// Tells whether a reader has memory on offer. A snapshot; any context.
    #[inline]
    fn has_landing(&self) -> bool {
        self.state().flag.get()
    }

    /// Tells whether what was sent last has landed; not twice of the same message. Any
    /// context.
    fn take_landed(&self) -> bool {
        let landed = self.state().landed.get();
        if landed {
            self.state().landed.set(false);
        }
        landed
    }

    /// Notes that a message of so many bytes is sent, so that a reader that waits for more
    /// of them may offer its memory. Any context.
    fn expect(&self, len: usize) {
        if len >= WORTHWHILE {
            self.state().habit.note(len);
        }
    }

    /// Tells whether a receive that finds nothing should offer its memory. Any context.
    #[inline]
    fn expects_much(&self, msg: &ReceiveMsg<'_>) -> bool {
        self.state().habit.expected() > 0 && msg.room() >= WORTHWHILE
    }
}

/// Memory that writers may copy to until the value is dropped.
pub(crate) struct Offer<'a, Q: Lands> {
    queue: &'a Q,
    landing: Landing,
    /// The landing is in the slot, or was taken out by who has filled it.
    open: bool,
}

impl<'a, Q: Lands> Offer<'a, Q> {
    /// Offers the memory of a receive to the writers of a queue that has nothing, if it is
    /// likely that they write much, and no more than `most` bytes of it. `tag` tells what
    /// has come so far.
    ///
    /// May sleep, but not for the program's memory. `None` if that isn't there, or something
    /// has come.
    pub(crate) fn new(
        queue: &'a Q,
        msg: &mut ReceiveMsg<'_>,
        tag: usize,
        most: usize,
    ) -> Option<Self> {
        let expected = queue.state().habit.expected();
        let landing = Landing::of(msg, expected.min(most), tag)?;
        let mut this = Self {
            queue,
            landing,
            open: false,
        };
        queue.open(tag, |slot| {
            if slot.is_empty() {
                // SAFETY: It is taken out by `drop`, which comes before the landing's, and gets
                // the same slot, by the safety requirements of `Lands`.
                unsafe { slot.insert(&this.landing) };
                queue.state().flag.set(true);
                this.open = true;
            }
        });
        this.open.then_some(this)
    }

    /// Returns how many bytes were copied. Any context.
    pub(crate) fn filled(&self) -> usize {
        self.landing.filled()
    }

    /// Takes the offer back, and counts what was copied as received by the message, for
    /// which it was made. Returns how many bytes that were. May sleep.
    pub(crate) fn take_back(mut self, msg: &mut ReceiveMsg<'_>) -> usize {
        self.close(|| ());
        let filled = self.landing.filled();
        msg.landed(filled);
        if (1..WORTHWHILE).contains(&filled) {
            // What comes isn't large any more.
            self.queue.state().habit.note(filled);
        }
        filled
    }

    /// Takes the landing out of the slot, and calls `then` under the lock; once.
    fn close(&mut self, then: impl FnOnce()) {
        if !mem::take(&mut self.open) {
            return;
        }
        self.queue.shut_again(|slot| {
            slot.remove(&self.landing);
            if slot.is_empty() {
                self.queue.state().flag.set(false);
            }
            then();
        });
    }
}

impl<M: Send + 'static> Offer<'_, ByteQueue<M>> {
    /// Does what [`Offer::take_back`] does, for who has become the reader before. Returns, too,
    /// how many bytes of the queue follow on what has landed.
    ///
    /// As nobody else could make an offer until now, nothing has landed elsewhere that was
    /// sent in between; and others who have read from the queue have moved its position.
    pub(crate) fn take_back_reading(
        mut self,
        msg: &mut ReceiveMsg<'_>,
        reader: &Reader<'_, M>,
    ) -> (usize, usize) {
        let (queue, tag) = (self.queue, self.landing.tag());
        let mut end = tag;
        self.close(|| end = queue.positions.write_position());
        let follows = match reader.position() == tag {
            true => end.wrapping_sub(tag),
            false => 0,
        };
        (self.take_back(msg), follows)
    }
}

impl<Q: Lands> Drop for Offer<'_, Q> {
    fn drop(&mut self) {
        self.close(|| ());
    }
}

// SAFETY: The slot is that of the writer's half, under the writer lock.
unsafe impl<M: Send + 'static> Lands for ByteQueue<M> {
    fn open(&self, tag: usize, with: impl FnOnce(&mut Slot)) {
        let mut writer = self.writer.lock();
        if self.positions.unread() == 0 && self.positions.write_position() == tag {
            with(&mut writer.landing);
        }
    }

    fn shut_again(&self, with: impl FnOnce(&mut Slot)) {
        with(&mut self.writer.lock().landing);
    }

    fn state(&self) -> &Open {
        &self.open
    }
}

impl<M: Send + 'static> ByteQueue<M> {
    /// Copies the next `count` bytes of a message to a waiting reader, past the queue, or
    /// as many as that has room for. Returns how many were copied: none if there is no such
    /// reader; fewer if a page of the program's memory isn't present.
    ///
    /// May sleep, but not for the program's memory or for room. The reader is to be woken.
    pub(crate) fn land(&self, msg: &mut SendMsg<'_>, count: usize) -> usize {
        // Pages that are handed over are copied once anyway.
        if msg.splices_pages() {
            return 0;
        }
        let mut writer = self.writer.lock();
        let Some((tag, room)) = writer.landing.look() else {
            return 0;
        };
        // Nothing is overtaken: what was queued since would have moved the position.
        if self.shut.get() || tag != self.positions.write_position() {
            return 0;
        }
        let copied = writer.landing.fill(msg, count);
        if copied == room {
            // It stays in the slot until the reader has taken it back: see `take_back_reading`.
            self.open.flag.set(false);
        }
        if copied > 0 {
            self.open.landed.set(true);
        }
        copied
    }
}

// SAFETY: The slot is what the lookers' lock guards.
unsafe impl<M: Send> Lands for PacketQueue<M> {
    fn open(&self, tag: usize, with: impl FnOnce(&mut Slot)) {
        let mut slot = self.lookers.lock();
        // Who sends looks once more, under the lock of the list.
        if self.is_unchanged(tag) {
            with(&mut slot);
        }
    }

    fn shut_again(&self, with: impl FnOnce(&mut Slot)) {
        with(&mut self.lookers.lock());
    }

    fn state(&self) -> &Open {
        &self.open
    }
}

impl<M: Send> PacketQueue<M> {
    /// Copies all that is left of a message to a waiting reader, past the queue, and tells
    /// whether that was possible; otherwise nothing has happened.
    ///
    /// `takes` is asked whether the receiver takes a packet now, which it does under the
    /// lock of the list, and [is told](Self::is_unchanged) what has come to it so far. The
    /// reader is to be woken.
    ///
    /// May sleep, but not for the program's memory. Fails as `takes` does.
    pub(crate) fn land(
        &self,
        msg: &mut SendMsg<'_>,
        takes: impl FnOnce(usize) -> Result<bool>,
    ) -> Result<bool> {
        let len = msg.remaining();
        let mut slot = self.lookers.lock();
        let Some((tag, _)) = slot.look().filter(|(_, room)| *room >= len) else {
            return Ok(false);
        };
        if !takes(tag)? {
            return Ok(false);
        }
        let copied = slot.fill(msg, len);
        if copied < len {
            // SAFETY: So many bytes were just copied; a landing takes one packet.
            unsafe { slot.undo(msg, copied) };
            return Ok(false);
        }
        slot.clear();
        self.open.flag.set(false);
        self.open.landed.set(true);
        Ok(true)
    }

    /// Tells whether nothing has come since the queue was empty and `tag` was its number
    /// of [arrivals](Self::arrivals). A snapshot, unless the lock of the list is held.
    pub(crate) fn is_unchanged(&self, tag: usize) -> bool {
        self.count() == 0 && self.arrivals() == tag
    }
}

/// Lets `wait`, which is [`Live::wait`] or one like it, have the first moments of the time
/// only. `EAGAIN` also if there is time left after that.
///
/// [`Live::wait`]: super::live::Live::wait
pub(crate) fn wait_briefly(
    timeout: &mut Timeout,
    wait: impl FnOnce(&mut Timeout) -> Result,
) -> Result {
    let mut brief = timeout.at_most(msecs_to_jiffies(MOMENTS));
    let given = brief;
    let result = wait(&mut brief);
    timeout.spend(given, brief);
    result
}
