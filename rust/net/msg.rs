// SPDX-License-Identifier: GPL-2.0

//! Messages in a system call.
//!
//! C header: [`include/linux/socket.h`](srctree/include/linux/socket.h)

use super::request::Blocking;
use crate::bindings;
use core::{
    marker::PhantomData,
    ptr,
    ptr::NonNull, //
};
use kernel::{
    bindings as kb,
    error::to_result,
    prelude::*, //
};

/// A message that a program sends.
///
/// # Invariants
///
/// `raw` is valid for `'a` and nobody else uses it; its iterator is a source of
/// at least `len` bytes that haven't been taken yet. `msg_namelen` bytes of
/// `msg_name` are readable for `'a`, and stay as they are.
pub(crate) struct SendMsg<'a> {
    raw: NonNull<kb::msghdr>,
    len: usize,
    _p: PhantomData<&'a mut kb::msghdr>,
}

impl<'a> SendMsg<'a> {
    /// Makes a `SendMsg` of what the socket layer hands in.
    ///
    /// # Safety
    ///
    /// `raw` is valid and not used otherwise during `'a`; its iterator is a
    /// source of `len` bytes.
    pub(super) unsafe fn from_raw(raw: *mut kb::msghdr, len: usize) -> Self {
        // INVARIANT: By the function's safety requirements.
        Self {
            // SAFETY: A valid pointer isn't null.
            raw: unsafe { NonNull::new_unchecked(raw) },
            len,
            _p: PhantomData,
        }
    }

    fn flags(&self) -> u32 {
        // SAFETY: By the type invariants.
        unsafe { (*self.raw.as_ptr()).msg_flags }
    }

    /// Returns how many bytes are left to be sent.
    pub(crate) fn remaining(&self) -> usize {
        self.len
    }

    /// Tells whether the call may sleep: `O_NONBLOCK` or `MSG_DONTWAIT`.
    pub(crate) fn blocking(&self) -> Blocking {
        Blocking::unless(self.flags() & bindings::MSG_DONTWAIT != 0)
    }

