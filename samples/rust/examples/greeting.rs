// SPDX-License-Identifier: MIT OR GPL-2.0

//! A server and a client in two threads: `greeting PATH`

use std::env;
use std::fs;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::thread;

use runix::{RunixListener, RunixStream};

fn main() -> io::Result<()> {
    let path = env::args().nth(1).expect("give the path of a socket");
    let listener = RunixListener::bind(&path)?;
    let server = thread::spawn(move || serve(&listener));

    let mut stream = RunixStream::connect(&path)?;
    stream.write_all(b"good morning")?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    println!("client: received {answer}");

    server.join().expect("the server came to its end")?;
    fs::remove_file(path)
}

/// Answers one client in capitals.
fn serve(listener: &RunixListener) -> io::Result<()> {
    let (mut stream, _) = listener.accept()?;
    println!("server: a client of user {}", stream.peer_cred()?.uid);
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    stream.write_all(text.to_uppercase().as_bytes())
}
