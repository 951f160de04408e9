// SPDX-License-Identifier: GPL-2.0

//! Sizes and thresholds: when a queue is full, how much a message may carry.
//!
//! Sizes are in bytes of user data unless said otherwise.

/// The largest piece of a stream write that is queued as a whole.
///
/// A write is cut into pieces so that a large one doesn't keep others from the
/// queue; a piece is published only when all of it was copied, so that a fault
/// in user memory leaves nothing half-written.
pub(crate) const PIECE_MAX: usize = 32 << 10;

/// Returns the size of the next piece of a write with `remaining` bytes to go,
/// by a sender whose buffer limit is `sndbuf`.
///
/// At most half of the limit, so that the reader can empty one piece while the
/// next is written.
pub(crate) fn piece(remaining: usize, sndbuf: usize) -> usize {
    remaining.min(PIECE_MAX).min((sndbuf / 2).max(1))
}

/// Tells whether a piece of `piece` bytes may be queued behind `queued` unread
/// bytes under the limit `sndbuf`.
///
/// An empty queue takes any piece, so that no limit can block a sender for
/// good.
pub(crate) fn fits(queued: usize, piece: usize, sndbuf: usize) -> bool {
    queued == 0 || queued.saturating_add(piece) <= sndbuf
}

/// Tells whether a sender with `queued` unread bytes counts as writable, for
/// `poll(2)` and for waking sleeping writers.
///
/// A quarter of the limit, as in `unix_writable()`: a woken writer should find
/// a worthwhile part of the buffer free.
pub(crate) fn writable(queued: usize, sndbuf: usize) -> bool {
    queued.saturating_mul(4) <= sndbuf
}

/// Tells whether a listener with `pending` connections in its queue takes no
/// more, under the limit `backlog`.
///
/// One more than the backlog fits, as in `sk_acceptq_is_full()`.
pub(crate) fn backlog_full(pending: u32, backlog: u32) -> bool {
    pending > backlog
}
