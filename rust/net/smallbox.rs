// SPDX-License-Identifier: GPL-2.0

//! Single values in buffers of the smallest size.
//!
//! What goes with a message lives as long as a small message does, and comes as
//! often. It takes one of the buffers that such messages are kept in: from those that
//! wait on each CPU to be used again, at a sixth of what the allocator and the zeroing
//! of new memory would cost. (Rows `creds` and `fds` of the bench.)

use super::chunk::Block;
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::{
        Deref,
        DerefMut, //
    },
    ptr,
    ptr::NonNull, //
};
use kernel::prelude::*;

/// Bytes that a [`SmallBox`] takes, whatever is in it.
pub(crate) const SMALL_BOX_SIZE: usize = Block::SMALLEST;

/// A value in a buffer of its own, which is charged to the cgroup of who makes it.
///
/// # Invariants
///
/// Points to an initialised value at the start of a small block, which the box owns.
pub(crate) struct SmallBox<T> {
    raw: NonNull<T>,
    _p: PhantomData<T>,
}

// SAFETY: The box owns the value.
unsafe impl<T: Send> Send for SmallBox<T> {}
// SAFETY: As above.
unsafe impl<T: Sync> Sync for SmallBox<T> {}

impl<T> SmallBox<T> {
    /// Puts a value into a buffer.
    ///
    /// May sleep. `ENOMEM` without memory; the value is dropped then.
    #[inline]
    pub(crate) fn new(value: T) -> Result<Self> {
        const { Block::assert_holds::<T>() };
        let raw = Block::alloc_small()?.cast::<T>();
        // SAFETY: The block is ours, has room for the value, and is aligned for it.
        unsafe { raw.write(value) };
        // INVARIANT: The value was just written.
        Ok(Self {
            raw,
            _p: PhantomData,
        })
    }

    /// Takes the value out.
    #[inline]
    pub(crate) fn into_inner(self) -> T {
        let this = ManuallyDrop::new(self);
        // SAFETY: By the type invariants; the value moves out, and the block, which nobody else
        // has, goes without it.
        unsafe {
            let value = this.raw.read();
            Block::free_small(this.raw.cast());
            value
        }
    }
}

impl<T> Deref for SmallBox<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: By the type invariants.
        unsafe { self.raw.as_ref() }
    }
}

impl<T> DerefMut for SmallBox<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: By the type invariants; the box is borrowed exclusively.
        unsafe { self.raw.as_mut() }
    }
}

impl<T> Drop for SmallBox<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants; nobody uses the value any more.
        unsafe {
            ptr::drop_in_place(self.raw.as_ptr());
            Block::free_small(self.raw.cast());
        }
    }
}
