// SPDX-License-Identifier: GPL-2.0

//! Algorithms of the family that need no kernel.
//!
//! Everything here depends on `core` alone: no allocation, no locks, no
//! `kernel` crate. The same files are compiled again on the host, where they
//! are tested against models (proptest) and under every interleaving (loom);
//! see `tests/host`.

#![forbid(unsafe_code)]

pub(crate) mod addr;
pub(crate) mod gc;
pub(crate) mod habit;
pub(crate) mod limits;
pub(crate) mod oob;
pub(crate) mod patience;
pub(crate) mod ring;
