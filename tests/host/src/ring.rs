// SPDX-License-Identifier: GPL-2.0

//! Positions and segments on one thread, against a `VecDeque`.

use crate::chain::{Chain, Exchange, Memory, Rules, Tail, World, WriteError};
use crate::pure::ring::{Counter, Positions, Segment};
use proptest::collection::vec;
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::VecDeque;

/// The memory of one thread.
struct Single;

impl World for Single {
    type Counter = Cell<usize>;
    type Cell<T: Copy> = Cell<T>;
    type Slot = Cell<Option<usize>>;
}

impl Counter for Cell<usize> {
    fn load_relaxed(&self) -> usize {
        self.get()
    }

    fn load_acquire(&self) -> usize {
        self.get()
    }

    fn store_release(&self, value: usize) {
        self.set(value);
    }
}

impl<T: Copy> Memory<T> for Cell<T> {
    fn new(value: T) -> Self {
        Cell::new(value)
    }

    fn get(&self) -> T {
        Cell::get(self)
    }

    fn set(&self, value: T) {
        Cell::set(self, value);
    }
}

impl Exchange for Cell<Option<usize>> {
    fn new() -> Self {
        Cell::new(None)
    }

    fn swap(&self, value: Option<usize>) -> Option<usize> {
        self.replace(value)
    }
}

fn positions(start: usize) -> Positions<Cell<usize>> {
    Positions::new(Cell::new(start), Cell::new(start))
}

fn chain(start: usize, capacities: &[usize]) -> Chain<Single> {
    Chain::new(Cell::new(start), Cell::new(start), capacities, Rules::RIGHT)
}

/// What may happen to a queue.
#[derive(Clone, Debug)]
enum Op {
    Write(usize),
    /// A write that fails after so many bytes.
    Fault(usize, usize),
    Read(usize),
    /// A look ahead: from where, and how much.
    Peek(usize, usize),
    /// Read all there is: the next write starts its chunk over.
    Drain,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..40usize).prop_map(Op::Write),
        1 => (1..40usize, 0..40usize).prop_map(|(count, good)| Op::Fault(count, good % count)),
        4 => (0..40usize).prop_map(Op::Read),
        1 => (0..60usize, 0..60usize).prop_map(|(skip, count)| Op::Peek(skip, count)),
        1 => Just(Op::Drain),
    ]
}

/// Starting positions, most of them shortly before the wrap-around.
fn start() -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => (0..300usize).prop_map(|before| usize::MAX - before),
        1 => (0..300usize).prop_map(|around| (usize::MAX / 2).wrapping_add(around)),
        1 => any::<usize>(),
        1 => Just(0),
    ]
}

/// Makes a run of bytes that no other run equals by accident.
struct Source(u8);

