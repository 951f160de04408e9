// SPDX-License-Identifier: GPL-2.0

//! Descriptors of processes (`SCM_PIDFD`, `SO_PEERPIDFD`), also of those that
//! are gone.
//!
//! C header: [`include/linux/pid.h`](srctree/include/linux/pid.h)

use super::family::Family;
use super::sock::Sock;
use crate::bindings;
use core::mem::ManuallyDrop;
use kernel::{
    error::to_result,
    prelude::*, //
};

/// What descriptors of processes that are gone are made with.
///
/// The kernel makes those for sockets of AF_UNIX alone; one of these is kept.
/// Without a value of this type, processes are not remembered when they go,
/// and `EOPNOTSUPP` stands in for descriptors.
///
/// Belongs into the module's own data, to be dropped after the family.
pub(crate) struct PidfdSource(());

impl PidfdSource {
    /// Makes the one that a module may have.
    ///
    /// May sleep. `ENOMEM`, or what the kernel answers where it makes no
    /// socket of AF_UNIX.
    pub(crate) fn new() -> Result<Self> {
        // SAFETY: A module makes one value, when it is loaded: nobody asks for descriptors yet.
        to_result(unsafe { bindings::pidfd_start() })?;
        Ok(Self(()))
    }
}

impl Drop for PidfdSource {
    fn drop(&mut self) {
        // SAFETY: It was started; the sockets, which ask for descriptors, are gone.
        unsafe { bindings::pidfd_stop() };
    }
}

/// A descriptor in the calling task's table, which is closed again unless the
/// program is told of it.
///
/// # Invariants
///
/// The number is that of a descriptor that was opened for the program in this
/// system call.
pub(crate) struct Descriptor(c_int);

impl Descriptor {
    /// Returns the number.
    pub(crate) fn number(&self) -> c_int {
        self.0
    }

    /// Leaves the descriptor to the program.
    pub(crate) fn keep(self) {
        let _ = ManuallyDrop::new(self);
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: Has no requirements. A program that closes numbers it doesn't know of can
        // make this close another of its own files, and no one else's.
        unsafe { bindings::close_descriptor(self.0) };
    }
}

impl<F: Family> Sock<F> {
    /// Opens a descriptor of the process that `SO_PEERCRED` tells, which may be
    /// gone.
    ///
    /// May sleep. `ENODATA` if there is none, `EMFILE`, `ENOMEM`.
    pub(crate) fn peer_pidfd(&self) -> Result<Descriptor> {
        // SAFETY: By the type invariants.
        let fd = unsafe { bindings::peer_pidfd(self.as_sk()) };
        if fd < 0 {
            return Err(Error::from_errno(fd));
        }
        // INVARIANT: It was opened just now.
        Ok(Descriptor(fd))
    }
}
