// SPDX-License-Identifier: GPL-2.0

//! Poll masks.
//!
//! C header: [`include/uapi/linux/eventpoll.h`](srctree/include/uapi/linux/eventpoll.h)

use core::ops::BitOrAssign;

/// A set of events that `poll(2)` reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Events(u32);

impl Events {
    /// Nothing.
    pub(crate) const NONE: Self = Self(0);
    /// `EPOLLIN` and `EPOLLRDNORM`: there is something to read.
    pub(crate) const READABLE: Self = Self(0x001 | 0x040);
    /// `EPOLLPRI`: there is an out-of-band byte.
    pub(crate) const URGENT: Self = Self(0x002);
    /// `EPOLLOUT`, `EPOLLWRNORM` and `EPOLLWRBAND`: there is room to write.
    pub(crate) const WRITABLE: Self = Self(0x004 | 0x100 | 0x200);
    /// `EPOLLERR`: an asynchronous error waits to be reported.
    pub(crate) const ERROR: Self = Self(0x008);
    /// `EPOLLHUP`: both directions are shut down, or never were open.
    pub(crate) const HANGUP: Self = Self(0x010);
    /// `EPOLLRDHUP`: nothing more will be received.
    pub(crate) const READ_HANGUP: Self = Self(0x2000);

    /// Returns the mask as the C side takes it.
    pub(super) fn raw(self) -> u32 {
        self.0
    }
}

impl BitOrAssign for Events {
    fn bitor_assign(&mut self, rhs: Self) {
        self.0 |= rhs.0;
    }
}
