// SPDX-License-Identifier: MIT OR GPL-2.0

//! runix-rs-echo-async: the echo server on the tokio runtime. One thread
//! serves all clients.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::{value_parser, Arg, Command};
use runix::{AsyncRunixListener, AsyncRunixStream, RunixListener};
use runix_programs::{cannot, matches, run, Guest, Outcome, SocketFile, CHUNK};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

fn main() -> ExitCode {
    run(body)
}

fn body() -> Outcome {
    let command = Command::new("runix-rs-echo-async")
        .about("Echoes what clients send, all of them in one thread, until it is stopped.")
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

    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(cannot("start the runtime"))?
        .block_on(accept(listener, count))
}

async fn accept(listener: RunixListener, count: u64) -> Outcome {
    let listener = AsyncRunixListener::try_from(listener).map_err(cannot("use the runtime"))?;
    let mut tasks = JoinSet::new();

    for client in 1..=count {
        let (stream, _) = listener.accept().await.map_err(cannot("accept a client"))?;
        tasks.spawn(async move {
            if let Err(failure) = serve(client, stream).await {
                failure.print();
            }
        });
        // Forget those that are done.
        while tasks.try_join_next().is_some() {}
    }
    tasks.join_all().await;
    Ok(())
}

async fn serve(client: u64, mut stream: AsyncRunixStream) -> Outcome {
    let mut guest = Guest::arrives(client, stream.get_ref())?;
    let mut data = [0; CHUNK];

    loop {
        let count = stream
            .read(&mut data)
            .await
            .map_err(cannot(format_args!("receive from client {client}")))?;
        if count == 0 {
            break;
        }
        guest.says(&data[..count]);
        stream
            .write_all(&data[..count])
            .await
            .map_err(cannot(format_args!("send to client {client}")))?;
    }
    guest.leaves();
    Ok(())
}
