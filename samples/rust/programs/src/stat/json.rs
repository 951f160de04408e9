// SPDX-License-Identifier: MIT OR GPL-2.0

//! The same for programs: one JSON document, in one line.

use std::fmt::{self, Display, Write};

use super::process::User;
use super::socket::{Peer, Socket, Source};

/// Writes the document.
///
/// What isn't known, or doesn't apply, is left out.
pub fn json<'a>(
    family: u16,
    source: Source,
    sockets: impl IntoIterator<Item = &'a Socket>,
) -> String {
    let source = match source {
        Source::Diag => "sock_diag",
        Source::Listing => "listing",
    };
    let document = Object(|fields: &mut Fields<'_, '_>| {
        fields.number("family", Some(family))?;
        fields.text("source", Some(source))?;
        fields.array("sockets", sockets, socket)
    });
    let mut text = String::new();
    // Writing to a string doesn't fail.
    let _ = document.write(&mut text);
    text
}

fn socket(socket: &Socket, fields: &mut Fields<'_, '_>) -> fmt::Result {
    fields.text("type", Some(socket.kind))?;
    fields.text("state", Some(socket.state))?;
    fields.number("inode", Some(socket.inode))?;
    fields.number("recv_q", socket.queues.map(|(receive, _)| receive))?;
    fields.number("send_q", socket.queues.map(|(_, send)| send))?;
    fields.text("local", socket.name.as_ref())?;
    if let Some(Peer { inode, name }) = &socket.peer {
        fields.object("peer", |fields| {
            fields.number("inode", Some(inode))?;
            fields.text("name", name.as_ref())
        })?;
    }
    fields.number("uid", socket.uid)?;
    fields.number("cookie", socket.cookie)?;
    if let Some(bits) = socket.shutdown {
        fields.object("shutdown", |fields| {
            fields.number("receive", Some(bits & 1 != 0))?;
            fields.number("send", Some(bits & 2 != 0))
        })?;
    }
    if let Some((inode, device)) = socket.file {
        fields.object("file", |fields| {
            fields.number("inode", Some(inode))?;
            // The kernel's own form: 12 bits and 20.
            fields.number("major", Some(device >> 20))?;
            fields.number("minor", Some(device & 0xfffff))
        })?;
    }
    fields.number("receive_buffer", socket.buffers.map(|(receive, _)| receive))?;
    fields.number("send_buffer", socket.buffers.map(|(_, send)| send))?;
    fields.list("waiting", &socket.waiting)?;
    fields.array("users", &socket.users, user)
}

fn user(user: &User, fields: &mut Fields<'_, '_>) -> fmt::Result {
    fields.number("pid", Some(user.pid))?;
    fields.text("process", Some(user.name()))?;
    fields.list("fds", &user.fds)
}

/// An object, by what writes its fields.
struct Object<F>(F);

impl<F: FnOnce(&mut Fields<'_, '_>) -> fmt::Result> Object<F> {
    fn write(self, out: &mut dyn Write) -> fmt::Result {
        out.write_str("{")?;
        let mut fields = Fields { out, first: true };
        (self.0)(&mut fields)?;
        out.write_str("}")
    }
}

/// The fields of an object that is being written.
struct Fields<'a, 'b> {
    out: &'a mut (dyn Write + 'b),
    first: bool,
}

impl Fields<'_, '_> {
    /// Writes the name of a field; the value is to follow.
    fn name(&mut self, name: &str) -> fmt::Result {
        let comma = if self.first { "" } else { "," };
        self.first = false;
        write!(self.out, "{comma}\"{name}\":")
    }

    /// A number, or a truth value.
    fn number(&mut self, name: &str, value: Option<impl Display>) -> fmt::Result {
        let Some(value) = value else {
            return Ok(());
        };
        self.name(name)?;
        write!(self.out, "{value}")
    }

    fn text(&mut self, name: &str, value: Option<impl Display>) -> fmt::Result {
        let Some(value) = value else {
            return Ok(());
        };
        self.name(name)?;
        string(self.out, &value.to_string())
    }

    fn object(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut Fields<'_, '_>) -> fmt::Result,
    ) -> fmt::Result {
        self.name(name)?;
        Object(write).write(self.out)
    }

    fn list(&mut self, name: &str, numbers: &[u32]) -> fmt::Result {
        let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
        self.name(name)?;
        write!(self.out, "[{}]", numbers.join(","))
    }

    fn array<'a, T: 'a>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = &'a T>,
        write: impl Fn(&T, &mut Fields<'_, '_>) -> fmt::Result,
    ) -> fmt::Result {
        self.name(name)?;
        self.out.write_str("[")?;
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                self.out.write_str(",")?;
            }
            Object(|fields: &mut Fields<'_, '_>| write(item, fields)).write(self.out)?;
        }
        self.out.write_str("]")
    }
}

fn string(out: &mut dyn Write, text: &str) -> fmt::Result {
    out.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(out, "\\{character}")?,
            '\0'..='\x1f' => write!(out, "\\u{:04x}", u32::from(character))?,
            _ => out.write_char(character)?,
        }
    }
    out.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Name, State};
    use super::*;

    #[test]
    fn strings() {
        let quoted = |text| {
            let mut out = String::new();
            string(&mut out, text).unwrap();
            out
        };
        assert_eq!(quoted("a"), r#""a""#);
        assert_eq!(quoted("\"\\\n\u{f6}"), "\"\\\"\\\\\\u000a\u{f6}\"");
    }

    #[test]
    fn documents() {
        assert_eq!(
            json(18, Source::Listing, []),
            r#"{"family":18,"source":"listing","sockets":[]}"#
        );
        let full = Socket {
            kind: Kind::Stream,
            state: State::Listening,
            inode: 7,
            queues: Some((1, 128)),
            name: Some(Name::Abstract(b"a\0".to_vec())),
            peer: Some(Peer {
                inode: 8,
                name: None,
            }),
            uid: Some(0),
            shutdown: Some(2),
            cookie: Some(9),
            file: Some((3, (8 << 20) | 1)),
            buffers: Some((10, 11)),
            waiting: vec![20, 21],
            users: vec![User {
                pid: 1,
                process: b"in\"it".to_vec(),
                fds: vec![3, 4],
            }],
        };
        let bare = Socket::default();
        let expected = concat!(
            r#"{"family":1,"source":"sock_diag","sockets":[{"type":"stream","state":"listening","#,
            r#""inode":7,"recv_q":1,"send_q":128,"local":"@a\\x00","peer":{"inode":8},"uid":0,"#,
            r#""cookie":9,"shutdown":{"receive":false,"send":true},"#,
            r#""file":{"inode":3,"major":8,"minor":1},"receive_buffer":10,"send_buffer":11,"#,
            r#""waiting":[20,21],"users":[{"pid":1,"process":"in\"it","fds":[3,4]}]},"#,
            r#"{"type":"other","state":"unconnected","inode":0,"waiting":[],"users":[]}]}"#,
        );
        assert_eq!(json(1, Source::Diag, [&full, &bare]), expected);
    }
}
