// SPDX-License-Identifier: GPL-2.0

//! A queue of packets: messages that keep their boundaries.
//!
//! A packet is one allocation, its payload behind its head, and more chunks
//! where that isn't enough. It is made and filled before any lock is taken;
//! senders and receivers meet in the list alone.
//!
//! Lock order: reader, then list. What leaves the list dies after the locks.

use super::chunk::{
    Block,
    Chunk,
    Header, //
};
use super::family::Family;
use super::live::Live;
use super::marks::Rider;
use super::msg::{
    ReceiveMsg,
    SendMsg, //
};
use super::queue::PullFault;
use super::sock::Sock;
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
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        lock::{
            mutex::MutexBackend,
            Guard, //
        },
        Mutex,
        SpinLock, //
    }, //
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
    /// Bytes of memory.
    size: usize,
    /// `MSG_PEEK` has returned the packet before.
    peeked: Cell<bool>,
    /// When it was sent, in nanoseconds since 1970; zero if nobody asked.
    stamp: i64,
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
    /// Makes a packet of all that is left of a message.
    ///
    /// May sleep. `EFAULT` if not all of it is readable, `ENOMEM` without
    /// memory.
    pub(crate) fn new(msg: &mut SendMsg<'_>, meta: M) -> Result<Self> {
        const { Block::assert_holds::<Head<M>>() };
        let len = msg.remaining();
        let block = Block::alloc(size_of::<Head<M>>().saturating_add(len))?;
        let room = block.size().saturating_sub(size_of::<Head<M>>());
        let inline = len.min(room);
        let raw = block.as_ptr().cast::<Head<M>>();
        let size = block.size();
        // SAFETY: The block is ours, has room for a head, and is aligned for it.
        unsafe {
            raw.write(Head {
                next: UnsafeCell::new(None),
                more: None,
                len,
                inline,
                size,
                peeked: Cell::new(false),
                stamp: 0,
                block,
                meta,
            })
        };
        // INVARIANT: The head was just initialised; the payload follows before anybody reads it.
        let mut this = Self {
            head: raw,
            _p: PhantomData,
        };
        // SAFETY: `inline` bytes fit behind the head.
        if unsafe { msg.copy(raw.as_ptr().add(1).cast(), inline) } < inline {
            return Err(EFAULT);
        }
        this.fill_more(msg, len.wrapping_sub(inline))?;
        Ok(this)
    }

    /// Moves `left` bytes of a message into chunks behind the head.
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
            // SAFETY: As above.
            unsafe { (*self.head.as_ptr()).size = self.size().saturating_add(room) };
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

    /// Returns how much memory the packet takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.head().size
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
    pub(crate) fn copy_out(
        &self,
        msg: &mut ReceiveMsg<'_>,
        skip: usize,
        count: usize,
    ) -> Result<(), PullFault> {
        let head = self.head();
        // SAFETY: By the type invariants, the payload follows the head.
        let bytes = unsafe { self.head.as_ptr().add(1).cast::<u8>() };
        let mut done = 0;
        // First what lies behind the head, then chunk after chunk.
        let mut place = (bytes.cast_const(), 0, head.inline);
        let mut next = head.more;
        loop {
            let (bytes, start, len) = place;
            let from = skip.max(start);
            let end = skip.saturating_add(count).min(start.saturating_add(len));
            if from < end {
                let part = end.wrapping_sub(from);
                // SAFETY: The bytes are the packet's, and nobody writes them any more.
                let copied = unsafe { msg.copy_nofault(bytes.add(from.wrapping_sub(start)), part) };
                done = copied.wrapping_add(done);
                if copied < part {
                    // SAFETY: That many bytes were copied in this loop.
                    unsafe { msg.revert(done) };
                    return Err(PullFault(count));
                }
            }
            let Some(chunk) = next else {
                return Ok(());
            };
            // SAFETY: By the type invariants, the chunk is the packet's.
            unsafe {
                let room = (*(*chunk.as_ptr()).segment.get()).room(0);
                let start = start.saturating_add(len);
                let left = head.len.saturating_sub(start);
                place = (Header::bytes(chunk).cast_const(), start, room.min(left));
                next = (*chunk.as_ptr()).next();
            }
        }
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

/// A queue of packets.
#[pin_data]
pub(crate) struct PacketQueue<M: Send> {
    #[pin]
    list: SpinLock<List<M>>,
    #[pin]
    reader: Mutex<()>,
    /// Packets in the list.
    count: Atomic<usize>,
    /// Bytes of payload in the list.
    bytes: Atomic<usize>,
    /// Packets that ever came in.
    arrivals: Atomic<usize>,
}

/// A list of packets, first come first served.
///
/// # Invariants
///
/// The packets from `first` on, each linked to the next, are owned by the list;
/// `last` is the last of them. Both are `None` at the same time.
struct List<M> {
    first: Option<NonNull<Head<M>>>,
    last: Option<NonNull<Head<M>>>,
    shut: bool,
}

// SAFETY: The list owns packets, which are `Send`.
unsafe impl<M: Send> Send for List<M> {}

impl<M> List<M> {
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

    fn pop(&mut self) -> Option<Packet<M>> {
        let raw = self.first?;
        // SAFETY: By the type invariants, the packet is the list's, which gives it up.
        unsafe {
            self.first = (*(*raw.as_ptr()).next.get()).take();
            if self.first.is_none() {
                self.last = None;
            }
            Some(Packet::from_raw(raw))
        }
    }
}

impl<M> Drop for List<M> {
    fn drop(&mut self) {
        while let Some(packet) = self.pop() {
            drop(packet);
        }
    }
}

impl<M: Send> PacketQueue<M> {
    /// Returns the initialiser of an empty queue.
    pub(crate) fn new() -> impl PinInit<Self> {
        // INVARIANT: The list is empty.
        pin_init!(Self {
            list <- new_spinlock!(
                List { first: None, last: None, shut: false },
                "PacketQueue::list"
            ),
            reader <- new_mutex!((), "PacketQueue::reader"),
            count: Atomic::new(0),
            bytes: Atomic::new(0),
            arrivals: Atomic::new(0),
        })
    }

    /// Returns how many packets there are. A snapshot; any context.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Relaxed)
    }

    /// Returns how many bytes of payload there are. A snapshot; any context.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// Returns a number that changes with each packet that comes in. Any
    /// context.
    pub(crate) fn arrivals(&self) -> usize {
        self.arrivals.load(Relaxed)
    }

    /// Returns the length of the first packet. A snapshot; any context.
    pub(crate) fn first_len(&self) -> usize {
        let list = self.list.lock();
        match list.first {
            // SAFETY: By the invariants of `List`, the packet is the list's, which is locked.
            Some(first) => unsafe { (*first.as_ptr()).len },
            None => 0,
        }
    }

    /// Puts a packet at the end, or hands it back if nothing more is taken.
    ///
    /// Any context that may spin.
    pub(crate) fn push(&self, packet: Packet<M>) -> Result<(), Packet<M>>
    where
        M: Rider,
    {
        let mut list = self.list.lock();
        if list.shut {
            return Err(packet);
        }
        self.count.store(self.count().wrapping_add(1), Relaxed);
        self.bytes
            .store(self.bytes().wrapping_add(packet.len()), Relaxed);
        packet.meta().queued();
        list.push(packet);
        self.arrivals
            .store(self.arrivals().wrapping_add(1), Relaxed);
        Ok(())
    }

    /// Becomes the one who reads. May sleep.
    pub(crate) fn read(&self) -> PacketReader<'_, M> {
        PacketReader {
            queue: self,
            _guard: self.reader.lock(),
        }
    }

    /// Lets no more packets in, and tells whether there are any but an empty
    /// one in front. Any context that may spin.
    pub(crate) fn shut(&self) -> bool {
        let mut list = self.list.lock();
        list.shut = true;
        match list.first {
            // SAFETY: By the invariants of `List`, the packet is the list's, which is locked.
            Some(first) => unsafe {
                (*first.as_ptr()).len > 0 || (*(*first.as_ptr()).next.get()).is_some()
            },
            None => false,
        }
    }

    /// Takes all packets out. May sleep.
    pub(crate) fn purge(&self) {
        let mut reader = self.read();
        while let Some(packet) = reader.take() {
            drop(packet);
        }
    }

    /// Lets no more packets in, and purges the queue. May sleep.
    pub(crate) fn close(&self) {
        self.shut();
        self.purge();
    }
}

