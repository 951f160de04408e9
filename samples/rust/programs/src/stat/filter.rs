// SPDX-License-Identifier: MIT OR GPL-2.0

//! Which sockets are wanted.

use super::name::Name;
use super::process::User;
use super::socket::{Kind, Socket, State};

/// Which sockets are wanted; those that meet every condition.
#[derive(Debug, Default)]
pub struct Filter {
    /// One of these types; any if there is none.
    pub kinds: Vec<Kind>,
    /// One of these states; any if there is none.
    pub states: Vec<State>,
    /// A name, their own or the peer's, that matches.
    pub name: Option<Pattern>,
    /// A process that has them open whose name matches, or that has this
    /// number.
    pub process: Option<Pattern>,
}

impl Filter {
    /// Tells whether a socket is wanted.
    pub fn wants(&self, socket: &Socket) -> bool {
        let kind = self.kinds.is_empty() || self.kinds.contains(&socket.kind);
        let state = self.states.is_empty() || self.states.contains(&socket.state);
        let name = self.name.as_ref().is_none_or(|pattern| {
            let peer = socket.peer.as_ref().and_then(|peer| peer.name.as_ref());
            let mut names = socket.name.iter().chain(peer);
            names.any(|name| pattern.matches(&Name::to_string(name)))
        });
        let process = self.process.as_ref().is_none_or(|pattern| {
            let mut users = socket.users.iter();
            users.any(|user| pattern.matches_process(user))
        });
        kind && state && name && process
    }
}

/// A pattern for text: with `*` for anything and `?` for any character it
/// describes the whole, without them a part of it.
#[derive(Debug)]
pub struct Pattern {
    text: Vec<char>,
    whole: bool,
}

impl Pattern {
    /// Takes a pattern as the user typed it.
    pub fn new(text: &str) -> Self {
        Self {
            text: text.chars().collect(),
            whole: text.contains(['*', '?']),
        }
    }

    /// Tells whether the pattern describes a text.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        if self.whole {
            return glob(&self.text, &text);
        }
        self.text.is_empty() || text.windows(self.text.len()).any(|part| part == self.text)
    }

    fn matches_process(&self, user: &User) -> bool {
        let number = user.pid.to_string().chars().eq(self.text.iter().copied());
        number || self.matches(&user.name().to_string())
    }
}

/// Matches a whole text, in time that is the product of both lengths at most.
fn glob(pattern: &[char], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on if what follows the last star doesn't match.
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                retry = Some((p, t + 1));
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((star, start)) = retry else {
                    return false;
                };
                (p, t) = (star, start);
                retry = Some((star, start + 1));
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::super::socket::Peer;
    use super::*;

    #[test]
    fn patterns() {
        let yes = |pattern, text| assert!(Pattern::new(pattern).matches(text), "{pattern} {text}");
        let no = |pattern, text| assert!(!Pattern::new(pattern).matches(text), "{pattern} {text}");
        yes("run", "/run/a");
        yes("", "/run/a");
        yes("@a", "@a");
        no("run", "/ru");
        no("runs", "/run");
        yes("/run/*", "/run/a/b");
        no("run/*", "/run/a");
        yes("*.sock", "/a.sock.sock");
        no("*.sock", "/a.sock.");
        yes("/?un/*/c*", "/run/a/b/cd");
        yes("*", "");
        no("?", "");
        yes("**a**", "ba");
        no("*b", "ba");
        no(&"*a".repeat(30), &"b".repeat(3000));
    }

    #[test]
    fn conditions() {
        let socket = Socket {
            kind: Kind::Stream,
            state: State::Connected,
            name: Some(Name::Path(b"/run/a".to_vec())),
            peer: Some(Peer {
                inode: 5,
                name: Some(Name::Abstract(b"other".to_vec())),
            }),
            users: vec![User {
                pid: 123,
                process: b"server".to_vec(),
                fds: vec![3],
            }],
            ..Socket::default()
        };
        let name = |text| Filter {
            name: Some(Pattern::new(text)),
            ..Filter::default()
        };
        let process = |text| Filter {
            process: Some(Pattern::new(text)),
            ..Filter::default()
        };
        assert!(Filter::default().wants(&socket));
        assert!(name("run").wants(&socket));
        assert!(name("@oth*").wants(&socket));
        assert!(!name("elsewhere").wants(&socket));
        assert!(process("serv").wants(&socket));
        assert!(process("123").wants(&socket));
        assert!(!process("12").wants(&socket));
        assert!(process("s*r").wants(&socket));
        let mut filter = Filter {
            kinds: vec![Kind::Datagram, Kind::Stream],
            states: vec![State::Connected],
            ..Filter::default()
        };
        assert!(filter.wants(&socket));
        filter.states = vec![State::Listening];
        assert!(!filter.wants(&socket));
        assert!(!name("a").wants(&Socket::default()));
    }
}
