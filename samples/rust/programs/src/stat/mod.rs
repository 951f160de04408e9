// SPDX-License-Identifier: MIT OR GPL-2.0

//! What `runixstat` knows: all sockets of the family, and who has them.
//!
//! The kernel tells of the sockets by `sock_diag`, see `sock_diag(7)`, in the
//! format that it has for AF_UNIX. Where nobody answers that, the listing in
//! `/proc/net` has some of it. Processes are found by their descriptors.

mod diag;
mod filter;
mod json;
mod listing;
mod message;
mod name;
mod process;
mod report;
mod socket;

pub use filter::{Filter, Pattern};
pub use json::json;
pub use name::Name;
pub use process::User;
pub use report::report;
pub use socket::{sockets, Kind, Peer, Socket, Source, State};
