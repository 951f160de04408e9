// SPDX-License-Identifier: GPL-2.0

//! Streams: sending and receiving bytes.

use super::socket::{
    at_end,
    Live, //
};
use crate::net::{
    Blocking,
    Events,
    Phase,
    PullFault,
    PushError,
    Reader,
    ReceiveMsg,
    SendMsg,
    Shutdown,
    Sock,
    Timeout,
    Turn, //
};
use crate::pure::limits;
use kernel::{
    prelude::*,
    sync::atomic::Relaxed, //
};

/// What ends a send, and whether `SIGPIPE` comes with it.
enum SendError {
    /// The connection is broken: `EPIPE`, and `SIGPIPE`.
    Broken,
    /// Any other error, without a signal.
    Plain(Error),
}

impl From<Error> for SendError {
    fn from(error: Error) -> Self {
        Self::Plain(error)
    }
}

/// Sends bytes: `send(2)`, `write(2)` and their kin.
///
/// Mirrors `unix_stream_sendmsg()`. May sleep (`SO_SNDTIMEO`).
pub(super) fn send(sk: &Live<'_>, msg: &mut SendMsg<'_>) -> Result<usize> {
    msg.check_ancillary(sk)?;
    if msg.is_out_of_band() {
        return Err(EOPNOTSUPP);
    }
    if msg.has_address() {
        return Err(match sk.phase() {
            Phase::Established => EISCONN,
            _ => EOPNOTSUPP,
        });
    }
    let peer = sk.peer().ok_or(ENOTCONN)?;

    let mut sent = 0;
    let error = if sk.shutdown().send() {
        SendError::Broken
    } else {
        match send_all(sk, peer, msg, &mut sent) {
            Ok(()) => return Ok(sent),
            Err(error) => error,
        }
    };
    if sent > 0 {
        return Ok(sent);
    }
    match error {
        SendError::Plain(error) => Err(error),
        SendError::Broken => {
            if msg.wants_sigpipe() {
                sk.sigpipe();
            }
            Err(EPIPE)
        }
    }
}

/// Sends piece by piece what is left of a message, and counts it in `sent`.
fn send_all(
    sk: &Live<'_>,
    peer: &Sock<super::socket::Runix>,
    msg: &mut SendMsg<'_>,
    sent: &mut usize,
) -> Result<(), SendError> {
    let queue = &peer.data().get_ref().received;
    let mut timeout = None;
    while msg.remaining() > 0 {
        if sk.has_error() {
            sk.take_error()?;
        }
        // Once something may have slept, a broken connection raises no signal.
        if sk.shutdown().send() {
            return Err(SendError::Plain(EPIPE));
        }
        let sndbuf = sk.sndbuf();
        let count = limits::piece(msg.remaining(), sndbuf);
        match queue.push(msg, count, sndbuf) {
            Ok(()) => {
                peer.data_ready();
                *sent = sent.wrapping_add(count);
            }
            Err(PushError::Shut) => return Err(SendError::Broken),
            Err(PushError::NoMemory) => return Err(SendError::Plain(ENOMEM)),
            Err(PushError::Fault) => msg.fault_in(count)?,
            Err(PushError::Full) => {
                let timeout = timeout.get_or_insert_with(|| match msg.blocking() {
                    Blocking::Yes => sk.send_timeout(),
                    Blocking::No => Timeout::NONE,
                });
                sk.note_no_space();
                sk.wait(Turn::All, timeout, || {
                    sk.has_error()
                        || sk.shutdown().send()
                        || peer.shutdown().receive()
                        || queue.wish_writable(sk.sndbuf())
                })?;
            }
        }
    }
    Ok(())
}

