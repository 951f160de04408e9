// SPDX-License-Identifier: GPL-2.0

//! Streams: receiving bytes, and what there is to wait for. For sending see
//! [`super::stream_send`].

use super::landing;
use super::packets::{
    self,
    Attached, //
};
use super::passing::Passing;
use super::socket::{
    at_end,
    look_again,
    Live, //
};
#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    Blocking,
    ByteQueue,
    Events,
    Files,
    Lands,
    Origin,
    Pass,
    Phase,
    PullFault,
    Reader,
    ReceiveMsg,
    Sender,
    Shutdown,
    Timeout, //
};
use crate::pure::{
    oob::{
        Look,
        Step, //
    },
    patience::worth_of_bytes, //
};
use core::mem;
use kernel::prelude::*;

/// Receives bytes: `recv(2)`, `read(2)` and their kin.
///
/// Mirrors `unix_stream_read_generic()`. May sleep (`SO_RCVTIMEO`).
pub(super) fn receive(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) -> Result<usize> {
    // Most often there is nothing to tell but bytes, and there are some.
    if sk.phase() == Phase::Established
        && sk.receives_bytes(msg)
        && !sk.data().switches().reports_queued.get()
    {
        let queue = sk.received().ok_or(EINVAL)?;
        // A message with room for what comes with marks may well get some.
        if !msg.wants_address() || !queue.has_marks() {
            let mut count = queue.read().pull_plain(msg);
            if count == 0
                && queue.queued() == 0
                && !queue.expects_much(msg)
                && look_for_bytes(sk, msg.blocking())
            {
                count = queue.read().pull_plain(msg);
            }
            if count > 0 {
                wake_writers(sk);
                if msg.wants_address() {
                    set_sender(sk, msg);
                }
                return Ok(count);
            }
        }
    }
    match receive_alike(sk, msg) {
        Some(Alike::All(count)) => Ok(count),
        Some(Alike::Part(count, sender, next)) => receive_rest(sk, msg, count, sender, next),
        None => receive_any(sk, msg),
    }
}

/// Bytes of one sender that were received.
enum Alike {
    /// All that there were, or that there was room for; it was told who has sent them.
    All(usize),
    /// A part of them: of the memory for the others, not all is present.
    /// The next of them has the position.
    Part(usize, Sender, usize),
}

/// Receives bytes of one sender, and tells who that is, if there is nothing else to it.
/// `None` if there is; then nothing has happened.
///
/// Case of the bench: `creds/stream`.
#[inline]
fn receive_alike(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) -> Option<Alike> {
    if !sk.pass().any_of(Pass::SENDER)
        || sk.phase() != Phase::Established
        || !sk.receives_told_bytes(msg)
        || sk.data().switches().reports_queued.get()
    {
        return None;
    }
    let mut reader = sk.received()?.read();
    let readable = reader.readable();
    let run = reader.run(0);
    let (len, value) = (run.len, run.value?);
    // More than one run may be of the same sender, and is received at once.
    if value.passing.is_some() || run.out_of_band || len < readable.min(msg.room()) {
        return None;
    }
    let sender = value.sender.as_ref()?.duplicate();
    let wanted = len.min(msg.room());
    let count = reader.pull(msg, len).ok().filter(|count| *count > 0)?;
    if reader.readable() == 0 {
        reader.drained();
    }
    let next = reader.position();
    drop(reader);
    wake_writers(sk);
    set_sender(sk, msg);
    if count < wanted {
        return Some(Alike::Part(count, sender, next));
    }
    let from = sk.peer().map(Origin::from);
    packets::tell(sk, msg, Some(&sender), from, None);
    Some(Alike::All(count))
}

/// Looks once more whether there are bytes, or nothing to wait for, before a receive
/// gets ready to sleep. Returns whether it is so.
#[inline(never)]
pub(super) fn look_for_bytes(sk: &Live<'_>, blocking: Blocking) -> bool {
    let Some(queue) = sk.received() else {
        return false;
    };
    let ready = || queue.queued() > 0 || sk.has_error() || sk.shutdown().receive();
    if ready() || blocking == Blocking::No {
        return false;
    }
    look_again(sk, sk.receive_timeout(), ready, || {
        worth_of_bytes(queue.queued())
    })
}

