// SPDX-License-Identifier: GPL-2.0

//! The writer's half of a [queue of bytes](super::queue).

use super::ancillary::SenderId;
use super::chunk::{
    Chunk,
    Header, //
};
use super::landing::Slot;
use super::marks::{
    Mark,
    Rider, //
};
use super::msg::SendMsg;
use super::queue::ByteQueue;
use super::smallbox::SmallBox;
use super::wait::full_barrier;
use crate::pure::limits;
use core::ptr::NonNull;
use kernel::{
    prelude::*,
    sync::lock::{
        mutex::MutexBackend,
        Guard, //
    }, //
};

/// Why a piece was not queued. Nothing of it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PushError {
    /// There is no room. The queue will say when there is
    /// ([`ByteQueue::has_wish`]).
    Full,
    /// Nothing more is taken ([`ByteQueue::shut`]).
    Shut,
    /// A page of the program's memory isn't present.
    Fault,
    /// There is no memory for the bytes.
    NoMemory,
}

/// What the writer lock guards besides.
pub(super) struct WriterHalf {
    pub(super) tail: Option<NonNull<Header>>,
    /// Where a waiting reader has memory on offer.
    pub(super) landing: Slot,
}

// SAFETY: The pointer is to memory that the queue owns, and is used under its writer lock alone.
unsafe impl Send for WriterHalf {}

