// SPDX-License-Identifier: GPL-2.0

//! Families: what `socket(2)` finds behind a family number.
//!
//! C header: [`include/linux/net.h`](srctree/include/linux/net.h)

use super::compat::raw_try_init;
use super::live::Closing;
use super::ops::Ops;
use super::patience::Companion;
use super::phase::SockType;
use super::sock::{
    Head,
    Layout,
    Sock, //
};
use super::table::Link;
use crate::bindings;
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr,
    ptr::NonNull, //
};
use kernel::{
    bindings as kb,
    error::{
        from_err_ptr,
        from_result,
        to_result, //
    },
    prelude::*,
    sync::aref::ARef,
    sync::atomic::{
        Atomic,
        Full,
        Relaxed, //
    },
    types::Opaque,
};

/// A socket family: what its sockets are made of, and how they are made.
pub(crate) trait Family: Sized + 'static {
    /// What C finds at the start of each socket's memory.
    type Head: Head;
    /// What the state lock guards.
    type State: Send;
    /// The family's own data in each socket.
    type Data: Send + Sync;

    /// Returns the description that the family is registered by.
    fn desc() -> &'static FamilyDesc<Self>;

    /// Chooses what serves a socket of `kind` and `protocol`.
    ///
    /// Fails with `ESOCKTNOSUPPORT` or `EPROTONOSUPPORT` where there is nothing.
    fn select(kind: Option<SockType>, protocol: u32) -> Result<Selection<Self>>;

    /// Returns the state of a new socket.
    fn state() -> Self::State;

    /// Returns the initialiser of the data of a new socket of `kind`.
    fn data(kind: SockType) -> impl PinInit<Self::Data>;

    /// Lets the family list a new socket. May sleep.
    fn created(sk: &Sock<Self>) -> Result;

    /// Learns that a charge was taken off a socket, and `left` bytes are left of a
    /// limit of `sndbuf`. The socket may be closed. Returns whether its writers are
    /// to be woken. Any context.
    fn uncharged(_data: Pin<&Self::Data>, _left: usize, _sndbuf: usize) -> bool {
        false
    }

    /// Lets the family take leave of a socket that never got a file. May sleep.
    fn abandoned(sk: Closing<'_, Self>);
}

/// What serves a new socket.
pub(crate) struct Selection<F: Family> {
    /// The type that the socket will have, which may not be the one asked for.
    pub(crate) kind: SockType,
    /// The operations.
    pub(crate) ops: &'static Ops<F>,
    /// The protocol that the socket is counted under.
    pub(crate) proto: &'static Proto<F>,
}

/// A `struct proto`: a row in `/proc/net/protocols` and a slab cache.
///
/// # Invariants
///
/// `obj_size` is the size of the [`Layout`] of `F`.
pub(crate) struct Proto<F: Family> {
    raw: Opaque<bindings::proto>,
    _p: PhantomData<F>,
}

// SAFETY: The C side does its own locking; ours only hands out the pointer.
unsafe impl<F: Family> Sync for Proto<F> {}

impl<F: Family> Proto<F> {
    /// Describes a protocol; for use in a static.
    ///
    /// The name, of at most 31 bytes, is what `/proc/net/protocols` shows.
    pub(crate) const fn new(name: &CStr) -> Self {
        let mut raw: bindings::proto = pin_init::zeroed();
        raw.obj_size = size_of::<Layout<F>>() as u32;
        let bytes = name.to_bytes_with_nul();
        assert!(bytes.len() <= raw.name.len());
        let mut i = 0;
        while i < bytes.len() {
            raw.name[i] = bytes[i];
            i += 1;
        }
        Self {
            raw: Opaque::new(raw),
            _p: PhantomData,
        }
    }

    fn register(&'static self, module: &'static ThisModule) -> Result {
        // SAFETY: Nobody uses the `proto` before it is registered.
        unsafe { (*self.raw.get()).owner = module.as_ptr() };
        // SAFETY: The `proto` is static.
        to_result(unsafe {
            bindings::proto_register(self.raw.get(), align_of::<Layout<F>>() as c_uint)
        })
    }

    fn unregister(&'static self) {
        // SAFETY: The `proto` was registered, and no socket of it is left: each holds the module.
        unsafe { bindings::proto_unregister(self.raw.get()) };
    }
}

/// The description of a family; lives in a static.
pub(crate) struct FamilyDesc<F: Family> {
    raw: Opaque<kb::net_proto_family>,
    protos: &'static [&'static Proto<F>],
    ops: &'static [&'static Ops<F>],
    number: Atomic<i32>,
    /// Sockets that exist.
    sockets: Atomic<i64>,
    _p: PhantomData<F>,
}

// SAFETY: The C side reads `raw`, which is written before it is registered only.
unsafe impl<F: Family> Sync for FamilyDesc<F> {}

