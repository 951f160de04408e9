// SPDX-License-Identifier: MIT OR GPL-2.0

//! What the sample programs share.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod client;
mod failure;
mod quoted;
mod server;
pub mod stat;
mod table;

pub use client::{expect_end, Conversation};
pub use failure::{address, cannot, matches, no_connection, no_socket, run, Failure, Outcome};
pub use quoted::Quoted;
pub use server::{Guest, SocketFile};
pub use table::Row;

/// The most bytes that are sent before their echo is waited for, or echoed at
/// once.
pub const CHUNK: usize = 4096;
