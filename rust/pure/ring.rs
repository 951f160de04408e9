// SPDX-License-Identifier: GPL-2.0

//! Positions of a byte queue with one producer and one consumer.
//!
//! A queue is described by two ever-growing positions: how many bytes were
//! *produced* and how many were *consumed*. Both wrap around at `usize::MAX`;
//! only their difference means anything, and it never exceeds the limit of the
//! queue. The bytes themselves live in segments that the caller keeps.
//!
//! Ownership of bytes follows from the positions:
//!
//! ```text
//!            consumed              produced
//!   ------------|=====================|--------------->  position
//!    free       |  readable: consumer | free: producer
//! ```
//!
//! [`Positions::publish`] hands bytes from the producer to the consumer and
//! [`Positions::consume`] hands them back; each is a release store that pairs
//! with the other side's acquire load. When the queue is *drained* (both
//! positions are equal) the producer owns every segment, and may start again
//! at the beginning of one ([`Segment::restart`]): the same hot cache lines are
//! used over and over by a reader that keeps up.

/// A counter shared by two threads.
///
/// The kernel, the host and loom each bring their own; the orderings are part
/// of the names so that an implementation can't pick others.
pub(crate) trait Counter {
    /// Reads the counter without ordering anything.
    fn load_relaxed(&self) -> usize;
    /// Reads the counter; what the other side wrote before its
    /// [`Counter::store_release`] of the value is visible afterwards.
    fn load_acquire(&self) -> usize;
    /// Writes the counter after everything that this side read or wrote.
    fn store_release(&self, value: usize);
}

/// The two positions of a queue.
///
/// # Invariants
///
/// `produced - consumed` (wrapping) is the number of bytes in the queue. Only
/// the producer writes `produced`, and only the consumer writes `consumed`.
pub(crate) struct Positions<C> {
    produced: C,
    consumed: C,
}

impl<C: Counter> Positions<C> {
    /// Makes the positions of an empty queue from two equal counters.
    pub(crate) const fn new(produced: C, consumed: C) -> Self {
        // INVARIANT: The counters are equal: an empty queue.
        Self { produced, consumed }
    }

    /// Returns how many bytes are in the queue, from neither side's view.
    ///
    /// A snapshot for reports and poll masks: it may be outdated at once, but it
    /// is never more than what was in the queue at some moment during the call
    /// plus what was produced meanwhile.
    pub(crate) fn queued(&self) -> usize {
        // `consumed` first: read the other way round, bytes consumed between
        // the two loads could make the difference negative.
        let consumed = self.consumed.load_acquire();
        self.produced.load_acquire().wrapping_sub(consumed)
    }

    /// Returns the position behind the last byte that was produced. A snapshot.
    pub(crate) fn end(&self) -> usize {
        self.produced.load_acquire()
    }

    /// Returns how many bytes the consumer may read.
    ///
    /// Only the consumer calls this.
    pub(crate) fn readable(&self) -> usize {
        let consumed = self.consumed.load_relaxed();
        self.produced.load_acquire().wrapping_sub(consumed)
    }

    /// Returns the position of the next byte to be read.
    ///
    /// Only the consumer calls this.
    pub(crate) fn read_position(&self) -> usize {
        self.consumed.load_relaxed()
    }

    /// Gives `count` bytes, which the consumer has finished with, back to the
    /// producer.
    ///
    /// Only the consumer calls this, with at most [`Positions::readable`].
    pub(crate) fn consume(&self, count: usize) {
        let consumed = self.consumed.load_relaxed();
        self.consumed.store_release(consumed.wrapping_add(count));
    }

    /// Returns the position of the next byte to be written.
    ///
    /// Only the producer calls this.
    pub(crate) fn write_position(&self) -> usize {
        self.produced.load_relaxed()
    }

    /// Returns how many bytes are in the queue as the producer may rely on:
    /// there are no more than that, and what is not among them is the
    /// producer's.
    ///
    /// Only the producer calls this.
    pub(crate) fn unread(&self) -> usize {
        let consumed = self.consumed.load_acquire();
        self.produced.load_relaxed().wrapping_sub(consumed)
    }

    /// Hands `count` bytes, written behind the last published one, to the
    /// consumer.
    ///
    /// Only the producer calls this.
    pub(crate) fn publish(&self, count: usize) {
        let produced = self.produced.load_relaxed();
        self.produced.store_release(produced.wrapping_add(count));
    }
}

/// A run of positions that one piece of memory holds: `base .. base + capacity`
/// (wrapping).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    base: usize,
    capacity: usize,
}

impl Segment {
    /// Makes a segment of `capacity` bytes whose first byte has `position`.
    pub(crate) const fn new(position: usize, capacity: usize) -> Self {
        Self {
            base: position,
            capacity,
        }
    }

    /// Lets the segment begin at `position` again.
    ///
    /// The caller owns all of the segment's bytes: the queue is drained.
    pub(crate) fn restart(&mut self, position: usize) {
        self.base = position;
    }

    /// Returns the offset of `position` into the segment's memory; equal to
    /// the capacity at the segment's end.
    pub(crate) fn offset(&self, position: usize) -> usize {
        position.wrapping_sub(self.base)
    }

    /// Returns how many bytes the segment has at and behind `position`.
    ///
    /// Zero at the segment's end, and for a position that isn't in it.
    pub(crate) fn room(&self, position: usize) -> usize {
        self.capacity.saturating_sub(self.offset(position))
    }
}
