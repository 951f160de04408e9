// SPDX-License-Identifier: GPL-2.0

//! Pages that a sender hands over: `sendfile(2)`, `splice(2)` into a stream.
//!
//! A chunk then holds references to pages in the place of bytes, and the reader
//! copies from the pages themselves: once, where it would be twice. (Row
//! `sendfile/stream` of the bench.) As with AF_UNIX, a reader sees what is in a
//! file's pages when it reads.
//!
//! C header: [`include/linux/bvec.h`](srctree/include/linux/bvec.h)

use super::chunk::{
    Chunk,
    Header, //
};
use super::msg::{
    ReceiveMsg,
    SendMsg, //
};
use crate::bindings;
use core::ptr::NonNull;
use kernel::{
    bindings as kb,
    prelude::*, //
};

/// Fewer bytes than this are copied: a reference to a page holds all of it.
const WORTHWHILE: usize = 2048;

impl SendMsg<'_> {
    /// Tells whether the message hands over pages of bytes that are worth it.
    #[inline]
    pub(super) fn hands_over_pages(&self) -> bool {
        self.splices_pages() && self.remaining() >= WORTHWHILE
    }
}

impl Chunk {
    /// Makes a chunk of pages that a message hands over, for positions from
    /// `position` on: `count` bytes at most. Returns how many bytes it holds, too.
    ///
    /// `None` if the message has none that can be taken. May sleep. `ENOMEM`
    /// without memory.
    pub(super) fn of_pages(
        msg: &mut SendMsg<'_>,
        count: usize,
        position: usize,
    ) -> Result<Option<(Self, usize)>> {
        if !msg.hands_over_pages() {
            return Ok(None);
        }
        let chunk = Self::alloc(0, 0, position)?.into_raw();
        // SAFETY: The chunk is ours, and nobody else knows it.
        let taken = unsafe {
            let parts = Header::bytes(chunk).cast::<kb::bio_vec>();
            let room = Header::room_for::<kb::bio_vec>();
            let (taken, used) = msg.take_pages(parts, room, count);
            // INVARIANT: The first `used` parts own a reference to a page each, of `taken` bytes
            // together.
            Header::set_parts(chunk, used, position, taken);
            taken
        };
        // SAFETY: It was given up above.
        let chunk = unsafe { Self::from_raw(chunk) };
        Ok((taken > 0).then_some((chunk, taken)))
    }
}

/// Copies `count` bytes from `offset` on of a chunk of pages to a message. Returns
/// how many were copied: fewer if a page of the program's is not present.
///
/// # Safety
///
/// `chunk` is valid, holds `parts` parts, and has that many bytes.
pub(super) unsafe fn copy_parts(
    chunk: NonNull<Header>,
    parts: u32,
    offset: usize,
    count: usize,
    msg: &mut ReceiveMsg<'_>,
) -> usize {
    // SAFETY: By the function's safety requirements.
    unsafe { msg.copy_parts_nofault(Header::bytes(chunk).cast(), parts, offset, count) }
}
