// SPDX-License-Identifier: GPL-2.0

//! Ancillary data: descriptors and credentials that go with bytes.
//!
//! C header: [`include/net/scm.h`](srctree/include/net/scm.h)

use super::charge::Origin;
use super::family::Family;
use super::foreign::UnixSock;
use super::live::Live;
use super::msg::{
    ReceiveMsg,
    SendMsg, //
};
use super::sock::Sock;
use crate::bindings;
use core::{
    mem::ManuallyDrop,
    ptr,
    ptr::NonNull, //
};
use kernel::{
    bindings as kb,
    error::to_result,
    prelude::*,
    sync::aref::ARef, //
};

/// Files on their way from one process to another.
///
/// # Invariants
///
/// Owns a `struct scm_fp_list` with a reference to each file in it, and to the
/// user who sent them.
pub(crate) struct Files(NonNull<kb::scm_fp_list>);

// SAFETY: References to files may be given back by any task.
unsafe impl Send for Files {}
// SAFETY: A shared reference only reads, or takes more references.
unsafe impl Sync for Files {}

impl Files {
    /// Returns the number of files, at most 253.
    pub(crate) fn count(&self) -> usize {
        // SAFETY: By the type invariants.
        usize::try_from(unsafe { (*self.0.as_ptr()).count }).unwrap_or(0)
    }

    /// Tells whether AF_UNIX sockets are among the files.
    pub(crate) fn has_unix_sockets(&self) -> bool {
        // SAFETY: By the type invariants.
        unsafe { (*self.0.as_ptr()).count_unix > 0 }
    }

    /// Returns a number that tells the user who sent the files from all others who
    /// have sent some that are still there.
    pub(crate) fn user(&self) -> usize {
        // SAFETY: By the type invariants.
        unsafe { (*self.0.as_ptr()).user }.addr()
    }

    /// Tells whether the sending user has more descriptors in flight, with `own` that
    /// the caller counts, beside those of AF_UNIX, than `RLIMIT_NOFILE` of the calling
    /// task. Any context.
    pub(crate) fn over_limit(&self, own: usize) -> bool {
        // SAFETY: By the type invariants.
        unsafe { bindings::scm_over_limit(self.0.as_ptr(), own as c_ulong) }
    }

    /// Tells whether those are too many: the calling task isn't privileged.
    pub(crate) fn too_many(&self, own: usize) -> bool {
        // SAFETY: By the type invariants.
        unsafe { bindings::scm_too_many(self.0.as_ptr(), own as c_ulong) }
    }

    /// Takes a reference to each file once more.
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(crate) fn duplicate(&self) -> Result<Self> {
        // SAFETY: By the type invariants; the function only reads the list.
        let raw = unsafe { kb::scm_fp_dup(self.0.as_ptr()) };
        // INVARIANT: The function returns a list of its own.
        NonNull::new(raw).map(Self).ok_or(ENOMEM)
    }

    /// Returns the sockets of family `F` among the files, one after another.
    pub(crate) fn sockets<F: Family>(&self) -> impl Iterator<Item = ARef<Sock<F>>> + '_ {
        // SAFETY: By the type invariants.
        let any = unsafe { bindings::scm_any_socket(self.0.as_ptr()) };
        let count = if any { self.count() } else { 0 };
        (0..count).filter_map(move |index| {
            // SAFETY: The index is in the list, which has a reference to the file; a file that is
            // a socket of the family keeps its `sock` while it is referenced.
            unsafe {
                let number = c_int::from(F::desc().number());
                let sk = bindings::scm_socket(self.0.as_ptr(), index as c_int, number);
                NonNull::new(sk).map(|sk| ARef::from_raw(sk.cast()))
            }
        })
    }

    /// Returns the sockets of AF_UNIX among the files, one after another.
    pub(crate) fn unix_sockets(&self) -> impl Iterator<Item = UnixSock> + '_ {
        (0..self.count()).filter_map(move |index| {
            // SAFETY: The index is in the list, which has a reference to the file.
            unsafe { UnixSock::in_list(self.0.as_ptr(), index as c_int) }
        })
    }

    fn into_raw(self) -> *mut kb::scm_fp_list {
        ManuallyDrop::new(self).0.as_ptr()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, all of it is ours to give back. The files are closed
        // later, where no lock is held.
        unsafe { bindings::scm_files_put(self.0.as_ptr()) };
    }
}

/// Who has sent something: a process and its user and group.
///
/// # Invariants
///
/// Owns a reference to the `struct pid`, which may be null.
pub(crate) struct Sender {
    pid: *mut kb::pid,
    uid: kb::kuid_t,
    gid: kb::kgid_t,
}

