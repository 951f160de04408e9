// SPDX-License-Identifier: MIT OR GPL-2.0

//! Where things are.

use std::env;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use runix_programs::{Failure, Outcome};

/// Names the library where it is not at one of its places.
const VARIABLE: &str = "RUNIX_RUN_LIBRARY";

/// The program of that name, as a shell finds it.
pub(crate) fn program(name: &OsStr) -> Outcome<PathBuf> {
    if name.as_bytes().contains(&b'/') {
        return Ok(name.into());
    }
    let path = env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|path| is_program(path))
        .ok_or_else(|| {
            let name = name.to_string_lossy();
            Failure::new(format!("there is no program '{name}': look at PATH"))
        })
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The library: beside the command, or where `make install` puts it.
pub(crate) fn library(name: &str) -> Outcome<PathBuf> {
    if let Some(path) = env::var_os(VARIABLE) {
        return std::path::absolute(path)
            .map_err(|error| Failure::usage(format!("{VARIABLE}: {error}")));
    }
    let this = env::current_exe().map_err(runix_programs::cannot("find the library"))?;
    let beside = this.parent().unwrap_or(Path::new("/"));
    [beside.join(name), beside.join("../lib/runix").join(name)]
        .into_iter()
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Failure::new(format!(
                "{name} is neither beside runix-run nor in ../lib/runix: set {VARIABLE} to its path"
            ))
        })
}
