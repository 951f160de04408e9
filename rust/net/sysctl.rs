// SPDX-License-Identifier: GPL-2.0

//! Numbers below `/proc/sys`, one set in each network namespace.
//!
//! Who may write one is up to the kernel: the administrator of the namespace,
//! also where that belongs to a user namespace.
//!
//! C header: [`include/linux/sysctl.h`](srctree/include/linux/sysctl.h)

use super::pernet::Net;
use crate::bindings;
use core::ptr::NonNull;
use kernel::{
    alloc::flags::GFP_KERNEL_ACCOUNT,
    bindings as kb,
    prelude::*,
    str::{
        CStr,
        CStrExt as _, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

/// A number that an administrator may change at any time.
#[repr(transparent)]
pub(crate) struct SysctlInt(Atomic<i32>);

impl SysctlInt {
    /// Makes a number with its first value.
    pub(crate) const fn new(value: i32) -> Self {
        Self(Atomic::new(value))
    }

    /// Returns the value of now. Any context.
    pub(crate) fn get(&self) -> i32 {
        self.0.load(Relaxed)
    }
}

impl SysctlInt {
    /// Adds to the value. Any context.
    pub(crate) fn add(&self, value: i32) {
        self.0.add(value, Relaxed);
    }
}

/// The description of a number in the namespace's data `T`; lives in a static.
pub(crate) struct Sysctl<T: 'static> {
    name: &'static CStr,
    min: c_int,
    max: c_int,
    mode: u16,
    place: fn(&T) -> &SysctlInt,
}

impl<T> Sysctl<T> {
    /// Describes a file `name` that holds the number at `place`.
    ///
    /// Writing a value below `min` or above `max` is an error (`EINVAL`).
    pub(crate) const fn new(
        name: &'static CStr,
        min: i32,
        max: i32,
        place: fn(&T) -> &SysctlInt,
    ) -> Self {
        Self {
            name,
            min,
            max,
            mode: 0o644,
            place,
        }
    }

    /// Describes a file `name` that shows the number at `place`, and can't be
    /// written.
    pub(crate) const fn read_only(name: &'static CStr, place: fn(&T) -> &SysctlInt) -> Self {
        Self {
            mode: 0o444,
            ..Self::new(name, i32::MIN, i32::MAX, place)
        }
    }

    /// Returns what the C side is to know of the number in `data`.
    fn entry(&'static self, data: &T) -> kb::ctl_table {
        kb::ctl_table {
            procname: self.name.as_char_ptr(),
            data: (self.place)(data).0.as_ptr().cast(),
            maxlen: size_of::<c_int>() as c_int,
            mode: self.mode,
            proc_handler: Some(kb::proc_dointvec_minmax),
            // The C side only reads the bounds.
            extra1: (&raw const self.min).cast_mut().cast(),
            extra2: (&raw const self.max).cast_mut().cast(),
            ..pin_init::zeroed()
        }
    }
}

/// A directory of numbers, made in each network namespace that a module keeps
/// data in ([`super::PerNetData::SYSCTLS`]).
pub(crate) struct Sysctls<T: 'static> {
    path: &'static CStr,
    entries: &'static [Sysctl<T>],
}

impl<T> Sysctls<T> {
    /// No numbers.
    pub(crate) const NONE: Self = Self::new(c"", &[]);

    /// Describes the directory `path` below `/proc/sys`, such as `net/unix`.
    pub(crate) const fn new(path: &'static CStr, entries: &'static [Sysctl<T>]) -> Self {
        Self { path, entries }
    }

    /// Makes the files in a namespace; `None` if there are none to make.
    ///
    /// May sleep. `ENOMEM` if that fails.
    ///
    /// # Safety
    ///
    /// `data` is valid, and stays where it is, until the returned value has been
    /// dropped.
    pub(super) unsafe fn register(
        self,
        net: &Net,
        data: *const T,
    ) -> Result<Option<SysctlRegistration>> {
        if self.entries.is_empty() {
            return Ok(None);
        }
        let mut table = KVec::with_capacity(self.entries.len(), GFP_KERNEL_ACCOUNT)?;
        for sysctl in self.entries {
            // SAFETY: By the function's safety requirements.
            let entry = sysctl.entry(unsafe { &*data });
            table.push_within_capacity(entry).map_err(|_| ENOMEM)?;
        }
        // SAFETY: The namespace is valid, the path static; the table outlives the registration, as
        // do the numbers by the function's safety requirements.
        let header = unsafe {
            bindings::register_net_sysctl_sz(
                net.as_raw(),
                self.path.as_char_ptr(),
                table.as_mut_ptr(),
                table.len(),
            )
        };
        let header = NonNull::new(header).ok_or(ENOMEM)?;
        // INVARIANT: The table was just registered, and its elements are never moved.
        Ok(Some(SysctlRegistration {
            header,
            _table: table,
        }))
    }
}

/// Files below `/proc/sys`; dropping it removes them, after their last user.
///
/// # Invariants
///
/// `header` is the registration of the elements of `_table`.
pub(super) struct SysctlRegistration {
    header: NonNull<kb::ctl_table_header>,
    _table: KVec<kb::ctl_table>,
}

impl Drop for SysctlRegistration {
    fn drop(&mut self) {
        // SAFETY: By the type invariants; the table is freed after this.
        unsafe { bindings::unregister_net_sysctl_table(self.header.as_ptr()) };
    }
}
