// SPDX-License-Identifier: GPL-2.0

//! Memory that is charged to the socket that has sent it.
//!
//! The C side counts such memory in `sk_wmem_alloc`, and keeps a socket's memory as
//! long as something is charged to it. So one atomic addition does both: it counts
//! the bytes, and keeps the sender; a reference besides isn't needed.
//!
//! C header: [`include/net/sock.h`](srctree/include/net/sock.h)

#[allow(unused_imports)]
use super::compat::errno::*;
use super::family::Family;
use super::sock::Sock;
use super::unix::{
    address_bytes,
    UnixHead, //
};
use crate::bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::prelude::*;

/// Bytes that are charged to a socket until the value is dropped.
///
/// The socket may be closed meanwhile, and have no references any more: there is
/// none to be had from here.
///
/// # Invariants
///
/// `size` bytes, at least one, are counted in the `sk_wmem_alloc` of `sk`, a
/// socket of family `F`, whose memory is initialised as long as any are.
pub(crate) struct Charge<F: Family> {
    sk: NonNull<bindings::sock>,
    size: u32,
    _p: PhantomData<F>,
}

// SAFETY: The count is atomic, and may be taken off by any task.
unsafe impl<F: Family> Send for Charge<F> {}
// SAFETY: A shared reference only reads.
unsafe impl<F: Family> Sync for Charge<F> {}

impl<F: Family> Charge<F> {
    /// Charges `size` bytes, more than zero.
    ///
    /// `ENOBUFS` if that is more than can be counted. Any context.
    #[inline]
    pub(crate) fn new(sk: &Sock<F>, size: usize) -> Result<Self> {
        let size = u32::try_from(size.max(1)).map_err(|_| ENOBUFS)?;
        // SAFETY: By the type invariants of `Sock`.
        if !unsafe { bindings::charge(sk.as_sk(), size) } {
            return Err(ENOBUFS);
        }
        // INVARIANT: The bytes were just counted.
        Ok(Self {
            sk: NonNull::from(sk).cast(),
            size,
            _p: PhantomData,
        })
    }
}

impl<F: Family<Head = UnixHead>> Charge<F> {
    /// Returns the name of the socket, family included; `None` if it isn't bound.
    pub(crate) fn address(&self) -> Option<&[u8]> {
        // SAFETY: By the type invariants, and those of `UnixHead`: the name stays as long as the
        // socket's memory.
        unsafe {
            let raw = bindings::unix_address_get(self.sk.as_ptr().cast());
            (!raw.is_null()).then(|| address_bytes(raw))
        }
    }
}

impl<F: Family> Charge<F> {
    /// Charges one byte more to the same socket, so that it outlives this charge.
    pub(crate) fn again(&self) -> Self {
        // SAFETY: By the type invariants; a byte more or less is never too much.
        unsafe { bindings::charge_again(self.sk.as_ptr()) };
        // INVARIANT: The byte was just counted.
        Self {
            sk: self.sk,
            size: 1,
            _p: PhantomData,
        }
    }
}

/// The socket that something comes from, which may be closed: good for its label.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    sk: NonNull<bindings::sock>,
    _p: PhantomData<&'a ()>,
}

impl Origin<'_> {
    /// Returns the C object, whose memory is valid as long as the value.
    pub(super) fn as_sk(self) -> *mut bindings::sock {
        self.sk.as_ptr()
    }
}

impl<'a, F: Family> From<&'a Sock<F>> for Origin<'a> {
    fn from(sk: &'a Sock<F>) -> Self {
        Self {
            sk: NonNull::from(sk).cast(),
            _p: PhantomData,
        }
    }
}

impl<'a, F: Family> From<&'a Charge<F>> for Origin<'a> {
    fn from(charge: &'a Charge<F>) -> Self {
        Self {
            sk: charge.sk,
            _p: PhantomData,
        }
    }
}

impl<F: Family> Drop for Charge<F> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants: one of the bytes is left until the end, and with it the
        // socket.
        unsafe {
            let sk = self.sk.as_ptr();
            let left = bindings::uncharge_but_one(sk, self.size);
            let this = Sock::<F>::from_raw(sk);
            if F::uncharged(this.data(), left as usize, this.sndbuf()) {
                this.wake_writers();
            }
            bindings::sk_free(sk);
        }
    }
}

impl<F: Family> Sock<F> {
    /// Returns how many bytes are charged to the socket. A snapshot; any context.
    #[inline]
    pub(crate) fn charged(&self) -> usize {
        // SAFETY: By the type invariants; the C side reads the count as a whole too.
        let count =
            unsafe { (&raw const (*self.as_sk()).sk_wmem_alloc.refs.counter).read_volatile() };
        // It starts at one.
        usize::try_from(count).unwrap_or(0).saturating_sub(1)
    }
}
