// SPDX-License-Identifier: MIT OR GPL-2.0

//! The messages of `sock_diag`, in bytes; see `<linux/netlink.h>` and
//! `<linux/unix_diag.h>`.

/// `struct nlmsghdr`.
const HEADER: usize = 16;
/// `struct unix_diag_msg`.
const ANSWER: usize = 16;
/// `struct nlattr`.
const ATTRIBUTE: usize = 4;

/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;
/// `NLMSG_ERROR`.
const ERROR: u16 = 2;
/// `NLMSG_DONE`.
const DONE: u16 = 3;

/// `NLM_F_REQUEST | NLM_F_DUMP`.
const DUMP: u16 = 0x301;

/// `UDIAG_SHOW_*`, all that there are.
const SHOW: u32 = 0x7f;

/// Makes a request for all sockets of a family.
pub(super) fn request(family: u8) -> [u8; 40] {
    let mut bytes = [0; 40];
    let mut put = |at: usize, part: &[u8]| bytes[at..at + part.len()].copy_from_slice(part);
    put(0, &40u32.to_ne_bytes());
    put(4, &BY_FAMILY.to_ne_bytes());
    put(6, &DUMP.to_ne_bytes());
    put(8, &1u32.to_ne_bytes());
    put(HEADER, &[family]);
    // All states, and no inode in particular.
    put(HEADER + 4, &u32::MAX.to_ne_bytes());
    put(HEADER + 12, &SHOW.to_ne_bytes());
    bytes
}

/// What a message is.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// It tells of a socket.
    Socket(Box<Answer>),
    /// There are no more sockets.
    Done,
    /// There is no answer, but an error number.
    Error(i32),
}

/// A message is not what it should be.
#[derive(Debug, PartialEq)]
pub(super) struct Malformed;

/// Takes the first message off the front of what was received.
pub(super) fn next(bytes: &mut &[u8]) -> Result<Message, Malformed> {
    let len = u32_at(bytes, 0).ok_or(Malformed)? as usize;
    let kind = u16_at(bytes, 4).ok_or(Malformed)?;
    let payload = bytes.get(HEADER..len).ok_or(Malformed)?;
    // Messages start at multiples of four.
    *bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
    match kind {
        BY_FAMILY => Ok(Message::Socket(Box::new(Answer::parse(payload)?))),
        // An error in the middle of a dump ends it.
        ERROR | DONE => match u32_at(payload, 0).ok_or(Malformed)? as i32 {
            0 if kind == ERROR => Err(Malformed),
            0.. => Ok(Message::Done),
            error => Ok(Message::Error(-error)),
        },
        _ => Err(Malformed),
    }
}

/// What is told of a socket. What isn't there, isn't known or doesn't apply.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) kind: u8,
    pub(super) state: u8,
    pub(super) inode: u32,
    pub(super) cookie: u64,
    pub(super) name: Option<Vec<u8>>,
    /// The inode and the device of the file.
    pub(super) file: Option<(u32, u32)>,
    /// The inode of the peer.
    pub(super) peer: Option<u32>,
    /// The inodes of those who wait to be accepted.
    pub(super) waiting: Option<Vec<u32>>,
    pub(super) queues: Option<(u32, u32)>,
    /// `SK_MEMINFO_*`.
    pub(super) memory: Option<Vec<u32>>,
    pub(super) shutdown: Option<u8>,
    pub(super) uid: Option<u32>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let head = bytes.get(..ANSWER).ok_or(Malformed)?;
        let word = |at| u32_at(head, at).ok_or(Malformed);
        let mut answer = Self {
            kind: head[1],
            state: head[2],
            inode: word(4)?,
            cookie: u64::from(word(8)?) | (u64::from(word(12)?) << 32),
            ..Self::default()
        };
        let mut rest = &bytes[ANSWER..];
        while !rest.is_empty() {
            let len = usize::from(u16_at(rest, 0).ok_or(Malformed)?);
            let attribute = u16_at(rest, 2).ok_or(Malformed)?;
            let value = rest.get(ATTRIBUTE..len).ok_or(Malformed)?;
            answer.take(attribute, value).ok_or(Malformed)?;
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        }
        Ok(answer)
    }

    /// Takes an attribute; those of newer kernels are passed over.
    fn take(&mut self, attribute: u16, value: &[u8]) -> Option<()> {
        match attribute {
            0 => self.name = Some(value.to_vec()),
            1 => self.file = Some((u32_at(value, 0)?, u32_at(value, 4)?)),
            2 => self.peer = Some(u32_at(value, 0)?),
            3 => self.waiting = Some(words(value)),
            4 => self.queues = Some((u32_at(value, 0)?, u32_at(value, 4)?)),
            5 => self.memory = Some(words(value)),
            6 => self.shutdown = Some(*value.first()?),
            7 => self.uid = Some(u32_at(value, 0)?),
            _ => {}
        }
        Some(())
    }
}

