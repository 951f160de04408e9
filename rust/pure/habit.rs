// SPDX-License-Identifier: GPL-2.0

//! How much is likely to come at once: what was sent last, if that was much.
//!
//! Kept as a byte, which is the logarithm of a length, or zero.

/// Fewer bytes than this don't count: to pin a page and to let go of it costs almost as much
/// as to copy it while it is in the CPU's caches.
pub(crate) const WORTHWHILE: usize = 48 << 10;

/// Returns the byte to keep of `count` bytes that came at once.
pub(crate) fn kept(count: usize) -> u8 {
    match count.checked_ilog2() {
        Some(power) if count >= WORTHWHILE => power as u8,
        _ => 0,
    }
}

/// Returns for how many bytes to make ready: for more than what came, and for twice as much at
/// most; zero if for none.
pub(crate) fn expected(kept: u8) -> usize {
    match kept {
        0 => 0,
        power => 1_usize
            .checked_shl(u32::from(power).saturating_add(1))
            .unwrap_or(usize::MAX),
    }
}
