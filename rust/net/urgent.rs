// SPDX-License-Identifier: GPL-2.0

//! Out-of-band bytes in a queue: see [`crate::pure::oob`].
//!
//! Each has a mark. Where no bytes have marks, nothing here is ever called but to
//! be told so.

use super::msg::ReceiveMsg;
use super::queue::ByteQueue;
use super::reader::{
    PullFault,
    Reader, //
};
use crate::pure::oob::{
    self,
    Look,
    Place,
    Places,
    Step,
    Stretch, //
};

impl<M: Send + 'static> ByteQueue<M> {
    /// Tells whether there is an out-of-band byte. A snapshot; any context.
    pub(crate) fn has_urgent(&self) -> bool {
        self.marks.urgent().is_some()
    }

    /// Returns how many bytes in the queue are still to be received: those that
    /// were received out of band don't count. A snapshot; any context.
    pub(crate) fn unread(&self) -> usize {
        let queued = self.queued();
        queued.saturating_sub(self.marks.gaps())
    }
}

impl<M: Send + 'static> Places for Reader<'_, M> {
    fn at(&self, offset: usize) -> Option<Stretch> {
        let left = self
            .readable()
            .checked_sub(offset)
            .filter(|left| *left > 0)?;
        let position = self.queue.positions.read_position().wrapping_add(offset);
        let stretch = self.queue.marks.place_at(position);
        Some(Stretch {
            len: stretch.len.min(left),
            ..stretch
        })
    }

    fn has_urgent(&self) -> bool {
        self.queue.has_urgent()
    }
}

impl<M: Send + 'static> Reader<'_, M> {
    /// Does what a read has to do about out-of-band bytes, `offset` bytes from
    /// the front, and returns how it goes on.
    ///
    /// May sleep: what goes with bytes that are dropped is.
    pub(crate) fn pass_urgent(&mut self, offset: usize, look: Look) -> Step {
        let step = oob::step(self, offset, look);
        match step {
            Step::Settle => (self.queue.marks).settle(self.queue.positions.read_position()),
            Step::Drop(count) => self.discard(count),
            Step::Take | Step::Stop | Step::Pass(_) => {}
        }
        step
    }

    /// Drops bytes at the front.
    fn discard(&mut self, count: usize) {
        let mut left = count.min(self.readable());
        while left > 0 {
            let position = self.queue.positions.read_position();
            let Some((_, part)) = self.first_part(position, left) else {
                break;
            };
            self.queue.positions.consume(part);
            left = left.wrapping_sub(part);
        }
        let position = self.queue.positions.read_position();
        self.queue.marks.discard_before(position);
    }

    /// Returns where a peek begins that skips some bytes, as a distance from the
    /// front; `None` if there is nothing for it in the queue.
    pub(crate) fn seek(&self, skip: usize, inline: bool) -> Option<usize> {
        if self.queue.marks.is_empty() {
            return Some(skip);
        }
        oob::seek(self, skip, inline)
    }

    /// Tells whether the next byte to be read is the out-of-band one, or would
    /// be, had it not been received.
    pub(crate) fn is_at_mark(&self) -> bool {
        !self.queue.marks.is_empty() && oob::at_mark(self)
    }

    /// Copies the out-of-band byte into a message, if that has room. `None` if
    /// there is no such byte.
    pub(crate) fn copy_urgent(
        &mut self,
        msg: &mut ReceiveMsg<'_>,
    ) -> Option<Result<(), PullFault>> {
        let position = self.queue.marks.urgent()?;
        let offset = position.wrapping_sub(self.queue.positions.read_position());
        Some(self.peek(msg, offset, 1).map(|_| ()))
    }

    /// Notes that the out-of-band byte was received. May sleep.
    pub(crate) fn take_urgent(&mut self) {
        self.queue.marks.open_gap();
    }
}
