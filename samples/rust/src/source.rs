// SPDX-License-Identifier: MIT OR GPL-2.0

//! Sources of events for mio.

use std::io;
use std::os::fd::AsRawFd;

use mio::event::Source;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use crate::{RunixDatagram, RunixListener, RunixSeqpacket, RunixSeqpacketListener, RunixStream};

/// Implements it by the file descriptor.
macro_rules! impl_source {
    ($($type:ident)*) => {
        $(
            /// With the feature `mio`. The socket has to be non-blocking: say
            /// so with `set_nonblocking`, also for those that were accepted.
            impl Source for $type {
                fn register(
                    &mut self,
                    registry: &Registry,
                    token: Token,
                    interests: Interest,
                ) -> io::Result<()> {
                    SourceFd(&self.as_raw_fd()).register(registry, token, interests)
                }

                fn reregister(
                    &mut self,
                    registry: &Registry,
                    token: Token,
                    interests: Interest,
                ) -> io::Result<()> {
                    SourceFd(&self.as_raw_fd()).reregister(registry, token, interests)
                }

                fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
                    SourceFd(&self.as_raw_fd()).deregister(registry)
                }
            }
        )*
    };
}

impl_source! {
    RunixDatagram RunixListener RunixSeqpacket RunixSeqpacketListener RunixStream
}
