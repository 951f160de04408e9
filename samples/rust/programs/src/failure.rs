// SPDX-License-Identifier: MIT OR GPL-2.0

//! Errors that tell the cause and what to do, in one line.

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgMatches, Command};
use runix::SocketAddr;

/// Why a program ends early.
#[derive(Debug)]
pub struct Failure {
    message: String,
    status: u8,
}

/// What a step of a program comes to.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// Something went wrong.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: 1,
        }
    }

    /// The program was called in a way that it doesn't understand.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: 2,
        }
    }

    /// Prints the one line on standard error. If that can't be, the status tells
    /// what is left.
    pub fn print(&self) {
        let _ = writeln!(io::stderr(), "{}: {}", program(), self.message);
    }
}

/// The name that this program was started under.
fn program() -> String {
    let path = env::args_os().next().unwrap_or_default();
    let name = Path::new(&path).file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Runs a program to its exit status.
pub fn run(body: impl FnOnce() -> Outcome) -> ExitCode {
    match body() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.status)
        }
    }
}

/// Reads the command line and, if there is one, the variable RUNIX_FAMILY.
///
/// Help is printed here, and ends the program.
pub fn matches(command: Command) -> Outcome<ArgMatches> {
    let matches = command.try_get_matches().map_err(|error| {
        if error.kind() == ErrorKind::DisplayHelp {
            error.exit();
        }
        // The first line tells the cause, the others repeat the usage.
        let text = error.to_string();
        let cause = text.lines().next().unwrap_or_default();
        let cause = cause.strip_prefix("error: ").unwrap_or(cause);
        Failure::usage(format!("{}: see --help", cause.trim_end_matches(':')))
    })?;
    runix::family().map_err(|error| Failure::usage(error.to_string()))?;
    Ok(matches)
}

/// Reads an address as the user typed it.
pub fn address(text: &str) -> Outcome<SocketAddr> {
    if text.is_empty() {
        return Err(Failure::usage(
            "the address is empty: give a path, or @name for an abstract name",
        ));
    }
    text.parse()
        .map_err(|error: io::Error| Failure::new(format!("{error}: choose a shorter one")))
}

/// Makes the failure of a step that has no better explanation.
pub fn cannot(step: impl Display) -> impl FnOnce(io::Error) -> Failure {
    move |error| {
        let reason = error.to_string();
        let reason = reason.split(" (os error").next().unwrap_or_default();
        Failure::new(format!("cannot {step}: {reason}"))
    }
}

/// Explains why there is no socket.
pub fn no_socket(error: io::Error) -> Failure {
    if error.raw_os_error() != Some(libc::EAFNOSUPPORT) {
        return cannot("create a socket")(error);
    }
    let family = match runix::family() {
        Ok(family) => family,
        Err(error) => return Failure::usage(error.to_string()),
    };
    Failure::new(if env::var_os("RUNIX_FAMILY").is_some() {
        format!(
            "address family {family} (from RUNIX_FAMILY) is not available: unset RUNIX_FAMILY \
             or load the module for it (modprobe runix family={family})"
        )
    } else {
        format!("address family {family} is not available: load the runix module (modprobe runix)")
    })
}

/// Explains why a name can't be had.
pub(crate) fn no_name(text: &str, error: io::Error) -> Failure {
    let hint = if text.starts_with('@') {
        "stop its server"
    } else {
        "stop its server, remove a file left behind"
    };
    match error.raw_os_error() {
        Some(libc::EADDRINUSE) => Failure::new(format!(
            "the name '{text}' is in use: {hint}, or choose another name"
        )),
        Some(libc::EACCES) => Failure::new(format!(
            "permission denied for '{text}': choose a directory in which you may create files"
        )),
        Some(libc::ENOENT) => Failure::new(format!("no directory for '{text}': create it first")),
        Some(libc::EAFNOSUPPORT) => no_socket(error),
        _ => cannot(format_args!("bind '{text}'"))(error),
    }
}

/// Explains why there is no connection.
pub fn no_connection(text: &str, error: io::Error) -> Failure {
    match error.raw_os_error() {
        Some(libc::ECONNREFUSED) => Failure::new(format!(
            "nobody listens on '{text}': start a server there first"
        )),
        Some(libc::ENOENT) => Failure::new(format!(
            "there is no socket '{text}': start a server there first"
        )),
        Some(libc::EACCES) => Failure::new(format!(
            "permission denied for '{text}': become its owner, or have write permission given to you"
        )),
        Some(libc::EPROTOTYPE) => Failure::new(format!(
            "'{text}' is not a stream socket: choose a stream server"
        )),
        Some(libc::EAFNOSUPPORT) => no_socket(error),
        _ => cannot(format_args!("connect to '{text}'"))(error),
    }
}
