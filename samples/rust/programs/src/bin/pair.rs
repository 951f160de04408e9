// SPDX-License-Identifier: MIT OR GPL-2.0

//! runix-rs-pair: a parent and its child talk over a pair of sockets. The
//! parent shuts its sending side down; the child sees the end of the stream
//! and can still answer.

#![forbid(unsafe_code)]

use std::env;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{self, ExitCode};

use clap::{Arg, ArgAction, Command};
use runix::RunixStream;
use runix_programs::{cannot, expect_end, matches, no_socket, run, Failure, Outcome};

fn main() -> ExitCode {
    run(body)
}

fn body() -> Outcome {
    let command = Command::new("runix-rs-pair")
        .about("A parent and its child process talk over a pair of sockets.")
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
    println!("parent: has a pair of sockets, address family {family}");

    let program = env::current_exe().map_err(cannot("find this program"))?;
    let mut child = process::Command::new(program)
        .arg("--child")
        .stdin(OwnedFd::from(theirs))
        .spawn()
        .map_err(cannot("start a process"))?;
    let parent = Speaker {
        name: "parent",
        stream,
    };

    parent.say("ping")?;
    parent.expect("pong")?;
    println!("parent: shuts its sending side down");
    parent
        .stream
        .shutdown(Shutdown::Write)
        .map_err(cannot("shut down"))?;
    parent.expect("I can still send")?;
    parent.expect_end()?;

    let status = child.wait().map_err(cannot("wait for the child"))?;
    if !status.success() {
        return Err(Failure::new("the child has failed"));
    }
    Ok(())
}

fn child() -> Outcome {
    let fd = io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .map_err(cannot("take over the socket"))?;
    let child = Speaker {
        name: "child",
        stream: RunixStream::from(fd),
    };

    child.expect("ping")?;
    child.say("pong")?;
    child.expect_end()?;
    child.say("I can still send")
}

/// One of the two who talk.
struct Speaker {
    name: &'static str,
    stream: RunixStream,
}

impl Speaker {
    fn say(&self, text: &str) -> Outcome {
        println!("{}: sends \"{text}\"", self.name);
        (&self.stream)
            .write_all(text.as_bytes())
            .map_err(cannot(format_args!("send as {}", self.name)))
    }

    fn expect(&self, text: &str) -> Outcome {
        let mut data = vec![0; text.len()];

        (&self.stream)
            .read_exact(&mut data)
            .map_err(cannot(format_args!("receive as {}", self.name)))?;
        if data != text.as_bytes() {
            return Err(Failure::new(format!(
                "{} received something else than \"{text}\"",
                self.name
            )));
        }
        println!("{}: received \"{text}\"", self.name);
        Ok(())
    }

    fn expect_end(&self) -> Outcome {
        if !expect_end(&self.stream)? {
            return Err(Failure::new(format!(
                "{} received something instead of the end of the stream",
                self.name
            )));
        }
        println!("{}: end of stream", self.name);
        Ok(())
    }
}
