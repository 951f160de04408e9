// SPDX-License-Identifier: GPL-2.0

//! A queue of bytes between the writers and the readers of a stream.
//!
//! Writers are serialised among themselves by one lock and readers by another;
//! the two sides meet in the [positions](crate::pure::ring) alone. The bytes lie
//! in a chain of chunks, which grows as needed and shrinks as it is read; an
//! empty queue that nobody writes to has none.
//!
//! ```text
//!  reader                                   writer
//!    |                                        |
//!  head -> [chunk] -> [chunk] -> [chunk] <- tail
//!            ^ consumed            ^ produced
//! ```
//!
//! User memory is copied under these locks, but with page faults disabled: a
//! page that isn't present makes the copy fail ([`PushError::Fault`],
//! [`super::PullFault`]), the caller brings it in without a lock, and tries
//! again. So nobody can hold up others by memory that is slow to come.
//!
//! Lock order: reader before writer.

use super::ancillary::SenderId;
use super::chunk::{
    Chunk,
    Header, //
};
use super::landing::Slot;
use super::marks::{
    Mark,
    Marks,
    Rider, //
};
use super::msg::SendMsg;
use super::offer::Open;
use super::reader::Reader;
use super::smallbox::SmallBox;
use super::wait::full_barrier;
use super::warm::{
    Cool,
    Warmth, //
};
use super::word::{
    Flag,
    Word, //
};
use crate::pure::{
    limits,
    ring::{
        Counter,
        Positions, //
    }, //
};
use core::{
    cell::UnsafeCell,
    ptr::NonNull, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        lock::{
            mutex::MutexBackend,
            Guard, //
        },
        Mutex, //
    }, //
};

/// A position in the kernel's memory model.
impl Counter for Word {
    #[inline(always)]
    fn load_relaxed(&self) -> usize {
        self.get()
    }

    #[inline(always)]
    fn load_acquire(&self) -> usize {
        self.get_acquire()
    }

    #[inline(always)]
    fn store_release(&self, value: usize) {
        self.set_release(value);
    }
}

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

/// A queue of bytes.
///
/// # Invariants
///
/// * The chunks from `head` on, each linked to the next, are owned by the queue;
///   the last is `tail` of the writer's half. Both are `None` at the same time.
/// * Their segments cover the readable positions without a gap, in order.
/// * The bytes at readable positions, `head`, and the segments and links of the
///   chunks up to the last readable byte belong to the holder of the reader
///   lock; all else to the holder of the writer lock. While the queue is drained
///   all of it belongs to the holder of the writer lock.
#[pin_data(PinnedDrop)]
pub(crate) struct ByteQueue<M: Send + 'static = ()> {
    pub(super) positions: Positions<Word>,
    pub(super) head: Chain,
    /// A writer has found no room and waits for it.
    wish: Flag,
    /// Nothing more comes in. Changed and relied on under the writer lock.
    shut: Flag,
    /// The queue may keep a chunk while it is drained.
    pub(super) warmth: Warmth,
    /// What is known of offers without the writer lock.
    pub(super) open: Open,
    /// What goes with the bytes.
    #[pin]
    pub(super) marks: Marks<M>,
    #[pin]
    pub(super) writer: Mutex<WriterHalf>,
    #[pin]
    reader: Mutex<ReaderHalf>,
}

#[pinned_drop]
impl<M: Send + 'static> PinnedDrop for ByteQueue<M> {
    fn drop(self: Pin<&mut Self>) {
        self.warmth.leave(self.as_cool());
    }
}

impl<M: Send + 'static> Cool for ByteQueue<M> {
    fn cool(&self) -> bool {
        let Some(_reader) = self.reader.try_lock() else {
            return false;
        };
        if !self.warmth.grows_cold() {
            return false;
        }
        let Some(mut writer) = self.writer.try_lock() else {
            return false;
        };
        // If there are bytes, who reads the last of them gives all back.
        if self.positions.unread() == 0 {
            self.free_idle(&mut writer);
        }
        self.warmth.set_cold();
        true
    }
}

/// The first chunk of a chain, which owns all chunks of it when it is dropped.
pub(super) struct Chain(pub(super) UnsafeCell<Option<NonNull<Header>>>);

impl Drop for Chain {
    fn drop(&mut self) {
        let mut next = self.0.get_mut().take();
        while let Some(chunk) = next {
            // SAFETY: By the invariants of `ByteQueue`, the chain is owned by the queue, which is
            // being dropped: nobody else uses it any more.
            unsafe {
                next = (*chunk.as_ptr()).next();
                drop(Chunk::from_raw(chunk));
            }
        }
    }
}

/// What the writer lock guards besides.
pub(super) struct WriterHalf {
    pub(super) tail: Option<NonNull<Header>>,
    /// Where a waiting reader has memory on offer.
    pub(super) landing: Slot,
}

/// What the reader lock guards besides: nothing, so far.
pub(super) struct ReaderHalf;

// SAFETY: The pointers are to memory that the queue owns, and each is only used under its lock, as
// the type invariants say.
unsafe impl<M: Send + 'static> Send for ByteQueue<M> {}
// SAFETY: As above.
unsafe impl<M: Send + 'static> Sync for ByteQueue<M> {}
// SAFETY: As above.
unsafe impl Send for WriterHalf {}

