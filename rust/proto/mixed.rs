// SPDX-License-Identifier: GPL-2.0

//! Rings that run through AF_UNIX as well.
//!
//! A socket of AF_UNIX in a queue of ours, with one of ours in its own queue: to
//! either family's collector the other's reference is one like any other, and both
//! sockets live for ever. Every such ring has a socket of AF_UNIX in a queue of
//! ours. From those on, this part of the collector reads the queues of AF_UNIX, and
//! takes the ring apart where it runs through ours. AF_UNIX does the rest.
//!
//! It looks twice. The first time ([`World`]) each queue is read by itself, to find
//! out what may be garbage, the *suspects*. The second time ([`Proof`]) nobody can
//! receive from any suspect of AF_UNIX from before the first of their queues is
//! read until all is decided, and the suspects alone are looked at.
//!
//! # Why what is found is garbage
//!
//! Let G be what the second look calls garbage. For each socket in G there is a
//! time, its reading, at which its references were counted under the lock of the
//! graph, and were as many as its edges: those in our graph at that time, and those
//! in queues of AF_UNIX. Each edge is in the queue of a socket in G. The references
//! in queues of AF_UNIX were found before, and there was one to the message of each
//! since, so that none of them was dropped; they are still among those counted. So
//! at its reading nobody held the socket.
//!
//! Suppose that somebody gets hold of a socket in G after its reading, and take the
//! first time that this happens. It came out of the queue of a socket in G, which
//! he held at that time.
//!
//! - If that was one of AF_UNIX, he received or peeked with its `iolock`, which we
//!   have: not before the end. Or he accepted a connection, and received from that,
//!   with the `iolock` of the connection, which we have as well; then the
//!   connection wasn't in the listener's queue in the end, and we looked.
//! - If it was one of ours, he has stamped it before he let go of it, and if he did
//!   that before the end, it is not in G. Or he accepted a connection, and the edge
//!   is no longer true in the end.
//!
//! So he still held it at the end, and therefore at its reading as well, if he had
//! it by then; or he got hold of it later, and before the first time of all. Both
//! can't be.

