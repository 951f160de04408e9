// SPDX-License-Identifier: MIT OR GPL-2.0

use std::fs::File;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process;

use runix::{
    ancillary_space, AncillaryData, RunixDatagram, RunixListener, RunixSeqpacket, RunixStream,
    SocketAncillary, UCred,
};

use crate::{abstract_address, TestPath};

/// The number in `/proc` of the process that a descriptor is of.
fn process_of(descriptor: &OwnedFd) -> i64 {
    let path = format!("/proc/self/fdinfo/{}", descriptor.as_raw_fd());
    let text = std::fs::read_to_string(path).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Pid:"));
    line.unwrap().trim().parse().unwrap()
}

/// What is written to the second end is read from the first, up to its end when
/// nobody has the second one open.
fn pipe() -> (RunixStream, RunixStream) {
    RunixStream::pair().unwrap()
}

/// Sends one byte with the writing end of a pipe, which is closed here.
fn send_writer(stream: &RunixStream, writer: RunixStream) {
    let mut buffer = [0; 64];
    let mut ancillary = SocketAncillary::new(&mut buffer);
    assert!(ancillary.add_fds(&[writer.as_fd()]));
    let sent = stream.send_vectored_with_ancillary(&[IoSlice::new(b"w")], &mut ancillary);
    assert_eq!(sent.unwrap(), 1);
}

