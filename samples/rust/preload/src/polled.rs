// SPDX-License-Identifier: MIT OR GPL-2.0

//! epoll_ctl: some programs poll a socket before they connect it.
//!
//! An epoll set knows a socket by its file, so what takes a socket's place is
//! not in the set. Where that may come, it is noted what was asked for.

use std::sync::atomic::Ordering;

use libc::{c_int, epoll_event};

use crate::hint::{self, Hint, FRESH};
use crate::{errno, real};

/// # Safety
///
/// That of epoll_ctl(2).
#[no_mangle]
unsafe extern "C-unwind" fn epoll_ctl(
    set: c_int,
    operation: c_int,
    fd: c_int,
    event: *mut epoll_event,
) -> c_int {
    // SAFETY: The caller keeps to the contract.
    let result = unsafe { real::epoll_ctl(set, operation, fd, event) };
    if result != 0 {
        return result;
    }
    if let Some(hint) = hint::find(fd).filter(|hint| hint.has(FRESH)) {
        if operation == libc::EPOLL_CTL_DEL || event.is_null() {
            forget(hint, set);
        } else {
            // SAFETY: The kernel has just read it. It is packed, so it may be
            // at any address.
            remember(hint, set, unsafe { event.read_unaligned() });
        }
    }
    result
}

fn remember(hint: &Hint, set: c_int, event: epoll_event) {
    let free = |wanted: c_int| {
        hint.polled
            .iter()
            .find(|polled| polled.set.load(Ordering::Relaxed) == wanted)
    };
    if let Some(polled) = free(set + 1).or_else(|| free(0)) {
        polled.events.store(event.events, Ordering::Relaxed);
        polled.data.store(event.u64, Ordering::Relaxed);
        polled.set.store(set + 1, Ordering::Relaxed);
    }
}

fn forget(hint: &Hint, set: c_int) {
    for polled in &hint.polled {
        if polled.set.load(Ordering::Relaxed) == set + 1 {
            polled.set.store(0, Ordering::Relaxed);
        }
    }
}

/// Polls what took the place of a socket where that one was polled.
pub(crate) fn poll_again(hint: &Hint, fd: c_int) {
    for polled in &hint.polled {
        let set = polled.set.load(Ordering::Relaxed);
        if set == 0 {
            continue;
        }
        let mut event = epoll_event {
            events: polled.events.load(Ordering::Relaxed),
            u64: polled.data.load(Ordering::Relaxed),
        };
        // A set that is gone is no matter. If somebody else has a descriptor
        // of the first socket, it is still in the set, under the same number.
        // SAFETY: The event is on the stack.
        errno::kept(|| unsafe { real::epoll_ctl(set - 1, libc::EPOLL_CTL_ADD, fd, &mut event) });
    }
}
