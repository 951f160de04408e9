// SPDX-License-Identifier: MIT OR GPL-2.0

//! The environment variables by which the command tells the library what to do,
//! and a program's children as well.

/// The number of AF_RUNIX. Where it is not set, the library finds out.
pub const FAMILY: &str = "RUNIX_RUN_FAMILY";

/// Patterns of names, one a line: only these go to AF_RUNIX.
pub const ONLY: &str = "RUNIX_RUN_ONLY";

/// Patterns of names, one a line: these stay on AF_UNIX.
pub const EXCEPT: &str = "RUNIX_RUN_EXCEPT";

/// `1`: pairs of sockets go to AF_RUNIX, `0`: they stay.
pub const PAIRS: &str = "RUNIX_RUN_PAIRS";

/// Set: what nobody serves on AF_RUNIX is not looked for on AF_UNIX.
pub const STRICT: &str = "RUNIX_RUN_STRICT";

/// Where to tell what was redirected: a file, or `-` for standard error.
pub const TRACE: &str = "RUNIX_RUN_TRACE";

/// All of them.
pub const ALL: [&str; 6] = [FAMILY, ONLY, EXCEPT, PAIRS, STRICT, TRACE];
