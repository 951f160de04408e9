// SPDX-License-Identifier: MIT OR GPL-2.0

//! What types have in common that send and receive.

/// Implements sending and receiving with control messages on a stream.
macro_rules! impl_ancillary {
    ($type:ident) => {
        impl $type {
            /// Sends bytes together with control messages; see sendmsg(2).
            ///
            /// Mirrors `UnixStream::send_vectored_with_ancillary`, which is not
            /// stable yet. Without bytes nothing is sent, and no descriptors
            /// either.
            ///
            /// # Errors
            ///
            /// Those of sendmsg(2), and see
            /// [`SocketAncillary`](crate::SocketAncillary).
            pub fn send_vectored_with_ancillary(
                &self,
                bufs: &[std::io::IoSlice<'_>],
                ancillary: &mut crate::SocketAncillary<'_>,
            ) -> std::io::Result<usize> {
                crate::sys::send_message(&self.fd, bufs, ancillary, None)
            }

            /// Receives bytes together with control messages; see recvmsg(2).
            ///
            /// Mirrors `UnixStream::recv_vectored_with_ancillary`, which is not
            /// stable yet. Descriptors are closed on execve(2).
            ///
            /// # Errors
            ///
            /// Those of recvmsg(2).
            pub fn recv_vectored_with_ancillary(
                &self,
                bufs: &mut [std::io::IoSliceMut<'_>],
                ancillary: &mut crate::SocketAncillary<'_>,
            ) -> std::io::Result<usize> {
                Ok(crate::sys::recv_message(&self.fd, bufs, ancillary, false)?.count)
            }
        }
    };
}

/// Implements sending and receiving of messages, which keep their borders.
macro_rules! impl_messages {
    ($type:ident) => {
        impl $type {
            /// Sends a message to the peer; see send(2).
            ///
            /// # Errors
            ///
            /// Those of send(2): among others
            /// [`NotConnected`](std::io::ErrorKind::NotConnected) if there is no
            /// peer, and `EMSGSIZE` if the message is too long for `SO_SNDBUF`.
            pub fn send(&self, buf: &[u8]) -> std::io::Result<usize> {
                crate::sys::send(&self.fd, buf)
            }

            /// Receives a message; what doesn't fit of it is lost. See recv(2).
            ///
            /// # Errors
            ///
            /// Those of recv(2).
            pub fn recv(&self, buf: &mut [u8]) -> std::io::Result<usize> {
                crate::sys::recv(&self.fd, buf)
            }

            /// Receives a message without taking it; see `MSG_PEEK` in recv(2).
            ///
            /// # Errors
            ///
            /// Those of recv(2).
            pub fn peek(&self, buf: &mut [u8]) -> std::io::Result<usize> {
                crate::sys::peek(&self.fd, buf)
            }

            /// Sends a message to the peer, together with control messages; see
            /// sendmsg(2).
            ///
            /// Mirrors `UnixDatagram::send_vectored_with_ancillary`, which is
            /// not stable yet.
            ///
            /// # Errors
            ///
            /// Those of [`send`](Self::send), and see
            /// [`SocketAncillary`](crate::SocketAncillary).
            pub fn send_vectored_with_ancillary(
                &self,
                bufs: &[std::io::IoSlice<'_>],
                ancillary: &mut crate::SocketAncillary<'_>,
            ) -> std::io::Result<usize> {
                crate::sys::send_message(&self.fd, bufs, ancillary, None)
            }

            /// Receives a message together with control messages, and tells
            /// whether it was longer than the buffers; see recvmsg(2).
            ///
            /// Mirrors `UnixDatagram::recv_vectored_with_ancillary`, which is
            /// not stable yet. Descriptors are closed on execve(2).
            ///
            /// # Errors
            ///
            /// Those of [`recv`](Self::recv).
            pub fn recv_vectored_with_ancillary(
                &self,
                bufs: &mut [std::io::IoSliceMut<'_>],
                ancillary: &mut crate::SocketAncillary<'_>,
            ) -> std::io::Result<(usize, bool)> {
                let received = crate::sys::recv_message(&self.fd, bufs, ancillary, false)?;
                Ok((received.count, received.truncated))
            }

            /// Returns the address of the peer; see getpeername(2).
            ///
            /// # Errors
            ///
            /// [`NotConnected`](std::io::ErrorKind::NotConnected) if there is
            /// none.
            pub fn peer_addr(&self) -> std::io::Result<crate::SocketAddr> {
                crate::sys::peer_addr(&self.fd)
            }

            /// Limits how long a receive waits; `None` is for ever. See
            /// `SO_RCVTIMEO` in socket(7).
            ///
            /// # Errors
            ///
            /// [`InvalidInput`](std::io::ErrorKind::InvalidInput) if the
            /// duration is zero.
            pub fn set_read_timeout(
                &self,
                timeout: Option<std::time::Duration>,
            ) -> std::io::Result<()> {
                crate::sys::set_read_timeout(&self.fd, timeout)
            }

            /// Limits how long a send waits; `None` is for ever. See
            /// `SO_SNDTIMEO` in socket(7).
            ///
            /// # Errors
            ///
            /// [`InvalidInput`](std::io::ErrorKind::InvalidInput) if the
            /// duration is zero.
            pub fn set_write_timeout(
                &self,
                timeout: Option<std::time::Duration>,
            ) -> std::io::Result<()> {
                crate::sys::set_write_timeout(&self.fd, timeout)
            }

            /// Returns how long a receive waits at most.
            ///
            /// # Errors
            ///
            /// None in practice.
            pub fn read_timeout(&self) -> std::io::Result<Option<std::time::Duration>> {
                crate::sys::read_timeout(&self.fd)
            }

            /// Returns how long a send waits at most.
            ///
            /// # Errors
            ///
            /// None in practice.
            pub fn write_timeout(&self) -> std::io::Result<Option<std::time::Duration>> {
                crate::sys::write_timeout(&self.fd)
            }

            /// Ends one direction, or both; see shutdown(2).
            ///
            /// # Errors
            ///
            /// Those of shutdown(2).
            pub fn shutdown(&self, how: std::net::Shutdown) -> std::io::Result<()> {
                crate::sys::shutdown(&self.fd, how)
            }
        }
    };
}

/// Implements what all sockets have.
macro_rules! impl_socket {
    ($type:ident) => {
        impl $type {
            /// Makes a second handle to the same socket; see dup(2).
            ///
            /// # Errors
            ///
            /// Those of dup(2), as when there are too many open files.
            pub fn try_clone(&self) -> std::io::Result<Self> {
                let fd = self.fd.try_clone()?;
                Ok(Self { fd })
            }

            /// Returns the address of this socket; see getsockname(2).
            ///
            /// # Errors
            ///
            /// [`InvalidInput`](std::io::ErrorKind::InvalidInput) if this was
            /// made from a file descriptor of another address family.
            pub fn local_addr(&self) -> std::io::Result<crate::SocketAddr> {
                crate::sys::local_addr(&self.fd)
            }

            /// Chooses whether calls wait; see `FIONBIO` in ioctl(2).
            ///
            /// # Errors
            ///
            /// None in practice.
            pub fn set_nonblocking(&self, nonblocking: bool) -> std::io::Result<()> {
                crate::sys::set_nonblocking(&self.fd, nonblocking)
            }

            /// Returns the error that waits at the socket, and clears it; see
            /// `SO_ERROR` in socket(7).
            ///
            /// # Errors
            ///
            /// None in practice.
            pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
                crate::sys::take_error(&self.fd)
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                use std::os::fd::AsRawFd;

                let mut output = f.debug_struct(stringify!($type));
                output.field("fd", &self.fd.as_raw_fd());
                if let Ok(address) = self.local_addr() {
                    output.field("local", &address);
                }
                output.finish()
            }
        }
    };
}

pub(crate) use {impl_ancillary, impl_messages, impl_socket};
