// SPDX-License-Identifier: MIT OR GPL-2.0

use std::env;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;

use runix::{RunixListener, RunixStream, SocketAddr};

use crate::{abstract_address, beside, TestPath};

#[test]
fn pathname() {
    let path = TestPath::new();
    let listener = RunixListener::bind(&path).unwrap();

    assert!(fs::metadata(&path).unwrap().file_type().is_socket());
    assert_eq!(
        listener.local_addr().unwrap().as_pathname(),
        Some(path.as_ref())
    );
    let _client = RunixStream::connect(&path).unwrap();
    let (stream, client) = listener.accept().unwrap();
    assert!(client.is_unnamed());
    assert_eq!(
        stream.local_addr().unwrap().as_pathname(),
        Some(path.as_ref())
    );
}

#[test]
fn abstract_name() {
    let address = abstract_address();
    let listener = RunixListener::bind_addr(&address).unwrap();

    assert_eq!(
        listener.local_addr().unwrap().as_abstract_name(),
        address.as_abstract_name()
    );
    let client = RunixStream::connect_addr(&address).unwrap();
    assert_eq!(
        client.peer_addr().unwrap().as_abstract_name(),
        address.as_abstract_name()
    );
}

#[test]
fn longest_names() {
    let mut path = env::temp_dir();
    let fill = 107 - path.as_os_str().len() - 1;
    path.push("x".repeat(fill));
    let path = TestPath(path);
    let listener = RunixListener::bind(&path).unwrap();
    assert_eq!(
        listener.local_addr().unwrap().as_pathname(),
        Some(path.as_ref())
    );

    let mut name = b"longest \0 name ".to_vec();
    name.resize(107, 0);
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = RunixListener::bind_addr(&address).unwrap();
    assert_eq!(
        listener.local_addr().unwrap().as_abstract_name(),
        Some(&name[..])
    );
    RunixStream::connect_addr(&address).unwrap();
}

#[test]
fn the_kernel_chooses_a_name() {
    let unnamed = SocketAddr::from_pathname("").unwrap();
    let listener = RunixListener::bind_addr(&unnamed).unwrap();
    let address = listener.local_addr().unwrap();

    let name = address.as_abstract_name().unwrap();
    assert_eq!(name.len(), 5);
    assert!(name.iter().all(u8::is_ascii_hexdigit));
    RunixStream::connect_addr(&address).unwrap();
}

#[test]
fn name_in_use() {
    let path = TestPath::new();
    let listener = RunixListener::bind(&path).unwrap();
    let in_use = |error: std::io::Error| assert_eq!(error.kind(), ErrorKind::AddrInUse);
    in_use(RunixListener::bind(&path).unwrap_err());

    // The file outlives its socket.
    drop(listener);
    in_use(RunixListener::bind(&path).unwrap_err());

    let address = abstract_address();
    let listener = RunixListener::bind_addr(&address).unwrap();
    in_use(RunixListener::bind_addr(&address).unwrap_err());

    // An abstract name doesn't.
    drop(listener);
    RunixListener::bind_addr(&address).unwrap();
}

#[test]
fn no_directory() {
    let path = TestPath::new();
    let error = RunixListener::bind(path.as_ref().join("below")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn too_long() {
    let error = RunixListener::bind("x".repeat(108)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn incoming() {
    const CLIENTS: u8 = 5;
    let address = abstract_address();
    let listener = RunixListener::bind_addr(&address).unwrap();

    let clients = beside(move || {
        for number in 0..CLIENTS {
            let mut stream = RunixStream::connect_addr(&address).unwrap();
            stream.write_all(&[number]).unwrap();
        }
    });
    for (number, stream) in (0..CLIENTS).zip(&listener) {
        let mut data = Vec::new();
        stream.unwrap().read_to_end(&mut data).unwrap();
        assert_eq!(data, [number]);
    }
    clients.join().unwrap();
}

#[test]
fn nonblocking() {
    let address = abstract_address();
    let listener = RunixListener::bind_addr(&address).unwrap();
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);

    let _client = RunixStream::connect_addr(&address).unwrap();
    listener.accept().unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn second_handle() {
    let address = abstract_address();
    let listener = RunixListener::bind_addr(&address).unwrap();
    let second = listener.try_clone().unwrap();
    assert_ne!(listener.as_raw_fd(), second.as_raw_fd());

    drop(listener);
    let _client = RunixStream::connect_addr(&address).unwrap();
    second.accept().unwrap();
}

#[test]
fn no_error_waits() {
    let listener = RunixListener::bind_addr(&abstract_address()).unwrap();
    assert!(listener.take_error().unwrap().is_none());
}

#[test]
fn file_descriptor() {
    let address = abstract_address();
    let listener = RunixListener::bind_addr(&address).unwrap();

    let raw = OwnedFd::from(listener).into_raw_fd();
    // SAFETY: `into_raw_fd` has just given up an open file descriptor.
    let listener = unsafe { RunixListener::from_raw_fd(raw) };
    assert_eq!(listener.as_raw_fd(), raw);
    let listener = RunixListener::from(OwnedFd::from(listener));
    RunixStream::connect_addr(&address).unwrap();
    listener.accept().unwrap();
}

#[test]
fn debug() {
    let address = SocketAddr::from_abstract_name("runix debug").unwrap();
    let listener = RunixListener::bind_addr(&address).unwrap();
    assert_eq!(
        format!("{listener:?}"),
        format!(
            "RunixListener {{ fd: {}, local: \"runix debug\" (abstract) }}",
            listener.as_raw_fd()
        )
    );
}
