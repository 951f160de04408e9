// SPDX-License-Identifier: GPL-2.0

//! What a system call asks of a socket, and where the answer goes.
//!
//! C header: [`include/linux/net.h`](srctree/include/linux/net.h)

#[allow(unused_imports)]
use super::compat::errno::*;
use super::pidfd::Descriptor;
use crate::bindings;
use core::{
    marker::PhantomData,
    ptr, //
};
use kernel::{
    bindings as kb,
    error::to_result,
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice, //
    }, //
};

/// Whether a call may sleep for what it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocking {
    /// It may.
    Yes,
    /// It fails with `EAGAIN` instead.
    No,
}

impl Blocking {
    pub(super) fn unless(nonblocking: bool) -> Self {
        if nonblocking {
            Self::No
        } else {
            Self::Yes
        }
    }
}

/// An end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// This one (`getsockname(2)`).
    Own,
    /// The other one (`getpeername(2)`).
    Peer,
}

/// Where an address goes.
///
/// # Invariants
///
/// `raw` is valid for writes of any address of the family, of at most 128 bytes.
pub(crate) struct NameOut<'a> {
    pub(super) raw: *mut u8,
    pub(super) _p: PhantomData<&'a mut [u8]>,
}

/// The length of an address that was handed out.
pub(crate) struct NameLen(pub(super) c_int);

impl NameOut<'_> {
    /// Hands out an address, which is cut after 128 bytes.
    pub(crate) fn set(self, bytes: &[u8]) -> NameLen {
        let len = bytes.len().min(size_of::<kb::__kernel_sockaddr_storage>());
        // SAFETY: By the type invariants.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.raw, len) };
        NameLen(c_int::try_from(len).unwrap_or(0))
    }
}

/// Numbers of options of the socket layer, at [`SOL_SOCKET`], that it sets for
/// AF_UNIX alone.
///
/// [`SOL_SOCKET`]: number::SOL_SOCKET
pub(crate) mod number {
    #[cfg(not(runix_series = "7.2"))]
    pub(crate) use crate::bindings::SO_RIGHTS_NOTRUNC;
    pub(crate) use crate::bindings::{
        SO_INQ,
        SO_PASSCRED,
        SO_PASSPIDFD,
        SO_PASSRIGHTS,
        SO_PASSSEC, //
    };
    pub(crate) use kernel::bindings::SOL_SOCKET;
}

/// An option that a program sets, above the level of the socket layer's own or
/// at it.
pub(crate) struct SockOpt {
    pub(super) socket: *mut kb::socket,
    pub(super) level: c_int,
    pub(super) name: c_int,
    pub(super) value: kb::sockptr_t,
    pub(super) len: c_uint,
}

impl SockOpt {
    /// Tells whether this is an option at `level`.
    pub(crate) fn is_at(&self, level: u32) -> bool {
        u32::try_from(self.level) == Ok(level)
    }

    /// Tells whether this is option `name` at `level`.
    pub(crate) fn is(&self, level: u32, name: u32) -> bool {
        self.is_at(level) && u32::try_from(self.name) == Ok(name)
    }

    /// Reads the value as an `int`: `EINVAL` if it has another size, `EFAULT`
    /// if it isn't readable.
    pub(crate) fn int(&self) -> Result<c_int> {
        if self.len as usize != size_of::<c_int>() {
            return Err(EINVAL);
        }
        let mut value: c_int = 0;
        // SAFETY: The socket layer hands in a pointer of which `len` bytes may be asked for.
        to_result(unsafe { bindings::int_from_sockptr(&raw mut value, self.value) })?;
        Ok(value)
    }

    /// Reads the value as the socket layer reads that of a switch: `EINVAL` if
    /// it is shorter than an `int`, `EFAULT` if it isn't readable.
    pub(crate) fn flag(&self) -> Result<bool> {
        if (self.len as usize) < size_of::<c_int>() {
            return Err(EINVAL);
        }
        let mut value: c_int = 0;
        // SAFETY: The socket layer hands in a pointer of which `len` bytes may be asked for.
        to_result(unsafe { bindings::int_from_sockptr(&raw mut value, self.value) })?;
        Ok(value != 0)
    }

