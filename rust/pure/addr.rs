// SPDX-License-Identifier: GPL-2.0

//! Addresses as programs hand them in.
//!
//! The rules are those of `unix(7)`: two bytes of family, then up to 108 bytes
//! of name. What the name's first byte is decides its kind.

/// Bytes in the name part of an address (`sun_path`).
pub(crate) const PATH_MAX: usize = 108;

/// Bytes in front of the name: the family.
pub(crate) const HEADER: usize = 2;

/// Number of names that autobind chooses from: five hexadecimal digits.
pub(crate) const AUTOBIND_NAMES: u32 = 1 << 20;

/// Why an address is refused. `EINVAL` for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadAddress {
    /// Shorter than a family and one byte, or longer than the structure.
    Length,
    /// Of another family.
    Family,
}

/// The name in an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name<'a> {
    /// A path in the file system, without the terminating NUL, never empty.
    Path(&'a [u8]),
    /// An abstract name, with its leading NUL byte; any bytes may follow.
    Abstract(&'a [u8]),
}

impl<'a> Name<'a> {
    /// Parses the bytes of an address given to `connect(2)`, `sendto(2)` or
    /// `bind(2)` to a socket of `family`.
    ///
    /// A path need not be terminated; what follows its first NUL is ignored.
    /// The one address this doesn't know is the bare family, which asks
    /// `bind(2)` for an autobind: see [`is_autobind`].
    pub(crate) fn parse(bytes: &'a [u8], family: u16) -> Result<Self, BadAddress> {
        if bytes.len() <= HEADER || bytes.len() > HEADER + PATH_MAX {
            return Err(BadAddress::Length);
        }
        let (head, name) = bytes.split_at(HEADER);
        if head != family.to_ne_bytes() {
            return Err(BadAddress::Family);
        }
        if name.first() == Some(&0) {
            return Ok(Name::Abstract(name));
        }
        match find_nul(name) {
            Some(end) => Ok(Name::Path(name.get(..end).unwrap_or(name))),
            None => Ok(Name::Path(name)),
        }
    }
}

/// Returns the place of the first NUL byte.
///
/// Looks at eight bytes at a time: a path is looked through in each call that
/// gives one (rows `to-path` and `conn-path` of the bench).
fn find_nul(bytes: &[u8]) -> Option<usize> {
    /// The lowest bit of each byte.
    const LOW: u64 = u64::from_ne_bytes([1; 8]);
    /// The highest bit of each byte.
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let mut rest = bytes;
    let mut place: usize = 0;
    while let Some((word, more)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*word);
        // The lowest bit that is set is the highest one of the first byte that is zero; above it
        // there may be others, by way of the borrow.
        let zeros = word.wrapping_sub(LOW) & !word & HIGH;
        if zeros != 0 {
            return Some(place.wrapping_add((zeros.trailing_zeros() / 8) as usize));
        }
        rest = more;
        place = place.wrapping_add(8);
    }
    let end = rest.iter().position(|&b| b == 0)?;
    Some(place.wrapping_add(end))
}

/// Hashes bytes, eight at a time; not against those who look for collisions.
pub(crate) fn hash(start: u64, bytes: &[u8]) -> u64 {
    /// An odd number with no pattern: 2^64 divided by the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let mut hash = mix(start, bytes.len() as u64);
    let mut rest = bytes;
    while let Some((word, more)) = rest.split_first_chunk::<8>() {
        hash = mix(hash, u64::from_le_bytes(*word));
        rest = more;
    }
    let tail = rest
        .iter()
        .fold(0, |tail: u64, byte| (tail << 8) | u64::from(*byte));
    hash = mix(hash, tail);
    // The highest bits are the best ones.
    mix(0, hash ^ (hash >> 32)) >> 32
}

/// Tells whether the address is the bare family, by which `bind(2)` asks for a
/// name of the kernel's choice.
pub(crate) fn is_autobind(bytes: &[u8], family: u16) -> bool {
    bytes == family.to_ne_bytes()
}

/// Returns the autobind name of a number: a NUL byte and five hexadecimal
/// digits of its lowest 20 bits.
pub(crate) fn autobind_name(number: u32) -> [u8; 6] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |shift: u32| DIGITS[((number >> shift) & 15) as usize];
    [0, digit(16), digit(12), digit(8), digit(4), digit(0)]
}

/// Returns every autobind name once, from behind the one with number `first` on.
///
/// Autobind takes the first that is free; at the end none is (`ENOSPC`).
pub(crate) fn autobind_names(first: u32) -> impl Iterator<Item = [u8; 6]> {
    (1..=AUTOBIND_NAMES).map(move |i| autobind_name(first.wrapping_add(i)))
}
