// SPDX-License-Identifier: MIT OR GPL-2.0

//! Options that the kernel knows as those of AF_UNIX.

/// An option: its number at `SOL_SOCKET`, and at `SOL_RUNIX`, where AF_RUNIX
/// tells what it is. AF_UNIX tells that at `SOL_SOCKET`, which is hidden here.
#[derive(Clone, Copy)]
pub(crate) struct Switch {
    pub(crate) socket: i32,
    pub(crate) own: i32,
}

impl Switch {
    pub(crate) const PASSCRED: Self = Self::new(libc::SO_PASSCRED, 1);
    pub(crate) const PASSSEC: Self = Self::new(libc::SO_PASSSEC, 2);
    pub(crate) const PASSPIDFD: Self = Self::new(76, 3);
    pub(crate) const PASSRIGHTS: Self = Self::new(83, 4);
    pub(crate) const RIGHTS_NOTRUNC: Self = Self::new(85, 5);
    pub(crate) const PEERPIDFD: Self = Self::new(77, 7);

    const fn new(socket: i32, own: i32) -> Self {
        Self { socket, own }
    }
}

/// Implements the options for a type with the one field `fd: OwnedFd`.
macro_rules! impl_options {
    ($type:ident) => {
        /// Options about what comes with messages. Accepted connections inherit
        /// those of their listener.
        impl $type {
            /// Chooses whether received messages tell who has sent them, in
            /// [`ScmCredentials`](crate::AncillaryData::ScmCredentials); see
            /// `SO_PASSCRED` in unix(7).
            ///
            /// # Errors
            ///
            /// None in practice.
            pub fn set_passcred(&self, on: bool) -> std::io::Result<()> {
                crate::sys::set_switch(&self.fd, crate::options::Switch::PASSCRED, on)
            }

            /// Returns what [`set_passcred`](Self::set_passcred) has set.
            ///
            /// # Errors
            ///
            /// None in practice.
            pub fn passcred(&self) -> std::io::Result<bool> {
                Ok(crate::sys::option(&self.fd, crate::options::Switch::PASSCRED)? != 0)
            }

            /// Chooses whether received messages come with a descriptor of the
            /// process that has sent them, in
            /// [`ScmPidfd`](crate::AncillaryData::ScmPidfd): `SO_PASSPIDFD`.
            ///
            /// # Errors
            ///
            /// None in practice.
            pub fn set_passpidfd(&self, on: bool) -> std::io::Result<()> {
                crate::sys::set_switch(&self.fd, crate::options::Switch::PASSPIDFD, on)
            }

            /// Returns what [`set_passpidfd`](Self::set_passpidfd) has set.
            ///
            /// # Errors
            ///
            /// None in practice.
            pub fn passpidfd(&self) -> std::io::Result<bool> {
                Ok(crate::sys::option(&self.fd, crate::options::Switch::PASSPIDFD)? != 0)
            }

            /// Chooses whether received messages tell their sender's label, in
            /// [`ScmSecurity`](crate::AncillaryData::ScmSecurity), where the
            /// system has such; see `SO_PASSSEC` in unix(7).
            ///
            /// # Errors
            ///
            /// `EOPNOTSUPP` if the kernel was built without security modules.
            pub fn set_passsec(&self, on: bool) -> std::io::Result<()> {
                crate::sys::set_switch(&self.fd, crate::options::Switch::PASSSEC, on)
            }

            /// Returns what [`set_passsec`](Self::set_passsec) has set.
            ///
            /// # Errors
            ///
            /// Those of [`set_passsec`](Self::set_passsec).
            pub fn passsec(&self) -> std::io::Result<bool> {
                Ok(crate::sys::option(&self.fd, crate::options::Switch::PASSSEC)? != 0)
            }

            /// Chooses whether descriptors may be sent to this socket: they may
            /// at first. If not, who sends some gets
            /// [`PermissionDenied`](std::io::ErrorKind::PermissionDenied):
            /// `SO_PASSRIGHTS`.
            ///
            /// # Errors
            ///
            /// None in practice.
            pub fn set_passrights(&self, on: bool) -> std::io::Result<()> {
                crate::sys::set_switch(&self.fd, crate::options::Switch::PASSRIGHTS, on)
            }

            /// Returns what [`set_passrights`](Self::set_passrights) has set.
            ///
            /// # Errors
            ///
            /// None in practice.
            pub fn passrights(&self) -> std::io::Result<bool> {
                Ok(crate::sys::option(&self.fd, crate::options::Switch::PASSRIGHTS)? != 0)
            }

            /// Chooses whether a descriptor that a security module withholds
            /// leaves an error in its place, in
            /// [`ScmRights`](crate::ScmRights), instead of ending the list:
            /// `SO_RIGHTS_NOTRUNC`.
            ///
            /// # Errors
            ///
            /// `ENOPROTOOPT` if the kernel has no such option.
            pub fn set_rights_notrunc(&self, on: bool) -> std::io::Result<()> {
                crate::sys::set_switch(&self.fd, crate::options::Switch::RIGHTS_NOTRUNC, on)
            }
        }
    };
}

/// Implements what a connected type knows of the process at its other end.
macro_rules! impl_peer_pidfd {
    ($type:ident) => {
        impl $type {
            /// Opens a descriptor of the process at the other end; see
            /// pidfd_open(2). It is the one that
            /// [`peer_cred`](Self::peer_cred) tells, and may be gone.
            ///
            /// # Errors
            ///
            /// `ENODATA` if there is no other end, and too many open files.
            pub fn peer_pidfd(&self) -> std::io::Result<std::os::fd::OwnedFd> {
                crate::sys::peer_pidfd(&self.fd)
            }
        }
    };
}

pub(crate) use {impl_options, impl_peer_pidfd};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    /// The header is the source of these numbers.
    #[test]
    fn same_numbers_as_the_header() {
        let Some(header) = Header::read() else { return };
        for (name, switch) in [
            ("PASSCRED", Switch::PASSCRED),
            ("PASSSEC", Switch::PASSSEC),
            ("PASSPIDFD", Switch::PASSPIDFD),
            ("PASSRIGHTS", Switch::PASSRIGHTS),
            ("RIGHTS_NOTRUNC", Switch::RIGHTS_NOTRUNC),
            ("PEERPIDFD", Switch::PEERPIDFD),
        ] {
            let own = header.value(&format!("RUNIX_{name}"));
            assert_eq!(own, Some(switch.own), "{name}");
            // Older ones are told by the C library alone.
            if let Some(number) = header.value(&format!("SO_{name}")) {
                assert_eq!(number, switch.socket, "{name}");
            }
        }
    }
}
