// SPDX-License-Identifier: MIT OR GPL-2.0

//! A socket, put together of what there is to know.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;

use super::message::Answer;
use super::name::Name;
use super::process::{self, User};
use super::{diag, listing};

/// The number of AF_UNIX.
const AF_UNIX: u16 = 1;

/// The type of a socket, see `socket(2)`.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// `SOCK_STREAM`.
    Stream,
    /// `SOCK_DGRAM`.
    Datagram,
    /// `SOCK_SEQPACKET`.
    SeqPacket,
    /// Another one.
    #[default]
    Other,
}

impl Kind {
    pub(super) fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Stream,
            2 => Self::Datagram,
            5 => Self::SeqPacket,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stream => "stream",
            Self::Datagram => "dgram",
            Self::SeqPacket => "seqpacket",
            Self::Other => "other",
        })
    }
}

/// The state of a socket.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum State {
    /// It takes connections.
    Listening,
    /// It has a peer.
    Connected,
    /// It has none.
    #[default]
    Unconnected,
}

impl State {
    /// The numbers are those of `<net/tcp_states.h>` in the kernel.
    fn from_number(number: u8) -> Self {
        match number {
            10 => Self::Listening,
            1 => Self::Connected,
            _ => Self::Unconnected,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Listening => "listening",
            Self::Connected => "connected",
            Self::Unconnected => "unconnected",
        })
    }
}

/// The other end of a connection.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Peer {
    /// Its inode; zero if it was closed, or not yet accepted.
    pub inode: u32,
    /// Its name, if it is bound.
    pub name: Option<Name>,
}

/// A socket. What is `None` isn't known or doesn't apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Socket {
    /// The type.
    pub kind: Kind,
    /// The state.
    pub state: State,
    /// The inode, by which descriptors lead to the socket.
    pub inode: u64,
    /// Bytes that may be received and bytes that the peer has not received
    /// yet; of a listener, connections that wait and how many may.
    pub queues: Option<(u32, u32)>,
    /// The name that it is bound to.
    pub name: Option<Name>,
    /// The other end.
    pub peer: Option<Peer>,
    /// The owner's number.
    pub uid: Option<u32>,
    /// What is shut down: bit 0 to receive, bit 1 to send.
    pub shutdown: Option<u8>,
    /// The number that no other socket has or will have.
    pub cookie: Option<u64>,
    /// The inode and the device number of the file that it is bound to.
    pub file: Option<(u32, u32)>,
    /// Limits in bytes for what is received and sent.
    pub buffers: Option<(u32, u32)>,
    /// The inodes of those who wait to be accepted.
    pub waiting: Vec<u32>,
    /// Who has it open.
    pub users: Vec<User>,
}

impl From<Answer> for Socket {
    fn from(answer: Answer) -> Self {
        let memory = answer.memory.unwrap_or_default();
        Self {
            kind: Kind::from_number(answer.kind),
            state: State::from_number(answer.state),
            inode: answer.inode.into(),
            queues: answer.queues,
            name: answer.name.as_deref().and_then(Name::from_diag),
            peer: answer.peer.map(|inode| Peer { inode, name: None }),
            uid: answer.uid,
            shutdown: answer.shutdown,
            cookie: Some(answer.cookie),
            file: answer.file,
            // SK_MEMINFO_RCVBUF and SK_MEMINFO_SNDBUF in <linux/sock_diag.h>.
            buffers: memory.get(1).copied().zip(memory.get(3).copied()),
            waiting: answer.waiting.unwrap_or_default(),
            users: Vec::new(),
        }
    }
}

/// Where the sockets were found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// The kernel was asked.
    Diag,
    /// It is a listing in `/proc/net`, which tells less.
    Listing,
}

/// Finds all sockets of a family in this network namespace, in a fixed order.
///
/// `NotFound` if the kernel doesn't know the family.
pub fn sockets(family: u16) -> io::Result<(Source, Vec<Socket>)> {
    let (source, mut sockets) = match diag::dump(family)? {
        Some(answers) => (Source::Diag, unique(answers)),
        None => {
            let text = fs::read(table(family))?;
            (Source::Listing, listing::parse(&text))
        }
    };
    name_peers(&mut sockets);
    let mut users = process::users();
    for socket in &mut sockets {
        socket.users = users.remove(&socket.inode).unwrap_or_default();
    }
    sockets.sort_by(|a, b| {
        // Those without a name come behind those with one.
        let key = |s: &Socket| (s.kind, s.state, s.name.is_none());
        let names = || a.name.cmp(&b.name);
        key(a)
            .cmp(&key(b))
            .then_with(names)
            .then(a.inode.cmp(&b.inode))
    });
    Ok((source, sockets))
}

/// Where the listing of a family is.
pub(super) fn table(family: u16) -> &'static str {
    match family {
        AF_UNIX => "/proc/net/unix",
        _ => "/proc/net/runix",
    }
}

/// While sockets come and go, one may be told of twice.
fn unique(answers: Vec<Answer>) -> Vec<Socket> {
    let by_inode: HashMap<u32, Answer> = answers.into_iter().map(|a| (a.inode, a)).collect();
    by_inode.into_values().map(Socket::from).collect()
}

fn name_peers(sockets: &mut [Socket]) {
    let names: HashMap<u64, Name> = sockets
        .iter()
        .filter_map(|socket| Some((socket.inode, socket.name.clone()?)))
        .collect();
    for peer in sockets.iter_mut().filter_map(|socket| socket.peer.as_mut()) {
        peer.name = names.get(&u64::from(peer.inode)).cloned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(inode: u32, name: Option<&[u8]>, peer: Option<u32>) -> Answer {
        Answer {
            kind: 1,
            state: 1,
            inode,
            name: name.map(<[u8]>::to_vec),
            peer,
            memory: Some((0..9).collect()),
            ..Answer::default()
        }
    }

    #[test]
    fn peers_have_names() {
        let mut sockets = unique(vec![
            answer(7, Some(b"/a\0"), Some(8)),
            answer(8, None, Some(7)),
            answer(9, None, Some(0)),
            answer(8, None, Some(7)),
        ]);
        sockets.sort_by_key(|socket| socket.inode);
        name_peers(&mut sockets);
        let peers: Vec<_> = sockets.iter().map(|s| s.peer.clone().unwrap()).collect();
        let name = Some(Name::Path(b"/a".to_vec()));
        assert_eq!(
            peers,
            [
                Peer {
                    inode: 8,
                    name: None
                },
                Peer { inode: 7, name },
                Peer {
                    inode: 0,
                    name: None
                },
            ]
        );
        assert_eq!(sockets[0].buffers, Some((1, 3)));
    }
}
