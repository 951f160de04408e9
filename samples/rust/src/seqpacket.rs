// SPDX-License-Identifier: MIT OR GPL-2.0

//! Connections that carry messages.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use crate::addr::SocketAddr;
use crate::fd::impl_fd_traits;
use crate::messages::{impl_messages, impl_socket};
use crate::options::{impl_options, impl_peer_pidfd};
use crate::sys::{self, Kind, UCred};

/// A connection that keeps messages apart (`SOCK_SEQPACKET`).
///
/// The standard library has no such type; this is made like
/// [`RunixStream`](crate::RunixStream) and
/// [`RunixDatagram`](crate::RunixDatagram). A receive of zero bytes is the end
/// of the connection, unless the peer sends empty messages.
///
/// # Examples
///
/// ```no_run
/// use runix::RunixSeqpacket;
///
/// # fn main() -> std::io::Result<()> {
/// let (here, there) = RunixSeqpacket::pair()?;
/// here.send(b"one")?;
/// here.send(b"two")?;
///
/// let mut message = [0; 16];
/// assert_eq!(there.recv(&mut message)?, 3);
/// assert_eq!(&message[..3], b"one");
/// # Ok(())
/// # }
/// ```
pub struct RunixSeqpacket {
    fd: OwnedFd,
}

impl_fd_traits!(RunixSeqpacket);
impl_socket!(RunixSeqpacket);
impl_options!(RunixSeqpacket);
impl_peer_pidfd!(RunixSeqpacket);
impl_messages!(RunixSeqpacket);

impl RunixSeqpacket {
    /// Connects to the socket of that pathname; see connect(2).
    ///
    /// # Errors
    ///
    /// Those of [`RunixStream::connect`](crate::RunixStream::connect).
    pub fn connect<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        Self::connect_addr(&SocketAddr::from_pathname(path)?)
    }

    /// Connects to an address of any kind; see connect(2).
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect).
    pub fn connect_addr(address: &SocketAddr) -> io::Result<Self> {
        let fd = sys::socket(Kind::SEQPACKET)?;
        sys::connect(&fd, address)?;
        Ok(Self { fd })
    }

    /// Makes two sockets that are connected to each other; see socketpair(2).
    ///
    /// # Errors
    ///
    /// Those of socketpair(2); `EAFNOSUPPORT` if the module is not loaded.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = sys::socketpair(Kind::SEQPACKET)?;
        Ok((Self { fd: one }, Self { fd: other }))
    }

    /// Returns who is at the other end; see `SO_PEERCRED` in unix(7).
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn peer_cred(&self) -> io::Result<UCred> {
        sys::peer_cred(&self.fd)
    }
}

/// A socket that listens for connections that carry messages.
///
/// # Examples
///
/// ```no_run
/// use runix::{RunixSeqpacket, RunixSeqpacketListener};
///
/// # fn main() -> std::io::Result<()> {
/// let listener = RunixSeqpacketListener::bind("/tmp/orders.sock")?;
/// let client = RunixSeqpacket::connect("/tmp/orders.sock")?;
/// let (server, _) = listener.accept()?;
/// client.send(b"one tea")?;
/// let mut order = [0; 256];
/// assert_eq!(server.recv(&mut order)?, 7);
/// # Ok(())
/// # }
/// ```
pub struct RunixSeqpacketListener {
    fd: OwnedFd,
}

impl_fd_traits!(RunixSeqpacketListener);
impl_socket!(RunixSeqpacketListener);
impl_options!(RunixSeqpacketListener);

impl RunixSeqpacketListener {
    /// Makes a socket file and listens there; see bind(2) and listen(2).
    ///
    /// # Errors
    ///
    /// Those of [`RunixListener::bind`](crate::RunixListener::bind).
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        Self::bind_addr(&SocketAddr::from_pathname(path)?)
    }

    /// Listens on an address of any kind; see bind(2) and listen(2).
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind).
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        let fd = sys::socket(Kind::SEQPACKET)?;
        sys::bind(&fd, address)?;
        sys::listen(&fd)?;
        Ok(Self { fd })
    }

    /// Waits for a connection and returns it, with the address of the client,
    /// which is usually unnamed; see accept(2).
    ///
    /// # Errors
    ///
    /// Those of accept(2); [`WouldBlock`](io::ErrorKind::WouldBlock) if the
    /// listener is non-blocking and no connection waits.
    pub fn accept(&self) -> io::Result<(RunixSeqpacket, SocketAddr)> {
        let (fd, address) = sys::accept(&self.fd)?;
        Ok((RunixSeqpacket::from(fd), address))
    }
}