// SAFETY: References to a `struct pid` may be used and given back by any task.
unsafe impl Send for Sender {}
// SAFETY: As above.
unsafe impl Sync for Sender {}

/// Tells senders apart, as long as one is remembered.
///
/// That of a [`Sender`] is no other's while the `Sender` is there, which has a reference to
/// the `struct pid`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SenderId {
    pid: usize,
    uid: u32,
    gid: u32,
}

impl SenderId {
    /// Returns that of the calling process. Any context of a task.
    pub(crate) fn current() -> Self {
        let mut uid = kb::kuid_t { val: 0 };
        let mut gid = kb::kgid_t { val: 0 };
        // SAFETY: Both may be written.
        let pid = unsafe { bindings::scm_current_id(&raw mut uid, &raw mut gid) };
        Self {
            pid: pid.addr(),
            uid: uid.val,
            gid: gid.val,
        }
    }
}

impl Sender {
    /// Returns what tells it from all others.
    pub(crate) fn id(&self) -> SenderId {
        SenderId {
            pid: self.pid.addr(),
            uid: self.uid.val,
            gid: self.gid.val,
        }
    }

    /// Returns the calling process, which is remembered when it is gone (see
    /// [`super::PidfdSource`]).
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(crate) fn current() -> Result<Self> {
        let mut this = Self::nobody();
        // SAFETY: All three may be written.
        // INVARIANT: The function takes the reference, or stores nothing if it fails.
        to_result(unsafe {
            bindings::scm_current(&raw mut this.pid, &raw mut this.uid, &raw mut this.gid)
        })?;
        Ok(this)
    }

    /// Returns what AF_UNIX tells where nothing was received: no process, and
    /// zero for user and group.
    pub(crate) fn nobody() -> Self {
        // INVARIANT: There is no pid.
        Self {
            pid: ptr::null_mut(),
            uid: kb::kuid_t { val: 0 },
            gid: kb::kgid_t { val: 0 },
        }
    }

    /// Returns another reference to the same.
    pub(crate) fn duplicate(&self) -> Self {
        // INVARIANT: The function takes the reference.
        Self {
            // SAFETY: By the type invariants; null is taken for nothing.
            pid: unsafe { bindings::pid_hold(self.pid) },
            uid: self.uid,
            gid: self.gid,
        }
    }
}

impl PartialEq for Sender {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // SAFETY: By the type invariants; null is taken for nothing.
        unsafe { kb::put_pid(self.pid) };
    }
}

/// What a program sends besides bytes.
pub(crate) struct Ancillary {
    /// The credentials that it states, which were checked.
    pub(crate) sender: Option<Sender>,
    /// The files that it passes.
    pub(crate) files: Option<Files>,
}

impl SendMsg<'_> {
    /// Takes the ancillary data of a message.
    ///
    /// May sleep. `EINVAL` for malformed or unknown data, for more than 253
    /// files or one of io_uring, `EBADF` for a bad descriptor, `EPERM` for
    /// credentials that the caller may not state; see `unix(7)`.
    pub(crate) fn ancillary(&mut self) -> Result<Ancillary> {
        if self.control_len() == 0 {
            return Ok(Ancillary {
                sender: None,
                files: None,
            });
        }
        let mut sender = Sender {
            pid: ptr::null_mut(),
            uid: kb::kuid_t { val: u32::MAX },
            gid: kb::kgid_t { val: u32::MAX },
        };
        let mut files: *mut kb::scm_fp_list = ptr::null_mut();
        // SAFETY: The message is valid; the function writes what it was given on success.
        to_result(unsafe {
            bindings::scm_parse(
                self.as_raw(),
                &raw mut sender.pid,
                &raw mut sender.uid,
                &raw mut sender.gid,
                &raw mut files,
            )
        })?;
        Ok(Ancillary {
            // INVARIANT: A pid comes with a reference.
            sender: (!sender.pid.is_null()).then_some(sender),
            // INVARIANT: A list is ours.
            files: NonNull::new(files).map(Files),
        })
    }
}

/// What comes with a message besides its bytes.
pub(crate) struct Attachment<'a> {
    /// Who has sent it, if that is known.
    pub(crate) sender: Option<&'a Sender>,
    /// The socket that it was sent by, whose label is told (`SO_PASSSEC`), if
    /// that is known.
    pub(crate) from: Option<Origin<'a>>,
    /// The files that come with it.
    pub(crate) files: Option<Files>,
    /// A file that a security module withholds leaves an error in its place,
    /// and does not end the list (`SO_RIGHTS_NOTRUNC`).
    pub(crate) whole: bool,
}

