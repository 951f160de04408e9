// SPDX-License-Identifier: MIT OR GPL-2.0

//! Calls that carry data together with an address.

use libc::{
    c_int, c_uint, c_void, mmsghdr, msghdr, size_t, sockaddr, socklen_t, ssize_t, timespec,
};

use crate::name::{Address, Place};
use crate::place::{place, Call};
use crate::real;

/// The most messages that the kernel takes in one call.
const MESSAGES_MAX: usize = 1024;

/// # Safety
///
/// That of sendto(2).
#[no_mangle]
unsafe extern "C-unwind" fn sendto(
    fd: c_int,
    data: *const c_void,
    size: size_t,
    flags: c_int,
    address: *const sockaddr,
    len: socklen_t,
) -> ssize_t {
    // SAFETY: The caller keeps to the contract.
    unsafe {
        let Some(name) = Address::copy(address, len) else {
            return real::sendto(fd, data, size, flags, address, len);
        };
        place(fd, Call::Send, &name, &|fd, name: &Address| {
            real::sendto(fd, data, size, flags, name.as_ptr(), name.len())
        })
    }
}

/// # Safety
///
/// That of sendmsg(2).
#[no_mangle]
unsafe extern "C-unwind" fn sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t {
    // SAFETY: The caller keeps to the contract, so a message is there unless
    // the pointer is null.
    unsafe {
        let name = message
            .as_ref()
            .and_then(|message| Address::copy(message.msg_name.cast(), message.msg_namelen));
        let Some(name) = name else {
            return real::sendmsg(fd, message, flags);
        };
        place(fd, Call::Send, &name, &|fd, name: &Address| {
            let mut message = *message;
            message.msg_name = name.as_ptr().cast_mut().cast();
            message.msg_namelen = name.len();
            real::sendmsg(fd, &message, flags)
        })
    }
}

/// # Safety
///
/// That of sendmmsg(2).
#[no_mangle]
unsafe extern "C-unwind" fn sendmmsg(
    fd: c_int,
    messages: *mut mmsghdr,
    count: c_uint,
    flags: c_int,
) -> c_int {
    // SAFETY: The caller keeps to the contract: so many messages are there.
    unsafe {
        let has_name = |index: usize| {
            let message = &(*messages.add(index)).msg_hdr;
            Address::copy(message.msg_name.cast(), message.msg_namelen).is_some()
        };
        let count = (count as usize).min(MESSAGES_MAX);
        if messages.is_null() || !(0..count).any(has_name) {
            return real::sendmmsg(fd, messages, count as c_uint, flags);
        }
        // One by one, as the kernel does: what was sent before an error counts.
        for index in 0..count {
            let message = messages.add(index);
            let sent = sendmsg(fd, &raw const (*message).msg_hdr, flags);
            if sent < 0 {
                return if index > 0 { index as c_int } else { -1 };
            }
            (*message).msg_len = sent as c_uint;
        }
        count as c_int
    }
}

/// # Safety
///
/// That of recvfrom(2).
#[no_mangle]
unsafe extern "C-unwind" fn recvfrom(
    fd: c_int,
    data: *mut c_void,
    size: size_t,
    flags: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> ssize_t {
    // SAFETY: The caller keeps to the contract; the length was told by a call
    // that succeeded.
    unsafe {
        let place = Place::read(address, len);
        let result = real::recvfrom(fd, data, size, flags, address, len);
        if result >= 0 {
            place.translate_read(len);
        }
        result
    }
}

/// The entry that compilers take for `recvfrom` when they know how large the
/// buffer is.
///
/// # Safety
///
/// That of recvfrom(2); `room` is what there is for data.
#[no_mangle]
unsafe extern "C-unwind" fn __recvfrom_chk(
    fd: c_int,
    data: *mut c_void,
    size: size_t,
    room: size_t,
    flags: c_int,
    address: *mut sockaddr,
    len: *mut socklen_t,
) -> ssize_t {
    // SAFETY: As in `recvfrom`.
    unsafe {
        let place = Place::read(address, len);
        let result = real::recvfrom_chk(fd, data, size, room, flags, address, len);
        if result >= 0 {
            place.translate_read(len);
        }
        result
    }
}

/// # Safety
///
/// That of recvmsg(2).
#[no_mangle]
unsafe extern "C-unwind" fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t {
    // SAFETY: The caller keeps to the contract, so a message is there unless
    // the pointer is null, and the kernel has written to it.
    unsafe {
        let place = message
            .as_ref()
            .map(|message| Place::new(message.msg_name.cast(), message.msg_namelen));
        let result = real::recvmsg(fd, message, flags);
        if let Some(place) = place.filter(|_| result >= 0) {
            place.translate((*message).msg_namelen);
        }
        result
    }
}

/// # Safety
///
/// That of recvmmsg(2).
#[no_mangle]
unsafe extern "C-unwind" fn recvmmsg(
    fd: c_int,
    messages: *mut mmsghdr,
    count: c_uint,
    flags: c_int,
    limit: *mut timespec,
) -> c_int {
    // Which of them have place for an address, as the kernel writes over that.
    let mut have_place = [0u8; MESSAGES_MAX / 8];
    // SAFETY: The caller keeps to the contract: so many messages are there.
    unsafe {
        let header = |index: usize| &raw mut (*messages.add(index)).msg_hdr;
        if !messages.is_null() {
            for index in 0..(count as usize).min(MESSAGES_MAX) {
                let message = &*header(index);
                if Place::new(message.msg_name.cast(), message.msg_namelen).is_some() {
                    have_place[index / 8] |= 1 << (index % 8);
                }
            }
        }
        let result = real::recvmmsg(fd, messages, count, flags, limit);
        for index in 0..usize::try_from(result).unwrap_or(0).min(MESSAGES_MAX) {
            if (have_place[index / 8] >> (index % 8)) & 1 == 1 {
                let message = &*header(index);
                let place = Place::new(message.msg_name.cast(), socklen_t::MAX);
                place.translate(message.msg_namelen);
            }
        }
        result
    }
}
