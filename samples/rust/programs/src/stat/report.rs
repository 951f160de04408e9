// SPDX-License-Identifier: MIT OR GPL-2.0

//! The table for people.

use super::socket::{Peer, Socket};

const TITLES: [&str; 9] = [
    "TYPE", "STATE", "RECV-Q", "SEND-Q", "LOCAL", "PEER", "INODE", "UID", "PROCESS",
];

/// The columns of numbers, which are flush right.
const RIGHT: [bool; 9] = [false, false, true, true, false, false, true, true, false];

/// Writes the table.
pub fn report<'a>(sockets: impl IntoIterator<Item = &'a Socket>) -> String {
    let mut rows = vec![TITLES.map(String::from)];
    rows.extend(sockets.into_iter().map(row));
    let widths: [usize; 9] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| width(&row[column]));
        cells.max().unwrap_or(0)
    });
    let mut text = String::new();
    for row in &rows {
        let start = text.len();
        for (column, cell) in row.iter().enumerate() {
            let padding = " ".repeat(widths[column] - width(cell));
            if column > 0 {
                text.push_str("  ");
            }
            if RIGHT[column] {
                text.push_str(&padding);
            }
            text.push_str(cell);
            if !RIGHT[column] {
                text.push_str(&padding);
            }
        }
        text.truncate(start + text[start..].trim_end().len());
        text.push('\n');
    }
    text
}

/// As many places as characters, which is right for most that names consist of.
fn width(cell: &str) -> usize {
    cell.chars().count()
}

fn row(socket: &Socket) -> [String; 9] {
    fn or_dash(value: Option<impl ToString>) -> String {
        value.map_or("-".into(), |value| value.to_string())
    }
    let users: Vec<String> = socket.users.iter().map(ToString::to_string).collect();
    [
        socket.kind.to_string(),
        socket.state.to_string(),
        or_dash(socket.queues.map(|(receive, _)| receive)),
        or_dash(socket.queues.map(|(_, send)| send)),
        or_dash(socket.name.as_ref()),
        or_dash(socket.peer.as_ref().map(peer)),
        socket.inode.to_string(),
        or_dash(socket.uid),
        or_dash((!users.is_empty()).then(|| users.join(" "))),
    ]
}

/// The name of a peer, if it has one, and the inode, by which it is found in
/// the table.
fn peer(peer: &Peer) -> String {
    match (&peer.name, peer.inode) {
        (_, 0) => "(none)".into(),
        (Some(name), inode) => format!("{name}[{inode}]"),
        (None, inode) => format!("[{inode}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Name, State, User};
    use super::*;

    #[test]
    fn table() {
        let listener = Socket {
            kind: Kind::Stream,
            state: State::Listening,
            inode: 1234,
            queues: Some((0, 128)),
            name: Some(Name::Path(b"/run/a".to_vec())),
            uid: Some(0),
            users: vec![
                User {
                    pid: 1,
                    process: b"init".to_vec(),
                    fds: vec![5],
                },
                User {
                    pid: 70,
                    process: b"server".to_vec(),
                    fds: vec![3, 4],
                },
            ],
            ..Socket::default()
        };
        let client = Socket {
            kind: Kind::Stream,
            state: State::Connected,
            inode: 99,
            queues: Some((10, 20000)),
            peer: Some(Peer {
                inode: 77,
                name: None,
            }),
            uid: Some(65534),
            ..Socket::default()
        };
        let unknown = Socket {
            kind: Kind::SeqPacket,
            inode: 5,
            ..Socket::default()
        };
        let peer = |inode, name: Option<&[u8]>| Socket {
            peer: Some(Peer {
                inode,
                name: name.and_then(Name::from_diag),
            }),
            ..Socket::default()
        };
        let (named, gone) = (peer(6, Some(b"\0x")), peer(0, None));
        let expected = "\
TYPE       STATE        RECV-Q  SEND-Q  LOCAL   PEER    INODE    UID  PROCESS
stream     listening         0     128  /run/a  -        1234      0  init/1/5 server/70/3,4
stream     connected        10   20000  -       [77]       99  65534  -
seqpacket  unconnected       -       -  -       -           5      -  -
other      unconnected       -       -  -       @x[6]       0      -  -
other      unconnected       -       -  -       (none)      0      -  -
";
        let sockets = [&listener, &client, &unknown, &named, &gone];
        assert_eq!(report(sockets), expected);
    }

    #[test]
    fn nothing() {
        assert_eq!(report([]).lines().count(), 1);
    }
}
