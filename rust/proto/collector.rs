// SPDX-License-Identifier: GPL-2.0

//! The collector of sockets that nobody can reach any more.
//!
//! It runs after a socket was closed while others are in flight, and every few
//! seconds as long as some are. It copies the graph and counts references under the lock of the graph, decides
//! by [`crate::pure::gc`], and empties the queues of what is garbage: the files
//! in there are closed, and with them the sockets.

use super::inflight::{
    Graph,
    InFlight, //
};
use super::module::Space;
use super::packets;
use super::socket::Sock;
use crate::net::{
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
    rbtree::RBTree,
    sync::aref::ARef, //
};

/// How often the collector looks while sockets are in flight and nothing is
/// closed, in milliseconds.
pub(super) const INTERVAL: u32 = 2000;

/// Schedules the collector.
pub(super) static COLLECTOR: Deferred<Collector> = Deferred::new();

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
        // Without memory for it, garbage waits for the next socket that is closed.
        if let Ok(garbage) = find(in_flight) {
            for sk in &garbage {
                empty(sk);
            }
        }
        // The last reference outside of queues may go without any socket being closed.
        if in_flight.has_sockets() {
            COLLECTOR.schedule_after(INTERVAL);
        }
    }
}

/// The graph in the form that the algorithm takes.
struct Snapshot {
    sockets: KVVec<ARef<Sock>>,
    vertices: KVVec<Vertex>,
    edges: KVVec<Edge>,
}

impl Snapshot {
    /// Copies the graph, whose lock is held, and counts references.
    fn take(graph: &Graph) -> Result<Self> {
        // As many edges as there are, and no more sockets than edges.
        let count = graph.references();
        let mut numbers: RBTree<usize, u32> = RBTree::new();
        let mut this = Self {
            sockets: KVVec::with_capacity(count, GFP_KERNEL)?,
            vertices: KVVec::with_capacity(count, GFP_KERNEL)?,
            edges: KVVec::with_capacity(count, GFP_KERNEL)?,
        };
        for sk in graph.sockets() {
            if numbers.get(&address(sk)).is_none() {
                let number = u32::try_from(this.sockets.len()).map_err(|_| ENOMEM)?;
                numbers.try_create_and_insert(address(sk), number, GFP_KERNEL)?;
                let references = u32::try_from(sk.file_references()).unwrap_or(u32::MAX);
                // Another pin: the socket may be closed once the lock is released.
                put(&mut this.sockets, sk.clone())?;
                put(&mut this.vertices, Vertex::new(references))?;
            }
        }
        for message in graph.messages() {
            // Who still holds a message that isn't queued yet may take it elsewhere.
            let queue = match message.queued {
                true => numbers.get(&queue_address(&message.queue)).copied(),
                false => None,
            };
            for sk in &message.sockets {
                if let Some(number) = numbers.get(&address(sk)) {
                    put(&mut this.edges, Edge::new(*number, queue))?;
                }
            }
        }
        Ok(this)
    }
}

/// Appends to a vector that was made large enough.
fn put<T>(to: &mut KVVec<T>, value: T) -> Result {
    to.push_within_capacity(value).map_err(|_| ENOMEM)
}

/// Returns the sockets that nobody can reach.
fn find(in_flight: &InFlight) -> Result<KVVec<ARef<Sock>>> {
    let graph = in_flight.lock();
    let snapshot = Snapshot::take(&graph);
    drop(graph);
    let mut snapshot = snapshot?;
    let count = gc::collect(&mut snapshot.vertices, &mut snapshot.edges).unwrap_or(0);
    let mut garbage = KVVec::with_capacity(count, GFP_KERNEL)?;
    for (vertex, sk) in snapshot.vertices.iter().zip(&snapshot.sockets) {
        if vertex.is_garbage() {
            put(&mut garbage, sk.clone())?;
        }
    }
    Ok(garbage)
}

/// Empties the queues of a socket, those of connections that wait at it
/// included.
fn empty(sk: &Sock) {
    if let Some(queue) = sk.received() {
        queue.close();
    }
    packets::close(sk);
    let mut state = sk.lock();
    let backlog = core::mem::replace(&mut state.backlog, Backlog::new());
    state.set_pending(0);
    drop(state);
    drop(backlog);
}

fn address(sk: &Sock) -> usize {
    core::ptr::from_ref(sk).addr()
}

/// Returns the address of the socket by which a queue can be reached: a
/// connection that waits to be accepted is reached by its listener.
fn queue_address(sk: &Sock) -> usize {
    match sk.data().listener() {
        0 => address(sk),
        listener => listener,
    }
}
