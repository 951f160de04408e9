// SPDX-License-Identifier: GPL-2.0

//! Answers to programs like `ss(8)`, by `sock_diag(7)`.
//!
//! A request comes as a netlink message, and asks for one socket or for all of a
//! network namespace (a dump). What requests and answers look like is up to the
//! family ([`Diag`]); this file carries them.
//!
//! Sockets are not destroyed on request (`SOCK_DESTROY`): `EOPNOTSUPP`.
//!
//! C headers: [`include/linux/sock_diag.h`](srctree/include/linux/sock_diag.h),
//! [`include/net/netlink.h`](srctree/include/net/netlink.h)

use super::family::Family;
use super::pernet::{
    Net,
    PerNetData, //
};
use super::sock::Sock;
use super::table::{
    AllSockets,
    Position,
    SockTable, //
};
use crate::bindings;
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr,
    ptr::NonNull,
    slice, //
};
use kernel::{
    bindings as kb,
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
    },
    types::Opaque,
};

/// A request for what there is to know of one socket or of many.
///
/// The methods may sleep.
pub(crate) trait Diag: Sized + 'static {
    /// The family.
    type Family: Family;

    /// What the namespace keeps, the table of all sockets among it.
    type Space: PerNetData;

    /// The bytes that each answer starts with, an array.
    type Header: AsRef<[u8]>;

    /// Returns the table of the namespace's sockets.
    fn table(space: &Self::Space) -> &SockTable<Self::Family, AllSockets>;

    /// Reads a request: what follows the netlink header, two bytes at least.
    ///
    /// `EINVAL` if it is too short.
    fn parse(bytes: &[u8]) -> Result<Self>;

    /// Finds the one socket that is asked for, if it isn't a dump.
    ///
    /// `ENOENT` if there is none, `ESTALE` if it isn't the one that was meant.
    fn find(&self, table: &SockTable<Self::Family, AllSockets>)
        -> Result<ARef<Sock<Self::Family>>>;

    /// Tells whether a socket belongs into the dump that is asked for.
    fn wants(&self, sk: &Sock<Self::Family>) -> bool;

    /// Returns what the answer about a socket starts with.
    fn header(&self, sk: &Sock<Self::Family>) -> Self::Header;

    /// Adds the attributes that are asked for.
    ///
    /// `EMSGSIZE` if there isn't room for them: it is asked again, with more.
    fn attributes(&self, sk: &Sock<Self::Family>, out: &mut Attributes<'_>) -> Result;
}

/// The attributes of an answer that is being written.
///
/// # Invariants
///
/// `skb` is a netlink message that is ours during `'a`, and `users` is a user
/// namespace that exists as long.
pub(crate) struct Attributes<'a> {
    skb: NonNull<kb::sk_buff>,
    users: *mut kb::user_namespace,
    last_try: bool,
    _p: PhantomData<&'a mut kb::sk_buff>,
}

