// SPDX-License-Identifier: GPL-2.0

//! The socket object.
//!
//! C header: [`include/net/sock.h`](srctree/include/net/sock.h)

use super::ancillary::Pass;
use super::family::Family;
use super::patience::Companion;
use super::pernet::Net;
use super::phase::{
    Phase,
    Shutdown,
    SockType, //
};
use super::table::Link;
use super::wait::Timeout;
use crate::bindings;
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ops::{
        Deref,
        DerefMut, //
    },
    pin::Pin,
    ptr,
    ptr::NonNull, //
};
use kernel::{
    bindings as kb,
    error::to_result,
    prelude::*,
    sync::aref::{
        ARef,
        AlwaysRefCounted, //
    },
    types::{
        NotThreadSafe,
        Opaque, //
    },
};

/// What the C side finds at the start of a socket's memory.
///
/// # Safety
///
/// The type is `repr(C)` and starts with a `struct sock`. Once
/// [`Head::init`] has run, [`Head::state_lock`] returns an initialised spin
/// lock that stays valid until [`Head::destroy`].
pub(crate) unsafe trait Head: 'static {
    /// Initialises what follows the `struct sock`.
    ///
    /// # Safety
    ///
    /// `this` points to zeroed memory for `Self`, whose `struct sock` has been
    /// initialised, and which nobody else uses yet.
    unsafe fn init(this: *mut Self);

    /// Gives back what the head owns.
    ///
    /// # Safety
    ///
    /// `this` was initialised, and nobody else uses it any more.
    unsafe fn destroy(this: *mut Self);

    /// Returns the lock that guards the socket's state.
    ///
    /// # Safety
    ///
    /// `this` points to an initialised head.
    unsafe fn state_lock(this: *mut Self) -> *mut kb::spinlock_t;
}

/// The memory of a socket: C first, ours after it.
#[repr(C)]
pub(super) struct Layout<F: Family> {
    pub(super) head: F::Head,
    /// Whom those who wait on the socket wait for.
    pub(super) companion: Companion,
    /// Guarded by the head's state lock.
    pub(super) state: UnsafeCell<F::State>,
    pub(super) data: F::Data,
}

/// A socket of family `F`.
///
/// # Invariants
///
/// The memory is an initialised [`Layout<F>`], allocated by `sk_alloc()`; it is
/// valid while its reference count is above zero, or while something is charged to
/// it ([`super::Charge`]), and it is never moved.
#[repr(transparent)]
pub(crate) struct Sock<F: Family>(Opaque<Layout<F>>);

// SAFETY: The C part is made to be used from any thread; of ours, `Data` is `Send` and `Sync`, and
// `State`, which is `Send`, is only reached under the state lock.
unsafe impl<F: Family> Send for Sock<F> {}
// SAFETY: As above.
unsafe impl<F: Family> Sync for Sock<F> {}

// SAFETY: The count is that of the `struct sock`; by the type invariants, the object stays valid
// while it is above zero.
unsafe impl<F: Family> AlwaysRefCounted for Sock<F> {
    fn inc_ref(&self) {
        // SAFETY: By the type invariants, the `sock` is valid.
        unsafe { bindings::sock_hold(self.as_sk()) };
    }

    unsafe fn dec_ref(obj: NonNull<Self>) {
        // SAFETY: The caller gives up a reference, so that the `sock` is valid until this call.
        unsafe { bindings::sock_put(obj.as_ptr().cast()) };
    }
}

impl<F: Family> Sock<F> {
    /// Returns the socket behind a raw pointer.
    ///
    /// # Safety
    ///
    /// `sk` is a socket made by [`Family`] `F`, and it stays valid for `'a`.
    pub(super) unsafe fn from_raw<'a>(sk: *mut bindings::sock) -> &'a Self {
        // CAST: `Sock` is transparent over `Layout`, which starts with the `sock`.
        // SAFETY: By the function's safety requirements.
        unsafe { &*sk.cast() }
    }

    /// Returns the C object.
    #[inline]
    pub(super) fn as_sk(&self) -> *mut bindings::sock {
        // CAST: By the safety requirements of `Head`, the layout starts with a `sock`.
        self.0.get().cast()
    }

