// SPDX-License-Identifier: MIT OR GPL-2.0

//! The system calls, and most of the `unsafe` code: the rest is in `fd`, for
//! raw file descriptors, in `ancillary`, for those that come with messages, and
//! in `asynchronous`, for the runtime.

use std::io;
use std::mem;
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::slice;
use std::time::Duration;

use rustix::io::{retry_on_intr, Errno};
use rustix::net::addr::{SocketAddrArg, SocketAddrLen, SocketAddrOpaque};
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{
    self, AddressFamily, RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags,
    SocketAddrAny, SocketFlags,
};

use crate::addr::{SocketAddr, PATH_MAX};
use crate::ancillary::SocketAncillary;
use crate::options::Switch;

pub(crate) use rustix::net::SocketType as Kind;

/// Slices that one call takes, UIO_MAXIOV; see readv(2).
const SLICES_MAX: usize = 1024;

/// `struct sockaddr_runix` of `runix.h`.
#[repr(C)]
struct RawAddress {
    family: u16,
    path: [u8; PATH_MAX],
}

/// An address as the kernel takes it.
struct Encoded {
    raw: RawAddress,
    len: SocketAddrLen,
}

impl Encoded {
    fn new(address: &SocketAddr) -> io::Result<Self> {
        let (path, len) = address.encode();
        let family = crate::family()?;
        let len = mem::offset_of!(RawAddress, path) + len;

        // At most the size of `RawAddress`: `encode` never tells more bytes
        // than there are in `path`.
        debug_assert!(len <= mem::size_of::<RawAddress>());
        Ok(Self {
            raw: RawAddress { family, path },
            len: len as SocketAddrLen,
        })
    }
}

// SAFETY: `with_sockaddr` passes a pointer to `self.raw`, which is borrowed
// and so stays in place during the call, and has the layout of the kernel's
// address. All its bytes are initialised: a `u16` and a byte array have no
// padding between or behind them. `self.len` counts bytes of it, see `new`.
unsafe impl SocketAddrArg for Encoded {
    unsafe fn with_sockaddr<R>(
        &self,
        f: impl FnOnce(*const SocketAddrOpaque, SocketAddrLen) -> R,
    ) -> R {
        f((&raw const self.raw).cast(), self.len)
    }
}

/// Reads an address that the kernel wrote.
fn decode(address: &SocketAddrAny) -> io::Result<SocketAddr> {
    if address.address_family() != address_family()? {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the file descriptor is not a socket of this address family",
        ));
    }
    // SAFETY: A `SocketAddrAny` holds at `as_ptr` as many initialised bytes as
    // `addr_len` says. It is borrowed, so they outlive the slice.
    let bytes =
        unsafe { slice::from_raw_parts(address.as_ptr().cast(), address.addr_len() as usize) };
    Ok(SocketAddr::decode(
        &bytes[mem::offset_of!(RawAddress, path)..],
    ))
}

fn address_family() -> io::Result<AddressFamily> {
    Ok(AddressFamily::from_raw(crate::family()?))
}

pub(crate) fn socket(kind: Kind) -> io::Result<OwnedFd> {
    let family = address_family()?;
    Ok(net::socket_with(family, kind, SocketFlags::CLOEXEC, None)?)
}

pub(crate) fn socketpair(kind: Kind) -> io::Result<(OwnedFd, OwnedFd)> {
    let family = address_family()?;
    Ok(net::socketpair(family, kind, SocketFlags::CLOEXEC, None)?)
}

pub(crate) fn bind(fd: &OwnedFd, address: &SocketAddr) -> io::Result<()> {
    Ok(net::bind(fd, &Encoded::new(address)?)?)
}

pub(crate) fn connect(fd: &OwnedFd, address: &SocketAddr) -> io::Result<()> {
    Ok(net::connect(fd, &Encoded::new(address)?)?)
}

/// Listens with the longest backlog that the system allows.
pub(crate) fn listen(fd: &OwnedFd) -> io::Result<()> {
    Ok(net::listen(fd, -1)?)
}

pub(crate) fn accept(fd: &OwnedFd) -> io::Result<(OwnedFd, SocketAddr)> {
    let (accepted, address) = retry_on_intr(|| net::acceptfrom_with(fd, SocketFlags::CLOEXEC))?;
    Ok((accepted, decode_some(address)?))
}

pub(crate) fn local_addr(fd: &OwnedFd) -> io::Result<SocketAddr> {
    decode(&net::getsockname(fd)?)
}

pub(crate) fn peer_addr(fd: &OwnedFd) -> io::Result<SocketAddr> {
    decode_some(net::getpeername(fd)?)
}

fn decode_some(address: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    address.map_or(Ok(SocketAddr::unnamed()), |address| decode(&address))
}

