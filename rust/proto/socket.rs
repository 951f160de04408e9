// SPDX-License-Identifier: GPL-2.0

//! What a socket of the family consists of.

use super::{
    close,
    module::{
        Space,
        FAMILY,
        PACKET_PROTO,
        STREAM_PROTO, //
    },
    ops::{
        DATAGRAM,
        SEQPACKET,
        STREAM, //
    },
    packets::{
        self,
        Attached,
        Sent, //
    }, //
};
#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    self,
    Backlog,
    ByteQueue,
    Closing,
    Either,
    FamilyDesc,
    Flag,
    Guarded,
    PacketList,
    PacketQueue,
    Patience,
    Selection,
    SockType,
    StateGuard,
    Timeout,
    Unattached,
    UnixHead,
    Word, //
};
use core::ptr;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// The family.
pub(crate) struct Runix;

/// A socket that somebody has a reference to.
pub(super) type Sock = net::Sock<Runix>;
/// A socket in a call through its file.
pub(super) type Live<'a> = net::Live<'a, Runix>;

/// A connection without a file.
pub(super) type Pending = Unattached<Runix>;

/// What a socket's state lock guards, besides phase, peer and path.
pub(crate) struct State {
    /// The connections that wait to be accepted.
    pub(super) backlog: Backlog<Runix>,
}

/// What the family keeps in each socket.
#[pin_data]
pub(crate) struct Socket {
    /// The bytes that were sent to this socket, if it is a stream; else the
    /// packets.
    #[pin]
    queue: Either<ByteQueue<Attached>, Packets, Switches>,
    /// Files in the queue.
    files: Atomic<u32>,
    /// The run of the collector in which something was last taken from the
    /// queue, its lowest bits; see [`super::inflight`].
    stamp: Atomic<u32>,
}

/// Options that the socket layer doesn't keep.
pub(super) struct Switches {
    /// `SO_INQ`: each receive tells what is left.
    pub(super) reports_queued: Flag,
    /// `SO_RIGHTS_NOTRUNC`: a file that is withheld doesn't end the list.
    pub(super) whole_rights: Flag,
}

/// What a socket of packets keeps.
#[pin_data]
pub(crate) struct Packets {
    /// What is known without a lock of the packets that were sent to this socket.
    #[pin]
    pub(super) queue: PacketQueue<Sent>,
    /// Those packets.
    list: Guarded<PacketList<Sent>>,
    /// A sender has found that too much is charged to the socket.
    pub(super) wants_room: Word,
}

impl net::Sock<Runix> {
    /// Returns the bytes that were sent to this socket, if it is a stream.
    #[inline]
    pub(super) fn received(&self) -> Option<&ByteQueue<Attached>> {
        self.data().get_ref().queue.first()
    }

    /// Returns what the socket keeps of packets, if it is no stream.
    #[inline]
    pub(super) fn packets(&self) -> Option<&Packets> {
        self.data().get_ref().queue.second()
    }

    /// Returns how many packets wait to be received.
    pub(super) fn packet_count(&self) -> usize {
        self.packets().map_or(0, |packets| packets.queue.count())
    }

    /// Returns how many bytes of a stream wait to be received, without those that
    /// were, out of band.
    pub(super) fn unread(&self) -> usize {
        self.received().map_or(0, ByteQueue::unread)
    }

    /// Returns how many bytes are in the queue of a stream.
    pub(super) fn queued(&self) -> usize {
        self.received().map_or(0, ByteQueue::queued)
    }
}

impl Packets {
    /// Returns the packets of a socket whose state is locked. Fails, which never
    /// happens, if it isn't the one that these are a part of.
    #[inline]
    pub(super) fn list<'a>(
        &'a self,
        state: &'a mut StateGuard<'_, Runix>,
    ) -> Result<&'a mut PacketList<Sent>> {
        state.reach(&self.list).ok_or(EINVAL)
    }
}

impl net::Sock<Runix> {
    /// Returns the length of the first packet that waits to be received.
    pub(super) fn first_packet_len(&self) -> usize {
        let Some(packets) = self.packets() else {
            return 0;
        };
        let mut state = self.lock();
        packets.list(&mut state).map_or(0, |list| list.first_len())
    }
}

impl Socket {
    /// Returns the options.
    #[inline]
    pub(super) fn switches(&self) -> &Switches {
        self.queue.common()
    }

    /// Counts files that come into the queue, at most 253.
    pub(super) fn add_files(&self, count: usize) {
        self.files.add(count as u32, Relaxed);
    }

    /// Counts files that leave the queue.
    pub(super) fn remove_files(&self, count: usize) {
        let _ = self.files.fetch_sub(count as u32, Relaxed);
    }