    /// Returns the head.
    pub(super) fn as_head(&self) -> *mut F::Head {
        // CAST: The head is the first field of the layout.
        self.0.get().cast()
    }

    /// Returns which tables the socket is listed in.
    pub(super) fn links(&self) -> &[Link; 2] {
        // SAFETY: By the type invariants, the layout is initialised, and the links are only used
        // through shared references.
        unsafe { &*Self::links_of(self.as_sk()) }
    }

    /// Returns the place of the links: where protocols keep the ends of their queue of
    /// what is to be sent. Nothing but those looks there, and a socket has no memory to
    /// spare. (Rows `mem-idle` of the bench.)
    ///
    /// # Safety
    ///
    /// `sk` is valid.
    pub(super) unsafe fn links_of(sk: *mut bindings::sock) -> *mut [Link; 2] {
        type Queue = kb::sk_buff_head;
        const {
            assert!(size_of::<[Link; 2]>() <= core::mem::offset_of!(Queue, qlen));
            assert!(align_of::<Link>() <= align_of::<Queue>());
        }
        // SAFETY: By the function's safety requirements.
        unsafe { (&raw mut (*sk).sk_write_queue).cast() }
    }

    /// Returns whom those who wait on the socket are likely to wait for.
    pub(super) fn companion(&self) -> &Companion {
        // SAFETY: By the type invariants, the layout is initialised, and the companion is only
        // used through shared references.
        unsafe { &(*self.0.get()).companion }
    }

    /// Returns the family's own data.
    pub(crate) fn data(&self) -> Pin<&F::Data> {
        // SAFETY: By the type invariants, the data is initialised and isn't moved.
        unsafe { Pin::new_unchecked(&(*self.0.get()).data) }
    }

    /// Returns the network namespace.
    pub(crate) fn net(&self) -> &Net {
        // SAFETY: A socket's namespace outlives it: either the socket has a reference, or the
        // kernel code that made it with none guarantees that.
        unsafe { Net::from_raw(bindings::sock_net(self.as_sk())) }
    }

    /// Returns the type. `None` for a number that the layer doesn't know.
    pub(crate) fn kind(&self) -> Option<SockType> {
        // SAFETY: By the type invariants; the type is not changed after creation.
        SockType::from_raw(u32::from(unsafe { (*self.as_sk()).sk_type }))
    }

    /// Returns the phase. A snapshot, unless the state lock is held.
    pub(crate) fn phase(&self) -> Phase {
        // SAFETY: By the type invariants, the field is valid; the C side reads and writes it by
        // `READ_ONCE()` and `WRITE_ONCE()` too.
        let raw = unsafe { (&raw const (*self.as_sk()).__sk_common.skc_state).read_volatile() };
        match u32::from(raw) {
            bindings::TCP_ESTABLISHED => Phase::Established,
            bindings::TCP_LISTEN => Phase::Listening,
            _ => Phase::Closed,
        }
    }

    /// Returns what is shut down. A snapshot, unless the state lock is held.
    pub(crate) fn shutdown(&self) -> Shutdown {
        // SAFETY: As in `phase`.
        Shutdown::from_raw(unsafe { (&raw const (*self.as_sk()).sk_shutdown).read_volatile() })
    }

    /// Tells whether the type is `kind`.
    #[inline]
    pub(crate) fn is_kind(&self, kind: SockType) -> bool {
        // SAFETY: As in `kind`.
        u32::from(unsafe { (*self.as_sk()).sk_type }) == kind.raw()
    }

    /// Tells whether any of some flags is set (`sock_flag()`). A snapshot.
    #[inline]
    fn has_flag(&self, flags: usize) -> bool {
        // SAFETY: As in `phase`; the place of the field is that of the C side.
        let all = unsafe {
            let field = self.as_sk().byte_add(bindings::SOCK_FLAGS);
            field.cast::<usize>().read_volatile()
        };
        all & flags != 0
    }

    /// Tells whether the socket has been closed by its last owner.
    #[inline]
    pub(crate) fn is_dead(&self) -> bool {
        self.has_flag(bindings::FLAG_DEAD)
    }