pub(crate) fn recv(fd: &OwnedFd, buf: &mut [u8]) -> io::Result<usize> {
    Ok(net::recv(fd, buf, RecvFlags::empty())?.1)
}

pub(crate) fn peek(fd: &OwnedFd, buf: &mut [u8]) -> io::Result<usize> {
    Ok(net::recv(fd, buf, RecvFlags::PEEK)?.1)
}

pub(crate) fn recv_vectored(fd: &OwnedFd, bufs: &mut [io::IoSliceMut<'_>]) -> io::Result<usize> {
    let count = bufs.len().min(SLICES_MAX);
    let mut control = RecvAncillaryBuffer::default();
    let message = net::recvmsg(fd, &mut bufs[..count], &mut control, RecvFlags::empty())?;
    Ok(message.bytes)
}

/// Sends; a closed peer gives `EPIPE` and no signal.
pub(crate) fn send(fd: &OwnedFd, buf: &[u8]) -> io::Result<usize> {
    Ok(net::send(fd, buf, SendFlags::NOSIGNAL)?)
}

pub(crate) fn send_vectored(fd: &OwnedFd, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
    let count = bufs.len().min(SLICES_MAX);
    let mut control = SendAncillaryBuffer::default();
    Ok(net::sendmsg(
        fd,
        &bufs[..count],
        &mut control,
        SendFlags::NOSIGNAL,
    )?)
}

/// Receives, and tells the sender's address.
pub(crate) fn recv_from(
    fd: &OwnedFd,
    buf: &mut [u8],
    peek: bool,
) -> io::Result<(usize, SocketAddr)> {
    let flags = match peek {
        true => RecvFlags::PEEK,
        false => RecvFlags::empty(),
    };
    let (_, count, address) = net::recvfrom(fd, buf, flags)?;
    Ok((count, decode_some(address)?))
}

pub(crate) fn send_to(fd: &OwnedFd, buf: &[u8], address: &SocketAddr) -> io::Result<usize> {
    let address = Encoded::new(address)?;
    Ok(net::sendto(fd, buf, SendFlags::NOSIGNAL, &address)?)
}

/// Sends with control messages, to an address or the peer; a closed peer gives
/// `EPIPE` and no signal.
pub(crate) fn send_message(
    fd: &OwnedFd,
    bufs: &[io::IoSlice<'_>],
    ancillary: &SocketAncillary<'_>,
    address: Option<&SocketAddr>,
) -> io::Result<usize> {
    let address = address.map(Encoded::new).transpose()?;
    let control = ancillary.to_send();
    // SAFETY: All fields are numbers or pointers, of which null stands for nothing.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    if let Some(address) = &address {
        header.msg_name = (&raw const address.raw).cast_mut().cast();
        header.msg_namelen = address.len;
    }
    header.msg_iov = bufs.as_ptr().cast_mut().cast();
    header.msg_iovlen = bufs.len().min(SLICES_MAX) as _;
    if !control.is_empty() {
        header.msg_control = control.as_ptr().cast_mut().cast();
        header.msg_controllen = control.len() as _;
    }
    // SAFETY: The header's pointers are valid for reads of as many bytes or elements as it says,
    // and the call writes none of them; an `IoSlice` has the layout of a `struct iovec`.
    let sent = unsafe { libc::sendmsg(fd.as_raw_fd(), &header, libc::MSG_NOSIGNAL) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// What was received besides bytes and control messages.
pub(crate) struct Received {
    pub(crate) count: usize,
    /// The message was longer than the buffers.
    pub(crate) truncated: bool,
    /// The sender's, if it was asked for.
    pub(crate) address: SocketAddr,
}

/// Receives with control messages; descriptors are closed on execve(2).
pub(crate) fn recv_message(
    fd: &OwnedFd,
    bufs: &mut [io::IoSliceMut<'_>],
    ancillary: &mut SocketAncillary<'_>,
    want_address: bool,
) -> io::Result<Received> {
    let mut address = RawAddress {
        family: 0,
        path: [0; PATH_MAX],
    };
    let control = ancillary.room();
    // SAFETY: All fields are numbers or pointers, of which null stands for nothing.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    if want_address {
        header.msg_name = (&raw mut address).cast();
        header.msg_namelen = mem::size_of::<RawAddress>() as SocketAddrLen;
    }
    header.msg_iov = bufs.as_mut_ptr().cast();
    header.msg_iovlen = bufs.len().min(SLICES_MAX) as _;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = control.len() as _;
    // SAFETY: The header's pointers are valid for writes of as many bytes or elements as it says;
    // an `IoSliceMut` has the layout of a `struct iovec`.
    let count = unsafe { libc::recvmsg(fd.as_raw_fd(), &mut header, libc::MSG_CMSG_CLOEXEC) };
    let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
    let cut = header.msg_flags & libc::MSG_CTRUNC != 0;
    // SAFETY: The kernel has written so many bytes to the ancillary data's room, just now.
    unsafe { ancillary.filled(header.msg_controllen, cut) };

    let path = mem::offset_of!(RawAddress, path);
    let len = (header.msg_namelen as usize).saturating_sub(path);
    Ok(Received {
        count,
        truncated: header.msg_flags & libc::MSG_TRUNC != 0,
        address: SocketAddr::decode(&address.path[..len.min(PATH_MAX)]),
    })
}

/// Sets an option that is a switch.
pub(crate) fn set_switch(fd: &OwnedFd, switch: Switch, on: bool) -> io::Result<()> {
    let value = i32::from(on);
    // SAFETY: The value is valid for reads of the bytes that the call is told about.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            switch.socket,
            (&raw const value).cast(),
            mem::size_of::<i32>() as libc::socklen_t,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Asks for an option that is a number, at the family's own level or, on a
/// socket of AF_UNIX, at the socket layer's.
pub(crate) fn option(fd: &OwnedFd, option: Switch) -> io::Result<i32> {
    match option_at(fd, crate::SOL_RUNIX, option.own) {
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {
            option_at(fd, libc::SOL_SOCKET, option.socket)
        }
        result => result,
    }
}

fn option_at(fd: &OwnedFd, level: i32, name: i32) -> io::Result<i32> {
    let mut value = 0i32;
    let mut len = mem::size_of::<i32>() as libc::socklen_t;
    // SAFETY: The value is valid for writes of the `len` bytes that the call is told about, and
    // `len` for reading and writing.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            level,
            name,
            (&raw mut value).cast(),
            &mut len,
        )
    };
    match result {
        0 => Ok(value),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Opens a descriptor of the process at the other end.
pub(crate) fn peer_pidfd(fd: &OwnedFd) -> io::Result<OwnedFd> {
    let number = option(fd, Switch::PEERPIDFD)?;
    // SAFETY: The kernel has opened it just now, for nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

pub(crate) fn shutdown(fd: &OwnedFd, how: Shutdown) -> io::Result<()> {
    let how = match how {
        Shutdown::Read => net::Shutdown::Read,
        Shutdown::Write => net::Shutdown::Write,
        Shutdown::Both => net::Shutdown::Both,
    };
    Ok(net::shutdown(fd, how)?)
}

pub(crate) fn set_nonblocking(fd: &OwnedFd, nonblocking: bool) -> io::Result<()> {
    Ok(rustix::io::ioctl_fionbio(fd, nonblocking)?)
}

pub(crate) fn read_timeout(fd: &OwnedFd) -> io::Result<Option<Duration>> {
    Ok(sockopt::socket_timeout(fd, Timeout::Recv)?)
}

pub(crate) fn write_timeout(fd: &OwnedFd) -> io::Result<Option<Duration>> {
    Ok(sockopt::socket_timeout(fd, Timeout::Send)?)
}

pub(crate) fn set_read_timeout(fd: &OwnedFd, timeout: Option<Duration>) -> io::Result<()> {
    Ok(sockopt::set_socket_timeout(fd, Timeout::Recv, timeout)?)
}

pub(crate) fn set_write_timeout(fd: &OwnedFd, timeout: Option<Duration>) -> io::Result<()> {
    Ok(sockopt::set_socket_timeout(fd, Timeout::Send, timeout)?)
}

pub(crate) fn take_error(fd: &OwnedFd) -> io::Result<Option<io::Error>> {
    Ok(sockopt::socket_error(fd)?.err().map(Errno::into))
}

/// Who is at the other end of a stream; see SO_PEERCRED in unix(7).
///
/// They are the credentials at the time of `connect`, `listen` or `pair`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct UCred {
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// The process's number; `None` if the process has none here, being in
    /// another PID namespace.
    pub pid: Option<i32>,
}

pub(crate) fn peer_cred(fd: &OwnedFd) -> io::Result<UCred> {
    let raw = raw_peer_cred(fd.as_fd())?;
    Ok(UCred {
        uid: raw.uid,
        gid: raw.gid,
        pid: (raw.pid != 0).then_some(raw.pid),
    })
}

/// The type that rustix has for this can't hold a process number of zero,
/// which is what the kernel tells across PID namespaces.
fn raw_peer_cred(fd: BorrowedFd<'_>) -> io::Result<libc::ucred> {
    let mut cred = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let size = mem::size_of::<libc::ucred>() as libc::socklen_t;
    let mut len = size;
    // SAFETY: `cred` is valid for writes of the `len` bytes that the call is
    // told about, and `len` for reading and writing; both outlive the call.
    // Any bytes are a valid `ucred`: its fields are integers.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut cred).cast(),
            &mut len,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    debug_assert_eq!(len, size);
    Ok(cred)
}