impl Attributes<'_> {
    /// Adds an attribute.
    ///
    /// Any context. `EMSGSIZE` if there is no room.
    pub(crate) fn put(&mut self, attribute: u16, bytes: &[u8]) -> Result {
        let len = c_int::try_from(bytes.len()).map_err(|_| EMSGSIZE)?;
        // SAFETY: The message is ours by the type invariants, and the bytes are readable.
        to_result(unsafe {
            bindings::nla_put(
                self.skb.as_ptr(),
                c_int::from(attribute),
                len,
                bytes.as_ptr().cast(),
            )
        })
    }

    /// Adds an attribute of `len` zero bytes, to be filled.
    ///
    /// Any context. `EMSGSIZE` if there is no room.
    pub(crate) fn reserve(&mut self, attribute: u16, len: usize) -> Result<&mut [u8]> {
        if len > MAX_ATTRIBUTE {
            return Err(EMSGSIZE);
        }
        // SAFETY: The message is ours by the type invariants.
        let raw = unsafe {
            bindings::nla_reserve(self.skb.as_ptr(), c_int::from(attribute), len as c_int)
        };
        let raw = NonNull::new(raw).ok_or(EMSGSIZE)?;
        // SAFETY: The function has made room for `len` bytes behind the attribute's head, which
        // belong to the message.
        unsafe {
            let bytes = raw.as_ptr().add(1).cast::<u8>();
            bytes.write_bytes(0, len);
            Ok(slice::from_raw_parts_mut(bytes, len))
        }
    }

    /// Returns how many bytes there is room for, in one attribute.
    pub(crate) fn room(&self) -> usize {
        // SAFETY: The message is ours by the type invariants.
        let room = unsafe { bindings::skb_tailroom(self.skb.as_ptr()) };
        usize::try_from(room)
            .unwrap_or(0)
            .saturating_sub(size_of::<kb::nlattr>())
            .min(MAX_ATTRIBUTE)
    }

    /// Tells whether there won't be more room: what doesn't fit is left out.
    pub(crate) fn is_last_try(&self) -> bool {
        self.last_try
    }

    /// Adds the attribute with the memory that a socket uses and may use
    /// (`SK_MEMINFO_*`), `outstanding` bytes of it for what it has sent and
    /// nobody has received.
    ///
    /// Any context. `EMSGSIZE` if there is no room.
    pub(crate) fn put_memory<F: Family>(
        &mut self,
        attribute: u16,
        sk: &Sock<F>,
        outstanding: usize,
    ) -> Result {
        let outstanding = u32::try_from(outstanding).unwrap_or(u32::MAX);
        // SAFETY: By the type invariants of both.
        to_result(unsafe {
            bindings::diag_put_meminfo(
                sk.as_sk(),
                self.skb.as_ptr(),
                c_int::from(attribute),
                outstanding,
            )
        })
    }

    /// Returns the number that a socket's owner has for who asks; the overflow
    /// number if none.
    pub(crate) fn user_id<F: Family>(&self, sk: &Sock<F>) -> u32 {
        // SAFETY: By the type invariants of both.
        unsafe { bindings::sock_user_id(sk.as_sk(), self.users) }
    }
}

/// The most bytes that an attribute can have, a multiple of four.
const MAX_ATTRIBUTE: usize = 0xffff - 7;

impl<F: Family> Sock<F> {
    /// Returns the number that tells the socket from all others that were or
    /// will be. Any context.
    pub(crate) fn cookie(&self) -> [u32; 2] {
        let mut cookie = [0; 2];
        // SAFETY: By the type invariants; the function writes two numbers.
        unsafe { bindings::sock_diag_save_cookie(self.as_sk(), cookie.as_mut_ptr()) };
        cookie
    }

    /// Checks that a cookie is the socket's, or that of any socket: `ESTALE`.
    pub(crate) fn check_cookie(&self, cookie: [u32; 2]) -> Result {
        // SAFETY: By the type invariants; the function reads two numbers.
        to_result(unsafe { bindings::sock_diag_check_cookie(self.as_sk(), cookie.as_ptr()) })
    }
}

/// The answers to requests `D`; lives in a static.
pub(crate) struct DiagDesc<D: Diag> {
    raw: Opaque<bindings::sock_diag_handler>,
    registered: Atomic<i32>,
    _p: PhantomData<fn() -> D>,
}

// SAFETY: The C side reads `raw`, which is written before it is registered only.
unsafe impl<D: Diag> Sync for DiagDesc<D> {}

impl<D: Diag> DiagDesc<D> {
    /// Makes a value that isn't registered yet.
    pub(crate) const fn new() -> Self {
        Self {
            raw: Opaque::new(pin_init::zeroed()),
            registered: Atomic::new(0),
            _p: PhantomData,
        }
    }

    /// Answers requests about the family, which is registered, until the
    /// returned value is dropped.
    ///
    /// `EBUSY` if somebody else answers them, `EINVAL` if the family has no
    /// number.
    ///
    /// The returned value belongs into the module's own data, to be dropped
    /// before the family.
    pub(crate) fn register(
        &'static self,
        module: &'static ThisModule,
    ) -> Result<DiagRegistration<D>> {
        let family = u8::try_from(D::Family::desc().number()).map_err(|_| EINVAL)?;
        if family == 0 {
            return Err(EINVAL);
        }
        if self.registered.cmpxchg(0, 1, Full).is_err() {
            return Err(EBUSY);
        }
        // SAFETY: Nobody uses the handler before it is registered.
        unsafe {
            *self.raw.get() = bindings::sock_diag_handler {
                owner: module.as_ptr(),
                family,
                dump: Some(Self::request),
                ..pin_init::zeroed()
            };
        }
        // SAFETY: The handler is static.
        let registered = to_result(unsafe { bindings::sock_diag_register(self.raw.get()) });
        if let Err(e) = registered {
            self.registered.store(0, Relaxed);
            return Err(e);
        }
        Ok(DiagRegistration(self))
    }

