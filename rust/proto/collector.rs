// SPDX-License-Identifier: GPL-2.0

//! The collector of sockets that nobody can reach any more.
//!
//! It runs after a socket was closed while there may be a ring, and every few
//! seconds as long as there may be one. It copies the graph in many short
//! critical sections, so that no sender waits for the whole, decides by
//! [`crate::pure::gc`], and empties the queues of what is garbage: the files in
//! there are closed, and with them the sockets. What depends on the queues of
//! AF_UNIX is left to [`super::mixed`].

use super::inflight::{
    Carried,
    Graph,
    InFlight,
    Message,
    Place,
    BATCH, //
};
use super::mixed;
use super::module::Space;
use super::packets;
use super::socket::Sock;
use crate::net::grow::{
    self,
    put, //
};
use crate::net::{
    cond_resched,
    full_barrier,
    wake_unix_collector,
    Backlog,
    Deferred,
    Task, //
};
use crate::pure::gc::{
    self,
    Edge,
    Vertex, //
};
use kernel::{
    prelude::*,
    sync::{
        aref::ARef,
        Arc, //
    }, //
};

/// How often the collector looks while there may be garbage and nothing is
/// closed, in milliseconds.
pub(super) const INTERVAL: u32 = 2000;

/// The collector rests for so many times as long as it ran.
const REST: u32 = 9;

/// Schedules the collector.
pub(super) static COLLECTOR: Deferred<Collector> = Deferred::new(REST);

/// The collector.
pub(crate) struct Collector;

impl Task for Collector {
    type Space = Space;

    fn deferred() -> &'static Deferred<Self> {
        &COLLECTOR
    }

    fn run(space: &Space) {
        let Some(in_flight) = space.in_flight.as_ref() else {
            return;
        };
        // Without memory for it, garbage waits for the next run.
        match find(in_flight) {
            Ok(garbage) => garbage.iter().for_each(|sk| empty(sk)),
            Err(_) => in_flight.suspect(),
        }
    }
}

/// An edge as it was read.
pub(super) struct Read {
    /// The place of the carried socket among the vertices.
    pub(super) socket: u32,
    /// The address of the socket that the message is reached by, zero for none.
    pub(super) queue: usize,
    pub(super) message: Arc<Message>,
}

impl Read {
    /// Tells whether the message is still reached as it was when it was read.
    pub(super) fn is_true(&self) -> bool {
        self.message.reached_by() == self.queue
    }
}

/// The graph as it was read.
pub(super) struct Snapshot {
    /// The number of the run.
    pub(super) run: usize,
    /// The sockets in flight, by address.
    pub(super) sockets: KVVec<Carried>,
    pub(super) vertices: KVVec<Vertex>,
    pub(super) reads: KVVec<Read>,
}

impl Snapshot {
    /// Copies the graph, a few edges at a time. May sleep.
    fn take(in_flight: &InFlight) -> Result<Self> {
        let (run, last) = in_flight.begin();
        let mut this = Self {
            run,
            sockets: KVVec::new(),
            vertices: KVVec::new(),
            reads: KVVec::new(),
        };
        let mut next = Some(Place {
            socket: 0,
            number: 0,
        });
        while let Some(from) = next {
            grow::reserve(&mut this.sockets, BATCH)?;
            grow::reserve(&mut this.vertices, BATCH)?;
            grow::reserve(&mut this.reads, BATCH)?;
            let graph = in_flight.lock();
            next = this.read(&graph, from, last)?;
            drop(graph);
            cond_resched();
        }
        Ok(this)
    }

    /// Reads some edges, under the lock of the graph. A socket's references are
    /// counted in the same critical section as the last of its edges.
    fn read(&mut self, graph: &Graph, from: Place, last: u64) -> Result<Option<Place>> {
        let mut counted = 0;
        graph.read(from, last, |place, message| {
            let socket = message.socket(place).ok_or(EINVAL)?;
            if counted != place.socket {
                counted = place.socket;
                let vertex = Vertex::new(count(socket));
                match (self.sockets.last(), self.vertices.last_mut()) {
                    (Some(known), Some(known_vertex)) if known.address() == counted => {
                        *known_vertex = vertex;
                    }
                    _ => {
                        put(&mut self.sockets, socket.clone())?;
                        put(&mut self.vertices, vertex)?;
                    }
                }
            }
            let read = Read {
                socket: place_of(self.sockets.len().wrapping_sub(1))?,
                queue: message.reached_by(),
                message: message.clone(),
            };
            put(&mut self.reads, read)
        })
    }

