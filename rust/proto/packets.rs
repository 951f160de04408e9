// SPDX-License-Identifier: GPL-2.0

//! Packets: what datagram and sequenced-packet sockets have in common.

use super::landing;
use super::passing::Passing;
use super::socket::{
    at_end,
    look_again,
    Live,
    Packets,
    Runix,
    Sock, //
};
#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    self,
    Attachment,
    Blocking,
    Charge,
    Events,
    Files,
    Origin,
    Packet,
    Pass,
    Peeked,
    Phase,
    PullFault,
    ReceiveMsg,
    Rider,
    Sender,
    SenderId,
    Shutdown,
    SmallBox,
    SockType,
    StateGuard,
    Timeout,
    Turn, //
};
use crate::pure::{
    habit::WORTHWHILE,
    limits,
    patience::{
        worth_of_bytes,
        worth_of_packets, //
    }, //
};
use kernel::prelude::*;

/// What goes with bytes or a packet, if anything does.
pub(crate) struct Attached {
    /// Who has sent it.
    pub(super) sender: Option<Sender>,
    /// The files that come with it.
    pub(super) passing: Option<Passing>,
}

impl Attached {
    /// Nothing at all.
    pub(super) const NOTHING: Self = Self {
        sender: None,
        passing: None,
    };

    /// Makes up what goes from `sk` to `other`: the credentials that the sender
    /// states, or its own where either end asks for such, and files.
    ///
    /// `None` if that is nothing. May sleep. Fails as [`Passing::new`] does.
    pub(super) fn new(
        sk: &Live<'_>,
        other: &Sock,
        stated: Option<Sender>,
        files: Option<Files>,
    ) -> Result<Option<Self>> {
        let passing = match files {
            Some(files) => Some(Passing::new(sk, other, files)?),
            None => None,
        };
        let sender = match stated {
            None if sk.credentials_wanted(other) => Some(Sender::current()?),
            stated => stated,
        };
        Ok((sender.is_some() || passing.is_some()).then_some(Self { sender, passing }))
    }

    /// Checks that the receiver takes files, if there are some: `EPERM` if not
    /// (`SO_PASSRIGHTS`).
    pub(super) fn check_taken(&self, other: &Sock) -> Result {
        check_files(self.passing.is_some(), other)
    }
}

fn check_files(some: bool, other: &Sock) -> Result {
    match some && !other.pass().any_of(Pass::FILES) {
        true => Err(EPERM),
        false => Ok(()),
    }
}

impl Rider for Attached {
    fn queued(&self) {
        if let Some(passing) = self.passing.as_ref() {
            passing.queued();
        }
    }

    fn sender_id(&self) -> Option<SenderId> {
        match self.passing {
            None => self.sender.as_ref().map(Sender::id),
            Some(_) => None,
        }
    }
}

/// What belongs to a packet besides its payload.
pub(crate) struct Sent {
    /// The sender, for as long as the packet's memory is charged to it.
    sender: Charge<Runix>,
    /// What goes with the packet: who has sent it, and files, which are rare.
    who: Option<Sender>,
    passing: Option<SmallBox<Passing>>,
}

impl Sent {
    /// Makes the sender's part of a packet of `size` bytes, which are charged to it.
    ///
    /// `ENOBUFS` if they can't be.
    #[inline]
    pub(super) fn new(sk: &Live<'_>, size: usize) -> Result<Self> {
        Ok(Self {
            sender: Charge::new(sk, size)?,
            who: None,
            passing: None,
        })
    }

    /// Lets something go with the packet, in place of what did.
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(super) fn attach(&mut self, attached: Option<Attached>) -> Result {
        let Attached { sender, passing } = attached.unwrap_or(Attached::NOTHING);
        self.passing = passing.map(SmallBox::new).transpose()?;
        self.who = sender;
        Ok(())
    }

    /// Lets the calling process go with the packet, as who sends it.
    ///
    /// May sleep. `ENOMEM` without memory.
    #[inline(never)]
    pub(super) fn attach_sender(&mut self) -> Result {
        self.who = Some(Sender::current()?);
        Ok(())
    }

