// SPDX-License-Identifier: GPL-2.0

//! What is expected to come: not less than what came, not much more, and no small things.

use crate::pure::habit::{expected, kept, WORTHWHILE};
use proptest::prelude::*;

#[test]
fn nothing_is_expected_to_begin_with() {
    assert_eq!(expected(0), 0);
    assert_eq!(expected(kept(0)), 0);
    assert_eq!(expected(kept(WORTHWHILE - 1)), 0);
}

#[test]
fn edges() {
    assert!(expected(kept(WORTHWHILE)) > WORTHWHILE);
    assert_eq!(expected(kept(65535)), 65536);
    assert_eq!(expected(kept(65536)), 131072);
    assert_eq!(expected(kept(usize::MAX)), usize::MAX);
    // Whatever the byte is.
    assert_eq!(expected(u8::MAX), usize::MAX);
}

proptest! {
    #[test]
    fn as_much_as_came_and_twice_as_much_at_most(count in WORTHWHILE..usize::MAX / 2) {
        let expected = expected(kept(count));
        prop_assert!(expected > count);
        prop_assert!(expected <= 2 * count);
    }
}
