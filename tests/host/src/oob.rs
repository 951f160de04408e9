// SPDX-License-Identifier: GPL-2.0

//! Out-of-band bytes, against a queue of messages.
//!
//! The model keeps what was sent apart, message by message, as AF_UNIX does: it
//! knows no positions, and bytes that were received out of band are messages of
//! no length. The code under test has one row of bytes.

use crate::pure::oob::{at_mark, seek, step, Look, Place, Places, Step, Stretch};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::VecDeque;

/// What may happen to a stream.
#[derive(Clone, Copy, Debug)]
enum Op {
    Send(usize),
    /// The last of so many bytes is out of band.
    SendUrgent(usize),
    Receive(usize),
    Peek(usize),
    ReceiveUrgent,
    PeekUrgent,
    Inline(bool),
    PeekOffset(Option<usize>),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (1..4usize).prop_map(Op::Send),
        4 => (1..4usize).prop_map(Op::SendUrgent),
        5 => (0..6usize).prop_map(Op::Receive),
        3 => (0..6usize).prop_map(Op::Peek),
        4 => Just(Op::ReceiveUrgent),
        1 => Just(Op::PeekUrgent),
        1 => any::<bool>().prop_map(Op::Inline),
        1 => proptest::option::of(0..6usize).prop_map(Op::PeekOffset),
    ]
}

/// What a call returns: bytes, or nothing to return.
type Outcome = Option<Vec<u8>>;

/// What can be asked of a stream at any time.
#[derive(Debug, PartialEq, Eq)]
struct Signs {
    at_mark: bool,
    urgent: bool,
    unread: usize,
    /// There is something in the queue, if only a gap.
    ready: bool,
}

/* --- the model: messages ------------------------------------------------- */

struct Message {
    bytes: VecDeque<u8>,
    urgent: bool,
}

#[derive(Default)]
struct Messages {
    queue: VecDeque<Message>,
    inline: bool,
    peek_offset: Option<usize>,
}

impl Messages {
    fn send(&mut self, bytes: &[u8], urgent: bool) {
        if urgent {
            self.queue.iter_mut().for_each(|m| m.urgent = false);
        }
        let bytes = bytes.iter().copied().collect();
        self.queue.push_back(Message { bytes, urgent });
    }

    fn urgent(&self) -> Option<usize> {
        self.queue.iter().position(|m| m.urgent)
    }

    /// Whether a read that has got bytes stops at a message.
    fn stops(&self, i: usize) -> bool {
        let m = &self.queue[i];
        m.urgent || (m.bytes.is_empty() && self.urgent().is_none())
    }

    fn receive(&mut self, room: usize) -> Outcome {
        let mut got = Vec::new();
        let (mut taken, mut passed) = (false, false);
        while !self.queue.is_empty() {
            if !got.is_empty() && self.stops(0) {
                break;
            }
            let inline = self.inline;
            let first = &mut self.queue[0];
            if first.bytes.is_empty() || (first.urgent && !inline) {
                self.queue.pop_front();
                passed = true;
                continue;
            }
            first.urgent = false;
            while got.len() < room && !first.bytes.is_empty() {
                got.extend(first.bytes.pop_front());
            }
            let left = first.bytes.len();
            if left == 0 {
                self.queue.pop_front();
            }
            taken = true;
            if got.len() == room {
                break;
            }
        }
        self.peeked_back(got.len());
        (taken || (passed && room == 0)).then_some(got)
    }

    fn peeked_back(&mut self, count: usize) {
        self.peek_offset = self.peek_offset.map(|offset| offset.saturating_sub(count));
    }

    /// Where a look from message `i` on leads; `None`: it ends.
    fn look(&self, mut i: usize, copied: bool) -> Option<usize> {
        if copied && self.stops(i) {
            return None;
        }
        if self.queue[i].bytes.is_empty() {
            i += 1;
        }
        match self.queue.get(i)?.urgent {
            true if copied => None,
            true if !self.inline => Some(i + 1),
            _ => Some(i),
        }
    }

    fn peek(&mut self, room: usize) -> Outcome {
        if self.queue.is_empty() {
            return None;
        }
        let first = self.look(0, false);
        let Some(mut i) = first.filter(|i| *i < self.queue.len()) else {
            return (room == 0).then(Vec::new);
        };
        let mut skip = self.peek_offset.unwrap_or(0);
        while skip >= self.queue.get(i)?.bytes.len() {
            skip -= self.queue[i].bytes.len();
            i += 1;
        }
        let mut got = Vec::new();
        loop {
            let part = self.queue[i].bytes.iter().skip(skip);
            got.extend(part.take(room - got.len()));
            skip = 0;
            i += 1;
            let next = (i < self.queue.len()).then(|| self.look(i, !got.is_empty()));
            match next.flatten().filter(|i| *i < self.queue.len()) {
                Some(next) => i = next,
                None => break,
            }
        }
        if let Some(offset) = &mut self.peek_offset {
            *offset += got.len();
        }
        Some(got)
    }

