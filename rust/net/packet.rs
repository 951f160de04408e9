// SPDX-License-Identifier: GPL-2.0

//! A queue of packets: messages that keep their boundaries.
//!
//! A packet is one allocation, its payload behind its head, and more chunks
//! where that isn't enough. It is made and filled before any lock is taken;
//! senders and receivers meet in the list alone.
//!
//! The list ([`PacketList`]) belongs into the receiver's state, under whose lock a
//! sender looks anyway whether the receiver takes its packet. So a packet passes one
//! lock when it is sent, and once more the same when it is received. Who looks at a
//! packet that stays (`MSG_PEEK`) marks the list meanwhile; the rare taker who finds
//! the mark waits.
//!
//! Lock order: lookers, then state. What leaves the list dies after the locks.
//!
//! Cases of the bench: `sr`, `oneway` and `many` with `seqpacket` and `dgram`.

use super::chunk::{
    Block,
    Chunk,
    Header, //
};
use super::family::Family;
use super::landing::Slot;
use super::live::Live;
use super::marks::Rider;
use super::msg::{
    ReceiveMsg,
    SendMsg, //
};
use super::offer::Open;
use super::reader::PullFault;
use super::sock::Sock;
use super::word::Word;
use crate::bindings;
use core::{
    cell::{
        Cell,
        UnsafeCell, //
    },
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr,
    ptr::NonNull, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::Mutex, //
};

/// What stands in front of a packet's payload.
struct Head<M> {
    /// The packet that follows in a queue.
    next: UnsafeCell<Option<NonNull<Head<M>>>>,
    /// The chunks that hold what didn't fit behind the head.
    more: Option<NonNull<Header>>,
    /// Bytes of payload.
    len: usize,
    /// Bytes of it behind the head.
    inline: usize,
    /// When it was sent, in nanoseconds since 1970; zero if nobody asked.
    stamp: i64,
    /// `MSG_PEEK` has returned the packet before.
    peeked: Cell<bool>,
    /// What the head lies in.
    block: Block,
    meta: M,
}

/// A message with what belongs to it.
///
/// # Invariants
///
/// Points to an initialised [`Head`] at the start of its block, with `inline`
/// bytes of payload behind it and the rest in the chunks of `more`, in order.
/// The value owns all of it.
pub(crate) struct Packet<M> {
    head: NonNull<Head<M>>,
    _p: PhantomData<Head<M>>,
}

// SAFETY: The packet owns its memory, which has nothing of a thread.
unsafe impl<M: Send> Send for Packet<M> {}

impl<M> Packet<M> {
    /// Makes a packet of all that is left of a message. What belongs to it is made
    /// by `meta`, for so many bytes of memory.
    ///
    /// May sleep. `EFAULT` if not all of it is readable, `ENOMEM` without
    /// memory; whatever `meta` fails with.
    pub(crate) fn new(
        msg: &mut SendMsg<'_>,
        meta: impl FnOnce(usize) -> Result<M>,
    ) -> Result<Self> {
        const { Block::assert_holds::<Head<M>>() };
        let len = msg.remaining();
        let block = Block::alloc(size_of::<Head<M>>().saturating_add(len))?;
        let size = block.size();
        let inline = len.min(size.saturating_sub(size_of::<Head<M>>()));
        let left = len.wrapping_sub(inline);
        let meta = meta(size.saturating_add(left))?;
        let raw = block.as_ptr().cast::<Head<M>>();
        // Field by field: as a whole, the head would be made elsewhere and copied here.
        // SAFETY: The block is ours, has room for a head, and is aligned for it.
        unsafe {
            let head = raw.as_ptr();
            (&raw mut (*head).next).write(UnsafeCell::new(None));
            (&raw mut (*head).more).write(None);
            (&raw mut (*head).len).write(len);
            (&raw mut (*head).inline).write(inline);
            (&raw mut (*head).stamp).write(0);
            (&raw mut (*head).peeked).write(Cell::new(false));
            (&raw mut (*head).block).write(block);
            (&raw mut (*head).meta).write(meta);
        }
        // INVARIANT: The head was just initialised; the payload follows before anybody reads it.
        let mut this = Self {
            head: raw,
            _p: PhantomData,
        };
        // SAFETY: `inline` bytes fit behind the head.
        if unsafe { msg.copy(raw.as_ptr().add(1).cast(), inline) } < inline {
            return Err(EFAULT);
        }
        if left > 0 {
            this.fill_more(msg, left)?;
        }
        Ok(this)
    }

