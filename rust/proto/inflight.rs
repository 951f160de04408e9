// SPDX-License-Identifier: GPL-2.0

//! Files in flight: who has sent how many, and which of them are sockets of
//! the family.
//!
//! Sockets that wait in each other's queues keep each other alive. The graph of
//! who is in whose queue is kept here; [`super::collector`] finds in it what
//! nobody can reach any more.
//!
//! A reference is registered while the sender still holds the file, and taken
//! off before the receiver gets it: the collector, which counts under the lock
//! of the graph, never finds a reference in a queue that isn't one.

use super::collector::{
    self,
    COLLECTOR, //
};
use super::module::Space;
use super::socket::{
    Live,
    Runix,
    Sock, //
};
use crate::net::Files;
use kernel::{
    alloc::flags::GFP_KERNEL_ACCOUNT,
    new_mutex,
    prelude::*,
    rbtree::RBTree,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Mutex, //
    }, //
};

/// `ETOOMANYREFS`, which the kernel crate has no name for.
const ETOOMANYREFS: i32 = 109;

/// All files in flight.
#[pin_data]
pub(crate) struct InFlight {
    #[pin]
    graph: Mutex<Graph>,
    /// Messages with sockets of the family among their files.
    messages: Atomic<usize>,
}

/// What the lock guards.
pub(super) struct Graph {
    /// Files in flight by sending user.
    users: RBTree<u32, usize>,
    /// Messages with sockets of the family, by number.
    messages: RBTree<u64, Message>,
    /// How many references to sockets those carry.
    references: usize,
    /// The number of the last message.
    last: u64,
}

impl Graph {
    /// Returns how many references to sockets are in flight.
    pub(super) fn references(&self) -> usize {
        self.references
    }

    /// Returns the messages that carry some.
    pub(super) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.values()
    }

    /// Returns the sockets that they refer to, as often as they do.
    pub(super) fn sockets(&self) -> impl Iterator<Item = &ARef<Sock>> {
        self.messages().flat_map(|message| &message.sockets)
    }

    fn take(&mut self, number: u64) -> Option<Message> {
        let message = self.messages.remove(&number)?;
        self.references = self.references.wrapping_sub(message.sockets.len());
        Some(message)
    }
}

/// A message that carries sockets of the family.
pub(super) struct Message {
    /// Whose queue it is in.
    pub(super) queue: ARef<Sock>,
    /// The sockets that it carries.
    pub(super) sockets: KVec<ARef<Sock>>,
    /// It is in that queue, and no longer with its sender.
    pub(super) queued: bool,
}

impl InFlight {
    /// Returns the initialiser of an empty registry.
    pub(super) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            graph <- new_mutex!(
                Graph {
                    users: RBTree::new(),
                    messages: RBTree::new(),
                    references: 0,
                    last: 0,
                },
                "InFlight::graph"
            ),
            messages: Atomic::new(0),
        })
    }

    /// Tells whether sockets are in flight. A snapshot; any context.
    pub(super) fn has_sockets(&self) -> bool {
        self.messages.load(Relaxed) > 0
    }

    /// Lets the collector look for garbage, if there may be some. Any context.
    pub(super) fn something_closed(&self) {
        if self.has_sockets() {
            COLLECTOR.schedule();
        }
    }

    /// Locks the graph. May sleep.
    pub(super) fn lock(&self) -> impl core::ops::Deref<Target = Graph> + '_ {
        self.graph.lock()
    }

    /// Does something while the collector isn't counting. May sleep.
    pub(super) fn uncounted<R>(&self, what: impl FnOnce() -> R) -> R {
        let _graph = self.graph.lock();
        what()
    }

    fn add(&self, files: &Files, message: Option<Message>) -> Result<u64> {
        let (user, count) = (files.user(), files.count());
        let mut graph = self.graph.lock();
        let own = graph.users.get(&user).copied().unwrap_or(0);
        if files.too_many(own) {
            return Err(Error::from_errno(-ETOOMANYREFS));
        }
        let number = if let Some(message) = message {
            let number = graph.last.wrapping_add(1);
            let references = message.sockets.len();
            graph
                .messages
                .try_create_and_insert(number, message, GFP_KERNEL_ACCOUNT)?;
            graph.last = number;
            graph.references = graph.references.wrapping_add(references);
            self.messages.add(1, Relaxed);
            COLLECTOR.schedule_after(collector::INTERVAL);
            number
        } else {
            0
        };
        let total = own.saturating_add(count);
        if let Some(own) = graph.users.get_mut(&user) {
            *own = total;
        } else {
            let added = graph
                .users
                .try_create_and_insert(user, total, GFP_KERNEL_ACCOUNT);
            if let Err(e) = added {
                let message = graph.take(number);
                drop(graph);
                self.forget(message);
                return Err(e);
            }
        }
        Ok(number)
    }

    fn remove(&self, files: &Files, number: u64) {
        let user = files.user();
        let mut graph = self.graph.lock();
        let left = graph.users.get_mut(&user).map(|own| {
            *own = own.saturating_sub(files.count());
            *own
        });
        if left == Some(0) {
            graph.users.remove(&user);
        }
        let message = graph.take(number);
        drop(graph);
        self.forget(message);
    }

    /// Drops what was taken out of the graph, without its lock: it may be the
    /// last reference to a socket.
    fn forget(&self, message: Option<Message>) {
        if let Some(message) = message {
            let _ = self.messages.fetch_sub(1, kernel::sync::atomic::Relaxed);
            drop(message);
        }
    }
}

