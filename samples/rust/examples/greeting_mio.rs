// SPDX-License-Identifier: MIT OR GPL-2.0

//! A server and a client in one event loop, on mio: `greeting-mio PATH`

use std::env;
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use runix::{RunixListener, RunixStream, SocketAddr};

const LISTENER: Token = Token(0);
const SERVER: Token = Token(1);
const CLIENT: Token = Token(2);

fn main() -> io::Result<()> {
    let path = env::args().nth(1).expect("give the path of a socket");
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(16);

    let mut listener = RunixListener::bind(&path)?;
    listener.set_nonblocking(true)?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;

    let mut client = RunixStream::connect_nonblocking(&SocketAddr::from_pathname(&path)?)?;
    poll.registry()
        .register(&mut client, CLIENT, Interest::READABLE)?;
    client.write_all(b"good morning")?;
    client.shutdown(Shutdown::Write)?;

    let mut server = None;
    let (mut asked, mut answer) = (Vec::new(), Vec::new());
    loop {
        poll.poll(&mut events, Some(Duration::from_secs(20)))?;
        if events.is_empty() {
            return Err(ErrorKind::TimedOut.into());
        }
        for event in &events {
            match event.token() {
                LISTENER => {
                    let (mut stream, _) = listener.accept()?;
                    stream.set_nonblocking(true)?;
                    poll.registry()
                        .register(&mut stream, SERVER, Interest::READABLE)?;
                    server = Some(stream);
                }
                SERVER => {
                    let Some(stream) = &mut server else { continue };
                    if read_to_end(stream, &mut asked)? {
                        stream.write_all(&asked.to_ascii_uppercase())?;
                        server = None;
                    }
                }
                _ => {
                    if read_to_end(&mut client, &mut answer)? {
                        let answer = String::from_utf8_lossy(&answer);
                        println!("client: received {answer}");
                        return fs::remove_file(path);
                    }
                }
            }
        }
    }
}

/// Reads what there is; tells whether that was all.
fn read_to_end(stream: &mut RunixStream, data: &mut Vec<u8>) -> io::Result<bool> {
    match stream.read_to_end(data) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}