    /// Tells whether nothing goes with the packet.
    #[inline]
    fn is_plain(&self) -> bool {
        self.who.is_none() && self.passing.is_none()
    }

    /// Checks that the receiver takes what goes with the packet: see
    /// [`Attached::check_taken`].
    pub(super) fn check_taken(&self, other: &Sock) -> Result {
        check_files(self.passing.is_some(), other)
    }

    /// Takes out what goes with the packet.
    pub(super) fn detach(&mut self) -> Attached {
        Attached {
            sender: self.who.take(),
            passing: self.passing.take().map(SmallBox::into_inner),
        }
    }
}

impl Rider for Sent {
    fn queued(&self) {
        if let Some(passing) = self.passing.as_ref() {
            passing.queued();
        }
    }
}

/// Learns that a packet of a socket was received or dropped, with `left` bytes left
/// that are charged to it; tells whether its writers are to be woken.
#[inline]
pub(super) fn room_is_back(data: &Packets, left: usize, sndbuf: usize) -> bool {
    // The subtraction before was fully ordered, and pairs with the barrier in `wish`.
    if data.wants_room.get() == 0 || !limits::writable(left, sndbuf) {
        return false;
    }
    data.wants_room.set(0);
    true
}

/// Tells whether a sender may send one packet more: it has not filled its
/// `SO_SNDBUF`. Otherwise it will be woken when it may again.
pub(super) fn has_room(sk: &Live<'_>) -> bool {
    wish(sk, |charged, sndbuf| charged < sndbuf)
}

/// Asks for something of the charged bytes and the limit; leaves the wish
/// to be woken if it isn't so.
fn wish(sk: &Live<'_>, ask: impl Fn(usize, usize) -> bool) -> bool {
    if ask(sk.charged(), sk.sndbuf()) {
        return true;
    }
    if let Some(packets) = sk.packets() {
        packets.wants_room.set(1);
    }
    // Pairs with the fully ordered subtraction when a charge is taken off: either the wish is
    // seen there (`room_is_back`), or the bytes are seen to be gone here.
    net::full_barrier();
    ask(sk.charged(), sk.sndbuf())
}

/// Takes the first packet.
#[inline]
fn take(sk: &Live<'_>, packets: &Packets) -> Option<Packet<Sent>> {
    let queue = &packets.queue;
    loop {
        let mut state = sk.lock();
        match packets.list(&mut state).map(|list| queue.take(list)) {
            Ok(Ok(taken)) => return taken,
            Ok(Err(Peeked)) => {}
            Err(_) => return None,
        }
        drop(state);
        queue.wait_for_lookers();
    }
}

/// Drops all packets of a socket. May sleep.
pub(super) fn purge(sk: &Sock) {
    let Some(packets) = sk.packets() else {
        return;
    };
    let queue = &packets.queue;
    loop {
        let mut state = sk.lock();
        let taken = packets.list(&mut state).map(|list| queue.take_all(list));
        if !matches!(taken, Ok(Err(Peeked))) {
            drop(state);
            // Never under a lock: files may be among it.
            drop(taken);
            return;
        }
        drop(state);
        queue.wait_for_lookers();
    }
}

/// Lets no more packets in, and tells whether there are any but an empty one in front.
pub(super) fn shut(packets: &Packets, state: &mut StateGuard<'_, Runix>) -> bool {
    packets.list(state).is_ok_and(|list| list.shut())
}