/// Returns the registry.
fn registry(sk: &Sock) -> Option<&InFlight> {
    let space: &Space = sk.initial_space()?;
    space.in_flight.as_deref()
}

/// Does something to a socket while the collector isn't counting. May sleep.
pub(super) fn uncounted<R>(sk: &Sock, what: impl FnOnce() -> R) -> R {
    match registry(sk) {
        Some(registry) => registry.uncounted(what),
        None => what(),
    }
}

/// A message that is about to be queued; see [`Ticket::queued`].
#[derive(Clone, Copy)]
pub(super) struct Ticket(u64);

impl Ticket {
    /// Tells the collector that the message is in the queue of `other`. Until
    /// then its files count as held by the sender. May sleep.
    pub(super) fn queued(self, other: &Sock) {
        if self.0 == 0 {
            return;
        }
        if let Some(registry) = registry(other) {
            // It may have been received meanwhile.
            if let Some(message) = registry.graph.lock().messages.get_mut(&self.0) {
                message.queued = true;
            }
        }
    }
}

/// Tells the collector that a socket was closed.
pub(super) fn something_closed(sk: &Sock) {
    if let Some(registry) = registry(sk) {
        registry.something_closed();
    }
}

/// Files on their way into a socket's queue, or in it.
///
/// # Invariants
///
/// While there are `files`, they are registered under `number` as those in the
/// queue of `queue`.
pub(crate) struct Passing {
    files: Option<Files>,
    number: u64,
    queue: ARef<Sock>,
}

impl Passing {
    /// Registers files that are about to be queued at `other`.
    ///
    /// May sleep. `EINVAL` for sockets of AF_UNIX, whose own collector couldn't
    /// see them here; `ETOOMANYREFS` if the user has too many files in flight.
    pub(super) fn new(_sk: &Live<'_>, other: &Sock, files: Files) -> Result<Self> {
        if files.has_unix_sockets() {
            return Err(EINVAL);
        }
        let registry = registry(other).ok_or(ENODEV)?;
        let any = files.sockets::<Runix>().next().is_some();
        let room = if any { files.count() } else { 0 };
        let mut sockets = KVec::with_capacity(room, GFP_KERNEL_ACCOUNT)?;
        for socket in files.sockets() {
            sockets.push_within_capacity(socket).map_err(|_| ENOMEM)?;
        }
        let message = (!sockets.is_empty()).then(|| Message {
            queue: other.into(),
            sockets,
            queued: false,
        });
        let number = registry.add(&files, message)?;
        // INVARIANT: The files are registered.
        Ok(Self {
            files: Some(files),
            number,
            queue: other.into(),
        })
    }

    /// Returns what to tell the collector by when the message is queued.
    pub(super) fn ticket(&self) -> Ticket {
        Ticket(self.number)
    }

    /// Takes the files out, for the receiver to get them.
    pub(super) fn take(mut self) -> Option<Files> {
        self.unregister()
    }

    /// Takes another reference to each file, for a receiver that peeks.
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(super) fn duplicate(&self) -> Result<Option<Files>> {
        let files = self.files.as_ref();
        uncounted(&self.queue, || files.map(Files::duplicate).transpose())
    }

    fn unregister(&mut self) -> Option<Files> {
        // INVARIANT: There are no files any more.
        let files = self.files.take()?;
        if let Some(registry) = registry(&self.queue) {
            registry.remove(&files, self.number);
        }
        Some(files)
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        drop(self.unregister());
    }
}
