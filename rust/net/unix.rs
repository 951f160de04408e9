// SPDX-License-Identifier: GPL-2.0

//! Heads: what C finds at the start of a socket's memory.
//!
//! Most families need no more than [`PlainHead`]. A family that is named and
//! connected like UNIX-domain sockets takes [`UnixHead`]: the LSM hooks made
//! for those lead AppArmor and Landlock to look at a `struct unix_sock`,
//! whatever the family is, so there must be one, and it must be kept up.
//!
//! C header: [`include/net/af_unix.h`](srctree/include/net/af_unix.h)

#[allow(unused_imports)]
use super::compat::errno::*;
use super::family::{
    Family,
    Unattached, //
};
use super::live::{
    Closing,
    Live, //
};
use super::path::{
    InodeId,
    PathRef, //
};
use super::phase::SockType;
use super::sock::{
    Head,
    Sock,
    StateGuard, //
};
use crate::bindings;
use core::{
    mem::ManuallyDrop,
    ptr,
    ptr::NonNull,
    slice, //
};
use kernel::{
    bindings as kb,
    error::to_result,
    prelude::*,
    sync::aref::ARef,
    types::NotThreadSafe, //
};

/// The head of a family that has nothing to do with UNIX-domain sockets.
#[repr(C)]
pub(crate) struct PlainHead {
    sk: bindings::sock,
    lock: kb::spinlock_t,
}

// SAFETY: The type is `repr(C)` and starts with a `struct sock`; the lock is initialised by `init`.
unsafe impl Head for PlainHead {
    unsafe fn init(this: *mut Self) {
        // SAFETY: By the function's safety requirements.
        unsafe { bindings::plain_lock_init(&raw mut (*this).lock) };
    }

    unsafe fn destroy(_this: *mut Self) {}

    unsafe fn state_lock(this: *mut Self) -> *mut kb::spinlock_t {
        // SAFETY: By the function's safety requirements.
        unsafe { &raw mut (*this).lock }
    }
}

/// A head with a maintained `struct unix_sock`, as far as others look into one.
///
/// # Invariants
///
/// * `addr` is null, or owns a reference to a `struct unix_address`. It is set
///   once, under the bind lock or before others know the socket, and stays until
///   the socket is freed.
/// * `path` is empty, or owns references to a mount and a dentry. It is only
///   used under the state lock, or before others know the socket.
/// * `peer` is null, or owns a reference to a socket of the same family. It is
///   written under the state lock only. In a socket that isn't a datagram socket
///   it is set once at most, and cleared only by a [`Closing`], or before the
///   socket has a file.
#[repr(transparent)]
pub(crate) struct UnixHead(bindings::runix_head);

// SAFETY: The type is transparent over `struct runix_head`, which is `repr(C)` and starts with a
// `struct sock`; the lock is initialised by `init`.
unsafe impl Head for UnixHead {
    unsafe fn init(this: *mut Self) {
        // INVARIANT: All three pointers start as null.
        // SAFETY: By the function's safety requirements.
        unsafe { bindings::head_init(this.cast()) };
    }

    unsafe fn destroy(this: *mut Self) {
        let u = this.cast::<bindings::runix_head>();
        // SAFETY: Nobody else uses the head; by the type invariants, what isn't null is owned.
        unsafe {
            if !(*u).path.dentry.is_null() {
                kb::path_put(&(*u).path);
            }
            if !(*u).addr.is_null() {
                bindings::unix_address_put((*u).addr);
            }
            if !(*u).peer.is_null() {
                // As long as it waits at the peer, it is to be found there.
                bindings::unwatch_peer(u, (*u).peer);
                bindings::sock_put((*u).peer);
            }
        }
    }

    unsafe fn state_lock(this: *mut Self) -> *mut kb::spinlock_t {
        // SAFETY: By the function's safety requirements.
        unsafe { &raw mut (*this.cast::<bindings::runix_head>()).lock }
    }
}