    /// `sock_diag_handler.dump`: answers a request.
    ///
    /// # Safety
    ///
    /// Called by `sock_diag` with a request `nlh`, of two bytes at least, in the
    /// message `skb`.
    unsafe extern "C" fn request(skb: *mut kb::sk_buff, nlh: *mut kb::nlmsghdr) -> c_int {
        from_result(|| {
            // SAFETY: By the function's safety requirements.
            let request = D::parse(unsafe { payload(nlh) })?;
            // SAFETY: As above; who has sent the message exists as long as it is handled.
            unsafe {
                if c_uint::from((*nlh).nlmsg_flags) & bindings::NLM_F_DUMP != 0 {
                    // The result tells netlink that there is nothing to acknowledge.
                    return Ok(bindings::diag_dump_start(skb, nlh, Some(Self::dump)));
                }
                let to = Envelope {
                    asker: bindings::netlink_asker(skb),
                    port: bindings::netlink_port(skb),
                    sequence: (*nlh).nlmsg_seq,
                    flags: 0,
                };
                Self::answer_one(&request, &to).map(|()| 0)
            }
        })
    }

    /// Answers a request for one socket.
    ///
    /// # Safety
    ///
    /// The asker is valid.
    unsafe fn answer_one(request: &D, to: &Envelope) -> Result {
        // SAFETY: By the function's safety requirements.
        let net = unsafe { Net::from_raw(bindings::sock_net(to.asker)) };
        let table = D::Space::pernet().get(net).map(D::table).ok_or(ENOENT)?;
        let sk = request.find(table)?;
        let mut size = FIRST_ANSWER;
        loop {
            let last_try = size >= LAST_ANSWER;
            let reply = Reply::new(size)?;
            // SAFETY: The message is ours; the asker is valid by the function's safety
            // requirements.
            match unsafe { Self::write(reply.0.as_ptr(), to, request, &sk, last_try) } {
                // SAFETY: As above.
                Ok(()) => return unsafe { reply.send(to) },
                Err(e) if last_try || e != EMSGSIZE => return Err(e),
                Err(_) => size = size.saturating_mul(2),
            }
        }
    }

    /// `netlink_callback.dump`: goes on with a dump.
    ///
    /// What the dump keeps from one call to the next is where its [`Cursor`] is.
    ///
    /// [`Cursor`]: super::table::Cursor
    ///
    /// # Safety
    ///
    /// Called by netlink with a message `skb` to be filled, which belongs to who
    /// asked, for the dump `cb` that [`DiagDesc::request`] has started.
    unsafe extern "C" fn dump(skb: *mut kb::sk_buff, cb: *mut kb::netlink_callback) -> c_int {
        from_result(|| {
            // SAFETY: By the function's safety requirements: the request stays with the dump.
            let (request, to, place) = unsafe {
                let to = Envelope {
                    asker: bindings::skb_owner(skb),
                    port: bindings::netlink_port((*cb).skb),
                    sequence: (*(*cb).nlh).nlmsg_seq,
                    flags: bindings::NLM_F_MULTI as c_int,
                };
                let place = &mut (*cb).__bindgen_anon_1.args;
                (D::parse(payload((*cb).nlh))?, to, place)
            };
            // SAFETY: The asker is valid during the call.
            let net = unsafe { Net::from_raw(bindings::sock_net(to.asker)) };
            let table = D::Space::pernet().get(net).map(D::table).ok_or(ENOENT)?;

            let at = Position {
                bucket: place[0] as usize,
                place: place[1] as u64,
            };
            let mut cursor = table.cursor(at);
            while let Some(sk) = cursor.get() {
                if request.wants(sk) {
                    // SAFETY: By the function's safety requirements.
                    let is_empty = unsafe { (*skb).len == 0 };
                    // SAFETY: As above.
                    let written = unsafe { Self::write(skb, &to, &request, sk, is_empty) };
                    // What doesn't even fit alone is left out: the others shall be seen.
                    if written.is_err() && !is_empty {
                        break;
                    }
                }
                cursor.advance();
            }
            let at = cursor.position();
            place[0] = at.bucket as c_long;
            place[1] = at.place as c_long;
            // SAFETY: By the function's safety requirements.
            Ok(unsafe { (*skb).len } as c_int)
        })
    }