    /// Moves `left` bytes of a message into chunks behind the head.
    #[inline(never)]
    fn fill_more(&mut self, msg: &mut SendMsg<'_>, left: usize) -> Result {
        let mut left = left;
        let mut last: Option<NonNull<Header>> = None;
        while left > 0 {
            let chunk = Chunk::alloc(left, 0, 0)?;
            let raw = chunk.into_raw();
            // SAFETY: The chunk is ours.
            let room = unsafe { (*(*raw.as_ptr()).segment.get()).room(0) };
            match last {
                // SAFETY: The chunk is the last of the packet's.
                Some(last) => unsafe { (*last.as_ptr()).set_next(raw) },
                // SAFETY: The head is initialised, and nobody else has the packet.
                None => unsafe { (*self.head.as_ptr()).more = Some(raw) },
            }
            last = Some(raw);
            let part = room.min(left);
            // SAFETY: `part` bytes fit into the chunk.
            if unsafe { msg.copy(Header::bytes(raw), part) } < part {
                return Err(EFAULT);
            }
            left = left.wrapping_sub(part);
        }
        Ok(())
    }

    fn head(&self) -> &Head<M> {
        // SAFETY: By the type invariants.
        unsafe { self.head.as_ref() }
    }

    /// Returns the length of the message in bytes.
    pub(crate) fn len(&self) -> usize {
        self.head().len
    }

    /// Notes the time, if the receiver wants to know when the packet was sent
    /// (`SO_TIMESTAMP` and its kin).
    pub(crate) fn stamp<F: Family>(&mut self, receiver: &Sock<F>) {
        // SAFETY: The socket is valid; the packet is ours alone.
        unsafe {
            if bindings::wants_timestamp(receiver.as_sk()) {
                (*self.head.as_ptr()).stamp = bindings::timestamp();
            }
        }
    }

    /// Tells the program when the packet was sent, if it asks for that.
    ///
    /// May sleep.
    pub(crate) fn tell_time<F: Family>(&self, sk: &Live<'_, F>, msg: &mut ReceiveMsg<'_>) {
        // SAFETY: The socket and the message are valid.
        unsafe {
            if bindings::wants_timestamp(sk.as_sk()) {
                bindings::put_timestamp(sk.as_sk(), msg.as_raw(), self.head().stamp);
            }
        }
    }

    /// Asks the receiver's socket filter, if it has one, how much of the packet
    /// it wants, and cuts off the rest. Returns whether it wants the packet.
    ///
    /// May sleep. `ENOMEM` without memory for a copy.
    pub(crate) fn filter<F: Family>(&mut self, receiver: &Sock<F>) -> Result<bool> {
        // SAFETY: The socket is valid.
        if !unsafe { bindings::has_filter(receiver.as_sk()) } {
            return Ok(true);
        }
        let len = c_uint::try_from(self.len()).map_err(|_| EMSGSIZE)?;
        // SAFETY: Has no requirements.
        let skb = NonNull::new(unsafe { bindings::filter_skb(len) }).ok_or(ENOMEM)?;
        self.for_each_part(|bytes, len| {
            // SAFETY: The parts are the packet's, and as long together as the buffer.
            unsafe { bindings::filter_add(skb.as_ptr(), bytes.cast(), len as c_uint) };
        });
        // SAFETY: Both are valid; the function takes the buffer.
        let left = unsafe { bindings::filter_run(receiver.as_sk(), skb.as_ptr()) };
        match usize::try_from(left) {
            Ok(left) => {
                // INVARIANT: Less of the payload is used.
                // SAFETY: The packet is ours alone.
                unsafe {
                    let head = self.head.as_ptr();
                    (*head).len = left.min((*head).len);
                    (*head).inline = left.min((*head).inline);
                }
                Ok(true)
            }
            Err(_) => Ok(false),
        }
    }

