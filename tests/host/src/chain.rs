// SPDX-License-Identifier: GPL-2.0

//! A byte queue over a chain of chunks, as the module builds it on
//! [`Positions`] and [`Segment`], reduced to what matters for their rules.
//!
//! The same chain runs single-threaded on random operations (`ring`), and with
//! a thread at each end under loom (`ring_loom`). A [`World`] brings the memory:
//! under loom, each access to a [`World::Cell`] is checked for races.
//!
//! - The producer writes from the write position on, linking further chunks as
//!   needed, and publishes at the end. A fault on the way leaves nothing but
//!   linked chunks without published bytes, which the next write finds.
//! - When the queue is drained, the next write starts at the beginning of the
//!   producer's chunk.
//! - The consumer touches a chunk only after it saw bytes to be read, and
//!   leaves a chunk when it wants a byte from behind its end. The chunk left is
//!   put aside as the spare one, for the producer to take.

use crate::pure::ring::{Counter, Positions, Segment};

/// Where the queue's memory comes from.
pub(crate) trait World {
    /// A position.
    type Counter: Counter;
    /// Plain memory.
    type Cell<T: Copy>: Memory<T>;
    /// A place from which each side may take what the other left.
    type Slot: Exchange;
}

/// Plain memory.
pub(crate) trait Memory<T: Copy> {
    fn new(value: T) -> Self;
    fn get(&self) -> T;
    fn set(&self, value: T);
}

/// A place for one chunk number.
pub(crate) trait Exchange {
    /// Makes an empty place.
    fn new() -> Self;
    /// Puts something in, or nothing, and takes out what was there.
    fn swap(&self, value: Option<usize>) -> Option<usize>;
}

/// When the producer starts its chunk over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    /// When the queue is drained.
    WhenDrained,
    /// Wrong: before each write, without a look at the consumer.
    Always,
}

/// What the consumer looks at first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Whether there are bytes.
    ReadableFirst,
    /// Wrong: the chunk, which is still the producer's.
    ChunkFirst,
}

/// When a chunk becomes the producer's chunk, in which the next write begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// When bytes in it are published.
    WhenPublished,
    /// Wrong: when it is linked. After a fault the write position lies in a
    /// chunk before it.
    WhenLinked,
}

/// The rules of the queue that a variant can break.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) restart: Restart,
    pub(crate) look: Look,
    pub(crate) tail: Tail,
}

impl Rules {
    /// The rules as the module follows them.
    pub(crate) const RIGHT: Self = Self {
        restart: Restart::WhenDrained,
        look: Look::ReadableFirst,
        tail: Tail::WhenPublished,
    };
}

/// A piece of memory in the chain.
struct Chunk<W: World> {
    segment: W::Cell<Segment>,
    next: W::Cell<Option<usize>>,
    bytes: Vec<W::Cell<u8>>,
}

/// Why nothing was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WriteError {
    /// There is no further chunk.
    NoMemory,
    /// The bytes could not be read to their end.
    Fault,
}

/// The queue.
pub(crate) struct Chain<W: World> {
    pub(crate) positions: Positions<W::Counter>,
    rules: Rules,
    chunks: Vec<Chunk<W>>,
    /// The chunk that the next byte is read from; the consumer's.
    head: W::Cell<usize>,
    /// The chunk with the write position in it or at its end; the producer's.
    tail: W::Cell<usize>,
    /// The number of chunks ever used; the producer's.
    used: W::Cell<usize>,
    /// How often a chunk was started over; the producer's.
    restarts: W::Cell<usize>,
    /// How often the spare chunk was used; the producer's.
    recycled: W::Cell<usize>,
    /// A chunk that the consumer left.
    spare: W::Slot,
}

impl<W: World> Chain<W> {
    /// Makes an empty queue from two equal counters, over at most as many
    /// chunks as there are `capacities` (and as often as the spare comes back).
    pub(crate) fn new(
        produced: W::Counter,
        consumed: W::Counter,
        capacities: &[usize],
        rules: Rules,
    ) -> Self {
        let positions = Positions::new(produced, consumed);
        let start = positions.write_position();
        Self {
            positions,
            rules,
            chunks: capacities
                .iter()
                .map(|&capacity| Chunk {
                    segment: Memory::new(Segment::new(start, capacity)),
                    next: Memory::new(None),
                    bytes: (0..capacity).map(|_| Memory::new(0)).collect(),
                })
                .collect(),
            head: Memory::new(0),
            tail: Memory::new(0),
            used: Memory::new(1),
            restarts: Memory::new(0),
            recycled: Memory::new(0),
            spare: Exchange::new(),
        }
    }

