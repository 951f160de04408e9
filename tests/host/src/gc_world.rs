// SPDX-License-Identifier: GPL-2.0

//! The collector in a world that changes while its snapshot is taken.
//!
//! Threads make sockets, send, receive and peek at references to them, connect,
//! accept and close, with the collector's steps in between. What takes a thread
//! more than one critical section is two steps here, and anything may happen
//! between them. The world follows the rules in the head of `pure::gc`; each
//! [`Fault`] breaks one, and must be found.

use crate::pure::gc::{collect, Edge, Vertex};

/// A rule of the snapshot that isn't kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Receiving doesn't stamp.
    ReceiveUnstamped,
    /// Peeking doesn't stamp.
    PeekUnstamped,
    /// Peeking stamps when the receiving socket may be closed already.
    PeekStampedLate,
    /// Emptying a socket's own queue doesn't stamp.
    PurgeUnstamped,
    /// What goes with its queue, when the socket is freed, doesn't stamp it.
    FreeUnstamped,
    /// What couldn't be sent stamps the socket that it was for.
    FailureStamped,
    /// Nobody looks whether what is in a queue is still reached by the same socket.
    AcceptUnseen,
    /// Stamps are looked at before the last socket is read.
    StampsReadEarly,
    /// Queues of connections that nobody accepted count as nobody's.
    EmbryosUnseen,
}

/// Numbers that look random and are the same for the same seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    /// Picks one of several, if there is one.
    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        (!from.is_empty()).then(|| from[self.below(from.len())])
    }
}

type Socket = usize;

/// A queue, with the references in it.
struct Queue {
    /// The socket through which they are received: the listener's, while
    /// nobody accepted the connection.
    socket: Socket,
    accepted: bool,
    items: Vec<Item>,
}

/// A reference in a queue. Its number is given before it gets there.
#[derive(Clone, Copy)]
struct Item {
    socket: Socket,
    number: u64,
}

/// What a thread has yet to do; it holds references until it is done.
enum Busy {
    /// The edge has a number, and isn't in the graph yet.
    Number {
        item: Item,
        queue: usize,
    },
    Send {
        item: Item,
        queue: usize,
    },
    Receive {
        through: Socket,
        socket: Socket,
    },
    Peek {
        through: Socket,
        socket: Socket,
    },
    Stamp {
        socket: Socket,
    },
    Accept {
        through: Socket,
        socket: Socket,
    },
}

/// A socket as the collector read it.
struct Reading {
    socket: Socket,
    references: u32,
    /// The queue of each of its edges, and the socket that it was reached by. No queue
    /// while somebody is about to send it.
    edges: Vec<(Option<usize>, Option<Socket>)>,
    /// The number of the last edge that was read.
    upto: u64,
    /// All edges were read, and the references with the last of them.
    done: bool,
    stamped: bool,
}

/// A run of the collector.
struct Run {
    /// The last number that was given at its begin.
    last: u64,
    /// What was in flight at its begin.
    first: Vec<Socket>,
    /// What was garbage at its begin.
    garbage: Vec<Socket>,
    readings: Vec<Reading>,
}

struct World {
    numbers: Numbers,
    fault: Fault,
    /// Which sockets are freed.
    freed: Vec<bool>,
    /// Which sockets were stamped since the collector began.
    stamps: Vec<bool>,
    /// The last number that was given to an edge.
    number: u64,
    queues: Vec<Queue>,
    /// The file table that all threads share.
    table: Vec<Socket>,
    busy: Vec<Busy>,
    run: Option<Run>,
    seen: Seen,
}

/// What came up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    runs: usize,
    /// Sockets found to be garbage.
    garbage: usize,
    /// Runs that left alone a socket for its stamp only.
    stamped: usize,
    /// Runs with a socket that came in flight after the begin.
    arrived: usize,
    /// Runs that found garbage and left something in flight alone.
    mixed: usize,
    /// Runs that called a live socket garbage.
    wrong: usize,
    /// Runs that didn't find what was garbage at their begin.
    missed: usize,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.garbage += other.garbage;
        self.stamped += other.stamped;
        self.arrived += other.arrived;
        self.mixed += other.mixed;
        self.wrong += other.wrong;
        self.missed += other.missed;
    }
}