#[test]
fn descriptors() {
    let (here, there) = RunixStream::pair().unwrap();
    let (mut reader, writer) = pipe();
    send_writer(&here, writer);

    let (mut buffer, mut byte) = ([0; 64], [0]);
    let mut ancillary = SocketAncillary::new(&mut buffer);
    let bytes = &mut [IoSliceMut::new(&mut byte)];
    let received = there.recv_vectored_with_ancillary(bytes, &mut ancillary);
    assert_eq!(received.unwrap(), 1);
    assert!(!ancillary.truncated());
    assert_eq!(ancillary.len(), ancillary_space(4));
    let mut taken = Vec::new();
    for message in ancillary.messages() {
        match message.unwrap() {
            AncillaryData::ScmRights(rights) => taken.extend(rights.map(Result::unwrap)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(taken.len(), 1);
    // It is taken once.
    for message in ancillary.messages() {
        if let AncillaryData::ScmRights(mut rights) = message.unwrap() {
            assert!(rights.next().is_none());
        }
    }
    drop(ancillary);
    let mut file = File::from(taken.pop().unwrap());
    file.write_all(b"through the pipe").unwrap();
    drop(file);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through the pipe");
}

/// Who doesn't take a descriptor leaves none open: the pipe ends.
#[test]
fn descriptors_are_closed() {
    let (here, there) = RunixStream::pair().unwrap();
    let (mut byte, mut text) = ([0], String::new());

    // With the value, by clear(), by the next receive, and after a half-taken list.
    for how in 0..4 {
        let (mut reader, writer) = pipe();
        send_writer(&here, writer);
        let mut buffer = [0; 64];
        let mut ancillary = SocketAncillary::new(&mut buffer);
        let bytes = &mut [IoSliceMut::new(&mut byte)];
        there
            .recv_vectored_with_ancillary(bytes, &mut ancillary)
            .unwrap();
        assert_eq!(ancillary.messages().count(), 1);
        match how {
            0 => drop(ancillary),
            1 => {
                ancillary.clear();
                assert!(ancillary.is_empty());
                reader.read_to_string(&mut text).unwrap();
            }
            2 => {
                (&here).write_all(b"x").unwrap();
                there
                    .recv_vectored_with_ancillary(bytes, &mut ancillary)
                    .unwrap();
                reader.read_to_string(&mut text).unwrap();
            }
            _ => {
                assert!(ancillary.add_creds(&UCred {
                    pid: None,
                    uid: 0,
                    gid: 0
                }));
                reader.read_to_string(&mut text).unwrap();
                continue;
            }
        }
        reader.read_to_string(&mut text).unwrap();
    }
    assert!(text.is_empty());
}

#[test]
fn too_little_room() {
    let (here, there) = RunixStream::pair().unwrap();
    let (mut reader, writer) = pipe();
    send_writer(&here, writer);
    let mut byte = [0];
    let mut ancillary = SocketAncillary::new(&mut []);
    let bytes = &mut [IoSliceMut::new(&mut byte)];
    there
        .recv_vectored_with_ancillary(bytes, &mut ancillary)
        .unwrap();
    assert!(ancillary.truncated());
    assert!(ancillary.is_empty());
    let mut text = String::new();
    assert_eq!(reader.read_to_string(&mut text).unwrap(), 0);

    let mut ancillary = SocketAncillary::new(&mut []);
    assert!(!ancillary.add_fds(&[here.as_fd()]));
}

#[test]
fn credentials_and_process() {
    let (here, there) = RunixStream::pair().unwrap();
    there.set_passcred(true).unwrap();
    there.set_passpidfd(true).unwrap();
    (&here).write_all(b"x").unwrap();

    let (mut buffer, mut byte) = ([0; 64], [0]);
    let mut ancillary = SocketAncillary::new(&mut buffer);
    let bytes = &mut [IoSliceMut::new(&mut byte)];
    there
        .recv_vectored_with_ancillary(bytes, &mut ancillary)
        .unwrap();
    let mut messages = ancillary.messages();
    match messages.next() {
        Some(Ok(AncillaryData::ScmCredentials(cred))) => {
            assert_eq!(cred, here.peer_cred().unwrap());
        }
        other => panic!("{other:?}"),
    }
    match messages.next() {
        Some(Ok(AncillaryData::ScmPidfd(Ok(descriptor)))) => {
            assert_eq!(process_of(&descriptor), i64::from(process::id()));
        }
        other => panic!("{other:?}"),
    }
    assert!(messages.next().is_none());
}

/// Stated credentials arrive; those of somebody else only from the privileged.
#[test]
fn stated_credentials() {
    let (here, there) = RunixDatagram::pair().unwrap();
    there.set_passcred(true).unwrap();
    let cred = {
        let (one, _other) = RunixStream::pair().unwrap();
        one.peer_cred().unwrap()
    };
    let stated = UCred { pid: None, ..cred };
    let mut buffer = [0; 64];
    let mut ancillary = SocketAncillary::new(&mut buffer);
    assert!(ancillary.add_creds(&stated));
    let sent = here.send_vectored_with_ancillary(&[IoSlice::new(b"x")], &mut ancillary);
    assert_eq!(sent.unwrap(), 1);

    let (mut buffer, mut bytes) = ([0; 64], [0; 4]);
    let mut ancillary = SocketAncillary::new(&mut buffer);
    let bytes = &mut [IoSliceMut::new(&mut bytes)];
    let received = there.recv_vectored_with_ancillary(bytes, &mut ancillary);
    assert_eq!(received.unwrap(), (1, false));
    match ancillary.messages().next() {
        Some(Ok(AncillaryData::ScmCredentials(got))) => assert_eq!(got, cred),
        other => panic!("{other:?}"),
    }

    let mut buffer = [0; 64];
    let mut ancillary = SocketAncillary::new(&mut buffer);
    assert!(ancillary.add_creds(&UCred {
        uid: u32::MAX,
        ..cred
    }));
    let error = here.send_vectored_with_ancillary(&[IoSlice::new(b"x")], &mut ancillary);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::InvalidInput);
}

/// Each option on each type, read back and not mixed up with others.
#[test]
fn options() {
    let (stream, _stream) = RunixStream::pair().unwrap();
    let (datagram, _datagram) = RunixDatagram::pair().unwrap();
    let (packet, _packet) = RunixSeqpacket::pair().unwrap();
    let listener = RunixListener::bind_addr(&abstract_address()).unwrap();

    macro_rules! check {
        ($($socket:ident),*) => {$(
            let read = || {
                [
                    $socket.passcred().unwrap(),
                    $socket.passpidfd().unwrap(),
                    $socket.passsec().unwrap(),
                    $socket.passrights().unwrap(),
                ]
            };
            assert_eq!(read(), [false, false, false, true]);
            $socket.set_passcred(true).unwrap();
            assert_eq!(read(), [true, false, false, true]);
            $socket.set_passpidfd(true).unwrap();
            assert_eq!(read(), [true, true, false, true]);
            $socket.set_passsec(true).unwrap();
            assert_eq!(read(), [true, true, true, true]);
            $socket.set_passrights(false).unwrap();
            assert_eq!(read(), [true, true, true, false]);
            $socket.set_passcred(false).unwrap();
            assert_eq!(read(), [false, true, true, false]);
        )*};
    }
    check!(stream, datagram, packet, listener);
}

/// A connection inherits the listener's wish to get no descriptors.
#[test]
fn no_descriptors_please() {
    let address = abstract_address();
    let listener = RunixListener::bind_addr(&address).unwrap();
    listener.set_passrights(false).unwrap();
    let client = RunixStream::connect_addr(&address).unwrap();
    let (_server, _) = listener.accept().unwrap();
    let mut buffer = [0; 64];
    let mut ancillary = SocketAncillary::new(&mut buffer);
    assert!(ancillary.add_fds(&[client.as_fd()]));
    let sent = client.send_vectored_with_ancillary(&[IoSlice::new(b"x")], &mut ancillary);
    assert_eq!(sent.unwrap_err().kind(), ErrorKind::PermissionDenied);
}

#[test]
fn peer_process() {
    let (here, _there) = RunixStream::pair().unwrap();
    let descriptor = here.peer_pidfd().unwrap();
    assert_eq!(process_of(&descriptor), i64::from(process::id()));
    let (here, _there) = RunixSeqpacket::pair().unwrap();
    let descriptor = here.peer_pidfd().unwrap();
    assert_eq!(process_of(&descriptor), i64::from(process::id()));
}

#[test]
fn to_a_name() {
    let path = TestPath::new();
    let server = RunixDatagram::bind(&path).unwrap();
    let client = RunixDatagram::bind_addr(&abstract_address()).unwrap();
    let (mut reader, writer) = pipe();
    let mut buffer = [0; 64];
    let mut ancillary = SocketAncillary::new(&mut buffer);
    assert!(ancillary.add_fds(&[writer.as_fd()]));
    let bytes = &[IoSlice::new(b"ab"), IoSlice::new(b"cd")];
    let sent = client.send_vectored_with_ancillary_to(bytes, &mut ancillary, &path);
    assert_eq!(sent.unwrap(), 4);
    drop(ancillary);
    drop(writer);

    let (mut buffer, mut bytes) = ([0; 64], [0; 3]);
    let mut ancillary = SocketAncillary::new(&mut buffer);
    let parts = &mut [IoSliceMut::new(&mut bytes)];
    let (count, truncated, address) = server
        .recv_vectored_with_ancillary_from(parts, &mut ancillary)
        .unwrap();
    assert_eq!((count, truncated), (3, true));
    assert_eq!(
        address.to_string(),
        client.local_addr().unwrap().to_string()
    );
    assert_eq!(ancillary.messages().count(), 1);
    drop(ancillary);
    assert_eq!(bytes, *b"abc");
    let mut text = String::new();
    assert_eq!(reader.read_to_string(&mut text).unwrap(), 0);
}
