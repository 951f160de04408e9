// SPDX-License-Identifier: MIT OR GPL-2.0

//! What the command `runix-run` and the library that it preloads have in
//! common: the names of sockets, which of them are chosen, and how the command
//! tells the library.
//!
//! Nothing here allocates memory or takes a lock, so that it can be used in a
//! signal handler.

#![no_std]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod choice;
pub mod name;
pub mod variable;