impl<F: Family> FamilyDesc<F> {
    /// Describes a family with all protocols and operations that
    /// [`Family::select`] may choose.
    pub(crate) const fn new(
        protos: &'static [&'static Proto<F>],
        ops: &'static [&'static Ops<F>],
    ) -> Self {
        Self {
            raw: Opaque::new(pin_init::zeroed()),
            protos,
            ops,
            number: Atomic::new(0),
            sockets: Atomic::new(0),
            _p: PhantomData,
        }
    }

    /// Returns the family number; zero while the family isn't registered.
    pub(crate) fn number(&self) -> u16 {
        u16::try_from(self.number.load(Relaxed)).unwrap_or(0)
    }

    /// Registers the family under `number`, until the returned value is dropped.
    ///
    /// May sleep. `EEXIST` if the number is taken, `ENOBUFS` if the kernel has
    /// no such family, `EBUSY` if the description is registered already.
    ///
    /// The returned value belongs into the module's own data: it is to be
    /// dropped when the module goes, which it can't while there are sockets.
    pub(crate) fn register(
        &'static self,
        module: &'static ThisModule,
        number: u16,
    ) -> Result<Registration<F>> {
        if self.number.cmpxchg(0, i32::from(number), Full).is_err() {
            return Err(EBUSY);
        }
        // Each step is undone by the drop of `registration`.
        let mut registration = Registration {
            desc: self,
            protos: 0,
            family: false,
        };
        for proto in self.protos {
            proto.register(module)?;
            registration.protos += 1;
        }
        for ops in self.ops {
            ops.adopt(module, c_int::from(number));
        }
        // SAFETY: Nobody uses the `net_proto_family` before it is registered.
        unsafe {
            *self.raw.get() = kb::net_proto_family {
                family: c_int::from(number),
                create: Some(Self::create),
                owner: module.as_ptr(),
            }
        };
        // SAFETY: The `net_proto_family` is static.
        to_result(unsafe { kb::sock_register(self.raw.get()) })?;
        registration.family = true;
        Ok(registration)
    }

    /// `net_proto_family.create`.
    ///
    /// # Safety
    ///
    /// Called by the socket layer with a new `socket`.
    unsafe extern "C" fn create(
        net: *mut kb::net,
        socket: *mut kb::socket,
        protocol: c_int,
        kern: c_int,
    ) -> c_int {
        from_result(|| {
            // SAFETY: The socket layer hands in a valid socket.
            let kind = SockType::from_raw(unsafe { (*socket).type_ } as u32);
            let selection = F::select(kind, protocol as u32)?;
            // SAFETY: As above; nobody else uses the socket yet.
            unsafe {
                (*socket).type_ = selection.kind.raw() as i16;
                (*socket).ops = selection.ops.as_raw();
                selection.ops.mark(socket);
            }
            let proto = selection.proto.raw.get();
            // SAFETY: The namespace and the socket are valid; the protocol is one
            // of `F` by its type.
            let sk = unsafe { new_sock::<F>(net, socket, selection.kind, proto, kern) }?;
            if let Err(e) = F::created(&sk) {
                // SAFETY: The socket layer hasn't used the socket yet, and won't.
                unsafe { Closing::new(&sk) }.orphan_at_last();
                // SAFETY: The socket layer expects no `sk` on failure.
                unsafe { (*socket).sk = ptr::null_mut() };
                return Err(e);
            }
            // The reference is the file's now, and given back by `release`.
            let _ = ARef::into_raw(sk);
            Ok(0)
        })
    }
}

/// Makes a socket, with or without a file's `socket`.
///
/// May sleep.
///
/// # Safety
///
/// `net` and `proto` are valid, and `proto` is of family `F`; `socket` is a new
/// socket or null.
unsafe fn new_sock<F: Family>(
    net: *mut kb::net,
    socket: *mut kb::socket,
    kind: SockType,
    proto: *mut bindings::proto,
    kern: c_int,
) -> Result<ARef<Sock<F>>> {
    let number = c_int::from(F::desc().number());
    let count = F::desc().sockets.as_ptr();
    // SAFETY: By the function's safety requirements.
    let raw =
        unsafe { bindings::sock_new(net, socket, number, kind.raw() as c_int, proto, kern, count) };
    let raw = from_err_ptr(raw)?;
    let layout = raw.cast::<Layout<F>>();
    // SAFETY: `sk_alloc` returns zeroed memory of `obj_size` bytes, which is a whole `Layout<F>`
    // by the invariants of `Proto`, and nobody else uses it yet. The data's initialiser can't fail.
    unsafe {
        Sock::<F>::links_of(raw).write([Link::new(), Link::new()]);
        Companion::init(&raw mut (*layout).companion);
        (&raw mut (*layout).state).write(UnsafeCell::new(F::state()));
        F::Head::init(&raw mut (*layout).head);
        match raw_try_init(&raw mut (*layout).data, F::data(kind)) {
            Ok(()) => {}
        }
        (*raw).sk_destruct = Some(destruct::<F>);
        // The layout is initialised: the type invariants of `Sock` hold from here on.
        Ok(ARef::from_raw(NonNull::new_unchecked(raw.cast())))
    }
}

