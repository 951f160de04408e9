// SPDX-License-Identifier: MIT OR GPL-2.0

//! Calls that return an address, or tell the family.

use libc::{c_int, c_void, sockaddr, socklen_t};

use crate::errno;
use crate::name::Place;
use crate::options;
use crate::real;

/// Makes a call that writes an address, and translates what it has written. Both
/// kinds of success, a descriptor and zero, aren't negative.
///
/// # Safety
///
/// `address` and `len` are those of accept(2), and `call` passes them on.
unsafe fn telling(
    address: *mut sockaddr,
    len: *mut socklen_t,
    call: impl FnOnce() -> c_int,
) -> c_int {
    // SAFETY: By the function's safety requirements; the length was told by a call
    // that succeeded.
    unsafe {
        let place = Place::read(address, len);
        let result = call();
        if result >= 0 {
            place.translate_read(len);
        }
        result
    }
}

/// # Safety
///
/// That of accept(2).
#[no_mangle]
unsafe extern "C-unwind" fn accept(
    fd: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> c_int {
    // SAFETY: The caller keeps to the contract.
    unsafe { telling(address, len, || real::accept(fd, address, len)) }
}

/// # Safety
///
/// That of accept4(2).
#[no_mangle]
unsafe extern "C-unwind" fn accept4(
    fd: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
    flags: c_int,
) -> c_int {
    // SAFETY: The caller keeps to the contract.
    unsafe { telling(address, len, || real::accept4(fd, address, len, flags)) }
}

/// # Safety
///
/// That of getsockname(2).
#[no_mangle]
unsafe extern "C-unwind" fn getsockname(
    fd: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> c_int {
    // SAFETY: The caller keeps to the contract.
    unsafe { telling(address, len, || real::getsockname(fd, address, len)) }
}

/// # Safety
///
/// That of getpeername(2).
#[no_mangle]
unsafe extern "C-unwind" fn getpeername(
    fd: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> c_int {
    // SAFETY: The caller keeps to the contract.
    unsafe { telling(address, len, || real::getpeername(fd, address, len)) }
}

/// # Safety
///
/// That of getsockopt(2).
#[no_mangle]
unsafe extern "C-unwind" fn getsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut socklen_t,
) -> c_int {
    // SAFETY: The caller keeps to the contract, which `options::told` demands.
    unsafe {
        let before = errno::get();
        let result = real::getsockopt(fd, level, name, value, len);
        if level != libc::SOL_SOCKET {
            return result;
        }
        options::told(fd, name, value, len, (result, before))
    }
}

/// # Safety
///
/// That of setsockopt(2).
#[no_mangle]
unsafe extern "C-unwind" fn setsockopt(
    fd: c_int,
    level: c_int,
    name: c_int,
    value: *const c_void,
    len: socklen_t,
) -> c_int {
    // SAFETY: The caller keeps to the contract.
    let result = unsafe { real::setsockopt(fd, level, name, value, len) };
    if result == 0 {
        options::note(fd);
    }
    result
}