impl UnixHead {
    /// Returns the link for the one owner of a socket that has no file; null at first,
    /// and to be null again when the socket gets one.
    ///
    /// # Safety
    ///
    /// `sk` is a valid socket with such a head.
    pub(super) unsafe fn spare(sk: *mut bindings::sock) -> *mut *mut bindings::sock {
        // SAFETY: By the function's safety requirements.
        unsafe { &raw mut (*sk.cast::<bindings::runix_head>()).spare }
    }
}

/// A name that a socket is bound to, family included.
///
/// # Invariants
///
/// The pointer owns a reference to a `struct unix_address`, whose bytes never
/// change.
pub(crate) struct Address(NonNull<bindings::unix_address>);

// SAFETY: The counted bytes are never written after they were made.
unsafe impl Send for Address {}
// SAFETY: As above.
unsafe impl Sync for Address {}

impl Address {
    /// Makes an address of all its bytes, the family's two first.
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(crate) fn new(bytes: &[u8]) -> Result<Self> {
        let len = c_int::try_from(bytes.len()).map_err(|_| EINVAL)?;
        // SAFETY: The bytes are readable.
        let raw = unsafe { bindings::unix_address_new(bytes.as_ptr().cast(), len) };
        // INVARIANT: The function returns a reference.
        NonNull::new(raw).map(Self).ok_or(ENOMEM)
    }

    /// Returns all bytes, the family's two first.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: By the type invariants.
        unsafe { address_bytes(self.0.as_ptr()) }
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, the reference is ours to give back.
        unsafe { bindings::unix_address_put(self.0.as_ptr()) };
    }
}

/// Returns the bytes of an address.
///
/// # Safety
///
/// `raw` is valid during `'a`.
pub(super) unsafe fn address_bytes<'a>(raw: *const bindings::unix_address) -> &'a [u8] {
    // SAFETY: By the function's safety requirements; `len` bytes follow the header.
    unsafe {
        let len = usize::try_from((*raw).len).unwrap_or(0);
        slice::from_raw_parts(bindings::unix_address_bytes(raw).cast(), len)
    }
}

impl<F: Family<Head = UnixHead>> Sock<F> {
    /// Returns what is there of a `struct unix_sock`.
    pub(super) fn as_unix(&self) -> *mut bindings::runix_head {
        // CAST: `UnixHead` is transparent.
        self.as_head().cast()
    }

    /// Returns the bytes of the socket's name, family included; `None` if it
    /// isn't bound.
    pub(crate) fn address(&self) -> Option<&[u8]> {
        // SAFETY: By the type invariants of `Sock`. The address is loaded by an acquire that pairs
        // with its publication, and by the invariants of `UnixHead` it stays as long as the socket.
        unsafe {
            let raw = bindings::unix_address_get(self.as_unix());
            if raw.is_null() {
                None
            } else {
                Some(address_bytes(raw))
            }
        }
    }

    /// Returns the socket's name, to be shared with another one.
    pub(crate) fn shared_address(&self) -> Option<Address> {
        // SAFETY: As in `address`; the function takes a reference.
        unsafe {
            let raw = NonNull::new(bindings::unix_address_get(self.as_unix()))?;
            bindings::unix_address_hold(raw.as_ptr());
            // INVARIANT: A reference was just taken.
            Some(Address(raw))
        }
    }

