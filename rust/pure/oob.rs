// SPDX-License-Identifier: GPL-2.0

//! Out-of-band bytes of a stream: where a read stops, and what it passes over.
//!
//! One byte of a stream at most is *urgent*: the one that was sent out of band
//! last. It lies where it was sent, among the others, and a read never runs over
//! it: it stops in front, and the next one begins behind, so that a program that
//! doesn't care loses the byte. A program that does may take it ahead of all
//! others; then it leaves a *gap*, at which reads stop as well, until there is
//! another urgent byte. A byte that another one has followed out of band is
//! *plain* from then on.
//!
//! ```text
//!   a b c U d e        U taken:  a b c . d e        U, then V:  a b U c V
//!        ^ a read stops               ^ and here            not here ^  ^ here
//! ```
//!
//! If the option `SO_OOBINLINE` is set, reads still stop in front of the urgent
//! byte, but the next one begins with it.
//!
//! Two gaps never touch: they are one.

/// What lies at a place in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Bytes like any other.
    Plain,
    /// The urgent byte.
    Urgent,
    /// Bytes that were received out of band.
    Gap,
}

/// A run of bytes of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Which kind.
    pub(crate) place: Place,
    /// How many there are from here on.
    pub(crate) len: usize,
}

/// A queue as far as this matters. Places are told by their distance from the
/// front.
pub(crate) trait Places {
    /// Returns what lies at a place; `None` at the end of the queue.
    fn at(&self, offset: usize) -> Option<Stretch>;

    /// Tells whether there is an urgent byte anywhere.
    fn has_urgent(&self) -> bool;
}

/// Who reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// The bytes stay in the queue.
    pub(crate) peek: bool,
    /// The urgent byte is read like any other.
    pub(crate) inline: bool,
    /// The read has got bytes already.
    pub(crate) copied: bool,
}

/// What a read does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It takes what is there.
    Take,
    /// It takes the urgent byte, which is plain from here on.
    Settle,
    /// It ends.
    Stop,
    /// It goes on behind so many bytes, which stay.
    Pass(usize),
    /// It goes on behind so many bytes, which are gone.
    Drop(usize),
}

/// Tells what a read does at a place of a queue.
pub(crate) fn step(queue: &impl Places, offset: usize, look: Look) -> Step {
    let Some(Stretch { place, len }) = queue.at(offset) else {
        return Step::Take;
    };
    let behind = if look.peek {
        Step::Pass(len)
    } else {
        Step::Drop(len)
    };
    match place {
        Place::Plain => Step::Take,
        Place::Gap if look.copied && !queue.has_urgent() => Step::Stop,
        Place::Gap => behind,
        Place::Urgent if look.copied => Step::Stop,
        Place::Urgent if !look.inline => behind,
        Place::Urgent if look.peek => Step::Take,
        Place::Urgent => Step::Settle,
    }
}

/// Returns the place at which a peek begins that is to skip the first `skip`
/// bytes (`SO_PEEK_OFF`), which must be more than none.
///
/// Gaps don't count. An urgent byte does, except at the front. Whatever lies at
/// the place is read, even if it is the urgent byte. `None` if there is nothing
/// but what is passed over; a place at the end if there are too few bytes.
pub(crate) fn seek(queue: &impl Places, skip: usize, inline: bool) -> Option<usize> {
    let look = Look {
        peek: true,
        inline,
        copied: false,
    };
    let mut offset: usize = 0;
    while let Step::Pass(len) = step(queue, offset, look) {
        offset = offset.saturating_add(len);
    }
    queue.at(offset)?;
    let mut left = skip;
    while let Some(Stretch { place, len }) = queue.at(offset) {
        if place != Place::Gap {
            if left < len {
                return Some(offset.saturating_add(left));
            }
            left = left.saturating_sub(len);
        }
        offset = offset.saturating_add(len);
    }
    Some(offset)
}

/// Tells whether the reader has come to the mark (`SIOCATMARK`): to the urgent
/// byte, or the gap that the last one has left.
pub(crate) fn at_mark(queue: &impl Places) -> bool {
    match queue.at(0) {
        None => false,
        Some(first) => match first.place {
            Place::Plain => false,
            Place::Urgent => true,
            Place::Gap => {
                let next = queue.at(first.len).map(|next| next.place);
                !queue.has_urgent() || next == Some(Place::Urgent)
            }
        },
    }
}
