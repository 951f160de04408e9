// SPDX-License-Identifier: GPL-2.0

//! Listings in `/proc/net`.
//!
//! C headers: [`include/linux/proc_fs.h`](srctree/include/linux/proc_fs.h),
//! [`include/linux/seq_file_net.h`](srctree/include/linux/seq_file_net.h)

use super::family::Family;
use super::pernet::{
    Net,
    PerNetData, //
};
use super::sock::Sock;
use super::table::{
    AllSockets,
    Cursor,
    Position,
    SockTable,
    PLACE_BITS, //
};
use crate::bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    bindings as kb,
    prelude::*,
    seq_file::SeqFile,
    str::{
        CStr,
        CStrExt as _, //
    },
    sync::aref::ARef, //
};

/// A listing of all sockets of a family in a network namespace.
pub(crate) trait Listing: 'static {
    /// The family.
    type Family: Family;

    /// What the namespace keeps, the table of all sockets among it.
    type Space: PerNetData;

    /// Returns the table of the namespace's sockets.
    fn table(space: &Self::Space) -> &SockTable<Self::Family, AllSockets>;

    /// Writes the head line.
    fn show_header(line: &Line<'_>);

    /// Writes the line of a socket, of which the listing itself holds one
    /// reference. May sleep.
    fn show(line: &Line<'_>, sk: &Sock<Self::Family>);
}

/// A line of a listing that is being written.
///
/// # Invariants
///
/// `raw` is a sequence file that is ours during `'a`.
pub(crate) struct Line<'a> {
    raw: *mut kb::seq_file,
    out: &'a SeqFile,
}

impl Line<'_> {
    /// Returns where formatted text goes, by `seq_print!`.
    pub(crate) fn out(&self) -> &SeqFile {
        self.out
    }

    /// Writes the address of a socket as `%pK` does: hashed or hidden, unless
    /// the reader may know it.
    pub(crate) fn pointer<F: Family>(&self, sk: &Sock<F>) {
        // SAFETY: By the type invariants; the format takes a pointer, which isn't followed.
        unsafe { kb::seq_printf(self.raw, c"%pK".as_char_ptr(), sk.as_sk()) };
    }

    /// Writes a byte as it is.
    pub(crate) fn byte(&self, byte: u8) {
        // SAFETY: By the type invariants.
        unsafe { kb::seq_putc(self.raw, byte as c_char) };
    }
}

/// The description of a file in `/proc/net`, made in each network namespace
/// that a module keeps data in ([`super::PerNetData::FILES`]).
pub(crate) struct ProcFile {
    name: &'static CStr,
    ops: &'static kb::seq_operations,
}

impl ProcFile {
    /// Describes a file that shows a listing.
    pub(crate) const fn new<L: Listing>(name: &'static CStr) -> Self {
        Self {
            name,
            ops: &Table::<L>::OPS,
        }
    }

    /// Makes the file in a namespace.
    ///
    /// May sleep. `ENOMEM` if that fails.
    pub(super) fn create(&self, net: &Net) -> Result {
        // SAFETY: The namespace is valid, the name and the operations are static.
        let entry =
            unsafe { bindings::proc_create_net(self.name.as_char_ptr(), net.as_raw(), self.ops) };
        if entry.is_null() {
            return Err(ENOMEM);
        }
        Ok(())
    }

    /// Removes the file from a namespace, after its last reader.
    ///
    /// May sleep.
    pub(super) fn remove(&self, net: &Net) {
        // SAFETY: The namespace is valid; where there is no such file, there is nothing to do.
        unsafe { bindings::proc_remove_net(self.name.as_char_ptr(), net.as_raw()) };
    }
}

/// The C face of a listing.
///
/// A position is zero for the head line; above, it is a bucket in the upper and
/// a place in there in the lower bits: that of a socket, while it is shown.
/// Between two calls the reader holds a reference to that socket, not a lock, so
/// that a line may be written with the socket's own lock held.
struct Table<L>(PhantomData<L>);

const HEADER: NonNull<c_void> = NonNull::dangling();

impl<L: Listing> Table<L> {
    const OPS: kb::seq_operations = kb::seq_operations {
        start: Some(Self::start),
        next: Some(Self::next),
        stop: Some(Self::stop),
        show: Some(Self::show),
    };