/// Receives bytes with all that may come with them.
#[inline(never)]
fn receive_any(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) -> Result<usize> {
    if sk.phase() != Phase::Established {
        return Err(EINVAL);
    }
    if msg.is_out_of_band() {
        return receive_urgent(sk, msg);
    }
    let target = if msg.wants_all() {
        msg.room()
    } else {
        sk.receive_low_water().min(msg.room())
    };
    receive_on(sk, msg, target.max(1), Taken::NOTHING)
}

/// Receives what there is besides `count` bytes of a sender that a receive has got already.
#[inline(never)]
fn receive_rest(
    sk: &Live<'_>,
    msg: &mut ReceiveMsg<'_>,
    count: usize,
    sender: Sender,
    next: usize,
) -> Result<usize> {
    let taken = Taken {
        copied: count,
        looked: true,
        sender: Some(Some(sender)),
        next: Some(next),
        ..Taken::NOTHING
    };
    receive_on(sk, msg, 1, taken)
}

/// Receives until there are `target` bytes, beginning with what was taken, and tells what
/// comes with them.
fn receive_on(
    sk: &Live<'_>,
    msg: &mut ReceiveMsg<'_>,
    target: usize,
    mut taken: Taken,
) -> Result<usize> {
    let result = receive_until(sk, msg, target, &mut taken);
    let Taken {
        copied,
        sender,
        files,
        ..
    } = taken;
    // What was received counts, whatever came after it.
    if copied == 0 {
        result?;
    }
    if files.is_some() || sk.pass().any_of(Pass::TOLD) {
        // The label is looked for where the sender is.
        let from = sender.is_some().then(|| sk.peer()).flatten();
        let sender = sender.unwrap_or_else(|| Some(Sender::nobody()));
        packets::tell(sk, msg, sender.as_ref(), from.map(Origin::from), files);
    }
    let reports = sk.data().switches().reports_queued.get();
    if reports || msg.wants_queued() {
        msg.set_queued(sk.unread(), reports);
    }
    Ok(copied)
}

/// What a receive has got so far.
struct Taken {
    /// Bytes.
    copied: usize,
    /// It has come to bytes, and taken as many as there was room for.
    looked: bool,
    /// What comes next is taken, even if it is out of band.
    direct: bool,
    /// Who has sent them, which may be unknown, once that was looked at.
    sender: Option<Option<Sender>>,
    /// The files that came with them.
    files: Option<Files>,
    /// How many more bytes those came with, after a fault in the middle of them.
    left: usize,
    /// The position that the queue was left at, to be read on from.
    next: Option<usize>,
}

impl Taken {
    const NOTHING: Self = Self {
        copied: 0,
        looked: false,
        direct: false,
        sender: None,
        files: None,
        left: 0,
        next: None,
    };
}

impl Taken {
    /// Tells whether a writer may copy what comes next to the message's memory.
    fn lets_land(&self, sk: &Live<'_>, msg: &ReceiveMsg<'_>) -> bool {
        !msg.is_peek()
            && self.sender.is_none()
            && self.files.is_none()
            && !sk.pass().any_of(Pass::SENDER)
    }

    /// Tells whether others have read since the queue was left: what is there now doesn't
    /// follow on what was taken.
    fn is_parted(&mut self, reader: &Reader<'_, Attached>) -> bool {
        let next = self.next.take();
        self.copied > 0 && next.is_some_and(|next| next != reader.position())
    }

    /// Counts bytes that a writer has copied to the message's memory.
    fn add_landed(&mut self, sk: &Live<'_>, msg: &mut ReceiveMsg<'_>, count: usize) {
        if !mem::replace(&mut self.looked, true) {
            set_sender(sk, msg);
        }
        self.direct = false;
        self.copied = self.copied.wrapping_add(count);
        sk.peek_offset_back(count);
    }
}