    /// Returns how many files are in the queue. A snapshot.
    pub(super) fn files(&self) -> usize {
        self.files.load(Relaxed) as usize
    }

    /// Notes that run `run` of the collector must not count on the queue.
    pub(super) fn stamp(&self, run: usize) {
        self.stamp.store(run as u32, Relaxed);
    }

    /// Tells whether run `run` was noted last, or one that it can't be told from, which
    /// is four milliards of runs away.
    pub(super) fn is_stamped(&self, run: usize) -> bool {
        self.stamp.load(Relaxed) == run as u32
    }
}

impl net::Family for Runix {
    type Head = UnixHead;
    type State = State;
    type Data = Socket;

    fn desc() -> &'static FamilyDesc<Self> {
        &FAMILY
    }

    fn select(kind: Option<SockType>, protocol: u32) -> Result<Selection<Self>> {
        if protocol != 0 && protocol != u32::from(FAMILY.number()) {
            return Err(EPROTONOSUPPORT);
        }
        match kind {
            Some(kind @ SockType::Stream) => Ok(Selection {
                kind,
                ops: &STREAM,
                proto: &STREAM_PROTO,
            }),
            // A raw socket is a datagram socket by another name, as with AF_UNIX.
            Some(SockType::Datagram | SockType::Raw) => Ok(Selection {
                kind: SockType::Datagram,
                ops: &DATAGRAM,
                proto: &PACKET_PROTO,
            }),
            Some(kind @ SockType::SeqPacket) => Ok(Selection {
                kind,
                ops: &SEQPACKET,
                proto: &PACKET_PROTO,
            }),
            None => Err(ESOCKTNOSUPPORT),
        }
    }

    fn state() -> State {
        State {
            backlog: Backlog::new(),
        }
    }

    fn data(kind: SockType) -> impl PinInit<Socket> {
        let packets = pin_init!(Packets {
            queue <- PacketQueue::new(),
            list: Guarded::new(PacketList::new()),
            wants_room: Word::new(0),
        });
        let switches = Switches {
            reports_queued: Flag::new(false),
            whole_rights: Flag::new(false),
        };
        pin_init!(Socket {
            queue <- Either::new(
                kind == SockType::Stream,
                switches,
                ByteQueue::new(),
                packets
            ),
            files: Atomic::new(0),
            stamp: Atomic::new(0),
        })
    }

    fn created(sk: &Sock) -> Result {
        let space: &Space = sk.space().ok_or(ENODEV)?;
        let limit = u32::try_from(space.datagram_queue.get()).unwrap_or(0);
        sk.set_first_backlog(limit);
        space.sockets.insert_new(list_hash(sk), sk)
    }

    fn uncharged(data: Pin<&Socket>, left: usize, sndbuf: usize) -> bool {
        match data.get_ref().queue.second() {
            Some(packets) => packets::room_is_back(packets, left, sndbuf),
            None => false,
        }
    }

    fn abandoned(sk: Closing<'_, Self>) {
        close::close(&sk, close::Cause::NeverAccepted);
    }
}

/// Returns how patient waiters may be: `net.runix.hand_over`, `net.runix.look_us`.
/// `None` if not at all.
fn patience(sk: &Live<'_>, timeout: Timeout) -> Option<Patience> {
    if timeout.is_none() {
        return None;
    }
    let space: &Space = sk.space()?;
    let microseconds = u64::try_from(space.look.get()).unwrap_or(0);
    Some(Patience {
        hand_over: space.hand_over.get() != 0,
        look: microseconds.saturating_mul(1000),
    })
}

/// Looks once more whether a wait is over before it begins, if that is likely to
/// help. `worth` tells how many nanoseconds may be lost for what there is then.
pub(super) fn look_again(
    sk: &Live<'_>,
    timeout: Timeout,
    ready: impl FnMut() -> bool,
    worth: impl FnOnce() -> u64,
) -> bool {
    patience(sk, timeout).is_some_and(|patience| sk.look_again(patience, ready, worth))
}

/// Tells whether nothing more will be received; fails with the error that says
/// why, if there is one.
///
/// The two are looked at together: a connection is reset and shut down in one
/// step.
pub(super) fn at_end(sk: &Live<'_>) -> Result<bool> {
    let _state = sk.lock();
    sk.take_error()?;
    Ok(sk.shutdown().receive())
}

/// Returns where a socket stands in the list of all.
fn list_hash(sk: &Sock) -> usize {
    // Sockets lie some hundred bytes apart.
    let address = ptr::from_ref(sk).addr();
    (address >> 6) ^ (address >> 14)
}