/// Receives bytes: `recv(2)`, `read(2)` and their kin.
///
/// Mirrors `unix_stream_read_generic()`. May sleep (`SO_RCVTIMEO`).
pub(super) fn receive(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) -> Result<usize> {
    if sk.phase() != Phase::Established {
        return Err(EINVAL);
    }
    if msg.is_out_of_band() {
        // There is none.
        return Err(EINVAL);
    }
    let target = if msg.wants_all() {
        msg.room()
    } else {
        sk.receive_low_water().min(msg.room())
    };
    let mut copied = 0;
    let result = receive_until(sk, msg, target.max(1), &mut copied);
    // What was received counts, whatever came after it.
    if copied == 0 {
        result?;
    }
    let reports = sk.data().reports_queued.load(Relaxed);
    if reports || msg.wants_queued() {
        msg.set_queued(sk.data().received.queued(), reports);
    }
    Ok(copied)
}

/// Receives until there are `target` bytes and the queue is empty, the message
/// is full, or the stream ends; counts the bytes in `copied`.
fn receive_until(
    sk: &Live<'_>,
    msg: &mut ReceiveMsg<'_>,
    target: usize,
    copied: &mut usize,
) -> Result {
    let queue = &sk.data().get_ref().received;
    let mut timeout = None;
    loop {
        let mut reader = queue.read();
        let skip = if msg.is_peek() {
            sk.peek_offset().unwrap_or(0)
        } else {
            0
        };
        if reader.readable() > skip {
            set_sender(sk, msg);
            match take(sk, &mut reader, msg, skip) {
                Ok(count) => *copied = copied.wrapping_add(count),
                Err(PullFault(count)) => {
                    drop(reader);
                    msg.fault_in(count)?;
                    continue;
                }
            }
            if msg.room() == 0 || msg.is_peek() {
                return Ok(());
            }
            if reader.readable() > 0 {
                continue;
            }
        }
        if *copied >= target {
            return Ok(());
        }
        if at_end(sk)? {
            // What was sent before the shutdown is seen after it.
            if reader.readable() > skip {
                continue;
            }
            return Ok(());
        }
        if skip == 0 {
            reader.shrink();
        }
        drop(reader);
        let timeout = timeout.get_or_insert_with(|| match msg.blocking() {
            Blocking::Yes => sk.receive_timeout(),
            Blocking::No => Timeout::NONE,
        });
        sk.wait_readable(timeout, || {
            queue.queued() > skip || sk.has_error() || sk.shutdown().receive()
        })?;
    }
}

/// Moves or copies bytes from the queue into a message.
fn take(
    sk: &Live<'_>,
    reader: &mut Reader<'_>,
    msg: &mut ReceiveMsg<'_>,
    skip: usize,
) -> Result<usize, PullFault> {
    if msg.is_peek() {
        let count = reader.peek(msg, skip)?;
        sk.peek_offset_forward(count);
        return Ok(count);
    }
    let count = reader.pull(msg)?;
    sk.peek_offset_back(count);
    if let Some(peer) = sk.peer() {
        if sk.data().received.take_wish(peer.sndbuf()) {
            peer.wake_writers();
        }
    }
    Ok(count)
}

/// Tells the program the sender's name, if it asks and there is one.
fn set_sender(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) {
    if msg.wants_address() {
        if let Some(address) = sk.peer().and_then(|peer| peer.address()) {
            msg.set_address(address);
        }
    }
}

/// Tells whether a receive would have to wait.
pub(super) fn would_wait(sk: &Live<'_>) -> bool {
    sk.phase() == Phase::Established
        && sk.data().received.queued() == 0
        && !sk.shutdown().receive()
        && !sk.has_error()
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
    if sk.data().received.queued() > 0 || sk.pending() > 0 {
        events |= Events::READABLE;
    }
    if phase == Phase::Closed {
        events |= Events::HANGUP;
    }
    // Without a peer there is nothing to wait for.
    if phase != Phase::Listening {
        let sndbuf = sk.sndbuf();
        match sk.peer() {
            Some(peer) if !peer.data().received.wish_writable(sndbuf) => sk.note_no_space(),
            _ => events |= Events::WRITABLE,
        }
    }
    events
}
