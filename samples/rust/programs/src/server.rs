// SPDX-License-Identifier: MIT OR GPL-2.0

//! What the echo servers share.

use std::fs;
use std::path::PathBuf;
use std::process;
use std::thread;

use runix::{RunixListener, RunixStream, SocketAddr};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::{address, cannot, no_name, Outcome};
use crate::quoted::Quoted;

/// The file of a listener, removed at the end of the program.
pub struct SocketFile {
    path: Option<PathBuf>,
}

impl SocketFile {
    /// Listens on the address that the user typed, and says so.
    ///
    /// The file goes when this is dropped, or when the program is told by
    /// signal to stop.
    pub fn listen(text: &str) -> Outcome<(RunixListener, Self)> {
        let address: SocketAddr = address(text)?;
        let listener = RunixListener::bind_addr(&address).map_err(|error| no_name(text, error))?;
        let path = address.as_pathname().map(PathBuf::from);

        let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(cannot("handle signals"))?;
        let file = Self { path: path.clone() };
        thread::spawn(move || {
            if signals.forever().next().is_some() {
                drop(Self { path });
                process::exit(0);
            }
        });

        let family = runix::family().map_err(cannot("tell the address family"))?;
        println!("server: listening on {text}, address family {family}");
        Ok((listener, file))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // It may be gone already, which is what is wanted.
            let _ = fs::remove_file(path);
        }
    }
}

/// A client of a server, as its log shows it.
pub struct Guest {
    number: u64,
    total: usize,
}

impl Guest {
    /// A client has connected.
    pub fn arrives(number: u64, stream: &RunixStream) -> Outcome<Self> {
        let peer = stream
            .peer_cred()
            .map_err(cannot(format_args!("ask who client {number} is")))?;
        println!(
            "server: client {number} is process {} of user {}",
            peer.pid.unwrap_or(0),
            peer.uid
        );
        Ok(Self { number, total: 0 })
    }

    /// The client has sent something that will now be echoed.
    pub fn says(&mut self, data: &[u8]) {
        println!(
            "server: client {} sent {}, echoing {} bytes",
            self.number,
            Quoted(data),
            data.len()
        );
        self.total += data.len();
    }

    /// The client has ended its stream.
    pub fn leaves(self) {
        println!(
            "server: client {} is done after {} bytes",
            self.number, self.total
        );
    }

    /// The number of the client, for error messages.
    pub fn number(&self) -> u64 {
        self.number
    }
}
