// SPDX-License-Identifier: MIT OR GPL-2.0

//! What is known of descriptors: a table by their numbers.
//!
//! An entry tells of the socket that was made under that number, by the cookie
//! that the kernel gives to a socket. Numbers are closed and used again without
//! notice here, so an entry holds only if the cookie is still that socket's.

use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use libc::{c_int, c_void};

use crate::{errno, real};

/// The socket has no name and no peer yet, as far as was seen.
pub(crate) const FRESH: u32 = 1 << 0;
/// Its options were changed.
pub(crate) const CHANGED: u32 = 1 << 1;

/// How many epoll sets are remembered for a socket. Two: a loop of its own and
/// one around it.
pub(crate) const SETS: usize = 2;

/// Where a socket is polled.
pub(crate) struct Polled {
    /// The set's descriptor and 1; 0 if there is none.
    pub(crate) set: AtomicI32,
    pub(crate) events: AtomicU32,
    pub(crate) data: AtomicU64,
}

/// All zero is an entry that tells nothing: no socket has cookie 0.
pub(crate) struct Hint {
    cookie: AtomicU64,
    flags: AtomicU32,
    pub(crate) polled: [Polled; SETS],
}

const BLOCK: usize = 1024;
const BLOCKS: usize = 1024;

static TABLE: [AtomicPtr<Hint>; BLOCKS] = [const { AtomicPtr::new(ptr::null_mut()) }; BLOCKS];

// Relaxed is enough for all of them. A thread that learns of a descriptor from
// another one has synchronised with it, and sees what was stored before.
impl Hint {
    /// Begins an entry for a new socket.
    fn begin(&self, cookie: u64, flags: u32) {
        self.cookie.store(cookie, Ordering::Relaxed);
        self.flags.store(flags, Ordering::Relaxed);
        for polled in &self.polled {
            polled.set.store(0, Ordering::Relaxed);
        }
    }

    pub(crate) fn has(&self, flag: u32) -> bool {
        self.flags.load(Ordering::Relaxed) & flag != 0
    }

    pub(crate) fn set(&self, flag: u32) {
        self.flags.fetch_or(flag, Ordering::Relaxed);
    }

    pub(crate) fn clear(&self, flag: u32) {
        self.flags.fetch_and(!flag, Ordering::Relaxed);
    }

    /// Hands the entry to the socket that took the place of the first one.
    pub(crate) fn pass_on(&self, fd: c_int) {
        self.cookie.store(cookie(fd), Ordering::Relaxed);
    }
}

/// The entry of a number, if any socket was noted in its block.
pub(crate) fn find(fd: c_int) -> Option<&'static Hint> {
    let fd = usize::try_from(fd).ok()?;
    let block = TABLE.get(fd / BLOCK)?.load(Ordering::Acquire);
    if block.is_null() {
        return None;
    }
    // SAFETY: A block holds BLOCK entries and is never freed; see `block`.
    Some(unsafe { &*block.add(fd % BLOCK) })
}

/// The entry of a number if it tells of the socket that is there now.
pub(crate) fn current(fd: c_int) -> Option<&'static Hint> {
    let hint = find(fd)?;
    let known = hint.cookie.load(Ordering::Relaxed);
    (known != 0 && known == cookie(fd)).then_some(hint)
}

/// Notes a socket.
pub(crate) fn note(fd: c_int, flags: u32) -> Option<&'static Hint> {
    let index = usize::try_from(fd).ok()?;
    let slot = TABLE.get(index / BLOCK)?;
    if slot.load(Ordering::Acquire).is_null() {
        block(slot);
    }
    let hint = find(fd)?;
    hint.begin(cookie(fd), flags);
    Some(hint)
}

/// Gives a slot of the table its block.
fn block(slot: &AtomicPtr<Hint>) {
    let size = BLOCK * size_of::<Hint>();
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    errno::kept(|| {
        // SAFETY: New memory, in nobody's way. It is zero, which is a value of
        // all fields of a `Hint`, and aligned to a page.
        let memory = unsafe { libc::mmap(ptr::null_mut(), size, protection, flags, -1, 0) };
        if memory == libc::MAP_FAILED {
            return;
        }
        let block = memory.cast::<Hint>();
        let put =
            slot.compare_exchange(ptr::null_mut(), block, Ordering::AcqRel, Ordering::Acquire);
        if put.is_err() {
            // SAFETY: Another thread was first; nobody has seen this memory.
            unsafe { libc::munmap(memory, size) };
        }
    });
}

/// The number that no other socket has or had since the machine was started.
fn cookie(fd: c_int) -> u64 {
    let mut value = 0u64;
    let mut len = size_of::<u64>() as libc::socklen_t;
    // SAFETY: The kernel writes at most `len` bytes to `value`.
    let result = errno::kept(|| unsafe {
        real::getsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_COOKIE,
            (&raw mut value).cast::<c_void>(),
            &mut len,
        )
    });
    if result == 0 {
        value
    } else {
        0
    }
}
