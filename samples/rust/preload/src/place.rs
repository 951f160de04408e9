// SPDX-License-Identifier: MIT OR GPL-2.0

//! Calls in which a program tells a name: only now it is known which family the
//! socket should have been of.

use libc::{c_int, sockaddr, socklen_t};
use runix_redirect::name::Text;

use crate::hint::{self, FRESH};
use crate::name::Address;
use crate::settings::{self, Settings, UNIX};
use crate::{create, errno, polled, real, trace};

/// Which call it is.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Call {
    Bind,
    Connect,
    Send,
}

impl Call {
    fn text(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Connect => "connect",
            Self::Send => "send",
        }
    }
}

/// # Safety
///
/// That of bind(2).
#[no_mangle]
unsafe extern "C-unwind" fn bind(fd: c_int, address: *const sockaddr, len: socklen_t) -> c_int {
    // SAFETY: The caller keeps to the contract.
    unsafe {
        let Some(name) = Address::copy(address, len) else {
            return real::bind(fd, address, len);
        };
        let bind = |fd, name: &Address| real::bind(fd, name.as_ptr(), name.len()) as isize;
        place(fd, Call::Bind, &name, &bind) as c_int
    }
}

/// # Safety
///
/// That of connect(2).
#[no_mangle]
unsafe extern "C-unwind" fn connect(fd: c_int, address: *const sockaddr, len: socklen_t) -> c_int {
    // SAFETY: The caller keeps to the contract.
    unsafe {
        let Some(name) = Address::copy(address, len) else {
            return real::connect(fd, address, len);
        };
        let connect = |fd, name: &Address| real::connect(fd, name.as_ptr(), name.len()) as isize;
        place(fd, Call::Connect, &name, &connect) as c_int
    }
}

/// Does a call with the name in the family that it belongs to.
///
/// The call may be done on another socket, which then takes the first one's
/// place. It may be done once more, in the other family, where the first one
/// has nobody to connect to.
pub(crate) fn place(
    fd: c_int,
    call: Call,
    name: &Address,
    act: &dyn Fn(c_int, &Address) -> isize,
) -> isize {
    let Some(settings) = settings::get() else {
        return act(fd, name);
    };
    let family = c_int::from(settings.family);
    let here = domain(fd);
    if here != UNIX && here != family {
        return act(fd, name);
    }
    let text = name.text();
    let last = if call != Call::Bind && settings.falls_back {
        Some(UNIX)
    } else {
        None
    };
    let order = if takes(settings, &text) {
        [Some(family), last]
    } else {
        [Some(UNIX), None]
    };
    let before = errno::get();
    let mut result = None;
    for target in order.into_iter().flatten() {
        let name = name.in_family(target);
        let done = if target == here {
            Some((act(fd, &name), false))
        } else {
            elsewhere(fd, target, &|fd| act(fd, &name)).map(|value| (value, value >= 0))
        };
        let Some((value, moved)) = done else { continue };
        result = Some(value);
        if value >= 0 {
            errno::set(before);
            // A name or a peer, or a connection to come: the socket is what it is.
            if let Some(hint) = hint::find(fd).filter(|_| call != Call::Send) {
                hint.clear(FRESH);
            }
            if call != Call::Send || moved {
                trace::tell(call.text(), fd, Some(&text), family_name(target));
            }
            return value;
        }
        if errno::get() != libc::ECONNREFUSED {
            break;
        }
    }
    result.unwrap_or_else(|| {
        // It can't go where its name belongs: it has a name, or a peer, in the
        // other family, or that family is not to be had.
        trace::tell(
            call.text(),
            fd,
            Some(&text),
            "can't be moved, stays where it is",
        );
        act(fd, &name.in_family(here))
    })
}

