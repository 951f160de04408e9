// SPDX-License-Identifier: MIT OR GPL-2.0

use std::future::Future;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::os::fd::AsFd;
use std::time::Duration;

use runix::{
    AncillaryData, AsyncRunixListener, AsyncRunixStream, RunixListener, RunixStream,
    SocketAncillary,
};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest};
use tokio::task::{self, JoinSet};
use tokio::time;

use crate::{abstract_address, TestPath};

/// Runs a test on one thread, for so long and no longer.
fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(async { time::timeout(Duration::from_secs(60), test).await })
        .expect("the test should not take that long");
}

async fn echo(mut stream: AsyncRunixStream) -> io::Result<u64> {
    let mut data = [0; 1000];
    let mut total = 0;

    loop {
        let count = stream.read(&mut data).await?;
        if count == 0 {
            return Ok(total);
        }
        stream.write_all(&data[..count]).await?;
        total += count as u64;
    }
}

/// All clients are connected and served at the same time, by one thread.
#[test]
fn echo_with_several_clients() {
    const CLIENTS: usize = 10;
    block_on(async {
        let path = TestPath::new();
        let listener = AsyncRunixListener::bind(&path).unwrap();
        task::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                task::spawn(echo(stream));
            }
        });

        let mut streams = Vec::new();
        for _ in 0..CLIENTS {
            streams.push(AsyncRunixStream::connect(&path).await.unwrap());
        }
        let mut clients = JoinSet::new();
        for (number, mut stream) in streams.into_iter().enumerate().rev() {
            clients.spawn(async move {
                for round in 0..10 {
                    let message = format!("client {number}, round {round}");
                    let mut answer = vec![0; message.len()];
                    stream.write_all(message.as_bytes()).await.unwrap();
                    stream.read_exact(&mut answer).await.unwrap();
                    assert_eq!(answer, message.as_bytes());
                }
                stream.shutdown().await.unwrap();
                assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
            });
        }
        assert_eq!(clients.join_all().await.len(), CLIENTS);
    });
}

/// Far more than the buffers hold, so that both sides have to wait.
#[test]
fn much_data() {
    const SIZE: usize = 1 << 20;
    block_on(async {
        let (here, there) = AsyncRunixStream::pair().unwrap();
        let server = task::spawn(echo(there));
        let (mut reader, mut writer) = tokio::io::split(here);

        let data: Vec<u8> = (0..SIZE).map(|index| (index % 251) as u8).collect();
        let sent = data.clone();
        let sender = task::spawn(async move {
            writer.write_all(&sent).await.unwrap();
            writer.shutdown().await.unwrap();
        });
        let mut answer = Vec::new();
        reader.read_to_end(&mut answer).await.unwrap();
        assert!(answer == data);
        sender.await.unwrap();
        assert_eq!(server.await.unwrap().unwrap(), SIZE as u64);
    });
}

#[test]
fn vectored() {
    block_on(async {
        let (mut here, mut there) = AsyncRunixStream::pair().unwrap();
        assert!(here.is_write_vectored());
        let slices = [io::IoSlice::new(b"he"), io::IoSlice::new(b"llo")];
        assert_eq!(here.write_vectored(&slices).await.unwrap(), 5);
        here.flush().await.unwrap();
        let mut data = [0; 5];
        there.read_exact(&mut data).await.unwrap();
        assert_eq!(&data, b"hello");
    });
}

#[test]
fn a_cancelled_accept_loses_nothing() {
    block_on(async {
        let address = abstract_address();
        let listener = AsyncRunixListener::bind_addr(&address).unwrap();
        let short = Duration::from_millis(10);
        assert!(time::timeout(short, listener.accept()).await.is_err());

        let _client = AsyncRunixStream::connect_addr(&address).await.unwrap();
        let (stream, client) = listener.accept().await.unwrap();
        assert!(client.is_unnamed());
        assert_eq!(
            stream.get_ref().peer_cred().unwrap().pid,
            Some(std::process::id().try_into().unwrap())
        );
    });
}

#[test]
fn connecting_waits_for_the_backlog() {
    block_on(async {
        let address = abstract_address();
        let listener = RunixListener::bind_addr(&address).unwrap();
        // Room for one connection that is not accepted yet.
        rustix::net::listen(&listener, 0).unwrap();
        let listener = AsyncRunixListener::try_from(listener).unwrap();

        let _first = AsyncRunixStream::connect_addr(&address).await.unwrap();
        let mut second = Box::pin(AsyncRunixStream::connect_addr(&address));
        let short = Duration::from_millis(100);
        assert!(time::timeout(short, &mut second).await.is_err());

        listener.accept().await.unwrap();
        second.await.unwrap();
        listener.accept().await.unwrap();
    });
}

#[test]
fn errors() {
    block_on(async {
        let path = TestPath::new();
        let error = AsyncRunixStream::connect(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);

        let _listener = AsyncRunixListener::bind(&path).unwrap();
        let error = AsyncRunixListener::bind(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);

        let (mut here, there) = AsyncRunixStream::pair().unwrap();
        drop(there);
        let error = here.write(b"x").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn to_the_runtime_and_back() {
    use std::io::{Read, Write};

    block_on(async {
        let (here, mut there) = RunixStream::pair().unwrap();
        let mut here = AsyncRunixStream::try_from(here).unwrap();
        here.write_all(b"one").await.unwrap();

        let mut here = here.into_inner();
        let error = here.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        here.write_all(b"two").unwrap();
        let mut data = [0; 6];
        there.read_exact(&mut data).unwrap();
        assert_eq!(&data, b"onetwo");
    });
}

/// Descriptors are passed; who waits for them sleeps.
#[test]
fn control_messages() {
    block_on(async {
        let (here, there) = AsyncRunixStream::pair().unwrap();
        let receiver = task::spawn(async move {
            let (mut buffer, mut byte) = ([0; 64], [0]);
            let mut ancillary = SocketAncillary::new(&mut buffer);
            let count = there
                .async_io(Interest::READABLE, |stream| {
                    let mut slices = [IoSliceMut::new(&mut byte)];
                    stream.recv_vectored_with_ancillary(&mut slices, &mut ancillary)
                })
                .await
                .unwrap();
            assert_eq!((count, byte), (1, *b"!"));
            let fds = ancillary
                .messages()
                .flatten()
                .filter_map(|data| match data {
                    AncillaryData::ScmRights(fds) => Some(fds.count()),
                    _ => None,
                });
            fds.sum::<usize>()
        });
        task::yield_now().await;

        let (passed, mut buffer) = (here.get_ref().try_clone().unwrap(), [0; 64]);
        let mut ancillary = SocketAncillary::new(&mut buffer);
        assert!(ancillary.add_fds(&[passed.as_fd(), passed.as_fd()]));
        here.async_io(Interest::WRITABLE, |stream| {
            stream.send_vectored_with_ancillary(&[IoSlice::new(b"!")], &mut ancillary)
        })
        .await
        .unwrap();
        assert_eq!(receiver.await.unwrap(), 2);
    });
}