impl ReceiveMsg<'_> {
    /// Hands the program what it asks for of what comes with a message: the
    /// sender's credentials, its label, and a descriptor of it (see [`Pass`]),
    /// and files in any case. What doesn't fit is dropped, and said to be
    /// (`MSG_CTRUNC`).
    ///
    /// May sleep. Mirrors `scm_recv_unix()`.
    pub(crate) fn set_ancillary<F: Family>(
        &mut self,
        sk: &Live<'_, F>,
        attachment: Attachment<'_>,
    ) {
        let (pid, uid, gid) = match attachment.sender {
            Some(sender) => (sender.pid, sender.uid, sender.gid),
            None => (
                ptr::null_mut(),
                kb::kuid_t { val: u32::MAX },
                kb::kgid_t { val: u32::MAX },
            ),
        };
        let files = attachment.files.map_or(ptr::null_mut(), Files::into_raw);
        let from = attachment.from.map_or(ptr::null_mut(), Origin::as_sk);
        // SAFETY: The message and the sockets are valid; sender and socket outlive the call, and
        // the files are the function's.
        unsafe {
            bindings::scm_deliver(
                sk.as_socket(),
                self.as_raw(),
                pid,
                uid,
                gid,
                files,
                from,
                attachment.whole,
            );
        }
    }
}

/// Options that say what a socket lets through besides bytes: a set of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pass(u8);

impl Pass {
    /// Receives tell the sender's credentials (`SO_PASSCRED`).
    pub(crate) const CREDENTIALS: Self = Self(1);
    /// Receives tell the sender's label (`SO_PASSSEC`).
    pub(crate) const LABEL: Self = Self(2);
    /// Receives open a descriptor of the sender (`SO_PASSPIDFD`).
    pub(crate) const PIDFD: Self = Self(4);
    /// Files may be sent to the socket (`SO_PASSRIGHTS`).
    pub(crate) const FILES: Self = Self(8);
    /// Either of those for which a sender is to be known.
    pub(crate) const SENDER: Self = Self(Self::CREDENTIALS.0 | Self::PIDFD.0);
    /// Any of those for which a receive has something to tell.
    pub(crate) const TOLD: Self = Self(Self::SENDER.0 | Self::LABEL.0);

    /// Tells whether one of `others` is in the set.
    pub(crate) fn any_of(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

impl<F: Family> Sock<F> {
    /// Returns what the socket lets through. A snapshot.
    #[inline]
    pub(crate) fn pass(&self) -> Pass {
        if cfg!(target_endian = "big") {
            // SAFETY: By the type invariants.
            return Pass(unsafe { bindings::sk_pass(self.as_sk()) });
        }
        // Asked for each message: a load, not a call.
        // SAFETY: By the type invariants; the bits of the union begin with the lowest, in the
        // order of `Pass`.
        let bits = unsafe {
            let sk = self.as_sk().cast::<u8>();
            sk.add(bindings::SOCK_SCM_FLAGS).read_volatile()
        };
        Pass(bits & Self::PASS_BITS)
    }

    /// The bits of [`Pass`] among those of the socket.
    const PASS_BITS: u8 = Pass::TOLD.0 | Pass::FILES.0;

    /// Sets or clears options. May sleep.
    pub(crate) fn set_pass(&self, options: Pass, on: bool) {
        // SAFETY: By the type invariants; the function takes the socket lock.
        unsafe { bindings::sk_set_pass(self.as_sk(), options.0, on) };
    }

    /// Tells whether credentials go with what this socket sends to `other`: if
    /// either end is to tell who sends, or the other end is a connection that
    /// wasn't accepted yet, and may still be told to.
    /// A snapshot.
    #[inline]
    pub(crate) fn credentials_wanted(&self, other: &Self) -> bool {
        Pass(self.pass().0 | other.pass().0).any_of(Pass::SENDER) || !other.has_socket()
    }

    /// Takes over from a listener what a connection inherits of these options.
    pub(crate) fn inherit_pass(&self, listener: &Self) {
        // SAFETY: By the type invariants of both.
        unsafe { bindings::sk_inherit_pass(self.as_sk(), listener.as_sk()) };
    }

    /// Returns how many references there are to the socket's file; zero
    /// without one. A snapshot, unless the caller knows of a reference.
    pub(crate) fn file_references(&self) -> usize {
        // SAFETY: By the type invariants; the function looks at the file under RCU.
        unsafe { bindings::sk_file_count(self.as_sk()) as usize }
    }
}
