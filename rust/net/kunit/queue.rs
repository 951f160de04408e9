// SPDX-License-Identifier: GPL-2.0

//! A queue of bytes.

use kernel::prelude::*;

#[kunit_tests(runix_queue)]
mod tests {
    use super::super::super::{
        marks::Mark,
        queue::ByteQueue,
        writer::PushError, //
    };
    use super::super::{
        Buffer,
        Numbers, //
    };
    use kernel::prelude::*;

    const SNDBUF: usize = 100_000;

    impl super::super::super::marks::Rider for u32 {}

    fn new_queue() -> Result<Pin<KBox<ByteQueue<u32>>>> {
        KBox::pin_init(ByteQueue::new(), GFP_KERNEL)
    }

    fn push(
        q: &ByteQueue<u32>,
        from: usize,
        len: usize,
    ) -> Result<core::result::Result<(), PushError>> {
        let mut buffer = Buffer::pattern(from, len)?;
        let mut msg = buffer.source();
        let result = q.push(&mut msg, len, SNDBUF, &mut None);
        // All or nothing is taken of the message.
        let left = if result.is_ok() { 0 } else { len };
        if msg.remaining() != left {
            return Err(EIO);
        }
        Ok(result)
    }

    /// Takes up to `room` bytes and tells how many; `EIO` if they are wrong.
    fn pull(q: &ByteQueue<u32>, from: usize, room: usize, limit: usize) -> Result<usize> {
        let mut buffer = Buffer::zeroed(room)?;
        let count = q
            .read()
            .pull(&mut buffer.room(), limit)
            .map_err(|_| EFAULT)?;
        buffer.holds(from, count).then_some(count).ok_or(EIO)
    }

    fn peek(q: &ByteQueue<u32>, at: usize, skip: usize, room: usize) -> Result<usize> {
        let mut buffer = Buffer::zeroed(room)?;
        let count = q
            .read()
            .peek(&mut buffer.room(), skip, usize::MAX)
            .map_err(|_| EFAULT)?;
        buffer
            .holds(at.wrapping_add(skip), count)
            .then_some(count)
            .ok_or(EIO)
    }

    /// Random pieces go in and come out as they went in, whatever buffers they
    /// lie in; peeks see them and change nothing.
    #[test]
    fn bytes_come_out_as_they_went_in() -> Result {
        let q = new_queue()?;
        let mut numbers = Numbers(1);
        let (mut written, mut read) = (0usize, 0usize);
        for round in 0..250 {
            let len = 1 + numbers.below(if round % 5 == 0 { 12_000 } else { 700 });
            match push(&q, written, len)? {
                Ok(()) => written = written.wrapping_add(len),
                Err(e) => assert!(e == PushError::Full),
            }
            assert_eq!(q.queued(), written - read);
            let skip = numbers.below(2000);
            let seen = peek(&q, read, skip, 5000)?;
            assert_eq!(seen, (written - read).saturating_sub(skip).min(5000));
            let (room, limit) = (1 + numbers.below(9000), 1 + numbers.below(9000));
            let got = pull(&q, read, room, limit)?;
            assert_eq!(got, (written - read).min(room).min(limit));
            read = read.wrapping_add(got);
            if round % 7 == 0 {
                q.read().shrink();
            }
        }
        assert!(written > SNDBUF);
        let unread = written - read;
        assert_eq!(q.close(), unread);
        Ok(())
    }

    /// An empty queue takes any piece; one that isn't takes what fits, and no
    /// part of what doesn't. The reader is then told that somebody waits.
    #[test]
    fn limits() -> Result {
        let q = new_queue()?;
        assert!(!q.take_wish(SNDBUF));
        assert!(push(&q, 0, SNDBUF + 1)?.is_ok());
        assert!(push(&q, 0, 1)? == Err(PushError::Full));
        assert_eq!(q.queued(), SNDBUF + 1);
        assert!(!q.take_wish(SNDBUF));
        assert_eq!(pull(&q, 0, SNDBUF, usize::MAX)?, SNDBUF);
        assert!(q.take_wish(SNDBUF));
        // The wish is taken once.
        assert!(!q.take_wish(SNDBUF));
        assert!(push(&q, SNDBUF + 1, 100)?.is_ok());
        assert_eq!(pull(&q, SNDBUF, 1000, usize::MAX)?, 101);
        Ok(())
    }

