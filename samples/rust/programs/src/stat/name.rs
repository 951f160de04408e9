// SPDX-License-Identifier: MIT OR GPL-2.0

//! Names of sockets, in a form that can be shown.

use std::fmt;

/// A name that a socket is bound to.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Name {
    /// A path in the file system.
    Path(Vec<u8>),
    /// An abstract name, without the NUL byte in front.
    Abstract(Vec<u8>),
}

impl Name {
    /// Takes a name as `sock_diag` tells it: a path ends in a NUL byte, an
    /// abstract name starts with one. `None` if it is empty.
    pub fn from_diag(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [] => None,
            [0, name @ ..] => Some(Self::Abstract(name.to_vec())),
            _ => {
                let end = bytes.iter().position(|byte| *byte == 0);
                Some(Self::Path(bytes[..end.unwrap_or(bytes.len())].to_vec()))
            }
        }
    }

    /// Takes a name as `/proc/net` shows it, with an `@` for each NUL byte.
    /// `None` if it is empty.
    pub fn from_listing(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [] => None,
            [b'@', name @ ..] => Some(Self::Abstract(name.to_vec())),
            _ => Some(Self::Path(bytes.to_vec())),
        }
    }
}

/// Shows a name, one form for each: an abstract one starts with `@`, what can't
/// be printed is written as `\x1b`, and a backslash as two.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Abstract(name) => {
                f.write_str("@")?;
                escaped(name, f)
            }
            // Only an abstract name is shown with an @ in front.
            Self::Path(path) => match path.strip_prefix(b"@") {
                Some(rest) => {
                    f.write_str("\\x40")?;
                    escaped(rest, f)
                }
                None => escaped(path, f),
            },
        }
    }
}

/// Text of anybody's making, which a terminal should not act upon.
pub(super) struct Escaped<'a>(pub(super) &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escaped(self.0, f)
    }
}

fn escaped(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                _ if is_printable(character) => write!(f, "{character}")?,
                _ => hexadecimal(character.encode_utf8(&mut [0; 4]).as_bytes(), f)?,
            }
        }
        hexadecimal(chunk.invalid(), f)?;
    }
    Ok(())
}

/// Tells whether a character stands for itself. Those that turn the direction
/// of writing, or hide, don't.
fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn hexadecimal(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_sock_diag_tells_them() {
        let shown = |bytes: &[u8]| Name::from_diag(bytes).map(|name| name.to_string());
        assert_eq!(shown(b"/run/a\0").as_deref(), Some("/run/a"));
        assert_eq!(shown(b"/run/a").as_deref(), Some("/run/a"));
        assert_eq!(shown(b"\0a\0b").as_deref(), Some("@a\\x00b"));
        assert_eq!(shown(b"\0").as_deref(), Some("@"));
        assert_eq!(shown(b""), None);
    }

    #[test]
    fn as_listings_show_them() {
        let shown = |bytes: &[u8]| Name::from_listing(bytes).map(|name| name.to_string());
        assert_eq!(shown(b"/run/a b").as_deref(), Some("/run/a b"));
        assert_eq!(shown(b"@a@b").as_deref(), Some("@a@b"));
        assert_eq!(shown(b""), None);
    }

    #[test]
    fn no_two_look_alike() {
        let path = |bytes: &[u8]| Name::Path(bytes.to_vec()).to_string();
        assert_eq!(path(b"@a"), "\\x40a");
        assert_eq!(path(b"\\x40a"), "\\\\x40a");
        assert_eq!(path(b"a\x1b[2Jb\n"), "a\\x1b[2Jb\\x0a");
        assert_eq!(path("sch\u{f6}n".as_bytes()), "sch\u{f6}n");
        assert_eq!(path(b"sch\xf6n"), "sch\\xf6n");
        assert_eq!(path("a\u{202e}b".as_bytes()), "a\\xe2\\x80\\xaeb");
    }
}
