// SPDX-License-Identifier: GPL-2.0

//! [`Positions`](crate::pure::ring::Positions) between threads, in every
//! interleaving.
//!
//! The models count from the last position before the wrap-around, so that both
//! positions wrap in each of them.

use crate::chain::{Chain, Exchange, Look, Memory, Restart, Rules, World, WriteError};
use crate::explore::{explore, finds_fault, Gate, Outcomes, Shared, RACE};
use crate::pure::ring::{Counter, Positions};
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::rc::Rc;

/// The memory of loom: each access is checked.
struct Loom;

impl World for Loom {
    type Counter = Shared;
    type Cell<T: Copy> = loom::cell::Cell<T>;
    type Slot = Slot;
}

impl<T: Copy> Memory<T> for loom::cell::Cell<T> {
    fn new(value: T) -> Self {
        loom::cell::Cell::new(value)
    }

    fn get(&self) -> T {
        loom::cell::Cell::get(self)
    }

    fn set(&self, value: T) {
        loom::cell::Cell::set(self, value);
    }
}

/// Zero for nothing, or one more than the chunk's number.
struct Slot(AtomicUsize);

impl Exchange for Slot {
    fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    fn swap(&self, value: Option<usize>) -> Option<usize> {
        let value = value.map_or(0, |number| number + 1);
        self.0.swap(value, Ordering::AcqRel).checked_sub(1)
    }
}

/// A conversation to run: who does what, and by which rules.
#[derive(Clone, Copy)]
struct Model {
    /// The sizes of the chunks.
    capacities: &'static [usize],
    /// The sizes of the writes. One that finds no memory is given up.
    writes: &'static [usize],
    /// The limits of the reads.
    reads: &'static [usize],
    rules: Rules,
    /// Makes the counters: produced, consumed.
    counters: fn(usize) -> (Shared, Shared),
}

/// Counters that keep their word.
fn ordered(start: usize) -> (Shared, Shared) {
    (Shared::new(start), Shared::new(start))
}

/// One chunk, which the producer can only go on with when it is drained.
const ONE_CHUNK: Model = Model {
    capacities: &[2],
    writes: &[1, 2, 1],
    reads: &[1, 2, 2],
    rules: Rules::RIGHT,
    counters: ordered,
};

/// Writes that cross from chunk to chunk, of different sizes, and a spare one
/// that goes round.
const MANY_CHUNKS: Model = Model {
    capacities: &[1, 2, 1],
    writes: &[2, 1, 2],
    reads: &[2, 3],
    rules: Rules::RIGHT,
    counters: ordered,
};

/// What came out of one execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    written: usize,
    read: usize,
    restarts: usize,
    recycled: usize,
}

/// Returns the `i`th byte of the stream: no two in a model are equal.
fn nth(i: usize) -> u8 {
    0x40 + i as u8
}

impl Model {
    /// Runs one execution: a producer, a consumer, and in the end the main
    /// thread, which reads what is left.
    fn run(self) -> Outcome {
        let (produced, consumed) = (self.counters)(usize::MAX);
        let chain = Chain::<Loom>::new(produced, consumed, self.capacities, self.rules);
        let shared = Rc::new((chain, Gate::new()));

        let theirs = shared.clone();
        let producer = thread::spawn(move || {
            let (chain, gate) = &*theirs;
            gate.pass();
            let mut written = 0;
            for &count in self.writes {
                let data: Vec<u8> = (written..written + count).map(nth).collect();
                match chain.write(&data, None) {
                    Ok(()) => written += count,
                    Err(WriteError::NoMemory) => {}
                    Err(WriteError::Fault) => unreachable!(),
                }
            }
            written
        });
        let theirs = shared.clone();
        let consumer = thread::spawn(move || {
            let (chain, gate) = &*theirs;
            gate.pass();
            let mut got = Vec::new();
            for &count in self.reads {
                got.extend(chain.read(count));
            }
            got
        });
        let written = producer.join().unwrap();
        let mut got = consumer.join().unwrap();
        let read = got.len();

        let (chain, _) = &*shared;
        assert_eq!(chain.positions.queued(), written - read, "bytes are lost");
        got.extend(chain.read(usize::MAX));
        let expected: Vec<u8> = (0..written).map(nth).collect();
        assert_eq!(got, expected, "other bytes than were written");
        Outcome {
            written,
            read,
            restarts: chain.restarts(),
            recycled: chain.recycled(),
        }
    }

    /// Explores the model; returns what can come out of it.
    fn explore(self, name: &str, at_least: usize) -> Vec<Outcome> {
        let outcomes = Outcomes::new();
        let noted = outcomes.clone();
        explore(name, at_least, move || noted.note(self.run()));
        outcomes.all()
    }

    /// Expects loom to find a fault in the model.
    ///
    /// loom may come across the race itself or what follows from it.
    fn must_fail(self, name: &str) {
        let symptoms = [
            RACE,
            "bytes are lost",
            "other bytes than were written",
            "published bytes lie behind a link",
        ];
        finds_fault(name, &symptoms, move || {
            self.run();
        });
    }
}

