// SPDX-License-Identifier: MIT OR GPL-2.0

//! The library that `runix-run` preloads: the entries of libc that carry an
//! address family or an address, with AF_RUNIX where the program says AF_UNIX,
//! and AF_UNIX where the kernel says AF_RUNIX.
//!
//! # Which family a socket is of
//!
//! A program makes a socket before it tells its name, so the family is chosen
//! too early. A socket starts on the family that it most likely belongs to:
//! AF_RUNIX if every name is chosen, AF_UNIX if there is a list of names
//! (`--only`). If its name turns out to belong to the other family, [`place`]
//! makes a socket there, does the call on that one, and if it succeeded puts it
//! in the first one's place, with its options and flags and where it was polled.
//! A call that fails leaves the program's socket as it was.
//!
//! # What holds everywhere
//!
//! Nothing here allocates, locks, or waits but in the calls that the program
//! made: what may be called in a signal handler, or in a child of a threaded
//! program, still may. What is known of descriptors is a hint and is checked
//! with the kernel, as descriptors are closed and copied in ways not seen here.

mod accept;
mod create;
mod data;
mod errno;
mod hint;
mod name;
mod options;
mod place;
mod polled;
mod real;
mod settings;
mod trace;
