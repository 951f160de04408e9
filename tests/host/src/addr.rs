// SPDX-License-Identifier: GPL-2.0

//! Addresses against the rules of `unix(7)`.

use crate::pure::addr::{
    autobind_name, autobind_names, hash, is_autobind, BadAddress, Name, AUTOBIND_NAMES, HEADER,
    PATH_MAX,
};
use proptest::collection::vec;
use proptest::prelude::*;

const FAMILY: u16 = 18;

/// Returns an address of `family` and the bytes of a name.
fn address(family: u16, name: &[u8]) -> Vec<u8> {
    [&family.to_ne_bytes()[..], name].concat()
}

/// The rules once more, told by what the bytes look like.
fn model(bytes: &[u8], family: u16) -> Result<Name<'_>, BadAddress> {
    match bytes {
        [] | [_] | [_, _] => Err(BadAddress::Length),
        _ if bytes.len() > 110 => Err(BadAddress::Length),
        [a, b, ..] if u16::from_ne_bytes([*a, *b]) != family => Err(BadAddress::Family),
        [_, _, 0, ..] => Ok(Name::Abstract(&bytes[2..])),
        [_, _, name @ ..] => Ok(Name::Path(name.split(|&b| b == 0).next().unwrap())),
    }
}

/// Bytes of names, with many NULs.
fn name_bytes(size: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![1 => Just(0), 3 => any::<u8>()], size)
}

/// A byte that doesn't end a path.
fn path_byte() -> impl Strategy<Value = u8> {
    1..=u8::MAX
}

proptest! {
    #[test]
    fn any_bytes_parse_as_the_model_says(bytes in vec(any::<u8>(), 0..200), family: u16) {
        prop_assert_eq!(Name::parse(&bytes, family), model(&bytes, family));
    }

    #[test]
    fn any_name_of_the_family_parses_as_the_model_says(
        name in name_bytes(0..130),
        family: u16,
    ) {
        let bytes = address(family, &name);
        prop_assert_eq!(Name::parse(&bytes, family), model(&bytes, family));
    }

    #[test]
    fn an_address_is_a_name_or_an_autobind_or_an_error(
        name in name_bytes(0..4),
        family in 0u16..3,
    ) {
        let bytes = address(family, &name);
        prop_assert!(!is_autobind(&bytes, 1) || Name::parse(&bytes, 1) == Err(BadAddress::Length));
        prop_assert_eq!(is_autobind(&bytes, 1), family == 1 && name.is_empty());
    }

    #[test]
    fn autobind_is_the_bare_family_and_nothing_else(
        bytes in vec(any::<u8>(), 0..5),
        family: u16,
    ) {
        let bare = bytes.len() == 2 && u16::from_ne_bytes([bytes[0], bytes[1]]) == family;
        prop_assert_eq!(is_autobind(&bytes, family), bare);
        prop_assert!(is_autobind(&family.to_ne_bytes(), family));
    }

    #[test]
    fn a_path_comes_back_terminated_or_not_whatever_follows(
        path in vec(path_byte(), 1..=PATH_MAX),
        junk in name_bytes(0..PATH_MAX),
    ) {
        let mut name = path.clone();
        let bytes = address(FAMILY, &name);
        prop_assert_eq!(Name::parse(&bytes, FAMILY), Ok(Name::Path(&path)));
        if name.len() < PATH_MAX {
            name.push(0);
            name.extend(junk);
            name.truncate(PATH_MAX);
            let bytes = address(FAMILY, &name);
            prop_assert_eq!(Name::parse(&bytes, FAMILY), Ok(Name::Path(&path)));
        }
    }

    #[test]
    fn an_abstract_name_keeps_every_byte(rest in name_bytes(0..PATH_MAX)) {
        let name = [&[0], &rest[..]].concat();
        let bytes = address(FAMILY, &name);
        prop_assert_eq!(Name::parse(&bytes, FAMILY), Ok(Name::Abstract(&name)));
    }

    #[test]
    fn another_family_is_refused_before_its_name_is_looked_at(
        name in name_bytes(1..=PATH_MAX),
        family: u16,
        other: u16,
    ) {
        prop_assume!(family != other);
        let bytes = address(other, &name);
        prop_assert_eq!(Name::parse(&bytes, family), Err(BadAddress::Family));
    }

    #[test]
    fn an_autobind_name_has_the_lowest_20_bits(number: u32) {
        let expected = format!("\0{:05x}", number & 0xfffff);
        prop_assert_eq!(&autobind_name(number)[..], expected.as_bytes());
    }
}

#[test]
fn the_layout_is_that_of_sockaddr_un() {
    assert_eq!(HEADER, 2);
    assert_eq!(PATH_MAX, 108);
}

