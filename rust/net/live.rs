// SPDX-License-Identifier: GPL-2.0

//! Sockets as system calls have them: alive, or about to go.
//!
//! C header: [`include/net/sock.h`](srctree/include/net/sock.h)

use super::family::Family;
use super::msg::ReceiveMsg;
use super::sock::{
    Sock,
    StateGuard, //
};
use crate::bindings;
use core::{
    marker::PhantomData,
    ops::Deref,
    ptr,
    ptr::NonNull, //
};
use kernel::{
    bindings as kb,
    prelude::*,
    sync::aref::ARef, //
};

/// A socket in a call through its file.
///
/// # Invariants
///
/// `socket` is valid for `'a`, and its `sk` is `sk`. The socket is not released
/// during `'a`.
pub(crate) struct Live<'a, F: Family> {
    sk: &'a Sock<F>,
    socket: NonNull<kb::socket>,
    _p: PhantomData<&'a kb::socket>,
}

impl<'a, F: Family> Live<'a, F> {
    /// Makes a `Live` of what the socket layer hands in.
    ///
    /// # Safety
    ///
    /// `socket` is a socket of family `F` with its `sk`, that isn't released
    /// during `'a`.
    pub(super) unsafe fn from_raw(socket: *mut kb::socket) -> Self {
        // INVARIANT: By the function's safety requirements.
        Self {
            // SAFETY: By the function's safety requirements.
            sk: unsafe { Sock::from_raw((*socket).sk.cast()) },
            // SAFETY: A valid pointer isn't null.
            socket: unsafe { NonNull::new_unchecked(socket) },
            _p: PhantomData,
        }
    }

    /// Returns the socket; unlike `deref`, for as long as the call lasts.
    pub(crate) fn sock(&self) -> &'a Sock<F> {
        self.sk
    }

    /// Returns the C object.
    pub(super) fn as_socket(&self) -> *mut kb::socket {
        self.socket.as_ptr()
    }

    /// Notes that a writer has found no room, for `SIGIO`.
    pub(crate) fn note_no_space(&self) {
        // SAFETY: By the type invariants.
        unsafe { bindings::set_nospace(self.sk.as_sk()) };
    }

    /// Returns where a `MSG_PEEK` starts (`SO_PEEK_OFF`), in bytes from the
    /// front of the queue; `None` if the option isn't set.
    pub(crate) fn peek_offset(&self) -> Option<usize> {
        // SAFETY: By the type invariants.
        let offset = unsafe { bindings::peek_offset(self.sk.as_sk(), bindings::MSG_PEEK as c_int) };
        usize::try_from(offset).ok()
    }

    /// Moves the peek offset on by `count` peeked bytes.
    pub(crate) fn peek_offset_forward(&self, count: usize) {
        let count = c_int::try_from(count).unwrap_or(c_int::MAX);
        // SAFETY: By the type invariants.
        unsafe { bindings::peek_offset_fwd(self.sk.as_sk(), count) };
    }

    /// Moves the peek offset back by `count` bytes that were read.
    #[inline]
    pub(crate) fn peek_offset_back(&self, count: usize) {
        if !self.sk.has_peek_offset() {
            // A snapshot, as the function itself takes one.
            return;
        }
        let count = c_int::try_from(count).unwrap_or(c_int::MAX);
        // SAFETY: By the type invariants.
        unsafe { bindings::peek_offset_bwd(self.sk.as_sk(), count) };
    }

    /// Tells whether a receive is for bytes and nothing else: whatever there is of
    /// them, with nothing told besides but an address.
    #[inline]
    pub(crate) fn receives_bytes(&self, msg: &ReceiveMsg<'_>) -> bool {
        msg.is_for_bytes() && self.sk.receive_low_water() <= 1 && self.sk.receives_plainly()
    }

    /// Tells the same of a receive that may tell who sends them, too.
    #[inline]
    pub(crate) fn receives_told_bytes(&self, msg: &ReceiveMsg<'_>) -> bool {
        msg.is_for_bytes() && self.sk.receive_low_water() <= 1 && !self.sk.has_peek_offset()
    }

    /// Tells whether the file is in non-blocking mode.
    pub(crate) fn is_nonblocking(&self) -> bool {
        // SAFETY: By the type invariants.
        unsafe { bindings::file_nonblock(self.as_socket()) }
    }

    /// Sends `SIGPIPE` to the calling thread.
    pub(crate) fn sigpipe(&self) {
        // SAFETY: Has no requirements.
        unsafe { bindings::sigpipe() };
    }

    /// Takes the socket in use once more, so that it outlives the call.
    pub(crate) fn hold(&self) -> ARef<Sock<F>> {
        self.sk.into()
    }
}

impl<F: Family> Deref for Live<'_, F> {
    type Target = Sock<F>;

    fn deref(&self) -> &Sock<F> {
        self.sk
    }
}

/// A socket that its file lets go of.
///
/// # Invariants
///
/// No [`Live`] of the socket exists, or will.
pub(crate) struct Closing<'a, F: Family> {
    sk: &'a Sock<F>,
}

impl<'a, F: Family> Closing<'a, F> {
    /// Makes a `Closing`.
    ///
    /// # Safety
    ///
    /// No [`Live`] of `sk` exists, nor is one made later.
    pub(super) unsafe fn new(sk: &'a Sock<F>) -> Self {
        // INVARIANT: By the function's safety requirements.
        Self { sk }
    }

    /// Cuts the socket off its file, under its state lock: from here on it is
    /// dead to others. With the lock of another socket, nothing happens.
    pub(crate) fn orphan(&self, guard: &mut StateGuard<'_, F>) {
        if ptr::eq(guard.sock().as_sk(), self.sk.as_sk()) {
            // SAFETY: By the type invariants of `Sock`; the state is locked.
            unsafe { bindings::sock_orphan(self.sk.as_sk()) };
        }
    }

    /// Does the same where the family has not done it.
    pub(super) fn orphan_at_last(&self) {
        if !self.sk.is_dead() {
            self.orphan(&mut self.sk.lock());
        }
    }
}

impl<F: Family> Deref for Closing<'_, F> {
    type Target = Sock<F>;

    fn deref(&self) -> &Sock<F> {
        self.sk
    }
}