/// Receives a packet: `recvmsg(2)`.
///
/// Mirrors `__unix_dgram_recvmsg()`. May sleep (`SO_RCVTIMEO`).
pub(super) fn receive(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) -> Result<usize> {
    if msg.is_out_of_band() {
        return Err(EOPNOTSUPP);
    }
    let packets = sk.packets().ok_or(EINVAL)?;
    let queue = &packets.queue;
    let mut timeout = None;
    loop {
        sk.take_error()?;
        let mut seen = None;
        if msg.is_peek() {
            seen = Some(queue.arrivals());
            let locked = |with: &mut dyn FnMut(&mut _)| {
                let mut state = sk.lock();
                if let Ok(list) = packets.list(&mut state) {
                    with(list);
                }
            };
            let peeked = queue.peek(locked, sk.peek_offset(), |packet, skip| {
                let counts = deliver(packet, msg, skip)?;
                packet.tell_time(sk, msg);
                let labelled = sk.pass().any_of(Pass::LABEL);
                let from = labelled.then(|| packet.meta().sender.again());
                Ok((counts, from, peek_attached(packet)))
            });
            match peeked {
                Some(Ok(((len, copied), from, (sender, files)))) => {
                    sk.peek_offset_forward(copied);
                    sk.wake_senders();
                    if files.is_some() || sk.pass().any_of(Pass::TOLD) {
                        tell(
                            sk,
                            msg,
                            sender.as_ref(),
                            from.as_ref().map(Origin::from),
                            files,
                        );
                    }
                    return Ok(len);
                }
                Some(Err(PullFault(count))) => {
                    msg.fault_in(count)?;
                    continue;
                }
                None => {}
            }
        } else if let Some(packet) = take(sk, packets) {
            if sk.is_kind(SockType::Datagram) {
                // A connection is never full: its senders wait at their own sockets.
                sk.wake_senders();
            }
            return receive_taken(sk, packet, msg);
        }
        let timeout = timeout.get_or_insert_with(|| match msg.blocking() {
            Blocking::Yes => sk.receive_timeout(),
            Blocking::No => Timeout::NONE,
        });
        if msg.room() >= WORTHWHILE {
            if let Some(landed) = landing::wait_for_packet(sk, &packets.queue, msg, timeout) {
                return Ok(landed);
            }
        }
        if let Some(end) = wait(sk, timeout, seen)? {
            return Ok(end);
        }
    }
}

/// Hands a packet that was taken out of the queue to the program. A fault that
/// can't be mended loses it, as with AF_UNIX.
fn receive_taken(
    sk: &Live<'_>,
    mut packet: Packet<Sent>,
    msg: &mut ReceiveMsg<'_>,
) -> Result<usize> {
    loop {
        match deliver(&packet, msg, 0) {
            // Most often there is nothing to tell but the bytes.
            Ok((len, _)) if packet.meta().is_plain() && sk.receives_plainly() => {
                return Ok(len);
            }
            Ok((len, _)) => {
                sk.peek_offset_back(packet.len());
                packet.tell_time(sk, msg);
                let Attached { sender, passing } = packet.meta_mut().detach();
                let files = passing.and_then(Passing::take);
                if files.is_some() || sk.pass().any_of(Pass::TOLD) {
                    let from = &packet.meta().sender;
                    tell(sk, msg, sender.as_ref(), Some(Origin::from(from)), files);
                }
                return Ok(len);
            }
            Err(PullFault(count)) => msg.fault_in(count)?,
        }
    }
}

/// Hands the program what came with bytes or a packet.
pub(super) fn tell(
    sk: &Live<'_>,
    msg: &mut ReceiveMsg<'_>,
    sender: Option<&Sender>,
    from: Option<Origin<'_>>,
    files: Option<Files>,
) {
    let whole = sk.data().switches().whole_rights.get();
    msg.set_ancillary(
        sk,
        Attachment {
            sender,
            from,
            files,
            whole,
        },
    );
}

/// Returns copies of what goes with a packet. Files that can't be duplicated
/// are left out, as with AF_UNIX.
fn peek_attached(packet: &Packet<Sent>) -> (Option<Sender>, Option<Files>) {
    let sender = packet.meta().who.as_ref().map(Sender::duplicate);
    let passing = packet.meta().passing.as_ref();
    let files = passing.and_then(|passing| passing.duplicate().ok().flatten());
    (sender, files)
}

/// Copies a packet from `skip` on to the program. Returns what the call is to
/// return, and how many bytes were copied.
fn deliver(
    packet: &Packet<Sent>,
    msg: &mut ReceiveMsg<'_>,
    skip: usize,
) -> Result<(usize, usize), PullFault> {
    let len = packet.len().saturating_sub(skip);
    let count = len.min(msg.room());
    packet.copy_out(msg, skip, count)?;
    if msg.wants_address() {
        if let Some(address) = packet.meta().sender.address() {
            msg.set_address(address);
        }
    }
    if count < len {
        msg.set_truncated();
    }
    Ok((if msg.wants_length() { len } else { count }, count))
}

