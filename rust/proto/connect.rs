// SPDX-License-Identifier: GPL-2.0

//! How connections come about: listen, connect, accept, socketpair.

use super::names;
use super::options;
use super::socket::{
    Live,
    Pending,
    Sock, //
};
#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    Blocking,
    PeerCred,
    Phase,
    Shutdown,
    SockType,
    Timeout,
    Turn, //
};
use crate::pure::limits;
use core::{
    ops::ControlFlow,
    ptr, //
};
use kernel::{
    prelude::*,
    sync::aref::ARef, //
};

/// Lets a socket take connections: `listen(2)`.
///
/// Mirrors `unix_listen()`. May sleep.
pub(super) fn listen(sk: &Live<'_>, backlog: u32) -> Result {
    if sk.address().is_none() {
        return Err(EINVAL);
    }
    let cred = PeerCred::current()?;

    let mut state = sk.lock();
    if sk.phase() == Phase::Established || sk.is_dead() {
        return Err(EINVAL);
    }
    let more = backlog > sk.backlog();
    state.set_backlog(backlog);
    state.set_phase(Phase::Listening);
    // Those who connect see who called listen() last.
    let old = sk.set_peer_cred(cred);
    drop(state);
    drop(old);
    if more {
        sk.wake_all_waiters();
    }
    Ok(())
}

/// Connects a socket to the one with the name in `bytes`: `connect(2)`.
///
/// The connection is complete, and may be written to, before it is accepted. A
/// full queue makes the caller wait (`SO_SNDTIMEO`), or fail with `EAGAIN`.
///
/// Mirrors `unix_stream_connect()`. May sleep.
pub(super) fn connect(sk: &Live<'_>, bytes: &[u8], blocking: Blocking) -> Result {
    let name = names::parse(bytes)?;
    names::bind_for_credentials(sk)?;
    let mut timeout = match blocking {
        Blocking::Yes => sk.send_timeout(),
        Blocking::No => Timeout::NONE,
    };
    // The listener that has woken us, as it had room.
    let mut turn: Option<ARef<Sock>> = None;
    loop {
        let result = names::find(sk, name, bytes)
            .and_then(|listener| Ok((attempt(sk, &listener, &mut timeout)?, listener)));
        if let Some(first) = turn.take() {
            // Whose turn it was, and who doesn't take it, gives it to the next.
            let taken = |(_, listener): &(_, ARef<Sock>)| ptr::eq(&**listener, &*first);
            if !result.as_ref().is_ok_and(taken) {
                first.wake_one_waiter();
            }
        }
        let (done, listener) = result?;
        if let ControlFlow::Break(()) = done {
            listener.data_ready();
            return Ok(());
        }
        turn = Some(listener);
    }
}

/// Checks that a listener takes connections now.
///
/// `Continue` if it is full, which passes.
fn check_listener(listener: &Sock) -> Result<ControlFlow<()>> {
    if listener.phase() != Phase::Listening || listener.shutdown().receive() {
        return Err(ECONNREFUSED);
    }
    Ok(if is_full(listener) {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    })
}

fn is_full(listener: &Sock) -> bool {
    limits::backlog_full(listener.pending(), listener.backlog())
}

/// Checks that a socket may be connected.
fn check_unconnected(sk: &Sock) -> Result {
    match sk.phase() {
        Phase::Closed => Ok(()),
        Phase::Established => Err(EISCONN),
        Phase::Listening => Err(EINVAL),
    }
}

/// Tries to connect to a listener that was found; `Continue` if the name is to
/// be looked up again, because the listener went away or was full.
fn attempt(sk: &Live<'_>, listener: &Sock, timeout: &mut Timeout) -> Result<ControlFlow<()>> {
    if listener.is_dead() {
        return Ok(ControlFlow::Continue(()));
    }
    if check_listener(listener)?.is_continue() {
        return wait_for_room(listener, timeout);
    }
    check_unconnected(sk)?;

    // All that may fail or sleep comes before the locks.
    let new = Pending::like(sk)?;
    if let Some(address) = listener.shared_address() {
        let path = listener.lock().shared_path();
        new.set_name(address, path)?;
    }
    new.sock().set_listener(Some(listener));
    options::inherit(new.sock(), listener);
    new.sock().set_peer_cred_current()?;
    {
        let mut state = new.sock().lock();
        state.set_peer(sk.hold())?;
        state.set_phase(Phase::Established);
    }
    match join(sk, listener, &mut Some(new))? {
        Joined::Yes => Ok(ControlFlow::Break(())),
        Joined::ListenerGone => Ok(ControlFlow::Continue(())),
        Joined::ListenerFull => wait_for_room(listener, timeout),
    }
}

