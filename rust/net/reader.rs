// SPDX-License-Identifier: GPL-2.0

//! The reader's half of a [queue of bytes](super::queue).

use super::chunk::{
    Chunk,
    Header, //
};
use super::handed;
use super::marks::Run;
use super::msg::ReceiveMsg;
use super::queue::{
    ByteQueue,
    ReaderHalf, //
};
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::lock::{
        mutex::MutexBackend,
        Guard, //
    }, //
};

/// Why nothing was copied to the program: of its next so many bytes, not all
/// are present in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PullFault(pub(crate) usize);

/// The one who reads from a queue.
pub(crate) struct Reader<'a, M: Send + 'static> {
    pub(super) queue: &'a ByteQueue<M>,
    _half: Guard<'a, ReaderHalf, MutexBackend>,
}

impl<'a, M: Send + 'static> Reader<'a, M> {
    pub(super) fn new(queue: &'a ByteQueue<M>, half: Guard<'a, ReaderHalf, MutexBackend>) -> Self {
        Self { queue, _half: half }
    }
}

impl<M: Send + 'static> Reader<'_, M> {
    /// Returns how many bytes may be read.
    pub(crate) fn readable(&self) -> usize {
        self.queue.positions.readable()
    }

    /// Returns the position of the next byte to be read.
    pub(crate) fn position(&self) -> usize {
        self.queue.positions.read_position()
    }

    /// Returns the position behind the last byte: see [`ByteQueue::end`].
    pub(crate) fn end(&self) -> usize {
        self.queue.end()
    }

