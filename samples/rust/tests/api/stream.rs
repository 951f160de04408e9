// SPDX-License-Identifier: MIT OR GPL-2.0

use std::fs;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::process;
use std::time::{Duration, Instant};

use runix::{RunixListener, RunixStream};

use crate::{abstract_address, beside, TestPath};

/// A pair whose reads give up when something is wrong, instead of hanging.
fn pair() -> (RunixStream, RunixStream) {
    let (here, there) = RunixStream::pair().unwrap();
    for stream in [&here, &there] {
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
    }
    (here, there)
}

/// Writes until there is no more room; returns how much it was.
fn fill(mut stream: &RunixStream) -> usize {
    let mut total = 0;

    stream.set_nonblocking(true).unwrap();
    loop {
        match stream.write(&[0; 4096]) {
            Ok(count) => total += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("{error}"),
        }
    }
    stream.set_nonblocking(false).unwrap();
    total
}

#[test]
fn echo() {
    let path = TestPath::new();
    let listener = RunixListener::bind(&path).unwrap();
    let server = beside(move || {
        let (stream, _) = listener.accept().unwrap();
        io::copy(&mut &stream, &mut &stream).unwrap()
    });

    let mut stream = RunixStream::connect(&path).unwrap();
    stream.write_all(b"hello, ").unwrap();
    stream.write_all(b"world").unwrap();
    stream.flush().unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "hello, world");
    assert_eq!(server.join().unwrap(), 12);
}

#[test]
fn addresses() {
    let path = TestPath::new();
    let listener = RunixListener::bind(&path).unwrap();
    let client = RunixStream::connect(&path).unwrap();
    let (server, _) = listener.accept().unwrap();

    assert!(client.local_addr().unwrap().is_unnamed());
    assert!(server.peer_addr().unwrap().is_unnamed());
    assert_eq!(
        client.peer_addr().unwrap().as_pathname(),
        Some(path.as_ref())
    );
    assert_eq!(
        server.local_addr().unwrap().as_pathname(),
        Some(path.as_ref())
    );

    let (here, there) = pair();
    assert!(here.local_addr().unwrap().is_unnamed());
    assert!(there.peer_addr().unwrap().is_unnamed());
}

