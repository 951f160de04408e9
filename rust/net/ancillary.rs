// SPDX-License-Identifier: GPL-2.0

//! Ancillary data: descriptors and credentials that go with bytes.
//!
//! C header: [`include/net/scm.h`](srctree/include/net/scm.h)

use super::family::Family;
use super::live::Live;
use super::msg::{
    ReceiveMsg,
    SendMsg, //
};
use super::sock::Sock;
use crate::bindings;
use core::{
    mem::{
        ManuallyDrop,
        MaybeUninit, //
    },
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

    /// Returns the user id of who sent the files, in the initial namespace.
    pub(crate) fn user(&self) -> u32 {
        // SAFETY: By the type invariants.
        unsafe { bindings::scm_files_user(self.0.as_ptr()) }
    }

    /// Tells whether the sending user has too many descriptors in flight, with
    /// `own` that the caller counts, beside those of AF_UNIX: more than
    /// `RLIMIT_NOFILE` of the calling task, unless it is privileged.
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
        (0..self.count()).filter_map(move |index| {
            // SAFETY: The index is in the list, which has a reference to the file; a file that is
            // a socket of the family keeps its `sock` while it is referenced.
            unsafe {
                let number = c_int::from(F::desc().number());
                let sk = bindings::scm_socket(self.0.as_ptr(), index as c_int, number);
                NonNull::new(sk).map(|sk| ARef::from_raw(sk.cast()))
            }
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

impl Sender {
    /// Returns the calling process.
    pub(crate) fn current() -> Self {
        let mut this = MaybeUninit::<Self>::uninit();
        let raw = this.as_mut_ptr();
        // SAFETY: The function writes all three.
        // INVARIANT: It takes the reference.
        unsafe {
            bindings::scm_current(
                &raw mut (*raw).pid,
                &raw mut (*raw).uid,
                &raw mut (*raw).gid,
            );
            this.assume_init()
        }
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
        self.pid == other.pid && self.uid.val == other.uid.val && self.gid.val == other.gid.val
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

impl ReceiveMsg<'_> {
    /// Hands the program the sender's credentials, if it asks for such
    /// (`SO_PASSCRED`), and files. What doesn't fit is dropped, and said to be
    /// (`MSG_CTRUNC`).
    ///
    /// May sleep.
    pub(crate) fn set_ancillary<F: Family>(
        &mut self,
        sk: &Live<'_, F>,
        sender: Option<&Sender>,
        files: Option<Files>,
    ) {
        let (pid, uid, gid) = match sender {
            Some(sender) => (sender.pid, sender.uid, sender.gid),
            None => (
                ptr::null_mut(),
                kb::kuid_t { val: u32::MAX },
                kb::kgid_t { val: u32::MAX },
            ),
        };
        let files = files.map_or(ptr::null_mut(), Files::into_raw);
        // SAFETY: The message and the socket are valid; the sender outlives the call, and the
        // files are the function's.
        unsafe {
            bindings::scm_deliver(sk.as_socket(), self.as_raw(), pid, uid, gid, files);
        }
    }
}

impl<F: Family> Sock<F> {
    /// Tells whether receives are to tell the sender's credentials
    /// (`SO_PASSCRED`).
    pub(crate) fn passes_credentials(&self) -> bool {
        // SAFETY: By the type invariants; a snapshot.
        unsafe { bindings::sk_passes_credentials(self.as_sk()) }
    }

    /// Tells whether credentials go with what this socket sends to `other`: if
    /// either end is to tell them, or the other end is a connection that wasn't
    /// accepted yet, and may still be told to.
    pub(crate) fn credentials_wanted(&self, other: &Self) -> bool {
        // SAFETY: By the type invariants of both; a snapshot.
        unsafe { bindings::sk_credentials_wanted(self.as_sk(), other.as_sk()) }
    }

    /// Tells whether files may be sent to the socket (`SO_PASSRIGHTS`).
    pub(crate) fn passes_files(&self) -> bool {
        // SAFETY: By the type invariants; a snapshot.
        unsafe { bindings::sk_passes_files(self.as_sk()) }
    }

    /// Sets what [`Sock::passes_credentials`] tells.
    pub(crate) fn set_passes_credentials(&self, on: bool) {
        // SAFETY: By the type invariants; the function takes the socket lock.
        unsafe { bindings::sk_set_passes_credentials(self.as_sk(), on) };
    }

    /// Sets what [`Sock::passes_files`] tells.
    pub(crate) fn set_passes_files(&self, on: bool) {
        // SAFETY: By the type invariants; the function takes the socket lock.
        unsafe { bindings::sk_set_passes_files(self.as_sk(), on) };
    }

    /// Takes over from a listener what a connection inherits of these options.
    pub(crate) fn inherit_passing(&self, listener: &Self) {
        // SAFETY: By the type invariants of both.
        unsafe { bindings::sk_inherit_passing(self.as_sk(), listener.as_sk()) };
    }

    /// Returns how many references there are to the socket's file; zero
    /// without one. A snapshot, unless the caller knows of a reference.
    pub(crate) fn file_references(&self) -> usize {
        // SAFETY: By the type invariants; the function looks at the file under RCU.
        unsafe { bindings::sk_file_count(self.as_sk()) as usize }
    }
}
