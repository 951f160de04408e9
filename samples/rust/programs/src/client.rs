// SPDX-License-Identifier: MIT OR GPL-2.0

//! Talking and checking what comes back.

use std::io::{self, Read, Write};

use runix::RunixStream;

use crate::failure::{cannot, Failure, Outcome};
use crate::quoted::Quoted;
use crate::CHUNK;

/// What a client says to an echo server.
pub struct Conversation<'a> {
    stream: &'a RunixStream,
    total: usize,
}

impl<'a> Conversation<'a> {
    /// Begins one.
    pub fn new(stream: &'a RunixStream) -> Self {
        Self { stream, total: 0 }
    }

    /// Sends a message and checks that it comes back, part by part: an echo
    /// server stops reading while its answers are not read.
    pub fn say(&mut self, message: &[u8]) -> Outcome {
        for part in message.chunks(CHUNK) {
            println!("client: sends {}", Quoted(part));
            self.stream.write_all(part).map_err(cannot("send"))?;

            let mut answer = vec![0; part.len()];
            read_full(self.stream, &mut answer)?;
            println!("client: received {}", Quoted(&answer));
            if answer != part {
                return Err(Failure::new(
                    "the answer differs from the message: is this an echo server?",
                ));
            }
            self.total += part.len();
        }
        Ok(())
    }

    /// The bytes that have come back.
    pub fn total(&self) -> usize {
        self.total
    }
}

fn read_full(mut stream: &RunixStream, answer: &mut [u8]) -> Outcome {
    let mut back = 0;

    while back < answer.len() {
        match stream.read(&mut answer[back..]) {
            Ok(0) => {
                return Err(Failure::new(format!(
                    "the server closed the connection after {back} of {} bytes: \
                     look at its messages",
                    answer.len()
                )))
            }
            Ok(count) => back += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(cannot("receive")(error)),
        }
    }
    Ok(())
}

/// Checks that the stream has come to its end; tells whether it has.
pub fn expect_end(mut stream: &RunixStream) -> Outcome<bool> {
    loop {
        match stream.read(&mut [0]) {
            Ok(count) => return Ok(count == 0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(cannot("receive")(error)),
        }
    }
}
