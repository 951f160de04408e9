// SPDX-License-Identifier: MIT OR GPL-2.0

//! runix-rs-privsep from outside, on AF_UNIX, which every kernel has.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{self, Command, Stdio};
use std::time::Duration;

use rustix::event::{poll, PollFd, PollFlags, Timespec};

/// A client that closes with its answer unread makes the server's next call fail.
/// The one after it is served all the same.
#[test]
fn a_client_that_is_lost() {
    let directory = env::temp_dir().join(format!("runix-privsep-{}", process::id()));
    fs::create_dir(&directory).unwrap();
    let path = directory.join("socket");
    // Who has no rights may not be able to run it where it is.
    let program = directory.join("runix-rs-privsep");
    fs::copy(env!("CARGO_BIN_EXE_runix-rs-privsep"), &program).unwrap();
    let mut server = Command::new(&program)
        .args(["-n", "2"])
        .arg(&path)
        .env("RUNIX_FAMILY", "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(server.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.starts_with("server: listening on "), "{line}");

    let mut rude = UnixStream::connect(&path).unwrap();
    rude.write_all(b"and?").unwrap();
    // The answer is there and isn't taken.
    let limit = Timespec::try_from(Duration::from_secs(60)).unwrap();
    poll(&mut [PollFd::new(&rude, PollFlags::IN)], Some(&limit)).unwrap();
    drop(rude);

    let mut polite = UnixStream::connect(&path).unwrap();
    polite.write_all(b"hello").unwrap();
    let mut answer = [0; 5];
    polite.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello");
    drop(polite);

    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("worker: client 1 is lost: "), "{rest}");
    assert!(
        rest.contains("worker: client 2 is done after 5 bytes"),
        "{rest}"
    );
    assert!(server.wait().unwrap().success());
    fs::remove_dir_all(&directory).unwrap();
}
