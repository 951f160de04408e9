// SPDX-License-Identifier: GPL-2.0

//! The module: what is registered while it is loaded.

use super::collector::{
    Collector,
    COLLECTOR, //
};
use super::diag::Request;
use super::inflight::InFlight;
use super::listing::SocketListing;
use super::ops::{
    DATAGRAM,
    SEQPACKET,
    STREAM, //
};
use super::socket::Runix;
#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    self,
    AllSockets,
    Bound,
    BufferCaches,
    DeferredRegistration,
    DiagDesc,
    DiagRegistration,
    FamilyDesc,
    Net,
    PerNet,
    PerNetData,
    PerNetRegistration,
    PidfdSource,
    ProcFile,
    Proto,
    Registration,
    SockTable,
    Sysctl,
    SysctlInt,
    Sysctls, //
};
use kernel::prelude::*;

/// All other types are counted together.
pub(super) static PACKET_PROTO: Proto<Runix> = Proto::new(c"RUNIX");

/// Stream sockets are counted under a name of their own, as AF_UNIX does it.
pub(super) static STREAM_PROTO: Proto<Runix> = Proto::new(c"RUNIX-STREAM");

/// The family, as it is registered.
pub(super) static FAMILY: FamilyDesc<Runix> = FamilyDesc::new(
    &[&PACKET_PROTO, &STREAM_PROTO],
    &[&STREAM, &DATAGRAM, &SEQPACKET],
);

static DIAG: DiagDesc<Request> = DiagDesc::new();

static SPACES: PerNet<Space> = PerNet::new();

/// What the family keeps in each network namespace.
#[pin_data]
pub(crate) struct Space {
    /// All sockets, by address.
    #[pin]
    pub(super) sockets: SockTable<Runix, AllSockets>,
    /// Sockets with an abstract name, by name.
    #[pin]
    pub(super) names: SockTable<Runix, Bound>,
    /// Sockets bound to a file, by inode. Files are reached across network
    /// namespaces: only the initial one has this table.
    pub(super) files: Option<Pin<KBox<SockTable<Runix, Bound>>>>,
    /// All files in flight, in the initial namespace alone.
    pub(super) in_flight: Option<Pin<KBox<InFlight>>>,
    /// How many packets a socket takes before unconnected senders must wait, and
    /// the backlog of a socket before `listen(2)`.
    pub(super) datagram_queue: SysctlInt,
    /// Sockets of AF_UNIX may be passed.
    pub(super) pass_unix: SysctlInt,
    /// How many of those are on their way to sockets of this namespace.
    pub(super) unix_in_flight: SysctlInt,
    /// Whether waiters may hand the CPU over to whom they wait for.
    pub(super) hand_over: SysctlInt,
    /// For how many microseconds waiters may look before they sleep.
    pub(super) look: SysctlInt,
    /// How many KiB of their memory waiting readers may offer to writers.
    pub(super) land: SysctlInt,
}

/// The first value of `max_dgram_qlen`. Bytes are limited at the sender
/// (`SO_SNDBUF`), so that the number may be large.
const DATAGRAM_QUEUE: i32 = 512;

/// The first value of `look_us`: about what it costs to sleep and to be woken by
/// another CPU.
const LOOK: i32 = 20;

/// The most microseconds to look for.
const LOOK_MOST: i32 = 1000;

/// The first value of `land_kib`, and the largest.
const LAND_MOST: i32 = 1024;

impl PerNetData for Space {
    const FILES: &'static [ProcFile] = &[ProcFile::new::<SocketListing>(c"runix")];

    const SYSCTLS: Sysctls<Self> = Sysctls::new(
        c"net/runix",
        &[
            Sysctl::new(c"max_dgram_qlen", 0, i32::MAX, |space| {
                &space.datagram_queue
            }),
            Sysctl::new(c"pass_unix_fds", 0, 1, |space| &space.pass_unix),
            Sysctl::read_only(c"unix_fds_in_flight", |space| &space.unix_in_flight),
            Sysctl::new(c"hand_over", 0, 1, |space| &space.hand_over),
            Sysctl::new(c"look_us", 0, LOOK_MOST, |space| &space.look),
            Sysctl::new(c"land_kib", 0, LAND_MOST, |space| &space.land),
        ],
    );

    fn pernet() -> &'static PerNet<Self> {
        &SPACES
    }

    fn new(net: &Net) -> impl PinInit<Self, Error> {
        let initial = net.is_initial();
        try_pin_init!(Self {
            sockets <- SockTable::new(),
            names <- SockTable::new(),
            files: if initial {
                Some(KBox::pin_init(SockTable::new(), GFP_KERNEL)?)
            } else {
                None
            },
            in_flight: if initial {
                Some(KBox::pin_init(InFlight::new(), GFP_KERNEL)?)
            } else {
                None
            },
            datagram_queue: SysctlInt::new(DATAGRAM_QUEUE),
            pass_unix: SysctlInt::new(0),
            unix_in_flight: SysctlInt::new(0),
            hand_over: SysctlInt::new(1),
            look: SysctlInt::new(LOOK),
            land: SysctlInt::new(LAND_MOST),
        })
    }
}

/// The loaded module. The fields are dropped in order: first nobody looks at
/// sockets and there are no new ones, then what sockets need. No socket is left then, as each holds the module.
pub(crate) struct Module {
    _diag: Option<DiagRegistration<Request>>,
    _family: Registration<Runix>,
    _collector: DeferredRegistration<Collector>,
    _spaces: PerNetRegistration<Space>,
    _buffers: BufferCaches,
    _pidfds: PidfdSource,
}

impl kernel::Module for Module {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let number = net::family_number().inspect_err(|_| {
            pr_err!("family= is no family number; try 18, 22, 13 or 19\n");
        })?;
        let pidfds = PidfdSource::new().inspect_err(|e| {
            pr_err!("no socket of AF_UNIX to make pidfds with: {:?}\n", e);
        })?;
        let buffers = BufferCaches::new([c"runix_512", c"runix_4k", c"runix_8k", c"runix_32k"])?;
        if !net::look_at_queues() {
            pr_warn!("rings of sockets that run through AF_UNIX won't be found\n");
        }
        let spaces = SPACES.register()?;
        let collector = COLLECTOR.register()?;
        // The last step that may fail: from here on, there may be sockets.
        let family = FAMILY.register(module, number).inspect_err(|e| {
            if *e == EEXIST {
                pr_err!(
                    "family number {} is taken by another module; try family=22, 13 or 19\n",
                    number
                );
            } else if *e == ENOBUFS {
                pr_err!(
                    "this kernel has no family number {}; try 18, 22, 13 or 19\n",
                    number
                );
            } else {
                pr_err!(
                    "family number {} could not be registered: {:?}\n",
                    number,
                    e
                );
            }
        })?;
        let diag = DIAG.register(module).inspect_err(|e| {
            pr_warn!("no listing by sock_diag, as by ss: {:?}\n", e);
        });
        pr_info!(
            "AF_RUNIX is address family {} (version {})\n",
            number,
            crate::VERSION
        );
        Ok(Self {
            _diag: diag.ok(),
            _family: family,
            _collector: collector,
            _spaces: spaces,
            _buffers: buffers,
            _pidfds: pidfds,
        })
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        pr_info!("AF_RUNIX is gone\n");
    }
}