    /// Takes the lock under which a socket gets its name.
    ///
    /// May sleep. `EINTR` on a signal.
    pub(crate) fn lock_bind(&self) -> Result<BindGuard<'_, F>> {
        // SAFETY: By the type invariants of `Sock`.
        to_result(unsafe { bindings::bind_lock(self.as_unix()) })?;
        // INVARIANT: The lock was just taken.
        Ok(BindGuard {
            sk: self,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns the other end of the connection, if there is one.
    pub(crate) fn peer_get(&self) -> Option<ARef<Sock<F>>> {
        // SAFETY: By the type invariants of `Sock`.
        let raw = unsafe { bindings::unix_peer_get(self.as_unix()) };
        // SAFETY: The function takes a reference, of a socket of the same family.
        NonNull::new(raw).map(|raw| unsafe { ARef::from_raw(raw.cast()) })
    }
}

/// The right to give a socket its name.
///
/// # Invariants
///
/// The bind lock of `sk` is held by this task.
#[must_use = "the lock unlocks immediately when the guard is unused"]
pub(crate) struct BindGuard<'a, F: Family<Head = UnixHead>> {
    sk: &'a Sock<F>,
    _not_send: NotThreadSafe,
}

impl<F: Family<Head = UnixHead>> BindGuard<'_, F> {
    /// Names the socket, unless it has a name: `EINVAL`.
    pub(crate) fn set_address(&self, address: Address) -> Result {
        if self.sk.address().is_some() {
            return Err(EINVAL);
        }
        let address = ManuallyDrop::new(address);
        // INVARIANT: The address is null; the reference moves to the head.
        // SAFETY: By the type invariants of `Sock`, and nobody else names it under the bind lock.
        unsafe { bindings::unix_address_set(self.sk.as_unix(), address.0.as_ptr()) };
        Ok(())
    }
}

impl<F: Family<Head = UnixHead>> Drop for BindGuard<'_, F> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, this task holds the lock.
        unsafe { bindings::bind_unlock(self.sk.as_unix()) };
    }
}

impl<F: Family<Head = UnixHead>> StateGuard<'_, F> {
    /// Returns the other end of the connection, for as long as the lock is held.
    pub(crate) fn peer(&self) -> Option<&Sock<F>> {
        // SAFETY: By the invariants of `UnixHead`: the state lock is held, so that the reference
        // stays where it is.
        unsafe {
            let raw = (*self.sock().as_unix()).peer;
            if raw.is_null() {
                None
            } else {
                Some(Sock::from_raw(raw))
            }
        }
    }

    /// Makes `peer` the other end, unless there is one: `EISCONN`.
    pub(crate) fn set_peer(&mut self, peer: ARef<Sock<F>>) -> Result {
        if self.peer().is_some() {
            return Err(EISCONN);
        }
        let raw = ARef::into_raw(peer);
        // INVARIANT: The peer is null, the state lock is held, and the reference moves to the head.
        // SAFETY: By the type invariants of `Sock`; `Live::peer` reads without the lock.
        unsafe { bindings::unix_peer_set(self.sock().as_unix(), raw.as_ptr().cast()) };
        Ok(())
    }

    /// Makes `peer` the peer of a datagram socket, in place of the one that it
    /// had, which is handed back, to be dropped after the lock.
    ///
    /// `EINVAL` on a socket of another type, which keeps its peer.
    pub(crate) fn replace_peer(
        &mut self,
        peer: Option<ARef<Sock<F>>>,
    ) -> Result<Option<ARef<Sock<F>>>> {
        if !self.sock().is_kind(SockType::Datagram) {
            return Err(EINVAL);
        }
        self.unwatch_peer();
        let raw = peer.map_or(ptr::null_mut(), |peer| ARef::into_raw(peer).as_ptr().cast());
        // INVARIANT: The state lock is held, and the socket is a datagram socket; the references
        // move in and out.
        // SAFETY: By the type invariants of `Sock`.
        let old = unsafe { ptr::replace(&raw mut (*self.sock().as_unix()).peer, raw) };
        // SAFETY: By the invariants of `UnixHead`, the head had a reference.
        Ok(NonNull::new(old).map(|old| unsafe { ARef::from_raw(old.cast()) }))
    }

    /// Lets those who poll this socket be woken when its peer has taken a
    /// packet next.
    pub(crate) fn watch_peer(&mut self) {
        let u = self.sock().as_unix();
        if let Some(peer) = self.peer() {
            // SAFETY: Both are valid; the state lock is held, and the head has a reference to the
            // peer, which it gives up only after `unwatch_peer`.
            unsafe { bindings::watch_peer(u, peer.as_sk()) };
        }
    }

    /// Undoes [`StateGuard::watch_peer`].
    fn unwatch_peer(&mut self) {
        let u = self.sock().as_unix();
        if let Some(peer) = self.peer() {
            // SAFETY: Both are valid; the state lock is held.
            unsafe { bindings::unwatch_peer(u, peer.as_sk()) };
        }
    }

    /// Remembers the file that the socket is bound to, and hands back what it
    /// was before, to be dropped after the lock.
    pub(crate) fn replace_path(&mut self, path: Option<PathRef>) -> Option<PathRef> {
        let u = self.sock().as_unix();
        let raw = path.map_or(
            kb::path {
                mnt: ptr::null_mut(),
                dentry: ptr::null_mut(),
            },
            PathRef::into_raw,
        );
        // INVARIANT: The state lock is held; the references move in and out.
        // SAFETY: By the type invariants of `Sock`.
        let old = unsafe { ptr::replace(&raw mut (*u).path, raw) };
        // SAFETY: By the invariants of `UnixHead`, what isn't empty is owned.
        (!old.dentry.is_null()).then(|| unsafe { PathRef::from_raw(old) })
    }

    /// Returns the file that the socket is bound to.
    pub(crate) fn shared_path(&self) -> Option<PathRef> {
        let u = self.sock().as_unix();
        // SAFETY: By the invariants of `UnixHead`: the state lock is held; the references are taken
        // before they are handed out.
        unsafe {
            if (*u).path.dentry.is_null() {
                return None;
            }
            kb::path_get(&(*u).path);
            Some(PathRef::from_raw((*u).path))
        }
    }

    /// Returns the numbers of the file that the socket is bound to: its inode
    /// and its device.
    pub(crate) fn file_numbers(&self) -> Option<(u64, u32)> {
        let u = self.sock().as_unix();
        // SAFETY: By the invariants of `UnixHead`: the state lock is held, so that the path stays.
        unsafe {
            if (*u).path.dentry.is_null() {
                return None;
            }
            Some((
                bindings::path_inode_number(&(*u).path),
                bindings::path_device(&(*u).path),
            ))
        }
    }

    /// Asks the security modules whether `self` may connect to `other`, with
    /// `new` at the other end (`security_unix_stream_connect()`).
    pub(crate) fn may_connect(&self, other: &StateGuard<'_, F>, new: &Unattached<F>) -> Result {
        // SAFETY: All three are valid; the state of the first two is locked, as the hook wants it.
        to_result(unsafe {
            kb::security_unix_stream_connect(
                self.sock().as_sk().cast(),
                other.sock().as_sk().cast(),
                new.sock().as_sk().cast(),
            )
        })
    }
}

