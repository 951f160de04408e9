// SPDX-License-Identifier: GPL-2.0

//! Marks: what goes with runs of bytes in a queue.
//!
//! A stream rarely has any: one load tells that there are none. The marks of a
//! queue are in the order of its bytes, and don't overlap.

use super::ancillary::SenderId;
use super::smallbox::{
    SmallBox,
    SMALL_BOX_SIZE, //
};
use super::word::Word;
use crate::pure::oob::{
    Place,
    Stretch, //
};
use core::{
    ptr,
    ptr::NonNull, //
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::SpinLock, //
};

/// What goes with bytes or packets in a queue.
pub(crate) trait Rider: Send {
    /// Called when it is sure to be queued, before anybody can take it out again.
    ///
    /// Under locks of the queue: must not sleep.
    fn queued(&self) {}

    /// Returns of whom it tells, if it tells nothing else: what the same sends next may
    /// go with it.
    fn sender_id(&self) -> Option<SenderId> {
        None
    }
}

impl Rider for () {}

/// A mark, and the positions of the bytes that it goes with.
///
/// If it tells of a sender and nothing else, it grows by what that sends next, and is kept
/// for it when all its bytes were read, if nothing has come since.
pub(crate) struct Mark<M> {
    start: usize,
    len: usize,
    next: Option<SmallBox<Mark<M>>>,
    kind: Kind,
    from: Option<SenderId>,
    value: M,
}

/// What kind of bytes a mark goes with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Bytes like any other.
    Plain,
    /// A byte that was sent out of band, and not received so.
    OutOfBand,
    /// Bytes that were received out of band.
    Gap,
}

impl<M: Rider> Mark<M> {
    /// Wraps a value, so that it can be queued under a lock.
    ///
    /// May sleep. `ENOMEM` without memory.
    pub(crate) fn new(value: M) -> Result<SmallBox<Self>> {
        let mark = Self {
            start: 0,
            len: 0,
            next: None,
            kind: Kind::Plain,
            from: value.sender_id(),
            value,
        };
        SmallBox::new(mark)
    }
}

impl<M> Mark<M> {
    /// Makes it the mark of an out-of-band byte.
    pub(crate) fn set_out_of_band(&mut self) {
        self.kind = Kind::OutOfBand;
        self.from = None;
    }

    /// Returns the position behind its bytes.
    fn end(&self) -> usize {
        self.start.wrapping_add(self.len)
    }

    /// Returns the value.
    pub(crate) fn value(&self) -> &M {
        &self.value
    }
}

/// A run of bytes that one mark, or none, goes with.
pub(crate) struct Run<'a, M> {
    /// How many bytes the run has from where it was asked for, at most.
    pub(crate) len: usize,
    /// The mark.
    pub(crate) value: Option<&'a mut M>,
    /// There are out-of-band bytes in the queue, or gaps that such have left.
    pub(crate) out_of_band: bool,
}

impl<M> Run<'_, M> {
    /// Returns a run of bytes that no mark goes with.
    #[inline]
    pub(super) fn plain(len: usize) -> Self {
        Self {
            len,
            value: None,
            out_of_band: false,
        }
    }
}

/// The marks of a queue.
#[pin_data]
pub(super) struct Marks<M: Send> {
    #[pin]
    list: SpinLock<List<M>>,
    count: Word,
}

/// # Invariants
///
/// `last` points to the last mark of the chain that begins at `first`; both are
/// `None` at the same time.
struct List<M> {
    first: Option<SmallBox<Mark<M>>>,
    last: Option<NonNull<Mark<M>>>,
    /// The position of the byte that is out of band, if one is: the one that was
    /// sent so last.
    urgent_at: usize,
    is_urgent: bool,
    /// How many bytes gaps have; no more than there is room for, which is an `int`.
    gaps: u32,
}

// The marks are in boxes: moving the list moves none of them.
impl<M> Unpin for List<M> {}

// SAFETY: The list owns its marks, which are `Send`.
unsafe impl<M: Send> Send for List<M> {}

impl<M> List<M> {
    /// Returns the position of the byte that is out of band.
    fn urgent(&self) -> Option<usize> {
        self.is_urgent.then_some(self.urgent_at)
    }

    fn pop(&mut self) -> Option<SmallBox<Mark<M>>> {
        let mut mark = self.first.take()?;
        self.first = mark.next.take();
        if self.first.is_none() {
            // INVARIANT: The chain is empty.
            self.last = None;
        }
        match mark.kind {
            Kind::Plain => {}
            Kind::OutOfBand => self.settle(mark.start),
            Kind::Gap => self.gaps = self.gaps.wrapping_sub(mark.len as u32),
        }
        Some(mark)
    }

    /// Makes the byte at a position one like any other, if it is out of band.
    fn settle(&mut self, position: usize) {
        if self.urgent() == Some(position) {
            self.is_urgent = false;
        }
    }

