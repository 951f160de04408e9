// SPDX-License-Identifier: GPL-2.0

//! Finding the sockets in flight that nobody can reach any more.
//!
//! A socket is *in flight* while messages in the queues of sockets carry
//! references to it. Once all of its references are carried that way, it lives
//! as long as somebody may still receive one of them; and a ring of sockets,
//! each in the queue of the next, would live for ever. In this picture a file
//! table holds A, so A is alive, and so is B, which whoever has A may receive.
//! C and D are garbage, and E is as well, which only D could hand out:
//!
//! ```text
//!    file table       queue of A
//!   +-----------+    +-----------+
//!   |     A     |--->|     B     |           alive: A, B
//!   +-----------+    +-----------+
//!
//!    queue of C       queue of D
//!   +-----------+    +-----------+
//!   |     D     |--->|   C   E   |           garbage: C, D, E
//!   +-----------+    +-----------+
//!         ^              |
//!         +--------------+
//! ```
//!
//! # The rule
//!
//! A socket in flight is **alive** if
//!
//! - it has more references than those in queues, or
//! - one of them is in the queue of a socket that isn't in flight, or
//! - one of them is in the queue of a socket that is alive,
//!
//! and garbage otherwise. [`collect`] starts with what is alive by the first two
//! and follows the third: from each live socket to those in its queue. What is
//! in the queue of a connection that nobody accepted yet counts as being in
//! the queue of its listener, by which alone it can be received.
//!
//! AF_UNIX looks at strongly connected components instead: one is dead if none
//! of its sockets has a reference outside of queues, or in a queue outside of
//! the component. Each such component is garbage by the rule above. In turn,
//! among the components of garbage there is always one from which no edge leads
//! to another; that one is dead. Taking it away makes the next dead, and so on:
//! AF_UNIX gets at the same sockets, but, of rings that hang on each other, at
//! one a run. One pass over the graph gets at all of them, without Tarjan's
//! stack.
//!
//! # The snapshot
//!
//! The caller copies the graph into two arrays and needs no lock from then on:
//! nobody holds garbage, so nobody can make it alive again. Nor need the copy
//! be that of one moment, so that nobody is kept from sending while a large
//! graph is read. It is enough that
//!
//! 1. a reference is taken before its edge is added, and its edge is removed
//!    before the reference is handed out or dropped;
//! 2. a socket's edges are read in one or more critical sections of the lock that
//!    edges are changed under, at any time between the begin of the snapshot and
//!    its end, and its references in the last of those;
//! 3. a socket is reported with [`Vertex::keep`] if, between begin and end, an
//!    edge left its queue (also because it was freed), or a reference in it was
//!    duplicated by a peek. The caller stamps it under that lock, while the receiving
//!    socket is still held, and looks at the stamps once all sockets were read;
//! 4. so is a socket if one of its edges was in the queue of another socket when
//!    it was read than in the end: a connection was accepted. The caller compares
//!    the two once all sockets were read;
//! 5. the queue of a socket that isn't among the vertices is given as `None`, and
//!    so is the queue of a message that its sender still holds. A socket or an
//!    edge that came in flight since the begin may be among them or not.
//!
//! Then every socket that is called garbage is garbage at the end, and what was
//! garbage at the begin is called so. Sending, failing to send, and connecting to
//! a socket by its name stamp nothing: nobody can keep garbage from being found by
//! sending to it. The memory of a socket must be pinned for as long as its place
//! is used: a socket may be freed meanwhile, and may then be called garbage, with
//! a queue that is empty already.
//!
//! For suppose that a socket is called garbage, and that somebody holds it at the
//! end. At its reading he didn't: it had no references but those of its edges. Take the
//! first time that anybody got hold of such a socket after its reading. He took it
//! out of a queue, or peeked at it, and held the socket of that queue at the time.
//! By the rule that one is called garbage, too. If he has stamped it by the
//! end, it is not; so he still holds it at the end, and had it at its reading, or got hold
//! of it since then and before: both can't be.

/// No edge, or no vertex: the end of a list, or a queue outside of the graph.
const NONE: u32 = u32::MAX;

/// How many references in flight make a user wait for the collector before it
/// sends more: eight full messages, as in AF_UNIX.
const MANY: usize = 8 * 253;

/// A socket in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vertex {
    references: u32,
    /// How many edges carry one of the references.
    carried: u32,
    /// The last edge in the queue of this socket.
    queue: u32,
    /// The next one of the live sockets whose queues are still to be looked at.
    next: u32,
    alive: bool,
}

