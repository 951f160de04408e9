// SPDX-License-Identifier: GPL-2.0

//! A second, tiny family: what is sent to a socket comes back from it.
//!
//! It shows that the layer in `rust/net` knows nothing of AF_RUNIX, and how
//! little a family needs: one type of socket, one queue in each, a hundred
//! lines without `unsafe`. Load it and try:
//!
//! ```text
//! s = socket(AF_ECONET (19), SOCK_STREAM, 0); write(s, "hello", 5); read(s, ...)
//! ```

#![deny(unsafe_code)]

use kernel::prelude::*;

#[expect(unsafe_code)]
#[path = "../../rust/bindings/mod.rs"]
mod bindings;
mod echo;
#[expect(unsafe_code)]
#[path = "../../rust/net/mod.rs"]
mod net;
#[allow(dead_code)]
#[path = "../../rust/pure/mod.rs"]
mod pure;

module! {
    type: echo::Module,
    name: "runix_echo",
    authors: ["The runix authors"],
    description: "A socket family that echoes, as a sample of the layer",
    license: "GPL",
}
