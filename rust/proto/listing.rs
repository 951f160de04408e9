// SPDX-License-Identifier: GPL-2.0

//! `/proc/net/runix`, in the format of `/proc/net/unix`.

use super::module::Space;
use super::socket::{
    Runix,
    Sock, //
};
use crate::net::{
    AllSockets,
    Line,
    Listing,
    Phase,
    SockTable,
    SockType, //
};
use crate::pure::addr::HEADER;
use kernel::seq_print;

/// The listing of all sockets of a network namespace.
pub(super) struct SocketListing;

/// `__SO_ACCEPTCON`, in the column of flags.
const ACCEPTS: u32 = 1 << 16;

impl Listing for SocketListing {
    type Family = Runix;
    type Space = Space;

    fn table(space: &Space) -> &SockTable<Runix, AllSockets> {
        &space.sockets
    }

    fn show_header(line: &Line<'_>) {
        seq_print!(
            line.out(),
            "Num       RefCount Protocol Flags    Type St Inode Path\n"
        );
    }

    fn show(line: &Line<'_>, sk: &Sock) {
        let state = sk.lock();
        let connected = sk.phase() == Phase::Established;
        let listening = sk.phase() == Phase::Listening;
        let has_file = sk.has_socket();
        drop(state);

        line.pointer(sk);
        // The listing's own reference isn't shown.
        seq_print!(
            line.out(),
            ": {:08X} {:08X} {:08X} {:04X} {:02X} {:5}",
            sk.references().saturating_sub(1),
            0,
            if listening { ACCEPTS } else { 0 },
            sk.kind().map_or(0, SockType::raw),
            socket_state(has_file, connected),
            sk.inode_number(),
        );
        if let Some(name) = sk.address().and_then(|address| address.get(HEADER..)) {
            line.byte(b' ');
            show_name(line, name);
        }
        line.byte(b'\n');
    }
}

/// Returns the state as the socket layer numbers it.
fn socket_state(has_file: bool, connected: bool) -> u32 {
    const SS_UNCONNECTED: u32 = 1;
    const SS_CONNECTING: u32 = 2;
    const SS_CONNECTED: u32 = 3;
    const SS_DISCONNECTING: u32 = 4;
    match (has_file, connected) {
        (true, true) => SS_CONNECTED,
        (true, false) => SS_UNCONNECTED,
        (false, true) => SS_CONNECTING,
        (false, false) => SS_DISCONNECTING,
    }
}

/// Writes a name, with `@` for each NUL byte; a path ends in one that isn't
/// shown.
fn show_name(line: &Line<'_>, name: &[u8]) {
    let shown = match name {
        [first, .., 0] if *first != 0 => name.split_last().map_or(name, |(_, rest)| rest),
        _ => name,
    };
    for byte in shown {
        line.byte(if *byte == 0 { b'@' } else { *byte });
    }
}