#[test]
fn a_chunk_started_over_when_drained_never_disturbs_the_reader() {
    let outcomes = ONE_CHUNK.explore("one chunk", 4000);
    let any = |want: fn(&Outcome) -> bool| outcomes.iter().any(want);
    assert!(any(|o| o.read == 0), "the reader was always too late");
    assert!(any(|o| o.read == 4), "the reader never kept up");
    assert!(any(|o| o.restarts == 3), "never drained before each write");
    assert!(any(|o| o.restarts == 1 && o.written < 4), "never full");
    assert!(any(|o| o.restarts == 2), "never drained once in between");
}

#[test]
fn bytes_cross_chunks_in_order_and_left_chunks_come_back() {
    let outcomes = MANY_CHUNKS.explore("many chunks", 6000);
    let any = |want: fn(&Outcome) -> bool| outcomes.iter().any(want);
    assert!(any(|o| o.read == 0), "the reader was always too late");
    assert!(any(|o| o.read == 5), "the reader never kept up");
    assert!(any(|o| o.recycled > 0), "no chunk came back");
    assert!(any(|o| o.restarts > 1), "never drained in between");
    assert!(any(|o| o.written < 5), "memory never ran out");
}

#[test]
fn wrong_publishing_with_a_relaxed_store_is_found() {
    Model {
        counters: |start| (Shared::new(start).relaxed_stores(), Shared::new(start)),
        ..ONE_CHUNK
    }
    .must_fail("produced stored relaxed");
}

#[test]
fn wrong_looking_for_bytes_with_a_relaxed_load_is_found() {
    Model {
        counters: |start| (Shared::new(start).relaxed_loads(), Shared::new(start)),
        ..ONE_CHUNK
    }
    .must_fail("produced loaded relaxed");
}

#[test]
fn wrong_giving_back_with_a_relaxed_store_is_found() {
    Model {
        counters: |start| (Shared::new(start), Shared::new(start).relaxed_stores()),
        ..ONE_CHUNK
    }
    .must_fail("consumed stored relaxed");
}

#[test]
fn wrong_looking_for_drained_with_a_relaxed_load_is_found() {
    Model {
        counters: |start| (Shared::new(start), Shared::new(start).relaxed_loads()),
        ..ONE_CHUNK
    }
    .must_fail("consumed loaded relaxed");
}

#[test]
fn wrong_starting_over_without_being_drained_is_found() {
    Model {
        rules: Rules {
            restart: Restart::Always,
            ..Rules::RIGHT
        },
        ..ONE_CHUNK
    }
    .must_fail("restart without a look at the consumer");
}

#[test]
fn wrong_looking_at_the_chunk_before_the_bytes_is_found() {
    Model {
        rules: Rules {
            look: Look::ChunkFirst,
            ..Rules::RIGHT
        },
        ..ONE_CHUNK
    }
    .must_fail("chunk read before anything is readable");
}

/// The positions of a queue, and the counters that they are made of.
struct Watched {
    positions: Positions<Rc<Shared>>,
    produced: Rc<Shared>,
    consumed: Rc<Shared>,
}

/// Lets a third thread look at how much is queued, by `look`, while two bytes
/// are produced and one is consumed; returns what it saw.
fn observe(look: fn(&Watched) -> usize) -> usize {
    let (produced, consumed) = ordered(usize::MAX);
    let (produced, consumed) = (Rc::new(produced), Rc::new(consumed));
    let watched = Watched {
        positions: Positions::new(produced.clone(), consumed.clone()),
        produced,
        consumed,
    };
    let shared = Rc::new((watched, Gate::new()));

    let theirs = shared.clone();
    let producer = thread::spawn(move || {
        let (watched, gate) = &*theirs;
        gate.pass();
        watched.positions.publish(2);
    });
    let theirs = shared.clone();
    let consumer = thread::spawn(move || {
        let (watched, gate) = &*theirs;
        gate.pass();
        if watched.positions.readable() > 0 {
            watched.positions.consume(1);
        }
    });
    let (watched, gate) = &*shared;
    gate.pass();
    let seen = look(watched);
    producer.join().unwrap();
    consumer.join().unwrap();
    assert!(seen <= 2, "a negative number of bytes");
    seen
}

#[test]
fn an_observer_never_sees_a_negative_number_of_bytes() {
    let outcomes = Outcomes::new();
    let noted = outcomes.clone();
    explore("observer", 4000, move || {
        noted.note(observe(|watched| watched.positions.queued()));
    });
    assert_eq!(outcomes.all(), [0, 1, 2]);
}

#[test]
fn wrong_observing_of_produced_before_consumed_is_found() {
    finds_fault("produced before consumed", &["a negative number"], || {
        observe(|watched| {
            let produced = watched.produced.load_acquire();
            produced.wrapping_sub(watched.consumed.load_acquire())
        });
    });
}

#[test]
fn wrong_observing_with_a_call_of_the_producer_is_found() {
    finds_fault("observer calls unread", &[RACE], || {
        observe(|watched| watched.positions.unread());
    });
}