    /// Tells whether the socket has a file: it is no connection that waits to
    /// be accepted. A snapshot, unless the state lock is held.
    pub(crate) fn has_socket(&self) -> bool {
        // SAFETY: As in `phase`; the pointer isn't followed.
        unsafe {
            !(&raw const (*self.as_sk()).sk_socket)
                .read_volatile()
                .is_null()
        }
    }

    /// Tells whether an asynchronous error waits to be reported (`SO_ERROR`).
    #[inline]
    pub(crate) fn has_error(&self) -> bool {
        // SAFETY: As in `phase`.
        unsafe { (&raw const (*self.as_sk()).sk_err).read_volatile() != 0 }
    }

    /// Reports and clears the asynchronous error, if there is one.
    #[inline]
    pub(crate) fn take_error(&self) -> Result {
        if !self.has_error() {
            // Almost always.
            return Ok(());
        }
        // SAFETY: By the type invariants.
        to_result(unsafe { bindings::sock_error(self.as_sk()) })
    }

    /// Tells whether a packet is queued here just as it was sent: there is no filter, and
    /// nobody asks for times. A snapshot.
    #[inline]
    pub(crate) fn takes_as_sent(&self) -> bool {
        // SAFETY: As in `phase`; the pointer isn't followed.
        let filter = unsafe { (&raw const (*self.as_sk()).sk_filter).read_volatile() };
        filter.is_null() && !self.has_flag(bindings::FLAG_RCVTSTAMP)
    }

    /// Tells whether a receive tells nothing but the bytes. A snapshot.
    #[inline]
    pub(crate) fn receives_plainly(&self) -> bool {
        !self.pass().any_of(Pass::TOLD)
            && !self.has_flag(bindings::FLAG_RCVTSTAMP)
            && !self.has_peek_offset()
    }

    /// Tells whether peeks start at an offset (`SO_PEEK_OFF`). A snapshot.
    #[inline]
    pub(super) fn has_peek_offset(&self) -> bool {
        // SAFETY: As in `phase`.
        unsafe { (&raw const (*self.as_sk()).sk_peek_off).read_volatile() >= 0 }
    }

    /// Returns `SO_SNDBUF` in bytes.
    pub(crate) fn sndbuf(&self) -> usize {
        // SAFETY: As in `phase`.
        let size = unsafe { (&raw const (*self.as_sk()).sk_sndbuf).read_volatile() };
        usize::try_from(size).unwrap_or(0)
    }

    /// Returns how long a receive may sleep (`SO_RCVTIMEO`).
    pub(crate) fn receive_timeout(&self) -> Timeout {
        // SAFETY: As in `phase`.
        Timeout::from_jiffies(unsafe { (&raw const (*self.as_sk()).sk_rcvtimeo).read_volatile() })
    }

    /// Returns how long a send or a connect may sleep (`SO_SNDTIMEO`).
    pub(crate) fn send_timeout(&self) -> Timeout {
        // SAFETY: As in `phase`.
        Timeout::from_jiffies(unsafe { (&raw const (*self.as_sk()).sk_sndtimeo).read_volatile() })
    }

    /// Returns the least number of bytes that a receive waits for
    /// (`SO_RCVLOWAT`), at least one.
    pub(crate) fn receive_low_water(&self) -> usize {
        // SAFETY: As in `phase`.
        let low = unsafe { (&raw const (*self.as_sk()).sk_rcvlowat).read_volatile() };
        usize::try_from(low).unwrap_or(1).max(1)
    }

    /// Returns the limit of the queue of connections given to `listen(2)`.
    pub(crate) fn backlog(&self) -> u32 {
        // SAFETY: As in `phase`.
        unsafe { (&raw const (*self.as_sk()).sk_max_ack_backlog).read_volatile() }
    }

    /// Sets what [`Sock::backlog`] returns in a new socket, which nobody else
    /// knows yet; see [`StateGuard::set_backlog`] for later.
    pub(crate) fn set_first_backlog(&self, backlog: u32) {
        // SAFETY: As in `phase`.
        unsafe { (&raw mut (*self.as_sk()).sk_max_ack_backlog).write_volatile(backlog) };
    }