fn words(bytes: &[u8]) -> Vec<u32> {
    let words = bytes.chunks_exact(4);
    words.filter_map(|word| u32_at(word, 0)).collect()
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u32::from_ne_bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u16::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of some type with some payload.
    fn message(kind: u16, payload: &[u8]) -> Vec<u8> {
        let len = HEADER + payload.len();
        let mut bytes = (len as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([2, 0, 1, 0, 0, 0, 9, 9, 9, 9]);
        bytes.extend(payload);
        bytes.resize(len.next_multiple_of(4), 0);
        bytes
    }

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let len = ATTRIBUTE + value.len();
        let mut bytes = (len as u16).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(value);
        bytes.resize(len.next_multiple_of(4), 0);
        bytes
    }

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|n| n.to_ne_bytes()).collect()
    }

    /// A socket: family 18, a stream, listening, inode 77, cookie 5 and 1.
    fn head() -> Vec<u8> {
        [&[18, 1, 10, 0][..], &numbers(&[77, 5, 1])].concat()
    }

    #[test]
    fn requests() {
        let bytes = request(18);
        assert_eq!(u32_at(&bytes, 0), Some(40));
        assert_eq!(u16_at(&bytes, 4), Some(20));
        assert_eq!(u16_at(&bytes, 6), Some(0x301));
        assert_eq!(&bytes[16..20], [18, 0, 0, 0]);
        assert_eq!(u32_at(&bytes, 20), Some(u32::MAX));
        assert_eq!(u32_at(&bytes, 28), Some(0x7f));
    }

    #[test]
    fn all_attributes() {
        let payload = [
            head(),
            attribute(0, b"\0odd"),
            attribute(1, &numbers(&[3, 4])),
            attribute(2, &numbers(&[78])),
            attribute(3, &numbers(&[80, 81, 0])),
            attribute(4, &numbers(&[3, 128])),
            attribute(5, &numbers(&[1, 2, 3, 4, 5, 6, 7, 8, 9])),
            attribute(6, &[2]),
            attribute(7, &numbers(&[1000])),
            attribute(99, b"of a newer kernel"),
        ]
        .concat();
        let bytes = message(BY_FAMILY, &payload);
        let mut rest = &bytes[..];
        assert_eq!(
            next(&mut rest),
            Ok(Message::Socket(Box::new(Answer {
                kind: 1,
                state: 10,
                inode: 77,
                cookie: (1 << 32) | 5,
                name: Some(b"\0odd".to_vec()),
                file: Some((3, 4)),
                peer: Some(78),
                waiting: Some(vec![80, 81, 0]),
                queues: Some((3, 128)),
                memory: Some((1..=9).collect()),
                shutdown: Some(2),
                uid: Some(1000),
            })))
        );
        assert!(rest.is_empty());
    }

    #[test]
    fn one_after_another() {
        let bytes = [
            message(BY_FAMILY, &head()),
            message(BY_FAMILY, &[head(), attribute(0, b"/a\0")].concat()),
            message(DONE, &numbers(&[0])),
        ]
        .concat();
        let mut rest = &bytes[..];
        let mut names = Vec::new();
        while let Ok(Message::Socket(answer)) = next(&mut rest) {
            names.push(answer.name);
        }
        assert_eq!(names, [None, Some(b"/a\0".to_vec())]);
        assert!(rest.is_empty());
    }

    #[test]
    fn errors() {
        let of = |kind, number: i32| {
            let bytes = message(kind, &number.to_ne_bytes());
            next(&mut &bytes[..])
        };
        assert_eq!(of(ERROR, -2), Ok(Message::Error(2)));
        assert_eq!(of(DONE, -105), Ok(Message::Error(105)));
        assert_eq!(of(DONE, 0), Ok(Message::Done));
        assert_eq!(of(ERROR, 0), Err(Malformed));
        assert_eq!(of(4711, 0), Err(Malformed));
    }

    /// However a message is cut off or changed, it is refused or read, and no
    /// more.
    #[test]
    fn damaged() {
        let whole = message(
            BY_FAMILY,
            &[
                head(),
                attribute(0, b"/a\0"),
                attribute(1, &numbers(&[3, 4])),
            ]
            .concat(),
        );
        for end in 0..whole.len() {
            assert_eq!(next(&mut &whole[..end]), Err(Malformed), "{end}");
        }
        for at in 0..whole.len() {
            for value in 0..=255 {
                let mut bytes = whole.clone();
                bytes[at] = value;
                let mut rest = &bytes[..];
                // Never a panic; and always an end.
                let _ = next(&mut rest);
                assert!(rest.len() < bytes.len() || next(&mut &bytes[..]) == Err(Malformed));
            }
        }
        let short = message(BY_FAMILY, &[head(), attribute(1, &[1, 2, 3])].concat());
        assert_eq!(next(&mut &short[..]), Err(Malformed));
    }
}
