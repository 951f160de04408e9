// SPDX-License-Identifier: GPL-2.0

//! Large messages that are copied once, to the memory of a reader that waits: see
//! [`crate::net::Offer`].
//!
//! Cases of the bench: `oneway` and `pingpong`, from 64 KiB on.

use super::dgram;
use super::module::Space;
use super::packets::{
    Attached,
    Sent, //
};
use super::socket::{
    look_again,
    Live,
    Sock, //
};
use super::stream;
#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    wait_briefly,
    Blocking,
    ByteQueue,
    Lands,
    Offer,
    PacketQueue,
    Phase,
    PullFault,
    Reader,
    ReceiveMsg,
    SendMsg,
    SockType,
    Timeout,
    Turn, //
};
use crate::pure::patience::worth_of_bytes;
use kernel::prelude::*;

/// Tells whether a reader of a queue has memory on offer, for a message.
///
/// If the message before went to such memory, the reader is likely to come back for more,
/// and is given the time for that, once.
pub(super) fn is_open(sk: &Live<'_>, queue: &impl Lands, msg: &SendMsg<'_>) -> bool {
    if queue.has_landing() {
        return true;
    }
    // Two switches of tasks cost as much as to copy that.
    const WORTH_A_TURN: usize = 192 << 10;
    let len = msg.remaining();
    len >= WORTH_A_TURN
        && msg.blocking() == Blocking::Yes
        && queue.take_landed()
        && look_again(
            sk,
            sk.send_timeout(),
            || queue.has_landing(),
            || worth_of_bytes(len),
        )
}

/// Copies a packet of nothing but bytes to a reader that waits for it, and tells whether
/// that was possible; otherwise nothing has happened.
#[inline(never)]
pub(super) fn send(sk: &Live<'_>, msg: &mut SendMsg<'_>, peer: &Sock) -> Result<bool> {
    let queue = &peer.packets().ok_or(EINVAL)?.queue;
    queue.expect(msg.remaining());
    if !is_open(sk, queue, msg) {
        return Ok(false);
    }
    let landed = queue.land(msg, |tag| {
        let state = peer.lock();
        let takes = dgram::takes_now(sk, peer, &state) && queue.is_unchanged(tag);
        if takes && !sk.is_kind(SockType::SeqPacket) {
            sk.may_send(&state)?;
        }
        Ok(takes)
    })?;
    if landed {
        peer.data_ready();
    }
    Ok(landed)
}

/// Does the same for a sender that may have had to wait, if all is as it mostly is.
pub(super) fn send_late(sk: &Live<'_>, msg: &mut SendMsg<'_>) -> Result<bool> {
    let land = |msg, peer: &Sock| {
        let plainly = peer.takes_as_sent() && !sk.credentials_wanted(peer);
        Ok(plainly && send(sk, msg, peer)?)
    };
    if !msg.is_plain() {
        return Ok(false);
    }
    match sk.peer() {
        Some(peer) => land(msg, peer),
        None => sk.peer_get().map_or(Ok(false), |peer| land(msg, &peer)),
    }
}

/// Offers the memory of a receive that waits to the senders, if there is likely to be much
/// (`net.runix.land_kib`). `seen` tells what has come so far.
fn offer<'a, Q: Lands>(
    sk: &Live<'_>,
    queue: &'a Q,
    msg: &mut ReceiveMsg<'_>,
    seen: usize,
) -> Option<Offer<'a, Q>> {
    let space: &Space = sk.space()?;
    let most = usize::try_from(space.land.get()).unwrap_or(0);
    Offer::new(queue, msg, seen, most.saturating_mul(1024))
}

