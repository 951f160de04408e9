// SPDX-License-Identifier: MIT OR GPL-2.0

//! The crate against a running kernel: on AF_RUNIX where the module is loaded,
//! and with RUNIX_FAMILY=1 on AF_UNIX, where the same has to hold.

mod address;
mod ancillary;
#[cfg(feature = "tokio")]
mod asynchronous;
mod listener;
mod message;
#[cfg(feature = "mio")]
mod source;
mod stream;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};

use runix::SocketAddr;

/// A number for a name that no other test uses.
fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The path of a socket, removed at the end of a test.
struct TestPath(PathBuf);

impl TestPath {
    fn new() -> Self {
        let name = format!("runix-{}-{}", process::id(), unique());
        Self(env::temp_dir().join(name))
    }
}

impl AsRef<Path> for TestPath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for TestPath {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// An abstract address that no other test uses.
fn abstract_address() -> SocketAddr {
    SocketAddr::from_abstract_name(format!("runix-{}-{}", process::id(), unique())).unwrap()
}

/// Runs one side of a conversation beside the test.
fn beside<T: Send + 'static>(side: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    thread::spawn(side)
}
