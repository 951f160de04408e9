// SPDX-License-Identifier: MIT OR GPL-2.0

//! What messages carry besides bytes: file descriptors, and who has sent them.
//!
//! Control messages are read and written byte by byte, as the kernel lays them
//! out, so that nothing here depends on how the buffer is aligned. The `unsafe`
//! is in taking over descriptors that the kernel has opened.

use std::fmt;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use crate::sys::UCred;

/// Bytes of a `struct cmsghdr`: its length, its level and its type.
const HEAD: usize = mem::size_of::<usize>() + 2 * mem::size_of::<i32>();
/// Bytes of a descriptor.
const NUMBER: usize = mem::size_of::<RawFd>();
/// Bytes of a `struct ucred`.
const CRED: usize = 3 * mem::size_of::<i32>();

const SCM_RIGHTS: i32 = 1;
const SCM_CREDENTIALS: i32 = 2;
const SCM_SECURITY: i32 = 3;
const SCM_PIDFD: i32 = 4;

/// Stands in the place of a descriptor that was taken out of a buffer; it is
/// neither one nor the negative number of an error.
const TAKEN: RawFd = RawFd::MIN;

/// Rounds a length up to where the next control message begins.
const fn aligned(len: usize) -> usize {
    len.next_multiple_of(mem::size_of::<usize>())
}

/// Returns how much of a buffer a control message takes, in bytes.
///
/// # Examples
///
/// ```
/// // Room for two descriptors and for credentials.
/// let room = runix::ancillary_space(2 * 4) + runix::ancillary_space(3 * 4);
/// let buffer = vec![0; room];
/// ```
pub const fn ancillary_space(payload: usize) -> usize {
    aligned(HEAD) + aligned(payload)
}

fn number(bytes: &[u8]) -> i32 {
    bytes.try_into().map_or(TAKEN, i32::from_ne_bytes)
}

/// Control messages: those to be sent, or those that were received.
///
/// Mirrors [`std::os::unix::net::SocketAncillary`], which is not stable yet. It
/// differs in one thing: received descriptors belong to this value until they
/// are taken out of it as [`OwnedFd`]s, and are closed with it. So nothing is
/// left open by a program that doesn't expect descriptors.
///
/// [`std::os::unix::net::SocketAncillary`]: https://doc.rust-lang.org/nightly/std/os/unix/net/struct.SocketAncillary.html
///
/// # Examples
///
/// ```no_run
/// use runix::{AncillaryData, RunixStream, SocketAncillary};
/// use std::fs::File;
/// use std::io::{IoSlice, IoSliceMut, Read};
/// use std::os::fd::AsFd;
///
/// # fn main() -> std::io::Result<()> {
/// let (here, there) = RunixStream::pair()?;
/// let hosts = File::open("/etc/hosts")?;
/// let mut buffer = [0; 64];
/// let mut ancillary = SocketAncillary::new(&mut buffer);
/// ancillary.add_fds(&[hosts.as_fd()]);
/// here.send_vectored_with_ancillary(&[IoSlice::new(b"!")], &mut ancillary)?;
///
/// let (mut buffer, mut byte) = ([0; 64], [0]);
/// let mut ancillary = SocketAncillary::new(&mut buffer);
/// there.recv_vectored_with_ancillary(&mut [IoSliceMut::new(&mut byte)], &mut ancillary)?;
/// for message in ancillary.messages() {
///     if let Ok(AncillaryData::ScmRights(descriptors)) = message {
///         for descriptor in descriptors {
///             let mut text = String::new();
///             File::from(descriptor?).read_to_string(&mut text)?;
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Invariants
///
/// While `received`, the first `used` bytes are control messages that the kernel
/// has written, in which each descriptor is open and belongs to this value, or
/// has been replaced by `TAKEN`.
pub struct SocketAncillary<'a> {
    buffer: &'a mut [u8],
    used: usize,
    received: bool,
    truncated: bool,
}

impl<'a> SocketAncillary<'a> {
    /// Makes an empty one, with room in a buffer. It may have any alignment;
    /// [`ancillary_space`] tells what a message takes.
    pub fn new(buffer: &'a mut [u8]) -> Self {
        // INVARIANT: Nothing was received.
        Self {
            buffer,
            used: 0,
            received: false,
            truncated: false,
        }
    }

    /// Returns the size of the buffer.
    pub fn capacity(&self) -> usize {
        self.buffer.len()
    }

    /// Returns how many bytes of the buffer are used.
    pub fn len(&self) -> usize {
        self.used
    }

    /// Tells whether there are no messages.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Tells whether the last receive has dropped messages, or parts, for which
    /// there was no room; see `MSG_CTRUNC` in recv(2). Descriptors that were
    /// dropped are closed.
    pub fn truncated(&self) -> bool {
        self.truncated
    }

