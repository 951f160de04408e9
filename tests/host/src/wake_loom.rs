// SPDX-License-Identifier: GPL-2.0

//! Sleeping and waking at a queue, in every interleaving.
//!
//! Nobody is woken who doesn't sleep, and the side that makes progress takes no
//! lock to find out. The protocol that this rests on:
//!
//! ```text
//!     sleeper                       waker
//!     says that it sleeps           makes progress (publish or consume)
//!     full fence                    full fence
//!     looks for progress again      looks whether somebody sleeps
//! ```
//!
//! Of two full fences one is first, so at least one of the two looks sees what
//! the other side did. In the module a wait queue takes the place of the flag,
//! or stands behind it; the order is the same.

use crate::explore::{explore, finds_fault, Gate, Outcomes, Shared, DEADLOCK};
use crate::pure::limits;
use crate::pure::ring::{Positions, Segment};
use loom::cell::Cell;
use loom::sync::atomic::{fence, AtomicBool, Ordering};
use loom::thread::{self, Thread};
use std::rc::Rc;
use std::sync::Mutex;

/// The rules of the protocol that a variant can break.
#[derive(Clone, Copy)]
struct Rules {
    sleeper_fence: bool,
    waker_fence: bool,
    /// Whether the sleeper looks again after it said that it sleeps.
    second_look: bool,
}

impl Rules {
    const RIGHT: Self = Self {
        sleeper_fence: true,
        waker_fence: true,
        second_look: true,
    };
    const WITHOUT_FENCES: Self = Self {
        sleeper_fence: false,
        waker_fence: false,
        ..Self::RIGHT
    };
    const WITHOUT_SLEEPER_FENCE: Self = Self {
        sleeper_fence: false,
        ..Self::RIGHT
    };
    const WITHOUT_WAKER_FENCE: Self = Self {
        waker_fence: false,
        ..Self::RIGHT
    };
    const WITHOUT_SECOND_LOOK: Self = Self {
        second_look: false,
        ..Self::RIGHT
    };
}

/// A place to sleep at for the one side of a queue.
struct Bed {
    rules: Rules,
    taken: AtomicBool,
    /// Who sleeps here, for the one that wakes; out of loom's sight.
    sleeper: Mutex<Option<Thread>>,
}

impl Bed {
    fn new(rules: Rules) -> Self {
        Self {
            rules,
            taken: AtomicBool::new(false),
            sleeper: Mutex::new(None),
        }
    }

    /// Says that the caller sleeps; tells whether it really should, by a second
    /// look at whether it is `ready`.
    fn lie_down(&self, ready: impl Fn() -> bool) -> bool {
        self.taken.store(true, Ordering::Relaxed);
        if self.rules.sleeper_fence {
            fence(Ordering::SeqCst);
        }
        !(self.rules.second_look && ready())
    }

    /// Sleeps until `ready`; tells whether it slept at all.
    fn sleep_until(&self, ready: impl Fn() -> bool) -> bool {
        *self.sleeper.lock().unwrap() = Some(thread::current());
        let mut slept = false;
        while !ready() && self.lie_down(&ready) {
            slept = true;
            thread::park();
        }
        slept
    }

    /// Tells, after progress was made, whether somebody is to be woken.
    fn must_wake(&self, worthwhile: impl Fn() -> bool) -> bool {
        if self.rules.waker_fence {
            fence(Ordering::SeqCst);
        }
        self.taken.load(Ordering::Relaxed) && worthwhile()
    }

    /// Wakes who sleeps, if progress is worth it.
    fn wake(&self, worthwhile: impl Fn() -> bool) {
        if self.must_wake(worthwhile) {
            self.taken.store(false, Ordering::Relaxed);
            let sleeper = self.sleeper.lock().unwrap().clone();
            sleeper.expect("who sleeps left its name").unpark();
        }
    }
}

/// What came out of a single attempt to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Night {
    slept: bool,
    woken: bool,
}

impl Night {
    fn check(self) -> Self {
        assert!(self.woken || !self.slept, "slept and was not woken");
        self
    }

    /// Everything that may come out of it, and shall in some execution.
    const ALL: [Self; 3] = [
        Self {
            slept: false,
            woken: false,
        },
        Self {
            slept: false,
            woken: true,
        },
        Self {
            slept: true,
            woken: true,
        },
    ];
}

const SYMPTOM: &str = "slept and was not woken";

struct Queue {
    positions: Positions<Shared>,
    bed: Bed,
    gate: Gate,
}

impl Queue {
    fn new(rules: Rules) -> Rc<Self> {
        Rc::new(Self {
            positions: Positions::new(Shared::new(usize::MAX), Shared::new(usize::MAX)),
            bed: Bed::new(rules),
            gate: Gate::new(),
        })
    }
}

/// A writer at a full queue goes to sleep while the reader empties it.
fn out_of_space(rules: Rules) -> Night {
    const SNDBUF: usize = 2;
    let queue = Queue::new(rules);
    queue.positions.publish(2);

    let theirs = queue.clone();
    let reader = thread::spawn(move || {
        theirs.gate.pass();
        let mut woken = false;
        for _ in 0..2 {
            theirs.positions.consume(1);
            let left = || theirs.positions.readable();
            woken |= theirs.bed.must_wake(|| limits::writable(left(), SNDBUF));
        }
        woken
    });
    queue.gate.pass();
    let ready = || limits::writable(queue.positions.unread(), SNDBUF);
    let slept = !ready() && queue.bed.lie_down(ready);
    Night {
        slept,
        woken: reader.join().unwrap(),
    }
    .check()
}

