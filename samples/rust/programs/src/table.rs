// SPDX-License-Identifier: MIT OR GPL-2.0

//! The kernel's table of sockets.

use std::io::{self, Write};
use std::str;

/// A bit of the column Flags.
const FLAG_LISTENING: u64 = 0x10000;

/// A line of `/proc/net/runix`, which has the format of `/proc/net/unix`:
///
/// ```text
/// Num: RefCount Protocol Flags Type St Inode [Path]
/// ```
///
/// Its numbers are hexadecimal but for the inode.
#[derive(Debug, PartialEq)]
pub struct Row<'a> {
    references: u64,
    flags: u64,
    pub(crate) socket_type: u64,
    pub(crate) state: u64,
    pub(crate) inode: u64,
    pub(crate) path: &'a [u8],
}

impl<'a> Row<'a> {
    /// Takes a line apart; `None` if it isn't one of the table.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let mut rest = &line[colon + 1..];

        let references = number(&mut rest, 16)?;
        let _protocol = number(&mut rest, 16)?;
        let flags = number(&mut rest, 16)?;
        let socket_type = number(&mut rest, 16)?;
        let state = number(&mut rest, 16)?;
        let inode = number(&mut rest, 10)?;
        let path = match rest {
            [] => rest,
            [b' ', path @ ..] => path,
            _ => return None,
        };
        Some(Self {
            references,
            flags,
            socket_type,
            state,
            inode,
            path,
        })
    }

    /// Prints it as `netstat -a` does.
    pub fn print(&self, proto: &str, output: &mut impl Write) -> io::Result<()> {
        let flags = if self.is_listening() {
            "[ ACC ]"
        } else {
            "[ ]"
        };
        write!(
            output,
            "{proto:<5} {:<6} {flags:<11} {:<10} {:<13} {:<8} ",
            self.references,
            self.type_name(),
            self.state_name(),
            self.inode
        )?;
        print_name(self.path, output)?;
        output.write_all(b"\n")
    }

    pub(crate) fn is_listening(&self) -> bool {
        self.flags & FLAG_LISTENING != 0
    }

    /// The types are those of `socket(2)`.
    fn type_name(&self) -> &'static str {
        match self.socket_type {
            1 => "STREAM",
            2 => "DGRAM",
            5 => "SEQPACKET",
            _ => "UNKNOWN",
        }
    }

    /// The states are those of `enum socket_state` in `<linux/net.h>`.
    fn state_name(&self) -> &'static str {
        match self.state {
            0 => "FREE",
            1 if self.is_listening() => "LISTENING",
            1 => "",
            2 => "CONNECTING",
            3 => "CONNECTED",
            4 => "DISCONNECTING",
            _ => "UNKNOWN",
        }
    }
}

/// A name may hold anything; a terminal should not act upon it. In UTF-8, the
/// control characters beyond ASCII are 0xc2 and a byte from 0x80 to 0x9f.
fn print_name(name: &[u8], output: &mut impl Write) -> io::Result<()> {
    let mut rest = name;
    while let [byte, behind @ ..] = rest {
        rest = behind;
        let shown = match (byte, behind) {
            (0xc2, [0x80..=0x9f, behind @ ..]) => {
                rest = behind;
                b'?'
            }
            _ if byte.is_ascii_control() => b'?',
            _ => *byte,
        };
        output.write_all(&[shown])?;
    }
    Ok(())
}

/// Takes a number and the spaces before it off the front.
fn number(rest: &mut &[u8], radix: u32) -> Option<u64> {
    let text = rest.trim_ascii_start();
    let end = text.iter().position(|byte| *byte == b' ');
    let (digits, behind) = text.split_at(end.unwrap_or(text.len()));

    *rest = behind;
    u64::from_str_radix(str::from_utf8(digits).ok()?, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(line: &str) -> String {
        let mut output = Vec::new();
        Row::parse(line.as_bytes())
            .unwrap()
            .print("runix", &mut output)
            .unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn as_netstat_prints_them() {
        assert_eq!(
            printed("00000000aa: 00000002 00000000 00010000 0001 01    77 /tmp/a b "),
            "runix 2      [ ACC ]     STREAM     LISTENING     77       /tmp/a b \n"
        );
        assert_eq!(
            printed("00000000aa: 00000003 00000000 00000000 0001 03 123456"),
            "runix 3      [ ]         STREAM     CONNECTED     123456   \n"
        );
        assert_eq!(
            printed("0: 00000010 00000000 00000000 0005 01 5 @a\x1bb"),
            "runix 16     [ ]         SEQPACKET                5        @a?b\n"
        );
        assert_eq!(
            printed("0: 00000010 00000000 00000000 0005 01 5 @\u{9b}2J\u{df}\u{7f}"),
            "runix 16     [ ]         SEQPACKET                5        @?2J\u{df}?\n"
        );
    }

    #[test]
    fn lines_that_are_none() {
        for line in [
            "",
            "part of a name",
            "0: 1 2 3",
            "0: 1 0 0 0001 01 x",
            "0: 1 0 0 0001 01 5x",
            "Num       RefCount Protocol Flags    Type St Inode Path",
        ] {
            assert_eq!(Row::parse(line.as_bytes()), None, "{line}");
        }
    }
}
