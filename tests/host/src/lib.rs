// SPDX-License-Identifier: GPL-2.0

//! Host tests of `rust/pure`.
//!
//! The very files that go into the module are compiled here a second time and
//! tested with what a kernel can't offer:
//!
//! - [`addr`], [`habit`], [`limits`], [`oob`], [`patience`] and [`ring`] hold tests of edge
//!   values, and compare the code with simple models on random input (proptest);
//! - [`gc`] compares the verdicts on graphs of sockets with naive reachability,
//!   and [`gc_world`] takes them from a world that changes while it is read;
//! - [`ring_loom`] and [`wake_loom`] run two or three threads in every
//!   interleaving that the memory model allows, stale loads included (loom).
//!
//! Each loom test states how many executions loom must have explored at least,
//! and which outcomes must have come up; and beside each rule that the module
//! relies on stands a variant that breaks it, in which loom must find the
//! fault. `cargo test --locked` runs everything; with `-- --nocapture
//! --test-threads=1` it prints the counts.

#![cfg(test)]
#![forbid(unsafe_code)]

#[path = "../../../rust/pure/mod.rs"]
#[allow(
    dead_code,
    reason = "what the module uses and tests need not, or the reverse"
)]
mod pure;

mod chain;
mod explore;

mod addr;
mod gc;
mod gc_world;
mod habit;
mod limits;
mod oob;
mod patience;
mod ring;
mod ring_loom;
mod wake_loom;