/// Waits for the first moments with the message's memory on offer to writers, for bytes to
/// land there, or for what `ready` says, where a queue that has come to `seen` has none.
///
/// Returns how many bytes have landed. Signals and times that are up are left for the
/// caller to see.
#[inline(never)]
pub(super) fn wait_for_bytes(
    sk: &Live<'_>,
    queue: &ByteQueue<Attached>,
    msg: &mut ReceiveMsg<'_>,
    timeout: &mut Timeout,
    seen: usize,
    ready: impl Fn() -> bool,
) -> usize {
    if timeout.is_none() {
        return 0;
    }
    let Some(offer) = offer(sk, queue, msg, seen) else {
        stream::look_for_bytes(sk, msg.blocking());
        return 0;
    };
    let ready = || offer.filled() > 0 || ready();
    if !look_again(sk, *timeout, ready, || worth_of_bytes(offer.filled())) {
        // The caller asks for what there is to say.
        let _ = wait_briefly(timeout, |brief| sk.wait_readable(brief, ready));
    }
    let reader = queue.read();
    match offer.take_back_reading(msg, &reader) {
        (0, _) => 0,
        (landed, follows) => landed.saturating_add(take_following(sk, queue, reader, msg, follows)),
    }
}

/// Receives the next `follows` bytes of the queue as well, in so far as they are nothing but
/// bytes and there is room. Returns how many those were.
///
/// Memory that isn't present is brought in: so it is on offer the next time.
fn take_following<'a>(
    sk: &Live<'_>,
    queue: &'a ByteQueue<Attached>,
    mut reader: Reader<'a, Attached>,
    msg: &mut ReceiveMsg<'_>,
    follows: usize,
) -> usize {
    let mut taken = 0;
    while taken < follows && msg.room() > 0 {
        let run = reader.run(0);
        let plain = run.value.is_none() && !run.out_of_band;
        let limit = run.len.min(follows.wrapping_sub(taken));
        if !plain || limit == 0 {
            break;
        }
        let position = reader.position();
        match reader.pull(msg, limit) {
            Ok(0) => break,
            Ok(count) => taken = taken.wrapping_add(count),
            Err(PullFault(count)) => {
                drop(reader);
                let present = msg.fault_in(count).is_ok();
                reader = queue.read();
                if !present || reader.position() != position {
                    break;
                }
            }
        }
    }
    drop(reader);
    if taken > 0 {
        stream::wake_writers(sk);
    }
    taken
}

/// Waits for the first moments with the message's memory on offer to senders, for a packet
/// to land there, or until there is something else to do.
///
/// Returns the length of the packet that has landed. Signals and times that are up are left
/// for the caller to see.
#[inline(never)]
pub(super) fn wait_for_packet(
    sk: &Live<'_>,
    queue: &PacketQueue<Sent>,
    msg: &mut ReceiveMsg<'_>,
    timeout: &mut Timeout,
) -> Option<usize> {
    let seen = queue.arrivals();
    // There is to be nothing to tell but the bytes, and whose they are if that is known anyway.
    if !queue.expects_much(msg)
        || timeout.is_none()
        || queue.count() > 0
        || msg.is_peek()
        || !sk.receives_plainly()
        || (msg.wants_address() && !sk.is_kind(SockType::SeqPacket))
    {
        return None;
    }
    let offer = offer(sk, queue, msg, seen)?;
    let ready = || {
        offer.filled() > 0
            || queue.count() > 0
            || sk.has_error()
            || sk.shutdown().receive()
            || (sk.is_kind(SockType::SeqPacket) && sk.phase() == Phase::Closed)
    };
    if !look_again(sk, *timeout, ready, || worth_of_bytes(offer.filled())) {
        // The caller asks for what there is to say. `SIGIO` comes meanwhile, as ever with
        // packets.
        let _ = wait_briefly(timeout, |brief| sk.wait(Turn::All, brief, ready));
    }
    let landed = Some(offer.take_back(msg)).filter(|landed| *landed > 0)?;
    sk.peek_offset_back(landed);
    if msg.wants_address() {
        if let Some(address) = sk.peer().and_then(|peer| peer.address()) {
            msg.set_address(address);
        }
    }
    Some(landed)
}
