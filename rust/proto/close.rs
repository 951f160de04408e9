// SPDX-License-Identifier: GPL-2.0

//! The end of a socket.

use super::inflight;
use super::module::Space;
use super::packets;
use super::socket::Runix;
#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    Backlog,
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
    let space: Option<&Space> = sk.space();
    if let Some(space) = space {
        space.sockets.remove(sk);
    }
    // Most sockets never get a name.
    if sk.is_listed_by_name() {
        let files = sk
            .initial_space()
            .and_then(|all: &Space| all.files.as_ref());
        if let Some(space) = space {
            space.names.remove(sk);
        }
        if let Some(files) = files {
            files.remove(sk);
        }
    }

    // What is taken out under the lock is dropped after it.
    let mut state = sk.lock();
    sk.orphan(&mut state);
    state.add_shutdown(Shutdown::BOTH);
    state.set_phase(Phase::Closed);
    let path = state.replace_path(None);
    let backlog =
        (!state.backlog.is_empty()).then(|| mem::replace(&mut state.backlog, Backlog::new()));
    let peer = sk.take_peer(&mut state);
    // Who sends packets looks under this lock whether the socket is dead.
    let packets = sk.packets();
    let unread_packets = packets.is_some_and(|packets| packets::shut(packets, &mut state));
    drop(state);
    drop(path);

    sk.wake_all_waiters();
    // Nothing comes in any more, so that what is unread now is all there is. The peer learns of
    // the end before its bytes are freed, which might wake it.
    let (unread, holds) = match sk.received() {
        Some(queue) => {
            let holds = queue.shut();
            (holds && queue.unread() > 0, holds)
        }
        None => (unread_packets, sk.packet_count() > 0),
    };
    if let Some(peer) = peer.filter(|_| !sk.is_kind(SockType::Datagram)) {
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
    // Most are closed empty.
    if holds {
        match sk.received() {
            Some(queue) => {
                queue.close();
            }
            None => packets::purge(sk),
        }
    }

    if cause == Cause::Released {
        inflight::something_closed(sk);
    }

    // Closes each connection that was not accepted, by way of `abandoned`.
    drop(backlog);
}