impl Source {
    fn take(&mut self, count: usize) -> Vec<u8> {
        (0..count)
            .map(|_| {
                self.0 = self.0.wrapping_mul(5).wrapping_add(113);
                self.0
            })
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_chain_of_chunks_behaves_as_a_queue(
        start in start(),
        capacities in vec(1..24usize, 1..60),
        ops in vec(op(), 0..120),
    ) {
        let chain = chain(start, &capacities);
        let mut model = VecDeque::new();
        let mut source = Source(start as u8);
        let (mut produced, mut consumed) = (start, start);
        for op in ops {
            match op {
                Op::Write(count) => {
                    let data = source.take(count);
                    match chain.write(&data, None) {
                        Ok(()) => {
                            model.extend(data);
                            produced = produced.wrapping_add(count);
                        }
                        // The memory of the whole chain is used up, or on its
                        // way back.
                        Err(error) => {
                            prop_assert_eq!(error, WriteError::NoMemory);
                            prop_assert_eq!(chain.used(), capacities.len());
                        }
                    }
                }
                Op::Fault(count, good) => {
                    prop_assert!(chain.write(&source.take(count), Some(good)).is_err());
                }
                Op::Read(count) => {
                    let expected: Vec<u8> = model.drain(..count.min(model.len())).collect();
                    consumed = consumed.wrapping_add(expected.len());
                    prop_assert_eq!(chain.read(count), expected);
                }
                Op::Peek(skip, count) => {
                    let expected: Vec<u8> =
                        model.iter().skip(skip).take(count).copied().collect();
                    prop_assert_eq!(chain.peek(skip, count), expected);
                }
                Op::Drain => {
                    let expected: Vec<u8> = model.drain(..).collect();
                    consumed = consumed.wrapping_add(expected.len());
                    prop_assert_eq!(chain.read(usize::MAX), expected);
                    prop_assert!(chain.in_one_chunk());
                }
            }
            prop_assert_eq!(chain.positions.queued(), model.len());
            prop_assert_eq!(chain.positions.readable(), model.len());
            prop_assert_eq!(chain.positions.unread(), model.len());
            prop_assert_eq!(chain.positions.write_position(), produced);
            prop_assert_eq!(chain.positions.read_position(), consumed);
        }
        prop_assert_eq!(chain.read(usize::MAX), Vec::from(model));
    }

    /// The point of starting over: a reader that keeps up needs one chunk.
    #[test]
    fn a_reader_that_keeps_up_leaves_everything_in_one_chunk(
        start in start(),
        capacity in 1..64usize,
        writes in vec(1..64usize, 1..50),
    ) {
        let chain = chain(start, &[capacity]);
        let mut source = Source(0);
        for count in writes {
            let data = source.take(count.min(capacity));
            prop_assert_eq!(chain.write(&data, None), Ok(()));
            prop_assert_eq!(chain.read(usize::MAX), data);
        }
    }

    /// A reader that lags by less than a chunk: two chunks, one of them spare,
    /// go round for ever.
    #[test]
    fn a_reader_that_lags_a_little_goes_round_in_few_chunks(
        start in start(),
        capacity in 1..64usize,
        rounds in 1..200usize,
    ) {
        let chain = chain(start, &[capacity; 3]);
        prop_assert_eq!(chain.write(&[0], None), Ok(()));
        for round in 1..=rounds {
            prop_assert_eq!(chain.write(&[round as u8], None), Ok(()));
            prop_assert_eq!(chain.read(1), [(round - 1) as u8]);
        }
        prop_assert_eq!(chain.positions.queued(), 1);
    }

    #[test]
    fn positions_count_the_same_wherever_they_start(
        start: usize,
        steps in vec((0..1000usize, 0..1000usize), 0..50),
    ) {
        let positions = positions(start);
        let mut queued = 0;
        for (publish, consume) in steps {
            positions.publish(publish);
            queued += publish;
            let consume = consume.min(positions.readable());
            positions.consume(consume);
            queued -= consume;
            prop_assert_eq!(positions.queued(), queued);
            prop_assert_eq!(positions.readable(), queued);
            prop_assert_eq!(positions.unread(), queued);
            prop_assert_eq!(
                positions.write_position().wrapping_sub(positions.read_position()),
                queued
            );
        }
    }

    #[test]
    fn offset_and_room_share_out_a_segment(
        base: usize,
        capacity in 0..100_000usize,
        ahead in 0..100_000usize,
    ) {
        let segment = Segment::new(base, capacity);
        let ahead = ahead.min(capacity);
        let position = base.wrapping_add(ahead);
        prop_assert_eq!(segment.offset(position), ahead);
        prop_assert_eq!(segment.room(position), capacity - ahead);
    }

    #[test]
    fn a_position_outside_has_no_room(
        base: usize,
        capacity in 0..100_000usize,
        distance in 1..100_000usize,
    ) {
        let segment = Segment::new(base, capacity);
        prop_assert_eq!(segment.room(base.wrapping_sub(distance)), 0);
        let end = base.wrapping_add(capacity);
        prop_assert_eq!(segment.room(end.wrapping_add(distance - 1)), 0);
    }

    #[test]
    fn a_restarted_segment_is_a_new_one(base: usize, capacity: usize, position: usize) {
        let mut segment = Segment::new(base, capacity);
        segment.restart(position);
        prop_assert_eq!(segment, Segment::new(position, capacity));
        prop_assert_eq!(segment.offset(position), 0);
        prop_assert_eq!(segment.room(position), capacity);
    }
}

#[test]
fn a_new_queue_is_empty_wherever_it_starts() {
    for start in [0, 1, usize::MAX / 2, usize::MAX - 1, usize::MAX] {
        let positions = positions(start);
        assert_eq!(positions.queued(), 0);
        assert_eq!(positions.readable(), 0);
        assert_eq!(positions.unread(), 0);
        assert_eq!(positions.read_position(), start);
        assert_eq!(positions.write_position(), start);
    }
}

#[test]
fn bytes_across_the_wrap_around_are_counted() {
    let positions = positions(usize::MAX - 1);
    positions.publish(5);
    assert_eq!(positions.write_position(), 3);
    assert_eq!(positions.readable(), 5);
    positions.consume(1);
    assert_eq!(positions.read_position(), usize::MAX);
    assert_eq!(positions.unread(), 4);
    positions.consume(4);
    assert_eq!(positions.read_position(), 3);
    assert_eq!(positions.queued(), 0);
}

#[test]
fn nothing_published_or_consumed_changes_nothing() {
    let positions = positions(usize::MAX);
    positions.publish(0);
    positions.consume(0);
    assert_eq!(positions.queued(), 0);
    assert_eq!(positions.write_position(), usize::MAX);
}

#[test]
fn the_largest_queue_is_counted() {
    let positions = positions(7);
    positions.publish(usize::MAX);
    assert_eq!(positions.queued(), usize::MAX);
    positions.consume(usize::MAX);
    assert_eq!(positions.queued(), 0);
}

#[test]
fn a_segment_over_the_wrap_around_has_its_offsets_in_order() {
    let segment = Segment::new(usize::MAX - 1, 4);
    let positions = [usize::MAX - 1, usize::MAX, 0, 1, 2];
    assert_eq!(positions.map(|p| segment.offset(p)), [0, 1, 2, 3, 4]);
    assert_eq!(positions.map(|p| segment.room(p)), [4, 3, 2, 1, 0]);
    assert_eq!(segment.room(usize::MAX - 2), 0);
    assert_eq!(segment.room(3), 0);
}

#[test]
fn a_segment_without_capacity_has_no_room() {
    let segment = Segment::new(usize::MAX, 0);
    for position in [usize::MAX - 1, usize::MAX, 0] {
        assert_eq!(segment.room(position), 0);
    }
}

#[test]
fn a_faulted_write_across_chunks_leaves_nothing_and_its_chunks_are_used_again() {
    let chain = chain(usize::MAX - 2, &[2, 3, 4]);
    assert_eq!(chain.write(b"ab", None), Ok(()));
    assert_eq!(chain.read(1), b"a");
    assert_eq!(chain.write(b"xxxxxxx", Some(5)), Err(WriteError::Fault));
    assert_eq!(chain.used(), 3);
    assert_eq!(chain.positions.queued(), 1);
    assert_eq!(chain.write(b"cdefghi", None), Ok(()));
    assert_eq!(chain.used(), 3);
    assert_eq!(chain.peek(0, 99), b"bcdefghi");
    assert_eq!(chain.peek(3, 2), b"ef");
    assert_eq!(chain.read(99), b"bcdefghi");
    assert_eq!(chain.positions.read_position(), 6);
}

#[test]
fn a_faulted_write_into_a_drained_queue_leaves_it_ready() {
    let chain = chain(usize::MAX, &[2, 2]);
    assert_eq!(chain.write(b"a", None), Ok(()));
    assert_eq!(chain.read(1), b"a");
    // Started over, so that two bytes are in the first chunk and one behind.
    assert_eq!(chain.write(b"xxxx", Some(3)), Err(WriteError::Fault));
    assert_eq!(chain.peek(0, 9), b"");
    // Started over once more, now at another offset than the linked chunk saw.
    assert_eq!(chain.write(b"b", None), Ok(()));
    assert_eq!(chain.write(b"cd", None), Ok(()));
    assert_eq!(chain.read(9), b"bcd");
}

#[test]
fn wrong_moving_the_tail_when_a_chunk_is_linked_mixes_bytes_up() {
    let rules = Rules {
        tail: Tail::WhenLinked,
        ..Rules::RIGHT
    };
    for (rules, right) in [(Rules::RIGHT, true), (rules, false)] {
        let chain = Chain::<Single>::new(Cell::new(0), Cell::new(0), &[3, 3, 9], rules);
        assert_eq!(chain.write(b"ab", None), Ok(()));
        assert_eq!(chain.write(b"xxxxx", Some(2)), Err(WriteError::Fault));
        assert_eq!(chain.write(b"cdefg", None), Ok(()));
        assert_eq!(chain.read(6) == b"abcdef", right);
    }
}
