// SPDX-License-Identifier: GPL-2.0

//! Sockets of AF_UNIX, and what is in their queues.
//!
//! A collector has to know what AF_UNIX's queues hold once sockets of both
//! families may be in each other's. It only looks: nothing of AF_UNIX is changed.
//!
//! The list of files of a `struct sk_buff` is found by a declaration of our own
//! ([`queues_are_known`] tells whether it holds). That list is
//!
//! - set before the skb is queued, and
//! - taken out by a reader under the socket's `iolock`, which every way of
//!   receiving holds from before it looks at the queue until it has taken or
//!   duplicated the files, `MSG_PEEK`, `splice(2)` and `read_skb()` included;
//!   or by the destructor of the skb, after its last reference.
//!
//! So it is stable for who holds the `iolock` and a reference to the skb. The
//! reference keeps the files from being dropped, too, by those who need no
//! `iolock` to throw a message away: AF_UNIX's collector, and a datagram socket
//! that gets another peer.
//!
//! C header: [`include/net/af_unix.h`](srctree/include/net/af_unix.h)

use super::family::Family;
use super::grow;
use super::sock::Sock;
use crate::bindings;
use core::ptr::NonNull;
use kernel::{
    bindings as kb,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        }, //
    }, //
};

/// The number of the family.
const AF_UNIX: c_int = 1;

/// The queues of AF_UNIX are as we know them.
static KNOWN: Atomic<bool> = Atomic::new(false);

/// Finds out whether the queues of AF_UNIX are as we know them, by sending a
/// file over a pair of sockets and looking where it is.
///
/// May sleep. To be called when the module is loaded, by the task that does it.
pub(crate) fn look_at_queues() -> bool {
    // SAFETY: May sleep, by the function's requirements, which are those of the C function.
    let known = unsafe { bindings::unix_layout_holds() };
    KNOWN.store(known, Relaxed);
    known
}

/// Tells whether [`look_at_queues`] has found what it was to find, and the
/// administrator lets it be used (module parameter `mixed_collector`).
pub(crate) fn queues_are_known() -> bool {
    // SAFETY: Has no requirements.
    KNOWN.load(Relaxed) && unsafe { bindings::unix_mixed_collector() }
}

/// Lets AF_UNIX's own collector look for garbage. May sleep.
pub(crate) fn wake_unix_collector() {
    // SAFETY: May sleep, by the function's requirements.
    unsafe { bindings::unix_wake_collector() };
}

/// A socket of AF_UNIX.
///
/// # Invariants
///
/// Owns a reference to a `struct sock` that AF_UNIX has made: it is the first
/// member of a `struct unix_sock`.
pub(crate) struct UnixSock(NonNull<bindings::sock>);

// SAFETY: References may be taken and given back by any task; what is looked at has its own locks.
unsafe impl Send for UnixSock {}
// SAFETY: As above.
unsafe impl Sync for UnixSock {}

impl UnixSock {
    /// Returns the AF_UNIX socket that the file at `index` is, if it is one.
    ///
    /// # Safety
    ///
    /// `list` is valid, `index` is below its count, and it has references to
    /// its files.
    pub(super) unsafe fn in_list(list: *const kb::scm_fp_list, index: c_int) -> Option<Self> {
        // SAFETY: By the function's safety requirements: a file keeps its socket while it is
        // referenced. The function takes a reference.
        let sk = unsafe { bindings::scm_socket(list, index, AF_UNIX) };
        // INVARIANT: The operations of the socket are those of AF_UNIX, which are given to none but
        // its own.
        NonNull::new(sk).map(Self)
    }

    /// Returns the address of the `struct sock`.
    pub(crate) fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }

    /// Returns how many references there are to the socket's file; zero
    /// without one. A snapshot.
    pub(crate) fn file_references(&self) -> usize {
        // SAFETY: By the type invariants; the function looks at the file under RCU.
        unsafe { bindings::sk_file_count(self.0.as_ptr()) as usize }
    }

    /// Keeps everybody from receiving from the socket; from the connections that
    /// wait at it, if it listens.
    ///
    /// May sleep, but not for those who receive: `None` if anybody is at it.
    pub(crate) fn freeze(&self) -> Result<Option<Frozen>> {
        // SAFETY: By the type invariants.
        let listens = unsafe { bindings::unix_listens(self.0.as_ptr()) };
        let Some(mut frozen) = Frozen::new(self, listens)? else {
            return Ok(None);
        };
        if !listens {
            return Ok(Some(frozen));
        }
        for index in 0..frozen.pins.len() {
            let Some(pin) = frozen.pins.get(index) else {
                break;
            };
            // SAFETY: By the invariants of `Frozen`, the skb is valid; one in a listener's queue
            // stands for a connection, whose `sock`'s memory it keeps.
            let sk = unsafe { bindings::unix_skb_connection(*pin) };
            // INVARIANT: The function has taken a reference; AF_UNIX's connections are its own.
            // Where it finds none, `is_unaccepted` will tell.
            let Some(connection) = NonNull::new(sk).map(Self) else {
                continue;
            };
            match Frozen::new(&connection, false)? {
                Some(connection) => grow::push(&mut frozen.connections, connection)?,
                None => return Ok(None),
            }
        }
        Ok(Some(frozen))
    }
}

