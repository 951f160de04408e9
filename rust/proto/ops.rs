// SPDX-License-Identifier: GPL-2.0

//! The operations of each socket type.

use super::socket::{
    Live,
    Runix, //
};
use super::{
    close,
    connect,
    module::FAMILY,
    names,
    stream, //
};
use crate::net::{
    Blocking,
    Closing,
    End,
    Events,
    Ops,
    Phase,
    ReceiveMsg,
    SendMsg,
    Shutdown,
    SockOpt,
    SocketOps,
    Splice,
    Unattached, //
};
use kernel::{
    prelude::*,
    sync::atomic::Relaxed,
    uaccess::{
        UserPtr,
        UserSlice, //
    }, //
};

/// The operations of `SOCK_STREAM`.
pub(super) static STREAM: Ops = Ops::new::<Stream>();

/// `SOCK_STREAM`.
struct Stream;

/// `SO_INQ`.
const SO_INQ: u32 = 84;
/// `SIOCINQ`, which is `FIONREAD`.
const SIOCINQ: u32 = 0x541b;
/// `SIOCOUTQ`, which is `TIOCOUTQ`.
const SIOCOUTQ: u32 = 0x5411;
/// `SIOCATMARK`: whether the next byte is the out-of-band one.
const SIOCATMARK: u32 = 0x8905;
/// `SIOCUNIXFILE`: a descriptor of the file that a socket is bound to.
const SIOCUNIXFILE: u32 = 0x89e0;

#[vtable]
impl SocketOps for Stream {
    type Family = Runix;

    fn release(sk: Closing<'_, Runix>) {
        close::close(&sk, close::Cause::Released);
    }

    fn bind(sk: &Live<'_>, address: &[u8]) -> Result {
        names::bind(sk, address)
    }

    fn connect(sk: &Live<'_>, address: &[u8], blocking: Blocking) -> Result {
        connect::connect(sk, address, blocking)
    }

    fn socketpair(a: &Live<'_>, b: &Live<'_>) -> Result {
        connect::socketpair(a, b)
    }

    fn accept(sk: &Live<'_>, blocking: Blocking) -> Result<Unattached<Runix>> {
        connect::accept(sk, blocking)
    }

    fn getname(sk: &Live<'_>, end: End, out: &mut [u8]) -> Result<usize> {
        match end {
            End::Own => Ok(write_name(sk.address(), out)),
            End::Peer => {
                let peer = sk.peer_get().ok_or(ENOTCONN)?;
                Ok(write_name(peer.address(), out))
            }
        }
    }

    fn poll(sk: &Live<'_>) -> Events {
        poll(sk)
    }

    fn ioctl(sk: &Live<'_>, cmd: u32, arg: usize) -> Result<c_int> {
        let count = match cmd {
            SIOCINQ if sk.phase() == Phase::Listening => return Err(EINVAL),
            SIOCINQ => sk.data().received.queued(),
            SIOCOUTQ => sk.peer().map_or(0, |peer| peer.data().received.queued()),
            // Without out-of-band data, the next byte is never at the mark.
            SIOCATMARK => 0,
            SIOCUNIXFILE => return open_file(sk),
            _ => return Err(ENOIOCTLCMD),
        };
        let count = c_int::try_from(count).unwrap_or(c_int::MAX);
        UserSlice::new(UserPtr::from_addr(arg), size_of::<c_int>())
            .writer()
            .write(&count)?;
        Ok(0)
    }

    fn listen(sk: &Live<'_>, backlog: u32) -> Result {
        connect::listen(sk, backlog)
    }

    fn shutdown(sk: &Live<'_>, what: Shutdown) -> Result {
        connect::shutdown(sk, what)
    }

    fn setsockopt(sk: &Live<'_>, option: SockOpt) -> Result {
        if !option.is_socket_option(SO_INQ) {
            return option.handle_generic();
        }
        let on = match option.int()? {
            0 => false,
            1 => true,
            _ => return Err(EINVAL),
        };
        sk.data().reports_queued.store(on, Relaxed);
        Ok(())
    }

    fn sendmsg(sk: &Live<'_>, msg: &mut SendMsg<'_>) -> Result<usize> {
        stream::send(sk, msg)
    }

    fn recvmsg(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) -> Result<usize> {
        stream::receive(sk, msg)
    }

    fn splice_read(sk: &Live<'_>, splice: Splice) -> Result<usize> {
        if splice.has_offset() {
            return Err(ESPIPE);
        }
        // The copy below asks the file alone whether it may sleep.
        if splice.blocking() == Blocking::No
            && sk.phase() == Phase::Established
            && sk.data().received.queued() == 0
            && !sk.shutdown().receive()
            && !sk.has_error()
        {
            return Err(EAGAIN);
        }
        splice.by_copy()
    }
}

/// Opens the file that a socket is bound to, as `O_PATH` does.
///
/// `EPERM` unless the caller administers the network namespace, `ENOENT` where
/// there is no file. Mirrors `unix_open_file()`.
fn open_file(sk: &Live<'_>) -> Result<c_int> {
    if !sk.net().may_administer() {
        return Err(EPERM);
    }
    let path = sk.lock().shared_path();
    path.ok_or(ENOENT)?.open()
}

/// Writes a name, or the bare family where there is none.
fn write_name(name: Option<&[u8]>, out: &mut [u8]) -> usize {
    let family = FAMILY.number().to_ne_bytes();
    let (bytes, len) = match name {
        Some(bytes) => (bytes, bytes.len()),
        None => (&family[..], family.len()),
    };
    match out.get_mut(..len) {
        Some(out) => {
            out.copy_from_slice(bytes);
            len
        }
        None => 0,
    }
}

/// Tells what a stream is ready for.
///
/// Mirrors `unix_poll()`.
fn poll(sk: &Live<'_>) -> Events {
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
    // A connection that is shut down counts as writable, so that nobody waits in vain.
    if phase != Phase::Listening {
        let sndbuf = sk.sndbuf();
        match sk.peer() {
            Some(peer) if !peer.data().received.wish_writable(sndbuf) => sk.note_no_space(),
            _ => events |= Events::WRITABLE,
        }
    }
    events
}
