// SPDX-License-Identifier: MIT OR GPL-2.0

//! Addresses that come from the program, and those that go to it.

use std::slice;

use libc::{c_int, sockaddr, socklen_t};
use runix_redirect::name::{self, Text, ADDRESS_MAX, NAME_OFFSET};

use crate::settings::{self, UNIX};

/// An address of the program, in AF_UNIX; ours to change.
#[derive(Clone)]
pub(crate) struct Address {
    bytes: [u8; ADDRESS_MAX],
    len: usize,
}

impl Address {
    /// Copies an address; `None` if it is of another family, or none at all.
    ///
    /// # Safety
    ///
    /// It is null, or `len` bytes are there, as the call that it is an argument
    /// of demands.
    pub(crate) unsafe fn copy(address: *const sockaddr, len: socklen_t) -> Option<Self> {
        let len = usize::try_from(len).ok()?;
        if address.is_null() || !(NAME_OFFSET..=ADDRESS_MAX).contains(&len) {
            return None;
        }
        // SAFETY: The caller promises that they are there.
        let from = unsafe { slice::from_raw_parts(address.cast::<u8>(), len) };
        if name::family(from).map(c_int::from) != Some(UNIX) {
            return None;
        }
        let mut bytes = [0; ADDRESS_MAX];
        bytes[..len].copy_from_slice(from);
        Some(Self { bytes, len })
    }

    /// The name as users write it.
    pub(crate) fn text(&self) -> Text {
        Text::of_address(&self.bytes[..self.len])
    }

    /// The same name in another family.
    pub(crate) fn in_family(&self, family: c_int) -> Self {
        let mut address = self.clone();
        name::set_family(&mut address.bytes, family as u16);
        address
    }

    pub(crate) fn as_ptr(&self) -> *const sockaddr {
        self.bytes.as_ptr().cast()
    }

    pub(crate) fn len(&self) -> socklen_t {
        self.len as socklen_t
    }
}

/// Place for an address that a call returns.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    address: *mut sockaddr,
    /// Bytes that the program has there.
    room: usize,
}

impl Place {
    /// Notes, before the call, how much place there is.
    pub(crate) fn new(address: *mut sockaddr, room: socklen_t) -> Self {
        Self {
            address,
            room: room as usize,
        }
    }

    /// The same, where the program tells the place by a pointer.
    ///
    /// # Safety
    ///
    /// `len` is null or points to a length.
    pub(crate) unsafe fn read(address: *mut sockaddr, len: *const socklen_t) -> Self {
        if address.is_null() || len.is_null() {
            return Self::new(address, 0);
        }
        // SAFETY: The caller promises it.
        Self::new(address, unsafe { len.read_unaligned() })
    }

    /// Whether it is worth to look at, after the call.
    pub(crate) fn is_some(&self) -> bool {
        !self.address.is_null() && self.room >= NAME_OFFSET
    }

    /// Puts AF_UNIX into an address that is of AF_RUNIX.
    ///
    /// # Safety
    ///
    /// The call has succeeded and said that its address is `len` bytes long.
    /// The program still has there what it said before the call.
    pub(crate) unsafe fn translate(&self, len: socklen_t) {
        if !self.is_some() || (len as usize) < NAME_OFFSET {
            return;
        }
        let Some(settings) = settings::get() else {
            return;
        };
        // SAFETY: There are at least as many bytes, in the program's place and
        // of those that the kernel wrote.
        let bytes = unsafe { slice::from_raw_parts_mut(self.address.cast::<u8>(), NAME_OFFSET) };
        if name::family(bytes) == Some(settings.family) {
            name::set_family(bytes, UNIX as u16);
        }
    }

    /// The same, where the call has written the length to the program.
    ///
    /// # Safety
    ///
    /// As above; `len` is null or points to the length.
    pub(crate) unsafe fn translate_read(&self, len: *const socklen_t) {
        if self.is_some() && !len.is_null() {
            // SAFETY: The caller promises it.
            unsafe { self.translate(len.read_unaligned()) };
        }
    }
}