    /// Nothing comes in any more, what is there can be read.
    #[test]
    fn shut() -> Result {
        let q = new_queue()?;
        assert!(push(&q, 0, 5000)?.is_ok());
        q.shut();
        assert!(push(&q, 5000, 1)? == Err(PushError::Shut));
        assert_eq!(pull(&q, 0, 6000, usize::MAX)?, 5000);
        assert_eq!(pull(&q, 0, 1, usize::MAX)?, 0);
        assert_eq!(q.close(), 0);
        // Once more does no harm.
        assert_eq!(q.close(), 0);
        Ok(())
    }

    /// Runs are those of the marks, and end where the readable bytes do.
    #[test]
    fn runs_end_at_marks() -> Result {
        let q = new_queue()?;
        let mut mark = Some(Mark::new(7u32)?);
        assert!(push(&q, 0, 600)?.is_ok());
        let mut buffer = Buffer::pattern(600, 50)?;
        assert!(q.push(&mut buffer.source(), 50, SNDBUF, &mut mark).is_ok());
        assert!(mark.is_none());
        assert!(push(&q, 650, 10)?.is_ok());
        let mut reader = q.read();
        for (skip, len, who) in [
            (0, 600, 0),
            (599, 1, 0),
            (600, 50, 7),
            (640, 10, 7),
            (650, 10, 0),
        ] {
            let run = reader.run(skip);
            assert_eq!(run.len, len);
            assert_eq!(run.value.map_or(0, |v| *v), who);
        }
        drop(reader);
        // A mark that was not queued stays the caller's.
        q.shut();
        let mut mark = Some(Mark::new(8u32)?);
        assert!(q.push(&mut buffer.source(), 50, SNDBUF, &mut mark).is_err());
        assert!(mark.is_some());
        Ok(())
    }

    /// What is dropped with bytes and marks in it gives all back (kmemleak looks).
    #[test]
    fn dropped_full() -> Result {
        let q = new_queue()?;
        assert!(push(&q, 0, 70_000)?.is_ok());
        let mut buffer = Buffer::pattern(0, 50)?;
        let mut mark = Some(Mark::new(7u32)?);
        assert!(q.push(&mut buffer.source(), 50, SNDBUF, &mut mark).is_ok());
        Ok(())
    }

    /// Moves bytes through a queue one by one, so that it is drained by the shortest
    /// way, `times` times.
    fn drain(q: &ByteQueue<u32>, buffer: &mut Buffer, times: usize) -> Result {
        for _ in 0..times {
            if q.push(&mut buffer.source(), 1, SNDBUF, &mut None).is_err()
                || q.read().pull_plain(&mut buffer.room()) != 1
            {
                return Err(EIO);
            }
        }
        Ok(())
    }

    /// Of many queues that are drained time and again some keep a chunk, in turns; one
    /// that goes leaves its place to others (KASAN looks).
    #[test]
    fn some_stay_warm() -> Result {
        const MANY: usize = 160;
        type Queues = KVec<Pin<KBox<ByteQueue<u32>>>>;
        let warm = |queues: &Queues| queues.iter().filter(|q| q.warmth.is_warm()).count();
        let mut buffer = Buffer::pattern(0, 1)?;
        let mut queues: Queues = KVec::with_capacity(MANY, GFP_KERNEL)?;
        for _ in 0..MANY {
            queues.push(new_queue()?, GFP_KERNEL)?;
        }
        (queues.iter()).try_for_each(|q| drain(q, &mut buffer, 7))?;
        // Nobody has been at it for long.
        assert_eq!(warm(&queues), 0);
        (queues.iter()).try_for_each(|q| drain(q, &mut buffer, 1))?;
        let some = warm(&queues);
        assert!(some > 0 && some < MANY);
        // Those that are warm go, and others come in their place.
        let mut left: Queues = KVec::with_capacity(MANY, GFP_KERNEL)?;
        for q in queues {
            if !q.warmth.is_warm() {
                left.push(q, GFP_KERNEL)?;
            }
        }
        (left.iter()).try_for_each(|q| drain(q, &mut buffer, 8))?;
        assert!(warm(&left) > 0);
        // A place that isn't used is lost to who needs it.
        for _ in 0..MANY {
            left.push(new_queue()?, GFP_KERNEL)?;
        }
        (left.iter()).try_for_each(|q| drain(q, &mut buffer, 8))?;
        let last = new_queue()?;
        let mut rounds = 0;
        while !last.warmth.is_warm() && rounds < 300 {
            drain(&last, &mut buffer, 8)?;
            rounds += 1;
        }
        assert!(last.warmth.is_warm());
        // What is closed has no place.
        last.close();
        assert!(!last.warmth.is_warm());
        Ok(())
    }
}
