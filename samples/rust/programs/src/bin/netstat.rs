// SPDX-License-Identifier: MIT OR GPL-2.0

//! runix-rs-netstat: lists the sockets of the family, as `netstat -a` does
//! those of AF_UNIX.

#![forbid(unsafe_code)]

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Command;
use runix_programs::{cannot, matches, run, Failure, Outcome, Row};

/// The number of AF_UNIX.
const AF_UNIX: u16 = 1;

fn main() -> ExitCode {
    run(body)
}

fn body() -> Outcome {
    let command =
        Command::new("runix-rs-netstat").about("Lists the sockets of this network namespace.");
    matches(command)?;

    let (table, proto) = match runix::family().map_err(cannot("tell the address family"))? {
        AF_UNIX => ("/proc/net/unix", "unix"),
        _ => ("/proc/net/runix", "runix"),
    };
    let text = fs::read(table).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::new(format!(
            "there is no {table}: load the runix module (modprobe runix)"
        )),
        _ => cannot(format_args!("read {table}"))(error),
    })?;

    let odd = match list(&text, proto) {
        // Who reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        result => result.map_err(cannot("write"))?,
    };
    if odd > 0 {
        return Err(Failure::new(format!(
            "{odd} lines of {table} could not be read: is there a newline in a socket's name?"
        )));
    }
    Ok(())
}

/// Prints the table; returns how many lines are not of its format.
fn list(text: &[u8], proto: &str) -> io::Result<usize> {
    let mut output = io::stdout().lock();
    let mut odd = 0;

    writeln!(
        output,
        "Active {} sockets (servers and established)",
        proto.to_uppercase()
    )?;
    writeln!(
        output,
        "Proto RefCnt Flags       Type       State         I-Node   Path"
    )?;
    let lines = text.strip_suffix(b"\n").unwrap_or(text);
    for line in lines.split(|byte| *byte == b'\n').skip(1) {
        match Row::parse(line) {
            Some(row) => row.print(proto, &mut output)?,
            None => odd += 1,
        }
    }
    output.flush()?;
    Ok(odd)
}
