// SPDX-License-Identifier: MIT OR GPL-2.0

//! runix-run from outside, where the family is not there, or AF_UNIX stands in.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{self, Command, Output};
use std::thread;
use std::time::Duration;

/// No kernel has a family of this number.
const NO_FAMILY: &str = "4000";

fn run(family: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_runix-run"))
        .args(arguments)
        .env("RUNIX_FAMILY", family)
        .env("RUNIX_RUN_LIBRARY", "/no/such/library.so")
        .env_remove("LD_PRELOAD")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What a shell that is run sees in its environment. (The loader's complaint of
/// the library that is not there goes to standard error.)
fn environment(options: &[&str]) -> String {
    let mut arguments = options.to_vec();
    arguments.extend(["sh", "-c", "env | grep -E '^(RUNIX_RUN|LD_PRELOAD)' | sort"]);
    let output = run("1", &arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .replace("RUNIX_RUN_LIBRARY=/no/such/library.so\n", "")
}

#[test]
fn without_the_family_the_program_runs_after_one_warning() {
    let output = run(
        NO_FAMILY,
        &["sh", "-c", "echo \"$0 $1 <$LD_PRELOAD>\"; exit 7", "a", "b"],
    );
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(output.stdout, b"a b <>\n");
    assert_eq!(
        said(&output),
        "runix-run: address family 4000 is not available, the program runs on AF_UNIX: \
         load the runix module (modprobe runix)\n"
    );
}

/// Services of systemd are started so that they ignore it, others are not.
#[test]
fn sigpipe_is_as_it_was() {
    for disposition in [libc::SIG_DFL, libc::SIG_IGN] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runix-run"));
        command
            .args(["grep", "SigIgn", "/proc/self/status"])
            .env("RUNIX_FAMILY", NO_FAMILY);
        // SAFETY: The closure makes one system call.
        unsafe {
            command.pre_exec(move || {
                libc::signal(libc::SIGPIPE, disposition);
                Ok(())
            });
        }
        let told = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let ignored = told.trim_start_matches("SigIgn:").trim();
        let ignored = u64::from_str_radix(ignored, 16).unwrap();
        let bit = (ignored >> (libc::SIGPIPE - 1)) & 1;
        assert_eq!(bit == 1, disposition == libc::SIG_IGN, "{told}");
    }
}

#[test]
fn strictly_it_does_not_run() {
    let output = run(NO_FAMILY, &["--strict", "echo", "x"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
    assert!(said(&output).contains("address family 4000"), "{output:?}");
}

#[test]
fn options_reach_the_environment() {
    assert_eq!(
        environment(&[]),
        "LD_PRELOAD=/no/such/library.so\nRUNIX_RUN_FAMILY=1\n"
    );
    assert_eq!(
        environment(&[
            "--only",
            "/run/a*",
            "--only=@b",
            "--except",
            "*c",
            "--pairs",
            "--strict",
            "--trace"
        ]),
        "LD_PRELOAD=/no/such/library.so\n\
         RUNIX_RUN_EXCEPT=*c\n\
         RUNIX_RUN_FAMILY=1\n\
         RUNIX_RUN_ONLY=/run/a*\n\
         RUNIX_RUN_PAIRS=1\n\
         RUNIX_RUN_STRICT=1\n\
         RUNIX_RUN_TRACE=-\n"
    );
    let here = env::current_dir().unwrap();
    assert_eq!(
        environment(&["--no-pairs", "--trace=log"]),
        format!(
            "LD_PRELOAD=/no/such/library.so\nRUNIX_RUN_FAMILY=1\nRUNIX_RUN_PAIRS=0\n\
             RUNIX_RUN_TRACE={}/log\n",
            here.display()
        )
    );
}

#[test]
fn options_of_the_program_are_its_own() {
    let output = run(NO_FAMILY, &["echo", "--strict", "--help"]);
    assert_eq!(output.stdout, b"--strict --help\n");
}

#[test]
fn wrong_use() {
    for (arguments, text, status) in [
        (&[][..], "required arguments were not provided", 2),
        (&["--no-such-option", "true"][..], "--no-such-option", 2),
        (
            &["--only", "", "true"][..],
            "a pattern of --only is empty",
            2,
        ),
        (
            &["no-such-program-here"][..],
            "there is no program 'no-such-program-here'",
            1,
        ),
        (
            &["/etc/passwd"][..],
            "cannot run '/etc/passwd': Permission denied",
            1,
        ),
    ] {
        let output = run("1", arguments);
        assert_eq!(output.status.code(), Some(status), "{output:?}");
        let last = said(&output).lines().last().unwrap_or_default().to_owned();
        assert!(last.contains(text), "{output:?}");
    }
}

#[test]
fn a_library_that_the_loader_would_not_take() {
    let output = Command::new(env!("CARGO_BIN_EXE_runix-run"))
        .arg("true")
        .env("RUNIX_FAMILY", "1")
        .env("RUNIX_RUN_LIBRARY", "/a b/library.so")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("has a blank or a colon"),
        "{output:?}"
    );
}

#[test]
fn no_library_is_found() {
    // Alone in a directory.
    let directory: PathBuf = env::temp_dir().join(format!("runix-run-alone-{}", process::id()));
    fs::create_dir(&directory).unwrap();
    let copy = directory.join("runix-run");
    fs::copy(env!("CARGO_BIN_EXE_runix-run"), &copy).unwrap();
    // Another test's child may have been made while the copy was open to be written to, and
    // keeps it so until it runs something else.
    let mut run = Command::new(&copy);
    run.arg("true")
        .env("RUNIX_FAMILY", "1")
        .env_remove("RUNIX_RUN_LIBRARY");
    let output = (0..500)
        .find_map(|_| match run.output() {
            Err(e) if e.kind() == ErrorKind::ExecutableFileBusy => {
                thread::sleep(Duration::from_millis(10));
                None
            }
            result => Some(result),
        })
        .expect("the copy stays busy")
        .unwrap();
    fs::remove_dir_all(&directory).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("librunix_preload.so is neither beside"),
        "{output:?}"
    );
}