    /// Returns the number of connections that wait to be accepted. A snapshot,
    /// unless the state lock is held.
    pub(crate) fn pending(&self) -> u32 {
        // SAFETY: As in `phase`.
        unsafe { (&raw const (*self.as_sk()).sk_ack_backlog).read_volatile() }
    }

    /// Returns the number of the socket's inode, zero without one.
    pub(crate) fn inode_number(&self) -> u64 {
        // SAFETY: By the type invariants.
        unsafe { bindings::sock_i_ino(self.as_sk()) }
    }

    /// Returns the reference count, for `/proc`.
    pub(crate) fn references(&self) -> u32 {
        // SAFETY: By the type invariants.
        unsafe { bindings::sock_refcount(self.as_sk()) }.unsigned_abs()
    }

    /// Locks the socket's state.
    ///
    /// Any context that may spin. The order among sockets is by address; see
    /// [`Sock::lock_two`].
    pub(crate) fn lock(&self) -> StateGuard<'_, F> {
        // SAFETY: By the type invariants, the head is initialised.
        unsafe { bindings::state_lock(F::Head::state_lock(self.as_head())) };
        // INVARIANT: The lock was just taken.
        StateGuard {
            sk: self,
            _not_send: NotThreadSafe,
        }
    }

    /// Locks the state of two different sockets, the one at the smaller address
    /// first.
    ///
    /// `None` if they are the same.
    pub(crate) fn lock_two<'a>(
        a: &'a Self,
        b: &'a Self,
    ) -> Option<(StateGuard<'a, F>, StateGuard<'a, F>)> {
        let (pa, pb) = (a.as_sk(), b.as_sk());
        if pa == pb {
            return None;
        }
        if pa < pb {
            let first = a.lock();
            let second = b.lock_second();
            Some((first, second))
        } else {
            let first = b.lock();
            let second = a.lock_second();
            Some((second, first))
        }
    }

    /// Locks a socket's state while that of one at a smaller address is held.
    fn lock_second(&self) -> StateGuard<'_, F> {
        // SAFETY: By the type invariants, the head is initialised.
        unsafe { bindings::state_lock_second(F::Head::state_lock(self.as_head())) };
        // INVARIANT: The lock was just taken.
        StateGuard {
            sk: self,
            _not_send: NotThreadSafe,
        }
    }

    /// Tells readers, sleeping and polling, that there is something to read.
    ///
    /// Implies a full memory barrier before it looks for sleepers.
    pub(crate) fn data_ready(&self) {
        // SAFETY: By the type invariants.
        if unsafe { bindings::has_waiter(self.as_sk()) } {
            self.companion().note();
            // SAFETY: By the type invariants.
            unsafe { bindings::data_ready(self.as_sk()) };
        }
    }

    /// Wakes everybody who sleeps on the socket: its state has changed.
    pub(crate) fn state_changed(&self) {
        // SAFETY: By the type invariants.
        unsafe { bindings::state_change(self.as_sk()) };
    }

    /// Tells writers, sleeping and polling, that there is room.
    pub(crate) fn wake_writers(&self) {
        self.companion().note();
        // SAFETY: By the type invariants.
        unsafe { bindings::wake_writers(self.as_sk()) };
    }

    /// Tells everybody that an error waits to be reported.
    pub(crate) fn error_reported(&self) {
        // SAFETY: By the type invariants.
        unsafe { bindings::error_report(self.as_sk()) };
    }

    /// Tells whether out-of-band bytes are read like others (`SO_OOBINLINE`).
    pub(crate) fn urgent_inline(&self) -> bool {
        // SAFETY: By the type invariants.
        unsafe { bindings::urgent_inline(self.as_sk()) }
    }

    /// Sends `SIGIO` to the socket's owner, if asked for: the connection is gone.
    pub(crate) fn signal_hangup(&self) {
        // SAFETY: By the type invariants.
        unsafe { bindings::signal_hangup(self.as_sk()) };
    }

    /// Sends `SIGIO` to the socket's owner, if asked for: there is something to
    /// read, if only the end.
    pub(crate) fn signal_input(&self) {
        // SAFETY: By the type invariants.
        unsafe { bindings::signal_input(self.as_sk()) };
    }
}