/// Receives until there are `target` bytes and the queue is empty, the message
/// is full, or the stream ends; or up to a boundary: behind bytes that files
/// came with, and in front of those of another sender, if credentials are told.
fn receive_until(
    sk: &Live<'_>,
    msg: &mut ReceiveMsg<'_>,
    target: usize,
    taken: &mut Taken,
) -> Result {
    let queue = sk.received().ok_or(EINVAL)?;
    let mut timeout = None;
    loop {
        let mut reader = queue.read();
        if taken.is_parted(&reader) && taken.copied >= target {
            return Ok(());
        }
        let (mut skip, seen) = match msg.is_peek() {
            true => begin_peek(sk, &reader, taken),
            false => (Some(0), None),
        };
        while let Some(at) = skip.filter(|at| reader.readable() > *at) {
            match take(sk, &mut reader, msg, at, taken) {
                Ok(Next::Stop) => return Ok(()),
                // A peek that is full looks on for files, as AF_UNIX does.
                Ok(Next::More(count)) if msg.is_peek() => skip = at.checked_add(count),
                Ok(Next::More(_)) if msg.room() == 0 => return Ok(()),
                Ok(Next::More(_)) => {}
                Ok(Next::Passed(count)) => {
                    skip = at.checked_add(count).filter(|at| reader.readable() > *at);
                }
                Err(PullFault(count)) => {
                    taken.next = Some(reader.position());
                    drop(reader);
                    msg.fault_in(count)?;
                    reader = queue.read();
                    if taken.is_parted(&reader) && (taken.copied >= target || msg.is_peek()) {
                        return Ok(());
                    }
                }
            }
        }
        // A peek doesn't wait for more than there is.
        if taken.copied >= target || (taken.looked && msg.is_peek()) {
            return Ok(());
        }
        // Who has no room waits for nothing once it has passed what is out of band.
        if skip.is_none() && msg.room() == 0 {
            return Ok(());
        }
        let seen = seen.unwrap_or_else(|| reader.end());
        if at_end(sk)? {
            // What was sent before the shutdown is seen after it.
            if reader.end() == seen && (msg.is_peek() || reader.readable() == 0) {
                return Ok(());
            }
            continue;
        }
        if !msg.is_peek() && reader.readable() > 0 {
            continue;
        }
        if !msg.is_peek() {
            reader.rest();
        }
        drop(reader);
        let timeout = timeout.get_or_insert_with(|| match msg.blocking() {
            Blocking::Yes => sk.receive_timeout(),
            Blocking::No => Timeout::NONE,
        });
        let ready = || queue.end() != seen || sk.has_error() || sk.shutdown().receive();
        if queue.expects_much(msg) && taken.lets_land(sk, msg) {
            let landed = landing::wait_for_bytes(sk, queue, msg, timeout, seen, ready);
            if landed > 0 {
                taken.add_landed(sk, msg, landed);
                // What is in the queue by now isn't what follows, if there are other readers:
                // who has enough ends here.
                if taken.copied >= target {
                    return Ok(());
                }
                continue;
            }
        }
        sk.wait_readable(timeout, ready)?;
        // A signal counts more than what has come, which stays for the next call.
        timeout.check_signal()?;
    }
}

/// Returns where a peek begins (`SO_PEEK_OFF`), as a distance from the front of
/// the queue, and where the queue ended then. `None` if all that there is is to
/// be passed.
fn begin_peek(
    sk: &Live<'_>,
    reader: &Reader<'_, Attached>,
    taken: &mut Taken,
) -> (Option<usize>, Option<usize>) {
    let end = reader.end();
    let skip = sk.peek_offset().unwrap_or(0);
    taken.direct = skip > 0;
    if skip == 0 || reader.readable() == 0 {
        return (Some(skip), Some(end));
    }
    (reader.seek(skip, sk.urgent_inline()), Some(end))
}