/// Whether a name belongs to AF_RUNIX.
fn takes(settings: &Settings, text: &Text) -> bool {
    let choice = settings.choice();
    if !text.is_relative() {
        return choice.takes(text.as_bytes(), None);
    }
    let mut directory = [0u8; Text::CAPACITY];
    // SAFETY: The C library writes at most as many bytes as there are, with a
    // NUL at the end.
    let len = errno::kept(|| unsafe {
        if libc::getcwd(directory.as_mut_ptr().cast(), directory.len()).is_null() {
            0
        } else {
            libc::strlen(directory.as_ptr().cast())
        }
    });
    let mut absolute = Text::new();
    absolute.push(&directory[..len]);
    if len != 1 {
        absolute.push(b"/");
    }
    absolute.push(text.as_bytes());
    choice.takes(text.as_bytes(), (len > 0).then_some(absolute.as_bytes()))
}

fn family_name(family: c_int) -> &'static str {
    if family == UNIX {
        "AF_UNIX"
    } else {
        "AF_RUNIX"
    }
}

/// The family of a socket, as the kernel tells it; -1 if it is no socket.
pub(crate) fn domain(fd: c_int) -> c_int {
    let mut value: c_int = -1;
    let mut len = size_of::<c_int>() as socklen_t;
    // SAFETY: The kernel writes at most one number.
    errno::kept(|| unsafe {
        let value = (&raw mut value).cast();
        real::getsockopt(fd, libc::SOL_SOCKET, libc::SO_DOMAIN, value, &mut len)
    });
    value
}

/// Does a call on a new socket of another family, which takes the place of the
/// first one if that succeeds.
///
/// `None` if the first one can't be replaced, or no other be had.
fn elsewhere(fd: c_int, family: c_int, act: &dyn Fn(c_int) -> isize) -> Option<isize> {
    let before = errno::get();
    let found = identity(fd).filter(|_| is_blank(fd));
    let made = found.and_then(|_| create::like(fd, family));
    errno::set(before);
    let (found, made) = (found?, made?);
    // A thread that is cancelled in here leaves this descriptor behind, and
    // nothing else.
    let result = act(made);
    errno::kept(|| {
        if result >= 0 {
            // Only what is known of this very socket: the number may have been
            // another one's, which was polled elsewhere.
            let hint = hint::current(fd).filter(|hint| hint.has(FRESH));
            replace(fd, made, found);
            if let Some(hint) = hint {
                hint.pass_on(fd);
                polled::poll_again(hint, fd);
            }
        }
        // SAFETY: It is ours.
        unsafe { libc::close(made) };
    });
    Some(result)
}

/// Whether a socket has neither name nor peer.
fn is_blank(fd: c_int) -> bool {
    let mut address = [0u8; runix_redirect::name::ADDRESS_MAX];
    let mut len = address.len() as socklen_t;
    let place: *mut sockaddr = address.as_mut_ptr().cast();
    // SAFETY: The kernel writes at most as many bytes as there are.
    unsafe {
        if real::getsockname(fd, place, &mut len) != 0 || len as usize > 2 {
            return false;
        }
        len = address.len() as socklen_t;
        real::getpeername(fd, place, &mut len) != 0 && errno::get() == libc::ENOTCONN
    }
}

/// What tells a socket from any other: device and inode.
fn identity(fd: c_int) -> Option<(u64, u64)> {
    // SAFETY: All zero is a value of the structure, and the kernel writes it.
    unsafe {
        let mut data: libc::stat = std::mem::zeroed();
        (libc::fstat(fd, &mut data) == 0).then_some((data.st_dev, data.st_ino))
    }
}

/// Puts a socket in the place of another one.
///
/// Nothing is put where another thread has closed the first one meanwhile. (If
/// it does so between the look and the call, it would have closed another one's
/// descriptor as well with AF_UNIX: it raced with the call.)
fn replace(fd: c_int, made: c_int, found: (u64, u64)) {
    if identity(fd) != Some(found) {
        return;
    }
    // SAFETY: The calls take and return numbers.
    unsafe {
        let kept = libc::fcntl(fd, libc::F_GETFD) & libc::FD_CLOEXEC != 0;
        let flags = if kept { libc::O_CLOEXEC } else { 0 };
        // EBUSY: another thread is about to open something under this number.
        while libc::dup3(made, fd, flags) < 0 && errno::get() == libc::EBUSY {}
    }
}
