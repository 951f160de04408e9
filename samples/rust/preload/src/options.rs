// SPDX-License-Identifier: MIT OR GPL-2.0

//! Options of sockets: taken along to the other family, and told to the program.

use std::slice;

use libc::{c_int, c_void, socklen_t};

use crate::hint::{self, CHANGED};
use crate::place::domain;
use crate::settings::{self, UNIX};
use crate::{errno, real};

const SO_PASSPIDFD: c_int = 76;
const SO_PEERPIDFD: c_int = 77;
const SO_PASSRIGHTS: c_int = 83;
const SO_INQ: c_int = 84;
const SO_RIGHTS_NOTRUNC: c_int = 85;

/// The level of AF_RUNIX's own options, as in `runix.h`.
const SOL_RUNIX: c_int = 21077;

/// Options that the kernel tells of AF_UNIX alone, or of no family, and AF_RUNIX
/// tells at its own level, with their numbers there.
const PASSED: [(c_int, c_int); 6] = [
    (libc::SO_PASSCRED, 1),
    (libc::SO_PASSSEC, 2),
    (SO_PASSPIDFD, 3),
    (SO_PASSRIGHTS, 4),
    (SO_RIGHTS_NOTRUNC, 5),
    (SO_INQ, 6),
];
const PEERPIDFD: c_int = 7;

/// Numbers that are told as they are set.
const NUMBERS: [c_int; 10] = [
    libc::SO_DEBUG,
    libc::SO_REUSEADDR,
    libc::SO_KEEPALIVE,
    libc::SO_OOBINLINE,
    libc::SO_PRIORITY,
    libc::SO_RCVLOWAT,
    libc::SO_TIMESTAMP,
    libc::SO_TIMESTAMPNS,
    libc::SO_PEEK_OFF,
    libc::SO_RXQ_OVFL,
];

/// Numbers that are told twice as large as they are set.
const DOUBLED: [c_int; 2] = [libc::SO_SNDBUF, libc::SO_RCVBUF];

/// Gives a socket the options that another one has.
pub(crate) fn take_along(from: c_int, to: c_int) {
    for option in NUMBERS {
        if let Some(value) = differs::<c_int>(from, to, option) {
            set(to, option, &value);
        }
    }
    for option in DOUBLED {
        if let Some(value) = differs::<c_int>(from, to, option) {
            set(to, option, &(value / 2));
        }
    }
    for option in [libc::SO_RCVTIMEO, libc::SO_SNDTIMEO] {
        if let Some(value) = differs::<[u64; 2]>(from, to, option) {
            set(to, option, &value);
        }
    }
    if let Some(value) = differs::<[c_int; 2]>(from, to, libc::SO_LINGER) {
        set(to, libc::SO_LINGER, &value);
    }
    for (option, own) in PASSED {
        let there = get::<c_int>(from, option).or_else(|| get_at(from, SOL_RUNIX, own));
        // Of all sockets, this one alone is on at first.
        if let Some(value) = there.filter(|value| *value != c_int::from(option == SO_PASSRIGHTS)) {
            set(to, option, &value);
        }
    }
}

/// What an option of one socket is, if the other one's is another.
fn differs<T: Copy + Default + PartialEq>(from: c_int, to: c_int, option: c_int) -> Option<T> {
    let value = get::<T>(from, option)?;
    (get::<T>(to, option) != Some(value)).then_some(value)
}

fn get<T: Copy + Default>(fd: c_int, option: c_int) -> Option<T> {
    get_at(fd, libc::SOL_SOCKET, option)
}

fn get_at<T: Copy + Default>(fd: c_int, level: c_int, option: c_int) -> Option<T> {
    let mut value = T::default();
    let mut len = size_of::<T>() as socklen_t;
    // SAFETY: The kernel writes at most `len` bytes to `value`; the types used
    // here are of integers, for which any bytes will do.
    let result = unsafe {
        real::getsockopt(
            fd,
            level,
            option,
            (&raw mut value).cast::<c_void>(),
            &mut len,
        )
    };
    (result == 0).then_some(value)
}

fn set<T>(fd: c_int, option: c_int, value: &T) {
    // One that the other family has not is no reason to fail.
    // SAFETY: The kernel reads as many bytes as `value` has.
    unsafe {
        real::setsockopt(
            fd,
            libc::SOL_SOCKET,
            option,
            (&raw const *value).cast::<c_void>(),
            size_of::<T>() as socklen_t,
        )
    };
}

/// Notes that the program has changed an option.
pub(crate) fn note(fd: c_int) {
    if let Some(hint) = hint::find(fd) {
        hint.set(CHANGED);
    }
}

/// Changes what getsockopt tells of a socket of AF_RUNIX into what it would tell
/// of one of AF_UNIX.
///
/// # Safety
///
/// The arguments are those of the call, `result` is what came of it, and
/// `before` what `errno` was.
pub(crate) unsafe fn told(
    fd: c_int,
    name: c_int,
    value: *mut c_void,
    len: *mut socklen_t,
    (result, before): (c_int, c_int),
) -> c_int {
    let Some(settings) = settings::get() else {
        return result;
    };
    let family = c_int::from(settings.family);
    if name == libc::SO_DOMAIN && result == 0 {
        // SAFETY: The call has succeeded, so both are there, and so many bytes
        // of the value.
        unsafe { tell_unix(value.cast(), len.read_unaligned() as usize, family) };
    }
    let own = match (name, errno::get()) {
        _ if result == 0 => None,
        (SO_PEERPIDFD, libc::ESRCH) => Some(PEERPIDFD),
        (_, libc::EOPNOTSUPP) => PASSED
            .iter()
            .find(|(option, _)| *option == name)
            .map(|(_, own)| *own),
        _ => None,
    };
    let Some(own) = own.filter(|_| domain(fd) == family) else {
        return result;
    };
    // SAFETY: The caller promises that they are the arguments of such a call.
    let result = unsafe { real::getsockopt(fd, SOL_RUNIX, own, value, len) };
    if result == 0 {
        errno::set(before);
    }
    result
}

/// Puts AF_UNIX where the family was told, in as many bytes as there was place for.
///
/// # Safety
///
/// So many bytes are there, or as many as a number has.
unsafe fn tell_unix(value: *mut u8, len: usize, family: c_int) {
    let len = len.min(size_of::<c_int>());
    // SAFETY: The caller promises it.
    let told = unsafe { slice::from_raw_parts_mut(value, len) };
    if *told == family.to_ne_bytes()[..len] {
        told.copy_from_slice(&UNIX.to_ne_bytes()[..len]);
    }
}