    /// Adds descriptors, to be passed with the next message; see `SCM_RIGHTS`
    /// in unix(7). They stay open here, too. At most 253 go with a message.
    ///
    /// Returns `false` where the buffer has no room for them.
    pub fn add_fds(&mut self, fds: &[BorrowedFd<'a>]) -> bool {
        let numbers = fds.iter().flat_map(|fd| fd.as_raw_fd().to_ne_bytes());
        self.add(SCM_RIGHTS, fds.len() * NUMBER, numbers)
    }

    /// Adds credentials, in place of those that the kernel would tell; see
    /// `SCM_CREDENTIALS` in unix(7). No process stands for this one.
    ///
    /// Returns `false` where the buffer has no room for them.
    ///
    /// Sending fails with [`PermissionDenied`](io::ErrorKind::PermissionDenied)
    /// unless the process is this one, and user and group are its own in one of
    /// the three ways, or the program is privileged.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use runix::{RunixStream, SocketAncillary, UCred};
    /// use std::io::IoSlice;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let stream = RunixStream::connect("/tmp/echo.sock")?;
    /// let mut buffer = [0; 64];
    /// let mut ancillary = SocketAncillary::new(&mut buffer);
    /// ancillary.add_creds(&UCred { pid: None, uid: 1000, gid: 1000 });
    /// stream.send_vectored_with_ancillary(&[IoSlice::new(b"!")], &mut ancillary)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_creds(&mut self, cred: &UCred) -> bool {
        let pid = match cred.pid {
            Some(pid) => pid.to_ne_bytes(),
            None => std::process::id().to_ne_bytes(),
        };
        let parts = [pid, cred.uid.to_ne_bytes(), cred.gid.to_ne_bytes()];
        self.add(SCM_CREDENTIALS, CRED, parts.into_iter().flatten())
    }

    /// Drops all messages; descriptors that were received and not taken are
    /// closed.
    pub fn clear(&mut self) {
        for message in self.messages().flatten() {
            // Other messages close what they hold when they are dropped.
            if let AncillaryData::ScmRights(descriptors) = message {
                descriptors.for_each(drop);
            }
        }
        // INVARIANT: There are no descriptors left.
        self.received = false;
        self.used = 0;
        self.truncated = false;
    }

    /// Returns the received messages. Descriptors that are taken out of one are
    /// gone from it; those that are left stay until [`clear`](Self::clear), the
    /// next receive, or the end of this value.
    pub fn messages(&mut self) -> Messages<'_> {
        let rest = match self.received {
            true => self.buffer.get_mut(..self.used).unwrap_or_default(),
            false => &mut [],
        };
        Messages { rest }
    }

    fn add(&mut self, kind: i32, len: usize, payload: impl Iterator<Item = u8>) -> bool {
        if self.received {
            self.clear();
        }
        let start = aligned(self.used);
        let whole = HEAD.next_multiple_of(mem::size_of::<usize>()) + len;
        let Some(room) = self.buffer.get_mut(start..start + whole) else {
            return false;
        };
        let head = whole
            .to_ne_bytes()
            .into_iter()
            .chain(libc::SOL_SOCKET.to_ne_bytes())
            .chain(kind.to_ne_bytes());
        for (to, from) in room.iter_mut().zip(head.chain(payload)) {
            *to = from;
        }
        self.used = start + whole;
        true
    }

    /// The messages to be sent.
    pub(crate) fn to_send(&self) -> &[u8] {
        match self.received {
            // They are others' descriptors, under numbers of ours.
            true => &[],
            false => &self.buffer[..self.used],
        }
    }

    /// Empties the buffer, for a receive to fill it.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        self.clear();
        self.buffer
    }

    /// Takes over what a receive has filled in.
    ///
    /// # Safety
    ///
    /// The kernel has written `used` bytes of control messages into what
    /// [`room`](Self::room) returned, and nobody has taken the descriptors that
    /// it has opened for them.
    pub(crate) unsafe fn filled(&mut self, used: usize, truncated: bool) {
        // INVARIANT: By the function's safety requirements.
        self.received = true;
        self.used = used.min(self.buffer.len());
        self.truncated = truncated;
    }
}

impl Drop for SocketAncillary<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for SocketAncillary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketAncillary")
            .field("capacity", &self.capacity())
            .field("len", &self.len())
            .field("truncated", &self.truncated)
            .finish()
    }
}

