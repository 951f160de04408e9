// SPDX-License-Identifier: MIT OR GPL-2.0

//! Listeners and streams for the tokio runtime, on its [`AsyncFd`].

use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::path::Path;
use std::pin::Pin;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

use crate::addr::SocketAddr;
use crate::listener::RunixListener;
use crate::stream::RunixStream;

/// How long a connection attempt rests, at first and at most, while the
/// listener's backlog is full.
const REST_FIRST: Duration = Duration::from_millis(1);
const REST_MOST: Duration = Duration::from_millis(64);

/// A [`RunixListener`] on the tokio runtime.
///
/// Mirrors `tokio::net::UnixListener`. It needs the feature `tokio` and a
/// runtime with its I/O driver enabled, and panics elsewhere.
///
/// # Examples
///
/// ```no_run
/// use runix::{AsyncRunixListener, SocketAddr};
///
/// # async fn example() -> std::io::Result<()> {
/// let listener = AsyncRunixListener::bind("/tmp/echo.sock")?;
/// loop {
///     let (stream, _) = listener.accept().await?;
///     tokio::spawn(async move {
///         let (mut reader, mut writer) = tokio::io::split(stream);
///         tokio::io::copy(&mut reader, &mut writer).await
///     });
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct AsyncRunixListener {
    fd: AsyncFd<RunixListener>,
}

impl AsyncRunixListener {
    /// Makes a socket file and listens there; see bind(2) and listen(2).
    ///
    /// # Errors
    ///
    /// Those of [`RunixListener::bind`].
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        Self::try_from(RunixListener::bind(path)?)
    }

    /// Listens on an address of any kind; see bind(2) and listen(2).
    ///
    /// # Errors
    ///
    /// Those of [`RunixListener::bind`].
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        Self::try_from(RunixListener::bind_addr(address)?)
    }

    /// Waits for a connection and returns its stream and the address of the
    /// client; see accept(2). No connection is lost when this is cancelled.
    ///
    /// # Errors
    ///
    /// Those of accept(2).
    pub async fn accept(&self) -> io::Result<(AsyncRunixStream, SocketAddr)> {
        let (stream, address) = self
            .fd
            .async_io(Interest::READABLE, RunixListener::accept)
            .await?;
        Ok((AsyncRunixStream::try_from(stream)?, address))
    }

    /// Returns the listener inside, for its other methods.
    pub fn get_ref(&self) -> &RunixListener {
        self.fd.get_ref()
    }
}

impl TryFrom<RunixListener> for AsyncRunixListener {
    type Error = io::Error;

    /// Makes the listener non-blocking and registers it with the runtime.
    fn try_from(listener: RunixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        // SAFETY: A `RunixListener` owns its open file descriptor, always
        // returns that one, and gives it up by value only: it moves into the
        // `AsyncFd`, from which it leaves by `into_inner` or drop.
        let fd = unsafe { AsyncFd::register_with_interest(listener, Interest::READABLE) }?;
        Ok(Self { fd })
    }
}

/// A [`RunixStream`] on the tokio runtime.
///
/// Mirrors `tokio::net::UnixStream`. It needs the feature `tokio` and a runtime
/// with its I/O driver enabled, and panics elsewhere. `tokio::io::split` makes
/// two halves of it.
///
/// # Examples
///
/// ```no_run
/// use runix::AsyncRunixStream;
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # async fn example() -> std::io::Result<()> {
/// let mut stream = AsyncRunixStream::connect("/tmp/echo.sock").await?;
/// stream.write_all(b"hello").await?;
/// stream.shutdown().await?;
///
/// let mut answer = String::new();
/// stream.read_to_string(&mut answer).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct AsyncRunixStream {
    fd: AsyncFd<RunixStream>,
}

