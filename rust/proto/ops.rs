// SPDX-License-Identifier: GPL-2.0

//! The operations of each socket type.

use super::socket::{
    Live,
    Runix, //
};
use super::{
    close,
    connect,
    dgram,
    module::FAMILY,
    names,
    options,
    packets,
    stream,
    stream_send, //
};
#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    Blocking,
    Closing,
    End,
    Events,
    NameLen,
    NameOut,
    Ops,
    OptQuery,
    Phase,
    ReceiveMsg,
    SendMsg,
    Shutdown,
    SockOpt,
    SockType,
    SocketOps,
    Splice,
    Unattached, //
};
use core::marker::PhantomData;
use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    uaccess::{
        UserPtr,
        UserSlice, //
    }, //
};

/// The operations of `SOCK_STREAM`.
pub(super) static STREAM: Ops<Runix> = Ops::new::<Type<Stream>>();
/// The operations of `SOCK_DGRAM`.
pub(super) static DATAGRAM: Ops<Runix> = Ops::new::<Type<Datagram>>();
/// The operations of `SOCK_SEQPACKET`.
pub(super) static SEQPACKET: Ops<Runix> = Ops::new::<Type<SeqPacket>>();

/// What a type of socket does its own way.
trait Kind: 'static {
    /// `connect(2)`.
    fn connect(sk: &Live<'_>, address: &[u8], blocking: Blocking) -> Result {
        connect::connect(sk, address, blocking)
    }

    /// `listen(2)`.
    fn listen(sk: &Live<'_>, backlog: u32) -> Result {
        connect::listen(sk, backlog)
    }

    /// `accept(2)`.
    fn accept(sk: &Live<'_>, blocking: Blocking) -> Result<Unattached<Runix>> {
        connect::accept(sk, blocking)
    }

    /// `poll(2)`.
    fn poll(sk: &Live<'_>) -> Events;

    /// `SIOCINQ`, on a socket that doesn't listen.
    fn input(sk: &Live<'_>) -> usize;

    /// `SIOCOUTQ`.
    fn output(sk: &Live<'_>) -> usize;

    /// `SIOCATMARK`.
    fn at_mark(_sk: &Live<'_>) -> Result<usize> {
        Err(EOPNOTSUPP)
    }

    /// `sendmsg(2)`.
    fn sendmsg(sk: &Live<'_>, msg: &mut SendMsg<'_>) -> Result<usize>;

    /// `recvmsg(2)`.
    fn recvmsg(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) -> Result<usize>;

    /// `splice(2)`.
    fn splice_read(_sk: &Live<'_>, splice: Splice) -> Result<usize> {
        splice.by_copy()
    }
}

/// `SOCK_STREAM`.
struct Stream;
/// `SOCK_DGRAM`.
struct Datagram;
/// `SOCK_SEQPACKET`.
struct SeqPacket;

/// A type of socket as the socket layer sees it.
struct Type<K>(PhantomData<K>);

/// `SIOCINQ`, which is `FIONREAD`.
const SIOCINQ: u32 = 0x541b;
/// `SIOCOUTQ`, which is `TIOCOUTQ`.
const SIOCOUTQ: u32 = 0x5411;
/// `SIOCATMARK`: whether the next byte is the out-of-band one.
const SIOCATMARK: u32 = 0x8905;
/// `SIOCUNIXFILE`: a descriptor of the file that a socket is bound to.
const SIOCUNIXFILE: u32 = 0x89e0;

#[vtable]
impl<K: Kind> SocketOps for Type<K> {
    type Family = Runix;

    fn release(sk: Closing<'_, Runix>) {
        close::close(&sk, close::Cause::Released);
    }

    fn bind(sk: &Live<'_>, address: &[u8]) -> Result {
        names::bind(sk, address)
    }

    fn connect(sk: &Live<'_>, address: &[u8], blocking: Blocking) -> Result {
        K::connect(sk, address, blocking)
    }

    fn socketpair(a: &Live<'_>, b: &Live<'_>) -> Result {
        connect::socketpair(a, b)
    }

    fn accept(sk: &Live<'_>, blocking: Blocking) -> Result<Unattached<Runix>> {
        K::accept(sk, blocking)
    }

    fn getname(sk: &Live<'_>, end: End, out: NameOut<'_>) -> Result<NameLen> {
        match end {
            End::Own => Ok(write_name(sk.address(), out)),
            End::Peer => {
                let peer = sk.peer_get().ok_or(ENOTCONN)?;
                Ok(write_name(peer.address(), out))
            }
        }
    }

    fn poll(sk: &Live<'_>) -> Events {
        K::poll(sk)
    }

    fn ioctl(sk: &Live<'_>, cmd: u32, arg: usize) -> Result<c_int> {
        let count = match cmd {
            SIOCINQ if sk.phase() == Phase::Listening => return Err(EINVAL),
            SIOCINQ => K::input(sk),
            SIOCOUTQ => K::output(sk),
            SIOCATMARK => K::at_mark(sk)?,
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
        K::listen(sk, backlog)
    }

    fn shutdown(sk: &Live<'_>, what: Shutdown) -> Result {
        connect::shutdown(sk, what)
    }

    fn setsockopt(sk: &Live<'_>, option: SockOpt) -> Result {
        options::set(sk, option)
    }

    fn getsockopt(sk: &Live<'_>, query: OptQuery) -> Result {
        options::tell(sk, query)
    }

    fn sendmsg(sk: &Live<'_>, msg: &mut SendMsg<'_>) -> Result<usize> {
        K::sendmsg(sk, msg)
    }

    fn recvmsg(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) -> Result<usize> {
        K::recvmsg(sk, msg)
    }

    fn fdinfo(sk: &Live<'_>, out: &SeqFile) {
        // Mirrors `unix_show_fdinfo()`.
        let mut files = match (sk.kind(), sk.phase()) {
            (Some(SockType::Datagram), _) | (_, Phase::Established) => sk.data().files(),
            _ => 0,
        };
        if sk.phase() == Phase::Listening {
            let state = sk.lock();
            for pending in state.backlog.iter() {
                files = files.wrapping_add(pending.sock().data().files());
            }
        }
        seq_print!(out, "scm_fds: {}\n", files);
    }

    fn splice_read(sk: &Live<'_>, splice: Splice) -> Result<usize> {
        K::splice_read(sk, splice)
    }
}

impl Kind for Stream {
    fn poll(sk: &Live<'_>) -> Events {
        stream::poll(sk)
    }

    fn input(sk: &Live<'_>) -> usize {
        sk.unread()
    }

    fn output(sk: &Live<'_>) -> usize {
        sk.peer().map_or(0, |peer| peer.queued())
    }

    fn at_mark(sk: &Live<'_>) -> Result<usize> {
        Ok(stream::at_mark(sk).into())
    }

    fn sendmsg(sk: &Live<'_>, msg: &mut SendMsg<'_>) -> Result<usize> {
        stream_send::send(sk, msg)
    }

    fn recvmsg(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) -> Result<usize> {
        stream::receive(sk, msg)
    }

    fn splice_read(sk: &Live<'_>, splice: Splice) -> Result<usize> {
        if splice.has_offset() {
            return Err(ESPIPE);
        }
        // The copy below asks the file alone whether it may sleep.
        if splice.blocking() == Blocking::No && stream::would_wait(sk) {
            return Err(EAGAIN);
        }
        splice.by_copy()
    }
}

impl Kind for Datagram {
    fn connect(sk: &Live<'_>, address: &[u8], _blocking: Blocking) -> Result {
        dgram::connect(sk, address)
    }

    fn listen(_sk: &Live<'_>, _backlog: u32) -> Result {
        Err(EOPNOTSUPP)
    }

    fn accept(_sk: &Live<'_>, _blocking: Blocking) -> Result<Unattached<Runix>> {
        Err(EOPNOTSUPP)
    }

    fn poll(sk: &Live<'_>) -> Events {
        packets::poll(sk)
    }

    fn input(sk: &Live<'_>) -> usize {
        sk.first_packet_len()
    }

    fn output(sk: &Live<'_>) -> usize {
        sk.charged()
    }

    fn sendmsg(sk: &Live<'_>, msg: &mut SendMsg<'_>) -> Result<usize> {
        dgram::send(sk, msg)
    }

    fn recvmsg(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) -> Result<usize> {
        packets::receive(sk, msg)
    }
}

impl Kind for SeqPacket {
    fn poll(sk: &Live<'_>) -> Events {
        packets::poll(sk)
    }

    fn input(sk: &Live<'_>) -> usize {
        sk.packets().map_or(0, |packets| packets.queue.bytes())
    }

    fn output(sk: &Live<'_>) -> usize {
        sk.charged()
    }

    fn sendmsg(sk: &Live<'_>, msg: &mut SendMsg<'_>) -> Result<usize> {
        sk.take_error()?;
        if sk.phase() != Phase::Established {
            return Err(ENOTCONN);
        }
        // The address is ignored.
        msg.clear_address();
        dgram::send(sk, msg)
    }

    fn recvmsg(sk: &Live<'_>, msg: &mut ReceiveMsg<'_>) -> Result<usize> {
        if sk.phase() != Phase::Established {
            return Err(ENOTCONN);
        }
        packets::receive(sk, msg)
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

/// Hands out a name, or the bare family where there is none.
fn write_name(name: Option<&[u8]>, out: NameOut<'_>) -> NameLen {
    match name {
        Some(bytes) => out.set(bytes),
        None => out.set(&FAMILY.number().to_ne_bytes()),
    }
}