    /// Tells whether the message is nothing but bytes: no address goes with it, no
    /// ancillary data, and none of it is out of band.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.control_len() == 0 && !self.has_address() && !self.is_out_of_band()
    }

    /// Tells whether the message is nothing but bytes, and an address if there is one.
    pub(crate) fn is_addressed_bytes(&self) -> bool {
        self.control_len() == 0 && !self.is_out_of_band()
    }

    /// Tells whether out-of-band data is to be sent (`MSG_OOB`).
    pub(crate) fn is_out_of_band(&self) -> bool {
        self.flags() & bindings::MSG_OOB != 0
    }

    /// Tells whether a broken connection raises `SIGPIPE`.
    pub(crate) fn wants_sigpipe(&self) -> bool {
        self.flags() & bindings::MSG_NOSIGNAL == 0
    }

    /// Tells whether pages may be taken in the place of their bytes
    /// (`MSG_SPLICE_PAGES`).
    #[inline]
    pub(super) fn splices_pages(&self) -> bool {
        self.flags() & bindings::MSG_SPLICE_PAGES != 0
    }

    /// Takes references to the pages of the next `count` bytes at most, as many as
    /// can be taken. Returns how many bytes those are, and in how many parts.
    ///
    /// # Safety
    ///
    /// `parts` is valid for writes of `room` elements.
    pub(super) unsafe fn take_pages(
        &mut self,
        parts: *mut kb::bio_vec,
        room: u32,
        count: usize,
    ) -> (usize, u32) {
        let count = count.min(self.len);
        let mut used = 0;
        // SAFETY: The message by the type invariants, the parts by the function's safety
        // requirements.
        let taken =
            unsafe { bindings::parts_take(self.as_raw(), count, parts, room, &raw mut used) };
        // INVARIANT: The iterator has moved on by that much.
        self.len = self.len.saturating_sub(taken);
        (taken, used)
    }

    /// Tells whether an address was given.
    pub(crate) fn has_address(&self) -> bool {
        // SAFETY: By the type invariants.
        unsafe { (*self.raw.as_ptr()).msg_namelen != 0 }
    }

    /// Returns the address that was given, of at most 128 bytes.
    pub(crate) fn address(&self) -> Option<&'a [u8]> {
        // SAFETY: By the type invariants; the address is a copy in kernel memory of that length.
        unsafe {
            let raw = self.raw.as_ptr();
            let len = usize::try_from((*raw).msg_namelen)
                .ok()
                .filter(|len| *len > 0)?;
            if (*raw).msg_name.is_null() {
                return None;
            }
            Some(core::slice::from_raw_parts((*raw).msg_name.cast(), len))
        }
    }

    /// Drops the address that was given.
    pub(crate) fn clear_address(&mut self) {
        // SAFETY: By the type invariants.
        unsafe { (*self.raw.as_ptr()).msg_namelen = 0 };
    }

    /// Returns the length of the ancillary data, in bytes.
    pub(super) fn control_len(&self) -> usize {
        // SAFETY: By the type invariants.
        unsafe { (*self.raw.as_ptr()).msg_controllen }
    }

    /// Returns the C object.
    pub(super) fn as_raw(&mut self) -> *mut kb::msghdr {
        self.raw.as_ptr()
    }

    /// Makes the next `count` bytes present in memory, so that they can be
    /// copied without a page fault.
    ///
    /// May sleep. `EFAULT` if the program has no such memory, `EINTR` if it is
    /// being killed.
    pub(crate) fn fault_in(&mut self, count: usize) -> Result {
        // SAFETY: By the type invariants, the iterator is valid.
        faulted_in(unsafe { bindings::fault_in_iov_iter_readable(self.iter(), count) })
    }

    /// Copies the next `count` bytes to `to`, and tells how many were copied:
    /// fewer if the program has no such memory. May sleep.
    ///
    /// # Safety
    ///
    /// `to` is valid for writes of `count` bytes, and nobody else reads or
    /// writes them.
    pub(super) unsafe fn copy(&mut self, to: *mut u8, count: usize) -> usize {
        let count = count.min(self.len);
        // SAFETY: `to` by the function's safety requirements, the iterator by the type invariants.
        let copied = unsafe { bindings::copy_from_iter(to.cast(), count, self.iter()) };
        // INVARIANT: The iterator has moved on by that much.
        self.len = self.len.saturating_sub(copied);
        copied
    }

    /// Copies the next `count` bytes to `to`, and tells how many were copied:
    /// fewer if a page is not present.
    ///
    /// Any context that may access user memory.
    ///
    /// # Safety
    ///
    /// `to` is valid for writes of `count` bytes, and nobody else reads or
    /// writes them.
    pub(super) unsafe fn copy_nofault(&mut self, to: *mut u8, count: usize) -> usize {
        let count = count.min(self.len);
        // SAFETY: `to` by the function's safety requirements, the iterator by the type invariants.
        let copied = unsafe { bindings::copy_from_iter_nofault(to.cast(), count, self.iter()) };
        // INVARIANT: The iterator has moved on by that much.
        self.len = self.len.saturating_sub(copied);
        copied
    }

    /// Copies the next `count` bytes to pages, from byte `at` of those on, and tells how
    /// many were copied: fewer if a page of the program's is not present.
    ///
    /// Any context that may access user memory.
    ///
    /// # Safety
    ///
    /// `pages` are valid pages with so many bytes, and nobody else writes them.
    pub(super) unsafe fn copy_to_pages(
        &mut self,
        pages: *mut *mut kb::page,
        at: usize,
        count: usize,
    ) -> usize {
        let count = count.min(self.len);
        // SAFETY: The pages by the function's safety requirements, the iterator by the type
        // invariants.
        let copied = unsafe { bindings::landing_fill(pages, at, count, self.iter()) };
        // INVARIANT: The iterator has moved on by that much.
        self.len = self.len.saturating_sub(copied);
        copied
    }

    /// Takes back the last `count` copied bytes.
    ///
    /// # Safety
    ///
    /// That many bytes have been copied by [`SendMsg::copy_nofault`], or by
    /// [`SendMsg::copy_to_pages`].
    pub(super) unsafe fn revert(&mut self, count: usize) {
        // SAFETY: By the function's safety requirements.
        unsafe { kb::iov_iter_revert(self.iter(), count) };
        // INVARIANT: The iterator has moved back by that much.
        self.len = self.len.saturating_add(count);
    }

    fn iter(&mut self) -> *mut kb::iov_iter {
        // SAFETY: By the type invariants.
        unsafe { &raw mut (*self.raw.as_ptr()).msg_iter }
    }
}

/// Room for a message that a program receives.
///
/// # Invariants
///
/// `raw` is valid for `'a` and nobody else uses it; its iterator is a
/// destination for `room` more bytes. `msg_name` is null or has room for a
/// `struct sockaddr_storage`.
pub(crate) struct ReceiveMsg<'a> {
    raw: NonNull<kb::msghdr>,
    room: usize,
    flags: u32,
    _p: PhantomData<&'a mut kb::msghdr>,
}