/// A part of a socket's data that its state lock guards, as it does the state.
pub(crate) struct Guarded<T>(UnsafeCell<T>);

// SAFETY: The value is reached under the state lock alone.
unsafe impl<T: Send> Sync for Guarded<T> {}

impl<T> Guarded<T> {
    /// Makes one with its first value.
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }
}

/// The locked state of a socket.
///
/// # Invariants
///
/// The state lock of `sk` is held by this context.
#[must_use = "the lock unlocks immediately when the guard is unused"]
pub(crate) struct StateGuard<'a, F: Family> {
    sk: &'a Sock<F>,
    _not_send: NotThreadSafe,
}

impl<'a, F: Family> StateGuard<'a, F> {
    /// Returns a part of the socket's data that the lock guards; `None` if it is one of
    /// another socket.
    #[inline]
    pub(crate) fn reach<'b, T>(&'b mut self, part: &'b Guarded<T>) -> Option<&'b mut T> {
        let data = ptr::from_ref(self.sk.data().get_ref()).addr();
        let offset = ptr::from_ref(part).addr().wrapping_sub(data);
        if offset >= size_of::<F::Data>() {
            return None;
        }
        // SAFETY: The part lies in the data of the socket whose state lock is held, by the type
        // invariants. The guard is borrowed for as long as the value is: there is no other.
        Some(unsafe { &mut *part.0.get() })
    }

    /// Returns the socket whose state is locked.
    pub(crate) fn sock(&self) -> &'a Sock<F> {
        self.sk
    }

    /// Moves the socket to another phase.
    pub(crate) fn set_phase(&mut self, phase: Phase) {
        // SAFETY: The field is valid, and written under the state lock alone.
        unsafe { (&raw mut (*self.sk.as_sk()).__sk_common.skc_state).write_volatile(phase.raw()) };
    }

    /// Shuts down more directions.
    pub(crate) fn add_shutdown(&mut self, more: Shutdown) {
        let all = self.sk.shutdown().raw() | more.raw();
        // SAFETY: As in `set_phase`.
        unsafe { (&raw mut (*self.sk.as_sk()).sk_shutdown).write_volatile(all) };
    }

    /// Leaves an error to be reported by the next call or by `SO_ERROR`.
    pub(crate) fn set_error(&mut self, error: Error) {
        // SAFETY: The field is valid; the C side clears it by an atomic exchange.
        unsafe { (&raw mut (*self.sk.as_sk()).sk_err).write_volatile(-error.to_errno()) };
    }

    /// Sends `SIGURG` to the owner of the socket's file, and `SIGIO`, if asked
    /// for: something has come out of band.
    pub(crate) fn signal_urgent(&self) {
        // SAFETY: The socket is valid; it is parted from its file under the state lock alone.
        unsafe { bindings::signal_urgent(self.sk.as_sk()) };
    }

    /// Sets the limit of the queue of connections.
    pub(crate) fn set_backlog(&mut self, backlog: u32) {
        // SAFETY: As in `set_phase`.
        unsafe { (&raw mut (*self.sk.as_sk()).sk_max_ack_backlog).write_volatile(backlog) };
    }

    /// Sets the number of connections that wait to be accepted.
    pub(crate) fn set_pending(&mut self, pending: u32) {
        // SAFETY: As in `set_phase`.
        unsafe { (&raw mut (*self.sk.as_sk()).sk_ack_backlog).write_volatile(pending) };
    }
}

impl<F: Family> Deref for StateGuard<'_, F> {
    type Target = F::State;

    fn deref(&self) -> &F::State {
        // SAFETY: By the type invariants, the lock that guards the state is held.
        unsafe { &*(*self.sk.0.get()).state.get() }
    }
}

impl<F: Family> DerefMut for StateGuard<'_, F> {
    fn deref_mut(&mut self) -> &mut F::State {
        // SAFETY: By the type invariants, the lock that guards the state is held.
        unsafe { &mut *(*self.sk.0.get()).state.get() }
    }
}

impl<F: Family> Drop for StateGuard<'_, F> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, this context holds the lock.
        unsafe { bindings::state_unlock(F::Head::state_lock(self.sk.as_head())) };
    }
}
