// SPDX-License-Identifier: GPL-2.0

//! `sock_diag(7)` for the family, in the format that AF_UNIX has for it.
//!
//! Mirrors `net/unix/diag.c`. UAPI header:
//! [`include/uapi/linux/unix_diag.h`](srctree/include/uapi/linux/unix_diag.h)

use super::module::{
    Space,
    FAMILY, //
};
use super::socket::{
    Runix,
    Sock, //
};
use crate::net::{
    AllSockets,
    Attributes,
    Diag,
    Phase,
    SockTable,
    SockType, //
};
use crate::pure::addr::HEADER;
use kernel::{
    prelude::*,
    sync::aref::ARef, //
};

/// A `struct unix_diag_req`.
pub(crate) struct Request {
    /// The states that a dump is asked for, a bit each.
    states: u32,
    /// The socket that is asked for, if it isn't a dump.
    inode: u32,
    /// The attributes that are asked for: `UDIAG_SHOW_*`.
    show: u32,
    cookie: [u32; 2],
}

/// The size of a `struct unix_diag_req`.
const REQUEST: usize = 24;

/// `UNIX_DIAG_*`: the attributes of an answer.
mod attribute {
    pub(super) const NAME: u16 = 0;
    pub(super) const VFS: u16 = 1;
    pub(super) const PEER: u16 = 2;
    pub(super) const ICONS: u16 = 3;
    pub(super) const RQLEN: u16 = 4;
    pub(super) const MEMINFO: u16 = 5;
    pub(super) const SHUTDOWN: u16 = 6;
    pub(super) const UID: u16 = 7;
}

/// `UDIAG_SHOW_*`: who asks for them.
mod show {
    pub(super) const NAME: u32 = 0x01;
    pub(super) const VFS: u32 = 0x02;
    pub(super) const PEER: u32 = 0x04;
    pub(super) const ICONS: u32 = 0x08;
    pub(super) const RQLEN: u32 = 0x10;
    pub(super) const MEMINFO: u32 = 0x20;
    pub(super) const UID: u32 = 0x40;
}

/// Room for the attributes behind the waiting connections, and to spare.
const BEHIND_ICONS: usize = 128;

impl Diag for Request {
    type Family = Runix;
    type Space = Space;
    /// A `struct unix_diag_msg`.
    type Header = [u8; 16];

    fn table(space: &Space) -> &SockTable<Runix, AllSockets> {
        &space.sockets
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let bytes: &[u8; REQUEST] = bytes.first_chunk().ok_or(EINVAL)?;
        // The family, the protocol and padding make the first word.
        let mut words = bytes.chunks_exact(4).skip(1).map(word);
        let mut next = || words.next().unwrap_or(0);
        Ok(Self {
            states: next(),
            inode: next(),
            show: next(),
            cookie: [next(), next()],
        })
    }

    fn find(&self, table: &SockTable<Runix, AllSockets>) -> Result<ARef<Sock>> {
        if self.inode == 0 {
            return Err(EINVAL);
        }
        let found = table.search(|sk| sk.inode_number() == u64::from(self.inode));
        let found = found.ok_or(ENOENT)?;
        found.check_cookie(self.cookie)?;
        Ok(found)
    }

    fn wants(&self, sk: &Sock) -> bool {
        let state = 1u32.checked_shl(sk.phase().raw().into()).unwrap_or(0);
        self.states & state != 0 && sk.inode_number() != 0
    }

    fn header(&self, sk: &Sock) -> [u8; 16] {
        let family = FAMILY.number() as u8;
        let kind = sk.kind().map_or(0, SockType::raw) as u8;
        // A socket that was just closed keeps the number by which it was found.
        let inode = match sk.inode_number() as u32 {
            0 => self.inode,
            inode => inode,
        };
        let [cookie_low, cookie_high] = sk.cookie();
        let mut header = [0; 16];
        header[..4].copy_from_slice(&[family, kind, sk.phase().raw(), 0]);
        header[4..8].copy_from_slice(&inode.to_ne_bytes());
        header[8..12].copy_from_slice(&cookie_low.to_ne_bytes());
        header[12..].copy_from_slice(&cookie_high.to_ne_bytes());
        header
    }