    /// Hands out the pieces of the payload, in order.
    fn for_each_part(&self, mut part: impl FnMut(*const u8, usize)) {
        let head = self.head();
        // SAFETY: By the type invariants, the payload follows the head.
        let bytes = unsafe { self.head.as_ptr().add(1).cast::<u8>() };
        part(bytes, head.inline);
        let mut left = head.len.saturating_sub(head.inline);
        let mut next = head.more;
        while let Some(chunk) = next.filter(|_| left > 0) {
            // SAFETY: By the type invariants, the chunk is the packet's.
            unsafe {
                let len = (*(*chunk.as_ptr()).segment.get()).room(0).min(left);
                part(Header::bytes(chunk), len);
                left = left.saturating_sub(len);
                next = (*chunk.as_ptr()).next();
            }
        }
    }

    /// Returns what belongs to the message.
    pub(crate) fn meta(&self) -> &M {
        &self.head().meta
    }

    /// Returns what belongs to the message, to be changed.
    pub(crate) fn meta_mut(&mut self) -> &mut M {
        // SAFETY: By the type invariants, the packet is ours alone.
        unsafe { &mut (*self.head.as_ptr()).meta }
    }

    /// Copies `count` bytes from `skip` on into a message, all or none.
    ///
    /// The two together are no more than the length.
    #[inline]
    pub(crate) fn copy_out(
        &self,
        msg: &mut ReceiveMsg<'_>,
        skip: usize,
        count: usize,
    ) -> Result<(), PullFault> {
        if skip.saturating_add(count) > self.head().inline {
            return self.copy_parts(msg, skip, count);
        }
        // By far the most frequent case: all of it lies behind the head.
        // SAFETY: By the type invariants; nobody writes the bytes any more.
        unsafe {
            let bytes = self.head.as_ptr().add(1).cast::<u8>();
            let copied = msg.copy_nofault(bytes.add(skip), count);
            if copied < count {
                msg.revert(copied);
                return Err(PullFault(count));
            }
        }
        Ok(())
    }

    /// Does the same where chunks follow.
    #[inline(never)]
    fn copy_parts(
        &self,
        msg: &mut ReceiveMsg<'_>,
        skip: usize,
        count: usize,
    ) -> Result<(), PullFault> {
        let end = skip.saturating_add(count);
        let (mut start, mut done): (usize, usize) = (0, 0);
        let mut fault = false;
        self.for_each_part(|bytes, len| {
            let from = skip.max(start);
            let until = end.min(start.saturating_add(len));
            if from < until && !fault {
                let part = until.wrapping_sub(from);
                // SAFETY: The bytes are the packet's, and nobody writes them any more.
                let copied = unsafe { msg.copy_nofault(bytes.add(from.wrapping_sub(start)), part) };
                done = done.wrapping_add(copied);
                fault = copied < part;
            }
            start = start.saturating_add(len);
        });
        if fault {
            // SAFETY: That many bytes were copied in this loop.
            unsafe { msg.revert(done) };
            return Err(PullFault(count));
        }
        Ok(())
    }

    fn into_raw(self) -> NonNull<Head<M>> {
        ManuallyDrop::new(self).head
    }

    /// # Safety
    ///
    /// `head` comes from [`Packet::into_raw`], and nobody else uses it.
    unsafe fn from_raw(head: NonNull<Head<M>>) -> Self {
        Self {
            head,
            _p: PhantomData,
        }
    }
}

impl<M> Drop for Packet<M> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, all is ours; the block is moved out before its memory,
        // which the head lies in, is given back.
        unsafe {
            let head = self.head.as_ptr();
            let mut next = (*head).more.take();
            while let Some(chunk) = next {
                next = (*chunk.as_ptr()).next();
                drop(Chunk::from_raw(chunk));
            }
            ptr::drop_in_place(&raw mut (*head).meta);
            drop((&raw const (*head).block).read());
        }
    }
}