/// A received control message.
#[derive(Debug)]
#[non_exhaustive]
pub enum AncillaryData<'a> {
    /// Descriptors that came with the message; see `SCM_RIGHTS` in unix(7).
    ScmRights(ScmRights<'a>),
    /// Who has sent it; see `SCM_CREDENTIALS` in unix(7), and `set_passcred`.
    ///
    /// The process is `None` if it has no number here, being in another PID
    /// namespace; who isn't known has that, and the numbers 65534.
    ScmCredentials(UCred),
    /// A descriptor of the process that has sent it, which may be gone; see
    /// pidfd_open(2), and `set_passpidfd`. An error, as of too many open files,
    /// stands in for it.
    ScmPidfd(io::Result<OwnedFd>),
    /// The sender's label, without the zero byte at its end; see `set_passsec`.
    ScmSecurity(&'a [u8]),
}

/// A control message that has no type here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AncillaryError {
    /// The level and type are unknown.
    Unknown {
        /// The level, as `SOL_SOCKET`.
        cmsg_level: i32,
        /// The type.
        cmsg_type: i32,
    },
}

impl fmt::Display for AncillaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Unknown {
            cmsg_level,
            cmsg_type,
        } = self;
        write!(
            f,
            "unknown control message of level {cmsg_level} and type {cmsg_type}"
        )
    }
}

impl std::error::Error for AncillaryError {}

/// An iterator over received control messages; made by
/// [`SocketAncillary::messages`].
///
/// # Invariants
///
/// `rest` is whole control messages of a [`SocketAncillary`] that has received
/// them, as its invariants say.
#[derive(Debug)]
pub struct Messages<'a> {
    rest: &'a mut [u8],
}

impl<'a> Messages<'a> {
    /// Splits the next message off: its level, its type and its payload.
    fn split(&mut self) -> Option<(i32, i32, &'a mut [u8])> {
        let rest = mem::take(&mut self.rest);
        let (len, others) = rest.split_first_chunk()?;
        let len = usize::from_ne_bytes(*len);
        let (level, others) = others.split_first_chunk()?;
        let kind = others.first_chunk()?;
        let (level, kind) = (i32::from_ne_bytes(*level), i32::from_ne_bytes(*kind));
        // What doesn't fit was cut, and the length says so.
        if len < aligned(HEAD) || len > rest.len() {
            return None;
        }
        let next = aligned(len).min(rest.len());
        let (message, rest) = rest.split_at_mut(next);
        // INVARIANT: What is left begins with the next message.
        self.rest = rest;
        Some((level, kind, message.get_mut(aligned(HEAD)..len)?))
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<AncillaryData<'a>, AncillaryError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (level, kind, payload) = self.split()?;
            let data = match (level, kind, payload.len()) {
                (libc::SOL_SOCKET, SCM_RIGHTS, _) => {
                    // INVARIANT: The kernel has filled them in.
                    AncillaryData::ScmRights(ScmRights { rest: payload })
                }
                (libc::SOL_SOCKET, SCM_PIDFD, NUMBER) => {
                    // SAFETY: By the type invariants.
                    match unsafe { take(payload) } {
                        Some(descriptor) => AncillaryData::ScmPidfd(descriptor),
                        None => continue,
                    }
                }
                (libc::SOL_SOCKET, SCM_CREDENTIALS, CRED) => {
                    let (pid, ids) = payload.split_at(NUMBER);
                    let (uid, gid) = ids.split_at(NUMBER);
                    let pid = number(pid);
                    AncillaryData::ScmCredentials(UCred {
                        pid: (pid != 0).then_some(pid),
                        uid: number(uid) as u32,
                        gid: number(gid) as u32,
                    })
                }
                (libc::SOL_SOCKET, SCM_SECURITY, _) => {
                    let label = &*payload;
                    AncillaryData::ScmSecurity(label.strip_suffix(&[0]).unwrap_or(label))
                }
                (cmsg_level, cmsg_type, _) => {
                    return Some(Err(AncillaryError::Unknown {
                        cmsg_level,
                        cmsg_type,
                    }))
                }
            };
            return Some(Ok(data));
        }
    }
}

/// Takes a descriptor, or the error that stands in for one, out of a buffer;
/// `None` if it was taken before.
///
/// # Safety
///
/// The first bytes are a number that the kernel has filled in for a descriptor
/// that belongs to the buffer, or what this function has replaced it by.
unsafe fn take(bytes: &mut [u8]) -> Option<io::Result<OwnedFd>> {
    let place = bytes.get_mut(..NUMBER)?;
    let number = number(place);
    place.copy_from_slice(&TAKEN.to_ne_bytes());
    match number {
        TAKEN => None,
        // SAFETY: By the function's safety requirements, it is open, and nobody else's.
        0.. => Some(Ok(unsafe { OwnedFd::from_raw_fd(number) })),
        _ => Some(Err(io::Error::from_raw_os_error(number.wrapping_neg()))),
    }
}