    /// Writes the answer about a socket, all of it or nothing.
    ///
    /// # Safety
    ///
    /// `skb` is a netlink message that is ours, the asker is valid.
    unsafe fn write(
        skb: *mut kb::sk_buff,
        to: &Envelope,
        request: &D,
        sk: &Sock<D::Family>,
        last_try: bool,
    ) -> Result {
        let header = request.header(sk);
        let header = header.as_ref();
        // SAFETY: By the function's safety requirements; the room that was made has the header's
        // length, and nobody else writes there.
        let (start, skb, users) = unsafe {
            let start = bindings::diag_message_start(
                skb,
                to.port,
                to.sequence,
                header.len() as c_int,
                to.flags,
            );
            let start = NonNull::new(start).ok_or(EMSGSIZE)?;
            let place = start.as_ptr().add(1).cast::<u8>();
            ptr::copy_nonoverlapping(header.as_ptr(), place, header.len());
            // A valid pointer isn't null.
            (
                start,
                NonNull::new_unchecked(skb),
                bindings::sk_users(to.asker),
            )
        };
        // INVARIANT: By the function's safety requirements; who asks keeps the user namespace.
        let mut out = Attributes {
            skb,
            users,
            last_try,
            _p: PhantomData,
        };
        let written = request.attributes(sk, &mut out);
        // SAFETY: The message is the one that was started above.
        unsafe {
            match written {
                Ok(()) => bindings::diag_message_end(skb.as_ptr(), start.as_ptr()),
                Err(_) => bindings::diag_message_cancel(skb.as_ptr(), start.as_ptr()),
            }
        }
        written
    }
}

/// Room for the first try to answer a request for one socket, in bytes.
const FIRST_ANSWER: usize = 512;
/// Room for the last one.
const LAST_ANSWER: usize = 32768;

/// Who gets an answer.
struct Envelope {
    /// The netlink socket of the program that asks.
    asker: *mut bindings::sock,
    port: u32,
    sequence: u32,
    flags: c_int,
}

/// Returns what follows the header of a netlink message.
///
/// # Safety
///
/// `nlh` is a valid message during `'a`.
unsafe fn payload<'a>(nlh: *const kb::nlmsghdr) -> &'a [u8] {
    // SAFETY: By the function's safety requirements; the length counts the header, which is
    // aligned as payload is.
    unsafe {
        let len = ((*nlh).nlmsg_len as usize).saturating_sub(size_of::<kb::nlmsghdr>());
        slice::from_raw_parts(nlh.add(1).cast(), len)
    }
}

/// A message to one program.
///
/// # Invariants
///
/// The value owns the message.
struct Reply(NonNull<kb::sk_buff>);

impl Reply {
    /// Makes a message with room for `size` bytes.
    ///
    /// May sleep. `ENOMEM` without memory.
    fn new(size: usize) -> Result<Self> {
        // SAFETY: Has no requirements.
        let raw = unsafe { bindings::diag_reply_new(size) };
        // INVARIANT: A new message is ours.
        NonNull::new(raw).map(Self).ok_or(ENOMEM)
    }

    /// Sends the message.
    ///
    /// # Safety
    ///
    /// The asker is valid.
    unsafe fn send(self, to: &Envelope) -> Result {
        let this = ManuallyDrop::new(self);
        // SAFETY: By the function's safety requirements; the message is handed over.
        to_result(unsafe { bindings::diag_reply_send(to.asker, this.0.as_ptr(), to.port) })
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        // SAFETY: By the type invariants.
        unsafe { bindings::diag_reply_free(self.0.as_ptr()) };
    }
}

/// Answers to requests; dropping it ends them.
pub(crate) struct DiagRegistration<D: Diag>(&'static DiagDesc<D>);

impl<D: Diag> Drop for DiagRegistration<D> {
    fn drop(&mut self) {
        // SAFETY: The handler was registered. Requests that are being answered hold the module.
        unsafe { bindings::sock_diag_unregister(self.0.raw.get()) };
        self.0.registered.store(0, Relaxed);
    }
}
