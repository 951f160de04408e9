// SPDX-License-Identifier: MIT OR GPL-2.0

//! Names in addresses.

/// The longest address that the kernel takes, `sizeof(struct sockaddr_storage)`.
pub const ADDRESS_MAX: usize = 128;

/// Where the name begins: behind the family's number.
pub const NAME_OFFSET: usize = 2;

/// The family's number in an address, if it is long enough to have one.
pub fn family(address: &[u8]) -> Option<u16> {
    let bytes = address.get(..NAME_OFFSET)?;
    Some(u16::from_ne_bytes([bytes[0], bytes[1]]))
}

/// Puts a family's number into an address that is long enough to have one.
pub fn set_family(address: &mut [u8], family: u16) {
    if let Some(bytes) = address.get_mut(..NAME_OFFSET) {
        bytes.copy_from_slice(&family.to_ne_bytes());
    }
}

/// A name as users write it: a path, `@` and an abstract name, or nothing.
///
/// It is as long as it has to be for a path that was made absolute.
#[derive(Clone)]
pub struct Text {
    bytes: [u8; Text::CAPACITY],
    len: usize,
}

impl Text {
    /// Bytes that there is place for; what is longer is cut.
    pub const CAPACITY: usize = 1024;

    /// An empty one: that of a socket without a name.
    pub const fn new() -> Self {
        Self {
            bytes: [0; Self::CAPACITY],
            len: 0,
        }
    }

    /// The name in an address.
    ///
    /// A path ends at its first NUL byte, as in unix(7).
    pub fn of_address(address: &[u8]) -> Self {
        let mut text = Self::new();
        match address.get(NAME_OFFSET..) {
            None | Some([]) => {}
            Some([0, name @ ..]) => {
                text.push(b"@");
                text.push(name);
            }
            Some(path) => {
                let end = path.iter().position(|byte| *byte == 0);
                text.push(&path[..end.unwrap_or(path.len())]);
            }
        }
        text
    }

    /// Appends bytes, as many as there is place for.
    pub fn push(&mut self, more: &[u8]) {
        let more = &more[..more.len().min(Self::CAPACITY - self.len)];
        self.bytes[self.len..self.len + more.len()].copy_from_slice(more);
        self.len += more.len();
    }

    /// Appends a number in decimal digits.
    pub fn push_number(&mut self, number: u64) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut left = number;
        loop {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
            if left == 0 {
                break;
            }
        }
        self.push(&digits[at..]);
    }

    /// Appends bytes, those that can't be printed as `\x..`.
    pub fn push_escaped(&mut self, more: &[u8]) {
        for byte in more {
            if (b' '..=b'~').contains(byte) {
                self.push(&[*byte]);
            } else {
                let digit = |value: u8| b"0123456789abcdef"[usize::from(value & 15)];
                self.push(&[b'\\', b'x', digit(byte >> 4), digit(*byte)]);
            }
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Whether it is a path that begins in the working directory.
    pub fn is_relative(&self) -> bool {
        !matches!(self.as_bytes().first(), None | Some(b'/' | b'@'))
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn text(address: &[u8]) -> Vec<u8> {
        Text::of_address(address).as_bytes().to_vec()
    }

    #[test]
    fn names_of_addresses() {
        assert_eq!(text(b""), b"");
        assert_eq!(text(b"\x01"), b"");
        assert_eq!(text(b"\x01\0"), b"");
        assert_eq!(text(b"\x01\0/run/x"), b"/run/x");
        assert_eq!(text(b"\x01\0/run/x\0\0rest"), b"/run/x");
        assert_eq!(text(b"\x01\0\0ab\0c"), b"@ab\0c");
        assert_eq!(text(b"\x01\0\0"), b"@");
    }

    #[test]
    fn families() {
        let mut address = *b"\x01\0/x";
        assert_eq!(family(&address), Some(1));
        set_family(&mut address, 18);
        assert_eq!(family(&address), Some(18));
        assert_eq!(&address[2..], b"/x");
        assert_eq!(family(&address[..1]), None);
        set_family(&mut address[..1], 1);
        assert_eq!(family(&address), Some(18));
    }

    #[test]
    fn relative_names() {
        assert!(Text::of_address(b"\x01\0sock").is_relative());
        assert!(!Text::of_address(b"\x01\0/sock").is_relative());
        assert!(!Text::of_address(b"\x01\0\0sock").is_relative());
        assert!(!Text::of_address(b"\x01\0").is_relative());
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let mut text = Text::new();
        for _ in 0..40 {
            text.push(&[b'x'; 100]);
        }
        assert_eq!(text.as_bytes(), [b'x'; Text::CAPACITY]);
    }

    #[test]
    fn numbers_and_escapes() {
        let mut text = Text::new();
        for number in [0, 7, 10, 4_294_967_296] {
            text.push_number(number);
            text.push(b" ");
        }
        text.push_escaped(b"a\0\xff~\n");
        assert_eq!(text.as_bytes(), b"0 7 10 4294967296 a\\x00\\xff~\\x0a");
    }
}