/// `sk_destruct`: the last reference is gone.
///
/// # Safety
///
/// Called by `sk_free()` on a socket made by [`new_sock`].
unsafe extern "C" fn destruct<F: Family>(raw: *mut bindings::sock) {
    let layout = raw.cast::<Layout<F>>();
    // SAFETY: The layout was initialised by `new_sock`, and nobody else has a reference.
    unsafe {
        ptr::drop_in_place(&raw mut (*layout).data);
        ptr::drop_in_place(&raw mut (*layout).state);
        ptr::drop_in_place(&raw mut (*layout).companion);
        F::Head::destroy(&raw mut (*layout).head);
        bindings::sock_gone(raw, F::desc().sockets.as_ptr());
    }
}

/// A socket that has no file: a connection that waits to be accepted.
///
/// When it is dropped, the family is told ([`Family::abandoned`]).
///
/// # Invariants
///
/// The reference is the one that a file would own; no file has it.
pub(crate) struct Unattached<F: Family> {
    sk: ARef<Sock<F>>,
}

impl<F: Family> Unattached<F> {
    /// Makes a socket of the same kind, in the same namespace, as another one.
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(crate) fn like(other: &Sock<F>) -> Result<Self> {
        let raw = other.as_sk();
        let kind = other.kind().ok_or(EINVAL)?;
        // SAFETY: The other socket is valid, and so are its namespace and its protocol, which is
        // of family `F` because the socket is.
        let sk = unsafe {
            new_sock::<F>(
                bindings::sock_net(raw),
                ptr::null_mut(),
                kind,
                (*raw).__sk_common.skc_prot,
                0,
            )
        }?;
        // INVARIANT: `new_sock` returns the first reference.
        let this = Self { sk };
        F::created(&this.sk)?;
        Ok(this)
    }

    /// Returns the socket.
    pub(crate) fn sock(&self) -> &Sock<F> {
        &self.sk
    }

    /// Gives up ownership, for a queue to take it.
    pub(super) fn into_raw(self) -> NonNull<bindings::sock> {
        let this = ManuallyDrop::new(self);
        NonNull::from(&*this.sk).cast()
    }

    /// Takes ownership again.
    ///
    /// # Safety
    ///
    /// `raw` comes from [`Unattached::into_raw`], and nobody else has taken it.
    pub(super) unsafe fn from_raw(raw: NonNull<bindings::sock>) -> Self {
        // INVARIANT: Those of the value that was given up.
        Self {
            // SAFETY: By the function's safety requirements, the reference is the caller's.
            sk: unsafe { ARef::from_raw(raw.cast()) },
        }
    }

    /// Gives the socket to a file.
    ///
    /// # Safety
    ///
    /// `socket` is a new socket with the operations of `F`, and without `sk`.
    pub(super) unsafe fn attach(self, socket: *mut kb::socket) {
        let this = ManuallyDrop::new(self);
        let guard = this.sk.lock();
        // SAFETY: By the function's safety requirements; the reference that `self` owned is the
        // file's from here on.
        unsafe {
            Ops::<F>::mark_like((*socket).ops, socket);
            bindings::sock_graft(this.sk.as_sk(), socket);
        }
        drop(guard);
    }
}

impl<F: Family> Drop for Unattached<F> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, no file has the socket, and none gets it any more.
        F::abandoned(unsafe { Closing::new(&self.sk) });
        // SAFETY: As above.
        unsafe { Closing::new(&self.sk) }.orphan_at_last();
    }
}

/// A registered family; dropping it takes the family away.
pub(crate) struct Registration<F: Family> {
    desc: &'static FamilyDesc<F>,
    protos: usize,
    family: bool,
}

impl<F: Family> Drop for Registration<F> {
    fn drop(&mut self) {
        if self.family {
            // SAFETY: The family was registered under this number.
            unsafe { kb::sock_unregister(c_int::from(self.desc.number())) };
        }
        if self.desc.sockets.load(Relaxed) != 0 {
            // Never, if the value is where it belongs; then its slab caches must stay.
            pr_crit!("a family went before its sockets\n");
            return;
        }
        self.desc.number.store(0, Relaxed);
        for proto in self.desc.protos.iter().take(self.protos).rev() {
            proto.unregister();
        }
    }
}
