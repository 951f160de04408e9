// SPDX-License-Identifier: GPL-2.0

//! Tests that need a kernel, but no program: KUnit suites, which a kernel with
//! `CONFIG_KUNIT` runs when it is asked to.
//!
//! What programs can see is tested from there (`tests/kselftest`); these look
//! at what programs can't: how memory is cut and given back, which marks are
//! dropped when, what a table holds.

mod chunk;
mod marks;
mod packet;
mod queue;
mod table;

use super::msg::{
    ReceiveMsg,
    SendMsg, //
};
use core::ptr;
use kernel::{
    bindings as kb,
    prelude::*, //
};

/// A message in kernel memory, to be sent from or received into.
struct Buffer {
    bytes: KVVec<u8>,
    vec: KBox<kb::kvec>,
    raw: KBox<kb::msghdr>,
}

/// Which way the bytes go; the numbers are those of `READ` and `WRITE` in C.
const DESTINATION: u32 = 0;
const SOURCE: u32 = 1;

impl Buffer {
    /// Makes a buffer whose bytes are those of the pattern from `from` on.
    fn pattern(from: usize, len: usize) -> Result<Self> {
        let mut this = Self::zeroed(len)?;
        for (i, byte) in this.bytes.iter_mut().enumerate() {
            *byte = pattern_at(from.wrapping_add(i));
        }
        Ok(this)
    }

    /// Makes a buffer of zeroes.
    fn zeroed(len: usize) -> Result<Self> {
        Ok(Self {
            vec: KBox::new(pin_init::zeroed(), GFP_KERNEL)?,
            raw: KBox::new(kb::msghdr::default(), GFP_KERNEL)?,
            bytes: KVVec::from_elem(0, len, GFP_KERNEL)?,
        })
    }

    fn prepare(&mut self, direction: u32) -> *mut kb::msghdr {
        self.vec.iov_base = self.bytes.as_mut_ptr().cast();
        self.vec.iov_len = self.bytes.len();
        let raw = ptr::from_mut(&mut *self.raw);
        // SAFETY: Vector and bytes are owned by the buffer, and valid as long as it is.
        unsafe {
            kb::iov_iter_kvec(
                &raw mut (*raw).msg_iter,
                direction,
                &*self.vec,
                1,
                self.bytes.len(),
            )
        };
        raw
    }

    /// Returns the message of all bytes, to be sent.
    fn source(&mut self) -> SendMsg<'_> {
        let raw = self.prepare(SOURCE);
        // SAFETY: The message is valid while the buffer is borrowed.
        unsafe { SendMsg::from_raw(raw, self.bytes.len()) }
    }

    /// Returns the message of all bytes, to be received into.
    fn room(&mut self) -> ReceiveMsg<'_> {
        let raw = self.prepare(DESTINATION);
        // SAFETY: The message is valid while the buffer is borrowed; it has no name.
        unsafe { ReceiveMsg::from_raw(raw, self.bytes.len(), 0) }
    }

    /// Tells whether the first `len` bytes are those of the pattern from `from`
    /// on, and the others zero.
    fn holds(&self, from: usize, len: usize) -> bool {
        self.bytes.iter().enumerate().all(|(i, byte)| {
            let want = if i < len {
                pattern_at(from.wrapping_add(i))
            } else {
                0
            };
            *byte == want
        })
    }
}

/// Returns a byte that tells its position, and isn't zero.
fn pattern_at(position: usize) -> u8 {
    (position.wrapping_mul(0x9e37_79b9) >> 16) as u8 | 1
}

/// A small generator of numbers, the same ones each time.
struct Numbers(u32);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        (self.0 >> 8) as usize % end.max(1)
    }
}
