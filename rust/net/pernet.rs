// SPDX-License-Identifier: GPL-2.0

//! Network namespaces, and what a module keeps in each.
//!
//! C header: [`include/net/net_namespace.h`](srctree/include/net/net_namespace.h)

use super::compat::raw_try_init;
use super::family::Family;
use super::procfs::ProcFile;
use super::sock::Sock;
use super::sysctl::{
    SysctlRegistration,
    Sysctls, //
};
use crate::bindings;
use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    ptr, //
};
use kernel::{
    bindings as kb,
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    },
    types::Opaque,
};

/// A network namespace.
#[repr(transparent)]
pub(crate) struct Net(Opaque<kb::net>);

impl Net {
    /// Returns the namespace behind a pointer.
    ///
    /// # Safety
    ///
    /// `raw` is valid during `'a`.
    pub(super) unsafe fn from_raw<'a>(raw: *mut kb::net) -> &'a Self {
        // SAFETY: By the function's safety requirements; the wrapper is transparent.
        unsafe { &*raw.cast() }
    }

    /// Returns the namespace that the machine started with.
    pub(super) fn initial() -> &'static Self {
        // SAFETY: The initial namespace exists for ever.
        unsafe { Self::from_raw(&raw mut kb::init_net) }
    }

    /// Tells whether this is the namespace that the machine started with.
    pub(crate) fn is_initial(&self) -> bool {
        core::ptr::eq(self, Self::initial())
    }

    /// Tells whether the calling task may administer the namespace
    /// (`CAP_NET_ADMIN` in its user namespace).
    pub(crate) fn may_administer(&self) -> bool {
        // SAFETY: The namespace is valid.
        unsafe { bindings::net_admin(self.as_raw()) }
    }

    pub(super) fn as_raw(&self) -> *mut kb::net {
        self.0.get()
    }
}

/// What a module keeps in each network namespace.
pub(crate) trait PerNetData: Send + Sync + Sized + 'static {
    /// Returns the static that registers the data.
    fn pernet() -> &'static PerNet<Self>;

    /// The files in `/proc/net`; they exist as long as the data does.
    const FILES: &'static [ProcFile];

    /// The numbers below `/proc/sys`; they exist as long as the data does.
    const SYSCTLS: Sysctls<Self> = Sysctls::NONE;

    /// Returns the initialiser of a namespace's data. May sleep.
    fn new(net: &Net) -> impl PinInit<Self, Error>;
}

/// The memory of a namespace's data.
#[repr(C)]
struct Slot<T> {
    data: T,
    sysctls: Option<SysctlRegistration>,
}

/// The registration of data in each network namespace; lives in a static.
pub(crate) struct PerNet<T: PerNetData> {
    ops: Opaque<bindings::pernet_operations>,
    id: UnsafeCell<c_uint>,
    registered: Atomic<bool>,
    /// The slot of the initial namespace, as an address; zero while there is none.
    initial: Atomic<usize>,
    _p: PhantomData<T>,
}

// SAFETY: The C side writes `ops` and `id` during registration alone.
unsafe impl<T: PerNetData> Sync for PerNet<T> {}

impl<T: PerNetData> PerNet<T> {
    /// Makes a value that isn't registered yet.
    pub(crate) const fn new() -> Self {
        assert!(
            align_of::<Slot<T>>() <= 8,
            "the namespace's memory has no more alignment"
        );
        Self {
            ops: Opaque::new(pin_init::zeroed()),
            id: UnsafeCell::new(0),
            registered: Atomic::new(false),
            initial: Atomic::new(0),
            _p: PhantomData,
        }
    }

    /// Makes the data in each namespace, now and as they come, until the
    /// returned value is dropped.
    ///
    /// May sleep. Fails as [`PerNetData::new`] does.
    /// `EBUSY` if it is registered already, `EINVAL` if it isn't the one that
    /// [`PerNetData::pernet`] returns.
    ///
    /// The returned value belongs into the module's own data: it is to be
    /// dropped when the module goes, which it can't while there are sockets.
    pub(crate) fn register(&'static self) -> Result<PerNetRegistration<T>> {
        if !ptr::eq(self, T::pernet()) {
            return Err(EINVAL);
        }
        if self.registered.load(Acquire) {
            return Err(EBUSY);
        }
        // SAFETY: Nobody uses the operations before they are registered.
        unsafe {
            *self.ops.get() = bindings::pernet_operations {
                init: Some(Self::init),
                exit: Some(Self::exit),
                id: self.id.get(),
                size: size_of::<Slot<T>>(),
                ..pin_init::zeroed()
            };
        }
        // SAFETY: The operations are static.
        to_result(unsafe { bindings::register_pernet_subsys(self.ops.get()) })?;
        // SAFETY: The initial namespace exists for ever, and its slot was initialised.
        let initial = unsafe { bindings::net_generic(Net::initial().as_raw(), *self.id.get()) };
        self.initial.store(initial.expose_provenance(), Release);
        self.registered.store(true, Release);
        Ok(PerNetRegistration(self))
    }

