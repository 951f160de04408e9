// SPDX-License-Identifier: GPL-2.0

//! Limits: what they promise to the queue's growth and to those who sleep.

use crate::pure::limits::{backlog_full, fits, piece, writable, PIECE_MAX};
use proptest::collection::vec;
use proptest::prelude::*;

/// Sizes of every magnitude, with the edges among them.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..8usize,
        PIECE_MAX - 2..PIECE_MAX + 3,
        0..4 * PIECE_MAX,
        (0..usize::BITS).prop_flat_map(|shift| 0..=usize::MAX >> shift),
        Just(usize::MAX),
    ]
}

/// What a buffer limit may be set to: an `int` in the kernel.
fn sndbuf() -> impl Strategy<Value = usize> {
    prop_oneof![0..16usize, 0..4 * PIECE_MAX, 0..=i32::MAX as usize]
}

proptest! {
    #[test]
    fn a_piece_is_something_of_what_remains(remaining in size(), sndbuf in size()) {
        let piece = piece(remaining, sndbuf);
        prop_assert_eq!(piece == 0, remaining == 0);
        prop_assert!(piece <= remaining);
        prop_assert!(piece <= PIECE_MAX);
        prop_assert!(piece <= (sndbuf / 2).max(1));
    }

    #[test]
    fn a_piece_grows_with_what_remains_and_with_the_limit(
        remaining in size(),
        more in size(),
        sndbuf in size(),
        larger in size(),
    ) {
        let small = piece(remaining, sndbuf);
        prop_assert!(small <= piece(remaining.max(more), sndbuf));
        prop_assert!(small <= piece(remaining, sndbuf.max(larger)));
    }

    #[test]
    fn what_fits_still_fits_with_less_queued_a_smaller_piece_or_a_larger_limit(
        queued in size(),
        less in size(),
        piece in size(),
        smaller in size(),
        sndbuf in size(),
        larger in size(),
    ) {
        if fits(queued, piece, sndbuf) {
            prop_assert!(fits(queued.min(less), piece, sndbuf));
            prop_assert!(fits(queued, piece.min(smaller), sndbuf));
            prop_assert!(fits(queued, piece, sndbuf.max(larger)));
        }
    }

    #[test]
    fn a_queue_is_never_above_the_limit_but_for_one_piece(
        queued in size(),
        piece in size(),
        sndbuf in sndbuf(),
    ) {
        if fits(queued, piece, sndbuf) {
            prop_assert!(queued == 0 || queued + piece <= sndbuf);
        }
    }

    #[test]
    fn writable_stays_so_with_less_queued_or_a_larger_limit(
        queued in size(),
        less in size(),
        sndbuf in size(),
        larger in size(),
    ) {
        if writable(queued, sndbuf) {
            prop_assert!(writable(queued.min(less), sndbuf));
            prop_assert!(writable(queued, sndbuf.max(larger)));
        }
    }

    /// Else a woken writer would sleep again while nobody wakes it: the reader
    /// wakes it once only, when the queue becomes writable.
    #[test]
    fn at_a_writable_queue_the_next_piece_fits(
        queued in size(),
        remaining in size(),
        sndbuf in size(),
    ) {
        if writable(queued, sndbuf) {
            prop_assert!(fits(queued, piece(remaining, sndbuf), sndbuf));
        }
    }

    #[test]
    fn an_empty_queue_is_writable_and_takes_any_piece(piece in size(), sndbuf in size()) {
        prop_assert!(writable(0, sndbuf));
        prop_assert!(fits(0, piece, sndbuf));
    }

    #[test]
    fn writable_is_a_quarter_of_the_limit(sndbuf in sndbuf()) {
        prop_assert!(writable(sndbuf / 4, sndbuf));
        prop_assert!(!writable(sndbuf / 4 + 1, sndbuf));
    }

    /// A writer that sleeps until the queue is writable, a reader that takes
    /// what it likes, and somebody who changes the limit.
    #[test]
    fn a_write_of_any_size_comes_to_its_end_within_the_limit(
        total in 0..300_000usize,
        limits in vec(1024..100_000usize, 1..4),
        reads in vec(1..60_000usize, 1..8),
    ) {
        let (mut queued, mut remaining) = (0, total);
        let mut reads = reads.into_iter().cycle();
        let mut limits = limits.into_iter().cycle();
        let mut sndbuf = limits.next().unwrap();
        let mut asleep = false;
        while remaining > 0 {
            let piece = piece(remaining, sndbuf);
            if !asleep && fits(queued, piece, sndbuf) {
                let before = queued;
                queued += piece;
                remaining -= piece;
                prop_assert!(queued <= sndbuf.max(piece), "{before} + {piece} > {sndbuf}");
            } else {
                // Nothing queued would be nothing to wait for.
                prop_assert!(queued > 0);
                queued -= reads.next().unwrap().min(queued);
                asleep = !writable(queued, sndbuf);
                if !asleep {
                    sndbuf = limits.next().unwrap();
                }
            }
        }
    }

    #[test]
    fn a_listener_takes_one_more_than_its_backlog(backlog: u32) {
        let mut pending = backlog.saturating_sub(2);
        while !backlog_full(pending, backlog) {
            match pending.checked_add(1) {
                Some(next) => pending = next,
                None => break,
            }
        }
        prop_assert_eq!(pending, backlog.saturating_add(1));
    }
}

#[test]
fn pieces_at_the_edges() {
    for (remaining, sndbuf, expected) in [
        (0, 0, 0),
        (0, usize::MAX, 0),
        (1, 0, 1),
        (9, 0, 1),
        (9, 1, 1),
        (9, 2, 1),
        (9, 3, 1),
        (9, 4, 2),
        (9, 19, 9),
        (PIECE_MAX, 2 * PIECE_MAX, PIECE_MAX),
        (PIECE_MAX, 2 * PIECE_MAX - 1, PIECE_MAX - 1),
        (PIECE_MAX + 1, usize::MAX, PIECE_MAX),
        (usize::MAX, usize::MAX, PIECE_MAX),
    ] {
        assert_eq!(piece(remaining, sndbuf), expected, "{remaining} {sndbuf}");
    }
}

#[test]
fn fitting_at_the_edges() {
    assert!(fits(0, usize::MAX, 0));
    assert!(!fits(1, 0, 0));
    assert!(fits(1, 0, 1));
    assert!(!fits(1, 1, 1));
    assert!(fits(1, 1, 2));
    assert!(fits(6, 4, 10));
    assert!(!fits(6, 5, 10));
    assert!(!fits(usize::MAX, 2, usize::MAX - 1), "wrapped around");
}

#[test]
fn writable_at_the_edges() {
    assert!(writable(0, 0));
    assert!(!writable(1, 0));
    assert!(!writable(1, 3));
    assert!(writable(1, 4));
    assert!(!writable(usize::MAX / 2 + 1, 8), "wrapped around");
}

#[test]
fn backlog_at_the_edges() {
    assert!(!backlog_full(0, 0));
    assert!(backlog_full(1, 0));
    assert!(!backlog_full(u32::MAX, u32::MAX));
    assert!(backlog_full(u32::MAX, u32::MAX - 1));
}
