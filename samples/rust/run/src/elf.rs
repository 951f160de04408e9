// SPDX-License-Identifier: MIT OR GPL-2.0

//! Whether a program can have a library preloaded.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

/// What stands in the way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Obstacle {
    /// It is linked statically: nobody looks at `LD_PRELOAD`.
    Static,
    /// It runs as another user or group, or with capabilities of its own: the
    /// loader takes no such library.
    Privileged,
    /// It is for another kind of processor, as a 32-bit one.
    Foreign,
    /// It is linked with another C library than the preloaded one.
    OtherLibrary,
}

impl Obstacle {
    /// The reason, as users are told.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Static => "it is linked statically",
            Self::Privileged => "it changes its user, group or capabilities",
            Self::Foreign => "it is for another kind of processor, or 32-bit",
            Self::OtherLibrary => "it is linked with musl",
        }
    }
}

const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const PT_INTERP: u32 = 3;
/// What a program for this processor says: EM_X86_64, EM_AARCH64. `None` where
/// nobody has looked it up.
const MACHINE: Option<u16> = if cfg!(target_arch = "x86_64") {
    Some(62)
} else if cfg!(target_arch = "aarch64") {
    Some(183)
} else {
    None
};

/// Looks for what stands in the way of preloading a library into a program.
///
/// What is no ELF file, as a script, is not looked into.
///
/// # Errors
///
/// Those of reading the file.
pub(crate) fn obstacle(program: &mut File) -> io::Result<Option<Obstacle>> {
    if program.metadata()?.mode() & (SETUID | SETGID) != 0 || gains_capabilities(program) {
        return Ok(Some(Obstacle::Privileged));
    }
    let mut start = [0; 64];
    match program.read_exact(&mut start) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    if start[..4] != *b"\x7fELF" {
        return Ok(None);
    }
    let order = if cfg!(target_endian = "little") { 1 } else { 2 };
    let machine = u16::from_ne_bytes([start[18], start[19]]);
    if start[4..6] != [2, order] || MACHINE.is_some_and(|ours| ours != machine) {
        return Ok(Some(Obstacle::Foreign));
    }
    Ok(match interpreter(program, &start)? {
        None => Some(Obstacle::Static),
        Some(path) if path.starts_with(b"/lib/ld-musl") => Some(Obstacle::OtherLibrary),
        Some(_) => None,
    })
}

/// Whether who runs it gets capabilities from the file. The superuser has them anyway.
fn gains_capabilities(program: &File) -> bool {
    // SAFETY: The name is a string of C. No value is asked for, only its length.
    unsafe {
        libc::geteuid() != 0
            && libc::fgetxattr(
                program.as_raw_fd(),
                c"security.capability".as_ptr(),
                std::ptr::null_mut(),
                0,
            ) > 0
    }
}

/// The start of the path of the loader that a program names, if it does; `start`
/// is the file's.
fn interpreter(program: &mut File, start: &[u8; 64]) -> io::Result<Option<[u8; 16]>> {
    let half = |at: usize| u16::from_ne_bytes([start[at], start[at + 1]]);
    let (mut at, size, count) = (word(start, 32), half(54), half(56));
    for _ in 0..count {
        let mut header = [0; 56];
        program.seek(SeekFrom::Start(at))?;
        program.read_exact(&mut header)?;
        if header[..4] == PT_INTERP.to_ne_bytes() {
            let mut path = [0; 16];
            program.seek(SeekFrom::Start(word(&header, 8)))?;
            program.read_exact(&mut path)?;
            return Ok(Some(path));
        }
        at = at.saturating_add(size.into());
    }
    Ok(None)
}

fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_ne_bytes(word)
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

    /// This program, and where its header that names the interpreter is.
    fn this_program() -> (Vec<u8>, usize) {
        let program = fs::read(env::current_exe().unwrap()).unwrap();
        let size = usize::from(u16::from_ne_bytes([program[54], program[55]]));
        let count = usize::from(u16::from_ne_bytes([program[56], program[57]]));
        let header = (0..count)
            .map(|header| word(&program, 32) as usize + header * size)
            .find(|at| program[*at..][..4] == PT_INTERP.to_ne_bytes());
        (program, header.unwrap())
    }

    #[test]
    fn a_static_program() {
        let (mut program, header) = this_program();
        program[header..][..4].copy_from_slice(&[0; 4]);
        let found = look("static", &program, 0o700).unwrap();
        assert_eq!(found, Some(Obstacle::Static));
    }

    #[test]
    fn another_library() {
        let (mut program, header) = this_program();
        let path = word(&program, header + 8) as usize;
        let other = b"/lib/ld-musl-x86_64.so.1\0";
        program[path..][..other.len()].copy_from_slice(other);
        let found = look("musl", &program, 0o700).unwrap();
        assert_eq!(found, Some(Obstacle::OtherLibrary));
    }

    #[test]
    fn another_processor() {
        // 32-bit, and EM_RISCV.
        for (at, value) in [(4, 1), (18, 243)] {
            let (mut program, _) = this_program();
            program[at] = value;
            let found = look("foreign", &program, 0o700).unwrap();
            assert_eq!(found, Some(Obstacle::Foreign));
        }
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
        start[18..20].copy_from_slice(&MACHINE.unwrap_or(0).to_ne_bytes());
        start[56] = 9;
        start[32] = 200;
        assert!(look("broken", &start, 0o700).is_err());
    }
}