    /// Tells whether there is anything out of band, or was.
    fn is_special(&self) -> bool {
        self.is_urgent || self.gaps > 0
    }

    /// Makes a gap of the out-of-band byte. It takes in a gap in front of it,
    /// whose mark is handed back, to be dropped after the lock.
    fn open_gap(&mut self) -> Option<SmallBox<Mark<M>>> {
        let position = self.urgent()?;
        self.is_urgent = false;
        let mut link = &mut self.first;
        loop {
            let mark = link.as_mut()?;
            if mark.start == position {
                mark.kind = Kind::Gap;
                self.gaps = self.gaps.wrapping_add(mark.len as u32);
                return None;
            }
            if mark.kind == Kind::Gap && mark.end() == position {
                break;
            }
            link = &mut link.as_mut()?.next;
        }
        let mut before = link.take()?;
        let mut mark = before.next.take()?;
        mark.kind = Kind::Gap;
        self.gaps = self.gaps.wrapping_add(mark.len as u32);
        mark.start = before.start;
        mark.len = mark.len.wrapping_add(before.len);
        // INVARIANT: The mark in front is not the last one, and no mark was moved in memory.
        *link = Some(mark);
        Some(before)
    }
}

impl<M> Drop for List<M> {
    fn drop(&mut self) {
        // One by one: a chain that is dropped as a whole would recurse.
        while let Some(mark) = self.pop() {
            drop(mark);
        }
    }
}

impl<M: Send> Marks<M> {
    pub(super) fn new() -> impl PinInit<Self> {
        // INVARIANT: There are no marks.
        pin_init!(Self {
            list <- new_spinlock!(
                List {
                    first: None,
                    last: None,
                    urgent_at: 0,
                    is_urgent: false,
                    gaps: 0,
                },
                "Marks::list"
            ),
            count: Word::new(0),
        })
    }

