// SPDX-License-Identifier: MIT OR GPL-2.0

//! runix-rs-echo-server: sends back whatever its clients send. Each client is
//! served by a thread.

#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::thread;

use clap::{value_parser, Arg, Command};
use runix::RunixStream;
use runix_programs::{cannot, matches, run, Guest, Outcome, SocketFile, CHUNK};

fn main() -> ExitCode {
    run(body)
}

fn body() -> Outcome {
    let command = Command::new("runix-rs-echo-server")
        .about("Echoes what clients send, until it is stopped.")
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
        );
    let matches = matches(command)?;
    let count = matches.get_one("count").copied().unwrap_or(u64::MAX);
    let (listener, _file) = SocketFile::listen(matches.get_one::<String>("address").unwrap())?;

    // The scope waits for the clients that are still being served.
    thread::scope(|scope| {
        for (client, stream) in (1..=count).zip(&listener) {
            let stream = stream.map_err(cannot("accept a client"))?;
            scope.spawn(move || {
                if let Err(failure) = serve(client, &stream) {
                    failure.print();
                }
            });
        }
        Ok(())
    })
}

fn serve(client: u64, mut stream: &RunixStream) -> Outcome {
    let mut guest = Guest::arrives(client, stream)?;
    let mut data = [0; CHUNK];

    loop {
        match stream.read(&mut data) {
            Ok(0) => break,
            Ok(count) => {
                guest.says(&data[..count]);
                stream
                    .write_all(&data[..count])
                    .map_err(cannot(format_args!("send to client {client}")))?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(cannot(format_args!("receive from client {client}"))(error));
            }
        }
    }
    guest.leaves();
    Ok(())
}
