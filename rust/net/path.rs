// SPDX-License-Identifier: GPL-2.0

//! Names in the file system.
//!
//! C headers: [`include/linux/namei.h`](srctree/include/linux/namei.h),
//! [`include/linux/path.h`](srctree/include/linux/path.h)

use super::family::Family;
use super::live::Live;
use super::sock::Sock;
use super::unix::UnixHead;
use crate::bindings;
use core::mem::{
    ManuallyDrop,
    MaybeUninit, //
};
use kernel::{
    bindings as kb,
    error::to_result,
    prelude::*,
    types::NotThreadSafe, //
};

/// `AT_FDCWD`: paths start in the working directory.
const AT_FDCWD: c_int = -100;
/// `LOOKUP_FOLLOW`: a link at the end is followed.
const LOOKUP_FOLLOW: c_uint = 1;

/// An inode, for comparison alone.
///
/// Two are the same while both inodes are known to exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InodeId(usize);

impl InodeId {
    /// Returns the number that stands for the inode; never zero.
    pub(crate) fn as_usize(self) -> usize {
        self.0
    }
}

/// Returns the C string in a name, if it ends in a NUL byte: `EINVAL`.
///
/// One look at the last byte, where a `CStr` would be looked through.
fn terminated(name: &[u8]) -> Result<*const c_char> {
    match name.last() {
        Some(0) => Ok(name.as_ptr().cast()),
        _ => Err(EINVAL),
    }
}

/// A place in the file system that is in use.
///
/// # Invariants
///
/// Owns a reference to the mount and one to the dentry, which is not negative.
pub(crate) struct PathRef(kb::path);

// SAFETY: The references may be given back by any task.
unsafe impl Send for PathRef {}

impl PathRef {
    /// Looks a path up, following symbolic links, with the rights of the
    /// calling task.
    ///
    /// The name ends at its first NUL byte; its last one must be such, else
    /// `EINVAL`.
    ///
    /// May sleep. Fails as path resolution does: `ENOENT`, `ENOTDIR`, `EACCES`,
    /// `ELOOP`, `ENAMETOOLONG`; see `path_resolution(7)`.
    pub(crate) fn lookup(name: &[u8]) -> Result<Self> {
        let name = terminated(name)?;
        let mut path = MaybeUninit::uninit();
        // SAFETY: The name is terminated; `path` is written on success.
        to_result(unsafe { bindings::kern_path(name, LOOKUP_FOLLOW, path.as_mut_ptr()) })?;
        // SAFETY: On success, the path was written.
        // INVARIANT: `kern_path` takes both references, and finds no negative dentry.
        Ok(Self(unsafe { path.assume_init() }))
    }

    /// Takes over a path.
    ///
    /// # Safety
    ///
    /// The invariants hold for `raw`, and nobody else gives its references back.
    pub(super) unsafe fn from_raw(raw: kb::path) -> Self {
        Self(raw)
    }

    /// Hands the references over to the caller.
    pub(super) fn into_raw(self) -> kb::path {
        ManuallyDrop::new(self).0
    }

    /// Checks that the calling task may write the file: `EACCES`, `EROFS`.
    pub(crate) fn check_writable(&self) -> Result {
        // SAFETY: By the type invariants.
        to_result(unsafe { bindings::path_may_write(&self.0) })
    }

    /// Tells whether the file is a socket.
    pub(crate) fn is_socket(&self) -> bool {
        // SAFETY: By the type invariants.
        unsafe { bindings::path_is_socket(&self.0) }
    }

    /// Returns the file's inode, which exists as long as `self` does.
    pub(crate) fn inode(&self) -> InodeId {
        // SAFETY: By the type invariants.
        InodeId(unsafe { bindings::path_inode(&self.0) }.addr())
    }

    /// Notes that the file was accessed.
    pub(crate) fn touch(&self) {
        // SAFETY: By the type invariants.
        unsafe { kb::touch_atime(&self.0) };
    }

    /// Opens the file as `O_PATH` does, for the calling task, and returns the
    /// descriptor.
    ///
    /// May sleep. `EMFILE` without a free descriptor, `ENOMEM` without memory.
    pub(crate) fn open(&self) -> Result<c_int> {
        // SAFETY: By the type invariants.
        let fd = unsafe { bindings::path_descriptor(&self.0) };
        to_result(fd)?;
        Ok(fd)
    }

    /// Asks the security modules whether the calling task may reach `found`,
    /// which is bound to this file (`security_unix_find()`).
    pub(crate) fn may_find<F: Family<Head = UnixHead>>(&self, found: &Sock<F>) -> Result {
        // SAFETY: By the type invariants of both.
        to_result(unsafe { kb::security_unix_find(&self.0, found.as_sk().cast(), 0) })
    }
}

impl Drop for PathRef {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, the references are ours to give back.
        unsafe { kb::path_put(&self.0) };
    }
}

/// A socket file that is being made.
///
/// The directory is locked while the value exists. The file goes away again
/// with it, unless it is kept ([`SocketFile::keep`]).
///
/// # Invariants
///
/// `parent` and `dentry` come from `start_creating_path()`, and the file of the
/// dentry was made by us.
pub(crate) struct SocketFile {
    parent: kb::path,
    dentry: *mut kb::dentry,
    kept: bool,
    _not_send: NotThreadSafe,
}

impl SocketFile {
    /// Makes the file `name`, with the mode of the socket's own inode less the
    /// umask, by the rights of the calling task.
    ///
    /// May sleep. `EEXIST` if there is such a file, and as `mknod(2)` and path
    /// resolution fail otherwise.
    pub(crate) fn create<F: Family>(sk: &Live<'_, F>, name: &[u8]) -> Result<Self> {
        let name = terminated(name)?;
        let mut parent = MaybeUninit::<kb::path>::uninit();
        // SAFETY: The name is terminated; `parent` is written on success.
        let dentry =
            unsafe { bindings::start_creating_path(AT_FDCWD, name, parent.as_mut_ptr(), 0) };
        // SAFETY: Only looks at the pointer's value.
        let error = unsafe { bindings::is_err(dentry.cast()) };
        if error != 0 {
            return Err(Error::from_errno(error as c_int));
        }
        // SAFETY: Written on success.
        let parent = unsafe { parent.assume_init() };
        // SAFETY: The directory is locked, and the dentry is one that was looked up in it; the
        // socket is valid.
        let made = to_result(unsafe {
            let mode = bindings::socket_file_mode(sk.as_socket());
            bindings::mknod_socket(&parent, dentry, mode)
        });
        if let Err(e) = made {
            // SAFETY: Both come from `start_creating_path`, and are not used later.
            unsafe { bindings::end_creating_path(&parent, dentry) };
            return Err(e);
        }
        // INVARIANT: The file was just made.
        Ok(Self {
            parent,
            dentry,
            kept: false,
            _not_send: NotThreadSafe,
        })
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> PathRef {
        let mut path = MaybeUninit::uninit();
        // SAFETY: By the type invariants.
        // INVARIANT: The function takes both references; the file exists.
        unsafe {
            bindings::path_of_new(path.as_mut_ptr(), &self.parent, self.dentry);
            PathRef(path.assume_init())
        }
    }

    /// Lets the file stay when the value is dropped.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // SAFETY: By the type invariants, and both are not used later.
        unsafe {
            if !self.kept {
                // A file that can't be removed stays; there is nobody to tell.
                bindings::unlink_in(&self.parent, self.dentry);
            }
            bindings::end_creating_path(&self.parent, self.dentry);
        }
    }
}