impl World {
    const SOCKETS: usize = 6;

    fn new(seed: u64, fault: Fault) -> Self {
        let mut world = Self {
            numbers: Numbers(seed),
            fault,
            freed: Vec::new(),
            stamps: Vec::new(),
            number: 0,
            queues: Vec::new(),
            table: Vec::new(),
            busy: Vec::new(),
            run: None,
            seen: Seen::default(),
        };
        for _ in 0..3 {
            let socket = world.make_socket();
            world.queues.push(Queue {
                socket,
                accepted: true,
                items: Vec::new(),
            });
            world.table.push(socket);
        }
        world
    }

    fn make_socket(&mut self) -> Socket {
        self.freed.push(false);
        self.stamps.push(false);
        self.freed.len() - 1
    }

    fn stamp(&mut self, socket: Socket, but_for: Fault) {
        if self.fault != but_for {
            self.stamps[socket] = true;
        }
    }

    // --- The truth -------------------------------------------------------------

    /// References that threads hold.
    fn held(&self) -> Vec<Socket> {
        let mut held = self.table.clone();
        for busy in &self.busy {
            match *busy {
                Busy::Number { item, .. } | Busy::Send { item, .. } => held.push(item.socket),
                Busy::Receive { through, socket }
                | Busy::Peek { through, socket }
                | Busy::Accept { through, socket } => held.extend([through, socket]),
                Busy::Stamp { .. } => {}
            }
        }
        held
    }

    /// The socket through which what is in a queue is received, as the
    /// collector sees it.
    fn reached_by(&self, queue: Option<usize>) -> Option<Socket> {
        let queue = &self.queues[queue?];
        let seen = queue.accepted || self.fault != Fault::EmbryosUnseen;
        seen.then_some(queue.socket)
    }

    /// The edges of a socket behind one number and up to another, in order.
    fn edges(&self, of: Socket, behind: u64, last: u64) -> Vec<(u64, Option<usize>)> {
        let wanted = |i: &&Item| i.socket == of && i.number > behind && i.number <= last;
        let mut edges = Vec::new();
        for (place, queue) in self.queues.iter().enumerate() {
            let items = queue.items.iter().filter(wanted);
            edges.extend(items.map(|item| (item.number, Some(place))));
        }
        let items = self.sent().filter(wanted);
        edges.extend(items.map(|item| (item.number, None)));
        edges.sort_unstable();
        edges
    }

    /// Reads a few edges of a socket, and counts its references.
    fn read(&self, reading: &mut Reading, last: u64) {
        const BATCH: usize = 2;
        let edges = self.edges(reading.socket, reading.upto, last);
        reading.references = self.references()[reading.socket];
        for &(number, queue) in edges.iter().take(BATCH) {
            reading.upto = number;
            reading.edges.push((queue, self.reached_by(queue)));
        }
        reading.done = edges.len() < BATCH;
    }

    /// How many references there are to each socket.
    fn references(&self) -> Vec<u32> {
        let mut references = vec![0; self.freed.len()];
        let queued = self.queues.iter().flat_map(|queue| &queue.items);
        for socket in self.held().into_iter().chain(queued.map(|i| i.socket)) {
            references[socket] += 1;
        }
        references
    }

    fn alive(&self) -> Vec<bool> {
        let mut alive = vec![false; self.freed.len()];
        for socket in self.held() {
            alive[socket] = true;
        }
        loop {
            let before = alive.clone();
            for queue in self.queues.iter().filter(|queue| before[queue.socket]) {
                queue.items.iter().for_each(|i| alive[i.socket] = true);
            }
            if alive == before {
                return alive;
            }
        }
    }