impl<F: Family<Head = UnixHead>> Sock<F> {
    /// Notes at which listener the socket waits to be accepted, for comparison alone;
    /// `None` when it doesn't any more.
    pub(crate) fn set_listener(&self, listener: Option<&Self>) {
        let address = listener.map_or(0, |listener| listener.as_sk().addr());
        // SAFETY: By the type invariants of `Sock`; nobody follows the pointer, which is read and
        // written as a whole.
        unsafe {
            (&raw mut (*self.as_unix()).listener)
                .write_volatile(ptr::without_provenance_mut(address));
        }
    }

    /// Returns the address of the listener that the socket waits at, or zero.
    pub(crate) fn listener(&self) -> usize {
        // SAFETY: As in `set_listener`.
        unsafe { (&raw const (*self.as_unix()).listener).read_volatile() }.addr()
    }

    /// Tells whether [`Live::set_inode`] has noted that inode.
    pub(crate) fn has_inode(&self, inode: InodeId) -> bool {
        // SAFETY: By the type invariants of `Sock`; the pointer isn't followed.
        let noted = unsafe { UnixHead::spare(self.as_sk()).read_volatile() };
        noted.addr() == inode.as_usize()
    }
}

impl<'a, F: Family<Head = UnixHead>> Live<'a, F> {
    /// Notes which inode the socket is bound to, for comparison alone.
    ///
    /// To be called before others can find the socket by it.
    pub(crate) fn set_inode(&self, inode: InodeId) {
        // The field is that of a queue only as long as the socket has no file: it has one here.
        // SAFETY: By the type invariants of `Sock`; nobody follows the pointer.
        unsafe {
            UnixHead::spare(self.as_sk())
                .write_volatile(ptr::without_provenance_mut(inode.as_usize()));
        }
    }