impl ReceiveMsg<'_> {
    /// Makes a `ReceiveMsg` of what the socket layer hands in.
    ///
    /// # Safety
    ///
    /// `raw` is valid and not used otherwise during `'a`; its iterator is a
    /// destination for `size` bytes; its name is null or has room for a
    /// `struct sockaddr_storage`.
    pub(super) unsafe fn from_raw(raw: *mut kb::msghdr, size: usize, flags: u32) -> Self {
        // INVARIANT: By the function's safety requirements.
        Self {
            // SAFETY: A valid pointer isn't null.
            raw: unsafe { NonNull::new_unchecked(raw) },
            room: size,
            flags,
            _p: PhantomData,
        }
    }

    /// Returns the C object.
    pub(super) fn as_raw(&mut self) -> *mut kb::msghdr {
        self.raw.as_ptr()
    }

    /// Returns the flags of the call.
    pub(super) fn flags(&self) -> u32 {
        self.flags
    }

    /// Returns how many more bytes fit.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    /// Tells whether whatever there is of bytes is asked for, and nothing else but the
    /// sender's address: `recvmsg(2)` asks for that in any case.
    #[inline]
    pub(super) fn is_for_bytes(&self) -> bool {
        const OTHERWISE: u32 = bindings::MSG_PEEK | bindings::MSG_OOB | bindings::MSG_WAITALL;
        self.flags & OTHERWISE == 0 && !self.wants_queued()
    }

    /// Tells whether the call may sleep: `O_NONBLOCK` or `MSG_DONTWAIT`.
    pub(crate) fn blocking(&self) -> Blocking {
        Blocking::unless(self.flags & bindings::MSG_DONTWAIT != 0)
    }

    /// Tells whether the bytes stay in the queue (`MSG_PEEK`).
    pub(crate) fn is_peek(&self) -> bool {
        self.flags & bindings::MSG_PEEK != 0
    }

    /// Tells whether to wait until the room is full (`MSG_WAITALL`).
    pub(crate) fn wants_all(&self) -> bool {
        self.flags & bindings::MSG_WAITALL != 0
    }

    /// Tells whether out-of-band data is asked for (`MSG_OOB`).
    pub(crate) fn is_out_of_band(&self) -> bool {
        self.flags & bindings::MSG_OOB != 0
    }

    /// Tells whether the program asks for the sender's address.
    #[inline]
    pub(crate) fn wants_address(&self) -> bool {
        // SAFETY: By the type invariants.
        unsafe { !(*self.raw.as_ptr()).msg_name.is_null() }
    }

    /// Tells whether the length of the whole message is asked for (`MSG_TRUNC`).
    pub(crate) fn wants_length(&self) -> bool {
        self.flags & bindings::MSG_TRUNC != 0
    }

    /// Tells the program that the message was longer than its buffer.
    pub(crate) fn set_truncated(&mut self) {
        // SAFETY: By the type invariants.
        unsafe { (*self.raw.as_ptr()).msg_flags |= bindings::MSG_TRUNC };
    }

    /// Tells the program that the byte that it gets was out of band.
    pub(crate) fn set_out_of_band(&mut self) {
        // SAFETY: By the type invariants.
        unsafe { (*self.raw.as_ptr()).msg_flags |= bindings::MSG_OOB };
    }

    /// Hands the program the sender's address, of at most 128 bytes.
    pub(crate) fn set_address(&mut self, bytes: &[u8]) {
        let len = bytes.len().min(size_of::<kb::__kernel_sockaddr_storage>());
        // SAFETY: By the type invariants, a name that isn't null has the room.
        unsafe {
            let raw = self.raw.as_ptr();
            if !(*raw).msg_name.is_null() {
                ptr::copy_nonoverlapping(bytes.as_ptr(), (*raw).msg_name.cast(), len);
                (*raw).msg_namelen = c_int::try_from(len).unwrap_or(0);
            }
        }
    }

    /// Tells whether the caller inside the kernel asks how much is left in the
    /// queue.
    pub(crate) fn wants_queued(&self) -> bool {
        // SAFETY: By the type invariants.
        unsafe { (*self.raw.as_ptr()).msg_get_inq() }
    }

    /// Tells the caller inside the kernel how much is left in the queue, and
    /// the program too, by an `SCM_INQ` message, if `ancillary`.
    ///
    /// May sleep.
    pub(crate) fn set_queued(&mut self, queued: usize, ancillary: bool) {
        let queued = c_int::try_from(queued).unwrap_or(c_int::MAX);
        // SAFETY: By the type invariants; the data is a valid `int`.
        unsafe {
            (*self.raw.as_ptr()).msg_inq = queued;
            if ancillary {
                kb::put_cmsg(
                    self.raw.as_ptr(),
                    kb::SOL_SOCKET as c_int,
                    bindings::SCM_INQ as c_int,
                    size_of::<c_int>() as c_int,
                    (&raw const queued).cast_mut().cast(),
                );
            }
        }
    }

    /// Makes the next `count` bytes of room present in memory, so that they can
    /// be copied to without a page fault.
    ///
    /// May sleep. `EFAULT` if the program has no such memory, `EINTR` if it is
    /// being killed.
    pub(crate) fn fault_in(&mut self, count: usize) -> Result {
        // SAFETY: By the type invariants, the iterator is valid.
        faulted_in(unsafe { bindings::fault_in_iov_iter_writeable(self.iter(), count) })
    }

    /// Copies `count` bytes from `from`, and tells how many were copied: fewer
    /// if a page is not present.
    ///
    /// # Safety
    ///
    /// `from` is valid for reads of `count` bytes, and nobody writes them.
    pub(super) unsafe fn copy_nofault(&mut self, from: *const u8, count: usize) -> usize {
        let count = count.min(self.room);
        // SAFETY: `from` by the function's safety requirements, the iterator by the type
        // invariants.
        let copied = unsafe { bindings::copy_to_iter_nofault(from.cast(), count, self.iter()) };
        // INVARIANT: The iterator has moved on by that much.
        self.room = self.room.saturating_sub(copied);
        copied
    }

    /// Copies `count` bytes of parts of pages, from `offset` on, and tells how many
    /// were copied: fewer if a page is not present.
    ///
    /// # Safety
    ///
    /// There are `parts` parts, with that many bytes.
    pub(super) unsafe fn copy_parts_nofault(
        &mut self,
        parts: *const kb::bio_vec,
        number: u32,
        offset: usize,
        count: usize,
    ) -> usize {
        let count = count.min(self.room);
        // SAFETY: The parts by the function's safety requirements, the iterator by the type
        // invariants.
        let copied = unsafe { bindings::parts_copy(parts, number, offset, count, self.iter()) };
        // INVARIANT: The iterator has moved on by that much.
        self.room = self.room.saturating_sub(copied);
        copied
    }

    /// Pins the pages of the next `len` bytes of room, or of the first of them: those that
    /// are present. Returns how many were pinned, and where in the first one the room begins.
    ///
    /// May sleep, but not for the program's memory.
    ///
    /// # Safety
    ///
    /// `pages` is valid for writes of `most` elements.
    pub(super) unsafe fn pin_pages(
        &mut self,
        len: usize,
        pages: *mut *mut kb::page,
        most: usize,
    ) -> (usize, usize) {
        let mut offset = 0;
        // SAFETY: The message by the type invariants, the pages by the function's safety
        // requirements.
        let pinned =
            unsafe { bindings::landing_pin(self.as_raw(), len, pages, most, &raw mut offset) };
        (pinned, offset)
    }

    /// Counts bytes that were copied to the room by another way: no more than there is
    /// room for.
    pub(super) fn landed(&mut self, count: usize) {
        let count = count.min(self.room);
        // SAFETY: By the type invariants, there is that much room.
        unsafe { kb::iov_iter_advance(self.iter(), count) };
        // INVARIANT: The iterator has moved on by that much.
        self.room = self.room.saturating_sub(count);
    }

    /// Takes back the last `count` copied bytes.
    ///
    /// # Safety
    ///
    /// That many bytes have been copied by [`ReceiveMsg::copy_nofault`], or by
    /// [`ReceiveMsg::copy_parts_nofault`].
    pub(super) unsafe fn revert(&mut self, count: usize) {
        // SAFETY: By the function's safety requirements.
        unsafe { kb::iov_iter_revert(self.iter(), count) };
        // INVARIANT: The iterator has moved back by that much.
        self.room = self.room.saturating_add(count);
    }

    fn iter(&mut self) -> *mut kb::iov_iter {
        // SAFETY: By the type invariants.
        unsafe { &raw mut (*self.raw.as_ptr()).msg_iter }
    }
}

/// Judges an attempt to bring user memory in, of which `missing` bytes are not
/// there.
///
/// The memory may be taken away again before the copy, over and over; a task
/// that is killed doesn't go on.
fn faulted_in(missing: usize) -> Result {
    if missing > 0 {
        return Err(EFAULT);
    }
    // SAFETY: Has no requirements.
    if unsafe { bindings::current_fatal_signal() } {
        return Err(EINTR);
    }
    Ok(())
}
