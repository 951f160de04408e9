// SPDX-License-Identifier: MIT OR GPL-2.0

//! runix-rs-privsep: a server in two parts. One has the rights to make the
//! socket and does nothing else; it passes the listening socket to a worker,
//! which has no rights and talks to the clients.

#![forbid(unsafe_code)]

use std::env;
use std::io::{self, IoSlice, IoSliceMut, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{self, ExitCode};
use std::thread;

use clap::{value_parser, Arg, ArgAction, Command};
use runix::{ancillary_space, AncillaryData, RunixListener, RunixStream, SocketAncillary};
use runix_programs::{cannot, matches, no_socket, run, Failure, Outcome, SocketFile};

/// Somebody without rights.
const NOBODY: u32 = 65534;

fn main() -> ExitCode {
    run(body)
}

fn body() -> Outcome {
    let command = Command::new("runix-rs-privsep")
        .about("Echoes what clients send, until it is stopped, in a process without rights.")
        .arg(
            Arg::new("count")
                .short('n')
                .long("count")
                .help("Stop after COUNT clients")
                .value_name("COUNT")
                .value_parser(value_parser!(u64).range(1..)),
        )
        .arg(
            Arg::new("address")
                .help("A path, or @name for an abstract name")
                .value_name("ADDRESS")
                .required(true),
        )
        .arg(
            Arg::new("worker")
                .long("worker")
                .help("Be the worker, with the channel as standard input")
                .action(ArgAction::SetTrue)
                .hide(true),
        );
    let matches = matches(command)?;
    let count = matches.get_one("count").copied().unwrap_or(u64::MAX);
    let address = matches.get_one::<String>("address").unwrap();
    if matches.get_flag("worker") {
        worker(address, count)
    } else {
        server(address, count)
    }
}

/// Makes the socket, and hands it over.
fn server(address: &str, count: u64) -> Outcome {
    let (listener, file) = SocketFile::listen(address)?;
    // No client has a reason to send descriptors. Older kernels have no such option.
    let _ = listener.set_passrights(false);
    let (channel, theirs) = RunixStream::pair().map_err(no_socket)?;

    let program = env::current_exe().map_err(cannot("find this program"))?;
    let mut command = process::Command::new(program);
    command
        .args(["--worker", "--count", &count.to_string(), "--", address])
        .stdin(OwnedFd::from(theirs));
    if rustix::process::geteuid().is_root() {
        // This gives up the other groups, too.
        command.gid(NOBODY).uid(NOBODY);
    }
    let mut worker = command.spawn().map_err(cannot("start a process"))?;
    // It holds the other end of the channel, which is the worker's alone.
    drop(command);
    println!("server: passes the socket to a worker");
    pass(&channel, listener)?;

    let status = worker.wait().map_err(cannot("wait for the worker"))?;
    drop(file);
    if !status.success() {
        return Err(Failure::new("the worker has failed"));
    }
    println!("server: the worker is done");
    Ok(())
}

/// Passes a listener. A stream carries it with a byte, whatever that is.
fn pass(channel: &RunixStream, listener: RunixListener) -> Outcome {
    let mut buffer = [0; ancillary_space(size_of::<i32>())];
    let mut ancillary = SocketAncillary::new(&mut buffer);
    ancillary.add_fds(&[listener.as_fd()]);
    channel
        .send_vectored_with_ancillary(&[IoSlice::new(b"!")], &mut ancillary)
        .map_err(cannot("pass the socket"))?;
    Ok(())
}

/// Takes the listener that comes next.
fn take(channel: &RunixStream) -> Outcome<RunixListener> {
    let (mut buffer, mut byte) = ([0; ancillary_space(size_of::<i32>())], [0]);
    let mut ancillary = SocketAncillary::new(&mut buffer);
    channel
        .recv_vectored_with_ancillary(&mut [IoSliceMut::new(&mut byte)], &mut ancillary)
        .map_err(cannot("receive the socket"))?;
    for message in ancillary.messages().flatten() {
        if let AncillaryData::ScmRights(mut descriptors) = message {
            if let Some(descriptor) = descriptors.next() {
                let descriptor = descriptor.map_err(cannot("receive the socket"))?;
                return Ok(RunixListener::from(descriptor));
            }
        }
    }
    Err(Failure::new("the message has no socket"))
}

fn worker(address: &str, count: u64) -> Outcome {
    let fd = io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map_err(cannot("take over the channel"))?;
    let channel = RunixStream::from(fd);
    let listener = take(&channel)?;
    println!(
        "worker: is user {} and has the socket of {address}",
        rustix::process::getuid().as_raw()
    );

    // The channel ends when the server does.
    thread::spawn(move || {
        let _ = (&channel).read(&mut [0]);
        process::exit(0);
    });
    for (client, stream) in (1..=count).zip(&listener) {
        let stream = stream.map_err(cannot("accept a client"))?;
        // What a client does is no reason to leave the others alone.
        match io::copy(&mut &stream, &mut &stream) {
            Ok(total) => println!("worker: client {client} is done after {total} bytes"),
            Err(error) => println!("worker: client {client} is lost: {}", error.kind()),
        }
    }
    Ok(())
}
