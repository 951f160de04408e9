// SPDX-License-Identifier: GPL-2.0

//! Datagrams: peers that change, and packets that find their way by name.

use super::landing;
use super::names;
use super::packets::{
    self,
    Attached,
    Sent, //
};
use super::passing::Passing;
use super::socket::{
    look_again,
    Live,
    Runix,
    Sock, //
};
#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    Blocking,
    Files,
    Packet,
    Phase,
    SendMsg,
    Sender,
    SockType,
    StateGuard,
    Timeout,
    Turn, //
};
use crate::pure::{
    addr::Name,
    habit::WORTHWHILE,
    patience::worth_of_bytes, //
};
use core::ptr;
use kernel::{
    prelude::*,
    sync::aref::ARef, //
};

/// Bytes of `SO_SNDBUF` that no message may use, as with AF_UNIX.
const RESERVE: usize = 32;

/// Gives a datagram socket a peer, or takes it away (`AF_UNSPEC`): `connect(2)`.
///
/// Mirrors `unix_dgram_connect()`. May sleep.
pub(super) fn connect(sk: &Live<'_>, address: &[u8]) -> Result {
    let family = address.first_chunk::<2>().ok_or(EINVAL)?;
    if u16::from_ne_bytes(*family) == 0 {
        let mut state = sk.lock();
        let old = state.replace_peer(None)?;
        if old.is_some() {
            state.set_phase(Phase::Closed);
        }
        drop(state);
        parted(sk, old, None);
        return Ok(());
    }
    let name = names::parse(address)?;
    names::bind_for_credentials(sk)?;
    loop {
        let other = names::find(sk, name, address)?;
        let old = match Sock::lock_two(sk, &other) {
            Some((mut own, mut theirs)) => {
                if other.is_dead() {
                    continue;
                }
                check_may_send(sk, &theirs)?;
                sk.may_send(&theirs)?;
                own.set_phase(Phase::Established);
                theirs.set_phase(Phase::Established);
                own.replace_peer(Some(other.clone()))?
            }
            // A socket may be its own peer.
            None => {
                let mut own = sk.lock();
                check_may_send(sk, &own)?;
                sk.may_send(&own)?;
                own.set_phase(Phase::Established);
                own.replace_peer(Some(other.clone()))?
            }
        };
        parted(sk, old, Some(&other));
        return Ok(());
    }
}

/// Checks that a socket takes packets from this one: it has no other peer.
fn check_may_send(sk: &Sock, other: &StateGuard<'_, Runix>) -> Result {
    match other.peer() {
        Some(peer) if !ptr::eq(peer, sk) => Err(EPERM),
        _ => Ok(()),
    }
}

/// Follows up on a change of peers, without locks: who polls the socket may
/// write again, and what the old peer had sent is dropped.
fn parted(sk: &Live<'_>, old: Option<ARef<Sock>>, new: Option<&Sock>) {
    let Some(old) = old else {
        return;
    };
    sk.wake_writers();
    if new.is_some_and(|new| ptr::eq(new, &*old)) {
        return;
    }
    disconnected(sk, &old);
    let mut state = old.lock();
    if state.peer().is_none() {
        state.set_phase(Phase::Closed);
    }
}

/// Drops what is queued from a peer that is one no longer. If that peer was
/// connected to us, it learns of the loss (`ECONNRESET`).
///
/// Mirrors `unix_dgram_disconnected()`.
fn disconnected(sk: &Live<'_>, old: &Sock) {
    let any = sk.packet_count() > 0;
    packets::purge(sk);
    if !any {
        return;
    }
    sk.wake_all_waiters();
    let mut state = old.lock();
    let mutual = state.peer().is_some_and(|peer| ptr::eq(peer, sk.sock()));
    if !old.is_dead() && mutual {
        state.set_error(ECONNRESET);
        drop(state);
        old.error_reported();
    }
}

