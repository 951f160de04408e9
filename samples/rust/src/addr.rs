// SPDX-License-Identifier: MIT OR GPL-2.0

//! Addresses.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Bytes in the path of an address, as in `runix.h`.
pub(crate) const PATH_MAX: usize = 108;

/// The longest name that fits: a pathname is followed by a NUL byte, an
/// abstract name is preceded by one.
const NAME_MAX: usize = PATH_MAX - 1;

/// An address of a socket: a pathname, an abstract name, or none.
///
/// Mirrors [`std::os::unix::net::SocketAddr`]; see *Address format* in
/// unix(7).
///
/// An address can also be made from text as users type it, where `@name`
/// stands for an abstract name:
///
/// ```
/// use runix::SocketAddr;
///
/// # fn main() -> std::io::Result<()> {
/// let address: SocketAddr = "@greeting".parse()?;
/// assert_eq!(address.as_abstract_name(), Some(&b"greeting"[..]));
/// assert_eq!(address.to_string(), "@greeting");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SocketAddr {
    name: Name,
}

#[derive(Clone)]
enum Name {
    Unnamed,
    Pathname(PathBuf),
    Abstract(Vec<u8>),
}

impl SocketAddr {
    /// Makes the address of a socket in the file system.
    ///
    /// An empty path gives an unnamed address, as with
    /// [`std::os::unix::net::SocketAddr::from_pathname`].
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the path is longer than
    /// 107 bytes or contains a NUL byte.
    ///
    /// # Examples
    ///
    /// ```
    /// use runix::SocketAddr;
    /// use std::path::Path;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let address = SocketAddr::from_pathname("/tmp/sock")?;
    /// assert_eq!(address.as_pathname(), Some(Path::new("/tmp/sock")));
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_pathname<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        let path = path.as_ref();
        let bytes = path.as_os_str().as_bytes();

        if bytes.contains(&0) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the path contains a NUL byte",
            ));
        }
        check_length(bytes)?;
        let name = if bytes.is_empty() {
            Name::Unnamed
        } else {
            Name::Pathname(path.to_owned())
        };
        Ok(Self { name })
    }

    /// Makes an abstract address: one that lives in the network namespace
    /// rather than in the file system. Any bytes will do.
    ///
    /// Mirrors `from_abstract_name` of
    /// [`SocketAddrExt`](std::os::linux::net::SocketAddrExt).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the name is longer than
    /// 107 bytes.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use runix::{RunixListener, SocketAddr};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let address = SocketAddr::from_abstract_name("greeting")?;
    /// let listener = RunixListener::bind_addr(&address)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_abstract_name<N: AsRef<[u8]>>(name: N) -> io::Result<Self> {
        let name = name.as_ref();

        check_length(name)?;
        Ok(Self {
            name: Name::Abstract(name.to_vec()),
        })
    }

    /// Tells whether the address has no name, as that of a socket that was
    /// never bound.
    pub fn is_unnamed(&self) -> bool {
        matches!(self.name, Name::Unnamed)
    }

    /// Returns the path, if it is the address of a socket in the file system.
    pub fn as_pathname(&self) -> Option<&Path> {
        match &self.name {
            Name::Pathname(path) => Some(path),
            _ => None,
        }
    }

    /// Returns the name without its leading NUL byte, if the address is
    /// abstract.
    ///
    /// Mirrors `as_abstract_name` of
    /// [`SocketAddrExt`](std::os::linux::net::SocketAddrExt).
    pub fn as_abstract_name(&self) -> Option<&[u8]> {
        match &self.name {
            Name::Abstract(name) => Some(name),
            _ => None,
        }
    }

    pub(crate) const fn unnamed() -> Self {
        Self {
            name: Name::Unnamed,
        }
    }

    /// The bytes that follow the family number in the kernel's address.
    ///
    /// A pathname that came from the kernel may fill all of them, without a
    /// NUL byte behind it.
    pub(crate) fn encode(&self) -> ([u8; PATH_MAX], usize) {
        let mut path = [0; PATH_MAX];

        let len = match &self.name {
            Name::Unnamed => 0,
            Name::Pathname(name) => {
                let name = name.as_os_str().as_bytes();
                path[..name.len()].copy_from_slice(name);
                PATH_MAX.min(name.len() + 1)
            }
            Name::Abstract(name) => {
                path[1..=name.len()].copy_from_slice(name);
                name.len() + 1
            }
        };
        (path, len)
    }

    /// The reverse of [`encode`](Self::encode).
    pub(crate) fn decode(path: &[u8]) -> Self {
        let name = match path {
            [] => Name::Unnamed,
            [0, name @ ..] => Name::Abstract(name.to_vec()),
            path => {
                let end = path.iter().position(|byte| *byte == 0);
                let path = &path[..end.unwrap_or(path.len()).min(PATH_MAX)];
                Name::Pathname(OsStr::from_bytes(path).into())
            }
        };
        Self { name }
    }
}

