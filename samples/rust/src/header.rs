// SPDX-License-Identifier: MIT OR GPL-2.0

//! The module's C header, for tests that compare numbers with it.

use std::fs;
use std::path::Path;

pub(crate) struct Header {
    text: String,
}

impl Header {
    /// Reads it; `None` where the crate is alone, as it was published.
    pub(crate) fn read() -> Option<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        // cargo leaves this file in what it publishes, and nowhere else.
        if here.join("Cargo.toml.orig").exists() {
            println!("skipped: runix.h is in the module's source");
            return None;
        }
        let text = fs::read_to_string(here.join("../../rust/uapi/runix.h")).unwrap();
        Some(Self { text })
    }

    /// The number that a `#define` stands for.
    pub(crate) fn value(&self, name: &str) -> Option<i32> {
        self.text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("#define") && words.next() == Some(name))
                .then(|| words.next().unwrap().parse().unwrap())
        })
    }
}