    /// Lets the socket layer handle the option, as it does for families that
    /// don't care; `EOPNOTSUPP` outside of `SOL_SOCKET`.
    pub(crate) fn handle_generic(self) -> Result {
        if self.level != kb::SOL_SOCKET as c_int {
            return Err(EOPNOTSUPP);
        }
        // SAFETY: The arguments are those that the socket layer handed in.
        to_result(unsafe {
            bindings::sock_setsockopt(self.socket, self.level, self.name, self.value, self.len)
        })
    }
}

/// An option that a program asks for, outside of `SOL_SOCKET`: those are the
/// socket layer's own.
pub(crate) struct OptQuery {
    pub(super) level: c_int,
    pub(super) name: c_int,
    pub(super) value: *mut c_char,
    pub(super) len: *mut c_int,
}

impl OptQuery {
    /// Tells whether this is an option at `level`.
    pub(crate) fn is_at(&self, level: u32) -> bool {
        u32::try_from(self.level) == Ok(level)
    }

    /// Tells whether this is option `name`, of whatever level.
    pub(crate) fn is_named(&self, name: u32) -> bool {
        u32::try_from(self.name) == Ok(name)
    }

    /// Reads how much room there is for the answer, in bytes.
    ///
    /// May sleep. `EFAULT` if that isn't readable, `EINVAL` if it is negative.
    pub(crate) fn room(&self) -> Result<usize> {
        let room: c_int = self.len_slice().reader().read()?;
        usize::try_from(room).map_err(|_| EINVAL)
    }

    /// Answers with a number, as much of it as fits into `room` bytes.
    ///
    /// May sleep. `EFAULT` if the program has no such memory.
    pub(crate) fn answer(&self, room: usize, value: c_int) -> Result {
        let bytes = value.to_ne_bytes();
        let count = room.min(bytes.len());
        let fitting = bytes.get(..count).ok_or(EINVAL)?;
        UserSlice::new(UserPtr::from_addr(self.value.addr()), count)
            .writer()
            .write_slice(fitting)?;
        let len = c_int::try_from(count).map_err(|_| EINVAL)?;
        self.len_slice().writer().write(&len)
    }

    /// Answers with a new descriptor, as [`OptQuery::answer`] does. It is closed
    /// again if that fails.
    pub(crate) fn answer_descriptor(&self, room: usize, descriptor: Descriptor) -> Result {
        self.answer(room, descriptor.number())?;
        descriptor.keep();
        Ok(())
    }

    fn len_slice(&self) -> UserSlice {
        UserSlice::new(UserPtr::from_addr(self.len.addr()), size_of::<c_int>())
    }
}

/// A request to move received bytes into a pipe.
pub(crate) struct Splice {
    pub(super) socket: *mut kb::socket,
    pub(super) position: *mut kb::loff_t,
    pub(super) pipe: *mut kb::pipe_inode_info,
    pub(super) len: usize,
    pub(super) flags: c_uint,
}

impl Splice {
    /// Tells whether the call may sleep for input.
    pub(crate) fn blocking(&self) -> Blocking {
        const SPLICE_F_NONBLOCK: c_uint = 2;
        // SAFETY: The socket layer hands in a valid socket.
        let file = unsafe { bindings::file_nonblock(self.socket) };
        Blocking::unless(file || self.flags & SPLICE_F_NONBLOCK != 0)
    }

    /// Tells whether an offset was given.
    pub(crate) fn has_offset(&self) -> bool {
        // SAFETY: The socket layer hands in a valid pointer.
        unsafe { *self.position != 0 }
    }

    /// Receives by the ordinary way, into pages that go into the pipe.
    ///
    /// May sleep.
    pub(crate) fn by_copy(self) -> Result<usize> {
        // SAFETY: The arguments are those that the socket layer handed in; a socket that is
        // spliced from has a file.
        let n = unsafe {
            bindings::copy_splice_read(
                (*self.socket).file,
                self.position,
                self.pipe,
                self.len,
                self.flags,
            )
        };
        usize::try_from(n).map_err(|_| Error::from_errno(n as c_int))
    }
}
