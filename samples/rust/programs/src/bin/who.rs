// SPDX-License-Identifier: MIT OR GPL-2.0

//! runix-rs-who: a parent learns from the kernel who has sent a message: the
//! process, its user and group, and a descriptor of it, which stays that
//! process's even when its number is another's.

#![forbid(unsafe_code)]

use std::env;
use std::io::{self, IoSliceMut, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{self, ExitCode};
use std::thread;

use clap::{Arg, ArgAction, Command};
use runix::{ancillary_space, AncillaryData, RunixStream, SocketAncillary, UCred};
use runix_programs::{cannot, matches, no_socket, run, Failure, Outcome, Quoted};
use rustix::event::{poll, PollFd, PollFlags};
use rustix::process::{pidfd_send_signal, Signal};

fn main() -> ExitCode {
    run(body)
}

fn body() -> Outcome {
    let command = Command::new("runix-rs-who")
        .about("A parent asks the kernel who its child is, and ends it by a descriptor.")
        .arg(
            Arg::new("child")
                .long("child")
                .help("Be the child, with the socket as standard input")
                .action(ArgAction::SetTrue)
                .hide(true),
        );
    if matches(command)?.get_flag("child") {
        child()
    } else {
        parent()
    }
}

fn parent() -> Outcome {
    let (stream, theirs) = RunixStream::pair().map_err(no_socket)?;
    let family = runix::family().map_err(cannot("tell the address family"))?;
    stream
        .set_passcred(true)
        .and_then(|()| stream.set_passpidfd(true))
        .map_err(cannot("ask for senders"))?;
    println!("parent: asks to be told who sends, address family {family}");

    let program = env::current_exe().map_err(cannot("find this program"))?;
    let mut child = process::Command::new(program)
        .arg("--child")
        .stdin(OwnedFd::from(theirs))
        .spawn()
        .map_err(cannot("start a process"))?;

    let (cred, descriptor) = receive_sender(&stream)?;
    let who = match cred.pid {
        Some(pid) if i64::from(pid) == i64::from(child.id()) => "the child",
        _ => "somebody else",
    };
    println!(
        "parent: it is from {who}, of user {} and group {}",
        cred.uid, cred.gid
    );
    end(&descriptor)?;
    let status = child.wait().map_err(cannot("wait for the child"))?;
    let signal = status
        .signal()
        .ok_or_else(|| Failure::new("the child has ended by itself"))?;
    println!("parent: the child was ended by signal {signal}");
    Ok(())
}

fn receive_sender(stream: &RunixStream) -> Outcome<(UCred, OwnedFd)> {
    let mut buffer =
        [0; ancillary_space(size_of::<[i32; 3]>()) + ancillary_space(size_of::<i32>())];
    let mut ancillary = SocketAncillary::new(&mut buffer);
    let mut text = [0; 64];
    let count = stream
        .recv_vectored_with_ancillary(&mut [IoSliceMut::new(&mut text)], &mut ancillary)
        .map_err(cannot("receive"))?;
    println!("parent: received {}", Quoted(&text[..count]));

    let (mut cred, mut descriptor) = (None, None);
    for message in ancillary.messages() {
        match message {
            Ok(AncillaryData::ScmCredentials(told)) => cred = Some(told),
            Ok(AncillaryData::ScmPidfd(told)) => {
                descriptor = Some(told.map_err(cannot("get a process descriptor"))?);
            }
            _ => {}
        }
    }
    cred.zip(descriptor)
        .ok_or_else(|| Failure::new("the message doesn't tell its sender"))
}

/// Ends the process, and waits until it has.
fn end(descriptor: &OwnedFd) -> Outcome {
    println!("parent: ends that process by its descriptor");
    pidfd_send_signal(descriptor, Signal::TERM)
        .map_err(io::Error::from)
        .map_err(cannot("send a signal"))?;
    poll(&mut [PollFd::new(descriptor, PollFlags::IN)], None)
        .map_err(io::Error::from)
        .map_err(cannot("wait for the process"))?;
    Ok(())
}

fn child() -> Outcome {
    let fd = io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map_err(cannot("take over the socket"))?;
    let text = "here I am";
    println!("child: sends \"{text}\"");
    RunixStream::from(fd)
        .write_all(text.as_bytes())
        .map_err(cannot("send"))?;
    loop {
        thread::park();
    }
}