    fn attributes(&self, sk: &Sock, out: &mut Attributes<'_>) -> Result {
        if self.shows(show::NAME) {
            if let Some(name) = sk.address().and_then(|address| address.get(HEADER..)) {
                out.put(attribute::NAME, name)?;
            }
        }
        if self.shows(show::VFS) {
            let file = sk.lock().file_numbers();
            if let Some((inode, device)) = file {
                out.put(attribute::VFS, &words(inode as u32, device))?;
            }
        }
        if self.shows(show::PEER) {
            if let Some(peer) = sk.peer_get() {
                let inode = peer.inode_number() as u32;
                out.put(attribute::PEER, &inode.to_ne_bytes())?;
            }
        }
        if self.shows(show::ICONS) {
            put_waiting(sk, out)?;
        }
        if self.shows(show::RQLEN) {
            let (receive, send) = queue_lengths(sk);
            out.put(attribute::RQLEN, &words(receive, send))?;
        }
        if self.shows(show::MEMINFO) {
            out.put_memory(attribute::MEMINFO, sk, outstanding(sk))?;
        }
        out.put(attribute::SHUTDOWN, &[sk.shutdown().raw()])?;
        if self.shows(show::UID) {
            let user = out.user_id(sk);
            out.put(attribute::UID, &user.to_ne_bytes())?;
        }
        Ok(())
    }
}

impl Request {
    /// Tells whether something is asked for.
    fn shows(&self, what: u32) -> bool {
        self.show & what != 0
    }
}

/// Adds the inodes of those who wait at a listener, first come first.
///
/// Where there are more than a message takes, those who came last are left out.
fn put_waiting(sk: &Sock, out: &mut Attributes<'_>) -> Result {
    // The lock keeps the queue as it is between counting and looking.
    let state = sk.lock();
    if sk.phase() != Phase::Listening {
        return Ok(());
    }
    let mut len = (sk.pending() as usize).saturating_mul(size_of::<u32>());
    if out.is_last_try() {
        len = len.min(out.room().saturating_sub(BEHIND_ICONS) & !3);
    }
    let room = out.reserve(attribute::ICONS, len)?;
    let slots = room.chunks_exact_mut(size_of::<u32>());
    for (slot, pending) in slots.zip(state.backlog.iter()) {
        let inode = pending.peer().map_or(0, |peer| peer.inode_number() as u32);
        if let Some(slot) = slot.first_chunk_mut() {
            *slot = inode.to_ne_bytes();
        }
    }
    Ok(())
}

/// Returns what waits in a socket's queue and what it has sent, or the number
/// of those who wait at a listener and the limit for it.
fn queue_lengths(sk: &Sock) -> (u32, u32) {
    if sk.phase() == Phase::Listening {
        return (sk.pending(), sk.backlog());
    }
    let clamp = |bytes| u32::try_from(bytes).unwrap_or(u32::MAX);
    (clamp(received(sk)), clamp(outstanding(sk)))
}

/// Returns how many bytes may be received: all, or those of the next datagram.
fn received(sk: &Sock) -> usize {
    match sk.packets() {
        None => sk.unread(),
        Some(packets) if sk.kind() == Some(SockType::SeqPacket) => packets.queue.bytes(),
        Some(_) => sk.first_packet_len(),
    }
}

/// Returns how many bytes a socket has sent that nobody has received yet.
fn outstanding(sk: &Sock) -> usize {
    match sk.kind() {
        Some(SockType::Stream) => sk.peer_get().map_or(0, |peer| peer.queued()),
        _ => sk.charged(),
    }
}

/// Reads a word of four bytes.
fn word(bytes: &[u8]) -> u32 {
    bytes.try_into().map_or(0, u32::from_ne_bytes)
}

/// Writes two words.
fn words(first: u32, second: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&first.to_ne_bytes());
    bytes[4..].copy_from_slice(&second.to_ne_bytes());
    bytes
}
