// SPDX-License-Identifier: GPL-2.0

//! Words that several CPUs read and write.
//!
//! On a kernel built by GCC each operation of the kernel crate's `Atomic` is a call
//! of a C function, for what is one instruction; some stand several times on the way
//! of each message. On x86 a load that acquires and a store that releases are plain
//! ones that the compiler doesn't move others across, in C too, and so they are here.
//! Elsewhere this is `Atomic`.
//!
//! C header: [`arch/x86/include/asm/barrier.h`](srctree/arch/x86/include/asm/barrier.h)

use core::sync::atomic::{
    compiler_fence,
    Ordering, //
};
use kernel::sync::atomic::{
    Acquire,
    Atomic,
    Release, //
};

/// A word without read-modify-write operations.
pub(crate) struct Word(Atomic<usize>);

impl Word {
    /// Makes a word with its first value.
    pub(crate) const fn new(value: usize) -> Self {
        Self(Atomic::new(value))
    }

    /// Reads the word without ordering anything (`READ_ONCE()`).
    #[inline(always)]
    pub(crate) fn get(&self) -> usize {
        // SAFETY: The pointer is that of a valid atomic; a volatile load is an atomic one in the
        // kernel's memory model.
        unsafe { self.0.as_ptr().read_volatile() }
    }

    /// Writes the word without ordering anything (`WRITE_ONCE()`).
    #[inline(always)]
    pub(crate) fn set(&self, value: usize) {
        // SAFETY: As in `get`.
        unsafe { self.0.as_ptr().write_volatile(value) };
    }

    /// Reads the word before everything that follows (`smp_load_acquire()`).
    #[inline(always)]
    pub(crate) fn get_acquire(&self) -> usize {
        if cfg!(target_arch = "x86_64") {
            let value = self.get();
            compiler_fence(Ordering::Acquire);
            value
        } else {
            self.0.load(Acquire)
        }
    }

    /// Writes the word after everything before (`smp_store_release()`).
    #[inline(always)]
    pub(crate) fn set_release(&self, value: usize) {
        if cfg!(target_arch = "x86_64") {
            compiler_fence(Ordering::Release);
            self.set(value);
        } else {
            self.0.store(value, Release);
        }
    }
}

/// A word that is true or false.
pub(crate) struct Flag(Atomic<bool>);

impl Flag {
    /// Makes a flag with its first value.
    pub(crate) const fn new(value: bool) -> Self {
        Self(Atomic::new(value))
    }

    /// Reads the flag without ordering anything (`READ_ONCE()`).
    #[inline(always)]
    pub(crate) fn get(&self) -> bool {
        // SAFETY: As in `Word::get`; a valid `bool` is all that is ever written.
        unsafe { self.0.as_ptr().read_volatile() }
    }

    /// Writes the flag without ordering anything (`WRITE_ONCE()`).
    #[inline(always)]
    pub(crate) fn set(&self, value: bool) {
        // SAFETY: As in `Word::get`.
        unsafe { self.0.as_ptr().write_volatile(value) };
    }
}
