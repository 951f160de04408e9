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
//! page that isn't present makes the copy fail ([`super::PushError::Fault`],
//! [`super::PullFault`]), the caller brings it in without a lock, and tries
//! again. So nobody can hold up others by memory that is slow to come.
//!
//! Lock order: reader before writer.

use super::chunk::{
    Chunk,
    Header, //
};
use super::landing::Slot;
use super::marks::Marks;
use super::offer::Open;
use super::reader::Reader;
use super::wait::full_barrier;
use super::warm::{
    Cool,
    Warmth, //
};
use super::word::{
    Flag,
    Word, //
};
use super::writer::WriterHalf;
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
    pub(super) wish: Flag,
    /// Nothing more comes in. Changed and relied on under the writer lock.
    pub(super) shut: Flag,
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

/// What the reader lock guards besides: nothing, so far.
pub(super) struct ReaderHalf;

// SAFETY: The pointers are to memory that the queue owns, and each is only used under its lock, as
// the type invariants say.
unsafe impl<M: Send + 'static> Send for ByteQueue<M> {}
// SAFETY: As above.
unsafe impl<M: Send + 'static> Sync for ByteQueue<M> {}

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

    /// Returns what `queued` bytes count for: marks take memory too.
    pub(super) fn charged(&self, queued: usize) -> usize {
        if queued == 0 {
            return 0;
        }
        queued.saturating_add(self.marks.memory())
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
