// SPDX-License-Identifier: MIT OR GPL-2.0

//! Sockets that send messages to whom they like.

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::OwnedFd;
use std::path::Path;

use crate::addr::SocketAddr;
use crate::ancillary::SocketAncillary;
use crate::fd::impl_fd_traits;
use crate::messages::{impl_messages, impl_socket};
use crate::options::impl_options;
use crate::sys::{self, Kind};

/// A datagram socket.
///
/// Mirrors [`std::os::unix::net::UnixDatagram`]. Messages arrive whole, in
/// order, and none is lost; a receiver that is full makes senders wait.
///
/// # Examples
///
/// ```no_run
/// use runix::RunixDatagram;
///
/// # fn main() -> std::io::Result<()> {
/// let server = RunixDatagram::bind("/tmp/log.sock")?;
/// let client = RunixDatagram::unbound()?;
/// client.send_to(b"it is late", "/tmp/log.sock")?;
///
/// let mut line = [0; 1024];
/// let (length, address) = server.recv_from(&mut line)?;
/// assert_eq!(&line[..length], b"it is late");
/// assert!(address.is_unnamed());
/// # Ok(())
/// # }
/// ```
pub struct RunixDatagram {
    fd: OwnedFd,
}

impl_fd_traits!(RunixDatagram);
impl_socket!(RunixDatagram);
impl_options!(RunixDatagram);
impl_messages!(RunixDatagram);

impl RunixDatagram {
    /// Makes a socket file, at which this receives; see bind(2).
    ///
    /// # Errors
    ///
    /// Those of [`RunixListener::bind`](crate::RunixListener::bind).
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        Self::bind_addr(&SocketAddr::from_pathname(path)?)
    }

    /// Receives at an address of any kind; see bind(2). With an unnamed one the
    /// kernel chooses an abstract name.
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind).
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        let socket = Self::unbound()?;
        sys::bind(&socket.fd, address)?;
        Ok(socket)
    }

    /// Makes a socket without a name, to which nobody can send.
    ///
    /// # Errors
    ///
    /// `EAFNOSUPPORT` if the module is not loaded.
    pub fn unbound() -> io::Result<Self> {
        let fd = sys::socket(Kind::DGRAM)?;
        Ok(Self { fd })
    }

    /// Makes two sockets that are connected to each other; see socketpair(2).
    ///
    /// # Errors
    ///
    /// Those of socketpair(2); `EAFNOSUPPORT` if the module is not loaded.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = sys::socketpair(Kind::DGRAM)?;
        Ok((Self { fd: one }, Self { fd: other }))
    }

    /// Chooses to whom [`send`](Self::send) sends, and from whom alone this
    /// receives; see connect(2).
    ///
    /// # Errors
    ///
    /// Those of [`RunixStream::connect`](crate::RunixStream::connect);
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) also if that
    /// socket is connected to another one.
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.connect_addr(&SocketAddr::from_pathname(path)?)
    }

    /// Connects to an address of any kind; see connect(2).
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect).
    pub fn connect_addr(&self, address: &SocketAddr) -> io::Result<()> {
        sys::connect(&self.fd, address)
    }

    /// Sends a message to the socket of that pathname; see sendto(2).
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect) and of [`send`](Self::send).
    pub fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.send_to_addr(buf, &SocketAddr::from_pathname(path)?)
    }

    /// Sends a message to an address of any kind; see sendto(2).
    ///
    /// # Errors
    ///
    /// Those of [`send_to`](Self::send_to).
    pub fn send_to_addr(&self, buf: &[u8], address: &SocketAddr) -> io::Result<usize> {
        sys::send_to(&self.fd, buf, address)
    }

    /// Receives a message, and tells its sender's address, which is unnamed if
    /// that has none; see recvfrom(2).
    ///
    /// # Errors
    ///
    /// Those of recvfrom(2).
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        sys::recv_from(&self.fd, buf, false)
    }

    /// As [`recv_from`](Self::recv_from), without taking the message.
    ///
    /// # Errors
    ///
    /// Those of recvfrom(2).
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        sys::recv_from(&self.fd, buf, true)
    }

    /// Sends a message together with control messages to the socket of that
    /// pathname; see sendmsg(2).
    ///
    /// # Errors
    ///
    /// Those of [`send_to`](Self::send_to), and see [`SocketAncillary`].
    pub fn send_vectored_with_ancillary_to<P: AsRef<Path>>(
        &self,
        bufs: &[IoSlice<'_>],
        ancillary: &mut SocketAncillary<'_>,
        path: P,
    ) -> io::Result<usize> {
        let address = SocketAddr::from_pathname(path)?;
        sys::send_message(&self.fd, bufs, ancillary, Some(&address))
    }

    /// Receives a message together with control messages; tells whether it was
    /// longer than the buffers, and its sender's address. See recvmsg(2).
    ///
    /// # Errors
    ///
    /// Those of recvmsg(2).
    pub fn recv_vectored_with_ancillary_from(
        &self,
        bufs: &mut [IoSliceMut<'_>],
        ancillary: &mut SocketAncillary<'_>,
    ) -> io::Result<(usize, bool, SocketAddr)> {
        let received = sys::recv_message(&self.fd, bufs, ancillary, true)?;
        Ok((received.count, received.truncated, received.address))
    }
}