#[test]
fn lengths_at_both_ends_of_what_is_allowed() {
    let longest = address(FAMILY, &[b'x'; PATH_MAX]);
    let too_long = address(FAMILY, &[b'x'; PATH_MAX + 1]);
    let terminated_too_late = address(FAMILY, &[&[b'x'; PATH_MAX][..], &[0]].concat());
    let length = Err(BadAddress::Length);
    assert_eq!(Name::parse(&[], FAMILY), length);
    assert_eq!(Name::parse(&FAMILY.to_ne_bytes()[..1], FAMILY), length);
    assert_eq!(Name::parse(&FAMILY.to_ne_bytes(), FAMILY), length);
    assert_eq!(
        Name::parse(&address(FAMILY, b"/"), FAMILY),
        Ok(Name::Path(b"/"))
    );
    assert_eq!(
        Name::parse(&longest, FAMILY),
        Ok(Name::Path(&[b'x'; PATH_MAX]))
    );
    assert_eq!(Name::parse(&too_long, FAMILY), length);
    assert_eq!(Name::parse(&terminated_too_late, FAMILY), length);
}

#[test]
fn a_wrong_length_is_told_before_a_wrong_family() {
    let long = address(FAMILY, &[b'x'; PATH_MAX + 1]);
    assert_eq!(Name::parse(&long, FAMILY + 1), Err(BadAddress::Length));
    assert_eq!(
        Name::parse(&FAMILY.to_ne_bytes(), FAMILY + 1),
        Err(BadAddress::Length)
    );
}

#[test]
fn abstract_names_differ_by_their_length_and_embedded_nuls() {
    let names: [&[u8]; 5] = [b"\0", b"\0\0", b"\0a", b"\0a\0", b"\0a\0b"];
    for one in names {
        for other in names {
            let bytes = (address(FAMILY, one), address(FAMILY, other));
            let parsed = (Name::parse(&bytes.0, FAMILY), Name::parse(&bytes.1, FAMILY));
            assert_eq!(parsed.0 == parsed.1, one == other, "{one:?} {other:?}");
        }
    }
}

#[test]
fn the_longest_abstract_name_is_all_nuls() {
    let name = [0; PATH_MAX];
    assert_eq!(
        Name::parse(&address(FAMILY, &name), FAMILY),
        Ok(Name::Abstract(&name))
    );
}

#[test]
fn every_autobind_name_is_an_abstract_name_of_its_own() {
    for number in 0..AUTOBIND_NAMES {
        let name = autobind_name(number);
        let digits = std::str::from_utf8(&name[1..]).unwrap();
        assert_eq!(name[0], 0);
        assert!(!digits.bytes().any(|b| b.is_ascii_uppercase()));
        assert_eq!(u32::from_str_radix(digits, 16), Ok(number));
    }
    assert_eq!(autobind_name(AUTOBIND_NAMES), autobind_name(0));
    assert_eq!(
        Name::parse(&address(FAMILY, &autobind_name(0xabcde)), FAMILY),
        Ok(Name::Abstract(b"\0abcde"))
    );
}

#[test]
fn the_hash_takes_all_bytes_in() {
    let bytes: Vec<u8> = (1..=27).collect();
    let mut seen = std::collections::HashSet::new();
    for len in 0..=bytes.len() {
        assert!(seen.insert(hash(0, &bytes[..len])));
        assert_eq!(hash(0, &bytes[..len]), hash(0, &bytes[..len]));
        for place in 0..len {
            let mut other = bytes[..len].to_vec();
            other[place] ^= 0x80;
            assert!(seen.insert(hash(0, &other)), "{len} {place}");
        }
    }
    assert_ne!(hash(1, &bytes), hash(2, &bytes));
}

#[test]
fn autobind_names_spread_over_a_table() {
    let mut buckets = [0u32; 256];
    for number in 0..4096 {
        let bytes = address(FAMILY, &autobind_name(number));
        buckets[(hash(1, &bytes) % 256) as usize] += 1;
    }
    // Sixteen each, if they were even.
    assert!(
        buckets.iter().all(|&count| (2..48).contains(&count)),
        "{buckets:?}"
    );
}

/// What autobind does when all names but some are taken, which takes too much memory to try
/// with sockets.
#[test]
fn autobind_finds_the_last_free_name_and_no_more() {
    for first in [0, 1, 0x7ffff, AUTOBIND_NAMES - 1, u32::MAX] {
        for free in [0, 1, 0xabcde, AUTOBIND_NAMES - 1] {
            let free = autobind_name(free);
            assert_eq!(autobind_names(first).find(|name| *name == free), Some(free));
        }
        // No name is free: each was tried, and it ends.
        let mut tried = vec![false; AUTOBIND_NAMES as usize];
        let none = autobind_names(first).find(|name| {
            let digits = std::str::from_utf8(&name[1..]).unwrap();
            let number = usize::from_str_radix(digits, 16).unwrap();
            assert!(!std::mem::replace(&mut tried[number], true));
            false
        });
        assert_eq!(none, None);
        assert!(tried.iter().all(|&t| t));
    }
}
