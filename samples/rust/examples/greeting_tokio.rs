// SPDX-License-Identifier: MIT OR GPL-2.0

//! A server and many clients in one thread, on tokio: `greeting-tokio PATH`

use std::env;
use std::fs;
use std::io;

use runix::{AsyncRunixListener, AsyncRunixStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

const CLIENTS: usize = 10;

fn main() -> io::Result<()> {
    let path = env::args().nth(1).expect("give the path of a socket");
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(talk(&path))?;
    fs::remove_file(path)
}

async fn talk(path: &str) -> io::Result<()> {
    let listener = AsyncRunixListener::bind(path)?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });

    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(ask(path.to_owned(), number));
    }
    let mut answered = 0;
    while let Some(answer) = clients.join_next().await {
        assert!(answer??.starts_with("GOOD MORNING, CLIENT "));
        answered += 1;
    }
    println!("{answered} clients were answered");
    Ok(())
}

/// Answers in capitals.
async fn serve(mut stream: AsyncRunixStream) -> io::Result<()> {
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    stream.write_all(text.to_uppercase().as_bytes()).await
}

async fn ask(path: String, number: usize) -> io::Result<String> {
    let mut stream = AsyncRunixStream::connect(path).await?;
    let text = format!("good morning, client {number}");
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