    /// What is about to be sent.
    fn sent(&self) -> impl Iterator<Item = &Item> {
        self.busy.iter().filter_map(|busy| match busy {
            Busy::Send { item, .. } => Some(item),
            _ => None,
        })
    }

    fn in_flight(&self) -> Vec<Socket> {
        let queued = self.queues.iter().flat_map(|queue| &queue.items);
        let items = queued.chain(self.sent());
        let mut sockets: Vec<Socket> = items.map(|item| item.socket).collect();
        sockets.sort_unstable();
        sockets.dedup();
        sockets
    }

    fn purge(&mut self, socket: Socket) {
        let mut any = false;
        for queue in self.queues.iter_mut().filter(|q| q.socket == socket) {
            any |= !queue.items.is_empty();
            queue.items.clear();
        }
        if any {
            self.stamp(socket, Fault::FreeUnstamped);
        }
    }

    /// Frees what has no references, and what is left without by that.
    fn free(&mut self) {
        loop {
            let references = self.references();
            let unused = |s: &Socket| !self.freed[*s] && references[*s] == 0;
            let Some(socket) = (0..self.freed.len()).find(unused) else {
                return;
            };
            self.freed[socket] = true;
            self.purge(socket);
        }
    }

    // --- Threads ---------------------------------------------------------------

    fn own_queue(&self, socket: Socket) -> usize {
        let is_own = |queue: &Queue| queue.socket == socket && queue.accepted;
        self.queues.iter().position(is_own).unwrap()
    }

    /// Starts a socket's life, or a call, or ends a call.
    fn act(&mut self) -> Option<()> {
        let some_open = self.numbers.pick(&self.table.clone());
        match self.numbers.below(35) {
            0..3 => {
                let unfreed = self.freed.iter().filter(|&&freed| !freed).count();
                if unfreed < Self::SOCKETS {
                    let socket = self.make_socket();
                    self.queues.push(Queue {
                        socket,
                        accepted: true,
                        items: Vec::new(),
                    });
                    self.table.push(socket);
                }
            }
            3..10 => {
                // To anybody: he who sends need not hold the socket that
                // receives, but its name or its peer.
                let queue = self.numbers.below(self.queues.len());
                self.number += 1;
                let item = Item {
                    socket: some_open?,
                    number: self.number,
                };
                self.busy.push(match self.numbers.below(16) {
                    0 => Busy::Number { item, queue },
                    _ => Busy::Send { item, queue },
                });
            }
            10..14 => {
                let through = some_open?;
                let queue = self.own_queue(through);
                if !self.queues[queue].items.is_empty() {
                    let socket = self.queues[queue].items.remove(0).socket;
                    self.stamp(through, Fault::ReceiveUnstamped);
                    self.busy.push(Busy::Receive { through, socket });
                }
            }
            14..17 => {
                let through = some_open?;
                let queue = self.own_queue(through);
                let socket = self.queues[queue].items.first()?.socket;
                self.busy.push(Busy::Peek { through, socket });
            }
            17..23 => {
                let place = self.table.iter().position(|&s| Some(s) == some_open)?;
                self.table.remove(place);
            }
            23..25 => {
                let unfreed: Vec<Socket> =
                    (0..self.freed.len()).filter(|&s| !self.freed[s]).collect();
                self.queues.push(Queue {
                    socket: self.numbers.pick(&unfreed)?,
                    accepted: false,
                    items: Vec::new(),
                });
            }
            25..27 => {
                let through = some_open?;
                let is_embryo = |queue: &Queue| queue.socket == through && !queue.accepted;
                let queue = self.queues.iter().position(is_embryo)?;
                let socket = self.make_socket();
                self.queues[queue].socket = socket;
                self.queues[queue].accepted = true;
                self.busy.push(Busy::Accept { through, socket });
            }
            27 => {
                // Another peer: what the old one has sent is dropped.
                let through = some_open?;
                let queue = self.own_queue(through);
                if !self.queues[queue].items.is_empty() {
                    self.queues[queue].items.clear();
                    self.stamp(through, Fault::PurgeUnstamped);
                }
            }
            _ => self.go_on()?,
        }
        Some(())
    }