/// The packets that wait in a queue, first come first served; a part of the state
/// that the receiver's state lock guards.
///
/// # Invariants
///
/// The packets from `first` on, each linked to the next, are owned by the list;
/// `last` is the last of them. Both are `None` at the same time. While there is a
/// packet in `looked_at`, somebody uses it without the lock: none leaves the list.
pub(crate) struct PacketList<M> {
    first: Option<NonNull<Head<M>>>,
    last: Option<NonNull<Head<M>>>,
    shut: bool,
    looked_at: Option<NonNull<Head<M>>>,
}

// SAFETY: The list owns packets, which are `Send`.
unsafe impl<M: Send> Send for PacketList<M> {}

impl<M> PacketList<M> {
    /// Makes an empty list.
    pub(crate) const fn new() -> Self {
        // INVARIANT: The list is empty.
        Self {
            first: None,
            last: None,
            shut: false,
            looked_at: None,
        }
    }

    /// Returns the length of the first packet.
    pub(crate) fn first_len(&self) -> usize {
        match self.first {
            // SAFETY: By the type invariants, the packet is the list's.
            Some(first) => unsafe { (*first.as_ptr()).len },
            None => 0,
        }
    }

    /// Lets no more packets in, and tells whether there are any but an empty
    /// one in front.
    pub(crate) fn shut(&mut self) -> bool {
        self.shut = true;
        match self.first {
            // SAFETY: By the type invariants, the packet is the list's.
            Some(first) => unsafe {
                (*first.as_ptr()).len > 0 || (*(*first.as_ptr()).next.get()).is_some()
            },
            None => false,
        }
    }

    #[inline]
    fn push(&mut self, packet: Packet<M>) {
        let raw = packet.into_raw();
        match self.last {
            // SAFETY: By the type invariants, the packet is the list's.
            Some(last) => unsafe { *(*last.as_ptr()).next.get() = Some(raw) },
            None => self.first = Some(raw),
        }
        // INVARIANT: The packet is the last one.
        self.last = Some(raw);
    }

    #[inline]
    fn pop(&mut self) -> Option<Packet<M>> {
        let raw = self.first?;
        // SAFETY: By the type invariants, the packet is the list's, which gives it up; the caller
        // has made sure that nobody looks at it.
        unsafe {
            self.first = (*(*raw.as_ptr()).next.get()).take();
            if self.first.is_none() {
                self.last = None;
            }
            Some(Packet::from_raw(raw))
        }
    }

    /// Finds the packet that holds the byte at `offset` from the front, or the first
    /// one without, and the offset into it.
    ///
    /// An empty packet is found once by its offset, as `__skb_try_recv_datagram()`
    /// does it.
    fn find(&self, offset: Option<usize>) -> Option<(NonNull<Head<M>>, usize)> {
        let mut left = offset.unwrap_or(0);
        let mut next = self.first;
        while let Some(raw) = next {
            // SAFETY: By the type invariants, the packet is the list's.
            let head = unsafe { raw.as_ref() };
            let passed = left >= head.len && (head.len > 0 || left > 0 || head.peeked.get());
            if offset.is_none() || !passed {
                return Some((raw, left));
            }
            left = left.wrapping_sub(head.len);
            // SAFETY: As above.
            next = unsafe { *head.next.get() };
        }
        None
    }
}

impl<M> Drop for PacketList<M> {
    fn drop(&mut self) {
        if self.looked_at.is_some() {
            // Never: a socket with a looker isn't dropped. Memory that is in use would stay.
            return;
        }
        while let Some(packet) = self.pop() {
            drop(packet);
        }
    }
}

/// Somebody looks at packets of the list, which must stay meanwhile: the caller is to
/// let go of the lock and wait ([`PacketQueue::wait_for_lookers`]).
#[derive(Debug)]
pub(crate) struct Peeked;

/// What is known of a queue of packets without its lock, beside the [`PacketList`].
#[pin_data]
pub(crate) struct PacketQueue<M: Send> {
    /// Taken by those who look at packets, and by who copies to the memory that a waiting
    /// reader has on offer.
    #[pin]
    pub(super) lookers: Mutex<Slot>,
    /// What is known of offers without that lock.
    pub(super) open: Open,
    /// Packets in the list.
    count: Word,
    /// Bytes of payload in the list.
    bytes: Word,
    /// Packets that ever came in.
    arrivals: Word,
    _p: PhantomData<fn() -> M>,
}

