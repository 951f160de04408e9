// SPDX-License-Identifier: MIT OR GPL-2.0

//! The number of the address family.

use std::env;
use std::fs;
use std::io;
use std::sync::OnceLock;

/// The default number of the address family, as in `runix.h`.
pub const AF_RUNIX: u16 = 18;

/// The option level of the family for `setsockopt` and `getsockopt`, as in
/// `runix.h`.
pub const SOL_RUNIX: i32 = 21077;

/// Where a loaded module tells its number.
const PARAMETER: &str = "/sys/module/runix/parameters/family";

/// Overrides the number; with 1 everything here works on AF_UNIX.
const VARIABLE: &str = "RUNIX_FAMILY";

/// Returns the number of the address family that this program uses.
///
/// It is found out once: the environment variable `RUNIX_FAMILY` if it is set,
/// else what the loaded module says in `/sys/module/runix/parameters/family`,
/// else [`AF_RUNIX`], which may make the kernel load the module.
///
/// # Errors
///
/// [`InvalidInput`](io::ErrorKind::InvalidInput) if `RUNIX_FAMILY` is set to
/// something else than a number from 1 to 65535.
///
/// # Examples
///
/// ```no_run
/// # fn main() -> std::io::Result<()> {
/// println!("AF_RUNIX is {}", runix::family()?);
/// # Ok(())
/// # }
/// ```
pub fn family() -> io::Result<u16> {
    static FAMILY: OnceLock<Result<u16, String>> = OnceLock::new();

    FAMILY
        .get_or_init(find)
        .clone()
        .map_err(|message| io::Error::new(io::ErrorKind::InvalidInput, message))
}

fn find() -> Result<u16, String> {
    if let Some(chosen) = env::var_os(VARIABLE) {
        let chosen = chosen.to_string_lossy();
        return parse(&chosen).ok_or_else(|| {
            format!("{VARIABLE} is '{chosen}': give the number of an address family, or unset it")
        });
    }
    let told = fs::read_to_string(PARAMETER).ok();
    Ok(told
        .and_then(|line| parse(line.trim_end()))
        .unwrap_or(AF_RUNIX))
}

fn parse(text: &str) -> Option<u16> {
    text.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn numbers() {
        assert_eq!(parse("18"), Some(18));
        assert_eq!(parse("0"), None);
        assert_eq!(parse("-1"), None);
        assert_eq!(parse("65536"), None);
        assert_eq!(parse("18 "), None);
        assert_eq!(parse(""), None);
    }

    /// The header is the source of these numbers.
    #[test]
    fn same_numbers_as_the_header() {
        let Some(header) = Header::read() else { return };
        let value = |name| header.value(name);
        assert_eq!(value("AF_RUNIX"), Some(AF_RUNIX.into()));
        assert_eq!(value("SOL_RUNIX"), Some(SOL_RUNIX));
        assert_eq!(
            value("RUNIX_PATH_MAX"),
            Some(crate::addr::PATH_MAX.try_into().unwrap())
        );
    }
}
