// SPDX-License-Identifier: MIT OR GPL-2.0

//! Whether a program can have a library preloaded.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;

/// What stands in the way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Obstacle {
    /// It is linked statically: nobody looks at `LD_PRELOAD`.
    Static,
    /// It runs as another user or group: the loader takes no such library.
    Privileged,
}

const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const PT_INTERP: u32 = 3;

/// Looks for what stands in the way of preloading a library into a program.
///
/// What is no 64-bit ELF file of this machine's byte order, as a script, is
/// not looked into: it is none.
///
/// # Errors
///
/// Those of reading the file.
pub(crate) fn obstacle(program: &mut File) -> io::Result<Option<Obstacle>> {
    if program.metadata()?.mode() & (SETUID | SETGID) != 0 {
        return Ok(Some(Obstacle::Privileged));
    }
    let mut start = [0; 64];
    match program.read_exact(&mut start) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let order = if cfg!(target_endian = "little") { 1 } else { 2 };
    if start[..6] != [0x7f, b'E', b'L', b'F', 2, order] {
        return Ok(None);
    }
    let half = |at: usize| u16::from_ne_bytes([start[at], start[at + 1]]);
    let mut offset = [0; 8];
    offset.copy_from_slice(&start[32..40]);
    let (mut at, size, count) = (u64::from_ne_bytes(offset), half(54), half(56));
    for _ in 0..count {
        let mut kind = [0; 4];
        program.seek(SeekFrom::Start(at))?;
        program.read_exact(&mut kind)?;
        if u32::from_ne_bytes(kind) == PT_INTERP {
            return Ok(None);
        }
        at = at.saturating_add(size.into());
    }
    Ok(Some(Obstacle::Static))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::process;

    fn look(name: &str, content: &[u8], mode: u32) -> io::Result<Option<Obstacle>> {
        let path = env::temp_dir().join(format!("runix-elf-{name}-{}", process::id()));
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let result = obstacle(&mut File::open(&path).unwrap());
        fs::remove_file(&path).unwrap();
        result
    }

    #[test]
    fn this_program_has_none() {
        let mut this = File::open(env::current_exe().unwrap()).unwrap();
        assert_eq!(obstacle(&mut this).unwrap(), None);
    }

    #[test]
    fn scripts_have_none() {
        assert_eq!(look("script", b"#!/bin/sh\n", 0o700).unwrap(), None);
    }

    #[test]
    fn a_static_program() {
        // This one, less the header that names the interpreter.
        let mut program = fs::read(env::current_exe().unwrap()).unwrap();
        let at = u64::from_ne_bytes(program[32..40].try_into().unwrap()) as usize;
        let size = usize::from(u16::from_ne_bytes([program[54], program[55]]));
        let count = usize::from(u16::from_ne_bytes([program[56], program[57]]));
        let mut changed = 0;
        for header in 0..count {
            let kind = &mut program[at + header * size..][..4];
            if kind == PT_INTERP.to_ne_bytes() {
                kind.copy_from_slice(&[0; 4]);
                changed += 1;
            }
        }
        assert_eq!(changed, 1);
        let found = look("static", &program, 0o700).unwrap();
        assert_eq!(found, Some(Obstacle::Static));
    }

    #[test]
    fn a_privileged_program() {
        let found = look("setgid", b"#!/bin/sh\n", 0o2700).unwrap();
        assert_eq!(found, Some(Obstacle::Privileged));
    }

    #[test]
    fn a_broken_file() {
        let mut start = [0; 64];
        start[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
        start[56] = 9;
        start[32] = 200;
        assert!(look("broken", &start, 0o700).is_err());
    }
}
