// SPDX-License-Identifier: GPL-2.0

//! Whether it has paid, lately, to look once more before sleeping.
//!
//! A socket remembers by one number how its last attempts went. An attempt that
//! found nothing is followed by waits without one: by 1, 2, 4 and so on up to 256,
//! until an attempt succeeds. So whoever waits in vain pays for few attempts, and a
//! conversation that begins again is noticed soon.

/// The most failures in a row that make a difference.
const MOST: u32 = 9;

/// What a socket remembers: the failures in a row in the lowest four bits, and
/// above them how many waits go by without an attempt. Zero to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory(u32);

impl Memory {
    /// Makes a memory of a number that one was kept as.
    pub(crate) const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// Returns the number to keep.
    pub(crate) const fn raw(self) -> u32 {
        self.0
    }

    fn failures(self) -> u32 {
        self.0 & 0xf
    }

    fn pause(self) -> u32 {
        self.0 >> 4
    }

    /// Tells whether a wait that begins may make an attempt; if not, it is one of
    /// those that go by, and what is returned is what to remember.
    pub(crate) fn attempt(self) -> Result<(), Self> {
        match self.pause() {
            0 => Ok(()),
            pause => Err(Self((pause.wrapping_sub(1) << 4) | self.failures())),
        }
    }

    /// Returns what to remember after an attempt.
    pub(crate) fn after(self, success: bool) -> Self {
        if success {
            return Self(0);
        }
        let failures = self.failures().saturating_add(1).min(MOST);
        Self((1_u32.wrapping_shl(failures.wrapping_sub(1)) << 4) | failures)
    }
}

/// Returns how many nanoseconds it is worth to get `bytes` at once, and not in small
/// messages with a wake-up for some of them.
pub(crate) fn worth_of_bytes(bytes: usize) -> u64 {
    u64::try_from(bytes).map_or(u64::MAX, |bytes| bytes.saturating_mul(8))
}

/// Returns the same for packets, or room for so many.
pub(crate) fn worth_of_packets(packets: usize) -> u64 {
    u64::try_from(packets).map_or(u64::MAX, |packets| packets.saturating_mul(2000))
}
