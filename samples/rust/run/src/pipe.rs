// SPDX-License-Identifier: MIT OR GPL-2.0

//! SIGPIPE, as the program would find it without us.
//!
//! The standard library ignores the signal in this program and gives the next one the
//! default, whoever ignored it before: systemd does, for its services.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

static IGNORED: AtomicBool = AtomicBool::new(false);

/// Has the program ignore the signal if this one was started so.
pub(crate) fn pass_on(program: &mut Command) {
    if IGNORED.load(Ordering::Relaxed) {
        // SAFETY: The closure makes one system call, and takes no memory or lock.
        unsafe {
            program.pre_exec(|| {
                libc::signal(libc::SIGPIPE, libc::SIG_IGN);
                Ok(())
            });
        }
    }
}

/// Before the standard library has changed it.
extern "C" fn at_start() {
    // SAFETY: All zero is a value of the structure, and the call writes it.
    let ignored = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGPIPE, std::ptr::null(), &mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
    };
    IGNORED.store(ignored, Ordering::Relaxed);
}

// SAFETY: What stands in this section is called before `main`; `at_start` ignores the
// arguments that are passed, and needs nothing of the standard library.
#[used]
#[link_section = ".init_array"]
static AT_START: extern "C" fn() = at_start;
