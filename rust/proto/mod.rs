// SPDX-License-Identifier: GPL-2.0

//! The family: what its sockets are and do.
//!
//! One file a concept: [`names`] binds and finds, [`connect`] makes
//! connections, [`stream`] and [`stream_send`] move bytes, [`dgram`] and [`packets`] messages,
//! [`passing`], [`inflight`], [`collector`] and [`mixed`] look after
//! passed descriptors, [`close`] ends it all, [`listing`] and [`diag`] show what
//! there is, [`ops`] hands each system call to one of them.

#![forbid(unsafe_code)]

mod close;
mod collector;
mod connect;
mod dgram;
mod diag;
mod inflight;
mod landing;
mod listing;
mod mixed;
mod module;
mod names;
mod ops;
mod options;
mod packets;
mod passing;
mod socket;
mod stream;
mod stream_send;
mod users;

pub(crate) use module::Module;
