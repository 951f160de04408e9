// SPDX-License-Identifier: MIT OR GPL-2.0

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use runix::SocketAddr;

#[test]
fn pathname() {
    let address = SocketAddr::from_pathname("/tmp/sock").unwrap();
    assert_eq!(address.as_pathname(), Some(Path::new("/tmp/sock")));
    assert_eq!(address.as_abstract_name(), None);
    assert!(!address.is_unnamed());
    assert_eq!(address.to_string(), "/tmp/sock");
    assert_eq!(format!("{address:?}"), "\"/tmp/sock\" (pathname)");
}

#[test]
fn abstract_name() {
    let address = SocketAddr::from_abstract_name(b"a\0b").unwrap();
    assert_eq!(address.as_abstract_name(), Some(&b"a\0b"[..]));
    assert_eq!(address.as_pathname(), None);
    assert!(!address.is_unnamed());
    assert_eq!(address.to_string(), "@a\\x00b");
    assert_eq!(format!("{address:?}"), "\"a\\x00b\" (abstract)");
}

#[test]
fn unnamed() {
    let address = SocketAddr::from_pathname("").unwrap();
    assert!(address.is_unnamed());
    assert_eq!(address.as_pathname(), None);
    assert_eq!(address.as_abstract_name(), None);
    assert_eq!(address.to_string(), "(unnamed)");
    assert_eq!(format!("{address:?}"), "(unnamed)");
}

#[test]
fn too_long() {
    let fits = "x".repeat(107);
    let longer = "x".repeat(108);
    assert!(SocketAddr::from_pathname(&fits).is_ok());
    assert!(SocketAddr::from_abstract_name(&fits).is_ok());

    for error in [
        SocketAddr::from_pathname(&longer).unwrap_err(),
        SocketAddr::from_abstract_name(&longer).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(
            error.to_string(),
            "the name is 108 bytes long and at most 107 fit"
        );
    }
}

#[test]
fn nul_in_a_path() {
    let error = SocketAddr::from_pathname("a\0b").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn from_text() {
    let path: SocketAddr = "./@x".parse().unwrap();
    assert_eq!(path.as_pathname(), Some(Path::new("./@x")));
    let named: SocketAddr = "@x".parse().unwrap();
    assert_eq!(named.as_abstract_name(), Some(&b"x"[..]));
    let empty: SocketAddr = "@".parse().unwrap();
    assert_eq!(empty.as_abstract_name(), Some(&b""[..]));
}

/// A name that a peer has chosen must not reach the terminal as it is.
#[test]
fn printed() {
    let path = |bytes: &[u8]| {
        let address = SocketAddr::from_pathname(OsStr::from_bytes(bytes)).unwrap();
        address.to_string()
    };
    let named = |bytes: &[u8]| SocketAddr::from_abstract_name(bytes).unwrap().to_string();
    assert_eq!(path(b"/tmp/a\x1b[2Jb\n"), "/tmp/a\\x1b[2Jb\\x0a");
    assert_eq!(path(b"/tmp/\xc2\x9b2J\xff"), "/tmp/\\xc2\\x9b2J\\xff");
    assert_eq!(named(b"\x1b[2J"), "@\\x1b[2J");
    assert_eq!(path("/\u{202e}x".as_bytes()), "/\\xe2\\x80\\xaex");
    // What can be printed is printed so that it is read again.
    for text in [
        "/tmp/it's a \"s\u{f6}ck\"",
        "@it's",
        "@s\u{f6}ck",
        "@a\\b",
        "x",
    ] {
        let address: SocketAddr = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
    }
    assert_eq!(path(b"@x"), "./@x");
}
