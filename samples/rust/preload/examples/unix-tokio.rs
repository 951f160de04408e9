// SPDX-License-Identifier: MIT OR GPL-2.0

//! A program on tokio that knows nothing of AF_RUNIX: it echoes to clients of
//! its own over AF_UNIX, at the path that is its argument. Then it keeps its
//! listener and two connections until its standard input ends.

use std::env;
use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixDatagram, UnixListener, UnixStream};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

const CLIENTS: usize = 20;
const SIZE: usize = 200_000;

fn main() -> io::Result<()> {
    let path = env::args().nth(1).expect("give a path");
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let listener = UnixListener::bind(&path)?;
        streams(&listener, &path).await?;
        datagrams(&path).await?;
        let _client = UnixStream::connect(&path).await?;
        let _server = listener.accept().await?;
        io::copy(&mut io::stdin(), &mut io::sink())?;
        Ok(())
    })
}

async fn streams(listener: &UnixListener, path: &str) -> io::Result<()> {
    let server = async {
        let mut served = JoinSet::new();
        for _ in 0..CLIENTS {
            let (mut stream, _) = listener.accept().await?;
            served.spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await
            });
        }
        let mut bytes = 0;
        while let Some(result) = served.join_next().await {
            bytes += result??;
        }
        io::Result::Ok(bytes)
    };
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(client(path.to_owned(), number as u8));
    }
    let bytes = server.await?;
    while let Some(result) = clients.join_next().await {
        result??;
    }
    println!("{CLIENTS} clients, {bytes} bytes echoed");
    Ok(())
}

async fn client(path: String, byte: u8) -> io::Result<()> {
    let stream = UnixStream::connect(&path).await?;
    assert_eq!(
        stream.peer_addr()?.as_pathname().unwrap().to_str(),
        Some(&*path)
    );
    let (mut reader, mut writer) = stream.into_split();
    let sender = tokio::spawn(async move {
        writer.write_all(&[byte; SIZE]).await?;
        writer.shutdown().await
    });
    let mut echo = Vec::new();
    reader.read_to_end(&mut echo).await?;
    sender.await??;
    assert!(echo == [byte; SIZE]);
    Ok(())
}

async fn datagrams(path: &str) -> io::Result<()> {
    let server_path = format!("{path}.server");
    let client_path = format!("{path}.client");
    let server = UnixDatagram::bind(&server_path)?;
    let client = UnixDatagram::bind(&client_path)?;
    let mut data = [0; 100];
    for number in 0..100u8 {
        client.send_to(&[number], &server_path).await?;
        let (len, from) = server.recv_from(&mut data).await?;
        assert_eq!(from.as_pathname().unwrap().to_str(), Some(&*client_path));
        server
            .send_to(&data[..len], from.as_pathname().unwrap())
            .await?;
        let (len, _) = client.recv_from(&mut data).await?;
        assert_eq!(data[..len], [number]);
    }
    println!("100 datagrams echoed");
    Ok(())
}
