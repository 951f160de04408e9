// SPDX-License-Identifier: MIT OR GPL-2.0

//! Messages as they are shown.

use std::fmt;

/// As many bytes of a message are shown.
const SHOWN: usize = 60;

/// Shows bytes between quotes, without the newline at their end.
pub struct Quoted<'a>(pub &'a [u8]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.strip_suffix(b"\n").unwrap_or(self.0);

        f.write_str("\"")?;
        for byte in &bytes[..bytes.len().min(SHOWN)] {
            match byte {
                b'"' | b'\\' => write!(f, "\\{}", char::from(*byte))?,
                b' '..=b'~' => write!(f, "{}", char::from(*byte))?,
                _ => write!(f, "\\x{byte:02x}")?,
            }
        }
        f.write_str(if bytes.len() > SHOWN { "...\"" } else { "\"" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting() {
        let quoted = |bytes: &[u8]| Quoted(bytes).to_string();
        assert_eq!(quoted(b"hello\n"), r#""hello""#);
        assert_eq!(quoted(b"a\n\n"), r#""a\x0a""#);
        assert_eq!(quoted(b"\"\\\xff"), r#""\"\\\xff""#);
        assert_eq!(quoted(&[b'x'; 60]).len(), 62);
        assert_eq!(quoted(&[b'x'; 61]).len(), 65);
    }
}
