// SPDX-License-Identifier: GPL-2.0

//! Words that several CPUs read and write.
//!
//! On a kernel built by GCC each operation of the kernel crate's `Atomic` is a call
//! of a C function, for what is one instruction; some stand several times on the way
//! of each message. On x86 a load that acquires and a store that releases are plain
//! ones that the compiler doesn't move others across, in C too, and so they are here.
//! Elsewhere they have a full barrier.
//!
//! C header: [`arch/x86/include/asm/barrier.h`](srctree/arch/x86/include/asm/barrier.h)

use super::wait::full_barrier;
use core::{
    cell::UnsafeCell,
    sync::atomic::{
        compiler_fence,
        Ordering, //
    }, //
};

/// What a CPU reads and writes as a whole.
///
/// # Safety
///
/// The type has no more than the size of a pointer, a power of two, to which it is
/// aligned, and no destructor.
pub(crate) unsafe trait Whole: Copy {}

// SAFETY: As said there.
unsafe impl Whole for usize {}
// SAFETY: As said there.
unsafe impl Whole for u16 {}
// SAFETY: As said there.
unsafe impl Whole for u8 {}
// SAFETY: As said there.
unsafe impl Whole for bool {}

/// A word without read-modify-write operations.
pub(crate) struct Word<T: Whole = usize>(UnsafeCell<T>);

/// A word that is true or false.
pub(crate) type Flag = Word<bool>;

// SAFETY: The value is only copied, and volatile accesses to what is read and written as a whole
// are atomic ones in the kernel's memory model.
unsafe impl<T: Whole> Sync for Word<T> {}

impl<T: Whole> Word<T> {
    /// Makes a word with its first value.
    pub(crate) const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Reads the word without ordering anything (`READ_ONCE()`).
    #[inline(always)]
    pub(crate) fn get(&self) -> T {
        // SAFETY: The pointer is valid; see `Sync` for who else may be there.
        unsafe { self.0.get().read_volatile() }
    }

    /// Writes the word without ordering anything (`WRITE_ONCE()`).
    #[inline(always)]
    pub(crate) fn set(&self, value: T) {
        // SAFETY: As in `get`.
        unsafe { self.0.get().write_volatile(value) };
    }

    /// Reads the word before everything that follows (`smp_load_acquire()`).
    #[inline(always)]
    pub(crate) fn get_acquire(&self) -> T {
        let value = self.get();
        if cfg!(target_arch = "x86_64") {
            compiler_fence(Ordering::Acquire);
        } else {
            full_barrier();
        }
        value
    }

    /// Writes the word after everything before (`smp_store_release()`).
    #[inline(always)]
    pub(crate) fn set_release(&self, value: T) {
        if cfg!(target_arch = "x86_64") {
            compiler_fence(Ordering::Release);
        } else {
            full_barrier();
        }
        self.set(value);
    }
}
