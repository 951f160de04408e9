// SPDX-License-Identifier: MIT OR GPL-2.0

//! Sockets as the listing in `/proc/net` has them: without queues, peers and
//! owners.

use super::name::Name;
use super::socket::{Kind, Socket, State};
use crate::Row;

/// Takes a listing apart; what isn't a line of one is passed over.
pub(super) fn parse(text: &[u8]) -> Vec<Socket> {
    let lines = text.split(|byte| *byte == b'\n').skip(1);
    // A connection that wasn't accepted yet has no inode.
    let rows = lines.filter_map(Row::parse).filter(|row| row.inode > 0);
    rows.map(|row| Socket {
        kind: Kind::from_number(row.socket_type as u8),
        state: state(&row),
        inode: row.inode,
        name: Name::from_listing(row.path),
        ..Socket::default()
    })
    .collect()
}

fn state(row: &Row<'_>) -> State {
    match row.state {
        _ if row.is_listening() => State::Listening,
        // SS_CONNECTED in <linux/net.h>.
        3 => State::Connected,
        _ => State::Unconnected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows() {
        let text = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            00000000aa: 00000002 00000000 00010000 0001 01    77 /tmp/a b\n\
            00000000ab: 00000003 00000000 00000000 0001 03    78\n\
            00000000ac: 00000003 00000000 00000000 0001 02     0 /tmp/a b\n\
            00000000ad: 00000003 00000000 00000000 0002 01    79 @x\n\
            part of a name\n";
        let sockets = parse(text);
        let short: Vec<_> = sockets
            .iter()
            .map(|socket| {
                let name = socket.name.as_ref().map(Name::to_string);
                (socket.kind, socket.state, socket.inode, name)
            })
            .collect();
        assert_eq!(
            short,
            [
                (Kind::Stream, State::Listening, 77, Some("/tmp/a b".into())),
                (Kind::Stream, State::Connected, 78, None),
                (Kind::Datagram, State::Unconnected, 79, Some("@x".into())),
            ]
        );
        assert!(sockets.iter().all(|socket| socket.queues.is_none()));
    }
}
