// SPDX-License-Identifier: GPL-2.0

//! Files in flight, and which of them are sockets.
//!
//! Sockets that wait in each other's queues keep each other alive. The graph of
//! who is in whose queue is kept here; [`super::collector`] finds in it what
//! nobody can reach any more, by the rules in [`crate::pure::gc`]:
//!
//! - A reference is taken before its edge is added, and its edge is removed
//!   before the reference is handed out or dropped.
//! - Whenever an edge leaves a queue, or a reference in it is duplicated, the
//!   socket of the queue is stamped with the number of the collector's run,
//!   under the lock of the graph, and while the receiving socket is still held.
//!   What never got into the queue leaves no stamp: otherwise who keeps on sending
//!   to a full queue could keep the collector from ever emptying it.
//!
//! No lock is held for longer than it takes to go through [`BATCH`] edges.

use super::collector::{
    self,
    COLLECTOR, //
};
use super::module::Space;
use super::socket::Sock;
use super::users::{
    User,
    Users,
    ETOOMANYREFS, //
};
use crate::net::{
    now,
    Files,
    UnixSock, //
};
use crate::pure::gc;
use kernel::{
    alloc::flags::GFP_KERNEL_ACCOUNT,
    new_spinlock,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    },
    sync::{
        aref::ARef,
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc,
        SpinLock,
        UniqueArc, //
    }, //
};

/// How many edges are added, removed or read in one critical section.
pub(super) const BATCH: usize = 64;

/// There is no ring.
const NONE: u32 = 0;

/// There may be one, and the collector hasn't looked since that was said.
const MAYBE: u32 = 1;

/// The collector is looking, and may find that there is none.
const SEEN: u32 = 2;

/// All files in flight.
#[pin_data]
pub(crate) struct InFlight {
    /// The users who have some.
    #[pin]
    pub(super) users: Users,
    #[pin]
    graph: SpinLock<Graph>,
    /// The number of the collector's run that is under way, or was the last.
    /// Written under the lock of the graph.
    run: Atomic<usize>,
    /// Whether there may be a ring in the graph: [`NONE`], [`MAYBE`] or [`SEEN`].
    suspect: Atomic<u32>,
    /// How many edges are references to sockets of AF_UNIX.
    unix: Atomic<usize>,
    /// When garbage of AF_UNIX was found, zero if that is long ago.
    unix_garbage: Atomic<i64>,
}

/// The references to sockets that are in queues, or on their way there.
pub(super) struct Graph {
    edges: RBTree<Place, Arc<Message>>,
    /// The number of the last edge.
    last: u64,
}

// As above.
impl Unpin for Graph {}

/// Where an edge stands: those to the same socket side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The address of the socket that is carried.
    pub(super) socket: usize,
    /// The number of the edge, which no other has.
    pub(super) number: u64,
}

/// A socket among files in flight.
#[derive(Clone)]
pub(super) enum Carried {
    /// One of the family.
    Own(ARef<Sock>),
    /// One of AF_UNIX.
    Unix(UnixSock),
}

impl Carried {
    /// Returns the address, by which the socket is told from others.
    pub(super) fn address(&self) -> usize {
        match self {
            Self::Own(sk) => address(sk),
            Self::Unix(sk) => sk.address(),
        }
    }

    /// Returns how many references there are to the socket's file. A snapshot.
    pub(super) fn references(&self) -> usize {
        match self {
            Self::Own(sk) => sk.file_references(),
            Self::Unix(sk) => sk.file_references(),
        }
    }
}

/// A message that carries sockets.
///
/// # Invariants
///
/// Once in the graph, the socket at place `i` has an edge numbered `first + i`.
pub(super) struct Message {
    /// Whose queue it is for.
    queue: ARef<Sock>,
    /// Who has sent it.
    user: Arc<User>,
    /// The sockets that it carries, with a reference to each file.
    sockets: KVec<Carried>,
    first: u64,
    /// How many of the sockets are of AF_UNIX.
    unix: usize,
    /// It is in the queue, or about to be with nothing in between.
    queued: Atomic<bool>,
}

impl Message {
    /// Describes a message with sockets in it, `unix` of them of AF_UNIX, that is for
    /// the queue of `queue`.
    pub(super) fn new(queue: &Sock, user: Arc<User>, sockets: KVec<Carried>, unix: usize) -> Self {
        // INVARIANT: It isn't in the graph yet.
        Self {
            queue: queue.into(),
            user,
            sockets,
            first: 0,
            unix,
            queued: Atomic::new(false),
        }
    }

    /// Returns how many of the sockets are of AF_UNIX.
    pub(super) fn unix(&self) -> usize {
        self.unix
    }

    /// Notes that it is in the queue, or is with nothing in between. Any context.
    pub(super) fn queued(&self) {
        self.queued.store(true, Release);
    }

    /// Returns the address of the socket by which what is in the message can be
    /// received; zero while only the sender has the message.
    ///
    /// A connection that waits to be accepted is reached by its listener.
    pub(super) fn reached_by(&self) -> usize {
        if !self.queued.load(Acquire) {
            return 0;
        }
        match self.queue.listener() {
            0 => address(&self.queue),
            listener => listener,
        }
    }

