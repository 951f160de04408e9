// SPDX-License-Identifier: MIT OR GPL-2.0

//! Which names go to AF_RUNIX.

/// Services of the system, which nobody moves to AF_RUNIX on the side: they stay
/// unless somebody names what is to go.
pub const SYSTEM: [&str; 9] = [
    "/dev/log",
    "/run/dbus/*",
    "/run/nscd/*",
    "/run/systemd/*",
    "/run/user/*/bus",
    "/run/user/*/systemd/*",
    "/var/run/dbus/*",
    "/var/run/nscd/*",
    "@/org/freedesktop/systemd1/*",
];

/// Tells whether a name is like a pattern, in which `*` stands for any bytes,
/// slashes among them, `?` for one byte, and all else for itself.
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut position) = (0, 0);
    // Behind the last star, and the name's first byte that it has not taken.
    let mut star = None;
    while position < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, position));
            }
            Some(byte) if *byte == b'?' || *byte == name[position] => {
                at += 1;
                position += 1;
            }
            _ => match star {
                // The star takes one byte more.
                Some((behind, taken)) => {
                    at = behind;
                    position = taken + 1;
                    star = Some((behind, position));
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// The patterns of `--only` and `--except`, one a line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Choice<'a> {
    /// If there are any, a name must be like one of them.
    pub only: &'a [u8],
    /// A name must be like none of them.
    pub except: &'a [u8],
}

impl Choice<'_> {
    /// Whether everything is to go, less what is excepted.
    pub fn is_wide(&self) -> bool {
        lines(self.only).next().is_none()
    }

    /// Whether a name goes to AF_RUNIX.
    ///
    /// The second spelling is that of a relative path made absolute.
    pub fn takes(&self, name: &[u8], absolute: Option<&[u8]>) -> bool {
        let like = |pattern: &[u8]| {
            matches(pattern, name) || absolute.is_some_and(|name| matches(pattern, name))
        };
        if lines(self.except).any(like) {
            return false;
        }
        if self.is_wide() {
            return !SYSTEM.iter().any(|pattern| like(pattern.as_bytes()));
        }
        lines(self.only).any(like)
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let yes: [(&str, &str); 11] = [
            ("", ""),
            ("*", ""),
            ("*", "/run/x"),
            ("/run/x", "/run/x"),
            ("/run/*", "/run/a/b"),
            ("*.sock", "/run/a.sock"),
            ("/run/*/s?ck", "/run/user/1/sock"),
            ("@*", "@abstract"),
            ("*ab*ab", "abab"),
            ("a**b", "ab"),
            ("*aab", "aaaab"),
        ];
        for (pattern, name) in yes {
            assert!(
                matches(pattern.as_bytes(), name.as_bytes()),
                "{pattern} {name}"
            );
        }
        let no: [(&str, &str); 8] = [
            ("", "x"),
            ("?", ""),
            ("/run/x", "/run/xy"),
            ("/run/xy", "/run/x"),
            ("/run/*", "/var/run/x"),
            ("@*", "/x"),
            ("*ab*ab", "ab"),
            ("[a]", "a"),
        ];
        for (pattern, name) in no {
            assert!(
                !matches(pattern.as_bytes(), name.as_bytes()),
                "{pattern} {name}"
            );
        }
    }

    /// A pattern of many stars must not take for ever.
    #[test]
    fn a_pattern_that_almost_matches() {
        let pattern = b"*a".repeat(40);
        let mut name = b"a".repeat(100);
        name.push(b'b');
        assert!(!matches(&pattern, &name));
    }

    #[test]
    fn everything_but_the_system() {
        let choice = Choice::default();
        assert!(choice.is_wide());
        assert!(choice.takes(b"", None));
        assert!(choice.takes(b"/run/redis/redis.sock", None));
        assert!(choice.takes(b"@name", None));
        assert!(!choice.takes(b"/run/dbus/system_bus_socket", None));
        assert!(!choice.takes(b"/run/user/1000/bus", None));
        assert!(!choice.takes(b"log", Some(b"/dev/log")));
    }

    #[test]
    fn only_some() {
        let choice = Choice {
            only: b"/run/redis/*\n@x*\n",
            except: b"*.private",
        };
        assert!(!choice.is_wide());
        assert!(choice.takes(b"/run/redis/a", None));
        assert!(choice.takes(b"@xy", None));
        assert!(choice.takes(b"a", Some(b"/run/redis/a")));
        assert!(!choice.takes(b"a", Some(b"/run/other/a")));
        assert!(!choice.takes(b"/run/redis/a.private", None));
        assert!(!choice.takes(b"/tmp/a", None));
        assert!(!choice.takes(b"", None));
    }

    #[test]
    fn the_system_if_it_is_named() {
        let choice = Choice {
            only: b"/run/dbus/*",
            except: b"",
        };
        assert!(choice.takes(b"/run/dbus/system_bus_socket", None));
    }

    #[test]
    fn everything_except() {
        let choice = Choice {
            only: b"",
            except: b"/tmp/.X11-unix/*\n@/tmp/.X11-unix/*",
        };
        assert!(choice.is_wide());
        assert!(!choice.takes(b"@/tmp/.X11-unix/X0", None));
        assert!(choice.takes(b"/tmp/x", None));
        assert!(!choice.takes(b"/dev/log", None));
    }
}
