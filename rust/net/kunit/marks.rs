// SPDX-License-Identifier: GPL-2.0

//! Marks beside bytes.

use kernel::prelude::*;

#[kunit_tests(runix_marks)]
mod tests {
    use super::super::super::{
        ancillary::{
            Sender,
            SenderId, //
        },
        marks::{
            Mark,
            Marks,
            Rider, //
        }, //
    };
    use kernel::{
        prelude::*,
        sync::{
            atomic::{
                Atomic,
                Relaxed, //
            },
            Arc, //
        }, //
    };

    /// Counts how many of its kind are gone.
    struct Counted(u32, Arc<Atomic<u32>>);

    impl Rider for Counted {}

    impl Drop for Counted {
        fn drop(&mut self) {
            self.1.store(self.1.load(Relaxed).wrapping_add(1), Relaxed);
        }
    }

    fn new_marks() -> Result<Pin<KBox<Marks<Counted>>>> {
        KBox::pin_init(Marks::new(), GFP_KERNEL)
    }

    /// Runs end where a mark begins and where it ends, and are told from inside
    /// as well; around the place where positions begin anew.
    #[test]
    fn runs() -> Result {
        for base in [0, 1000, usize::MAX - 15, usize::MAX - 35] {
            let gone = Arc::new(Atomic::new(0), GFP_KERNEL)?;
            let marks = new_marks()?;
            let at = |n: usize| base.wrapping_add(n);
            assert!(marks.is_empty());
            marks.push(Mark::new(Counted(1, gone.clone()))?, at(10), 10, || ());
            marks.push(Mark::new(Counted(2, gone.clone()))?, at(20), 5, || ());
            marks.push(Mark::new(Counted(3, gone.clone()))?, at(40), 1, || ());
            assert!(!marks.is_empty());
            // In front, in the first, its last byte, the second, between, the third.
            let want = [
                (0, 10, 0),
                (10, 10, 1),
                (19, 1, 1),
                (20, 5, 2),
                (25, 15, 0),
                (40, 1, 3),
            ];
            for (n, len, who) in want {
                // SAFETY: This is the reader, with one run at a time.
                let run = unsafe { marks.run_at(at(n)) };
                assert_eq!(run.len, len);
                assert_eq!(run.value.map_or(0, |v| v.0), who);
            }
            // SAFETY: As above.
            let run = unsafe { marks.run_at(at(41)) };
            assert!(run.value.is_none());
            assert_eq!(gone.load(Relaxed), 0);
            drop(marks);
            assert_eq!(gone.load(Relaxed), 3);
        }
        Ok(())
    }

    /// A mark is dropped when all its bytes lie in front, and no sooner.
    #[test]
    fn discarded_when_passed() -> Result {
        let gone = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let marks = new_marks()?;
        let memory = marks.memory();
        let base = usize::MAX - 12;
        for i in 0..3u32 {
            let start = base.wrapping_add(i as usize * 10);
            marks.push(Mark::new(Counted(i, gone.clone()))?, start, 10, || ());
        }
        assert!(marks.memory() > memory);
        for (n, want) in [(0, 0), (9, 0), (10, 1), (19, 1), (29, 2), (30, 3), (100, 3)] {
            marks.discard_before(base.wrapping_add(n));
            assert_eq!(gone.load(Relaxed), want);
        }
        assert!(marks.is_empty());
        assert_eq!(marks.memory(), memory);
        // One that comes after all were dropped is the first and the last.
        marks.push(Mark::new(Counted(9, gone.clone()))?, 5, 5, || ());
        // SAFETY: This is the reader, with one run at a time.
        assert_eq!(unsafe { marks.run_at(7) }.len, 3);
        marks.discard_all();
        assert!(marks.is_empty());
        assert_eq!(gone.load(Relaxed), 4);
        Ok(())
    }

    /// What the same sender sends next goes with the last mark, also when all of its bytes
    /// were read, as long as nothing has come in between.
    #[test]
    fn grow() -> Result {
        struct Of(Option<SenderId>);

        impl Rider for Of {
            fn sender_id(&self) -> Option<SenderId> {
                self.0
            }
        }

        let (me, other) = (SenderId::current(), Sender::nobody().id());
        let marks = KBox::pin_init(Marks::new(), GFP_KERNEL)?;
        assert!(!marks.may_grow(me, 0));
        for base in [0, usize::MAX - 15, usize::MAX - 31] {
            let at = |n: usize| base.wrapping_add(n);
            // SAFETY: This is the reader, with one run at a time.
            let len_at = |n: usize| unsafe { marks.run_at(at(n)) }.len;
            marks.push(Mark::new(Of(Some(me)))?, at(10), 10, || ());
            let memory = marks.memory();
            assert!(marks.may_grow(me, at(20)));
            assert!(!marks.may_grow(other, at(20)));
            assert!(!marks.may_grow(me, at(19)) && !marks.may_grow(me, at(21)));
            marks.grow(5, || ());
            assert_eq!(len_at(12), 13);
            // It stays for what may come, and is used again.
            marks.discard_before(at(25));
            assert!(marks.may_grow(me, at(25)));
            marks.grow(3, || ());
            assert_eq!(len_at(25), 3);
            assert_eq!(marks.memory(), memory);
            // Who has nothing to read doesn't keep it.
            assert!(marks.take_kept(at(27)).is_none());
            assert!(marks.take_kept(at(28)).is_some());
            assert!(marks.is_empty() && !marks.may_grow(me, at(28)));
            marks.push(Mark::new(Of(Some(me)))?, at(28), 1, || ());
            // Not behind bytes without a mark, nor in front of another mark.
            marks.discard_before(at(30));
            assert!(marks.is_empty());
            marks.push(Mark::new(Of(Some(me)))?, at(30), 1, || ());
            marks.push(Mark::new(Of(None))?, at(31), 1, || ());
            assert!(!marks.may_grow(me, at(32)));
            marks.discard_before(at(31));
            assert_eq!(marks.memory(), memory);
            marks.discard_before(at(32));
            assert!(marks.is_empty());
            let mut mark = Mark::new(Of(Some(me)))?;
            mark.set_out_of_band();
            marks.push(mark, at(32), 1, || ());
            assert!(!marks.may_grow(me, at(33)));
            marks.discard_all();
        }
        Ok(())
    }

    /// So many marks that a chain of drops would overflow the stack.
    #[test]
    fn many() -> Result {
        let gone = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let marks = new_marks()?;
        for i in 0..5000 {
            marks.push(Mark::new(Counted(0, gone.clone()))?, i, 1, || ());
        }
        drop(marks);
        assert_eq!(gone.load(Relaxed), 5000);
        Ok(())
    }
}
