// SPDX-License-Identifier: MIT OR GPL-2.0

//! New sockets.

use libc::c_int;

use crate::hint::{self, CHANGED, FRESH};
use crate::settings::{self, Settings, UNIX};
use crate::{errno, options, real, trace};

/// # Safety
///
/// None beyond that of any call.
#[no_mangle]
unsafe extern "C-unwind" fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int {
    // SAFETY: The call has no conditions.
    let make = |domain, protocol| unsafe { real::socket(domain, kind, protocol) };
    let Some(settings) = settings::get().filter(|_| domain == UNIX) else {
        return make(domain, protocol);
    };
    let fd = if settings.choice().is_wide() {
        in_family(settings, protocol, &make)
    } else {
        make(domain, protocol)
    };
    if fd >= 0 {
        hint::note(fd, FRESH);
    }
    fd
}

/// # Safety
///
/// That of socketpair(2).
#[no_mangle]
unsafe extern "C-unwind" fn socketpair(
    domain: c_int,
    kind: c_int,
    protocol: c_int,
    pair: *mut c_int,
) -> c_int {
    // SAFETY: The caller has place for two numbers.
    let make = |domain, protocol| unsafe { real::socketpair(domain, kind, protocol, pair) };
    let Some(settings) = settings::get().filter(|settings| domain == UNIX && settings.pairs) else {
        return make(domain, protocol);
    };
    let result = in_family(settings, protocol, &make);
    if result == 0 {
        // SAFETY: The call has succeeded: the numbers are there.
        let fd = unsafe { pair.read_unaligned() };
        trace::tell("socketpair", fd, None, "AF_RUNIX");
    }
    result
}

/// Makes it on AF_RUNIX, or on AF_UNIX where that is not to be had.
fn in_family(settings: &Settings, protocol: c_int, make: &dyn Fn(c_int, c_int) -> c_int) -> c_int {
    let family = c_int::from(settings.family);
    let before = errno::get();
    // Either family takes its own number for a protocol.
    let result = make(family, if protocol == UNIX { family } else { protocol });
    if result >= 0 || !settings.falls_back || !is_absence(errno::get()) {
        return result;
    }
    trace::warn_of_absence(settings.family);
    errno::set(before);
    make(UNIX, protocol)
}

/// Whether the family is not there, or not for this program.
fn is_absence(error: c_int) -> bool {
    matches!(error, libc::EAFNOSUPPORT | libc::EPERM | libc::EACCES)
}

/// Makes a socket of a family that is otherwise like another one.
///
/// `None` if that can't be had.
pub(crate) fn like(fd: c_int, family: c_int) -> Option<c_int> {
    let mut kind: c_int = 0;
    let mut len = size_of::<c_int>() as libc::socklen_t;
    // SAFETY: The kernel writes one number. The others take none but numbers.
    let (flags, made) = unsafe {
        let value = (&raw mut kind).cast();
        if real::getsockopt(fd, libc::SOL_SOCKET, libc::SO_TYPE, value, &mut len) != 0 {
            return None;
        }
        let flags = libc::fcntl(fd, libc::F_GETFL);
        let kind = kind | libc::SOCK_CLOEXEC | (flags & libc::SOCK_NONBLOCK);
        (flags, real::socket(family, kind, 0))
    };
    if made < 0 {
        if is_absence(errno::get()) && family != UNIX {
            trace::warn_of_absence(family as u16);
        }
        return None;
    }
    let hint = hint::current(fd);
    // What was not made here may have been changed elsewhere.
    if hint.is_none_or(|hint| hint.has(CHANGED)) {
        options::take_along(fd, made);
    }
    take_mode(fd, made);
    take_owner(fd, made, flags);
    Some(made)
}

/// The mode of a socket becomes that of the file that it is bound to.
fn take_mode(from: c_int, to: c_int) {
    // SAFETY: All zero is a value of the structure, and the kernel writes it.
    unsafe {
        let mut data: libc::stat = std::mem::zeroed();
        if libc::fstat(from, &mut data) == 0 && data.st_mode & 0o777 != 0o777 {
            libc::fchmod(to, data.st_mode & 0o777);
        }
    }
}

/// Who gets the signals: SIGURG as well, which comes without O_ASYNC.
fn take_owner(from: c_int, to: c_int, flags: c_int) {
    /// `struct f_owner_ex`; F_GETOWN can't tell a group, or a thread, from an error.
    #[repr(C)]
    struct Owner {
        kind: c_int,
        id: libc::pid_t,
    }
    let mut owner = Owner { kind: 0, id: 0 };
    // SAFETY: The first two calls read and write an owner, the others take and
    // return numbers.
    unsafe {
        if libc::fcntl(from, F_GETOWN_EX, &raw mut owner) == 0 && owner.id != 0 {
            libc::fcntl(to, F_SETOWN_EX, &raw const owner);
        }
        if flags & libc::O_ASYNC != 0 {
            libc::fcntl(to, F_SETSIG, libc::fcntl(from, F_GETSIG));
            libc::fcntl(to, libc::F_SETFL, flags);
        }
    }
}

const F_SETSIG: c_int = 10;
const F_GETSIG: c_int = 11;
const F_SETOWN_EX: c_int = 15;
const F_GETOWN_EX: c_int = 16;