/// Whether a receive goes on after a run of bytes.
enum Next {
    /// It may, after so many bytes.
    More(usize),
    /// It does, behind so many bytes that it has not looked at.
    Passed(usize),
    /// It ends here.
    Stop,
}

/// Does what a receive has to do about out-of-band bytes, `skip` bytes from the
/// front. `None` if it takes what is there.
#[cold]
fn pass_urgent(
    sk: &Live<'_>,
    reader: &mut Reader<'_, Attached>,
    msg: &ReceiveMsg<'_>,
    skip: usize,
    taken: &Taken,
) -> Option<Next> {
    let look = Look {
        peek: msg.is_peek(),
        inline: sk.urgent_inline(),
        copied: taken.copied > 0,
    };
    match reader.pass_urgent(skip, look) {
        Step::Take | Step::Settle => None,
        Step::Stop => Some(Next::Stop),
        Step::Pass(count) => Some(Next::Passed(count)),
        Step::Drop(_) => {
            wake_writers(sk);
            Some(Next::Passed(0))
        }
    }
}

/// Moves or copies a run of bytes, and what goes with it, from the queue into a
/// message.
fn take(
    sk: &Live<'_>,
    reader: &mut Reader<'_, Attached>,
    msg: &mut ReceiveMsg<'_>,
    skip: usize,
    taken: &mut Taken,
) -> Result<Next, PullFault> {
    let mut run = reader.run(skip);
    if run.out_of_band && !taken.direct {
        if let Some(next) = pass_urgent(sk, reader, msg, skip, taken) {
            return Ok(next);
        }
        run = reader.run(skip);
    }
    let rest = taken.left;
    let limit = if rest > 0 { run.len.min(rest) } else { run.len };
    let sender = run.value.as_ref().and_then(|value| value.sender.as_ref());
    match &taken.sender {
        // Bytes of different senders are never glued together, also where nobody asks any more.
        Some(first) if first.as_ref() != sender => return Ok(Next::Stop),
        Some(_) => {}
        None if sk.pass().any_of(Pass::SENDER) => {
            taken.sender = Some(sender.map(Sender::duplicate));
        }
        None => {}
    }
    if !mem::replace(&mut taken.looked, true) {
        set_sender(sk, msg);
    }
    let (count, files) = if msg.is_peek() {
        let passing = run.value.and_then(|value| value.passing.as_ref());
        let passing = passing.filter(|_| rest == 0);
        let files = passing.map(|passing| passing.duplicate().ok().flatten());
        let count = reader.peek(msg, skip, limit)?;
        sk.peek_offset_forward(count);
        (count, files)
    } else {
        let passing = match run.value {
            // Somebody else has read the rest.
            Some(value) if rest > 0 && value.passing.is_some() => return Ok(Next::Stop),
            value => value.and_then(|value| value.passing.take()),
        };
        let count = match reader.pull(msg, limit) {
            Ok(count) => count,
            Err(fault) => {
                // Nothing was read: the files stay with their bytes.
                if let Some(value) = reader.run(skip).value {
                    value.passing = passing;
                }
                return Err(fault);
            }
        };
        sk.peek_offset_back(count);
        wake_writers(sk);
        (count, passing.map(Passing::take))
    };
    taken.direct = false;
    taken.copied = taken.copied.wrapping_add(count);
    if files.is_some() || rest > 0 {
        if let Some(files) = files {
            taken.files = files;
        }
        taken.left = limit.saturating_sub(count);
        return Ok(match taken.left > 0 && msg.room() > 0 {
            true => Next::More(count),
            false => Next::Stop,
        });
    }
    match msg.is_peek() && msg.room() == 0 {
        true => Ok(Next::More(limit)),
        false => Ok(Next::More(count)),
    }
}