impl Vertex {
    /// Makes a vertex of a socket whose file has so many references, those in
    /// flight among them. More than fit may be reported as `u32::MAX`.
    pub(crate) const fn new(references: u32) -> Self {
        Self {
            references,
            carried: 0,
            queue: NONE,
            next: NONE,
            alive: true,
        }
    }

    /// Counts the socket as alive, and with it what is in its queue.
    pub(crate) fn keep(&mut self) {
        // There are never so many edges: see `BadGraph::Size`.
        self.references = u32::MAX;
    }

    /// Tells whether [`collect`] found that nobody can reach the socket.
    ///
    /// Before it ran, and when it failed, no socket is garbage.
    pub(crate) fn is_garbage(&self) -> bool {
        !self.alive
    }
}

/// A reference to a socket, in a message in a queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    socket: u32,
    queue: u32,
    /// The edge before this one in the same queue.
    next: u32,
}

impl Edge {
    /// Makes an edge of a reference to `socket` in the queue of `queue`, both by
    /// their places among the vertices.
    ///
    /// `None` stands for the queue of a socket that isn't in flight, and so
    /// does `u32::MAX`, which is never a place.
    pub(crate) const fn new(socket: u32, queue: Option<u32>) -> Self {
        Self {
            socket,
            queue: match queue {
                Some(queue) => queue,
                None => NONE,
            },
            next: NONE,
        }
    }
}

/// Why a graph can't be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadGraph {
    /// As many vertices or edges as `u32::MAX`, or more.
    Size,
    /// An edge names a vertex that isn't there.
    Index,
}

/// Finds the garbage among `vertices` and returns how many of them are.
///
/// A socket with fewer references than edges was in motion while it was read,
/// and counts as alive.
///
/// `edges` holds all references in flight to these vertices, in any order.
/// After an error every vertex counts as alive. Both slices may be used again,
/// with the same outcome.
///
/// Takes time in proportion to the number of vertices and edges, the same
/// amount of stack for any graph, and no memory but the two slices.
pub(crate) fn collect(vertices: &mut [Vertex], edges: &mut [Edge]) -> Result<usize, BadGraph> {
    if let Err(bad) = link(vertices, edges) {
        for vertex in vertices {
            vertex.alive = true;
        }
        return Err(bad);
    }
    Ok(mark(vertices, edges))
}

/// Counts the edges of each vertex, makes a list of those in its queue, and
/// marks as alive what is in a queue outside of the graph.
fn link(vertices: &mut [Vertex], edges: &mut [Edge]) -> Result<(), BadGraph> {
    if vertices.len() >= NONE as usize || edges.len() >= NONE as usize {
        return Err(BadGraph::Size);
    }
    for vertex in vertices.iter_mut() {
        let references = vertex.references;
        *vertex = Vertex::new(references);
        vertex.alive = false;
    }
    let mut place = 0u32;
    for edge in edges {
        let socket = vertices
            .get_mut(edge.socket as usize)
            .ok_or(BadGraph::Index)?;
        socket.carried = socket.carried.wrapping_add(1);
        if edge.queue == NONE {
            socket.alive = true;
        } else {
            let queue = vertices
                .get_mut(edge.queue as usize)
                .ok_or(BadGraph::Index)?;
            edge.next = queue.queue;
            queue.queue = place;
        }
        place = place.wrapping_add(1);
    }
    Ok(())
}

/// Marks as alive what can be reached, and returns how many vertices can't.
fn mark(vertices: &mut [Vertex], edges: &[Edge]) -> usize {
    let mut garbage = vertices.len();
    // The live sockets whose queues are still to be looked at; a socket gets
    // here once, when it is found alive.
    let mut pending = NONE;

    let mut place = 0u32;
    for vertex in vertices.iter_mut() {
        if vertex.alive || vertex.references != vertex.carried {
            vertex.alive = true;
            vertex.next = pending;
            pending = place;
        }
        place = place.wrapping_add(1);
    }

    // Nothing is at `NONE`, so that the loops end there.
    while let Some(vertex) = vertices.get(pending as usize) {
        garbage = garbage.wrapping_sub(1);
        pending = vertex.next;
        let mut queued = vertex.queue;
        while let Some(edge) = edges.get(queued as usize) {
            queued = edge.next;
            match vertices.get_mut(edge.socket as usize) {
                Some(socket) if !socket.alive => {
                    socket.alive = true;
                    socket.next = pending;
                    pending = edge.socket;
                }
                _ => {}
            }
        }
    }
    garbage
}

/// Tells whether a user with `in_flight` references in flight starts the
/// collector with each message, and waits for it while there may be garbage.
pub(crate) fn waits_for_collector(in_flight: usize) -> bool {
    in_flight >= MANY
}
