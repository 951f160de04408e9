// SPDX-License-Identifier: MIT OR GPL-2.0

//! runix-rs-echo-client: sends messages to an echo server and checks what
//! comes back.

#![forbid(unsafe_code)]

use std::io::{self, BufRead};
use std::net::Shutdown;
use std::process::ExitCode;

use clap::{Arg, ArgAction, Command};
use runix::RunixStream;
use runix_programs::{
    address, cannot, expect_end, matches, no_connection, run, Conversation, Failure, Outcome,
};

fn main() -> ExitCode {
    run(body)
}

fn body() -> Outcome {
    let command = Command::new("runix-rs-echo-client")
        .about(
            "Sends each message, or else each line of its input, to an echo server and checks \
             that it comes back.",
        )
        .arg(
            Arg::new("address")
                .help("A path, or @name for an abstract name")
                .value_name("ADDRESS")
                .required(true),
        )
        .arg(
            Arg::new("messages")
                .help("What to send, each with a newline behind it")
                .value_name("MESSAGE")
                .action(ArgAction::Append),
        );
    let matches = matches(command)?;
    let text: &String = matches.get_one("address").unwrap();

    let stream =
        RunixStream::connect_addr(&address(text)?).map_err(|error| no_connection(text, error))?;
    println!("client: connected to {text}");

    let mut conversation = Conversation::new(&stream);
    match matches.get_many::<String>("messages") {
        Some(messages) => {
            for message in messages {
                conversation.say(format!("{message}\n").as_bytes())?;
            }
        }
        None => say_input(&mut conversation)?,
    }

    // The server sees the end of the stream, and we see that it saw it.
    stream
        .shutdown(Shutdown::Write)
        .map_err(cannot("shut down"))?;
    if !expect_end(&stream)? {
        return Err(Failure::new(
            "more came back than was sent: is this an echo server?",
        ));
    }
    println!(
        "client: end of stream, {} bytes came back",
        conversation.total()
    );
    Ok(())
}

fn say_input(conversation: &mut Conversation<'_>) -> Outcome {
    let mut input = io::stdin().lock();
    let mut line = Vec::new();

    while input
        .read_until(b'\n', &mut line)
        .map_err(cannot("read the input"))?
        > 0
    {
        conversation.say(&line)?;
        line.clear();
    }
    Ok(())
}