impl AsyncRunixStream {
    /// Connects to the socket of that pathname; see connect(2).
    ///
    /// While the listener's backlog is full it tries again and again, with a
    /// short rest in between, as the kernel doesn't tell when there is room.
    /// That takes a runtime with its time driver enabled.
    ///
    /// # Errors
    ///
    /// Those of [`RunixStream::connect`].
    pub async fn connect<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        Self::connect_addr(&SocketAddr::from_pathname(path)?).await
    }

    /// Connects to an address of any kind; see connect(2) and
    /// [`connect`](Self::connect).
    ///
    /// # Errors
    ///
    /// Those of [`RunixStream::connect_addr`].
    pub async fn connect_addr(address: &SocketAddr) -> io::Result<Self> {
        let stream = RunixStream::unconnected()?;
        let mut rest = REST_FIRST;

        loop {
            match stream.connect_in_place(address) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    tokio::time::sleep(rest).await;
                    rest = REST_MOST.min(rest * 2);
                }
                Err(error) => return Err(error),
                Ok(()) => return Self::try_from(stream),
            }
        }
    }

    /// Makes two streams that are connected to each other; see socketpair(2).
    ///
    /// # Errors
    ///
    /// Those of [`RunixStream::pair`].
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = RunixStream::pair()?;
        Ok((Self::try_from(one)?, Self::try_from(other)?))
    }

    /// Returns the stream inside, for its other methods.
    pub fn get_ref(&self) -> &RunixStream {
        self.fd.get_ref()
    }

    /// Makes a call on the stream inside as soon as it is readable, or writable,
    /// and once more whenever it gives
    /// [`WouldBlock`](io::ErrorKind::WouldBlock): for control messages.
    ///
    /// Mirrors `tokio::net::UnixStream::async_io`. Other interests than those two
    /// are never met.
    ///
    /// # Errors
    ///
    /// Those of the call.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use runix::{AsyncRunixStream, SocketAncillary};
    /// use std::io::IoSliceMut;
    /// use tokio::io::Interest;
    ///
    /// # async fn example(stream: AsyncRunixStream) -> std::io::Result<()> {
    /// let (mut buffer, mut byte) = ([0; 64], [0]);
    /// let mut ancillary = SocketAncillary::new(&mut buffer);
    /// stream
    ///     .async_io(Interest::READABLE, |stream| {
    ///         stream.recv_vectored_with_ancillary(&mut [IoSliceMut::new(&mut byte)], &mut ancillary)
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        mut call: impl FnMut(&RunixStream) -> io::Result<R>,
    ) -> io::Result<R> {
        self.fd.async_io(interest, |stream| call(stream)).await
    }

    /// Returns the stream inside, which stays non-blocking, and takes it off
    /// the runtime.
    pub fn into_inner(self) -> RunixStream {
        self.fd.into_inner()
    }

    /// Runs a write as soon as there is room.
    fn poll_room(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&RunixStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut room = ready!(self.fd.poll_write_ready(cx))?;
            if let Ok(result) = room.try_io(|fd| write(fd.get_ref())) {
                return Poll::Ready(result);
            }
        }
    }
}

impl TryFrom<RunixStream> for AsyncRunixStream {
    type Error = io::Error;

    /// Makes the stream non-blocking and registers it with the runtime.
    fn try_from(stream: RunixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        // SAFETY: A `RunixStream` owns its open file descriptor, always
        // returns that one, and gives it up by value only: it moves into the
        // `AsyncFd`, from which it leaves by `into_inner` or drop.
        let fd = unsafe { AsyncFd::register(stream) }?;
        Ok(Self { fd })
    }
}

impl AsyncRead for AsyncRunixStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut data = ready!(self.fd.poll_read_ready(cx))?;
            let unfilled = buf.initialize_unfilled();
            if let Ok(result) = data.try_io(|fd| fd.get_ref().read(unfilled)) {
                buf.advance(result?);
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for AsyncRunixStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_room(cx, |mut stream| stream.write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_room(cx, |mut stream| stream.write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Does nothing: the stream keeps nothing back.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Ends the direction to the peer.
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.fd.get_ref().shutdown(Shutdown::Write))
    }
}
