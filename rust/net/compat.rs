// SPDX-License-Identifier: GPL-2.0

//! What differs between the kernel series that the layer is built for.
//!
//! Kbuild sets `runix_series="7.2"` on the older one. When that goes, so does
//! this file.

use pin_init::PinInit;

/// The errors of sockets, which the kernel crate has names for.
#[cfg(not(runix_series = "7.2"))]
pub(crate) mod errno {
    #[allow(unused_imports)]
    pub(crate) use kernel::error::code::{
        EADDRINUSE,
        ECONNREFUSED,
        ECONNRESET,
        EISCONN,
        ENOBUFS,
        ENOPROTOOPT,
        ENOTCONN,
        EOPNOTSUPP,
        EPROTONOSUPPORT,
        EPROTOTYPE,
        ESOCKTNOSUPPORT, //
    };
}

/// The errors of sockets, which the kernel crate has no names for yet.
#[cfg(runix_series = "7.2")]
#[allow(dead_code)]
pub(crate) mod errno {
    use kernel::{
        bindings as kb,
        error::Error, //
    };

    /// Makes an error in a constant, where `Error::from_errno()` can't be called.
    const fn error(errno: u32) -> Error {
        assert!(errno > 0 && errno < 4096);
        // SAFETY: `Error` has one field, a `NonZeroI32` that holds a negated error number, which
        // this is.
        unsafe { core::mem::transmute::<i32, Error>(-(errno as i32)) }
    }

    macro_rules! errors {
        ($($name:ident),*) => {
            $(
                #[doc = concat!("`", stringify!($name), "`.")]
                pub(crate) const $name: Error = error(kb::$name);
            )*
        };
    }
    errors!(
        EADDRINUSE,
        ECONNREFUSED,
        ECONNRESET,
        EISCONN,
        ENOBUFS,
        ENOPROTOOPT,
        ENOTCONN,
        EOPNOTSUPP,
        EPROTONOSUPPORT,
        EPROTOTYPE,
        ESOCKTNOSUPPORT
    );
}

/// Initialises memory in place.
///
/// # Safety
///
/// `slot` is valid for writes and pinned, and isn't used if this fails.
pub(super) unsafe fn raw_try_init<T, E>(slot: *mut T, init: impl PinInit<T, E>) -> Result<(), E> {
    #[cfg(not(runix_series = "7.2"))]
    // SAFETY: By the function's safety requirements.
    unsafe {
        pin_init::raw_try_init(slot, init)
    }
    #[cfg(runix_series = "7.2")]
    // SAFETY: By the function's safety requirements.
    unsafe {
        init.__pinned_init(slot)
    }
}
