// SPDX-License-Identifier: GPL-2.0

//! Streams: sending bytes.

use super::landing;
use super::packets::Attached;
use super::socket::{
    look_again,
    Live, //
};
#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    Ancillary,
    Blocking,
    Lands,
    Mark,
    Phase,
    PushError,
    SendMsg,
    Sender,
    SenderId,
    SmallBox,
    Sock,
    Timeout,
    Turn, //
};
use crate::pure::{
    limits,
    patience::worth_of_bytes, //
};
use kernel::prelude::*;

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
    let len = msg.remaining();
    match sk.peer() {
        Some(peer) if send_plain(sk, msg, peer) || send_alike(sk, msg, peer) => {
            peer.data_ready();
            Ok(len)
        }
        _ => send_any(sk, msg),
    }
}

/// Queues a message of nothing but bytes, if it is one piece and all is as it mostly
/// is; otherwise nothing has happened, and it is for [`send_any`], which looks at
/// everything and knows all errors.
///
/// Case of the bench: `sr/stream`, and all that follow from that.
#[inline]
fn send_plain(sk: &Live<'_>, msg: &mut SendMsg<'_>, peer: &Sock<super::socket::Runix>) -> bool {
    let (len, sndbuf) = (msg.remaining(), sk.sndbuf());
    if !is_one_piece(sk, msg, sndbuf) || sk.credentials_wanted(peer) {
        return false;
    }
    match peer.received() {
        Some(queue) if !queue.has_landing() => queue.push(msg, len, sndbuf, &mut None).is_ok(),
        _ => false,
    }
}

/// Tells whether a message is nothing but bytes that go in one piece, and the socket may send.
#[inline(always)]
fn is_one_piece(sk: &Live<'_>, msg: &SendMsg<'_>, sndbuf: usize) -> bool {
    let len = msg.remaining();
    msg.is_plain()
        && len > 0
        && limits::piece(len, sndbuf) >= len
        && !sk.has_error()
        && !sk.shutdown().send()
}

/// Does the same where the sender's credentials go with the bytes, if it has sent those
/// before as well.
///
/// Case of the bench: `creds/stream`.
#[inline(never)]
fn send_alike(sk: &Live<'_>, msg: &mut SendMsg<'_>, peer: &Sock<super::socket::Runix>) -> bool {
    let (len, sndbuf) = (msg.remaining(), sk.sndbuf());
    if !is_one_piece(sk, msg, sndbuf) || !sk.credentials_wanted(peer) {
        return false;
    }
    match peer.received() {
        Some(queue) => queue.push_alike(msg, len, sndbuf, SenderId::current()),
        None => false,
    }
}

/// Sends bytes with all that may go with them.
#[inline(never)]
fn send_any(sk: &Live<'_>, msg: &mut SendMsg<'_>) -> Result<usize> {
    let ancillary = msg.ancillary()?;
    if msg.is_out_of_band() && msg.remaining() == 0 {
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
        match send_all(sk, peer, msg, ancillary, &mut sent) {
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
    ancillary: Ancillary,
    sent: &mut usize,
) -> Result<(), SendError> {
    let queue = peer.received().ok_or(EINVAL)?;
    queue.expect(msg.remaining());
    let mut timeout = None;
    let Ancillary {
        sender: stated,
        mut files,
    } = ancillary;
    let mut mark = None;
    // The last byte of a message may be out of band; it goes on its own.
    let last = usize::from(msg.is_out_of_band());
    while msg.remaining() > 0 {
        if sk.has_error() {
            sk.take_error()?;
        }
        // Once something may have slept, a broken connection raises no signal.
        if sk.shutdown().send() {
            return Err(SendError::Plain(EPIPE));
        }
        let sndbuf = sk.sndbuf();
        let urgent = msg.remaining() == last;
        let count = match urgent {
            true => last,
            false => limits::piece(msg.remaining().wrapping_sub(last), sndbuf),
        };
        // The files go with the first piece, the credentials with each.
        if mark.is_none() && (stated.is_some() || files.is_some() || sk.credentials_wanted(peer)) {
            let stated = stated.as_ref().map(Sender::duplicate);
            if let Some(attached) = Attached::new(sk, peer, stated, files.take())? {
                attached.check_taken(peer)?;
                mark = Some(Mark::new(attached)?);
            }
        }
        if urgent {
            mark_urgent(&mut mark)?;
        } else if mark.is_none() && landing::is_open(sk, queue, msg) {
            let landed = queue.land(msg, msg.remaining().wrapping_sub(last));
            if landed > 0 {
                peer.data_ready();
                *sent = sent.wrapping_add(landed);
                timeout = None;
                continue;
            }
        }
        match queue.push(msg, count, sndbuf, &mut mark) {
            Ok(()) => {
                if urgent {
                    peer.lock().signal_urgent();
                }
                peer.data_ready();
                *sent = sent.wrapping_add(count);
                // Each piece may wait anew.
                timeout = None;
            }
            Err(PushError::Shut) if urgent => return Err(SendError::Plain(EPIPE)),
            Err(PushError::Shut) => return Err(SendError::Broken),
            Err(PushError::NoMemory) => return Err(SendError::Plain(ENOMEM)),
            Err(PushError::Fault) => msg.fault_in(count)?,
            Err(PushError::Full) => {
                let timeout = timeout.get_or_insert_with(|| match msg.blocking() {
                    Blocking::Yes => sk.send_timeout(),
                    Blocking::No => Timeout::NONE,
                });
                sk.note_no_space();
                let mut ready = || {
                    sk.has_error()
                        || sk.shutdown().send()
                        || peer.shutdown().receive()
                        || queue.wish_writable(sk.sndbuf())
                };
                let room = || sk.sndbuf().saturating_sub(queue.queued());
                if !look_again(sk, *timeout, &mut ready, || worth_of_bytes(room())) {
                    sk.wait(Turn::All, timeout, ready)?;
                }
            }
        }
    }
    Ok(())
}

/// Makes a mark that of an out-of-band byte.
fn mark_urgent(mark: &mut Option<SmallBox<Mark<Attached>>>) -> Result {
    let mut urgent = match mark.take() {
        Some(mark) => mark,
        None => Mark::new(Attached::NOTHING)?,
    };
    urgent.set_out_of_band();
    *mark = Some(urgent);
    Ok(())
}
