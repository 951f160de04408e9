// SPDX-License-Identifier: MIT OR GPL-2.0

//! What the command asked for, read once from the environment.
//!
//! Programs empty their environment, or write over it to show something in the
//! list of processes, so everything is copied before they begin.

use std::cell::UnsafeCell;
use std::ffi::CStr;
use std::sync::atomic::{AtomicU8, Ordering};

use libc::{c_char, c_int};
use runix_redirect::choice::Choice;
use runix_redirect::variable;

use crate::{real, trace};

pub(crate) struct Settings {
    /// The number of AF_RUNIX.
    pub(crate) family: u16,
    /// Whether pairs of sockets go there.
    pub(crate) pairs: bool,
    /// Whether names that nobody serves there are looked for on AF_UNIX.
    pub(crate) falls_back: bool,
    /// Where to tell what was redirected, if anywhere.
    pub(crate) trace: Option<Copied<TRACE_MAX>>,
    only: Copied<PATTERNS_MAX>,
    except: Copied<PATTERNS_MAX>,
}

/// The command refuses patterns that are longer.
const PATTERNS_MAX: usize = 4096;
const TRACE_MAX: usize = libc::PATH_MAX as usize;

const DEFAULT_FAMILY: u16 = 18;
const PARAMETER: &CStr = c"/sys/module/runix/parameters/family";

impl Settings {
    const fn new() -> Self {
        Self {
            family: DEFAULT_FAMILY,
            pairs: true,
            falls_back: true,
            trace: None,
            only: Copied::new(),
            except: Copied::new(),
        }
    }

    pub(crate) fn choice(&self) -> Choice<'_> {
        Choice {
            only: self.only.as_bytes(),
            except: self.except.as_bytes(),
        }
    }

    fn read(&mut self) {
        if let Some(text) = variable(variable::ONLY) {
            self.only.set(text.to_bytes());
        }
        if let Some(text) = variable(variable::EXCEPT) {
            self.except.set(text.to_bytes());
        }
        self.pairs = match variable(variable::PAIRS) {
            Some(text) => text.to_bytes() == b"1",
            None => self.choice().is_wide(),
        };
        self.falls_back = variable(variable::STRICT).is_none();
        if let Some(text) = variable(variable::TRACE) {
            let mut place = Copied::new();
            // One byte stays for the NUL behind it.
            if text.to_bytes().len() < TRACE_MAX {
                place.set(text.to_bytes());
                self.trace = Some(place);
            }
        }
        self.family = match variable(variable::FAMILY) {
            Some(text) => number(text.to_bytes()),
            None => told().and_then(|told| number(told.as_bytes())),
        }
        .unwrap_or(DEFAULT_FAMILY);
    }
}

/// Bytes that were copied.
pub(crate) struct Copied<const CAPACITY: usize> {
    bytes: [u8; CAPACITY],
    len: usize,
}

impl<const CAPACITY: usize> Copied<CAPACITY> {
    const fn new() -> Self {
        Self {
            bytes: [0; CAPACITY],
            len: 0,
        }
    }

    fn set(&mut self, from: &[u8]) {
        self.len = from.len().min(CAPACITY);
        self.bytes[..self.len].copy_from_slice(&from[..self.len]);
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The same as a string of C; empty if there is no place for its end.
    pub(crate) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }
}

fn variable(name: &str) -> Option<&'static CStr> {
    let mut buffer = [0u8; 32];
    buffer[..name.len()].copy_from_slice(name.as_bytes());
    // SAFETY: The buffer ends with NUL: no name of a variable fills it, or the
    // copy above would have stopped the program. The string that is returned
    // is read at once, at the start of the program or of its first call here.
    unsafe {
        let text = libc::getenv(buffer.as_ptr().cast::<c_char>());
        (!text.is_null()).then(|| CStr::from_ptr(text))
    }
}

/// What a loaded module says its number is.
fn told() -> Option<Copied<16>> {
    let mut buffer = [0u8; 16];
    // SAFETY: The path is a string of C, and `read` writes at most as many
    // bytes as the buffer has.
    let len = unsafe {
        let fd = libc::open(PARAMETER.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if fd < 0 {
            return None;
        }
        let len = libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len());
        libc::close(fd);
        len
    };
    let mut told = Copied::new();
    told.set(buffer.get(..usize::try_from(len).ok()?)?.trim_ascii());
    Some(told)
}

fn number(text: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(text).ok()?;
    text.parse().ok().filter(|number| *number > 0)
}

// --- once ---------------------------------------------------------------------

struct Once {
    state: AtomicU8,
    settings: UnsafeCell<Settings>,
}

const UNREAD: u8 = 0;
const READING: u8 = 1;
const READ: u8 = 2;

// SAFETY: The settings are written by the one thread that takes the state from
// UNREAD to READING, and read by others only once it is READ.
unsafe impl Sync for Once {}

static ONCE: Once = Once {
    state: AtomicU8::new(UNREAD),
    settings: UnsafeCell::new(Settings::new()),
};

/// What was asked for.
///
/// `None` while another thread, or the code that this signal handler has
/// interrupted, is about to read it: calls go through unchanged then.
pub(crate) fn get() -> Option<&'static Settings> {
    if ONCE.state.load(Ordering::Acquire) != READ && !read() {
        return None;
    }
    // SAFETY: The state is READ: nobody writes any more.
    Some(unsafe { &*ONCE.settings.get() })
}

#[cold]
fn read() -> bool {
    let (before, during) = (UNREAD, READING);
    let taken = ONCE
        .state
        .compare_exchange(before, during, Ordering::Acquire, Ordering::Relaxed);
    if taken.is_err() {
        return ONCE.state.load(Ordering::Acquire) == READ;
    }
    // SAFETY: This thread has taken the state to READING; nobody else looks.
    unsafe { (*ONCE.settings.get()).read() };
    ONCE.state.store(READ, Ordering::Release);
    true
}

/// Before the program begins, when there is one thread, no handler, and the
/// environment is still what it was given.
extern "C" fn at_start() {
    real::look_up();
    let Some(settings) = get() else { return };
    if variable(variable::FAMILY).is_some() {
        return;
    }
    // Nobody has looked whether the family is there: not the command.
    let family = settings.family;
    // SAFETY: No memory is involved.
    unsafe {
        let fd = real::socket(family.into(), libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        if fd >= 0 {
            libc::close(fd);
        } else {
            trace::warn_of_absence(family);
        }
    }
}

// SAFETY: The loader calls what stands in this section when it has loaded the
// library; `at_start` ignores the arguments that it passes.
#[used]
#[link_section = ".init_array"]
static AT_START: extern "C" fn() = at_start;

/// AF_UNIX, as the type of a call's argument.
pub(crate) const UNIX: c_int = libc::AF_UNIX;
