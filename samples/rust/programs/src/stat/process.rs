// SPDX-License-Identifier: MIT OR GPL-2.0

//! Who has which socket open, found by looking through `/proc`.
//!
//! Processes of others are closed to all but the superuser, and are passed
//! over.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::name::Escaped;

/// A process that has a socket open.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// The process's number.
    pub pid: u32,
    /// Its name.
    pub process: Vec<u8>,
    /// Its descriptors of the socket.
    pub fds: Vec<u32>,
}

impl User {
    /// The process's name, in a form that can be shown.
    pub fn name(&self) -> impl fmt::Display + '_ {
        Escaped(&self.process)
    }
}

/// Shows a user as `name/pid/fd,fd`.
impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/", self.name(), self.pid)?;
        for (i, fd) in self.fds.iter().enumerate() {
            write!(f, "{}{fd}", if i > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

/// Finds the users of all sockets, by inode and in order.
pub(super) fn users() -> HashMap<u64, Vec<User>> {
    let mut users: HashMap<u64, Vec<User>> = HashMap::new();
    for pid in numbers(Path::new("/proc")) {
        let process = format!("/proc/{pid}");
        let mut sockets: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for fd in numbers(Path::new(&format!("{process}/fd"))) {
            let target = fs::read_link(format!("{process}/fd/{fd}"));
            if let Some(inode) = target.ok().and_then(|path| inode(path.as_os_str())) {
                sockets.entry(inode).or_default().push(fd);
            }
        }
        if sockets.is_empty() {
            continue;
        }
        // It may have ended meanwhile.
        let Ok(short) = fs::read(format!("{process}/comm")) else {
            continue;
        };
        let arguments = fs::read(format!("{process}/cmdline")).unwrap_or_default();
        let name = name(&short, &arguments);
        for (inode, fds) in sockets {
            users.entry(inode).or_default().push(User {
                pid,
                process: name.to_vec(),
                fds,
            });
        }
    }
    users
}

/// As many bytes of a process's name the kernel keeps.
const SHORT_NAME: usize = 15;

/// The name of a process: the one that the kernel keeps, or what it is short
/// for, by the first argument.
fn name<'a>(short: &'a [u8], arguments: &'a [u8]) -> &'a [u8] {
    let short = short.strip_suffix(b"\n").unwrap_or(short);
    let first = arguments.split(|byte| *byte == 0).next();
    let file = first.and_then(|first| first.rsplit(|byte| *byte == b'/').next());
    match file {
        Some(file) if short.len() == SHORT_NAME && file.starts_with(short) => file,
        _ => short,
    }
}

/// The entries of a directory whose names are numbers, smallest first.
fn numbers(directory: &Path) -> Vec<u32> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut numbers: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers
}

/// The inode in what a descriptor's link leads to, if it is a socket.
fn inode(target: &OsStr) -> Option<u64> {
    let number = target.as_bytes().strip_prefix(b"socket:[")?;
    let number = number.strip_suffix(b"]")?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn links() {
        let of = |text: &str| inode(OsStr::new(text));
        assert_eq!(of("socket:[4711]"), Some(4711));
        assert_eq!(of("pipe:[4711]"), None);
        assert_eq!(of("socket:[4711] (deleted)"), None);
        assert_eq!(of("socket:[]"), None);
    }

    #[test]
    fn names() {
        assert_eq!(name(b"sh\n", b"/bin/sh\0-c\0true\0"), b"sh");
        assert_eq!(
            name(b"a-long-program-\n", b"/bin/a-long-program-name\0-x\0"),
            b"a-long-program-name"
        );
        assert_eq!(
            name(b"a-long-program-\n", b"a-long-program-\0"),
            b"a-long-program-"
        );
        assert_eq!(name(b"a-long-program-\n", b"another\0"), b"a-long-program-");
        assert_eq!(name(b"a-long-program-\n", b""), b"a-long-program-");
        // A login shell, and one that has named itself.
        assert_eq!(name(b"bash\n", b"-bash\0"), b"bash");
        assert_eq!(name(b"worker\n", b"/bin/server\0"), b"worker");
    }

    #[test]
    fn this_process() {
        let (a, _b) = UnixStream::pair().unwrap();
        let again = a.try_clone().unwrap();
        let link = fs::read_link(format!("/proc/self/fd/{}", a.as_raw_fd())).unwrap();
        let inode = inode(link.as_os_str()).unwrap();
        let users = users();
        let user = users[&inode]
            .iter()
            .find(|user| user.pid == std::process::id());
        let mut fds = [a.as_raw_fd() as u32, again.as_raw_fd() as u32];
        fds.sort_unstable();
        assert_eq!(user.unwrap().fds, fds);
    }

    #[test]
    fn shown() {
        let user = User {
            pid: 12,
            process: b"a\x1bb".to_vec(),
            fds: vec![3, 5],
        };
        assert_eq!(user.to_string(), "a\\x1bb/12/3,5");
    }
}
