// SPDX-License-Identifier: MIT OR GPL-2.0

//! runixstat from outside, on AF_UNIX, which every kernel has.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{self, Command, Output, Stdio};

/// A directory that goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Self {
        let path = env::temp_dir().join(format!("runixstat-{test}-{}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn socket(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runixstat"));
    command.args(arguments).env("RUNIX_FAMILY", "1");
    command
}

fn output(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

/// The rows of the table, in words.
fn rows(arguments: &[&str]) -> Vec<Vec<String>> {
    let output = output(arguments);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    assert!(lines.next().unwrap().starts_with("TYPE "));
    lines
        .map(|line| line.split_whitespace().map(String::from).collect())
        .collect()
}

/// The inode behind a descriptor, as /proc shows it.
fn inode(socket: &impl AsRawFd) -> String {
    let link = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
    let link = link.to_str().unwrap();
    link.trim_matches(|c: char| !c.is_ascii_digit()).to_owned()
}

/// Are sockets told of by sock_diag here, with queues and peers?
fn has_details() -> bool {
    let output = output(&["--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    text.starts_with(r#"{"family":1,"source":"sock_diag","#)
}

#[test]
fn a_server_and_its_clients() {
    let directory = Directory::new("server");
    let path = directory.socket("s");
    let listener = UnixListener::bind(&path).unwrap();
    let mut client = UnixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();
    let _waiting = UnixStream::connect(&path).unwrap();
    client.write_all(b"hello").unwrap();

    let listening = rows(&["--name", &path, "--state", "listening"]);
    assert_eq!(listening.len(), 1, "{listening:?}");
    assert_eq!(listening[0][..2], ["stream", "listening"]);
    assert_eq!(listening[0][4], path);
    assert_eq!(listening[0][6], inode(&listener));
    let me = format!("/{}/{}", process::id(), listener.as_raw_fd());
    assert!(listening[0][8].ends_with(&me), "{listening:?}");

    let connected = rows(&["--name", &path, "--state", "connected"]);
    let row_of = |inode: String| connected.iter().find(|row| row[6] == inode);
    let servers = row_of(inode(&server)).unwrap();
    assert_eq!(servers[4], path);
    if !has_details() {
        return;
    }
    assert_eq!(listening[0][2], "1");
    assert_eq!(servers[2..4], ["5", "0"]);
    assert_eq!(servers[5], format!("[{}]", inode(&client)));
    let clients = row_of(inode(&client)).unwrap();
    assert_eq!(clients[4], "-");
    assert_eq!(clients[5], format!("{path}[{}]", inode(&server)));
}

#[test]
fn filters() {
    let directory = Directory::new("filters");
    let path = directory.socket("d");
    let datagram = UnixDatagram::bind(&path).unwrap();
    let _stream = UnixListener::bind(directory.socket("l")).unwrap();
    let under = directory.socket("");
    let pid = process::id().to_string();

    assert_eq!(rows(&["-n", &under]).len(), 2);
    let rows_of = |arguments: &[&str]| rows(&[&["-n", &under][..], arguments].concat()).len();
    assert_eq!(rows_of(&["-t", "dgram"]), 1);
    assert_eq!(rows_of(&["-t", "dgram,stream"]), 2);
    assert_eq!(rows_of(&["-t", "dgram", "-t", "stream"]), 2);
    assert_eq!(rows_of(&["-t", "seqpacket"]), 0);
    assert_eq!(rows_of(&["-s", "unconnected"]), 1);
    assert_eq!(rows_of(&["-p", &pid]), 2);
    // More than a process may have; a short number might be part of this program's name.
    assert_eq!(rows_of(&["-p", "41943050"]), 0);
    assert_eq!(rows_of(&["-p", "no such process"]), 0);
    assert_eq!(rows(&["-n", &format!("{under}?")]).len(), 2);
    assert_eq!(rows(&["-n", &format!("*{}", &path[1..])]).len(), 1);
    drop(datagram);
    assert_eq!(rows_of(&[]), 1);
}

#[test]
fn json() {
    let directory = Directory::new("json");
    let path = directory.socket("a \"b\"\n");
    let listener = UnixListener::bind(&path).unwrap();
    let output = output(&["--json", "--name", &directory.socket("")]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert!(text.ends_with("]}\n"));
    let name = format!(r#""local":"{}""#, directory.socket(r#"a \"b\"\\x0a"#));
    assert!(text.contains(&name), "{text}");
    let inode = format!(
        r#""type":"stream","state":"listening","inode":{},"#,
        inode(&listener)
    );
    assert!(text.contains(&inode), "{text}");
    assert!(
        text.contains(&format!(r#""pid":{},"#, process::id())),
        "{text}"
    );
}

#[test]
fn watching() {
    let mut child = program(&["--watch", "0.1", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let mut documents = 0;
    let mut byte = [0];
    while documents < 3 {
        output.read_exact(&mut byte).unwrap();
        documents += usize::from(byte[0] == b'\n');
    }
    // Nobody reads any more: it ends by itself, and is content.
    drop(output);
    assert!(child.wait().unwrap().success());
}

#[test]
fn mistakes() {
    for (arguments, said) in [
        (&["-t", "raw"][..], "there is no type 'raw': see --help"),
        (&["-s", "open"], "there is no state 'open': see --help"),
        (
            &["-w", "0"],
            "'0' is no number of seconds: give one of at least 0.1",
        ),
        (
            &["-w", "nan"],
            "'nan' is no number of seconds: give one of at least 0.1",
        ),
        (
            &["-w", "inf"],
            "'inf' is no number of seconds: give one of at least 0.1",
        ),
        (&["-x"], "unexpected argument '-x' found: see --help"),
    ] {
        let output = output(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text, format!("runixstat: {said}\n"));
    }
}

/// Where the line can't be written, the status still tells what was wrong.
#[test]
fn nobody_is_told() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let status = program(&["-x"]).stderr(full.unwrap()).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

/// As with runixstat above, for the sample in the manner of netstat.
#[test]
fn netstat_into_a_closed_pipe() {
    let (read, write) = UnixStream::pair().unwrap();
    drop(read);
    let output = Command::new(env!("CARGO_BIN_EXE_runix-rs-netstat"))
        .env("RUNIX_FAMILY", "1")
        .stdout(OwnedFd::from(write))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}
