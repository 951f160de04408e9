// SPDX-License-Identifier: GPL-2.0

//! The operations of a socket type (`struct proto_ops`).
//!
//! C header: [`include/linux/net.h`](srctree/include/linux/net.h)

#[allow(unused_imports)]
use super::compat::errno::*;
use super::family::{
    Family,
    Unattached, //
};
use super::live::{
    Closing,
    Live, //
};
use super::msg::{
    ReceiveMsg,
    SendMsg, //
};
use super::phase::Shutdown;
use super::poll::Events;
use super::request::{
    Blocking,
    End,
    NameLen,
    NameOut,
    OptQuery,
    SockOpt,
    Splice, //
};
use super::sock::Sock;
use crate::bindings;
use core::{
    marker::PhantomData,
    ptr,
    ptr::NonNull,
    slice, //
};
use kernel::{
    bindings as kb,
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    seq_file::SeqFile,
    sync::aref::ARef,
    types::Opaque,
};

/// The operations of a type of socket.
///
/// All may sleep. What a type does not implement answers as the kernel's
/// `sock_no_*()` functions do.
#[vtable]
pub(crate) trait SocketOps: Sized + 'static {
    /// The family that the type belongs to.
    type Family: Family;

    /// Ends the use of a socket by its file. Cannot fail.
    fn release(sk: Closing<'_, Self::Family>);

    /// Gives the socket the name in `address`: `bind(2)`.
    fn bind(_sk: &Live<'_, Self::Family>, _address: &[u8]) -> Result {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Connects the socket to the one named by `address`: `connect(2)`.
    fn connect(_sk: &Live<'_, Self::Family>, _address: &[u8], _blocking: Blocking) -> Result {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Connects two new sockets: `socketpair(2)`.
    fn socketpair(_a: &Live<'_, Self::Family>, _b: &Live<'_, Self::Family>) -> Result {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Takes a connection: `accept(2)`.
    fn accept(
        _sk: &Live<'_, Self::Family>,
        _blocking: Blocking,
    ) -> Result<Unattached<Self::Family>> {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Hands out an address: `getsockname(2)` and `getpeername(2)`.
    fn getname(_sk: &Live<'_, Self::Family>, _end: End, _out: NameOut<'_>) -> Result<NameLen> {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Tells what the socket is ready for. The caller has been put on the
    /// socket's wait queue before.
    fn poll(_sk: &Live<'_, Self::Family>) -> Events {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Answers an `ioctl(2)`; `ENOIOCTLCMD` for an unknown one.
    fn ioctl(_sk: &Live<'_, Self::Family>, _cmd: u32, _arg: usize) -> Result<c_int> {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Takes connections from now on: `listen(2)`.
    fn listen(_sk: &Live<'_, Self::Family>, _backlog: u32) -> Result {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Shuts down directions: `shutdown(2)`.
    fn shutdown(_sk: &Live<'_, Self::Family>, _what: Shutdown) -> Result {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Sets an option: `setsockopt(2)`, at all levels.
    fn setsockopt(_sk: &Live<'_, Self::Family>, _option: SockOpt) -> Result {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Answers what an option is: `getsockopt(2)`, at all levels but
    /// `SOL_SOCKET`.
    fn getsockopt(_sk: &Live<'_, Self::Family>, _query: OptQuery) -> Result {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Sends a message and returns how many bytes of it went.
    fn sendmsg(_sk: &Live<'_, Self::Family>, _msg: &mut SendMsg<'_>) -> Result<usize> {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Receives a message and returns its length.
    fn recvmsg(_sk: &Live<'_, Self::Family>, _msg: &mut ReceiveMsg<'_>) -> Result<usize> {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Adds lines to the file's entry in `/proc/PID/fdinfo`.
    fn fdinfo(_sk: &Live<'_, Self::Family>, _out: &SeqFile) {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }

    /// Moves received bytes into a pipe: `splice(2)`.
    fn splice_read(_sk: &Live<'_, Self::Family>, _splice: Splice) -> Result<usize> {
        build_error!(kernel::error::VTABLE_DEFAULT_ERROR)
    }
}

/// A `struct proto_ops` of family `F`; lives in a static.
pub(crate) struct Ops<F: Family> {
    raw: Opaque<kb::proto_ops>,
    _p: PhantomData<F>,
}

// SAFETY: The C side reads the operations; they are written before the family is registered only.
unsafe impl<F: Family> Sync for Ops<F> {}

impl<F: Family> Ops<F> {
    /// Makes the operations of `T`.
    pub(crate) const fn new<T: SocketOps<Family = F>>() -> Self {
        Self {
            raw: Opaque::new(Table::<T>::OPS),
            _p: PhantomData,
        }
    }

    /// Prepares a new socket of these operations.
    ///
    /// # Safety
    ///
    /// `socket` is valid, and nobody else uses it yet.
    pub(super) unsafe fn mark(&'static self, socket: *mut kb::socket) {
        // SAFETY: By the function's safety requirements; the operations are static.
        unsafe { Self::mark_like(self.raw.get(), socket) };
    }

    /// Prepares a new socket of the given operations: options of the socket
    /// layer go through them, if they have a say in options.
    ///
    /// # Safety
    ///
    /// Both are valid, and nobody else uses the socket yet.
    pub(super) unsafe fn mark_like(ops: *const kb::proto_ops, socket: *mut kb::socket) {
        // SAFETY: By the function's safety requirements.
        unsafe {
            if (*ops).setsockopt.is_some() {
                bindings::socket_set_custom_sockopt(socket);
            }
        }
    }

    /// Completes the operations for a family that is about to be registered.
    pub(super) fn adopt(&'static self, module: &'static ThisModule, family: c_int) {
        // SAFETY: Nobody uses the operations before the family is registered.
        unsafe {
            (*self.raw.get()).family = family;
            (*self.raw.get()).owner = module.as_ptr();
        }
    }

    pub(super) fn as_raw(&'static self) -> *const kb::proto_ops {
        self.raw.get()
    }
}

/// Reads an address that the socket layer hands in.
///
/// # Safety
///
/// `address` points to `len` readable bytes, which stay as they are for `'a`.
unsafe fn address_bytes<'a>(address: *const kb::sockaddr_unsized, len: c_int) -> Result<&'a [u8]> {
    let len = usize::try_from(len).map_err(|_| EINVAL)?;
    if len == 0 {
        return Ok(&[]);
    }
    // SAFETY: By the function's safety requirements.
    Ok(unsafe { slice::from_raw_parts(address.cast(), len) })
}

/// The C face of `T`.
///
/// The socket layer calls each function with a socket of the family `T::Family`
/// that isn't released during the call, except `release` itself, which it calls
/// once and last. That is the safety requirement of each.
struct Table<T>(PhantomData<T>);

impl<T: SocketOps> Table<T> {
    const OPS: kb::proto_ops = kb::proto_ops {
        release: Some(Self::release),
        bind: if T::HAS_BIND {
            Some(Self::bind)
        } else {
            Some(bindings::sock_no_bind)
        },
        connect: if T::HAS_CONNECT {
            Some(Self::connect)
        } else {
            Some(bindings::sock_no_connect)
        },
        socketpair: if T::HAS_SOCKETPAIR {
            Some(Self::socketpair)
        } else {
            Some(bindings::sock_no_socketpair)
        },
        accept: if T::HAS_ACCEPT {
            Some(Self::accept)
        } else {
            Some(no_accept)
        },
        getname: if T::HAS_GETNAME {
            Some(Self::getname)
        } else {
            Some(bindings::sock_no_getname)
        },
        poll: if T::HAS_POLL { Some(Self::poll) } else { None },
        ioctl: if T::HAS_IOCTL {
            Some(Self::ioctl)
        } else {
            Some(bindings::sock_no_ioctl)
        },
        // The commands take pointers and values that are the same in both worlds.
        #[cfg(CONFIG_COMPAT)]
        compat_ioctl: if T::HAS_IOCTL {
            Some(Self::ioctl)
        } else {
            None
        },
        listen: if T::HAS_LISTEN {
            Some(Self::listen)
        } else {
            Some(bindings::sock_no_listen)
        },
        shutdown: if T::HAS_SHUTDOWN {
            Some(Self::shutdown)
        } else {
            Some(bindings::sock_no_shutdown)
        },
        setsockopt: if T::HAS_SETSOCKOPT {
            Some(Self::setsockopt)
        } else {
            None
        },
        getsockopt: if T::HAS_GETSOCKOPT {
            Some(Self::getsockopt)
        } else {
            None
        },
        sendmsg: if T::HAS_SENDMSG {
            Some(Self::sendmsg)
        } else {
            Some(bindings::sock_no_sendmsg)
        },
        recvmsg: if T::HAS_RECVMSG {
            Some(Self::recvmsg)
        } else {
            Some(bindings::sock_no_recvmsg)
        },
        show_fdinfo: if T::HAS_FDINFO {
            Some(Self::show_fdinfo)
        } else {
            None
        },
        mmap: Some(bindings::sock_no_mmap),
        splice_read: if T::HAS_SPLICE_READ {
            Some(Self::splice_read)
        } else {
            None
        },
        set_peek_off: if T::HAS_RECVMSG {
            Some(SET_PEEK_OFF)
        } else {
            None
        },
        ..pin_init::zeroed()
    };

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn release(socket: *mut kb::socket) -> c_int {
        // SAFETY: See `Table`.
        let raw = unsafe { (*socket).sk };
        let Some(raw) = NonNull::new(raw) else {
            return 0;
        };
        // SAFETY: The file owns a reference, made by `create` or `attach`, which it gives up here.
        let sk = unsafe { ARef::<Sock<T::Family>>::from_raw(raw.cast()) };
        // SAFETY: See `Table`: this is the last call.
        T::release(unsafe { Closing::new(&sk) });
        // The `socket` goes away after this call: whatever the family did, `sk` must not point to
        // it any more.
        // SAFETY: As above.
        unsafe { Closing::new(&sk) }.orphan_at_last();
        // SAFETY: See `Table`.
        unsafe { (*socket).sk = ptr::null_mut() };
        0
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn bind(
        socket: *mut kb::socket,
        address: *mut kb::sockaddr_unsized,
        len: c_int,
    ) -> c_int {
        from_result(|| {
            // SAFETY: See `Table`; the address is a copy in kernel memory.
            unsafe { T::bind(&Live::from_raw(socket), address_bytes(address, len)?) }.map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn connect(
        socket: *mut kb::socket,
        address: *mut kb::sockaddr_unsized,
        len: c_int,
        flags: c_int,
    ) -> c_int {
        from_result(|| {
            let blocking = Blocking::unless(flags & kb::O_NONBLOCK as c_int != 0);
            // SAFETY: See `Table`; the address is a copy in kernel memory.
            let (sk, bytes) = unsafe { (Live::from_raw(socket), address_bytes(address, len)?) };
            T::connect(&sk, bytes, blocking)?;
            const SS_CONNECTED: kb::socket_state = 3;
            // SAFETY: See `Table`; the field is only informative for a family of ours.
            unsafe { (*socket).state = SS_CONNECTED };
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn socketpair(a: *mut kb::socket, b: *mut kb::socket) -> c_int {
        from_result(|| {
            // SAFETY: See `Table`.
            let (a, b) = unsafe { (Live::from_raw(a), Live::from_raw(b)) };
            T::socketpair(&a, &b).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn accept(
        socket: *mut kb::socket,
        new: *mut kb::socket,
        arg: *mut kb::proto_accept_arg,
    ) -> c_int {
        from_result(|| {
            // CAST: The same C type, once opaque and once not.
            // SAFETY: The socket layer hands in a valid argument.
            let flags = unsafe { (*arg.cast::<bindings::proto_accept_arg>()).flags };
            let blocking = Blocking::unless(flags & kb::O_NONBLOCK as c_int != 0);
            // SAFETY: See `Table`.
            let sk = T::accept(unsafe { &Live::from_raw(socket) }, blocking)?;
            // SAFETY: The socket layer has made `new` with the same operations.
            unsafe { sk.attach(new) };
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn getname(
        socket: *mut kb::socket,
        address: *mut kb::sockaddr,
        peer: c_int,
    ) -> c_int {
        from_result(|| {
            let end = if peer == 0 { End::Own } else { End::Peer };
            // INVARIANT: The socket layer hands in room for the family's longest address, and no
            // less than a `struct sockaddr_storage` where a program asks.
            let out = NameOut {
                raw: address.cast(),
                _p: PhantomData,
            };
            // SAFETY: See `Table`.
            let NameLen(len) = T::getname(unsafe { &Live::from_raw(socket) }, end, out)?;
            Ok(len)
        })
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn poll(
        file: *mut kb::file,
        socket: *mut kb::socket,
        wait: *mut kb::poll_table_struct,
    ) -> kb::__poll_t {
        // SAFETY: See `Table`; the arguments are those that the socket layer handed in.
        unsafe {
            bindings::sock_poll_wait(file, socket, wait);
            T::poll(&Live::from_raw(socket)).raw()
        }
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn ioctl(socket: *mut kb::socket, cmd: c_uint, arg: c_ulong) -> c_int {
        // SAFETY: See `Table`.
        from_result(|| T::ioctl(unsafe { &Live::from_raw(socket) }, cmd, arg))
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn listen(socket: *mut kb::socket, backlog: c_int) -> c_int {
        // The socket layer has made sure that it isn't negative.
        let backlog = u32::try_from(backlog).unwrap_or(0);
        // SAFETY: See `Table`.
        from_result(|| T::listen(unsafe { &Live::from_raw(socket) }, backlog).map(|()| 0))
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn shutdown(socket: *mut kb::socket, how: c_int) -> c_int {
        from_result(|| {
            let what = Shutdown::from_how(how)?;
            // SAFETY: See `Table`.
            T::shutdown(unsafe { &Live::from_raw(socket) }, what).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn setsockopt(
        socket: *mut kb::socket,
        level: c_int,
        name: c_int,
        value: kb::sockptr_t,
        len: c_uint,
    ) -> c_int {
        from_result(|| {
            let option = SockOpt {
                socket,
                level,
                name,
                value,
                len,
            };
            // SAFETY: See `Table`.
            T::setsockopt(unsafe { &Live::from_raw(socket) }, option).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn getsockopt(
        socket: *mut kb::socket,
        level: c_int,
        name: c_int,
        value: *mut c_char,
        len: *mut c_int,
    ) -> c_int {
        from_result(|| {
            let query = OptQuery {
                level,
                name,
                value,
                len,
            };
            // SAFETY: See `Table`.
            T::getsockopt(unsafe { &Live::from_raw(socket) }, query).map(|()| 0)
        })
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn sendmsg(
        socket: *mut kb::socket,
        msg: *mut kb::msghdr,
        len: usize,
    ) -> c_int {
        from_result(|| {
            // SAFETY: See `Table`; the message is the caller's, and has an iterator over `len` bytes.
            let (sk, mut msg) = unsafe { (Live::from_raw(socket), SendMsg::from_raw(msg, len)) };
            Ok(count_of(T::sendmsg(&sk, &mut msg)?))
        })
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn recvmsg(
        socket: *mut kb::socket,
        msg: *mut kb::msghdr,
        size: usize,
        flags: c_int,
    ) -> c_int {
        from_result(|| {
            // SAFETY: See `Table`; the message is the caller's, and has an iterator over `size` bytes.
            let (sk, mut msg) = unsafe {
                (
                    Live::from_raw(socket),
                    ReceiveMsg::from_raw(msg, size, flags as u32),
                )
            };
            Ok(count_of(T::recvmsg(&sk, &mut msg)?))
        })
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn show_fdinfo(m: *mut kb::seq_file, socket: *mut kb::socket) {
        // SAFETY: See `Table`; the file is ours to write to during the call.
        unsafe {
            if !(*socket).sk.is_null() {
                T::fdinfo(&Live::from_raw(socket), SeqFile::from_raw(m));
            }
        }
    }

    /// # Safety
    ///
    /// See [`Table`].
    unsafe extern "C" fn splice_read(
        socket: *mut kb::socket,
        position: *mut kb::loff_t,
        pipe: *mut kb::pipe_inode_info,
        len: usize,
        flags: c_uint,
    ) -> isize {
        let splice = Splice {
            socket,
            position,
            pipe,
            len,
            flags,
        };
        // SAFETY: See `Table`.
        match T::splice_read(unsafe { &Live::from_raw(socket) }, splice) {
            Ok(n) => isize::try_from(n).unwrap_or(isize::MAX),
            Err(e) => e.to_errno() as isize,
        }
    }
}

/// Returns a number of bytes as a call does.
#[inline]
fn count_of(bytes: usize) -> c_int {
    bytes.min(c_int::MAX as usize) as c_int
}

/// Refuses to accept, as `sock_no_accept()` does.
///
/// # Safety
///
/// Has no requirements.
unsafe extern "C" fn no_accept(
    _socket: *mut kb::socket,
    _new: *mut kb::socket,
    _arg: *mut kb::proto_accept_arg,
) -> c_int {
    EOPNOTSUPP.to_errno()
}

/// `sk_set_peek_off()`.
const SET_PEEK_OFF: unsafe extern "C" fn(*mut kb::sock, c_int) -> c_int = set_peek_off;

/// Sets `SO_PEEK_OFF`.
///
/// # Safety
///
/// Called by the socket layer with a valid `sk`.
unsafe extern "C" fn set_peek_off(sk: *mut kb::sock, offset: c_int) -> c_int {
    // CAST: The same C type, once opaque and once not.
    // SAFETY: By the function's safety requirements.
    unsafe { bindings::sk_set_peek_off(sk.cast(), offset) }
}