    /// Returns the socket of the edge at `place`.
    pub(super) fn socket(&self, place: &Place) -> Option<&Carried> {
        let index = usize::try_from(place.number.wrapping_sub(self.first)).ok()?;
        self.sockets.get(index)
    }

    /// Notes that garbage of run `run` was in the message.
    pub(super) fn littered(&self, run: usize) {
        self.user.litters(run);
    }

    /// Returns the places of up to [`BATCH`] edges, those of the sockets from
    /// index `from` on.
    fn places(&self, from: usize) -> impl Iterator<Item = Place> + '_ {
        let mut number = self.first.wrapping_add(from as u64);
        let sockets = self.sockets.get(from..).unwrap_or(&[]);
        sockets.iter().take(BATCH).map(move |socket| {
            let place = Place {
                socket: socket.address(),
                number,
            };
            number = number.wrapping_add(1);
            place
        })
    }

    /// Returns the index of the first socket of each batch.
    fn batches(&self) -> impl Iterator<Item = usize> {
        let count = self.sockets.len();
        let mut next = 0usize;
        core::iter::from_fn(move || {
            let from = next;
            next = next.wrapping_add(BATCH);
            (from < count).then_some(from)
        })
    }
}

impl Graph {
    /// Calls `f` with the edges from `from` on, in order, at most [`BATCH`] of
    /// them, and those alone that aren't younger than `last`. Returns where to go on.
    pub(super) fn read(
        &self,
        from: Place,
        last: u64,
        mut f: impl FnMut(&Place, &Arc<Message>) -> Result,
    ) -> Result<Option<Place>> {
        let mut from = from;
        for _ in 0..BATCH {
            let Some(cursor) = self.edges.cursor_lower_bound(&from) else {
                return Ok(None);
            };
            let (place, message) = cursor.current();
            if place.number > last {
                // Nobody can send what is garbage: the socket is alive, and counted as such by
                // the reference that goes without an edge here.
                let Some(socket) = place.socket.checked_add(1) else {
                    return Ok(None);
                };
                from = Place { socket, number: 0 };
                continue;
            }
            f(place, message)?;
            from = Place {
                socket: place.socket,
                number: place.number.wrapping_add(1),
            };
        }
        Ok(Some(from))
    }

    /// Calls `f` with the edges of one socket from `from` on, at most [`BATCH`] of
    /// them. Returns where to go on.
    pub(super) fn read_socket(
        &self,
        from: Place,
        mut f: impl FnMut(&Arc<Message>) -> Result,
    ) -> Result<Option<Place>> {
        let mut from = from;
        for _ in 0..BATCH {
            let cursor = self.edges.cursor_lower_bound(&from);
            let (place, message) = match cursor.as_ref().map(|cursor| cursor.current()) {
                Some((place, message)) if place.socket == from.socket => (place, message),
                _ => return Ok(None),
            };
            f(message)?;
            from.number = place.number.wrapping_add(1);
        }
        Ok(Some(from))
    }

    /// Tells whether a socket is in flight, or somebody claims that it is.
    fn is_in_flight(&self, socket: usize) -> bool {
        let from = Place { socket, number: 0 };
        self.edges
            .cursor_lower_bound(&from)
            .is_some_and(|cursor| cursor.current().0.socket == socket)
    }
}