/// Sends a packet: `sendmsg(2)`.
///
/// Mirrors `unix_dgram_sendmsg()`. May sleep (`SO_SNDTIMEO`).
pub(super) fn send(sk: &Live<'_>, msg: &mut SendMsg<'_>) -> Result<usize> {
    if !msg.is_plain() {
        return send_named(sk, msg);
    }
    // A connection keeps its peer; that of a datagram socket may change, and needs a reference.
    if let Some(peer) = sk.peer() {
        return send_plain(sk, msg, peer, None);
    }
    match sk.peer_get() {
        Some(peer) => send_plain(sk, msg, &peer, None),
        None => send_any(sk, msg),
    }
}

/// Sends a packet to a receiver that is named, where nothing but the name goes with
/// it; otherwise, or if there is no such receiver, it is for [`send_any`], which knows
/// all errors and their order.
///
/// Cases of the bench: `to-path`, `to-abstract`.
fn send_named(sk: &Live<'_>, msg: &mut SendMsg<'_>) -> Result<usize> {
    if let Some(bytes) = msg.address().filter(|_| msg.is_addressed_bytes()) {
        if let Ok(name) = names::parse(bytes) {
            return match names::find(sk, name, bytes) {
                Ok(other) => send_plain(sk, msg, &other, Some(Address { name, bytes })),
                Err(e) => send_slowly(sk, msg, Some(e)),
            };
        }
    }
    send_any(sk, msg)
}

/// Sends a packet of nothing but bytes, and the sender's credentials if they are asked for,
/// to the peer, or to who has the name in `address`, where all is as it mostly is;
/// otherwise it is for [`send_any`] and [`send_packet`], which look at everything.
///
/// Cases of the bench: `sr/seqpacket`, `sr/dgram`, `creds`, and all that follow from those.
fn send_plain(
    sk: &Live<'_>,
    msg: &mut SendMsg<'_>,
    peer: &Sock,
    address: Option<Address<'_>>,
) -> Result<usize> {
    let (len, sndbuf) = (msg.remaining(), sk.sndbuf());
    if sk.has_error()
        || sk.shutdown().send()
        || len > sndbuf.saturating_sub(RESERVE)
        || sk.charged() >= sndbuf
        || !peer.takes_as_sent()
    {
        return send_any(sk, msg);
    }
    let told = sk.credentials_wanted(peer);
    if told && names::wants_name(sk) {
        return send_any(sk, msg);
    }
    if len >= WORTHWHILE && !told && landing::send(sk, msg, peer)? {
        return Ok(len);
    }
    let mut packet = Packet::new(msg, |size| Sent::new(sk, size))?;
    if told {
        packet.meta_mut().attach_sender()?;
    }

    let mut state = peer.lock();
    let sequenced = sk.is_kind(SockType::SeqPacket);
    if !takes_now(sk, peer, &state) {
        drop(state);
        let (packet, timeout) = (Some(packet), timeout(sk, msg));
        return send_packet(sk, packet, len, address, None, None, timeout);
    }
    // Asked once: who is refused is noted by those who refuse.
    if !sequenced {
        sk.may_send(&state)?;
    }
    let packets = peer.packets().ok_or(EINVAL)?;
    let result = packets.queue.push(packets.list(&mut state)?, packet);
    drop(state);
    // It is only shut once the receiver is dead, which it isn't under its lock.
    result.map_err(|_| EPIPE)?;
    peer.data_ready();
    Ok(len)
}

/// Tells whether a receiver, whose state is locked, takes a packet at once, of nothing but
/// bytes.
#[inline(always)]
pub(super) fn takes_now(sk: &Live<'_>, peer: &Sock, state: &StateGuard<'_, Runix>) -> bool {
    let room = match state.peer() {
        Some(other) => ptr::eq(other, sk.sock()),
        None => !packets::is_full(peer),
    };
    room && !peer.is_dead() && !peer.shutdown().receive()
}