/// Waits for a packet; for one more than had arrived at `seen`, if that is given. Returns what to return if none will come.
fn wait(sk: &Live<'_>, timeout: &mut Timeout, seen: Option<usize>) -> Result<Option<usize>> {
    let sequenced = sk.is_kind(SockType::SeqPacket);
    if timeout.is_none() {
        // A sequenced socket tells the end even without waiting.
        if sequenced && at_end(sk)? {
            return Ok(Some(0));
        }
        return Err(EAGAIN);
    }
    let queue = &sk.packets().ok_or(EINVAL)?.queue;
    let ended = || sk.shutdown().receive() || (sequenced && sk.phase() == Phase::Closed);
    let arrived = || match seen {
        Some(seen) => queue.arrivals() != seen,
        None => queue.count() > 0,
    };
    let mut ready = || arrived() || sk.has_error() || ended();
    let worth = || worth_of_packets(queue.count()).max(worth_of_bytes(queue.bytes()));
    let result = if look_again(sk, *timeout, &mut ready, worth) {
        Ok(())
    } else {
        // Unlike with a stream, `SIGIO` comes meanwhile, as with AF_UNIX.
        sk.wait(Turn::All, timeout, ready)
    };
    if result == Err(EAGAIN) && sequenced && at_end(sk)? {
        return Ok(Some(0));
    }
    result?;
    if arrived() {
        return Ok(None);
    }
    if at_end(sk)? {
        return Ok(Some(0));
    }
    // A sequenced connection may have gone while there was nothing to read.
    if sequenced && sk.phase() == Phase::Closed {
        return Err(ENOTCONN);
    }
    Ok(None)
}

/// Tells what a datagram or sequenced-packet socket is ready for.
///
/// Mirrors `unix_dgram_poll()`.
pub(super) fn poll(sk: &Live<'_>) -> Events {
    let mut events = Events::NONE;
    let shutdown = sk.shutdown();
    let phase = sk.phase();
    if sk.has_error() {
        events |= Events::ERROR;
    }
    if shutdown.receive() {
        events |= Events::READ_HANGUP;
        events |= Events::READABLE;
    }
    if shutdown == Shutdown::BOTH {
        events |= Events::HANGUP;
    }
    if sk.packet_count() > 0 || (phase == Phase::Listening && sk.pending() > 0) {
        events |= Events::READABLE;
    }
    if sk.is_kind(SockType::SeqPacket) && phase == Phase::Closed {
        events |= Events::HANGUP;
    }
    let writable = phase != Phase::Listening && wish(sk, limits::writable) && !peer_is_full(sk);
    if writable {
        events |= Events::WRITABLE;
    } else {
        sk.note_no_space();
    }
    events
}

/// Tells whether a socket takes no more packets from those that it isn't
/// connected to.
pub(super) fn is_full(sk: &Sock) -> bool {
    u32::try_from(sk.packet_count()).unwrap_or(u32::MAX) > sk.backlog()
}

/// Tells whether the peer is another's and full; if so, this socket's pollers
/// are woken when it has taken a packet.
fn peer_is_full(sk: &Live<'_>) -> bool {
    let Some(peer) = sk.peer_get() else {
        return false;
    };
    let connected = peer
        .lock()
        .peer()
        .is_some_and(|p| core::ptr::eq(p, sk.sock()));
    if connected || !is_full(&peer) {
        return false;
    }
    wait_for_peer(sk, &peer)
}

/// Lets the pollers of a socket be woken by its peer, and returns whether that
/// is still full.
///
/// A dead peer isn't: sending to it tells that it is.
pub(super) fn wait_for_peer(sk: &Live<'_>, peer: &Sock) -> bool {
    let mut state = sk.lock();
    if !state.peer().is_some_and(|p| core::ptr::eq(p, peer)) {
        return false;
    }
    state.watch_peer();
    is_full(peer) && !peer.is_dead()
}
