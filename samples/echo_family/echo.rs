// SPDX-License-Identifier: GPL-2.0

//! The family: a socket that sends to itself.

#![forbid(unsafe_code)]

#[allow(unused_imports)]
use crate::net::errno::*;
use crate::net::{
    self,
    Blocking,
    BufferCaches,
    ByteQueue,
    Closing,
    Events,
    Family,
    FamilyDesc,
    Live,
    Ops,
    PlainHead,
    Proto,
    PullFault,
    PushError,
    ReceiveMsg,
    Registration,
    Selection,
    SendMsg,
    Sock,
    SockType,
    SocketOps,
    Timeout,
    Turn, //
};
use crate::pure::limits;
use kernel::prelude::*;

static PROTO: Proto<Echo> = Proto::new(c"RUNIX-ECHO");
static OPS: Ops<Echo> = Ops::new::<Stream>();
static FAMILY: FamilyDesc<Echo> = FamilyDesc::new(&[&PROTO], &[&OPS]);

/// The family.
struct Echo;

/// What each socket keeps: the bytes on their way back.
#[pin_data]
struct Bytes {
    #[pin]
    queue: ByteQueue,
}

impl Family for Echo {
    type Head = PlainHead;
    type State = ();
    type Data = Bytes;

    fn desc() -> &'static FamilyDesc<Self> {
        &FAMILY
    }

    fn select(kind: Option<SockType>, protocol: u32) -> Result<Selection<Self>> {
        match (kind, protocol) {
            (Some(kind @ SockType::Stream), 0) => Ok(Selection {
                kind,
                ops: &OPS,
                proto: &PROTO,
            }),
            (Some(SockType::Stream), _) => Err(EPROTONOSUPPORT),
            _ => Err(ESOCKTNOSUPPORT),
        }
    }

    fn state() {}

    fn data(_kind: SockType) -> impl PinInit<Bytes> {
        pin_init!(Bytes { queue <- ByteQueue::new() })
    }

    fn created(_sk: &Sock<Self>) -> Result {
        Ok(())
    }

    fn abandoned(_sk: Closing<'_, Self>) {}
}

/// `SOCK_STREAM`, the only type.
struct Stream;

#[vtable]
impl SocketOps for Stream {
    type Family = Echo;

    fn release(sk: Closing<'_, Echo>) {
        sk.data().queue.close();
    }

    fn poll(sk: &Live<'_, Echo>) -> Events {
        let mut events = Events::NONE;
        if sk.data().queue.queued() > 0 {
            events |= Events::READABLE;
        }
        if sk.data().queue.wish_writable(sk.sndbuf()) {
            events |= Events::WRITABLE;
        }
        events
    }

    fn sendmsg(sk: &Live<'_, Echo>, msg: &mut SendMsg<'_>) -> Result<usize> {
        let count = limits::piece(msg.remaining(), sk.sndbuf());
        if count == 0 {
            return Ok(0);
        }
        loop {
            match sk.data().queue.push(msg, count, sk.sndbuf(), &mut None) {
                Ok(()) => break,
                Err(PushError::Fault) => msg.fault_in(count)?,
                // Whoever fills the queue must empty it; waiting for oneself makes no sense.
                Err(PushError::Full) => return Err(EAGAIN),
                Err(PushError::NoMemory) => return Err(ENOMEM),
                Err(PushError::Shut) => return Err(EPIPE),
            }
        }
        sk.data_ready();
        Ok(count)
    }

    fn recvmsg(sk: &Live<'_, Echo>, msg: &mut ReceiveMsg<'_>) -> Result<usize> {
        let mut timeout = match msg.blocking() {
            Blocking::Yes => sk.receive_timeout(),
            Blocking::No => Timeout::NONE,
        };
        loop {
            let mut reader = sk.data().get_ref().queue.read();
            if reader.readable() > 0 {
                match reader.pull(msg, usize::MAX) {
                    Ok(count) => {
                        drop(reader);
                        if sk.data().queue.has_wish() && sk.data().queue.take_wish(sk.sndbuf()) {
                            sk.wake_writers();
                        }
                        return Ok(count);
                    }
                    Err(PullFault(count)) => {
                        drop(reader);
                        msg.fault_in(count)?;
                        continue;
                    }
                }
            }
            drop(reader);
            sk.wait(Turn::All, &mut timeout, || sk.data().queue.queued() > 0)?;
        }
    }
}

/// The loaded module.
pub(crate) struct Module {
    _family: Registration<Echo>,
    _buffers: BufferCaches,
}

impl kernel::Module for Module {
    fn init(module: &'static ThisModule) -> Result<Self> {
        let number = net::family_number()?;
        let buffers = BufferCaches::new([
            c"runix_echo_512",
            c"runix_echo_4k",
            c"runix_echo_8k",
            c"runix_echo_32k",
        ])?;
        let family = FAMILY.register(module, number)?;
        pr_info!("address family {} echoes\n", number);
        Ok(Self {
            _family: family,
            _buffers: buffers,
        })
    }
}