/// How long a send may wait.
fn timeout(sk: &Live<'_>, msg: &SendMsg<'_>) -> Timeout {
    match msg.blocking() {
        Blocking::Yes => sk.send_timeout(),
        Blocking::No => Timeout::NONE,
    }
}

/// Sends a packet with all that may go with it.
fn send_any(sk: &Live<'_>, msg: &mut SendMsg<'_>) -> Result<usize> {
    send_slowly(sk, msg, None)
}

/// Does the same, or fails with what has come of the search for the receiver, if that is
/// known, once everything before that is known to be well: who is refused by a security
/// module isn't to be looked for twice.
#[inline(never)]
fn send_slowly(sk: &Live<'_>, msg: &mut SendMsg<'_>, missing: Option<Error>) -> Result<usize> {
    let ancillary = msg.ancillary()?;
    if msg.is_out_of_band() {
        return Err(EOPNOTSUPP);
    }
    let address = Address::of(msg)?;
    names::bind_for_credentials(sk)?;
    let len = msg.remaining();
    if len > sk.sndbuf().saturating_sub(RESERVE) {
        return Err(EMSGSIZE);
    }
    let mut timeout = timeout(sk, msg);
    wait_for_room(sk, &mut timeout)?;

    if len >= WORTHWHILE && missing.is_none() && landing::send_late(sk, msg)? {
        return Ok(len);
    }
    let packet = Some(Packet::new(msg, |size| Sent::new(sk, size))?);
    if let Some(e) = missing {
        return Err(e);
    }
    let (stated, files) = (ancillary.sender, ancillary.files);
    send_packet(sk, packet, len, address, stated, files, timeout)
}

/// Sends a packet that was made, with what goes with it.
#[inline(never)]
fn send_packet(
    sk: &Live<'_>,
    mut packet: Option<Packet<Sent>>,
    len: usize,
    address: Option<Address<'_>>,
    mut stated: Option<Sender>,
    mut files: Option<Files>,
    mut timeout: Timeout,
) -> Result<usize> {
    loop {
        let other = match &address {
            Some(address) => names::find(sk, address.name, address.bytes)?,
            None => sk.peer_get().ok_or(ENOTCONN)?,
        };
        if let Some(packet) = packet.as_mut() {
            if !packet.filter(&other)? {
                // The sender doesn't learn that nobody wants it.
                return Ok(len);
            }
            let attached = Attached::new(sk, &other, stated.take(), files.take())?;
            packet.meta_mut().attach(attached)?;
        }
        match deliver(sk, &other, &mut packet, &mut timeout, address.is_some())? {
            Delivery::Done => {
                other.data_ready();
                return Ok(len);
            }
            // What goes with the packet was made up for a receiver that has gone.
            Delivery::LookAgain => {
                if let Some(packet) = packet.as_mut() {
                    let attached = packet.meta_mut().detach();
                    stated = attached.sender;
                    files = attached.passing.and_then(Passing::take);
                }
            }
        }
    }
}

/// The address that a packet is sent to.
#[derive(Clone, Copy)]
struct Address<'a> {
    name: Name<'a>,
    bytes: &'a [u8],
}

impl<'a> Address<'a> {
    /// Returns the address of a message, if it has one, and checks it.
    fn of(msg: &SendMsg<'a>) -> Result<Option<Self>> {
        let Some(bytes) = msg.address() else {
            return Ok(None);
        };
        let name = names::parse(bytes)?;
        Ok(Some(Self { name, bytes }))
    }
}

/// Waits until the sender may send one packet more.
///
/// The order of errors is that of `sock_alloc_send_pskb()`.
fn wait_for_room(sk: &Live<'_>, timeout: &mut Timeout) -> Result {
    loop {
        sk.take_error()?;
        if sk.shutdown().send() {
            return Err(EPIPE);
        }
        if packets::has_room(sk) {
            return Ok(());
        }
        sk.note_no_space();
        let mut ready = || sk.has_error() || sk.shutdown().send() || packets::has_room(sk);
        let room = || sk.sndbuf().saturating_sub(sk.charged());
        if !look_again(sk, *timeout, &mut ready, || worth_of_bytes(room())) {
            sk.wait(Turn::All, timeout, ready)?;
        }
    }
}

