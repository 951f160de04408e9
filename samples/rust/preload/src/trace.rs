// SPDX-License-Identifier: MIT OR GPL-2.0

//! What the user is told: one line for each name, one warning.

use std::sync::atomic::{AtomicBool, Ordering};

use libc::c_int;
use runix_redirect::name::Text;

use crate::errno;
use crate::settings::{self, Settings};

/// Tells what happened to a socket: `runix-run[7]: bind 3 /run/x: AF_RUNIX`.
pub(crate) fn tell(call: &str, fd: c_int, name: Option<&Text>, what: &str) {
    let Some(settings) = settings::get().filter(|settings| settings.trace.is_some()) else {
        return;
    };
    let mut line = Text::new();
    line.push(b"runix-run[");
    // SAFETY: The call has no conditions.
    line.push_number(unsafe { libc::getpid() } as u64);
    line.push(b"]: ");
    line.push(call.as_bytes());
    line.push(b" ");
    line.push_number(fd.max(0) as u64);
    match name.map(Text::as_bytes) {
        None => {}
        Some(b"") => line.push(b" (unnamed)"),
        Some(name) => {
            line.push(b" ");
            line.push_escaped(name);
        }
    }
    line.push(b": ");
    line.push(what.as_bytes());
    line.push(b"\n");
    errno::kept(|| write(settings, line.as_bytes()));
}

fn write(settings: &Settings, line: &[u8]) {
    let Some(place) = &settings.trace else { return };
    if place.as_bytes() == b"-" {
        write_to(libc::STDERR_FILENO, line);
        return;
    }
    // Opened for each line: a program may close every descriptor that it does
    // not know, and one that is kept would go into its children.
    let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC;
    // SAFETY: The path is a string of C. The descriptor is our own.
    unsafe {
        let fd = libc::open(place.as_c_str().as_ptr(), flags, 0o666);
        if fd >= 0 {
            write_to(fd, line);
            libc::close(fd);
        }
    }
}

fn write_to(fd: c_int, line: &[u8]) {
    // SAFETY: The bytes are there. If they can't be written, nobody can be told.
    unsafe { libc::write(fd, line.as_ptr().cast(), line.len()) };
}

/// Says once that the family is not there.
pub(crate) fn warn_of_absence(family: u16) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if SAID.swap(true, Ordering::Relaxed) {
        return;
    }
    let mut line = Text::new();
    line.push(b"runix-run: address family ");
    line.push_number(family.into());
    line.push(
        b" is not available, sockets stay on AF_UNIX: load the runix module (modprobe runix)\n",
    );
    errno::kept(|| write_to(libc::STDERR_FILENO, line.as_bytes()));
}
