// SPDX-License-Identifier: MIT OR GPL-2.0

//! runixstat: lists the sockets of the family with all that is known of them,
//! as `ss` and `netstat -a` do those of AF_UNIX.

#![forbid(unsafe_code)]

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use runix_programs::stat::{json, report, sockets, Filter, Kind, Pattern, State};
use runix_programs::{cannot, matches, run, Failure, Outcome};

/// Moves the cursor to the upper left and clears the terminal.
const CLEAR: &str = "\x1b[H\x1b[2J";

const COLUMNS: &str = "\
Columns:
  TYPE     stream, dgram or seqpacket
  STATE    listening, connected or unconnected
  RECV-Q   bytes that wait to be received (the next message of a dgram socket);
           of a listening socket, connections that wait to be accepted
  SEND-Q   bytes that were sent and not received yet;
           of a listening socket, how many connections may wait
  LOCAL    the socket's name: a path, or @name for an abstract name
  PEER     the other end: its name, if it has one, and its [inode];
           (none) if it was closed or isn't accepted yet
  INODE    the number that /proc/PID/fd shows
  UID      the owner
  PROCESS  who has it open: name/PID/descriptors; of all processes for root,
           of one's own for others
A dash stands for what isn't known or doesn't apply.

In names and processes, what can't be printed is written like \\x1b, a backslash
as two. Patterns are compared with that.

A PATTERN with * (anything) or ? (any character) describes the whole, one
without a part of it.

Examples:
  runixstat --state listening
  runixstat --type dgram,seqpacket --process 'worker*'
  runixstat --name /run/ --watch 1
  runixstat --json | jq '.sockets[] | select(.recv_q > 0)'

RUNIX_FAMILY=1 in the environment shows the sockets of AF_UNIX.";

fn main() -> ExitCode {
    run(body)
}

fn command() -> Command {
    let option = |name: &'static str, short, value: &'static str| {
        Arg::new(name).long(name).short(short).value_name(value)
    };
    Command::new("runixstat")
        .about("Lists the sockets of this network namespace.")
        .arg(
            option("type", 't', "TYPE")
                .help("Only these types: stream, dgram, seqpacket")
                .value_delimiter(',')
                .action(ArgAction::Append),
        )
        .arg(
            option("state", 's', "STATE")
                .help("Only these states: listening, connected, unconnected")
                .value_delimiter(',')
                .action(ArgAction::Append),
        )
        .arg(
            option("name", 'n', "PATTERN")
                .help("Only sockets with such a name, or a peer with such a name"),
        )
        .arg(
            option("process", 'p', "PATTERN")
                .help("Only sockets of such a process, or of the one with this PID"),
        )
        .arg(option("watch", 'w', "SECONDS").help("Show it again and again, so often"))
        .arg(
            Arg::new("json")
                .long("json")
                .short('j')
                .action(ArgAction::SetTrue)
                .help("Write JSON, with all details, a document a line"),
        )
        .after_help(COLUMNS)
}

fn body() -> Outcome {
    let matches = matches(command())?;
    let filter = Filter {
        kinds: list(&matches, "type", kind)?,
        states: list(&matches, "state", state)?,
        name: pattern(&matches, "name"),
        process: pattern(&matches, "process"),
    };
    let interval = matches.get_one("watch").map(interval).transpose()?;
    let as_json = matches.get_flag("json");

    loop {
        let text = view(&filter, as_json)?;
        let clear = interval.is_some() && !as_json && io::stdout().is_terminal();
        match show(clear, &text) {
            // Who reads has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            result => result.map_err(cannot("write"))?,
        }
        match interval {
            Some(interval) => thread::sleep(interval),
            None => return Ok(()),
        }
    }
}

/// Looks once, and writes what was seen.
fn view(filter: &Filter, as_json: bool) -> Outcome<String> {
    let family = runix::family().map_err(cannot("tell the address family"))?;
    let (source, sockets) = sockets(family).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::new(
            "the kernel has no list of such sockets: load the runix module (modprobe runix)",
        ),
        _ => cannot("list the sockets")(error),
    })?;
    let wanted = sockets.iter().filter(|socket| filter.wants(socket));
    Ok(if as_json {
        json(family, source, wanted) + "\n"
    } else {
        report(wanted)
    })
}

fn show(clear: bool, text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    if clear {
        output.write_all(CLEAR.as_bytes())?;
    }
    output.write_all(text.as_bytes())?;
    output.flush()
}

/// Reads a list of words that are each one of a few.
fn list<T>(
    matches: &ArgMatches,
    option: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Outcome<Vec<T>> {
    let words = matches.get_many::<String>(option).into_iter().flatten();
    words
        .map(|word| {
            parse(word)
                .ok_or_else(|| Failure::usage(format!("there is no {option} '{word}': see --help")))
        })
        .collect()
}

fn kind(word: &str) -> Option<Kind> {
    [Kind::Stream, Kind::Datagram, Kind::SeqPacket]
        .into_iter()
        .find(|kind| kind.to_string() == word)
}

fn state(word: &str) -> Option<State> {
    [State::Listening, State::Connected, State::Unconnected]
        .into_iter()
        .find(|state| state.to_string() == word)
}

fn pattern(matches: &ArgMatches, option: &str) -> Option<Pattern> {
    let text = matches.get_one::<String>(option)?;
    Some(Pattern::new(text))
}

fn interval(text: &String) -> Outcome<Duration> {
    let seconds = text.parse().ok().filter(|seconds| *seconds >= 0.1);
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| {
            Failure::usage(format!(
                "'{text}' is no number of seconds: give one of at least 0.1"
            ))
        })
}