    /// Does the second half of a call.
    fn go_on(&mut self) -> Option<()> {
        if self.busy.is_empty() {
            return None;
        }
        let one = self.numbers.below(self.busy.len());
        match self.busy.swap_remove(one) {
            Busy::Number { item, queue } => self.busy.push(Busy::Send { item, queue }),
            Busy::Send { item, queue } => {
                let to = self.queues[queue].socket;
                if self.numbers.below(8) == 0 {
                    // The queue is full, or a signal comes.
                    if self.fault == Fault::FailureStamped {
                        self.stamps[to] = true;
                    }
                } else if !self.freed[to] {
                    self.queues[queue].items.push(item);
                }
            }
            Busy::Receive { socket, .. } | Busy::Accept { socket, .. } => self.table.push(socket),
            Busy::Peek { through, socket } => {
                if self.fault == Fault::PeekStampedLate {
                    self.busy.push(Busy::Stamp { socket: through });
                } else {
                    self.stamp(through, Fault::PeekUnstamped);
                }
                self.table.push(socket);
            }
            Busy::Stamp { socket } => self.stamps[socket] = true,
        }
        Some(())
    }

    // --- The collector ---------------------------------------------------------

    fn collector(&mut self) {
        let Some(mut run) = self.run.take() else {
            let first = self.in_flight();
            if first.is_empty() {
                return;
            }
            self.stamps.fill(false);
            let alive = self.alive();
            self.run = Some(Run {
                last: self.number,
                garbage: first.iter().copied().filter(|&s| !alive[s]).collect(),
                first,
                readings: Vec::new(),
            });
            return;
        };
        // What is left of a reading.
        if let Some(reading) = run.readings.last_mut().filter(|r| !r.done) {
            self.read(reading, run.last);
            self.run = Some(run);
            return;
        }
        let is_new = |s: &Socket| run.readings.iter().all(|reading| reading.socket != *s);
        let first: Vec<Socket> = run.first.iter().copied().filter(is_new).collect();
        let mut unread = first.clone();
        unread.extend(self.in_flight().into_iter().filter(is_new));
        if first.is_empty() && (unread.is_empty() || self.numbers.below(2) == 0) {
            return self.finish(run);
        }
        if let Some(socket) = self.numbers.pick(&unread) {
            let mut reading = Reading {
                socket,
                references: 0,
                edges: Vec::new(),
                upto: 0,
                done: false,
                stamped: self.stamps[socket],
            };
            self.read(&mut reading, run.last);
            run.readings.push(reading);
        }
        self.run = Some(run);
    }

    fn finish(&mut self, run: Run) {
        let mut vertices = Vec::new();
        let mut edges = Vec::new();
        let mut stamped = false;
        for (place, reading) in run.readings.iter().enumerate() {
            let mut vertex = Vertex::new(reading.references);
            let now = self.stamps[reading.socket];
            if reading.stamped || (now && self.fault != Fault::StampsReadEarly) {
                vertex.keep();
                stamped = true;
            }
            let moved = |&(queue, by): &(Option<usize>, _)| self.reached_by(queue) != by;
            if self.fault != Fault::AcceptUnseen && reading.edges.iter().any(moved) {
                vertex.keep();
            }
            vertices.push(vertex);
            for &(_, by) in &reading.edges {
                let place_of = |s| run.readings.iter().position(|r| r.socket == s);
                let queue = by.and_then(place_of).map(|place| place as u32);
                edges.push(Edge::new(place as u32, queue));
            }
        }
        let found = collect(&mut vertices, &mut edges);
        if self.fault == Fault::None {
            found.unwrap();
        }

        let alive = self.alive();
        let verdicts = run.readings.iter().zip(&vertices);
        let garbage: Vec<Socket> = verdicts
            .filter(|(reading, vertex)| vertex.is_garbage() && !self.freed[reading.socket])
            .map(|(reading, _)| reading.socket)
            .collect();
        let wrong = garbage.iter().any(|&socket| alive[socket]);
        let missed = run.garbage.iter().any(|s| !garbage.contains(s));
        let arrived = run.readings.iter().any(|r| !run.first.contains(&r.socket));
        self.seen.add(Seen {
            runs: 1,
            garbage: garbage.len(),
            stamped: stamped.into(),
            arrived: arrived.into(),
            mixed: (!garbage.is_empty() && garbage.len() < run.readings.len()).into(),
            wrong: wrong.into(),
            missed: missed.into(),
        });
        if self.fault != Fault::None {
            return;
        }
        // What the caller does with the verdict.
        garbage.iter().for_each(|&socket| self.purge(socket));
        self.free();
        assert!(garbage.iter().all(|&socket| self.freed[socket]));
        assert!((0..alive.len()).all(|s| !alive[s] || !self.freed[s]));
    }