impl Clone for UnixSock {
    fn clone(&self) -> Self {
        // SAFETY: By the type invariants.
        unsafe { bindings::sock_hold(self.0.as_ptr()) };
        // INVARIANT: A reference was just taken.
        Self(self.0)
    }
}

impl Drop for UnixSock {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, the reference is ours to give back.
        unsafe { bindings::sock_put(self.0.as_ptr()) };
    }
}

/// A socket in a queue of AF_UNIX.
pub(crate) enum Queued<F: Family> {
    /// One of the family.
    Own(ARef<Sock<F>>),
    /// One of AF_UNIX.
    Unix(UnixSock),
}

/// A socket of AF_UNIX that nobody receives from while the value exists.
///
/// # Invariants
///
/// * We hold the `iolock` of `sk`.
/// * `pins` are references to skbs that were in its queue under that lock: all
///   that carried files, or, if it `listens`, all that stood for connections.
/// * `connections` are the latter, frozen as well.
pub(crate) struct Frozen {
    connections: KVVec<Frozen>,
    pins: KVVec<*mut kb::sk_buff>,
    listens: bool,
    sk: UnixSock,
}

impl Frozen {
    fn new(sk: &UnixSock, listens: bool) -> Result<Option<Self>> {
        // SAFETY: By the invariants of `UnixSock`.
        if !unsafe { bindings::unix_reader_trylock(sk.0.as_ptr()) } {
            return Ok(None);
        }
        // INVARIANT: We hold the lock; there are no references yet.
        let mut this = Self {
            connections: KVVec::new(),
            pins: KVVec::new(),
            listens,
            sk: sk.clone(),
        };
        this.pin()?;
        Ok(Some(this))
    }

    /// Takes the references. `EAGAIN` if messages come in faster than that.
    fn pin(&mut self) -> Result {
        let mut room = 0u32;
        for _ in 0..8 {
            // SAFETY: The socket is valid, we hold the lock, and there is that much room.
            let count = unsafe {
                let pins = self.pins.as_mut_ptr();
                bindings::unix_pin(self.sk.0.as_ptr(), self.listens, pins, room)
            };
            if count <= room {
                // INVARIANT: The function has taken so many references.
                // SAFETY: It has initialised so many elements.
                unsafe { self.pins.inc_len(count as usize) };
                return Ok(());
            }
            room = count.saturating_add(16);
            grow::reserve(&mut self.pins, room as usize)?;
        }
        Err(EAGAIN)
    }

    /// Calls `f` with each socket of family `F` or AF_UNIX that is in the queue, or
    /// in that of a connection that waits, as often as it is there.
    pub(crate) fn for_each<F: Family>(&self, f: &mut impl FnMut(Queued<F>) -> Result) -> Result {
        for connection in &self.connections {
            connection.for_each_of_own(f)?;
        }
        if self.listens {
            return Ok(());
        }
        self.for_each_of_own(f)
    }

    fn for_each_of_own<F: Family>(&self, f: &mut impl FnMut(Queued<F>) -> Result) -> Result {
        for pin in &self.pins {
            // SAFETY: By the type invariants: the list is stable, see the head of this file, and
            // there is one in each of the skbs.
            let list = unsafe { bindings::unix_skb_files(*pin) };
            if list.is_null() {
                continue;
            }
            // SAFETY: As above.
            let count = c_int::from(unsafe { (*list).count });
            for index in 0..count {
                // SAFETY: As above; the skb keeps the list, which keeps the files.
                unsafe {
                    let own = c_int::from(F::desc().number());
                    if let Some(sk) = NonNull::new(bindings::scm_socket(list, index, own)) {
                        f(Queued::Own(ARef::from_raw(sk.cast())))?;
                    } else if let Some(sk) = UnixSock::in_list(list, index) {
                        f(Queued::Unix(sk))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Tells whether none of the connections was accepted since.
    ///
    /// `accept(2)` takes no `iolock`, but it takes the skb out of the queue.
    pub(crate) fn is_unaccepted(&self) -> bool {
        if !self.listens {
            return true;
        }
        let count = c_uint::try_from(self.pins.len()).unwrap_or(c_uint::MAX);
        // SAFETY: By the type invariants; the references keep others from having these addresses.
        unsafe { bindings::unix_has_pinned(self.sk.0.as_ptr(), self.pins.as_ptr(), count) }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // First the references: who peeks at a datagram that somebody else refers to replaces it
        // in the queue by a copy that has no destructor, and nobody may peek under the lock.
        for pin in &self.pins {
            // SAFETY: By the type invariants, the reference is ours to give back.
            unsafe { bindings::unix_unpin(*pin) };
        }
        // SAFETY: By the type invariants, we hold the lock, and the socket is valid.
        unsafe { bindings::unix_reader_unlock(self.sk.0.as_ptr()) };
    }
}