/// What came of [`deliver`].
enum Delivery {
    /// The packet is in the receiver's queue.
    Done,
    /// The receiver is to be looked up again.
    LookAgain,
}

/// Puts a packet into a receiver's queue, waiting until it takes one.
fn deliver(
    sk: &Live<'_>,
    other: &Sock,
    packet: &mut Option<Packet<Sent>>,
    timeout: &mut Timeout,
    by_name: bool,
) -> Result<Delivery> {
    let mut woken = false;
    let result = deliver_in_turn(sk, other, packet, timeout, by_name, &mut woken);
    if woken && !matches!(result, Ok(Delivery::Done)) {
        // Whose turn it was, and who doesn't take it, gives it to the next.
        other.wake_one_waiter();
    }
    result
}

/// Does so, and tells whether it was woken for it.
fn deliver_in_turn(
    sk: &Live<'_>,
    other: &Sock,
    packet: &mut Option<Packet<Sent>>,
    timeout: &mut Timeout,
    by_name: bool,
    woken: &mut bool,
) -> Result<Delivery> {
    loop {
        let mut state = other.lock();
        check_may_send(sk, &state)?;
        if other.is_dead() {
            drop(state);
            return receiver_is_gone(sk, other, by_name);
        }
        if other.shutdown().receive() {
            return Err(EPIPE);
        }
        if let Some(packet) = packet.as_ref() {
            packet.meta().check_taken(other)?;
        }
        if !sk.is_kind(SockType::SeqPacket) {
            sk.may_send(&state)?;
        }
        let connected = state.peer().is_some_and(|peer| ptr::eq(peer, sk.sock()));
        let full = !connected && !ptr::eq(other, sk.sock()) && packets::is_full(other);
        if !full {
            let mut packet = packet.take().ok_or(EINVAL)?;
            packet.stamp(other);
            let packets = other.packets().ok_or(EINVAL)?;
            let result = packets.queue.push(packets.list(&mut state)?, packet);
            drop(state);
            // It is only shut once the receiver is dead, which it isn't under its lock.
            return result.map(|()| Delivery::Done).map_err(|_| EPIPE);
        }
        drop(state);
        if timeout.is_none() {
            // Whoever polls for room from now on is woken when there is some.
            if !is_peer(sk, other) || packets::wait_for_peer(sk, other) {
                return Err(EAGAIN);
            }
            continue;
        }
        let waited = other.wait_for_room(timeout, || {
            other.is_dead() || other.shutdown().receive() || !packets::is_full(other)
        });
        *woken = waited.is_ok();
        // The time may be up just when there is room: the loop looks once more.
        if waited != Err(EAGAIN) {
            waited?;
        }
    }
}

fn is_peer(sk: &Live<'_>, other: &Sock) -> bool {
    sk.lock().peer().is_some_and(|peer| ptr::eq(peer, other))
}

/// Handles a receiver that has been closed.
fn receiver_is_gone(sk: &Live<'_>, other: &Sock, by_name: bool) -> Result<Delivery> {
    if sk.is_kind(SockType::SeqPacket) {
        return Err(EPIPE);
    }
    let mut state = sk.lock();
    if state.peer().is_some_and(|peer| ptr::eq(peer, other)) {
        let old = state.replace_peer(None)?;
        state.set_phase(Phase::Closed);
        drop(state);
        sk.wake_writers();
        if let Some(old) = old {
            disconnected(sk, &old);
        }
        return Err(ECONNREFUSED);
    }
    drop(state);
    if by_name {
        Ok(Delivery::LookAgain)
    } else {
        Err(ECONNRESET)
    }
}
