// SPDX-License-Identifier: GPL-2.0

//! Attempts to look before sleeping: rare where they are in vain, and back soon
//! where they are not.

use crate::pure::patience::{worth_of_bytes, worth_of_packets, Memory};
use proptest::collection::vec;
use proptest::prelude::*;

/// The longest pause between two attempts, in waits.
const LONGEST: usize = 256;

/// Runs waits that meet what `pays` says, and returns how many attempts were made.
fn attempts(memory: &mut Memory, waits: usize, mut pays: impl FnMut() -> bool) -> usize {
    let mut made = 0;
    for _ in 0..waits {
        match memory.attempt() {
            Ok(()) => {
                made += 1;
                *memory = memory.after(pays());
            }
            Err(after) => *memory = after,
        }
    }
    made
}

#[test]
fn each_wait_makes_an_attempt_while_that_pays() {
    let mut memory = Memory::from_raw(0);
    assert_eq!(attempts(&mut memory, 1000, || true), 1000);
    assert_eq!(memory, Memory::from_raw(0));
}

#[test]
fn waits_in_vain_make_few_attempts() {
    let mut memory = Memory::from_raw(0);
    // 1 + 1, 1 + 2, 1 + 4 waits and so on: nine attempts until the pauses are the longest.
    assert_eq!(attempts(&mut memory, 9 + 511, || false), 9);
    assert_eq!(attempts(&mut memory, 100 * (LONGEST + 1), || false), 100);
}

#[test]
fn a_success_ends_the_pauses() {
    let mut memory = Memory::from_raw(0);
    attempts(&mut memory, 10_000, || false);
    // The pause that is under way goes by; then each wait makes an attempt.
    attempts(&mut memory, LONGEST + 1, || true);
    assert_eq!(attempts(&mut memory, 50, || true), 50);
}

#[test]
fn worth_grows_and_does_not_wrap() {
    assert_eq!(worth_of_bytes(0), 0);
    assert_eq!(worth_of_packets(0), 0);
    assert_eq!(worth_of_bytes(usize::MAX), u64::MAX);
    assert_eq!(worth_of_packets(usize::MAX), u64::MAX);
    assert!(worth_of_packets(10) > worth_of_bytes(10));
}

proptest! {
    #[test]
    fn a_success_is_never_far(outcomes in vec(any::<bool>(), 0..200)) {
        let mut memory = Memory::from_raw(0);
        let mut outcomes = outcomes.into_iter();
        attempts(&mut memory, 10_000, || outcomes.next().unwrap_or(false));
        // Whatever was before, an attempt comes within the longest pause.
        prop_assert!(attempts(&mut memory, LONGEST + 1, || true) >= 1);
        prop_assert_eq!(memory, Memory::from_raw(0));
    }

    #[test]
    fn a_number_kept_is_the_memory(outcomes in vec(any::<bool>(), 0..200)) {
        let mut memory = Memory::from_raw(0);
        for outcome in outcomes {
            memory = match memory.attempt() {
                Ok(()) => memory.after(outcome),
                Err(after) => after,
            };
            prop_assert_eq!(memory, Memory::from_raw(memory.raw()));
        }
    }
}