    fn receive_urgent(&mut self, peek: bool) -> Outcome {
        let i = self.urgent().filter(|_| !self.inline)?;
        let byte = self.queue[i].bytes[0];
        if !peek {
            self.queue[i].bytes.clear();
            self.queue[i].urgent = false;
            if i > 0 && self.queue[i - 1].bytes.is_empty() {
                self.queue.remove(i - 1);
            }
        }
        Some(vec![byte])
    }

    fn signs(&self) -> Signs {
        let gap = |i: usize| self.queue.get(i).is_some_and(|m| m.bytes.is_empty());
        let urgent = |i: usize| self.queue.get(i).is_some_and(|m| m.urgent);
        Signs {
            at_mark: urgent(0) || (gap(0) && (self.urgent().is_none() || urgent(1))),
            urgent: self.urgent().is_some(),
            unread: self.queue.iter().map(|m| m.bytes.len()).sum(),
            ready: !self.queue.is_empty(),
        }
    }
}

/* --- a stream that goes by the rules under test --------------------------- */

#[derive(Default)]
struct Row {
    /// Each byte, and whether it was received out of band.
    bytes: VecDeque<(u8, bool)>,
    /// Where the urgent byte lies.
    urgent: Option<usize>,
    inline: bool,
    peek_offset: Option<usize>,
}

impl Places for Row {
    fn at(&self, offset: usize) -> Option<Stretch> {
        let kind = |i: usize| match self.bytes.get(i)? {
            (_, true) => Some(Place::Gap),
            _ if self.urgent == Some(i) => Some(Place::Urgent),
            _ => Some(Place::Plain),
        };
        let place = kind(offset)?;
        let len = (offset..).take_while(|i| kind(*i) == Some(place)).count();
        Some(Stretch { place, len })
    }

    fn has_urgent(&self) -> bool {
        self.urgent.is_some()
    }
}

impl Row {
    fn send(&mut self, bytes: &[u8], urgent: bool) {
        if urgent {
            self.urgent = Some(self.bytes.len());
        }
        self.bytes.extend(bytes.iter().map(|byte| (*byte, false)));
    }

    /// Takes bytes away from the front.
    fn consume(&mut self, count: usize) {
        self.bytes.drain(..count);
        self.urgent = self.urgent.and_then(|at| at.checked_sub(count));
    }

    /// As `stream::receive_until()` does.
    fn receive(&mut self, room: usize, peek: bool) -> Outcome {
        let mut got = Vec::new();
        let offset = self.peek_offset.filter(|_| peek).unwrap_or(0);
        let mut direct = offset > 0;
        let mut looked = false;
        let mut at = Some(0);
        if direct && !self.bytes.is_empty() {
            at = seek(self, offset, self.inline);
        } else if direct {
            at = Some(offset);
        }
        while let Some(place) = at.filter(|at| *at < self.bytes.len()) {
            let look = Look {
                peek,
                inline: self.inline,
                copied: !got.is_empty(),
            };
            let action = if direct {
                Step::Take
            } else {
                step(self, place, look)
            };
            direct = false;
            match action {
                Step::Stop => break,
                Step::Settle => self.urgent = None,
                Step::Take => {}
                Step::Pass(count) | Step::Drop(count) => {
                    if !peek {
                        self.consume(count);
                    }
                    let next = if peek { place + count } else { 0 };
                    at = Some(next).filter(|at| *at < self.bytes.len());
                    continue;
                }
            }
            looked = true;
            let run = self.at(place).expect("there are bytes").len;
            let count = run.min(room - got.len());
            got.extend(
                self.bytes
                    .range(place..place + count)
                    .map(|(byte, _)| *byte),
            );
            if peek {
                at = Some(place + run);
                continue;
            }
            self.consume(count);
            self.peek_offset = self.peek_offset.map(|offset| offset.saturating_sub(count));
            if got.len() == room {
                break;
            }
        }
        if let Some(offset) = self.peek_offset.as_mut().filter(|_| peek) {
            *offset += got.len();
        }
        let nothing_wanted = at.is_none() && room == got.len();
        (looked || nothing_wanted).then_some(got)
    }

    fn receive_urgent(&mut self, peek: bool) -> Outcome {
        let at = self.urgent.filter(|_| !self.inline)?;
        let byte = self.bytes[at].0;
        if !peek {
            self.bytes[at].1 = true;
            self.urgent = None;
        }
        Some(vec![byte])
    }

    fn signs(&self) -> Signs {
        Signs {
            at_mark: at_mark(self),
            urgent: self.has_urgent(),
            unread: self.bytes.iter().filter(|(_, gap)| !gap).count(),
            ready: !self.bytes.is_empty(),
        }
    }
}

