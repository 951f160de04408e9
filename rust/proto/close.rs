// SPDX-License-Identifier: GPL-2.0

//! The end of a socket.

use super::backlog::Backlog;
use super::inflight;
use super::module::Space;
use super::socket::Runix;
#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    Closing,
    Phase,
    Shutdown,
    SockType, //
};
use core::{
    mem,
    ptr, //
};

/// Why a socket is closed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Its last descriptor is.
    Released,
    /// It waited for an `accept(2)` that won't come.
    NeverAccepted,
}

/// Takes a socket away: its name, its connection, and what it has queued.
///
/// The other end finds the connection shut down, and reset (`ECONNRESET`) if
/// something that it sent was never read, or the connection never accepted.
///
/// Mirrors `unix_release_sock()`. May sleep.
pub(super) fn close(sk: &Closing<'_, Runix>, cause: Cause) {
    if let Some(space) = sk.space::<Space>() {
        space.sockets.remove(sk);
        space.names.remove(sk);
    }
    if let Some(files) = sk
        .initial_space::<Space>()
        .and_then(|space| space.files.as_ref())
    {
        files.remove(sk);
    }

    // What is taken out under the lock is dropped after it.
    let mut state = sk.lock();
    sk.orphan(&mut state);
    state.add_shutdown(Shutdown::BOTH);
    state.set_phase(Phase::Closed);
    let path = state.replace_path(None);
    let backlog = mem::replace(&mut state.backlog, Backlog::new());
    let peer = sk.take_peer(&mut state);
    drop(state);
    drop(path);

    sk.wake_all_waiters();
    let stream = sk.kind() == Some(SockType::Stream);
    if let Some(peer) = peer.filter(|_| sk.kind() != Some(SockType::Datagram)) {
        // Nothing comes in any more, so that what is unread now is all there is. The peer learns
        // of the end before its bytes are freed, which might wake it.
        let unread = if stream {
            sk.data().received.shut();
            sk.data().received.queued() > 0
        } else {
            sk.data().packets.shut()
        };
        let mut state = peer.lock();
        // A connection that failed half-way is known to one end alone.
        if state.peer().is_some_and(|other| ptr::eq(other, &**sk)) {
            if unread || cause == Cause::NeverAccepted {
                state.set_error(ECONNRESET);
            }
            state.add_shutdown(Shutdown::BOTH);
            drop(state);
            peer.state_changed();
            peer.signal_hangup();
        }
    }
    if stream {
        sk.data().received.close();
    } else {
        sk.data().packets.close();
    }

    if cause == Cause::Released {
        inflight::something_closed(sk);
    }

    // Closes each connection that was not accepted, by way of `abandoned`.
    drop(backlog);
}