    /// Asks the security modules whether this socket may send to the one whose
    /// state is locked (`security_unix_may_send()`).
    ///
    /// `ECONNREFUSED` if that has no file.
    pub(crate) fn may_send(&self, other: &StateGuard<'_, F>) -> Result {
        if !other.sock().has_socket() {
            return Err(ECONNREFUSED);
        }
        // SAFETY: This socket has a file by the type invariants; the other one has one, which it
        // is parted from under its state lock alone.
        to_result(unsafe { bindings::may_send(self.as_sk(), other.sock().as_sk()) })
    }

    /// Returns the other end of the connection, without a lock.
    ///
    /// Always `None` for a datagram socket, whose peer may change at any time.
    pub(crate) fn peer(&self) -> Option<&'a Sock<F>> {
        // SAFETY: By the type invariants of `Sock`.
        let raw = unsafe { (&raw const (*self.as_unix()).peer).read_volatile() };
        if raw.is_null() || self.is_kind(SockType::Datagram) {
            return None;
        }
        // SAFETY: By the invariants of `UnixHead`, the peer of such a socket is only cleared by a
        // `Closing`, of which there is none during `'a`; until then the head has a reference.
        Some(unsafe { Sock::from_raw(raw) })
    }
}

impl<F: Family<Head = UnixHead>> Closing<'_, F> {
    /// Parts the socket from its other end; the reference is to be dropped
    /// after the lock.
    pub(crate) fn take_peer(&self, guard: &mut StateGuard<'_, F>) -> Option<ARef<Sock<F>>> {
        if !ptr::eq(guard.sock().as_sk(), self.as_sk()) {
            return None;
        }
        guard.unwatch_peer();
        // INVARIANT: This is a `Closing`, and the state lock is held; the reference moves out.
        // SAFETY: By the type invariants of `Sock`.
        let raw = unsafe { ptr::replace(&raw mut (*self.as_unix()).peer, ptr::null_mut()) };
        // SAFETY: By the invariants of `UnixHead`, the head had a reference.
        NonNull::new(raw).map(|raw| unsafe { ARef::from_raw(raw.cast()) })
    }
}

impl<F: Family<Head = UnixHead>> Unattached<F> {
    /// Returns the other end of the connection, without a lock.
    ///
    /// Always `None` for a datagram socket, whose peer may change at any time.
    pub(crate) fn peer(&self) -> Option<&Sock<F>> {
        let sk = self.sock();
        // SAFETY: By the type invariants of `Sock`.
        let raw = unsafe { (&raw const (*sk.as_unix()).peer).read_volatile() };
        if raw.is_null() || sk.is_kind(SockType::Datagram) {
            return None;
        }
        // SAFETY: By the invariants of `UnixHead`, the peer of such a socket is only cleared by a
        // `Closing`, which there is only once `self` is dropped.
        Some(unsafe { Sock::from_raw(raw) })
    }

    /// Names the socket, as a connection is named after its listener.
    ///
    /// `EINVAL` if it has a name.
    pub(crate) fn set_name(&self, address: Address, path: Option<PathRef>) -> Result {
        let mut state = self.sock().lock();
        if self.sock().address().is_some() {
            return Err(EINVAL);
        }
        let _none = state.replace_path(path);
        let address = ManuallyDrop::new(address);
        // INVARIANT: The address is null, and nobody binds a socket that has no file; the
        // reference moves to the head.
        // SAFETY: By the type invariants of `Sock`.
        unsafe { bindings::unix_address_set(self.sock().as_unix(), address.0.as_ptr()) };
        Ok(())
    }
}
