// SPDX-License-Identifier: MIT OR GPL-2.0

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use mio::event::Source;
use mio::{Events, Interest, Poll, Token};
use runix::{RunixDatagram, RunixListener, RunixSeqpacket, RunixSeqpacketListener, RunixStream};

use crate::abstract_address;

struct Loop {
    poll: Poll,
    events: Events,
}

impl Loop {
    fn new() -> Self {
        Self {
            poll: Poll::new().unwrap(),
            events: Events::with_capacity(16),
        }
    }

    fn register(&self, source: &mut dyn Source, token: usize, interests: Interest) {
        self.poll
            .registry()
            .register(source, Token(token), interests)
            .unwrap();
    }

    /// The numbers of sources of which there is news.
    fn news(&mut self, patience: Duration) -> Vec<usize> {
        self.poll.poll(&mut self.events, Some(patience)).unwrap();
        let mut tokens: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
        tokens.sort_unstable();
        tokens
    }
}

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(50);

#[test]
fn a_stream_in_an_event_loop() {
    let address = abstract_address();
    let mut events = Loop::new();
    let mut listener = RunixListener::bind_addr(&address).unwrap();
    listener.set_nonblocking(true).unwrap();
    events.register(&mut listener, 1, Interest::READABLE);
    assert!(events.news(SHORT).is_empty());

    let mut client = RunixStream::connect_nonblocking(&address).unwrap();
    assert_eq!(events.news(LONG), [1]);
    let (mut server, _) = listener.accept().unwrap();
    server.set_nonblocking(true).unwrap();
    events.register(&mut server, 2, Interest::READABLE);
    assert!(events.news(SHORT).is_empty());

    client.write_all(b"x").unwrap();
    assert_eq!(events.news(LONG), [2]);
    let mut data = [0; 2];
    assert_eq!(server.read(&mut data).unwrap(), 1);
    assert_eq!(
        server.read(&mut data).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );

    // Once registered for something else, and once no more.
    let registry = events.poll.registry();
    registry
        .reregister(&mut server, Token(3), Interest::WRITABLE)
        .unwrap();
    assert_eq!(events.news(LONG), [3]);
    events.poll.registry().deregister(&mut server).unwrap();
    client.write_all(b"y").unwrap();
    assert!(events.news(SHORT).is_empty());
}

#[test]
fn all_types_are_sources() {
    let mut events = Loop::new();
    let address = abstract_address();
    let mut listener = RunixSeqpacketListener::bind_addr(&address).unwrap();
    events.register(&mut listener, 1, Interest::READABLE);
    let packets = RunixSeqpacket::connect_addr(&address).unwrap();
    assert_eq!(events.news(LONG), [1]);
    let (mut accepted, _) = listener.accept().unwrap();
    events.register(&mut accepted, 2, Interest::READABLE);
    packets.send(b"packet").unwrap();
    assert_eq!(events.news(LONG), [2]);

    let (here, mut there) = RunixDatagram::pair().unwrap();
    events.register(&mut there, 3, Interest::READABLE);
    here.send(b"datagram").unwrap();
    assert_eq!(events.news(LONG), [3]);
}

/// A full backlog is an error at once, as nobody tells when there is room.
#[test]
fn a_full_backlog_is_told() {
    let address = abstract_address();
    let listener = RunixListener::bind_addr(&address).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let mut waiting = Vec::new();
    let error = loop {
        match RunixStream::connect_nonblocking(&address) {
            Ok(stream) => waiting.push(stream),
            Err(error) => break error,
        }
        assert!(waiting.len() < 100);
    };
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert!(!waiting.is_empty());
}
