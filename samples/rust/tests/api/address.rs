// SPDX-License-Identifier: MIT OR GPL-2.0

use std::io::ErrorKind;
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