    /// Writes all of `data` and publishes it, or nothing. With `fault_at`, the
    /// bytes from there on turn out to be unreadable when it comes to them.
    ///
    /// The producer's.
    pub(crate) fn write(&self, data: &[u8], fault_at: Option<usize>) -> Result<(), WriteError> {
        let mut position = self.positions.write_position();
        let mut at = self.tail.get();
        let start_over = match self.rules.restart {
            Restart::WhenDrained => self.positions.unread() == 0,
            Restart::Always => true,
        };
        if start_over {
            self.begin(at, position);
            self.restarts.set(self.restarts.get() + 1);
        }
        let good = fault_at.map_or(data.len(), |end| end.min(data.len()));
        let mut rest = &data[..good];
        while !rest.is_empty() {
            let segment = self.chunks[at].segment.get();
            let room = segment.room(position);
            if room == 0 {
                at = self.following(at)?;
                self.begin(at, position);
                continue;
            }
            let (now, later) = rest.split_at(room.min(rest.len()));
            let offset = segment.offset(position);
            for (cell, &byte) in self.chunks[at].bytes[offset..].iter().zip(now) {
                cell.set(byte);
            }
            position = position.wrapping_add(now.len());
            rest = later;
        }
        if good < data.len() {
            return Err(WriteError::Fault);
        }
        self.tail.set(at);
        self.positions.publish(data.len());
        Ok(())
    }

    /// Lets a chunk without published bytes begin at `position`.
    fn begin(&self, at: usize, position: usize) {
        let mut segment = self.chunks[at].segment.get();
        segment.restart(position);
        self.chunks[at].segment.set(segment);
    }

    /// Returns the chunk behind the producer's chunk `at`; links one if there
    /// is none.
    fn following(&self, at: usize) -> Result<usize, WriteError> {
        if let Some(next) = self.chunks[at].next.get() {
            return Ok(next);
        }
        let next = match self.spare.swap(None) {
            Some(spare) => {
                self.recycled.set(self.recycled.get() + 1);
                spare
            }
            None => {
                let fresh = self.used.get();
                if fresh == self.chunks.len() {
                    return Err(WriteError::NoMemory);
                }
                self.used.set(fresh + 1);
                fresh
            }
        };
        self.chunks[at].next.set(Some(next));
        if self.rules.tail == Tail::WhenLinked {
            self.tail.set(next);
        }
        Ok(next)
    }

    /// Reads up to `count` bytes from `skip` bytes behind the read position on,
    /// without consuming them. Leaves chunks behind if `leave`.
    fn collect(&self, skip: usize, count: usize, leave: bool) -> Vec<u8> {
        let mut at = self.head.get();
        if self.rules.look == Look::ChunkFirst {
            let _ = self.chunks[at].segment.get();
        }
        let readable = self.positions.readable();
        let end = readable.min(skip.saturating_add(count));
        let mut position = self.positions.read_position();
        let mut passed = 0;
        let mut out = Vec::new();
        while passed < end {
            let segment = self.chunks[at].segment.get();
            let room = segment.room(position);
            if room == 0 {
                let next = self.chunks[at]
                    .next
                    .get()
                    .expect("published bytes lie behind a link");
                if leave {
                    self.head.set(next);
                    self.chunks[at].next.set(None);
                    // What was put aside before is given up.
                    self.spare.swap(Some(at));
                }
                at = next;
                continue;
            }
            let run = room.min(end - passed);
            let offset = segment.offset(position);
            for (i, cell) in self.chunks[at].bytes[offset..offset + run]
                .iter()
                .enumerate()
            {
                if passed + i >= skip {
                    out.push(cell.get());
                }
            }
            position = position.wrapping_add(run);
            passed += run;
        }
        out
    }

    /// Reads and consumes up to `count` bytes.
    ///
    /// The consumer's.
    pub(crate) fn read(&self, count: usize) -> Vec<u8> {
        let out = self.collect(0, count, true);
        if !out.is_empty() {
            self.positions.consume(out.len());
        }
        out
    }

    /// Reads up to `count` bytes from `skip` bytes ahead and leaves them.
    ///
    /// The consumer's.
    pub(crate) fn peek(&self, skip: usize, count: usize) -> Vec<u8> {
        self.collect(skip, count, false)
    }

    /// Returns how often a chunk was started over. The producer's.
    pub(crate) fn restarts(&self) -> usize {
        self.restarts.get()
    }

    /// Returns how often the producer used the spare chunk. The producer's.
    pub(crate) fn recycled(&self) -> usize {
        self.recycled.get()
    }

    /// Returns how many chunks were used at all. The producer's.
    pub(crate) fn used(&self) -> usize {
        self.used.get()
    }

    /// Tells whether both sides are in the same chunk. For one thread.
    pub(crate) fn in_one_chunk(&self) -> bool {
        self.head.get() == self.tail.get()
    }
}
