// SPDX-License-Identifier: MIT OR GPL-2.0

//! The connected end.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use crate::addr::SocketAddr;
use crate::fd::impl_fd_traits;
use crate::messages::impl_ancillary;
use crate::options::{impl_options, impl_peer_pidfd};
use crate::sys::{self, Kind, UCred};

/// A connected stream.
///
/// Mirrors [`std::os::unix::net::UnixStream`]. Reading and writing work on a
/// shared reference too, so that one thread can read while another writes.
/// Writing to a peer that has closed gives
/// [`BrokenPipe`](io::ErrorKind::BrokenPipe) and never a signal.
///
/// # Examples
///
/// ```no_run
/// use runix::RunixStream;
/// use std::io::{Read, Write};
/// use std::net::Shutdown;
///
/// # fn main() -> std::io::Result<()> {
/// let mut stream = RunixStream::connect("/tmp/echo.sock")?;
/// stream.write_all(b"hello")?;
/// stream.shutdown(Shutdown::Write)?;
///
/// let mut answer = String::new();
/// stream.read_to_string(&mut answer)?;
/// assert_eq!(answer, "hello");
/// # Ok(())
/// # }
/// ```
pub struct RunixStream {
    fd: OwnedFd,
}

impl_fd_traits!(RunixStream);
impl_options!(RunixStream);
impl_peer_pidfd!(RunixStream);
impl_ancillary!(RunixStream);

