// SPDX-License-Identifier: MIT OR GPL-2.0

//! The listening end.

use std::fmt;
use std::io;
use std::iter::FusedIterator;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use crate::addr::SocketAddr;
use crate::fd::impl_fd_traits;
use crate::options::impl_options;
use crate::stream::RunixStream;
use crate::sys::{self, Kind};

/// A socket that listens for streams.
///
/// Mirrors [`std::os::unix::net::UnixListener`]. As there, the file of a bound
/// pathname stays when the listener is dropped.
///
/// # Examples
///
/// ```no_run
/// use runix::RunixListener;
/// use std::io;
/// use std::thread;
///
/// # fn main() -> io::Result<()> {
/// let listener = RunixListener::bind("/tmp/echo.sock")?;
/// for stream in listener.incoming() {
///     let stream = stream?;
///     thread::spawn(move || io::copy(&mut &stream, &mut &stream));
/// }
/// # Ok(())
/// # }
/// ```
pub struct RunixListener {
    fd: OwnedFd,
}

impl_fd_traits!(RunixListener);
impl_options!(RunixListener);

impl RunixListener {
    /// Makes a socket file and listens there; see bind(2) and listen(2).
    ///
    /// # Errors
    ///
    /// Among others [`AddrInUse`](io::ErrorKind::AddrInUse) if there is a file
    /// of that name, whether or not somebody listens,
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the path is too long,
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) and
    /// [`NotFound`](io::ErrorKind::NotFound) where the directory gives reason
    /// to, and `EAFNOSUPPORT` if the module is not loaded.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use runix::RunixListener;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let listener = RunixListener::bind("/tmp/echo.sock")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        Self::bind_addr(&SocketAddr::from_pathname(path)?)
    }

    /// Listens on an address of any kind; see bind(2) and listen(2). With an
    /// unnamed one the kernel chooses an abstract name.
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use runix::{RunixListener, SocketAddr};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let address = SocketAddr::from_abstract_name("echo")?;
    /// let listener = RunixListener::bind_addr(&address)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        let fd = sys::socket(Kind::STREAM)?;
        sys::bind(&fd, address)?;
        sys::listen(&fd)?;
        Ok(Self { fd })
    }

    /// Waits for a connection and returns its stream, with the address of the
    /// client, which is usually unnamed; see accept(2).
    ///
    /// # Errors
    ///
    /// Those of accept(2); [`WouldBlock`](io::ErrorKind::WouldBlock) if the
    /// listener is non-blocking and no connection waits.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use runix::RunixListener;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let listener = RunixListener::bind("/tmp/echo.sock")?;
    /// let (stream, address) = listener.accept()?;
    /// println!("a client at {address}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn accept(&self) -> io::Result<(RunixStream, SocketAddr)> {
        let (fd, address) = sys::accept(&self.fd)?;
        Ok((RunixStream::from(fd), address))
    }

    /// Returns an iterator over connections that never ends; it yields what
    /// [`accept`](Self::accept) returns, without the address.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
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

    /// Returns the address that is listened on; see getsockname(2).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if this was made from a
    /// file descriptor of another address family.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        sys::local_addr(&self.fd)
    }

    /// Chooses whether [`accept`](Self::accept) waits; see `FIONBIO` in
    /// ioctl(2) and `O_NONBLOCK` in open(2).
    ///
    /// # Errors
    ///
    /// None in practice.
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
}

impl fmt::Debug for RunixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut output = f.debug_struct("RunixListener");
        output.field("fd", &self.fd.as_raw_fd());
        if let Ok(address) = self.local_addr() {
            output.field("local", &address);
        }
        output.finish()
    }
}

impl<'a> IntoIterator for &'a RunixListener {
    type Item = io::Result<RunixStream>;
    type IntoIter = Incoming<'a>;

    fn into_iter(self) -> Incoming<'a> {
        self.incoming()
    }
}

/// An iterator over the connections to a [`RunixListener`]; made by its
/// [`incoming`](RunixListener::incoming).
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a RunixListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<RunixStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

impl FusedIterator for Incoming<'_> {}