fn check_length(name: &[u8]) -> io::Result<()> {
    if name.len() <= NAME_MAX {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        format!(
            "the name is {} bytes long and at most {NAME_MAX} fit",
            name.len()
        ),
    ))
}

impl FromStr for SocketAddr {
    type Err = io::Error;

    /// Reads `@name` as an abstract name and anything else as a path. A path
    /// that starts with `@` can be written as `./@path`.
    ///
    /// # Errors
    ///
    /// Those of [`from_abstract_name`](SocketAddr::from_abstract_name) and
    /// [`from_pathname`](SocketAddr::from_pathname).
    fn from_str(text: &str) -> io::Result<Self> {
        match text.strip_prefix('@') {
            Some(name) => Self::from_abstract_name(name),
            None => Self::from_pathname(text),
        }
    }
}

impl fmt::Display for SocketAddr {
    /// Writes the name as [`FromStr`] reads it, if it has one and can be
    /// printed. What can't is written like `\x1b`: peers choose names, and a
    /// terminal should not act upon them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Name::Unnamed => f.write_str("(unnamed)"),
            Name::Pathname(path) => {
                let path = path.as_os_str().as_bytes();
                if path.starts_with(b"@") {
                    f.write_str("./")?;
                }
                printed(path, f)
            }
            Name::Abstract(name) => {
                f.write_str("@")?;
                printed(name, f)
            }
        }
    }
}

/// Writes bytes, escaped where they can't be printed.
fn printed(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let escaped = |bytes: &[u8], f: &mut fmt::Formatter<'_>| {
        bytes.iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))
    };
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                // Those that turn the direction of writing are no control characters.
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
                _ if character.is_control() => {}
                _ => {
                    write!(f, "{character}")?;
                    continue;
                }
            }
            escaped(character.encode_utf8(&mut [0; 4]).as_bytes(), f)?;
        }
        escaped(chunk.invalid(), f)?;
    }
    Ok(())
}

impl fmt::Debug for SocketAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Name::Unnamed => f.write_str("(unnamed)"),
            Name::Pathname(path) => write!(f, "{path:?} (pathname)"),
            Name::Abstract(name) => write!(f, "\"{}\" (abstract)", name.escape_ascii()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(address: &SocketAddr) -> SocketAddr {
        let (path, len) = address.encode();
        SocketAddr::decode(&path[..len])
    }

    #[test]
    fn encoding_keeps_the_name() {
        assert!(round_trip(&SocketAddr::unnamed()).is_unnamed());

        for len in [1, 2, NAME_MAX] {
            let name = "x".repeat(len);
            let path = round_trip(&SocketAddr::from_pathname(&name).unwrap());
            assert_eq!(path.as_pathname(), Some(Path::new(&name)));
            let named = round_trip(&SocketAddr::from_abstract_name(&name).unwrap());
            assert_eq!(named.as_abstract_name(), Some(name.as_bytes()));
        }
        for name in [&b""[..], b"\0", b"a\0b\0", b"\xff"] {
            let named = round_trip(&SocketAddr::from_abstract_name(name).unwrap());
            assert_eq!(named.as_abstract_name(), Some(name));
        }
    }

    #[test]
    fn lengths() {
        let encoded = |text: &str| text.parse::<SocketAddr>().unwrap().encode().1;
        assert_eq!(encoded(""), 0);
        assert_eq!(encoded("@"), 1);
        assert_eq!(encoded("@ab"), 3);
        assert_eq!(encoded("ab"), 3);
        assert_eq!(encoded(&"x".repeat(NAME_MAX)), PATH_MAX);
        assert_eq!(encoded(&format!("@{}", "x".repeat(NAME_MAX))), PATH_MAX);
    }

    #[test]
    fn a_path_that_fills_the_address() {
        let full = SocketAddr::decode(&[b'x'; PATH_MAX]);
        assert_eq!(full.as_pathname().unwrap().as_os_str().len(), PATH_MAX);
        assert_eq!(full.encode(), ([b'x'; PATH_MAX], PATH_MAX));

        // The kernel returns the NUL byte as well, behind the 108th byte.
        let mut longer = [b'x'; PATH_MAX + 1];
        longer[PATH_MAX] = 0;
        let full = SocketAddr::decode(&longer);
        assert_eq!(full.encode(), ([b'x'; PATH_MAX], PATH_MAX));
    }
}