impl InFlight {
    /// Returns the initialiser of an empty registry.
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            users <- Users::new(),
            graph <- new_spinlock!(
                Graph { edges: RBTree::new(), last: 0 },
                "InFlight::graph"
            ),
            // Ahead of what a new user has littered.
            run: Atomic::new(2),
            suspect: Atomic::new(NONE),
            unix: Atomic::new(0),
            unix_garbage: Atomic::new(0),
        })
    }

    /// Lets the collector look for garbage, if there may be some. Any context.
    fn something_closed(&self) {
        if self.is_suspect() {
            COLLECTOR.schedule();
        }
    }

    /// Tells whether there may be garbage. A snapshot; any context.
    pub(super) fn is_suspect(&self) -> bool {
        self.suspect.load(Relaxed) != NONE
    }

    /// Lets the collector come back. Any context.
    pub(super) fn suspect(&self) {
        self.suspect.store(MAYBE, Relaxed);
        COLLECTOR.schedule_after(collector::INTERVAL);
    }

    /// Returns how many sockets of AF_UNIX are in flight. A snapshot.
    pub(super) fn unix_sockets(&self) -> usize {
        self.unix.load(Relaxed)
    }

    /// Notes that sockets of AF_UNIX are about to be garbage to their own
    /// collector.
    pub(super) fn note_unix_garbage(&self) {
        self.unix_garbage.store(now(), Relaxed);
    }

    /// Tells whether that was noted a short while ago. By the collector alone.
    pub(super) fn has_unix_garbage(&self) -> bool {
        /// Files are closed sooner than that, in nanoseconds.
        const WHILE: i64 = 3_000_000_000;
        let noted = self.unix_garbage.load(Relaxed);
        if noted == 0 {
            return false;
        }
        if now().saturating_sub(noted) > WHILE {
            self.unix_garbage.store(0, Relaxed);
        }
        true
    }

    /// Locks the graph. Any context that may spin.
    pub(super) fn lock(&self) -> impl core::ops::Deref<Target = Graph> + '_ {
        self.graph.lock()
    }

    /// Begins a run of the collector: returns its number, and that of the last
    /// edge that it has to look at. Any context that may spin.
    pub(super) fn begin(&self) -> (usize, u64) {
        let graph = self.graph.lock();
        let run = self.run.load(Relaxed).wrapping_add(1);
        self.run.store(run, Relaxed);
        self.suspect.store(SEEN, Relaxed);
        (run, graph.last)
    }

    /// Notes that the run which [`Self::begin`] began has found no ring, unless there
    /// may be one by now. Any context.
    pub(super) fn end_without_ring(&self) {
        // If it fails, somebody has said that there may be one.
        self.suspect.cmpxchg(SEEN, NONE, Relaxed).ok();
    }

    /// Counts files of a user as in flight. Nobody is refused for garbage: if
    /// there are too many, the collector runs before that is said.
    ///
    /// May sleep. `ETOOMANYREFS` if there are too many already.
    pub(super) fn count(&self, files: &Files) -> Result<Arc<User>> {
        match self.users.count(files) {
            Err(e) if e.to_errno() == -ETOOMANYREFS => {
                COLLECTOR.schedule();
                COLLECTOR.flush();
                self.users.count(files)
            }
            result => result,
        }
    }

    /// Lets a user who has many files in flight wait until the collector has
    /// run, if it keeps on finding garbage of that user.
    ///
    /// Mirrors `unix_schedule_gc()`. May sleep.
    pub(super) fn throttle(&self, files: &Files) {
        let Some((count, littered)) = self.users.known(files) else {
            return;
        };
        if !gc::waits_for_collector(count) || !self.is_suspect() {
            return;
        }
        COLLECTOR.schedule();
        if littered.wrapping_add(1) >= self.run.load(Relaxed) {
            COLLECTOR.flush();
        }
    }

    /// Adds the edges of a message to the graph.
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(super) fn add(&self, mut message: UniqueArc<Message>) -> Result<Arc<Message>> {
        let count = message.sockets.len();
        let mut nodes = KVec::with_capacity(count, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..count {
            let node = RBTreeNodeReservation::new(GFP_KERNEL_ACCOUNT)?;
            nodes.push_within_capacity(node).map_err(|_| ENOMEM)?;
        }
        let mut graph = self.graph.lock();
        message.first = graph.last.wrapping_add(1);
        graph.last = graph.last.wrapping_add(count as u64);
        drop(graph);
        let unix = message.unix;
        let message: Arc<Message> = message.into();
        self.unix.add(unix, Relaxed);
        // INVARIANT: The edges are numbered so. A message whose edges aren't all there is as good
        // as one that somebody holds.
        for from in message.batches() {
            let mut graph = self.graph.lock();
            for place in message.places(from) {
                if let Some(node) = nodes.pop() {
                    drop(graph.edges.insert(node.into_node(place, message.clone())));
                }
            }
        }
        let graph = self.graph.lock();
        // The last edge of a ring finds the socket of the queue in flight.
        let queue = &message.queue;
        let rings = graph.is_in_flight(address(queue)) || graph.is_in_flight(queue.listener());
        drop(graph);
        if rings || unix > 0 {
            self.suspect();
        }
        Ok(message)
    }

    /// Removes the edges of a message from the graph, and stamps the socket whose
    /// queue it was in, if it was.
    pub(super) fn remove(&self, message: &Message) {
        let queued = message.queued.load(Relaxed);
        for from in message.batches() {
            let mut graph = self.graph.lock();
            if queued {
                self.stamp(message);
            }
            for place in message.places(from) {
                // Somebody has a reference to the message: nothing but the node is freed.
                drop(graph.edges.remove_node(&place));
            }
        }
        let _ = self.unix.fetch_sub(message.unix, Relaxed);
    }

    /// Notes that what is in a message was duplicated, for a receiver that peeks.
    pub(super) fn peeked(&self, message: &Message) {
        let graph = self.graph.lock();
        self.stamp(message);
        drop(graph);
    }

    /// Stamps the socket whose queue a message is in, under the lock of the graph.
    fn stamp(&self, message: &Message) {
        message.queue.data().stamp(self.run.load(Relaxed));
    }
}

/// Returns the address of a socket.
pub(super) fn address(sk: &Sock) -> usize {
    core::ptr::from_ref(sk).addr()
}

/// Returns the registry.
pub(super) fn registry(sk: &Sock) -> Option<&InFlight> {
    let space: &Space = sk.initial_space()?;
    space.in_flight.as_deref()
}

/// Tells the collector that a socket was closed.
pub(super) fn something_closed(sk: &Sock) {
    if let Some(registry) = registry(sk) {
        registry.something_closed();
    }
}
