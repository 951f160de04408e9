// SPDX-License-Identifier: MIT OR GPL-2.0

//! The calling thread's `errno`.

use libc::c_int;

pub(crate) fn get() -> c_int {
    // SAFETY: The C library returns the place of the calling thread's errno,
    // which is there as long as the thread.
    unsafe { *libc::__errno_location() }
}

pub(crate) fn set(value: c_int) {
    // SAFETY: As above; no other thread uses that place.
    unsafe { *libc::__errno_location() = value }
}

/// Does something on the side, which the program must not see in its errno.
pub(crate) fn kept<R>(body: impl FnOnce() -> R) -> R {
    let before = get();
    let result = body();
    set(before);
    result
}
