// SPDX-License-Identifier: MIT OR GPL-2.0

//! The traits of types that own a file descriptor.

/// Implements them for a type with the one field `fd: OwnedFd`.
macro_rules! impl_fd_traits {
    ($type:ident) => {
        impl std::os::fd::AsFd for $type {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.fd.as_fd()
            }
        }

        impl std::os::fd::AsRawFd for $type {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                self.fd.as_raw_fd()
            }
        }

        impl std::os::fd::FromRawFd for $type {
            unsafe fn from_raw_fd(fd: std::os::fd::RawFd) -> Self {
                // SAFETY: The caller promises what `OwnedFd` asks for: the
                // trait's contract is the same for both types.
                let fd = unsafe { std::os::fd::OwnedFd::from_raw_fd(fd) };
                Self { fd }
            }
        }

        impl std::os::fd::IntoRawFd for $type {
            fn into_raw_fd(self) -> std::os::fd::RawFd {
                self.fd.into_raw_fd()
            }
        }

        impl From<std::os::fd::OwnedFd> for $type {
            /// Takes over a socket. It is not checked that it is one of this
            /// address family and type.
            fn from(fd: std::os::fd::OwnedFd) -> Self {
                Self { fd }
            }
        }

        impl From<$type> for std::os::fd::OwnedFd {
            fn from(socket: $type) -> Self {
                socket.fd
            }
        }
    };
}

pub(crate) use impl_fd_traits;