impl<M: Send> PacketQueue<M> {
    /// Returns the initialiser of an empty queue.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            lookers <- new_mutex!(Slot::new(), "PacketQueue::lookers"),
            open: Open::new(),
            count: Word::new(0),
            bytes: Word::new(0),
            arrivals: Word::new(0),
            _p: PhantomData,
        })
    }

    /// Returns how many packets there are. A snapshot; any context.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.count.get()
    }

    /// Returns how many bytes of payload there are. A snapshot; any context.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.get()
    }

    /// Returns a number that changes with each packet that comes in. Any
    /// context.
    pub(crate) fn arrivals(&self) -> usize {
        self.arrivals.get()
    }

    /// Puts a packet at the end of the queue's list, or hands it back if nothing
    /// more is taken.
    ///
    /// Under the lock that guards the list, as what follows.
    #[inline]
    pub(crate) fn push(&self, list: &mut PacketList<M>, packet: Packet<M>) -> Result<(), Packet<M>>
    where
        M: Rider,
    {
        if list.shut {
            return Err(packet);
        }
        self.count.set(self.count.get().wrapping_add(1));
        self.bytes.set(self.bytes.get().wrapping_add(packet.len()));
        packet.meta().queued();
        list.push(packet);
        self.arrivals.set(self.arrivals.get().wrapping_add(1));
        Ok(())
    }

    /// Takes the first packet.
    #[inline]
    pub(crate) fn take(&self, list: &mut PacketList<M>) -> Result<Option<Packet<M>>, Peeked> {
        if list.looked_at.is_some() {
            return Err(Peeked);
        }
        let Some(packet) = list.pop() else {
            return Ok(None);
        };
        self.count.set(self.count.get().wrapping_sub(1));
        self.bytes.set(self.bytes.get().wrapping_sub(packet.len()));
        Ok(Some(packet))
    }

    /// Takes all packets, in a list that is to be dropped after the lock.
    pub(crate) fn take_all(&self, list: &mut PacketList<M>) -> Result<PacketList<M>, Peeked> {
        if list.looked_at.is_some() {
            return Err(Peeked);
        }
        let mut all = PacketList::new();
        all.first = list.first.take();
        all.last = list.last.take();
        self.count.set(0);
        self.bytes.set(0);
        Ok(all)
    }

    /// Waits until nobody looks at packets. May sleep, for a copy to user memory at
    /// most.
    #[cold]
    pub(crate) fn wait_for_lookers(&self) {
        drop(self.lookers.lock());
    }

    /// Looks at the packet that holds the byte at `offset` from the front of
    /// the queue, or at the first one, and hands it to `look` together with the
    /// offset into it. `lock` locks the list, and hands it to what it is given.
    ///
    /// May sleep.
    pub(crate) fn peek<R>(
        &self,
        lock: impl Fn(&mut dyn FnMut(&mut PacketList<M>)),
        offset: Option<usize>,
        look: impl FnOnce(&Packet<M>, usize) -> R,
    ) -> Option<R> {
        let _looker = self.lookers.lock();
        let mut found = None;
        lock(&mut |list| {
            if list.looked_at.is_none() {
                found = list.find(offset);
                // INVARIANT: From here on, no packet leaves the list.
                list.looked_at = found.map(|(raw, _)| raw);
            }
        });
        let (raw, skip) = found?;
        // SAFETY: The packet stays in the list, which owns it, until its mark is taken off below;
        // there is no other looker, and senders change nothing but the link of the last packet.
        let packet = ManuallyDrop::new(unsafe { Packet::from_raw(raw) });
        let result = look(&packet, skip);
        packet.head().peeked.set(true);
        // INVARIANT: The packet isn't used any more.
        lock(&mut |list| {
            if list.looked_at == Some(raw) {
                list.looked_at = None;
            }
        });
        Some(result)
    }
}