/// What came of [`join`].
enum Joined {
    /// The connection is in the listener's queue.
    Yes,
    /// The listener is closed.
    ListenerGone,
    /// The listener's queue is full.
    ListenerFull,
}

/// Puts a prepared connection into the listener's queue, under both locks.
///
/// Takes it out of `new` if it does.
fn join(sk: &Live<'_>, listener: &Sock, new: &mut Option<Pending>) -> Result<Joined> {
    // Declared before the locks, and so dropped after them.
    let _old_cred;
    let Some((mut server, mut client)) = Sock::lock_two(listener, sk) else {
        // The socket would connect to itself.
        return Err(EINVAL);
    };
    if listener.is_dead() {
        return Ok(Joined::ListenerGone);
    }
    if check_listener(listener)?.is_continue() {
        return Ok(Joined::ListenerFull);
    }
    check_unconnected(sk)?;
    let pending = new.as_ref().ok_or(EINVAL)?;
    client.may_connect(&server, pending)?;
    let end = pending.sock().into();

    // Nothing fails from here on.
    client.set_peer(end)?;
    client.set_phase(Phase::Established);
    _old_cred = sk.set_peer_cred(listener.peer_cred());
    let count = listener.pending().wrapping_add(1);
    server.set_pending(count);
    if let Some(pending) = new.take() {
        server.backlog.push(pending);
    }
    Ok(Joined::Yes)
}

/// Waits until a full listener may have room, or has gone.
fn wait_for_room(listener: &Sock, timeout: &mut Timeout) -> Result<ControlFlow<()>> {
    listener.wait_for_room(timeout, || {
        listener.is_dead() || listener.shutdown().receive() || !is_full(listener)
    })?;
    Ok(ControlFlow::Continue(()))
}

/// Takes the connection that has waited longest: `accept(2)`.
///
/// Mirrors `unix_accept()`. May sleep (`SO_RCVTIMEO`).
pub(super) fn accept(sk: &Live<'_>, blocking: Blocking) -> Result<Pending> {
    if sk.phase() != Phase::Listening {
        return Err(EINVAL);
    }
    let mut timeout = match blocking {
        Blocking::Yes => sk.receive_timeout(),
        Blocking::No => Timeout::NONE,
    };
    loop {
        sk.take_error()?;
        if let Some(pending) = take_pending(sk) {
            sk.wake_one_waiter();
            // What is in its queue is reached by a file of its own from here on.
            // The collector looks at this after it has counted references, and we have one to the
            // listener's file until the call ends.
            pending.sock().set_listener(None);
            return Ok(pending);
        }
        // Without waiting, a shutdown isn't seen.
        if timeout.is_none() {
            return Err(EAGAIN);
        }
        sk.wait(Turn::One, &mut timeout, || {
            sk.pending() > 0 || sk.has_error() || sk.shutdown().receive()
        })?;
        if sk.shutdown().receive() && sk.pending() == 0 {
            return Err(EINVAL);
        }
    }
}

fn take_pending(sk: &Live<'_>) -> Option<Pending> {
    let mut state = sk.lock();
    let pending = state.backlog.pop()?;
    let count = sk.pending().saturating_sub(1);
    state.set_pending(count);
    Some(pending)
}

/// Connects two new sockets back to back: `socketpair(2)`.
///
/// Mirrors `unix_socketpair()`.
pub(super) fn socketpair(a: &Live<'_>, b: &Live<'_>) -> Result {
    a.set_peer_cred_current()?;
    b.set_peer_cred_current()?;
    let (mut first, mut second) = Sock::lock_two(a, b).ok_or(EINVAL)?;
    // Both are new, and have none.
    first.set_peer(b.hold())?;
    second.set_peer(a.hold())?;
    first.set_phase(Phase::Established);
    second.set_phase(Phase::Established);
    Ok(())
}

/// Shuts down directions of a connection, at both ends: `shutdown(2)`.
///
/// Mirrors `unix_shutdown()`.
pub(super) fn shutdown(sk: &Live<'_>, what: Shutdown) -> Result {
    // The queue is shut first: who sees the shutdown sees all that was sent before it.
    if let Some(queue) = sk.received().filter(|_| what.receive()) {
        queue.shut();
    }
    let mut state = sk.lock();
    state.add_shutdown(what);
    let peer = state.peer().map(ARef::from);
    drop(state);
    sk.state_changed();

    if let Some(peer) = peer.filter(|_| !sk.is_kind(SockType::Datagram)) {
        let mirrored = what.mirrored();
        if let Some(queue) = peer.received().filter(|_| mirrored.receive()) {
            queue.shut();
        }
        peer.lock().add_shutdown(mirrored);
        peer.state_changed();
        if mirrored == Shutdown::BOTH {
            peer.signal_hangup();
        } else if mirrored.receive() {
            peer.signal_input();
        }
    }
    Ok(())
}
