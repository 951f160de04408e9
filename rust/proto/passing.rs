// SPDX-License-Identifier: GPL-2.0

//! Files on their way from one socket to another.

use super::inflight::{
    registry,
    Carried,
    Message, //
};
use super::module::Space;
use super::socket::{
    Live,
    Runix,
    Sock, //
};
use super::users::User;
use crate::net::Files;
use kernel::{
    alloc::flags::GFP_KERNEL_ACCOUNT,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        UniqueArc, //
    }, //
};

/// Files on their way into a socket's queue, or in it.
///
/// # Invariants
///
/// While there are `files`, they are counted as those of `user`, and the sockets
/// among them are in the graph as `message`.
pub(crate) struct Passing {
    files: Option<Files>,
    user: Arc<User>,
    message: Option<Arc<Message>>,
    queue: ARef<Sock>,
    /// The files are counted as being in the queue.
    queued: Atomic<bool>,
}

impl Passing {
    /// Registers files that are about to be queued at `other`.
    ///
    /// May sleep. `EINVAL` for sockets of AF_UNIX, unless the namespace lets
    /// them pass; `ETOOMANYREFS` if the user has too many files in flight.
    pub(super) fn new(sk: &Live<'_>, other: &Sock, files: Files) -> Result<Self> {
        if files.has_unix_sockets() && !passes_unix(sk) {
            return Err(EINVAL);
        }
        let registry = registry(other).ok_or(ENODEV)?;
        let (sockets, unix) = carried(&files)?;
        if !sockets.is_empty() {
            registry.throttle(&files);
        }
        // INVARIANT: The files are counted; nothing else of them has to be registered yet.
        let mut this = Self {
            user: registry.count(&files)?,
            files: Some(files),
            message: None,
            queue: other.into(),
            queued: Atomic::new(false),
        };
        if !sockets.is_empty() {
            let message = Message::new(other, this.user.clone(), sockets, unix);
            // INVARIANT: The message is in the graph.
            let message = registry.add(UniqueArc::new(message, GFP_KERNEL_ACCOUNT)?)?;
            show_unix(other, message.unix(), 1);
            this.message = Some(message);
        }
        Ok(this)
    }

    /// Notes that the files are in the queue, or are with nothing in between:
    /// until then they count as held by the sender. Any context.
    pub(super) fn queued(&self) {
        let Some(files) = self.files.as_ref() else {
            return;
        };
        self.queue.data().add_files(files.count());
        self.queued.store(true, Relaxed);
        if let Some(message) = self.message.as_ref() {
            message.queued();
        }
    }

    /// Takes the files out, for the receiver to get them. May sleep.
    pub(super) fn take(mut self) -> Option<Files> {
        self.unregister()
    }

    /// Takes another reference to each file, for a receiver that peeks.
    ///
    /// May sleep. `ENOMEM` without memory. To be called while the socket is held
    /// that is peeked at.
    pub(super) fn duplicate(&self) -> Result<Option<Files>> {
        let files = self.files.as_ref().map(Files::duplicate).transpose()?;
        if let (Some(message), Some(registry)) = (self.message.as_ref(), registry(&self.queue)) {
            registry.peeked(message);
        }
        Ok(files)
    }

    fn unregister(&mut self) -> Option<Files> {
        // INVARIANT: There are no files any more.
        let files = self.files.take()?;
        if self.queued.load(Relaxed) {
            self.queue.data().remove_files(files.count());
        }
        if let Some(registry) = registry(&self.queue) {
            if let Some(message) = self.message.take() {
                registry.remove(&message);
                show_unix(&self.queue, message.unix(), -1);
            }
            registry.users.uncount(&self.user, &files);
        }
        Some(files)
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        drop(self.unregister());
    }
}

/// Returns the sockets among files, once for each time that they are there, and
/// how many of them are of AF_UNIX.
fn carried(files: &Files) -> Result<(KVec<Carried>, usize)> {
    let any = files.has_unix_sockets() || files.sockets::<Runix>().next().is_some();
    let room = if any { files.count() } else { 0 };
    let mut sockets = KVec::with_capacity(room, GFP_KERNEL_ACCOUNT)?;
    for socket in files.sockets::<Runix>() {
        let socket = Carried::Own(socket);
        sockets.push_within_capacity(socket).map_err(|_| ENOMEM)?;
    }
    let own = sockets.len();
    for socket in files.unix_sockets() {
        let socket = Carried::Unix(socket);
        sockets.push_within_capacity(socket).map_err(|_| ENOMEM)?;
    }
    let unix = sockets.len().wrapping_sub(own);
    Ok((sockets, unix))
}

/// Shows the administrator that sockets of AF_UNIX are on their way to a socket,
/// or are no longer.
fn show_unix(queue: &Sock, count: usize, sign: i32) {
    let space: Option<&Space> = queue.space();
    if let (Some(space), Ok(count @ 1..)) = (space, i32::try_from(count)) {
        space.unix_in_flight.add(count.wrapping_mul(sign));
    }
}

/// Tells whether sockets of AF_UNIX may be sent in a socket's namespace.
fn passes_unix(sk: &Sock) -> bool {
    let space: Option<&Space> = sk.space();
    space.is_some_and(|space| space.pass_unix.get() != 0)
}