impl RunixStream {
    /// Connects to the socket of that pathname; see connect(2).
    ///
    /// # Errors
    ///
    /// Among others [`NotFound`](io::ErrorKind::NotFound) if there is no such
    /// file, [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) if there
    /// is one and nobody listens,
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) if the file is
    /// not writable, and `EAFNOSUPPORT` if the module is not loaded.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use runix::RunixStream;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let stream = RunixStream::connect("/tmp/echo.sock")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        Self::connect_addr(&SocketAddr::from_pathname(path)?)
    }

    /// Connects to an address of any kind; see connect(2).
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect); an abstract name that nobody has
    /// bound gives [`ConnectionRefused`](io::ErrorKind::ConnectionRefused).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use runix::{RunixStream, SocketAddr};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let address = SocketAddr::from_abstract_name("echo")?;
    /// let stream = RunixStream::connect_addr(&address)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect_addr(address: &SocketAddr) -> io::Result<Self> {
        let fd = sys::socket(Kind::STREAM)?;
        sys::connect(&fd, address)?;
        Ok(Self { fd })
    }

    /// Connects and never waits; the stream is non-blocking. For event loops.
    ///
    /// # Errors
    ///
    /// Those of [`connect`](Self::connect);
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if the listener's backlog is
    /// full: the kernel doesn't tell when there is room, so try again later.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use runix::{RunixStream, SocketAddr};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let address = SocketAddr::from_pathname("/tmp/echo.sock")?;
    /// let stream = RunixStream::connect_nonblocking(&address)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect_nonblocking(address: &SocketAddr) -> io::Result<Self> {
        let stream = Self::unconnected()?;
        sys::connect(&stream.fd, address)?;
        Ok(stream)
    }

    /// Makes two streams that are connected to each other; see socketpair(2).
    ///
    /// # Errors
    ///
    /// Those of socketpair(2); `EAFNOSUPPORT` if the module is not loaded.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use runix::RunixStream;
    /// use std::io::{Read, Write};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let (mut here, mut there) = RunixStream::pair()?;
    /// here.write_all(b"ping")?;
    /// let mut data = [0; 4];
    /// there.read_exact(&mut data)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = sys::socketpair(Kind::STREAM)?;
        Ok((Self { fd: one }, Self { fd: other }))
    }

    /// A stream that is not connected yet, non-blocking.
    pub(crate) fn unconnected() -> io::Result<Self> {
        let fd = sys::socket(Kind::STREAM)?;
        sys::set_nonblocking(&fd, true)?;
        Ok(Self { fd })
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn connect_in_place(&self, address: &SocketAddr) -> io::Result<()> {
        sys::connect(&self.fd, address)
    }

    /// Makes a second handle to the same socket; see dup(2).
    ///
    /// # Errors
    ///
    /// Those of dup(2), as when there are too many open files.
    pub fn try_clone(&self) -> io::Result<Self> {
        let fd = self.fd.try_clone()?;
        Ok(Self { fd })
    }

    /// Returns the address of this end; see getsockname(2).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if this was made from a
    /// file descriptor of another address family.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        sys::local_addr(&self.fd)
    }

    /// Returns the address of the other end; see getpeername(2).
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if there is none, and
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if this was made from a
    /// file descriptor of another address family.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        sys::peer_addr(&self.fd)
    }

    /// Returns who is at the other end; see `SO_PEERCRED` in unix(7).
    ///
    /// # Errors
    ///
    /// None in practice.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use runix::RunixStream;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let stream = RunixStream::connect("/tmp/echo.sock")?;
    /// println!("served by user {}", stream.peer_cred()?.uid);
    /// # Ok(())
    /// # }
    /// ```
    pub fn peer_cred(&self) -> io::Result<UCred> {
        sys::peer_cred(&self.fd)
    }

    /// Limits how long a read waits; `None` is for ever. See `SO_RCVTIMEO` in
    /// socket(7).
    ///
    /// A read that runs out of time gives
    /// [`WouldBlock`](io::ErrorKind::WouldBlock).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the duration is zero.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        sys::set_read_timeout(&self.fd, timeout)
    }

    /// Limits how long a write waits; `None` is for ever. See `SO_SNDTIMEO` in
    /// socket(7).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the duration is zero.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        sys::set_write_timeout(&self.fd, timeout)
    }

    /// Returns how long a read waits at most; see `SO_RCVTIMEO` in socket(7).
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        sys::read_timeout(&self.fd)
    }

    /// Returns how long a write waits at most; see `SO_SNDTIMEO` in socket(7).
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        sys::write_timeout(&self.fd)
    }

    /// Chooses whether reads and writes wait; see `FIONBIO` in ioctl(2) and
    /// `O_NONBLOCK` in open(2).
    ///
    /// # Errors
    ///
    /// None in practice.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use runix::RunixStream;
    /// use std::io::{ErrorKind, Read};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let (mut here, _there) = RunixStream::pair()?;
    /// here.set_nonblocking(true)?;
    /// let error = here.read(&mut [0]).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        sys::set_nonblocking(&self.fd, nonblocking)
    }

    /// Returns the error that waits at the socket, and clears it; see
    /// `SO_ERROR` in socket(7).
    ///
    /// # Errors
    ///
    /// None in practice.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        sys::take_error(&self.fd)
    }

    /// Ends one direction of the stream, or both; see shutdown(2).
    ///
    /// After [`Shutdown::Write`] the peer reads what is still on the way and
    /// then the end of the stream; it can go on writing.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if the stream is not
    /// connected.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        sys::shutdown(&self.fd, how)
    }

    /// Receives without taking the bytes out of the stream; see `MSG_PEEK` in
    /// recv(2).
    ///
    /// # Errors
    ///
    /// Those of recv(2).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use runix::RunixStream;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let stream = RunixStream::connect("/tmp/echo.sock")?;
    /// let mut start = [0; 4];
    /// let length = stream.peek(&mut start)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        sys::peek(&self.fd, buf)
    }
}

impl fmt::Debug for RunixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut output = f.debug_struct("RunixStream");
        output.field("fd", &self.fd.as_raw_fd());
        if let Ok(address) = self.local_addr() {
            output.field("local", &address);
        }
        if let Ok(address) = self.peer_addr() {
            output.field("peer", &address);
        }
        output.finish()
    }
}

impl Read for &RunixStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        sys::recv(&self.fd, buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        sys::recv_vectored(&self.fd, bufs)
    }
}

impl Write for &RunixStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        sys::send(&self.fd, buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        sys::send_vectored(&self.fd, bufs)
    }

    /// Does nothing: the stream keeps nothing back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for RunixStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(bufs)
    }
}

impl Write for RunixStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(bufs)
    }

    /// Does nothing: the stream keeps nothing back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
