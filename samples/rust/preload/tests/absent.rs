// SPDX-License-Identifier: MIT OR GPL-2.0

//! The library in a program, where the family is not there: all goes on over
//! AF_UNIX, after one warning. (Where it is there, `tests/apps` looks.)

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{self, Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// No kernel has a family of this number.
const NO_FAMILY: &str = "4000";

/// Set in the child, to the directory that it works in.
const CHILD: &str = "RUNIX_TEST_CHILD";

fn library() -> PathBuf {
    let deps = env::current_exe().unwrap();
    let name = "librunix_preload.so";
    [
        deps.parent().unwrap(),
        deps.parent().unwrap().parent().unwrap(),
    ]
    .iter()
    .map(|directory| directory.join(name))
    .find(|path| path.is_file())
    .expect("cargo has built the library")
}

/// Runs one of the bodies below in a child with the library preloaded.
fn child(body: &str, variables: &[(&str, &str)]) -> Output {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = env::temp_dir().join(format!("runix-preload-{}-{count}", process::id()));
    fs::create_dir(&directory).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", body, "--nocapture", "--test-threads=1"])
        .env(CHILD, &directory)
        .env("LD_PRELOAD", library())
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    fs::remove_dir_all(&directory).unwrap();
    output
}

fn warnings(output: &Output) -> usize {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines()
        .filter(|line| line.starts_with("runix-run: address family 4000 is not available"))
        .count()
}

#[test]
fn all_goes_on_after_one_warning() {
    let output = child("talk", &[("RUNIX_RUN_FAMILY", NO_FAMILY)]);
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("1 passed"),
        "{output:?}"
    );
    assert_eq!(warnings(&output), 1, "{output:?}");
}

#[test]
fn the_chosen_names_as_well() {
    let output = child(
        "talk",
        &[("RUNIX_RUN_FAMILY", NO_FAMILY), ("RUNIX_RUN_ONLY", "*")],
    );
    assert!(output.status.success(), "{output:?}");
    assert_eq!(warnings(&output), 1, "{output:?}");
}

#[test]
fn what_is_not_chosen_is_left_alone() {
    let output = child(
        "talk",
        &[
            ("RUNIX_RUN_FAMILY", NO_FAMILY),
            ("RUNIX_RUN_ONLY", "/no/such/*"),
        ],
    );
    assert!(output.status.success(), "{output:?}");
    assert_eq!(warnings(&output), 0, "{output:?}");
}

#[test]
fn strictly_it_fails() {
    let output = child(
        "talk",
        &[("RUNIX_RUN_FAMILY", NO_FAMILY), ("RUNIX_RUN_STRICT", "1")],
    );
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(warnings(&output), 0, "{output:?}");
}

#[test]
fn the_trace_tells_each_name() {
    let trace = env::temp_dir().join(format!("runix-preload-trace-{}", process::id()));
    let output = child(
        "talk",
        &[
            ("RUNIX_RUN_FAMILY", NO_FAMILY),
            ("RUNIX_RUN_EXCEPT", "*"),
            ("RUNIX_RUN_TRACE", trace.to_str().unwrap()),
        ],
    );
    assert!(output.status.success(), "{output:?}");
    let told = fs::read_to_string(&trace).unwrap();
    fs::remove_file(&trace).unwrap();
    let count = |call: &str, name: &str| {
        told.lines()
            .filter(|line| {
                line.contains(&format!("]: {call} ")) && line.ends_with(&format!("{name}: AF_UNIX"))
            })
            .count()
    };
    assert_eq!(count("bind", "/stream"), 1, "{told}");
    assert_eq!(count("connect", "/stream"), 4, "{told}");
    assert_eq!(count("bind", "/datagram"), 1, "{told}");
    assert_eq!(count("connect", "abstract\\x00name"), 1, "{told}");
}

/// Some programs begin by emptying their environment, or write over it.
#[test]
fn what_was_asked_for_outlives_the_environment() {
    let trace = env::temp_dir().join(format!("runix-preload-kept-{}", process::id()));
    let output = child(
        "forget_and_talk",
        &[
            ("RUNIX_RUN_FAMILY", NO_FAMILY),
            ("RUNIX_RUN_TRACE", trace.to_str().unwrap()),
        ],
    );
    assert!(output.status.success(), "{output:?}");
    assert_eq!(warnings(&output), 1, "{output:?}");
    assert!(fs::remove_file(&trace).is_ok(), "{output:?}");
}

/// What the child does; without the variable it is nothing.
#[test]
fn forget_and_talk() {
    let directory = env::var_os(CHILD);
    if directory.is_some() {
        for (name, _) in env::vars_os() {
            env::remove_var(name);
        }
    }
    talk_in(directory);
}

/// As above, with its environment.
#[test]
fn talk() {
    talk_in(env::var_os(CHILD));
}

fn talk_in(directory: Option<OsString>) {
    let Some(directory) = directory else {
        return;
    };
    let directory = Path::new(&directory);
    streams(&directory.join("stream"));
    abstract_name();
    datagrams(directory);
    let (mut here, mut there) = UnixStream::pair().unwrap();
    here.write_all(b"pair").unwrap();
    let mut data = [0; 4];
    there.read_exact(&mut data).unwrap();
    assert_eq!(&data, b"pair");
}

fn streams(path: &Path) {
    let listener = UnixListener::bind(path).unwrap();
    assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(path));
    let clients: Vec<_> = (0..4u8)
        .map(|number| {
            let path = path.to_owned();
            thread::spawn(move || {
                let mut stream = UnixStream::connect(path).unwrap();
                stream.write_all(&[number; 1000]).unwrap();
                let mut answer = [0; 1000];
                stream.read_exact(&mut answer).unwrap();
                assert_eq!(answer, [number; 1000]);
            })
        })
        .collect();
    for _ in 0..4 {
        let (mut stream, _) = listener.accept().unwrap();
        let mut data = [0; 1000];
        stream.read_exact(&mut data).unwrap();
        stream.write_all(&data).unwrap();
    }
    for client in clients {
        client.join().unwrap();
    }
}

fn abstract_name() {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("runix-{}", process::id());
    let address = SocketAddr::from_abstract_name([name.as_bytes(), b"abstract\0name"].concat());
    let address = address.unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    let client = UnixStream::connect_addr(&address).unwrap();
    assert_eq!(
        client.peer_addr().unwrap().as_abstract_name(),
        address.as_abstract_name()
    );
    listener.accept().unwrap();
}

fn datagrams(directory: &Path) {
    let path = directory.join("datagram");
    let server = UnixDatagram::bind(&path).unwrap();
    let client = UnixDatagram::unbound().unwrap();
    client.send_to(b"hello", &path).unwrap();
    let mut data = [0; 10];
    let (len, from) = server.recv_from(&mut data).unwrap();
    assert_eq!(&data[..len], b"hello");
    assert!(from.is_unnamed());
}
