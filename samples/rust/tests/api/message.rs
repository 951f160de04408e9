// SPDX-License-Identifier: MIT OR GPL-2.0

//! Datagrams and sequenced packets.

use std::io::ErrorKind;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::process;
use std::time::Duration;

use runix::{RunixDatagram, RunixSeqpacket, RunixSeqpacketListener};

use crate::{abstract_address, TestPath};

#[test]
fn datagrams() {
    let path = TestPath::new();
    let server = RunixDatagram::bind(&path).unwrap();
    let client = RunixDatagram::unbound().unwrap();
    assert!(client.local_addr().unwrap().is_unnamed());
    assert_eq!(client.send_to(b"one", &path).unwrap(), 3);
    client.connect(&path).unwrap();
    assert_eq!(client.send(b"two").unwrap(), 3);
    assert_eq!(
        client.peer_addr().unwrap().as_pathname(),
        Some(path.as_ref())
    );

    let mut message = [0; 16];
    let (count, address) = server.peek_from(&mut message).unwrap();
    assert_eq!(&message[..count], b"one");
    assert!(address.is_unnamed());
    assert_eq!(server.recv_from(&mut message).unwrap().0, 3);
    // What doesn't fit is lost, and borders stay.
    assert_eq!(server.recv(&mut message[..2]).unwrap(), 2);
    assert_eq!(&message[..2], b"tw");
    server.set_nonblocking(true).unwrap();
    let error = server.recv(&mut message).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert!(server.take_error().unwrap().is_none());
}

#[test]
fn datagram_names() {
    let address = abstract_address();
    let server = RunixDatagram::bind_addr(&address).unwrap();
    let error = RunixDatagram::bind_addr(&address).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    let client = RunixDatagram::bind_addr(&abstract_address()).unwrap();
    client.send_to_addr(b"hello", &address).unwrap();
    let mut message = [0; 16];
    let (_, from) = server.recv_from(&mut message).unwrap();
    assert_eq!(
        from.as_abstract_name(),
        client.local_addr().unwrap().as_abstract_name()
    );
    server.send_to_addr(b"again", &from).unwrap();
    assert_eq!(client.peek(&mut message).unwrap(), 5);
    client.connect_addr(&address).unwrap();
    drop(server);
    let error = client.send(b"x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn packets() {
    let path = TestPath::new();
    let listener = RunixSeqpacketListener::bind(&path).unwrap();
    listener.set_nonblocking(true).unwrap();
    let error = listener.accept().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    let client = RunixSeqpacket::connect(&path).unwrap();
    let (server, address) = listener.accept().unwrap();
    assert!(address.is_unnamed());
    assert_eq!(
        server.peer_cred().unwrap().pid,
        Some(process::id().try_into().unwrap())
    );

    client.send(b"one").unwrap();
    client.send(b"two").unwrap();
    let mut message = [0; 16];
    assert_eq!(server.recv(&mut message).unwrap(), 3);
    assert_eq!(server.peek(&mut message).unwrap(), 3);
    assert_eq!(&message[..3], b"two");
    assert_eq!(server.recv(&mut message).unwrap(), 3);
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(server.recv(&mut message).unwrap(), 0);
    drop(server);
    let error = client.send(b"x").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
}

#[test]
fn timeouts_and_handles() {
    let (here, there) = RunixSeqpacket::pair().unwrap();
    let short = Some(Duration::from_millis(20));
    here.set_read_timeout(short).unwrap();
    here.set_write_timeout(short).unwrap();
    assert_eq!(here.read_timeout().unwrap(), short);
    assert_eq!(here.write_timeout().unwrap(), short);
    let error = here.recv(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);

    let again = there.try_clone().unwrap();
    drop(there);
    again.send(b"x").unwrap();
    let same = RunixSeqpacket::from(OwnedFd::from(here));
    assert_eq!(same.recv(&mut [0]).unwrap(), 1);
    assert!(format!("{same:?}").starts_with("RunixSeqpacket { fd: "));
}