/// The one who reads from a queue of packets: no packet leaves it otherwise.
pub(crate) struct PacketReader<'a, M: Send> {
    queue: &'a PacketQueue<M>,
    _guard: Guard<'a, (), MutexBackend>,
}

impl<M: Send> PacketReader<'_, M> {
    /// Takes the first packet.
    pub(crate) fn take(&mut self) -> Option<Packet<M>> {
        let queue = self.queue;
        let mut list = queue.list.lock();
        let packet = list.pop()?;
        queue.count.store(queue.count().wrapping_sub(1), Relaxed);
        queue
            .bytes
            .store(queue.bytes().wrapping_sub(packet.len()), Relaxed);
        Some(packet)
    }

    /// Looks at the packet that holds the byte at `offset` from the front of
    /// the queue, or at the first one, and hands it to `look` together with the
    /// offset into it.
    ///
    /// An empty packet is found once by its offset, as `__skb_try_recv_datagram()`
    /// does it.
    pub(crate) fn peek<R>(
        &mut self,
        offset: Option<usize>,
        look: impl FnOnce(&Packet<M>, usize) -> R,
    ) -> Option<R> {
        let mut next = self.queue.list.lock().first;
        let mut left = offset.unwrap_or(0);
        while let Some(raw) = next {
            // SAFETY: Packets leave the list by its reader alone, which we are; senders change
            // nothing but the link of the last one.
            let packet = ManuallyDrop::new(unsafe { Packet::from_raw(raw) });
            let (len, seen) = (packet.len(), packet.head().peeked.get());
            if offset.is_some() && left >= len && (len > 0 || left > 0 || seen) {
                left = left.wrapping_sub(len);
                let _list = self.queue.list.lock();
                // SAFETY: As above; the link is read under the lock that it is written under.
                next = unsafe { *(*raw.as_ptr()).next.get() };
                continue;
            }
            packet.head().peeked.set(true);
            return Some(look(&packet, left));
        }
        None
    }
}