    /// Returns the data of a namespace; `None` while nothing is registered.
    pub(super) fn get<'a>(&self, net: &'a Net) -> Option<&'a T> {
        if net.is_initial() {
            // Asked several times in the life of each socket, and for the files of all
            // namespaces: one load instead of a look-up. (Rows `socket` and `pair` of the bench.)
            // SAFETY: The pointer is that of a valid atomic; what is read through the address
            // depends on it, which orders the two. The slot was initialised before it was stored.
            unsafe {
                let address = self.initial.as_ptr().read_volatile();
                let slot = ptr::with_exposed_provenance::<Slot<T>>(address);
                return (!slot.is_null()).then(|| &(*slot).data);
            }
        }
        if !self.registered.load(Acquire) {
            return None;
        }
        // SAFETY: The id is written before `registered`. The data is initialised in each namespace
        // before anybody else can reach the namespace, and dropped when nobody can any more.
        unsafe {
            let slot = bindings::net_generic(net.as_raw(), *self.id.get());
            Some(&(*slot.cast::<Slot<T>>()).data)
        }
    }

    /// `pernet_operations.init`.
    ///
    /// # Safety
    ///
    /// Called by the namespace layer with a new namespace.
    unsafe extern "C" fn init(net: *mut kb::net) -> c_int {
        from_result(|| {
            let this = T::pernet();
            // SAFETY: The namespace is valid during the call.
            let space = unsafe { Net::from_raw(net) };
            // SAFETY: The memory has the size of a slot, and nobody else uses it yet; it stays where
            // it is.
            let slot = unsafe {
                let slot = bindings::net_generic(net, *this.id.get()).cast::<Slot<T>>();
                raw_try_init(&raw mut (*slot).data, T::new(space))?;
                slot
            };
            // SAFETY: The data is initialised, and dropped after the registration.
            match unsafe { T::SYSCTLS.register(space, &raw const (*slot).data) } {
                // SAFETY: The memory is that of the slot.
                Ok(sysctls) => unsafe { (&raw mut (*slot).sysctls).write(sysctls) },
                Err(e) => {
                    // SAFETY: Initialised above; nothing has led to it yet.
                    unsafe { ptr::drop_in_place(&raw mut (*slot).data) };
                    return Err(e);
                }
            }
            for (made, file) in T::FILES.iter().enumerate() {
                if let Err(e) = file.create(space) {
                    T::FILES
                        .iter()
                        .take(made)
                        .for_each(|file| file.remove(space));
                    // SAFETY: Initialised above, and the files that led to it are gone.
                    unsafe { Self::drop_slot(slot) };
                    return Err(e);
                }
            }
            Ok(0)
        })
    }

    /// Drops what a slot holds, the way to the data first.
    ///
    /// # Safety
    ///
    /// The slot is initialised, and nobody uses the data but through it.
    unsafe fn drop_slot(slot: *mut Slot<T>) {
        // SAFETY: By the function's safety requirements; once the registration is gone, nobody
        // uses the data any more.
        unsafe {
            ptr::drop_in_place(&raw mut (*slot).sysctls);
            ptr::drop_in_place(&raw mut (*slot).data);
        }
    }

    /// `pernet_operations.exit`.
    ///
    /// # Safety
    ///
    /// Called by the namespace layer with a namespace that nobody uses any more.
    unsafe extern "C" fn exit(net: *mut kb::net) {
        // SAFETY: The namespace is valid during the call.
        let space = unsafe { Net::from_raw(net) };
        T::FILES.iter().for_each(|file| file.remove(space));
        // SAFETY: The slot was initialised by `init`, and the files that led to it are gone.
        unsafe {
            let slot = bindings::net_generic(net, *T::pernet().id.get());
            Self::drop_slot(slot.cast());
        }
    }
}

impl<F: Family> Sock<F> {
    /// Returns the data of the socket's namespace.
    pub(crate) fn space<T: PerNetData>(&self) -> Option<&T> {
        T::pernet().get(self.net())
    }

    /// Returns the data of the initial namespace.
    pub(crate) fn initial_space<T: PerNetData>(&self) -> Option<&T> {
        T::pernet().get(Net::initial())
    }
}

/// Data in each namespace; dropping it takes the data away.
pub(crate) struct PerNetRegistration<T: PerNetData>(&'static PerNet<T>);

impl<T: PerNetData> Drop for PerNetRegistration<T> {
    fn drop(&mut self) {
        self.0.registered.store(false, Release);
        self.0.initial.store(0, Release);
        // SAFETY: The operations were registered.
        unsafe { bindings::unregister_pernet_subsys(self.0.ops.get()) };
    }
}
