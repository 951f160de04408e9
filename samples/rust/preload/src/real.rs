// SPDX-License-Identifier: MIT OR GPL-2.0

//! The entries behind ours: those of libc, or of the next library that has been
//! put in front of it.
//!
//! They are asked for by name, once. With libc's own functions the calls stay
//! what they were, points at which a thread may be cancelled among them.

use std::ffi::CStr;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use libc::{
    c_int, c_uint, c_void, mmsghdr, msghdr, size_t, sockaddr, socklen_t, ssize_t, timespec,
};

use crate::errno;

/// An entry that is looked up when it is first needed.
struct Entry {
    name: &'static CStr,
    found: AtomicPtr<c_void>,
}

impl Entry {
    const fn new(name: &'static CStr) -> Self {
        Self {
            name,
            found: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// The address, or null if nobody has such an entry.
    fn get(&self) -> *mut c_void {
        // Relaxed: what is loaded stays where it is, and its code was there
        // before anybody could ask for it.
        let found = self.found.load(Ordering::Relaxed);
        if !found.is_null() {
            return found;
        }
        // SAFETY: The name is a string that ends with NUL.
        let found = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
        self.found.store(found, Ordering::Relaxed);
        found
    }
}

/// Makes for each entry a function that calls it, and one that looks all up.
macro_rules! entries {
    ($($entry:ident $text:literal ($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        struct All {
            $($entry: Entry,)*
        }

        static ALL: All = All {
            $($entry: Entry::new($text),)*
        };

        $(
            /// The real call.
            ///
            /// # Safety
            ///
            /// That of the function of libc.
            pub(crate) unsafe fn $entry($($argument: $type),*) -> $result {
                let found = ALL.$entry.get();
                if found.is_null() {
                    errno::set(libc::ENOSYS);
                    return -1;
                }
                // SAFETY: The C library declares the function of this name
                // with these types, and a pointer to a function is as wide as
                // any other. The caller keeps to its contract.
                unsafe {
                    let function: unsafe extern "C-unwind" fn($($type),*) -> $result =
                        mem::transmute(found);
                    function($($argument),*)
                }
            }
        )*

        /// Looks all up, so that nobody does so in a signal handler.
        pub(crate) fn look_up() {
            $(ALL.$entry.get();)*
        }
    };
}

entries! {
    socket c"socket" (domain: c_int, kind: c_int, protocol: c_int) -> c_int;
    socketpair c"socketpair" (domain: c_int, kind: c_int, protocol: c_int, pair: *mut c_int) -> c_int;
    bind c"bind" (fd: c_int, address: *const sockaddr, len: socklen_t) -> c_int;
    connect c"connect" (fd: c_int, address: *const sockaddr, len: socklen_t) -> c_int;
    accept c"accept" (fd: c_int, address: *mut sockaddr, len: *mut socklen_t) -> c_int;
    accept4 c"accept4" (fd: c_int, address: *mut sockaddr, len: *mut socklen_t, flags: c_int) -> c_int;
    getsockname c"getsockname" (fd: c_int, address: *mut sockaddr, len: *mut socklen_t) -> c_int;
    getpeername c"getpeername" (fd: c_int, address: *mut sockaddr, len: *mut socklen_t) -> c_int;
    getsockopt c"getsockopt" (fd: c_int, level: c_int, name: c_int, value: *mut c_void, len: *mut socklen_t) -> c_int;
    setsockopt c"setsockopt" (fd: c_int, level: c_int, name: c_int, value: *const c_void, len: socklen_t) -> c_int;
    sendto c"sendto" (fd: c_int, data: *const c_void, size: size_t, flags: c_int, address: *const sockaddr, len: socklen_t) -> ssize_t;
    sendmsg c"sendmsg" (fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t;
    sendmmsg c"sendmmsg" (fd: c_int, messages: *mut mmsghdr, count: c_uint, flags: c_int) -> c_int;
    recvfrom c"recvfrom" (fd: c_int, data: *mut c_void, size: size_t, flags: c_int, address: *mut sockaddr, len: *mut socklen_t) -> ssize_t;
    recvfrom_chk c"__recvfrom_chk" (fd: c_int, data: *mut c_void, size: size_t, room: size_t, flags: c_int, address: *mut sockaddr, len: *mut socklen_t) -> ssize_t;
    recvmsg c"recvmsg" (fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t;
    recvmmsg c"recvmmsg" (fd: c_int, messages: *mut mmsghdr, count: c_uint, flags: c_int, limit: *mut timespec) -> c_int;
    epoll_ctl c"epoll_ctl" (set: c_int, operation: c_int, fd: c_int, event: *mut libc::epoll_event) -> c_int;
}
