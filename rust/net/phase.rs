// SPDX-License-Identifier: GPL-2.0

//! What a socket is, and how far it has come: its type, the phase of its life, and what
//! of it is shut down.
//!
//! C headers: [`include/linux/net.h`](srctree/include/linux/net.h),
//! [`include/net/tcp_states.h`](srctree/include/net/tcp_states.h)

use crate::bindings;
use kernel::{
    bindings as kb,
    prelude::*, //
};

/// The type of a socket, as given to `socket(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SockType {
    /// `SOCK_STREAM`.
    Stream,
    /// `SOCK_DGRAM`.
    Datagram,
    /// `SOCK_RAW`.
    Raw,
    /// `SOCK_SEQPACKET`.
    SeqPacket,
}

impl SockType {
    /// Returns the type of a number, if the socket layer knows it.
    pub(super) fn from_raw(raw: u32) -> Option<Self> {
        match raw {
            kb::sock_type_SOCK_STREAM => Some(Self::Stream),
            kb::sock_type_SOCK_DGRAM => Some(Self::Datagram),
            kb::sock_type_SOCK_RAW => Some(Self::Raw),
            kb::sock_type_SOCK_SEQPACKET => Some(Self::SeqPacket),
            _ => None,
        }
    }

    /// Returns the number of the type.
    pub(crate) fn raw(self) -> u32 {
        match self {
            Self::Stream => kb::sock_type_SOCK_STREAM,
            Self::Datagram => kb::sock_type_SOCK_DGRAM,
            Self::Raw => kb::sock_type_SOCK_RAW,
            Self::SeqPacket => kb::sock_type_SOCK_SEQPACKET,
        }
    }
}

/// The phase of a socket's life (`sk_state`), as `sock_diag` and `/proc` show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not connected, or not any more (`TCP_CLOSE`).
    Closed,
    /// Takes connections (`TCP_LISTEN`).
    Listening,
    /// Connected (`TCP_ESTABLISHED`).
    Established,
}

impl Phase {
    /// Returns the number of the phase.
    pub(crate) fn raw(self) -> u8 {
        match self {
            Self::Closed => bindings::TCP_CLOSE as u8,
            Self::Listening => bindings::TCP_LISTEN as u8,
            Self::Established => bindings::TCP_ESTABLISHED as u8,
        }
    }
}

/// Which directions of a socket are shut down (`sk_shutdown`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shutdown(u8);

impl Shutdown {
    /// Nothing more is received.
    pub(crate) const RECEIVE: Self = Self(bindings::RCV_SHUTDOWN as u8);
    /// Nothing more is sent.
    pub(crate) const SEND: Self = Self(bindings::SEND_SHUTDOWN as u8);
    /// Both.
    pub(crate) const BOTH: Self = Self(bindings::SHUTDOWN_MASK as u8);

    /// Returns the directions that `how` of `shutdown(2)` names.
    pub(super) fn from_how(how: c_int) -> Result<Self> {
        match how {
            0 => Ok(Self::RECEIVE),
            1 => Ok(Self::SEND),
            2 => Ok(Self::BOTH),
            _ => Err(EINVAL),
        }
    }

    /// Returns the directions of a socket's `sk_shutdown`.
    pub(super) fn from_raw(raw: u8) -> Self {
        Self(raw)
    }

    /// Returns the directions as the bits that `sock_diag` shows.
    pub(crate) fn raw(self) -> u8 {
        self.0
    }

    /// Tells whether nothing more is received.
    pub(crate) fn receive(self) -> bool {
        self.0 & Self::RECEIVE.0 != 0
    }

    /// Tells whether nothing more is sent.
    pub(crate) fn send(self) -> bool {
        self.0 & Self::SEND.0 != 0
    }

    /// Returns what this means for the other end of a connection.
    pub(crate) fn mirrored(self) -> Self {
        let mut peer = Self(0);
        if self.receive() {
            peer.0 |= Self::SEND.0;
        }
        if self.send() {
            peer.0 |= Self::RECEIVE.0;
        }
        peer
    }
}
