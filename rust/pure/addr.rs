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
        match name.iter().position(|&b| b == 0) {
            Some(0) => Ok(Name::Abstract(name)),
            Some(end) => Ok(Name::Path(name.get(..end).unwrap_or(name))),
            None => Ok(Name::Path(name)),
        }
    }
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