/// An iterator over received descriptors, each of which is handed out once.
///
/// An error stands in for a descriptor that a security module withholds, where
/// the socket asks for that (`set_rights_notrunc`).
///
/// # Invariants
///
/// `rest` is what the kernel has filled in, as the invariants of
/// [`SocketAncillary`] say.
pub struct ScmRights<'a> {
    rest: &'a mut [u8],
}

impl Iterator for ScmRights<'_> {
    type Item = io::Result<OwnedFd>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.rest.len() >= NUMBER {
            let (place, rest) = mem::take(&mut self.rest).split_at_mut(NUMBER);
            self.rest = rest;
            // SAFETY: By the type invariants.
            if let Some(descriptor) = unsafe { take(place) } {
                return Some(descriptor);
            }
        }
        None
    }
}

impl fmt::Debug for ScmRights<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = self.rest.chunks_exact(NUMBER).map(number);
        f.debug_list()
            .entries(numbers.filter(|number| *number != TAKEN))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn room() {
        let (zero, mut buffer) = (std::io::stdin(), [0; 64]);
        let fd = zero.as_fd();
        let mut ancillary = SocketAncillary::new(&mut buffer);
        assert!(ancillary.is_empty());
        assert!(ancillary.add_fds(&[fd, fd]));
        assert_eq!(ancillary.len(), 24);
        assert!(!ancillary.add_fds(&[fd; 7]));
        assert!(ancillary.add_creds(&UCred {
            pid: None,
            uid: 1,
            gid: 2
        }));
        assert_eq!(ancillary.len(), 24 + 28);
        assert!(!ancillary.add_fds(&[]));
        // What is to be sent belongs to others.
        assert!(ancillary.messages().next().is_none());
        ancillary.clear();
        assert!(ancillary.is_empty());
        assert_eq!(ancillary_space(0), 16);
        assert_eq!(ancillary_space(12), 32);
    }

    /// Messages as the kernel writes them, with numbers that are no descriptors.
    #[test]
    fn messages() {
        let message = |level: i32, kind: i32, payload: &[u8]| {
            let mut bytes = (HEAD + payload.len()).to_ne_bytes().to_vec();
            bytes.extend(level.to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(payload);
            bytes.resize(aligned(bytes.len()), 0xff);
            bytes
        };
        let mut buffer = message(1, SCM_CREDENTIALS, &[1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
        buffer.extend(message(1, SCM_SECURITY, b"label\0"));
        buffer.extend(message(1, SCM_RIGHTS, &(-13i32).to_ne_bytes()));
        buffer.extend(message(1, SCM_PIDFD, &(-24i32).to_ne_bytes()));
        buffer.extend(message(41, 7, b"x"));
        let used = buffer.len();
        buffer.extend([0; 8]);

        let mut ancillary = SocketAncillary::new(&mut buffer);
        // SAFETY: There are no descriptors in it.
        unsafe { ancillary.filled(used, false) };
        let mut messages = ancillary.messages();
        let expected = UCred {
            pid: Some(1),
            uid: 2,
            gid: 3,
        };
        assert!(matches!(
            messages.next(),
            Some(Ok(AncillaryData::ScmCredentials(cred))) if cred == expected
        ));
        assert!(matches!(
            messages.next(),
            Some(Ok(AncillaryData::ScmSecurity(b"label")))
        ));
        let Some(Ok(AncillaryData::ScmRights(mut rights))) = messages.next() else {
            panic!("no rights");
        };
        let error = rights.next().unwrap().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(13));
        assert!(rights.next().is_none());
        let Some(Ok(AncillaryData::ScmPidfd(Err(error)))) = messages.next() else {
            panic!("no pidfd");
        };
        assert_eq!(error.raw_os_error(), Some(24));
        assert_eq!(
            messages.next().unwrap().unwrap_err(),
            AncillaryError::Unknown {
                cmsg_level: 41,
                cmsg_type: 7
            }
        );
        assert!(messages.next().is_none());
        // Taken is taken; what is no descriptor stays.
        let left = ancillary.messages().filter(|message| match message {
            Ok(AncillaryData::ScmRights(rights)) => format!("{rights:?}") != "[]",
            Ok(AncillaryData::ScmPidfd(_)) => true,
            _ => false,
        });
        assert_eq!(left.count(), 0);
    }

    /// Nonsense ends the list, and is not read beyond its end.
    #[test]
    fn cut() {
        for len in [0, 3, 15, 17, 1000, usize::MAX] {
            let mut buffer = [0; 24];
            buffer[..8].copy_from_slice(&len.to_ne_bytes());
            for used in 0..24 {
                let mut ancillary = SocketAncillary::new(&mut buffer);
                // SAFETY: There are no descriptors in it.
                unsafe { ancillary.filled(used, false) };
                assert!(ancillary.messages().count() <= usize::from(len == 17));
            }
        }
    }
}