    fn live(mut self, steps: usize) -> Seen {
        for _ in 0..steps {
            if self.numbers.below(3) == 0 {
                self.collector();
            } else {
                // What can't be done isn't done.
                let _ = self.act();
                self.free();
            }
        }
        self.seen
    }
}

fn worlds(seeds: std::ops::Range<u64>, fault: Fault) -> Seen {
    let mut seen = Seen::default();
    for seed in seeds {
        let one = World::new(seed, fault).live(160);
        assert!(
            fault != Fault::None || (one.wrong == 0 && one.missed == 0),
            "seed {seed}: {one:?}"
        );
        seen.add(one);
    }
    seen
}

#[test]
fn garbage_is_dead_at_the_end_and_what_was_dead_at_the_begin_is_found() {
    let seen = worlds(0..10_000, Fault::None);
    println!("{seen:?}");
    assert!(seen.runs > 30_000);
    assert!(seen.garbage > 3_000);
    assert!(seen.stamped > 3_000);
    assert!(seen.arrived > 3_000);
    assert!(seen.mixed > 1_000);
}

/// Goes through worlds until a live socket is called garbage.
///
/// A world of a number is the same each time. `start` is a little before one
/// that is known, so that the search is short; it may be any other number.
#[track_caller]
fn kills(fault: Fault, start: u64) {
    let mut seeds = start..start + 100_000;
    let found = seeds.find(|&seed| worlds(seed..seed + 1, fault).wrong > 0);
    println!("{fault:?}: first found in world {found:?}");
    assert!(found.is_some(), "{fault:?} isn't found");
}

#[test]
fn what_is_received_must_be_stamped() {
    kills(Fault::ReceiveUnstamped, 11_500);
}

#[test]
fn what_is_peeked_at_must_be_stamped() {
    kills(Fault::PeekUnstamped, 19_500);
}

#[test]
fn a_peek_must_stamp_before_it_lets_go_of_the_receiving_socket() {
    kills(Fault::PeekStampedLate, 7_000);
}

#[test]
fn what_is_emptied_must_be_stamped() {
    kills(Fault::PurgeUnstamped, 30_500);
}

#[test]
fn what_goes_with_its_queue_must_be_stamped() {
    kills(Fault::FreeUnstamped, 4_000);
}

#[test]
fn what_was_not_sent_must_not_be_stamped() {
    let seen = worlds(0..2_000, Fault::FailureStamped);
    println!("{seen:?}");
    assert_eq!(seen.wrong, 0, "a leak, no more");
    assert!(seen.missed > 0, "no leak is found");
}

#[test]
fn what_is_accepted_must_be_seen() {
    kills(Fault::AcceptUnseen, 83_500);
}

#[test]
fn stamps_must_be_looked_at_in_the_end() {
    kills(Fault::StampsReadEarly, 20_500);
}

#[test]
fn what_is_in_a_listeners_queue_must_count_as_the_listeners() {
    let seen = worlds(0..2_000, Fault::EmbryosUnseen);
    println!("{seen:?}");
    assert_eq!(seen.wrong, 0, "a leak, no more");
    assert!(seen.missed > 0, "no leak is found");
}
