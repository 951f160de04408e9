// SPDX-License-Identifier: GPL-2.0

//! Vectors that grow. Those of the kernel crate do so by arithmetic that is
//! checked where it can't fail, and would bring panics into the module.

use kernel::prelude::*;

/// Makes room for so many elements more.
///
/// May sleep. `ENOMEM` without memory.
pub(crate) fn reserve<T>(to: &mut KVVec<T>, additional: usize) -> Result {
    let len = to.len();
    if to.capacity().wrapping_sub(len) >= additional {
        return Ok(());
    }
    let more = len.max(additional);
    let mut new = KVVec::with_capacity(len.saturating_add(more), GFP_KERNEL)?;
    for value in core::mem::replace(to, KVVec::new()) {
        put(&mut new, value)?;
    }
    *to = new;
    Ok(())
}

/// Appends an element.
///
/// May sleep. `ENOMEM` without memory.
pub(crate) fn push<T>(to: &mut KVVec<T>, value: T) -> Result {
    reserve(to, 1)?;
    put(to, value)
}

/// Appends an element where there is room, else `ENOMEM`. Any context.
pub(crate) fn put<T>(to: &mut KVVec<T>, value: T) -> Result {
    to.push_within_capacity(value).map_err(|_| ENOMEM)
}