    /// Returns the place of a socket among the vertices.
    pub(super) fn find(&self, address: usize) -> Option<u32> {
        search(&self.sockets, address)
    }

    /// Keeps what has moved since the run began; to be called once all is read.
    pub(super) fn keep_what_moved(&mut self) {
        // Whoever had to do with a queue has stamped its socket before it let go of that. Where
        // the socket was counted without that reference, the stamp is seen here.
        full_barrier();
        for (socket, vertex) in self.sockets.iter().zip(self.vertices.iter_mut()) {
            if matches!(socket, Carried::Own(sk) if sk.data().is_stamped(self.run)) {
                vertex.keep();
            }
        }
        for read in self.reads.iter().filter(|read| !read.is_true()) {
            if let Some(vertex) = self.vertices.get_mut(read.socket as usize) {
                vertex.keep();
            }
        }
    }

    /// Returns the edges in the form that the algorithm takes, and whether any is
    /// in the queue of a socket that is in flight.
    pub(super) fn edges(&self) -> Result<(KVVec<Edge>, bool)> {
        let mut edges = KVVec::with_capacity(self.reads.len(), GFP_KERNEL)?;
        let mut rings = false;
        for read in &self.reads {
            let queue = match read.queue {
                0 => None,
                queue => self.find(queue),
            };
            rings |= queue.is_some();
            put(&mut edges, Edge::new(read.socket, queue))?;
        }
        Ok((edges, rings))
    }
}

/// Returns the references of a socket as a vertex has them.
pub(super) fn count(socket: &Carried) -> u32 {
    u32::try_from(socket.references()).unwrap_or(u32::MAX)
}

/// Returns a place as the algorithm has it.
pub(super) fn place_of(index: usize) -> Result<u32> {
    u32::try_from(index).map_err(|_| ENOMEM)
}

/// Returns the place of a socket among others that stand by address.
pub(super) fn search(sockets: &[Carried], address: usize) -> Option<u32> {
    let mut begin = 0usize;
    let mut len = sockets.len();
    while len > 0 {
        let half = len / 2;
        let middle = begin.wrapping_add(half);
        let found = sockets.get(middle)?.address();
        if found == address {
            return place_of(middle).ok();
        }
        if found < address {
            begin = middle.wrapping_add(1);
            len = len.wrapping_sub(half).wrapping_sub(1);
        } else {
            len = half;
        }
    }
    None
}

/// Returns the sockets that nobody can reach. May sleep.
fn find(in_flight: &InFlight) -> Result<KVVec<ARef<Sock>>> {
    let wakes = in_flight.has_unix_garbage();
    if wakes {
        // What was taken apart is closed meanwhile, and AF_UNIX may have to do the rest.
        wake_unix_collector();
    }
    let mut snapshot = Snapshot::take(in_flight)?;
    let (mut edges, rings) = snapshot.edges()?;
    snapshot.keep_what_moved();
    let mut found = KVVec::new();
    if rings {
        gc::collect(&mut snapshot.vertices, &mut edges).map_err(|_| EINVAL)?;
        for (vertex, socket) in snapshot.vertices.iter().zip(&snapshot.sockets) {
            if let (true, Carried::Own(sk)) = (vertex.is_garbage(), socket) {
                grow::push(&mut found, sk.clone())?;
            }
        }
        note_litter(&snapshot);
    }
    drop(edges);
    let unix = in_flight.unix_sockets() > 0;
    if unix {
        // What fails here may succeed in the next run, and keeps nobody else.
        mixed::find(in_flight, snapshot, &mut found).ok();
    }
    // What is left of a ring may become garbage without any socket being closed.
    if rings || unix || wakes {
        in_flight.suspect();
    } else {
        in_flight.end_without_ring();
    }
    Ok(found)
}

/// Notes whose garbage was found.
fn note_litter(snapshot: &Snapshot) {
    for read in &snapshot.reads {
        let vertex = snapshot.vertices.get(read.socket as usize);
        if vertex.is_some_and(Vertex::is_garbage) {
            read.message.littered(snapshot.run);
        }
    }
}

/// Empties the queues of a socket, those of connections that wait at it
/// included.
///
/// What is sent to it from now on goes when it is closed, soon after.
fn empty(sk: &Sock) {
    if let Some(queue) = sk.received() {
        queue.purge();
    }
    packets::purge(sk);
    let mut state = sk.lock();
    let backlog = core::mem::replace(&mut state.backlog, Backlog::new());
    state.set_pending(0);
    drop(state);
    drop(backlog);
}