    /// Returns the table that a file shows.
    ///
    /// # Safety
    ///
    /// `m` is that of a call of the sequence file, during `'a`.
    unsafe fn table<'a>(m: *mut kb::seq_file) -> Option<&'a SockTable<L::Family, AllSockets>> {
        // SAFETY: The file was opened in a namespace, which it holds.
        let net = unsafe { Net::from_raw(bindings::seq_file_net(m)) };
        // The namespace's data exists as long as its files do.
        L::Space::pernet().get(net).map(L::table)
    }

    /// Returns where in the table a position of the file is.
    fn at(pos: kb::loff_t) -> Position {
        let pos = pos as u64;
        Position {
            bucket: (pos >> PLACE_BITS) as usize,
            place: pos & ((1 << PLACE_BITS) - 1),
        }
    }

    /// Returns the socket that a walk has come to, with a reference, and sets the
    /// position to it.
    fn leave(cursor: Cursor<'_, L::Family>, pos: &mut kb::loff_t) -> *mut c_void {
        let Some((at, sk)) = cursor.into_parts() else {
            return core::ptr::null_mut();
        };
        *pos = ((at.bucket as u64) << PLACE_BITS | at.place) as kb::loff_t;
        ARef::into_raw(sk).as_ptr().cast()
    }

    /// # Safety
    ///
    /// Called by the sequence file.
    unsafe extern "C" fn start(m: *mut kb::seq_file, pos: *mut kb::loff_t) -> *mut c_void {
        // SAFETY: By the function's safety requirements.
        let (table, pos) = unsafe { (Self::table(m), &mut *pos) };
        if *pos == 0 {
            return HEADER.as_ptr();
        }
        let Some(table) = table else {
            return core::ptr::null_mut();
        };
        Self::leave(table.cursor(Self::at(*pos)), pos)
    }

    /// # Safety
    ///
    /// Called by the sequence file with what `start` or `next` returned.
    unsafe extern "C" fn next(
        m: *mut kb::seq_file,
        v: *mut c_void,
        pos: *mut kb::loff_t,
    ) -> *mut c_void {
        // SAFETY: By the function's safety requirements; a socket comes with its reference.
        let (table, pos, sk) = unsafe { (Self::table(m), &mut *pos, Self::reference(v)) };
        let at = Self::at(*pos);
        // The position must not stay, not even at the end.
        *pos = pos.wrapping_add(1);
        let Some(table) = table else {
            return core::ptr::null_mut();
        };
        let cursor = match sk {
            Some(sk) => {
                let mut cursor = Cursor::from_parts(table, at, sk);
                cursor.advance();
                cursor
            }
            None => table.cursor(Position::default()),
        };
        Self::leave(cursor, pos)
    }

    /// Takes back the reference to the socket in a pointer; `None` for the head
    /// line and the end.
    ///
    /// # Safety
    ///
    /// `v` is what `start` or `next` returned last, and not used again.
    unsafe fn reference(v: *mut c_void) -> Option<ARef<Sock<L::Family>>> {
        let sk = NonNull::new(v).filter(|v| *v != HEADER)?;
        // SAFETY: `leave` has left a reference in the pointer.
        Some(unsafe { ARef::from_raw(sk.cast()) })
    }

    /// # Safety
    ///
    /// Called by the sequence file with what `start` or `next` returned.
    unsafe extern "C" fn stop(_m: *mut kb::seq_file, v: *mut c_void) {
        // SAFETY: By the function's safety requirements.
        drop(unsafe { Self::reference(v) });
    }

    /// # Safety
    ///
    /// Called by the sequence file with what `start` or `next` returned.
    unsafe extern "C" fn show(m: *mut kb::seq_file, v: *mut c_void) -> c_int {
        // SAFETY: By the function's safety requirements: the file is ours during the call, and the
        // pointer is `HEADER` or a socket with a reference.
        unsafe {
            // INVARIANT: The file is ours during the call.
            let line = Line {
                raw: m,
                out: SeqFile::from_raw(m),
            };
            if v == HEADER.as_ptr() {
                L::show_header(&line);
            } else {
                L::show(&line, Sock::from_raw(v.cast()));
            }
        }
        0
    }
}