/// Receives the byte that is out of band, ahead of all others (`MSG_OOB`).
///
/// Mirrors `unix_stream_recv_urg()`. `EINVAL` if there is none, or if it is read
/// like others.
fn receive_urgent(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) -> Result<usize> {
    let queue = sk.received().ok_or(EINVAL)?;
    loop {
        let mut reader = queue.read();
        if sk.urgent_inline() {
            return Err(EINVAL);
        }
        let copied = reader.copy_urgent(msg).ok_or(EINVAL)?;
        let missing = copied.err();
        if let Some(PullFault(count)) = missing {
            drop(reader);
            let result = msg.fault_in(count);
            if result.is_err() && !msg.is_peek() {
                // A program that has no memory for it loses it, as with AF_UNIX.
                queue.read().take_urgent();
            }
            result?;
            continue;
        }
        if !msg.is_peek() {
            reader.take_urgent();
        }
        msg.set_out_of_band();
        return Ok(1);
    }
}

/// Tells whether the reader has come to the mark (`SIOCATMARK`).
pub(super) fn at_mark(sk: &Live<'_>) -> bool {
    // To AF_UNIX, a connection that waits to be accepted is a byte that was read out of band.
    sk.pending() > 0 || sk.received().is_some_and(|queue| queue.read().is_at_mark())
}

/// Wakes the writers of a stream, if they wait for room and there is some.
#[inline]
pub(super) fn wake_writers(sk: &Live<'_>) {
    let Some(queue) = sk.received() else {
        return;
    };
    // Almost always there is none.
    if queue.has_wish() {
        fulfil_wish(sk, queue);
    }
}

/// Wakes the writers of a stream, who wait for room, if there is some.
#[inline(never)]
fn fulfil_wish(sk: &Live<'_>, queue: &ByteQueue<Attached>) {
    if let Some(peer) = sk.peer() {
        if queue.take_wish(peer.sndbuf()) {
            peer.wake_writers();
        }
    }
}

/// Tells the program the sender's name, if it asks and there is one.
#[inline(never)]
fn set_sender(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) {
    if msg.wants_address() {
        if let Some(address) = sk.peer().and_then(|peer| peer.address()) {
            msg.set_address(address);
        }
    }
}

/// Tells whether a receive would have to wait. Like one, it drops what is out of
/// band.
pub(super) fn would_wait(sk: &Live<'_>) -> bool {
    if sk.phase() != Phase::Established || sk.shutdown().receive() || sk.has_error() {
        return false;
    }
    let Some(mut reader) = sk.received().map(ByteQueue::read) else {
        return false;
    };
    let look = Look {
        peek: false,
        inline: sk.urgent_inline(),
        copied: false,
    };
    while reader.readable() > 0 {
        match reader.pass_urgent(0, look) {
            Step::Drop(_) => wake_writers(sk),
            _ => return false,
        }
    }
    true
}

/// Tells what a stream is ready for.
///
/// Mirrors `unix_poll()`.
pub(super) fn poll(sk: &Live<'_>) -> Events {
    let mut events = Events::NONE;
    let shutdown = sk.shutdown();
    let phase = sk.phase();
    if sk.has_error() {
        events |= Events::ERROR;
    }
    if shutdown == Shutdown::BOTH {
        events |= Events::HANGUP;
    }
    if shutdown.receive() {
        events |= Events::READ_HANGUP;
        events |= Events::READABLE;
    }
    if sk.queued() > 0 || sk.pending() > 0 {
        events |= Events::READABLE;
    }
    if sk.received().is_some_and(ByteQueue::has_urgent) {
        events |= Events::URGENT;
    }
    if phase == Phase::Closed {
        events |= Events::HANGUP;
    }
    // Without a peer there is nothing to wait for.
    if phase != Phase::Listening {
        let sndbuf = sk.sndbuf();
        match sk.peer() {
            Some(peer)
                if peer
                    .received()
                    .is_some_and(|queue| !queue.wish_writable(sndbuf)) =>
            {
                sk.note_no_space();
            }
            _ => events |= Events::WRITABLE,
        }
    }
    events
}