#[test]
fn nobody_listens() {
    let path = TestPath::new();
    let error = RunixStream::connect(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);

    drop(RunixListener::bind(&path).unwrap());
    let error = RunixStream::connect(&path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);

    let error = RunixStream::connect_addr(&abstract_address()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn much_data_both_ways() {
    const SIZE: usize = 1 << 20;
    let byte = |index: usize| (index % 251) as u8;
    let (here, there) = pair();

    let send = move |mut stream: &RunixStream| {
        let data: Vec<u8> = (0..SIZE).map(byte).collect();
        // Pieces of odd sizes.
        for piece in data.chunks(7919) {
            stream.write_all(piece).unwrap();
        }
        stream.shutdown(Shutdown::Write).unwrap();
    };
    let receive = move |mut stream: &RunixStream| {
        let mut data = Vec::new();
        stream.read_to_end(&mut data).unwrap();
        assert_eq!(data.len(), SIZE);
        assert!(data.iter().enumerate().all(|(i, b)| *b == byte(i)));
    };

    std::thread::scope(|scope| {
        for stream in [&here, &there] {
            scope.spawn(move || send(stream));
            scope.spawn(move || receive(stream));
        }
    });
}

#[test]
fn end_of_stream() {
    let (mut here, mut there) = pair();
    here.write_all(b"last").unwrap();
    here.shutdown(Shutdown::Write).unwrap();

    let mut data = Vec::new();
    there.read_to_end(&mut data).unwrap();
    assert_eq!(data, b"last");
    assert_eq!(there.read(&mut [0]).unwrap(), 0);

    // The other direction still works.
    there.write_all(b"back").unwrap();
    drop(there);
    data.clear();
    here.read_to_end(&mut data).unwrap();
    assert_eq!(data, b"back");
}

#[test]
fn shutdowns() {
    let (mut here, mut there) = pair();
    here.shutdown(Shutdown::Read).unwrap();
    assert_eq!(here.read(&mut [0]).unwrap(), 0);
    assert_eq!(there.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);

    let (mut here, mut there) = pair();
    here.shutdown(Shutdown::Both).unwrap();
    assert_eq!(here.read(&mut [0]).unwrap(), 0);
    assert_eq!(there.read(&mut [0]).unwrap(), 0);
    assert_eq!(here.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(there.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn closed_peer() {
    let (mut here, there) = pair();
    drop(there);
    assert_eq!(here.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(
        here.write_vectored(&[IoSlice::new(b"x")])
            .unwrap_err()
            .kind(),
        ErrorKind::BrokenPipe
    );
    assert_eq!(here.read(&mut [0]).unwrap(), 0);
}

#[test]
fn peer_closed_with_unread_data() {
    let (mut here, there) = pair();
    here.write_all(b"never read").unwrap();
    drop(there);
    assert_eq!(
        here.read(&mut [0]).unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
    // It was told once.
    assert_eq!(here.read(&mut [0]).unwrap(), 0);
}

#[test]
fn an_error_waits() {
    let (mut here, there) = pair();
    assert!(here.take_error().unwrap().is_none());

    here.write_all(b"never read").unwrap();
    drop(there);
    let error = here.take_error().unwrap().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(here.take_error().unwrap().is_none());
}

#[test]
fn peek() {
    let (here, mut there) = pair();
    there.write_all(b"hello").unwrap();

    let mut data = [0; 8];
    for _ in 0..2 {
        assert_eq!(here.peek(&mut data).unwrap(), 5);
        assert_eq!(&data[..5], b"hello");
    }
    assert_eq!(here.peek(&mut data[..2]).unwrap(), 2);
    assert_eq!((&here).read(&mut data).unwrap(), 5);
    here.set_nonblocking(true).unwrap();
    assert_eq!(
        here.peek(&mut data).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
}

#[test]
fn vectored() {
    let (mut here, mut there) = pair();
    let sent = here
        .write_vectored(&[IoSlice::new(b"he"), IoSlice::new(b""), IoSlice::new(b"llo")])
        .unwrap();
    assert_eq!(sent, 5);

    let (mut start, mut end) = ([0; 1], [0; 8]);
    let received = there
        .read_vectored(&mut [IoSliceMut::new(&mut start), IoSliceMut::new(&mut end)])
        .unwrap();
    assert_eq!(received, 5);
    assert_eq!(&start, b"h");
    assert_eq!(&end[..4], b"ello");
}

/// More slices than a call takes are no error.
#[test]
fn many_slices() {
    let (mut here, mut there) = pair();
    let slices = vec![IoSlice::new(b"x"); 2000];
    let sent = here.write_vectored(&slices).unwrap();
    assert_eq!(sent, 1024);

    let mut bytes = vec![0; 2000];
    let mut slices: Vec<_> = bytes.chunks_mut(1).map(IoSliceMut::new).collect();
    let received = there.read_vectored(&mut slices).unwrap();
    assert_eq!(received, 1024);
    assert!(bytes[..1024].iter().all(|byte| *byte == b'x'));
}

#[test]
fn nothing_to_send_or_receive() {
    let (mut here, mut there) = pair();
    assert_eq!(here.write(&[]).unwrap(), 0);
    there.set_nonblocking(true).unwrap();
    assert_eq!(
        there.read(&mut [0]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
}

#[test]
fn timeouts_are_kept() {
    let (here, there) = RunixStream::pair().unwrap();
    assert_eq!(here.read_timeout().unwrap(), None);
    assert_eq!(here.write_timeout().unwrap(), None);

    let long = Duration::from_secs(90);
    let longer = Duration::from_secs(120);
    here.set_read_timeout(Some(long)).unwrap();
    here.set_write_timeout(Some(longer)).unwrap();
    assert_eq!(here.read_timeout().unwrap(), Some(long));
    assert_eq!(here.write_timeout().unwrap(), Some(longer));
    assert_eq!(there.read_timeout().unwrap(), None);

    here.set_read_timeout(None).unwrap();
    assert_eq!(here.read_timeout().unwrap(), None);
    assert_eq!(here.write_timeout().unwrap(), Some(longer));

    for error in [
        here.set_read_timeout(Some(Duration::ZERO)).unwrap_err(),
        here.set_write_timeout(Some(Duration::ZERO)).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_read_runs_out_of_time() {
    let limit = Duration::from_millis(50);
    let (mut here, _there) = pair();
    here.set_read_timeout(Some(limit)).unwrap();

    let start = Instant::now();
    let error = here.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    // The kernel counts in ticks, of 10 ms at most.
    assert!(start.elapsed() >= limit - Duration::from_millis(10));
}

#[test]
fn a_write_runs_out_of_time() {
    let (mut here, _there) = pair();
    fill(&here);
    here.set_write_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let error = here.write(&[0; 4096]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

#[test]
fn nonblocking() {
    let (mut here, mut there) = pair();
    here.set_nonblocking(true).unwrap();
    assert_eq!(
        here.read(&mut [0]).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );

    let total = fill(&here);
    assert!(total > 4096);
    let mut data = vec![0; total];
    there.read_exact(&mut data).unwrap();
    here.write_all(b"x").unwrap();
}

#[test]
fn a_writer_waits_for_room() {
    let (mut here, mut there) = pair();
    let total = fill(&here);
    let writer = beside(move || here.write_all(b"end").unwrap());

    let mut data = Vec::new();
    there.read_to_end(&mut data).unwrap();
    assert_eq!(data.len(), total + 3);
    assert!(data.ends_with(b"end"));
    writer.join().unwrap();
}

#[test]
fn who_is_there() {
    let me = fs::metadata("/proc/self").unwrap();
    let (here, _there) = pair();
    let cred = here.peer_cred().unwrap();
    assert_eq!(cred.pid, Some(process::id().try_into().unwrap()));
    assert_eq!(cred.uid, me.uid());
    assert_eq!(cred.gid, me.gid());

    let address = abstract_address();
    let listener = RunixListener::bind_addr(&address).unwrap();
    let client = RunixStream::connect_addr(&address).unwrap();
    let (server, _) = listener.accept().unwrap();
    assert_eq!(client.peer_cred().unwrap(), cred);
    assert_eq!(server.peer_cred().unwrap(), cred);
}

#[test]
fn second_handle() {
    let (here, mut there) = pair();
    let mut second = here.try_clone().unwrap();
    assert_ne!(here.as_raw_fd(), second.as_raw_fd());
    drop(here);
    second.write_all(b"hi").unwrap();
    drop(second);

    let mut data = String::new();
    there.read_to_string(&mut data).unwrap();
    assert_eq!(data, "hi");
}

#[test]
fn file_descriptor() {
    let (here, mut there) = pair();
    let raw = here.as_fd().as_raw_fd();
    assert_eq!(here.as_raw_fd(), raw);
    assert_eq!(here.into_raw_fd(), raw);
    // SAFETY: `into_raw_fd` has just given up an open file descriptor.
    let here = unsafe { RunixStream::from_raw_fd(raw) };
    let mut here = RunixStream::from(OwnedFd::from(here));

    here.write_all(b"x").unwrap();
    there.read_exact(&mut [0]).unwrap();
}

/// The type doesn't check what it is made from, its methods do.
#[test]
fn not_a_socket() {
    let file = fs::File::open("/dev/null").unwrap();
    let mut stream = RunixStream::from(OwnedFd::from(file));
    assert!(stream.local_addr().is_err());
    assert!(stream.peer_addr().is_err());
    assert!(stream.peer_cred().is_err());
    assert!(stream.read(&mut [0]).is_err());

    let socket = std::net::UdpSocket::bind("127.0.0.1:0");
    if let Ok(socket) = socket {
        let stream = RunixStream::from(OwnedFd::from(socket));
        assert_eq!(
            stream.local_addr().unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
    }
}

#[test]
fn closed_on_exec() {
    let (here, there) = pair();
    let address = abstract_address();
    let listener = RunixListener::bind_addr(&address).unwrap();
    let client = RunixStream::connect_addr(&address).unwrap();
    let (server, _) = listener.accept().unwrap();

    for fd in [
        here.as_fd(),
        there.as_fd(),
        listener.as_fd(),
        client.as_fd(),
        server.as_fd(),
        server.try_clone().unwrap().as_fd(),
    ] {
        let flags = rustix::io::fcntl_getfd(fd).unwrap();
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
    }
}

#[test]
fn debug() {
    let (here, _there) = pair();
    assert_eq!(
        format!("{here:?}"),
        format!(
            "RunixStream {{ fd: {}, local: (unnamed), peer: (unnamed) }}",
            here.as_raw_fd()
        )
    );
}
