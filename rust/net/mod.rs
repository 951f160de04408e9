// SPDX-License-Identifier: GPL-2.0

//! Socket families in safe Rust.
//!
//! This layer stands between a protocol and the C socket layer, and is the only
//! place, with the bindings, that holds `unsafe` code. It knows no protocol: a
//! family describes itself by the [`Family`] trait, and each of its socket
//! types by [`SocketOps`]; what it gets in return are references whose types
//! say what they may be used for:
//!
//! * [`Sock`]: a socket that somebody has a reference to. It may be closed by
//!   its owner at any time.
//! * [`Live`]: a socket in a system call through a file: it is not closed while
//!   the value exists.
//! * [`Closing`]: the last use of a socket through its file.
//! * [`Unattached`]: a socket that has no file yet, such as a connection that
//!   waits to be accepted.
//!
//! C headers: [`include/net/sock.h`](srctree/include/net/sock.h),
//! [`include/linux/net.h`](srctree/include/linux/net.h)

// A family uses what it needs of the layer.
#![allow(dead_code, unused_imports)]

mod ancillary;
mod backlog;
mod charge;
mod chunk;
mod compat;
mod cred;
mod deferred;
mod diag;
mod either;
mod family;
mod foreign;
pub(crate) mod grow;
mod handed;
#[cfg(runix_kunit)]
mod kunit;
mod landing;
mod live;
mod marks;
mod msg;
mod offer;
mod ops;
mod packet;
mod param;
mod path;
mod patience;
mod pernet;
mod phase;
mod pidfd;
mod poll;
mod procfs;
mod queue;
mod reader;
mod request;
mod smallbox;
mod sock;
mod sysctl;
mod table;
mod unix;
mod urgent;
mod wait;
mod warm;
mod word;
mod writer;

pub(crate) use ancillary::{
    Ancillary,
    Attachment,
    Files,
    Pass,
    Sender,
    SenderId, //
};
pub(crate) use backlog::Backlog;
pub(crate) use charge::{
    Charge,
    Origin, //
};
pub(crate) use chunk::BufferCaches;
pub(crate) use compat::errno;
pub(crate) use cred::PeerCred;
pub(crate) use deferred::{
    now,
    Deferred,
    DeferredRegistration,
    Task, //
};
pub(crate) use diag::{
    Attributes,
    Diag,
    DiagDesc,
    DiagRegistration, //
};
pub(crate) use either::Either;
pub(crate) use family::{
    Family,
    FamilyDesc,
    Proto,
    Registration,
    Selection,
    Unattached, //
};
pub(crate) use foreign::{
    look_at_queues,
    queues_are_known,
    wake_unix_collector,
    Frozen,
    Queued,
    UnixSock, //
};
pub(crate) use live::{
    Closing,
    Live, //
};
pub(crate) use marks::{
    Mark,
    Rider,
    Run, //
};
pub(crate) use msg::{
    ReceiveMsg,
    SendMsg, //
};
pub(crate) use offer::{
    wait_briefly,
    Lands,
    Offer, //
};
pub(crate) use ops::{
    Ops,
    SocketOps, //
};
pub(crate) use packet::{
    Packet,
    PacketList,
    PacketQueue,
    Peeked, //
};
pub(crate) use param::family_number;
pub(crate) use path::{
    InodeId,
    PathRef,
    SocketFile, //
};
pub(crate) use patience::Patience;
pub(crate) use pernet::{
    Net,
    PerNet,
    PerNetData,
    PerNetRegistration, //
};
pub(crate) use phase::{
    Phase,
    Shutdown,
    SockType, //
};
pub(crate) use pidfd::{
    Descriptor,
    PidfdSource, //
};
pub(crate) use poll::Events;
pub(crate) use procfs::{
    Line,
    Listing,
    ProcFile, //
};
pub(crate) use queue::ByteQueue;
pub(crate) use reader::{
    PullFault,
    Reader, //
};
pub(crate) use request::{
    number,
    Blocking,
    End,
    NameLen,
    NameOut,
    OptQuery,
    SockOpt,
    Splice, //
};
pub(crate) use smallbox::SmallBox;
pub(crate) use sock::{
    Guarded,
    Sock,
    StateGuard, //
};
pub(crate) use sysctl::{
    Sysctl,
    SysctlInt,
    Sysctls, //
};
pub(crate) use table::{
    AllSockets,
    Bound,
    SockTable, //
};
pub(crate) use unix::{
    Address,
    BindGuard,
    PlainHead,
    UnixHead, //
};
pub(crate) use wait::{
    cond_resched,
    full_barrier,
    random_u32,
    Timeout,
    Turn, //
};
pub(crate) use word::{
    Flag,
    Word, //
};
pub(crate) use writer::PushError;
