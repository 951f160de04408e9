// SPDX-License-Identifier: MIT OR GPL-2.0

//! Sockets of the address family AF_RUNIX, in the shape of
//! [`std::os::unix::net`].
//!
//! AF_RUNIX behaves as AF_UNIX does: the same addresses, the same calls, the
//! same errors. Whoever knows [`UnixListener`] and [`UnixStream`] knows
//! [`RunixListener`] and [`RunixStream`]. The kernel module `runix` has to be
//! loaded; see [`family()`] for the number it goes by. The package is named
//! `runix-socket`, the crate `runix`.
//!
//! Besides, there are [`RunixDatagram`], [`RunixSeqpacket`], and
//! [`SocketAncillary`] for what comes with messages: file descriptors, and who
//! has sent them.
//!
//! ```no_run
//! use runix::{RunixListener, RunixStream};
//! use std::io::{Read, Write};
//!
//! # fn main() -> std::io::Result<()> {
//! let listener = RunixListener::bind("/tmp/greeting.sock")?;
//! let mut client = RunixStream::connect("/tmp/greeting.sock")?;
//! let (mut server, _) = listener.accept()?;
//!
//! server.write_all(b"hello")?;
//! let mut greeting = [0; 5];
//! client.read_exact(&mut greeting)?;
//! assert_eq!(&greeting, b"hello");
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! - `tokio`: `AsyncRunixListener` and `AsyncRunixStream`, for programs on the
//!   tokio runtime.
//! - `mio`: all types are `mio::event::Source`, for programs with an event loop
//!   of their own.
//!
//! [`UnixListener`]: std::os::unix::net::UnixListener
//! [`UnixStream`]: std::os::unix::net::UnixStream

#![deny(missing_docs)]

mod addr;
mod ancillary;
#[cfg(feature = "tokio")]
mod asynchronous;
mod datagram;
mod family;
mod fd;
#[cfg(test)]
mod header;
mod listener;
mod messages;
mod options;
mod seqpacket;
#[cfg(feature = "mio")]
mod source;
mod stream;
mod sys;

pub use addr::SocketAddr;
pub use ancillary::{
    ancillary_space, AncillaryData, AncillaryError, Messages, ScmRights, SocketAncillary,
};
#[cfg(feature = "tokio")]
pub use asynchronous::{AsyncRunixListener, AsyncRunixStream};
pub use datagram::RunixDatagram;
pub use family::{family, AF_RUNIX, SOL_RUNIX};
pub use listener::{Incoming, RunixListener};
pub use seqpacket::{RunixSeqpacket, RunixSeqpacketListener};
pub use stream::RunixStream;
pub use sys::UCred;
