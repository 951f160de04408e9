// SPDX-License-Identifier: GPL-2.0

//! AF_RUNIX: a socket family with the semantics of UNIX-domain sockets.
//!
//! The layers, and who may know whom:
//!
//! ```text
//! proto     the family; safe Rust       -> net, pure
//! net       sockets in safe Rust        -> bindings, pure
//! pure      algorithms; core alone
//! bindings  what the kernel crate lacks
//! ```

#![deny(unsafe_code)]

use kernel::prelude::*;

#[expect(unsafe_code)]
mod bindings;
#[expect(unsafe_code)]
mod net;
mod proto;
mod pure;

/// What `uapi/runix.h` says of the family's own options.
mod uapi {
    #[allow(unused_imports)]
    pub(crate) use crate::bindings::{
        RUNIX_INQ,
        RUNIX_PASSCRED,
        RUNIX_PASSPIDFD,
        RUNIX_PASSRIGHTS,
        RUNIX_PASSSEC,
        RUNIX_PEERPIDFD,
        RUNIX_RIGHTS_NOTRUNC,
        SOL_RUNIX, //
    };
}

/// The version that the log names.
const VERSION: &str = "0.1.0";

module! {
    type: proto::Module,
    name: "runix",
    authors: ["The runix authors"],
    description: "AF_RUNIX: UNIX-domain sockets under a family of their own",
    license: "GPL",
    alias: ["net-pf-18"],
}
