// SPDX-License-Identifier: MIT OR GPL-2.0

//! Asking the kernel, by `sock_diag`.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::retry_on_intr;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use super::message::{self, Answer, Message};

/// The kernel's messages are shorter.
const BUFFER: usize = 65536;

/// Asks for all sockets of a family in this network namespace. `None` if nobody
/// answers for the family.
pub(super) fn dump(family: u16) -> io::Result<Option<Vec<Answer>>> {
    let Ok(family) = u8::try_from(family) else {
        return Ok(None);
    };
    let socket = match net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        Some(netlink::SOCK_DIAG),
    ) {
        Ok(socket) => socket,
        Err(error) => return nobody(error.into()),
    };
    let kernel = SocketAddrNetlink::new(0, 0);
    let request = message::request(family);
    net::sendto(&socket, &request, SendFlags::empty(), &kernel)?;
    receive(&socket).map_or_else(nobody, |answers| Ok(Some(answers)))
}

/// Sorts out the errors by which the kernel says that nobody answers.
fn nobody(error: io::Error) -> io::Result<Option<Vec<Answer>>> {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::EPROTONOSUPPORT | libc::EAFNOSUPPORT) => Ok(None),
        _ => Err(error),
    }
}

fn receive(socket: &OwnedFd) -> io::Result<Vec<Answer>> {
    let mut buffer = vec![0; BUFFER];
    let mut answers = Vec::new();
    loop {
        let (len, whole) = retry_on_intr(|| net::recv(socket, &mut buffer[..], RecvFlags::TRUNC))?;
        if len < whole || len == 0 {
            return Err(malformed());
        }
        let mut rest = &buffer[..len];
        while !rest.is_empty() {
            match message::next(&mut rest).map_err(|_| malformed())? {
                Message::Socket(answer) => answers.push(*answer),
                Message::Done => return Ok(answers),
                Message::Error(number) => return Err(io::Error::from_raw_os_error(number)),
            }
        }
    }
}

fn malformed() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the kernel's answer is not of the known format",
    )
}