impl<M: Send + 'static> ByteQueue<M> {
    /// Returns the initialiser of an empty queue.
    pub(crate) fn new() -> impl PinInit<Self> {
        // INVARIANT: There are no chunks, and the queue is drained.
        pin_init!(Self {
            positions: Positions::new(Word::new(0), Word::new(0)),
            head: Chain(UnsafeCell::new(None)),
            wish: Flag::new(false),
            shut: Flag::new(false),
            warmth: Warmth::new(),
            open: Open::new(),
            marks <- Marks::new(),
            writer <- new_mutex!(WriterHalf {
                tail: None,
                landing: Slot::new(),
            }, "ByteQueue::writer"),
            reader <- new_mutex!(ReaderHalf, "ByteQueue::reader"),
        })
    }

    /// Tells whether nothing more comes in. Under the writer lock for good.
    pub(super) fn is_shut(&self) -> bool {
        self.shut.get()
    }

    /// Returns how many bytes are in the queue. A snapshot; any context.
    #[inline]
    pub(crate) fn queued(&self) -> usize {
        self.positions.queued()
    }

    /// Tells whether anything goes with bytes of the queue, or did. A snapshot; any context.
    #[inline]
    pub(crate) fn has_marks(&self) -> bool {
        !self.marks.is_empty()
    }

    /// Returns the position behind the last byte: when it has changed, something
    /// has come. A snapshot; any context.
    pub(crate) fn end(&self) -> usize {
        self.positions.end()
    }

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

    /// Returns what `queued` bytes count for: marks take memory too.
    fn charged(&self, queued: usize) -> usize {
        if queued == 0 {
            return 0;
        }
        queued.saturating_add(self.marks.memory())
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

    /// Leaves the wish to be told when a sender with the limit `sndbuf` becomes
    /// writable, and returns whether it already is. Any context.
    pub(crate) fn wish_writable(&self, sndbuf: usize) -> bool {
        if limits::writable(self.charged(self.queued()), sndbuf) {
            return true;
        }
        self.wish.set(true);
        // Pairs with the barrier in `has_wish`.
        full_barrier();
        limits::writable(self.charged(self.queued()), sndbuf)
    }

    /// Tells whether there is a wish of a writer. Any context; to be called after
    /// bytes were read.
    #[inline]
    pub(crate) fn has_wish(&self) -> bool {
        // Pairs with the barriers in `wish_granted` and `wish_writable`.
        full_barrier();
        self.wish.get()
    }

    /// Takes the wish of a writer with the limit `sndbuf`, if there is one and
    /// it may be fulfilled. Any context; to be called after [`ByteQueue::has_wish`].
    pub(crate) fn take_wish(&self, sndbuf: usize) -> bool {
        if !self.wish.get() || !limits::writable(self.charged(self.queued()), sndbuf) {
            return false;
        }
        self.wish.set(false);
        true
    }

    /// Becomes the one who reads.
    ///
    /// May sleep, but not for long: nobody sleeps for a program's memory, or
    /// for bytes to come, with the lock held.
    pub(crate) fn read(&self) -> Reader<'_, M> {
        Reader::new(self, self.reader.lock())
    }

    /// Lets no more bytes in. When this returns, what is in the queue is all
    /// that will ever be.
    ///
    /// Returns whether there is anything that [`ByteQueue::close`] would free, if
    /// nobody reads any more. May sleep.
    pub(crate) fn shut(&self) -> bool {
        let writer = self.writer.lock();
        self.shut.set(true);
        writer.tail.is_some() || !self.marks.is_empty() || self.warmth.is_warm()
    }

    /// Returns the queue as what [`super::warm`] knows of it.
    pub(super) fn as_cool(&self) -> NonNull<dyn Cool> {
        NonNull::from(self)
    }

    /// Closes the queue: no bytes come in any more, and those that are in there
    /// are dropped. Returns how many those were.
    ///
    /// May sleep.
    pub(crate) fn close(&self) -> usize {
        self.discard(true)
    }

    /// Drops the bytes that are in the queue. May sleep.
    pub(crate) fn purge(&self) {
        self.discard(false);
    }

    fn discard(&self, shut: bool) -> usize {
        if shut {
            self.warmth.leave(self.as_cool());
        }
        let _reader = self.reader.lock();
        let mut writer = self.writer.lock();
        if shut {
            self.shut.set(true);
        }
        let unread = self.positions.readable();
        self.positions.consume(unread);
        self.free_chain(&mut writer);
        drop(writer);
        if shut {
            self.marks.discard_all();
        } else {
            // There may be new ones.
            self.marks.discard_before(self.positions.read_position());
        }
        unread
    }

    /// Frees all that a drained queue keeps for what may come, under both locks. Any context.
    pub(super) fn free_idle(&self, writer: &mut Guard<'_, WriterHalf, MutexBackend>) {
        self.free_chain(writer);
        drop(self.marks.take_kept(self.positions.read_position()));
    }

    /// Frees all chunks of a drained queue, under both locks.
    pub(super) fn free_chain(&self, writer: &mut Guard<'_, WriterHalf, MutexBackend>) {
        writer.tail = None;
        // SAFETY: The queue is drained, and the writer lock is held: the chain is ours.
        unsafe {
            while let Some(head) = *self.head.0.get() {
                *self.head.0.get() = (*head.as_ptr()).next();
                drop(Chunk::from_raw(head));
            }
        }
    }
}