    /// Returns the run of readable bytes, `skip` bytes from the front, that one
    /// mark or none goes with. May sleep: marks that were passed are dropped.
    #[inline]
    pub(crate) fn run(&mut self, skip: usize) -> Run<'_, M> {
        // First the bytes, then the marks: a mark is pushed before its bytes are published, so
        // that those of all these bytes are seen. Bytes that come in later aren't of the run.
        let readable = self.readable().saturating_sub(skip);
        if self.queue.marks.is_empty() {
            // By far the most frequent case.
            return Run::plain(readable);
        }
        let mut run = self.marked_run(skip);
        run.len = run.len.min(readable);
        run
    }

    /// Returns the run where there may be marks.
    fn marked_run(&mut self, skip: usize) -> Run<'_, M> {
        let position = self.queue.positions.read_position();
        let marks = &self.queue.marks;
        marks.discard_before(position);
        // SAFETY: This is the reader, and it is borrowed for the run.
        unsafe { marks.run_at(position.wrapping_add(skip)) }
    }

    /// Moves as many bytes as there are, as fit into a message and as `limit`
    /// allows, and returns how many that were.
    ///
    /// A fault after some bytes ends the read with those.
    pub(crate) fn pull(
        &mut self,
        msg: &mut ReceiveMsg<'_>,
        limit: usize,
    ) -> Result<usize, PullFault> {
        let mut done = 0;
        loop {
            let left = limit.wrapping_sub(done);
            let count = self.readable().min(msg.room()).min(left);
            if count == 0 {
                return Ok(done);
            }
            let position = self.queue.positions.read_position();
            let Some((chunk, part)) = self.first_part(position, count) else {
                return Ok(done);
            };
            // SAFETY: The reader lock is held, and the bytes are those of the chunk.
            if let Err(fault) = unsafe { copy_out(chunk, position, part, msg) } {
                return if done > 0 { Ok(done) } else { Err(fault) };
            }
            self.queue.positions.consume(part);
            done = done.wrapping_add(part);
        }
    }

    /// Moves what there is into a message where that is all that a receive has to
    /// do: there are bytes, no mark goes with any, and the message takes them from
    /// one chunk. Returns how many that were; none, if it isn't so.
    ///
    /// Case of the bench: `sr/stream`, and all that follow from that.
    #[inline]
    pub(crate) fn pull_plain(&mut self, msg: &mut ReceiveMsg<'_>) -> usize {
        let queue = self.queue;
        let readable = queue.positions.readable();
        if readable == 0 || !queue.marks.is_empty() {
            return 0;
        }
        let Some(chunk) = self.head() else {
            return 0;
        };
        let position = queue.positions.read_position();
        let count = readable.min(msg.room());
        // SAFETY: There are readable bytes and the reader lock is held: the head is ours; if the
        // bytes are in it, they are readable.
        let (small, parts) = unsafe {
            let segment = *(*chunk.as_ptr()).segment.get();
            if segment.room(position) < count || copy_out(chunk, position, count, msg).is_err() {
                return 0;
            }
            ((*chunk.as_ptr()).is_small(), (*chunk.as_ptr()).parts())
        };
        queue.positions.consume(count);
        // A small chunk is kept or given back at once, as many sockets may have one; that is
        // cheap. Others wait until the reader finds nothing: more is likely to come where there
        // was so much.
        if small && count == readable && (parts > 0 || !queue.warmth.use_place()) {
            self.keep_or_shrink(parts > 0);
        }
        count
    }

    /// Does what is to be done when all was read: as [`Reader::pull_plain`] does, where there
    /// were marks.
    #[inline]
    pub(crate) fn drained(&mut self) {
        if !self.queue.warmth.use_place() && self.has_one_small() {
            self.keep_or_shrink(false);
        }
    }

    /// Gives the memory of a drained queue back, unless it gets a place among those
    /// that keep a small chunk. Pages of others aren't kept.
    #[inline(never)]
    fn keep_or_shrink(&mut self, pages: bool) {
        // SAFETY: The reader lock is held. The queue gives up its place when it is dropped.
        if pages || !unsafe { self.queue.warmth.ask(self.queue.as_cool()) } {
            self.shrink();
        }
    }

    /// Copies bytes from `skip` on into a message, no more than `limit`, and
    /// leaves them in the queue.
    pub(crate) fn peek(
        &mut self,
        msg: &mut ReceiveMsg<'_>,
        skip: usize,
        limit: usize,
    ) -> Result<usize, PullFault> {
        let readable = self.readable();
        let end = readable.min(skip.saturating_add(msg.room().min(limit)));
        if skip >= end {
            return Ok(0);
        }
        let start = self.queue.positions.read_position();
        let mut next = self.head();
        let mut done = 0;
        while let Some(chunk) = next {
            let position = start.wrapping_add(skip).wrapping_add(done);
            // SAFETY: The chunk holds readable bytes, or ones in front of them; its segment
            // doesn't change while there are readable bytes.
            let room = unsafe { (*(*chunk.as_ptr()).segment.get()).room(position) };
            let part = room.min(end.wrapping_sub(skip).wrapping_sub(done));
            if part > 0 {
                // SAFETY: The reader lock is held, and the bytes are those of the chunk.
                if let Err(fault) = unsafe { copy_out(chunk, position, part, msg) } {
                    return if done > 0 { Ok(done) } else { Err(fault) };
                }
                done = done.wrapping_add(part);
            }
            if skip.wrapping_add(done) >= end {
                break;
            }
            // SAFETY: The chunk is owned by the queue; more readable bytes follow, so that there is
            // a next one, which stays.
            next = unsafe { (*chunk.as_ptr()).next() };
        }
        Ok(done)
    }

    /// Does what is to be done when a reader has found nothing: gives memory back, but
    /// for the small chunk of a queue that may keep it.
    pub(crate) fn rest(&mut self) {
        if !(self.queue.warmth.is_warm() && self.has_one_small()) {
            self.shrink();
        }
    }

    /// Tells whether a drained queue has one chunk, a small one. If a writer is at work,
    /// it may have anything.
    fn has_one_small(&self) -> bool {
        let Some(writer) = self.queue.writer.try_lock() else {
            return true;
        };
        match writer.tail {
            // SAFETY: The chunk is owned by the queue; if that is drained, so is the head.
            Some(tail) => unsafe {
                self.queue.positions.readable() > 0
                    || (self.head() == Some(tail)
                        && (*tail.as_ptr()).is_small()
                        && (*tail.as_ptr()).parts() == 0)
            },
            None => true,
        }
    }

    /// Gives the memory of a drained queue back, if no writer is at work.
    #[inline]
    pub(crate) fn shrink(&mut self) {
        if let Some(mut writer) = self.queue.writer.try_lock() {
            if self.queue.positions.unread() == 0 {
                self.queue.free_idle(&mut writer);
            }
        }
    }

    /// Returns the head of the chain. To be called while there are readable
    /// bytes, or with the writer lock held.
    fn head(&self) -> Option<NonNull<Header>> {
        // SAFETY: The reader lock is held, and there are readable bytes, or the writer lock is
        // held, too: the head is ours.
        unsafe { *self.queue.head.0.get() }
    }

    /// Returns the chunk of the first readable byte, and how many of `count`
    /// bytes it holds. Chunks that were read to the end are freed.
    /// `None` never happens while there are.
    pub(super) fn first_part(
        &mut self,
        position: usize,
        count: usize,
    ) -> Option<(NonNull<Header>, usize)> {
        let mut head = self.head();
        loop {
            let chunk = head?;
            // SAFETY: The chunk is owned by the queue, and its segment doesn't change while there
            // are readable bytes.
            let room = unsafe { (*(*chunk.as_ptr()).segment.get()).room(position) };
            if room > 0 {
                return Some((chunk, room.min(count)));
            }
            // SAFETY: All bytes of the chunk were read, and there are readable ones behind it: it
            // isn't the writer's tail any more, and the next one is linked.
            unsafe {
                head = (*chunk.as_ptr()).next();
                *self.queue.head.0.get() = head;
                drop(Chunk::from_raw(chunk));
            }
        }
    }
}

/// Copies readable bytes of a chunk to a message, all or none.
///
/// # Safety
///
/// The caller holds the reader lock; the `count` bytes from `position` on are
/// readable, and in this chunk.
unsafe fn copy_out(
    chunk: NonNull<Header>,
    position: usize,
    count: usize,
    msg: &mut ReceiveMsg<'_>,
) -> Result<(), PullFault> {
    // SAFETY: By the function's safety requirements.
    unsafe {
        let offset = (*(*chunk.as_ptr()).segment.get()).offset(position);
        let copied = match (*chunk.as_ptr()).parts() {
            0 => msg.copy_nofault(Header::bytes(chunk).add(offset), count),
            parts => handed::copy_parts(chunk, parts, offset, count, msg),
        };
        if copied < count {
            msg.revert(copied);
            return Err(PullFault(count));
        }
    }
    Ok(())
}
