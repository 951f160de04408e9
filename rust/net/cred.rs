// SPDX-License-Identifier: GPL-2.0

//! Who is at the other end (`SO_PEERCRED`, `SO_PEERGROUPS`, `SO_PEERPIDFD`).
//!
//! C header: [`include/net/sock.h`](srctree/include/net/sock.h)

use super::family::Family;
use super::sock::Sock;
use crate::bindings;
use core::ptr;
use kernel::{
    bindings as kb,
    error::to_result,
    prelude::*, //
};

/// A process and its credentials at one moment.
///
/// # Invariants
///
/// Both pointers are null, or own a reference each.
pub(crate) struct PeerCred {
    pid: *mut kb::pid,
    cred: *const kb::cred,
}

impl PeerCred {
    /// Returns neither a process nor credentials.
    fn none() -> Self {
        // INVARIANT: Both are null.
        Self {
            pid: ptr::null_mut(),
            cred: ptr::null(),
        }
    }

    /// Takes those of the calling process, which is remembered when it is gone
    /// (see [`super::PidfdSource`]).
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(crate) fn current() -> Result<Self> {
        let mut cred = Self::none();
        // SAFETY: Both may be written.
        // INVARIANT: The function stores a reference in each, or nothing if it fails.
        to_result(unsafe { bindings::peercred_current(&raw mut cred.pid, &raw mut cred.cred) })?;
        Ok(cred)
    }
}

impl Drop for PeerCred {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, the references are ours to give back; both functions
        // take null for nothing.
        unsafe {
            kb::put_pid(self.pid);
            if !self.cred.is_null() {
                bindings::peercred_put(self.cred);
            }
        }
    }
}

impl<F: Family> Sock<F> {
    /// Makes `cred` what `SO_PEERCRED` shows, and returns what it was before,
    /// to be dropped outside of locks.
    pub(crate) fn set_peer_cred(&self, mut cred: PeerCred) -> PeerCred {
        // SAFETY: The `sock` is valid; the references are swapped, so that the type invariants
        // hold on both sides.
        unsafe {
            bindings::peercred_swap(self.as_sk(), &raw mut cred.pid, &raw mut cred.cred);
        }
        cred
    }

    /// Makes the calling process what `SO_PEERCRED` shows, in one step.
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(crate) fn set_peer_cred_current(&self) -> Result {
        // SAFETY: The `sock` is valid.
        to_result(unsafe { bindings::peercred_set_current(self.as_sk()) })
    }

    /// Returns what `SO_PEERCRED` shows.
    pub(crate) fn peer_cred(&self) -> PeerCred {
        let mut cred = PeerCred::none();
        // SAFETY: The `sock` is valid; the function stores a reference or null in each.
        // INVARIANT: Likewise.
        unsafe {
            bindings::peercred_get(self.as_sk(), &raw mut cred.pid, &raw mut cred.cred);
        }
        cred
    }
}