use super::collector::{
    count,
    place_of,
    search,
    Read,
    Snapshot, //
};
use super::inflight::{
    Carried,
    InFlight,
    Place,
    BATCH, //
};
use super::socket::{
    Runix,
    Sock, //
};
use crate::net::grow::{
    self,
    put, //
};
use crate::net::{
    cond_resched,
    full_barrier,
    queues_are_known,
    Frozen,
    Queued, //
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

impl From<Queued<Runix>> for Carried {
    fn from(queued: Queued<Runix>) -> Self {
        match queued {
            Queued::Own(sk) => Self::Own(sk),
            Queued::Unix(sk) => Self::Unix(sk),
        }
    }
}

/// Adds the sockets that nobody can reach, and that hang on AF_UNIX, to `found`.
///
/// May sleep.
pub(super) fn find(
    in_flight: &InFlight,
    snapshot: Snapshot,
    found: &mut KVVec<ARef<Sock>>,
) -> Result {
    if !queues_are_known() {
        return Ok(());
    }
    let run = snapshot.run;
    let suspects = World::explore(snapshot)?.suspects()?;
    if suspects.is_empty() {
        return Ok(());
    }
    Proof::find(in_flight, run, suspects)?.garbage(in_flight, found)
}

/// What may be in a ring, as it was read a queue at a time.
struct World {
    sockets: KVVec<Carried>,
    /// How many of the sockets are in our graph; these are by address.
    known: usize,
    /// The places of the others, by address.
    more: RBTree<usize, u32>,
    vertices: KVVec<Vertex>,
    edges: KVVec<Edge>,
}

impl World {
    /// Goes from the sockets of AF_UNIX in our graph to what is in their queues, and
    /// so on.
    fn explore(mut snapshot: Snapshot) -> Result<Self> {
        let mut this = Self {
            known: snapshot.sockets.len(),
            sockets: core::mem::replace(&mut snapshot.sockets, KVVec::new()),
            more: RBTree::new(),
            vertices: core::mem::replace(&mut snapshot.vertices, KVVec::new()),
            edges: KVVec::new(),
        };
        let mut next = 0usize;
        while let Some(socket) = this.sockets.get(next) {
            let holder = place_of(next)?;
            if let Carried::Unix(sk) = socket {
                match sk.freeze()? {
                    Some(frozen) => frozen
                        .for_each(&mut |queued: Queued<Runix>| this.add(queued.into(), holder))?,
                    // Somebody receives from it: it is alive.
                    None => {
                        if let Some(vertex) = this.vertices.get_mut(next) {
                            vertex.keep();
                        }
                    }
                }
                cond_resched();
            }
            next = next.wrapping_add(1);
        }
        // Those of our graph last: whose queues they are in may just have been found.
        for read in &snapshot.reads {
            let edge = Edge::new(read.socket, this.find(read.queue));
            grow::push(&mut this.edges, edge)?;
        }
        Ok(this)
    }

    /// Returns the place of a socket, if it is known by now.
    fn find(&self, address: usize) -> Option<u32> {
        let by_address = self.sockets.get(..self.known).unwrap_or(&[]);
        search(by_address, address).or_else(|| self.more.get(&address).copied())
    }

    /// Adds an edge of a socket in the queue of the one at place `holder`.
    fn add(&mut self, socket: Carried, holder: u32) -> Result {
        let address = socket.address();
        let place = match self.find(address) {
            Some(place) => place,
            None => {
                let place = place_of(self.sockets.len())?;
                self.more
                    .try_create_and_insert(address, place, GFP_KERNEL)?;
                grow::push(&mut self.vertices, Vertex::new(count(&socket)))?;
                grow::push(&mut self.sockets, socket)?;
                place
            }
        };
        grow::push(&mut self.edges, Edge::new(place, Some(holder)))
    }

    /// Returns what seems to be garbage, if there is any of AF_UNIX among it.
    fn suspects(mut self) -> Result<KVVec<Carried>> {
        gc::collect(&mut self.vertices, &mut self.edges).map_err(|_| EINVAL)?;
        let mut suspects = KVVec::new();
        let mut any = false;
        for (vertex, socket) in self.vertices.iter().zip(&self.sockets) {
            if vertex.is_garbage() {
                any |= matches!(socket, Carried::Unix(_));
                grow::push(&mut suspects, socket.clone())?;
            }
        }
        Ok(if any { suspects } else { KVVec::new() })
    }
}

/// The suspects, while nobody receives from those of AF_UNIX.
struct Proof {
    run: usize,
    sockets: KVVec<Carried>,
    /// The places of the sockets, by address.
    places: RBTree<usize, u32>,
    vertices: KVVec<Vertex>,
    edges: KVVec<Edge>,
    reads: KVVec<Read>,
    frozen: KVVec<(u32, Frozen)>,
}

impl Proof {
    /// Looks at the suspects, and only at them. May sleep.
    fn find(in_flight: &InFlight, run: usize, suspects: KVVec<Carried>) -> Result<Self> {
        let count = suspects.len();
        let mut this = Self {
            run,
            sockets: suspects,
            places: RBTree::new(),
            vertices: KVVec::with_capacity(count, GFP_KERNEL)?,
            edges: KVVec::new(),
            reads: KVVec::new(),
            frozen: KVVec::new(),
        };
        for (place, socket) in (0..count).zip(&this.sockets) {
            let place = place_of(place)?;
            this.places
                .try_create_and_insert(socket.address(), place, GFP_KERNEL)?;
        }
        // The order is that of the argument: freeze, read the queues of AF_UNIX, count.
        this.freeze()?;
        this.read_unix()?;
        for place in 0..count {
            this.read_own(in_flight, place)?;
        }
        this.keep_what_moved();
        gc::collect(&mut this.vertices, &mut this.edges).map_err(|_| EINVAL)?;
        Ok(this)
    }

    fn freeze(&mut self) -> Result {
        for (place, socket) in (0..self.sockets.len()).zip(&self.sockets) {
            if let Carried::Unix(sk) = socket {
                // One that can't be frozen has edges that aren't found here, and so is alive with
                // all that is in its queue.
                if let Some(frozen) = sk.freeze()? {
                    grow::push(&mut self.frozen, (place_of(place)?, frozen))?;
                }
            }
        }
        Ok(())
    }

    fn read_unix(&mut self) -> Result {
        let Self {
            frozen,
            places,
            edges,
            ..
        } = self;
        for (holder, frozen) in frozen.iter() {
            frozen.for_each(&mut |queued: Queued<Runix>| {
                if let Some(place) = places.get(&Carried::from(queued).address()) {
                    grow::push(edges, Edge::new(*place, Some(*holder)))?;
                }
                Ok(())
            })?;
            cond_resched();
        }
        Ok(())
    }

    /// Counts the references of a suspect, and reads its edges in our graph.
    fn read_own(&mut self, in_flight: &InFlight, place: usize) -> Result {
        let Some(socket) = self.sockets.get(place) else {
            return Ok(());
        };
        let place = place_of(place)?;
        let mut next = Some(Place {
            socket: socket.address(),
            number: 0,
        });
        let mut vertex = Vertex::new(0);
        while let Some(from) = next {
            grow::reserve(&mut self.reads, BATCH)?;
            grow::reserve(&mut self.edges, BATCH)?;
            let graph = in_flight.lock();
            vertex = Vertex::new(count(socket));
            next = graph.read_socket(from, |message| {
                let queue = message.reached_by();
                let read = Read {
                    socket: place,
                    queue,
                    message: message.clone(),
                };
                put(&mut self.reads, read)?;
                put(
                    &mut self.edges,
                    Edge::new(place, self.places.get(&queue).copied()),
                )
            })?;
            drop(graph);
        }
        put(&mut self.vertices, vertex)
    }

    /// Keeps what has moved since the run began.
    fn keep_what_moved(&mut self) {
        // As in `Snapshot::keep_what_moved`.
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
        for (place, frozen) in &self.frozen {
            if !frozen.is_unaccepted() {
                if let Some(vertex) = self.vertices.get_mut(*place as usize) {
                    vertex.keep();
                }
            }
        }
    }

    /// Adds what was found to be garbage to `found`.
    fn garbage(self, in_flight: &InFlight, found: &mut KVVec<ARef<Sock>>) -> Result {
        for (vertex, socket) in self.vertices.iter().zip(&self.sockets) {
            match socket {
                Carried::Own(sk) if vertex.is_garbage() => grow::push(found, sk.clone())?,
                Carried::Unix(_) if vertex.is_garbage() => in_flight.note_unix_garbage(),
                _ => {}
            }
        }
        for read in &self.reads {
            let vertex = self.vertices.get(read.socket as usize);
            if vertex.is_some_and(Vertex::is_garbage) {
                read.message.littered(self.run);
            }
        }
        Ok(())
    }
}
