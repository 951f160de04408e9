// SPDX-License-Identifier: MIT OR GPL-2.0

//! runix-run: runs a program with its AF_UNIX sockets on AF_RUNIX.
//!
//! It looks whether the family is there, tells a library in environment
//! variables what to do, and becomes the program, with that library preloaded.

mod elf;
mod find;
mod pipe;

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{self, ExitCode};

use clap::{value_parser, Arg, ArgAction, ArgMatches, Command};
use runix::RunixStream;
use runix_programs::{matches, run, Failure, Outcome};
use runix_redirect::variable;

const LIBRARY: &str = "librunix_preload.so";

fn main() -> ExitCode {
    run(|| Err(start()?))
}

fn command() -> Command {
    Command::new("runix-run")
        .about("Runs a program with its AF_UNIX sockets on AF_RUNIX.")
        .after_help(
            "In a PATTERN, * stands for any bytes and ? for one; abstract names begin with @. \
             Without --only, every name goes to AF_RUNIX except those of the system's services \
             (dbus, systemd, syslog, nscd).\n\n\
             Where nobody serves a name on AF_RUNIX, it is looked for on AF_UNIX. \
             Without the module, the program runs on AF_UNIX, after a warning.",
        )
        .arg(pattern(
            "only",
            "Only names that are like one of the patterns",
        ))
        .arg(pattern(
            "except",
            "No name that is like one of the patterns",
        ))
        .arg(
            flag("pairs", "Pairs of sockets as well, in spite of --only")
                .overrides_with("no-pairs"),
        )
        .arg(flag("no-pairs", "No pairs of sockets").overrides_with("pairs"))
        .arg(flag(
            "strict",
            "Never look for a name on AF_UNIX, never run without the module",
        ))
        .arg(
            Arg::new("trace")
                .long("trace")
                .value_name("FILE")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("-")
                .value_parser(value_parser!(OsString))
                .help("Tell each name and where it goes, on standard error or to the end of FILE"),
        )
        .arg(
            Arg::new("program")
                .value_name("PROGRAM")
                .required(true)
                .num_args(1..)
                .trailing_var_arg(true)
                .allow_hyphen_values(true)
                .value_parser(value_parser!(OsString))
                .help("The program and its arguments"),
        )
}

fn pattern(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("PATTERN")
        .action(ArgAction::Append)
        .value_parser(value_parser!(OsString))
        .help(help)
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .action(ArgAction::SetTrue)
        .help(help)
}

/// Becomes the program; what is returned is why it could not.
fn start() -> Outcome<Failure> {
    let matches = matches(command())?;
    let mut words = matches
        .get_many::<OsString>("program")
        .into_iter()
        .flatten();
    let Some(name) = words.next() else {
        return Err(Failure::usage("no program is given: see --help"));
    };
    if name.as_bytes().starts_with(b"-") {
        let name = name.to_string_lossy();
        return Err(Failure::usage(format!(
            "there is no option '{name}': see --help"
        )));
    }
    let path = find::program(name)?;
    let mut program = process::Command::new(&path);
    program.arg0(name).args(words);

    for name in variable::ALL {
        program.env_remove(name);
    }
    if is_there(matches.get_flag("strict"))? {
        warn_of_obstacles(&path);
        prepare(&mut program, &matches)?;
    }
    pipe::pass_on(&mut program);
    let error = program.exec();
    Ok(cannot_run(name, error))
}

/// Looks whether the family is there, which may load the module.
fn is_there(strict: bool) -> Outcome<bool> {
    match RunixStream::pair() {
        Ok(_) => Ok(true),
        Err(error) if strict => Err(runix_programs::no_socket(error)),
        Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {
            let family = runix::family().map_err(|error| Failure::usage(error.to_string()))?;
            eprintln!(
                "runix-run: address family {family} is not available, the program runs on \
                 AF_UNIX: load the runix module (modprobe runix)"
            );
            Ok(false)
        }
        Err(error) => Err(runix_programs::no_socket(error)),
    }
}

fn warn_of_obstacles(path: &PathBuf) {
    // Who may run a program need not be allowed to read it.
    let found = File::open(path).and_then(|mut file| elf::obstacle(&mut file));
    if let Ok(Some(obstacle)) = found {
        eprintln!(
            "runix-run: '{}' stays on AF_UNIX, as {}: no library can be preloaded",
            path.display(),
            obstacle.reason()
        );
    }
}

/// Puts into the program's environment what the library reads.
fn prepare(program: &mut process::Command, matches: &ArgMatches) -> Outcome {
    program.env("LD_PRELOAD", preloaded(find::library(LIBRARY)?)?);
    let family = runix::family().map_err(|error| Failure::usage(error.to_string()))?;
    program.env(variable::FAMILY, family.to_string());
    for (option, name) in [("only", variable::ONLY), ("except", variable::EXCEPT)] {
        if let Some(patterns) = matches.get_many::<OsString>(option) {
            program.env(name, lines(option, patterns)?);
        }
    }
    if matches.get_flag("pairs") {
        program.env(variable::PAIRS, "1");
    } else if matches.get_flag("no-pairs") {
        program.env(variable::PAIRS, "0");
    }
    if matches.get_flag("strict") {
        program.env(variable::STRICT, "1");
    }
    if let Some(place) = matches.get_one::<OsString>("trace") {
        program.env(variable::TRACE, absolute(place)?);
    }
    Ok(())
}

/// The list of the loader, with our library in front.
fn preloaded(library: PathBuf) -> Outcome<OsString> {
    let mut list = library.into_os_string();
    if list.as_bytes().iter().any(|byte| b" :".contains(byte)) {
        return Err(Failure::new(format!(
            "'{}' has a blank or a colon, which the loader doesn't take: put it elsewhere",
            list.to_string_lossy()
        )));
    }
    if let Some(others) = env::var_os("LD_PRELOAD").filter(|others| !others.is_empty()) {
        list.push(":");
        list.push(others);
    }
    Ok(list)
}

fn lines<'a>(option: &str, patterns: impl Iterator<Item = &'a OsString>) -> Outcome<OsString> {
    let mut text = Vec::new();
    for pattern in patterns {
        let pattern = pattern.as_bytes();
        if pattern.is_empty() || pattern.contains(&b'\n') {
            return Err(Failure::usage(format!(
                "a pattern of --{option} is empty or has a line break: see --help"
            )));
        }
        text.extend_from_slice(pattern);
        text.push(b'\n');
    }
    if text.len() > PATTERNS_MAX {
        return Err(Failure::usage(format!(
            "the patterns of --{option} are too long: {} bytes, and at most {PATTERNS_MAX} fit",
            text.len()
        )));
    }
    Ok(OsString::from_vec(text))
}

/// As much as the library has place for.
const PATTERNS_MAX: usize = 4096;

/// The trace's file, for a program that goes to another directory.
fn absolute(place: &OsStr) -> Outcome<OsString> {
    if place == "-" {
        return Ok(place.to_owned());
    }
    let path = std::path::absolute(place).map_err(|error| {
        Failure::usage(format!("no file '{}': {error}", place.to_string_lossy()))
    })?;
    Ok(path.into_os_string())
}

fn cannot_run(name: &OsStr, error: io::Error) -> Failure {
    let name = name.to_string_lossy();
    match error.raw_os_error() {
        Some(libc::ENOENT) => Failure::new(format!(
            "there is no program '{name}', or not what runs it: look at its first line"
        )),
        _ => runix_programs::cannot(format_args!("run '{name}'"))(error),
    }
}