fn agree(ops: &[Op]) {
    let mut model = Messages::default();
    let mut row = Row::default();
    let mut next = 0u8;
    for op in ops {
        let mut fresh = |count| {
            let bytes: Vec<u8> = (0..count).map(|i| next.wrapping_add(i as u8)).collect();
            next = next.wrapping_add(count as u8);
            bytes
        };
        let (left, right) = match *op {
            Op::Send(count) => {
                let bytes = fresh(count);
                model.send(&bytes, false);
                row.send(&bytes, false);
                (None, None)
            }
            Op::SendUrgent(count) => {
                let bytes = fresh(count);
                let (plain, urgent) = bytes.split_at(count - 1);
                if !plain.is_empty() {
                    model.send(plain, false);
                    row.send(plain, false);
                }
                model.send(urgent, true);
                row.send(urgent, true);
                (None, None)
            }
            Op::Receive(room) => (model.receive(room), row.receive(room, false)),
            Op::Peek(room) => (model.peek(room), row.receive(room, true)),
            Op::ReceiveUrgent => (model.receive_urgent(false), row.receive_urgent(false)),
            Op::PeekUrgent => (model.receive_urgent(true), row.receive_urgent(true)),
            Op::Inline(on) => {
                (model.inline, row.inline) = (on, on);
                (None, None)
            }
            Op::PeekOffset(offset) => {
                (model.peek_offset, row.peek_offset) = (offset, offset);
                (None, None)
            }
        };
        assert_eq!(left, right, "{op:?} of {ops:?}");
        assert_eq!(model.signs(), row.signs(), "after {op:?} of {ops:?}");
        assert_eq!(
            model.peek_offset, row.peek_offset,
            "after {op:?} of {ops:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn one_row_is_as_good_as_messages(ops in vec(op(), 0..24)) {
        agree(&ops);
    }
}

/// What the model and the row do, told for a few cases that one can follow.
fn told(ops: &[(Op, Outcome)]) {
    let all: Vec<Op> = ops.iter().map(|(op, _)| *op).collect();
    agree(&all);
    let mut row = Row::default();
    let mut next = b'a';
    for (op, wanted) in ops {
        let got = match *op {
            Op::Send(count) | Op::SendUrgent(count) => {
                let bytes: Vec<u8> = (next..).take(count).collect();
                next += count as u8;
                let urgent = matches!(op, Op::SendUrgent(_));
                row.send(&bytes[..count - 1], false);
                row.send(&bytes[count - 1..], urgent);
                None
            }
            Op::Receive(room) => row.receive(room, false),
            Op::Peek(room) => row.receive(room, true),
            Op::ReceiveUrgent => row.receive_urgent(false),
            Op::PeekUrgent => row.receive_urgent(true),
            Op::Inline(on) => {
                row.inline = on;
                None
            }
            Op::PeekOffset(offset) => {
                row.peek_offset = offset;
                None
            }
        };
        assert_eq!(got, *wanted, "{op:?} of {ops:?}");
    }
}

fn some(text: &str) -> Outcome {
    Some(text.as_bytes().to_vec())
}

#[test]
fn a_read_stops_and_the_next_one_passes() {
    told(&[
        (Op::SendUrgent(3), None),
        (Op::Send(2), None),
        (Op::Receive(9), some("ab")),
        (Op::Receive(9), some("de")),
        (Op::ReceiveUrgent, None),
    ]);
}

#[test]
fn a_gap_stops_as_well() {
    told(&[
        (Op::SendUrgent(3), None),
        (Op::Send(2), None),
        (Op::ReceiveUrgent, some("c")),
        (Op::Receive(9), some("ab")),
        (Op::Receive(9), some("de")),
    ]);
}

#[test]
fn but_not_in_front_of_another_urgent_byte() {
    told(&[
        (Op::SendUrgent(3), None),
        (Op::ReceiveUrgent, some("c")),
        (Op::SendUrgent(2), None),
        (Op::Receive(9), some("abd")),
        (Op::ReceiveUrgent, some("e")),
    ]);
}

#[test]
fn inline_it_is_one_of_many() {
    told(&[
        (Op::Inline(true), None),
        (Op::SendUrgent(3), None),
        (Op::Send(1), None),
        (Op::Receive(9), some("ab")),
        (Op::Peek(9), some("cd")),
        (Op::Receive(9), some("cd")),
    ]);
}

#[test]
fn a_peek_passes_and_leaves() {
    told(&[
        (Op::SendUrgent(1), None),
        (Op::Peek(9), None),
        (Op::Peek(0), some("")),
        (Op::Send(2), None),
        (Op::Peek(9), some("bc")),
        (Op::PeekUrgent, some("a")),
        (Op::ReceiveUrgent, some("a")),
        (Op::Receive(9), some("bc")),
    ]);
}