/// A reader at an empty queue goes to sleep while the writer writes.
fn out_of_data(rules: Rules) -> Night {
    let queue = Queue::new(rules);

    let theirs = queue.clone();
    let writer = thread::spawn(move || {
        theirs.gate.pass();
        theirs.positions.publish(1);
        theirs.bed.must_wake(|| true)
    });
    queue.gate.pass();
    let ready = || queue.positions.readable() > 0;
    let slept = !ready() && queue.bed.lie_down(ready);
    Night {
        slept,
        woken: writer.join().unwrap(),
    }
    .check()
}

fn explore_nights(name: &str, at_least: usize, night: fn(Rules) -> Night) {
    let outcomes = Outcomes::new();
    let noted = outcomes.clone();
    explore(name, at_least, move || noted.note(night(Rules::RIGHT)));
    assert_eq!(outcomes.all(), Night::ALL, "{name}: not all came up");
}

fn wrong_night(name: &str, night: fn(Rules) -> Night, rules: Rules) {
    finds_fault(name, &[SYMPTOM], move || {
        night(rules);
    });
}

#[test]
fn a_writer_out_of_space_is_never_left_asleep() {
    explore_nights("out of space", 300, out_of_space);
}

#[test]
fn a_reader_out_of_data_is_never_left_asleep() {
    explore_nights("out of data", 60, out_of_data);
}

#[test]
fn wrong_sleeping_for_space_without_a_fence_is_found() {
    wrong_night("space, no fences", out_of_space, Rules::WITHOUT_FENCES);
    wrong_night(
        "space, writer without fence",
        out_of_space,
        Rules::WITHOUT_SLEEPER_FENCE,
    );
    wrong_night(
        "space, reader without fence",
        out_of_space,
        Rules::WITHOUT_WAKER_FENCE,
    );
}

#[test]
fn wrong_sleeping_for_data_without_a_fence_is_found() {
    wrong_night("data, no fences", out_of_data, Rules::WITHOUT_FENCES);
    wrong_night(
        "data, reader without fence",
        out_of_data,
        Rules::WITHOUT_SLEEPER_FENCE,
    );
    wrong_night(
        "data, writer without fence",
        out_of_data,
        Rules::WITHOUT_WAKER_FENCE,
    );
}

#[test]
fn wrong_sleeping_without_a_second_look_is_found() {
    wrong_night("space, one look", out_of_space, Rules::WITHOUT_SECOND_LOOK);
    wrong_night("data, one look", out_of_data, Rules::WITHOUT_SECOND_LOOK);
}

/// A writer and a reader that both sleep when they can't go on, until all bytes
/// are through a single chunk, which is started over when drained. Returns
/// whether the writer slept, and whether the reader did.
fn conversation(rules: Rules) -> (bool, bool) {
    const TOTAL: usize = 2;
    const SNDBUF: usize = 1;
    const START: usize = usize::MAX;

    struct Talk {
        positions: Positions<Shared>,
        segment: Cell<Segment>,
        memory: [Cell<u8>; SNDBUF],
        space: Bed,
        data: Bed,
        gate: Gate,
    }
    let talk = Rc::new(Talk {
        positions: Positions::new(Shared::new(START), Shared::new(START)),
        segment: Cell::new(Segment::new(START, SNDBUF)),
        memory: [Cell::new(0)],
        space: Bed::new(rules),
        data: Bed::new(rules),
        gate: Gate::new(),
    });

    let theirs = talk.clone();
    let writer = thread::spawn(move || {
        let talk = &*theirs;
        talk.gate.pass();
        let mut slept = false;
        for i in 0..TOTAL {
            slept |= talk
                .space
                .sleep_until(|| limits::writable(talk.positions.unread(), SNDBUF));
            // Writable means drained under so small a limit.
            assert!(limits::fits(0, 1, SNDBUF));
            let position = talk.positions.write_position();
            let mut segment = talk.segment.get();
            segment.restart(position);
            talk.segment.set(segment);
            talk.memory[segment.offset(position)].set(i as u8);
            talk.positions.publish(1);
            talk.data.wake(|| true);
        }
        slept
    });
    let theirs = talk.clone();
    let reader = thread::spawn(move || {
        let talk = &*theirs;
        talk.gate.pass();
        let mut slept = false;
        for i in 0..TOTAL {
            slept |= talk.data.sleep_until(|| talk.positions.readable() > 0);
            let offset = talk.segment.get().offset(talk.positions.read_position());
            assert_eq!(talk.memory[offset].get(), i as u8, "another byte");
            talk.positions.consume(1);
            talk.space
                .wake(|| limits::writable(talk.positions.readable(), SNDBUF));
        }
        slept
    });
    let slept = (writer.join().unwrap(), reader.join().unwrap());
    assert_eq!(talk.positions.queued(), 0);
    slept
}

#[test]
fn a_conversation_with_both_sides_sleeping_comes_to_its_end() {
    let outcomes = Outcomes::new();
    let noted = outcomes.clone();
    explore("conversation", 100_000, move || {
        noted.note(conversation(Rules::RIGHT));
    });
    let all = [(false, false), (false, true), (true, false), (true, true)];
    assert_eq!(outcomes.all(), all, "who slept");
}

#[test]
fn wrong_conversations_stop_for_good() {
    for (name, rules) in [
        ("conversation, no fences", Rules::WITHOUT_FENCES),
        (
            "conversation, sleepers without fence",
            Rules::WITHOUT_SLEEPER_FENCE,
        ),
        (
            "conversation, wakers without fence",
            Rules::WITHOUT_WAKER_FENCE,
        ),
        ("conversation, one look", Rules::WITHOUT_SECOND_LOOK),
    ] {
        finds_fault(name, &[DEADLOCK], move || {
            conversation(rules);
        });
    }
}