impl<M: Send + 'static> ByteQueue<M> {
    /// Queues the next `count` bytes of a message, all or none, under the
    /// sender's limit `sndbuf`. They take `mark` with them.
    ///
    /// May sleep, but not for the program's memory or for room.
    pub(crate) fn push(
        &self,
        msg: &mut SendMsg<'_>,
        count: usize,
        sndbuf: usize,
        mark: &mut Option<SmallBox<Mark<M>>>,
    ) -> Result<(), PushError>
    where
        M: Rider,
    {
        self.put(self.writer.lock(), msg, count, sndbuf, |start| {
            match mark.take() {
                Some(mark) => {
                    mark.value().queued();
                    (self.marks).push(mark, start, count, || self.positions.publish(count));
                }
                None => self.positions.publish(count),
            }
        })
    }

    /// Queues the next `count` bytes of a message, all or none, as [`ByteQueue::push`] does,
    /// if they may go with the mark of those before them, which tells of `from`.
    ///
    /// Returns whether they were queued. May sleep, but not for the program's memory or for
    /// room.
    pub(crate) fn push_alike(
        &self,
        msg: &mut SendMsg<'_>,
        count: usize,
        sndbuf: usize,
        from: SenderId,
    ) -> bool {
        let writer = self.writer.lock();
        if !(self.marks).may_grow(from, self.positions.write_position()) {
            return false;
        }
        let publish = |_| (self.marks).grow(count, || self.positions.publish(count));
        self.put(writer, msg, count, sndbuf, publish).is_ok()
    }

    /// Puts the next `count` bytes of a message into the queue, where `publish` lets the
    /// reader have them.
    #[inline]
    fn put(
        &self,
        mut writer: Guard<'_, WriterHalf, MutexBackend>,
        msg: &mut SendMsg<'_>,
        count: usize,
        sndbuf: usize,
        publish: impl FnOnce(usize),
    ) -> Result<(), PushError> {
        if self.shut.get() {
            return Err(PushError::Shut);
        }
        let unread = self.positions.unread();
        if !limits::fits(self.charged(unread), count, sndbuf) && !self.wish_granted(count, sndbuf) {
            return Err(PushError::Full);
        }
        let start = self.positions.write_position();
        if unread == 0 {
            if msg.hands_over_pages() {
                // They can't follow a chunk that has room.
                self.free_chain(&mut writer);
            }
            self.restart(&mut writer, start);
        }
        let tail = writer.tail;
        if tail.is_none() && !msg.hands_over_pages() {
            self.room_at(&mut writer, start, count, unread)?;
        }
        if !self.fill_tail(&writer, msg, start, count) {
            if let Err(e) = self.fill(&mut writer, msg, start, count, unread) {
                self.cut(&mut writer, tail);
                return Err(e);
            }
        }
        // INVARIANT: The segments cover the new bytes, which are the reader's now.
        publish(start);
        Ok(())
    }

    /// Does what [`ByteQueue::fill`] does, if the last chunk has room for all: the
    /// most frequent case, with no loop. Otherwise nothing has changed.
    #[inline]
    fn fill_tail(
        &self,
        writer: &Guard<'_, WriterHalf, MutexBackend>,
        msg: &mut SendMsg<'_>,
        start: usize,
        count: usize,
    ) -> bool {
        let Some(tail) = writer.tail else {
            return false;
        };
        // SAFETY: The chunk is owned by the queue, and its segment changes by the writer alone; the
        // bytes from `start` on are not readable, and so the writer's.
        unsafe {
            let segment = *(*tail.as_ptr()).segment.get();
            if segment.room(start) < count {
                return false;
            }
            let copied = msg.copy_nofault(Header::bytes(tail).add(segment.offset(start)), count);
            if copied < count {
                msg.revert(copied);
                return false;
            }
        }
        true
    }

    /// Copies the next `count` bytes of a message to the positions from `start`
    /// on, without publishing them.
    ///
    /// On an error the message is where it was, but there may be more chunks.
    #[inline(never)]
    fn fill(
        &self,
        writer: &mut Guard<'_, WriterHalf, MutexBackend>,
        msg: &mut SendMsg<'_>,
        start: usize,
        count: usize,
        unread: usize,
    ) -> Result<(), PushError> {
        let mut done: usize = 0;
        while done < count {
            let position = start.wrapping_add(done);
            let left = count.wrapping_sub(done);
            if msg.hands_over_pages() && Self::tail_is_full(writer, position) {
                match Chunk::of_pages(msg, left, position) {
                    Ok(Some((chunk, taken))) => {
                        self.link(writer, chunk.into_raw());
                        done = done.wrapping_add(taken);
                        continue;
                    }
                    // What isn't to be taken is copied.
                    Ok(None) => {}
                    Err(_) => {
                        // SAFETY: That many bytes were taken in this loop.
                        unsafe { msg.revert(done) };
                        return Err(PushError::NoMemory);
                    }
                }
            }
            let error = match self.room_at(writer, position, left, unread) {
                Ok((chunk, room)) => {
                    let part = room.min(left);
                    // SAFETY: The chunk is owned by the queue; the bytes from `position` on are
                    // not readable, and so the writer's; `part` of them are in the chunk.
                    let copied = unsafe {
                        let offset = (*(*chunk.as_ptr()).segment.get()).offset(position);
                        msg.copy_nofault(Header::bytes(chunk).add(offset), part)
                    };
                    done = done.wrapping_add(copied);
                    if copied == part {
                        continue;
                    }
                    PushError::Fault
                }
                Err(e) => e,
            };
            // SAFETY: That many bytes were copied in this loop.
            unsafe { msg.revert(done) };
            return Err(error);
        }
        Ok(())
    }

    /// Takes away the chunks behind `tail`, which hold nothing that was
    /// published.
    ///
    /// The segments must not get out of step with the positions: a chunk that
    /// stayed would be taken for the one that follows, with bytes in it that
    /// nobody wrote.
    fn cut(&self, writer: &mut Guard<'_, WriterHalf, MutexBackend>, tail: Option<NonNull<Header>>) {
        let mut next = match tail {
            // SAFETY: The chunk is owned by the queue; the reader doesn't follow its link before
            // there is something readable behind it.
            Some(tail) => unsafe { (*tail.as_ptr()).take_next() },
            // SAFETY: There was no chunk before: the queue is drained, and the head is the
            // writer's.
            None => unsafe { (*self.head.0.get()).take() },
        };
        writer.tail = tail;
        while let Some(chunk) = next {
            // SAFETY: The chunk was linked by `fill`, and nobody follows a link to it any more.
            unsafe {
                next = (*chunk.as_ptr()).next();
                drop(Chunk::from_raw(chunk));
            }
        }
    }

    /// Leaves the wish to be woken when there is room, and looks once more.
    fn wish_granted(&self, count: usize, sndbuf: usize) -> bool {
        self.wish.set(true);
        // Pairs with the barrier in `has_wish`: either the reader sees the wish, or its bytes are
        // seen to be gone here.
        full_barrier();
        limits::fits(self.charged(self.positions.unread()), count, sndbuf)
    }

    /// Begins a drained queue's chunk anew: hot memory is used again, and no
    /// second chunk is needed while the reader keeps up.
    fn restart(&self, writer: &mut Guard<'_, WriterHalf, MutexBackend>, position: usize) {
        let Some(tail) = writer.tail else {
            return;
        };
        // SAFETY: The chunk is owned by the queue.
        if unsafe { (*tail.as_ptr()).parts() } > 0 {
            // Pages that were read are nobody's memory to write to.
            return self.free_chain(writer);
        }
        // SAFETY: The queue is drained and the writer lock is held: by the type invariants, the
        // chain is ours.
        unsafe {
            (*(*tail.as_ptr()).segment.get()).restart(position);
            while let Some(head) = (*self.head.0.get()).filter(|head| *head != tail) {
                *self.head.0.get() = (*head.as_ptr()).next();
                drop(Chunk::from_raw(head));
            }
        }
    }

    /// Returns the chunk that holds `position`, the next one to be written, and
    /// how many bytes it has there; at least one.
    fn room_at(
        &self,
        writer: &mut Guard<'_, WriterHalf, MutexBackend>,
        position: usize,
        wanted: usize,
        unread: usize,
    ) -> Result<(NonNull<Header>, usize), PushError> {
        if let Some(tail) = writer.tail {
            // SAFETY: The chunk is owned by the queue, and its segment changes by the writer alone.
            let room = unsafe { (*(*tail.as_ptr()).segment.get()).room(position) };
            if room > 0 {
                return Ok((tail, room));
            }
        }
        let chunk = Chunk::alloc(wanted, unread, position).map_err(|_| PushError::NoMemory)?;
        let chunk = chunk.into_raw();
        self.link(writer, chunk);
        // SAFETY: The chunk is owned by the queue, and its segment changes by the writer alone.
        let room = unsafe { (*(*chunk.as_ptr()).segment.get()).room(position) };
        Ok((chunk, room))
    }

    /// Puts a chunk behind the last one, which is full.
    fn link(&self, writer: &mut Guard<'_, WriterHalf, MutexBackend>, chunk: NonNull<Header>) {
        match writer.tail {
            // SAFETY: The chunk is owned by the queue.
            Some(tail) => unsafe { (*tail.as_ptr()).set_next(chunk) },
            // SAFETY: Without a chunk nothing is readable: the queue is drained, and the head is
            // the writer's.
            None => unsafe { *self.head.0.get() = Some(chunk) },
        }
        // INVARIANT: The chunk is the last of the chain, and begins where the one before ends.
        writer.tail = Some(chunk);
    }

    /// Tells whether a chunk for `position`, the next to be written, may be linked.
    fn tail_is_full(writer: &Guard<'_, WriterHalf, MutexBackend>, position: usize) -> bool {
        writer.tail.is_none_or(|tail| {
            // SAFETY: The chunk is owned by the queue, and its segment changes by the writer alone.
            unsafe { (*(*tail.as_ptr()).segment.get()).room(position) == 0 }
        })
    }
}