    /// Tells whether there are none. Whoever has acquired a position sees the
    /// marks that were pushed before it was published.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.count.get_acquire() == 0
    }

    /// Returns how much memory the marks take, in bytes, about.
    #[inline]
    pub(super) fn memory(&self) -> usize {
        self.count.get().saturating_mul(SMALL_BOX_SIZE)
    }

    /// Puts a mark behind all others, for `len` bytes from `start` on, which
    /// `publish` lets the reader have: in one step, to those who hold the lock.
    ///
    /// By the writer alone.
    pub(super) fn push(
        &self,
        mut mark: SmallBox<Mark<M>>,
        start: usize,
        len: usize,
        publish: impl FnOnce(),
    ) {
        mark.start = start;
        mark.len = len;
        let raw = NonNull::from(&mut *mark);
        let mut list = self.list.lock();
        if mark.kind == Kind::OutOfBand {
            list.urgent_at = start;
            list.is_urgent = true;
        }
        match list.last {
            // SAFETY: By the type invariants, it is the last mark of the chain, which is locked.
            Some(last) => unsafe { (*last.as_ptr()).next = Some(mark) },
            None => list.first = Some(mark),
        }
        // INVARIANT: The mark is the last one; in its box, it stays where it is.
        list.last = Some(raw);
        self.count.set_release(self.count.get().wrapping_add(1));
        publish();
    }

    /// Tells whether bytes of that sender, from `start` on, may go with the last mark. It
    /// stays as long as no bytes behind it are published.
    ///
    /// By the writer alone.
    pub(super) fn may_grow(&self, from: SenderId, start: usize) -> bool {
        if self.is_empty() {
            return false;
        }
        let list = self.list.lock();
        let Some(last) = list.last else {
            return false;
        };
        // SAFETY: By the type invariants, it is the last mark of the chain, which is locked. A
        // reader may use its value, which isn't touched.
        let (last_from, last_end) = unsafe {
            let last = last.as_ptr();
            ((*last).from, (*last).start.wrapping_add((*last).len))
        };
        last_from == Some(from) && last_end == start
    }

    /// Lets `len` more bytes go with the last mark, which `publish` lets the reader have.
    ///
    /// By the writer alone, who has seen that it [may grow](Marks::may_grow).
    pub(super) fn grow(&self, len: usize, publish: impl FnOnce()) {
        let list = self.list.lock();
        if let Some(last) = list.last {
            // SAFETY: As in `may_grow`.
            unsafe { (*last.as_ptr()).len = (*last.as_ptr()).len.wrapping_add(len) };
        }
        publish();
    }

    /// Counts a mark that has left the list. By the reader alone, under the list's lock.
    fn one_less(&self) {
        self.count.set_release(self.count.get().wrapping_sub(1));
    }

    /// Drops the marks whose bytes lie in front of `position`, but for one that may grow.
    ///
    /// By the reader alone. May sleep, as what a mark holds is dropped.
    pub(super) fn discard_before(&self, position: usize) {
        loop {
            let mut list = self.list.lock();
            match list.first.as_ref() {
                Some(mark) if is_past(mark, position) && !may_come(mark, position) => {}
                _ => return,
            }
            let mark = list.pop();
            self.one_less();
            // What a mark holds is dropped after the lock.
            drop(list);
            drop(mark);
        }
    }

    /// Takes out the mark that was kept for what may come to `position`, if one was: there
    /// are no others then.
    ///
    /// By who is the reader and the writer, when there are no bytes left. Any context; to
    /// drop such a mark never sleeps.
    pub(super) fn take_kept(&self, position: usize) -> Option<SmallBox<Mark<M>>> {
        if self.is_empty() {
            return None;
        }
        let mut list = self.list.lock();
        let mark = match list.first.as_ref() {
            Some(mark) if may_come(mark, position) => list.pop(),
            _ => return None,
        };
        self.one_less();
        mark
    }

    /// Drops all marks. By the reader, when there are no bytes left. May sleep.
    pub(super) fn discard_all(&self) {
        loop {
            let mut list = self.list.lock();
            let Some(mark) = list.pop() else {
                return;
            };
            self.one_less();
            drop(list);
            drop(mark);
        }
    }

    /// Returns the run at `position`.
    ///
    /// # Safety
    ///
    /// The caller is the reader, and is it for `'a`; it has no other run.
    pub(super) unsafe fn run_at<'a>(&'a self, position: usize) -> Run<'a, M> {
        if self.is_empty() {
            return Run::plain(usize::MAX);
        }
        let mut list = self.list.lock();
        let out_of_band = list.is_special();
        let mut next = list.first.as_mut();
        while let Some(mark) = next {
            let into = position.wrapping_sub(mark.start);
            if into < mark.len {
                let len = mark.len.wrapping_sub(into);
                let value = ptr::from_mut(&mut mark.value);
                return Run {
                    len,
                    // SAFETY: Marks leave the list by the reader alone, out of boxes: the value
                    // stays where it is. The writer touches the link and the length of the last
                    // mark, not the value.
                    value: Some(unsafe { &mut *value }),
                    out_of_band,
                };
            }
            if !is_past(mark, position) {
                return Run {
                    out_of_band,
                    ..Run::plain(mark.start.wrapping_sub(position))
                };
            }
            next = mark.next.as_mut();
        }
        Run {
            out_of_band,
            ..Run::plain(usize::MAX)
        }
    }

    /// Returns what lies at a position: its kind, and how many bytes there are
    /// of it, at most.
    pub(super) fn place_at(&self, position: usize) -> Stretch {
        let list = self.list.lock();
        let mut next = list.first.as_ref();
        while let Some(mark) = next {
            let into = position.wrapping_sub(mark.start);
            if into < mark.len {
                let place = match mark.kind {
                    Kind::Gap => Place::Gap,
                    Kind::OutOfBand if list.urgent() == Some(position) => Place::Urgent,
                    _ => Place::Plain,
                };
                return Stretch {
                    place,
                    len: mark.len.wrapping_sub(into),
                };
            }
            if !is_past(mark, position) {
                return Stretch {
                    place: Place::Plain,
                    len: mark.start.wrapping_sub(position),
                };
            }
            next = mark.next.as_ref();
        }
        Stretch {
            place: Place::Plain,
            len: usize::MAX,
        }
    }

    /// Returns the position of the out-of-band byte, if there is one. Any
    /// context.
    pub(super) fn urgent(&self) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        self.list.lock().urgent()
    }

    /// Returns how many bytes in the queue were received out of band. Any
    /// context.
    pub(super) fn gaps(&self) -> usize {
        if self.is_empty() {
            return 0;
        }
        self.list.lock().gaps as usize
    }

    /// Makes the byte at a position one like any other, if it is out of band.
    ///
    /// By the reader alone.
    pub(super) fn settle(&self, position: usize) {
        self.list.lock().settle(position);
    }

    /// Notes that the out-of-band byte was received: it leaves a gap.
    ///
    /// By the reader alone. May sleep, as what a mark holds is dropped.
    pub(super) fn open_gap(&self) {
        let mut list = self.list.lock();
        let before = list.open_gap();
        if before.is_some() {
            self.one_less();
        }
        drop(list);
        drop(before);
    }
}

/// Tells whether the next bytes, which come to `position`, may go with a mark.
fn may_come<M>(mark: &Mark<M>, position: usize) -> bool {
    mark.next.is_none() && mark.from.is_some() && mark.end() == position
}

/// Tells whether all bytes of a mark lie in front of `position`.
fn is_past<M>(mark: &Mark<M>, position: usize) -> bool {
    let into = position.wrapping_sub(mark.start);
    // Positions wrap around; what is ahead looks like very far behind.
    into >= mark.len && into <= usize::MAX / 2
}
