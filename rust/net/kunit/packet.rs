// SPDX-License-Identifier: GPL-2.0

//! A queue of packets.

use kernel::prelude::*;

#[kunit_tests(runix_packet)]
mod tests {
    use super::super::super::packet::{
        Packet,
        PacketList,
        PacketQueue, //
    };
    use super::super::{
        Buffer,
        Numbers, //
    };
    use core::cell::RefCell;
    use kernel::{
        prelude::*,
        sync::Arc, //
    };

    impl super::super::super::marks::Rider for Arc<u32> {}

    /// A queue with its list, which has one user alone and needs no lock.
    struct Queue {
        queue: Pin<KBox<PacketQueue<Arc<u32>>>>,
        list: RefCell<PacketList<Arc<u32>>>,
    }

    impl Queue {
        fn push(&self, packet: Packet<Arc<u32>>) -> Result<(), Packet<Arc<u32>>> {
            self.queue.push(&mut self.list.borrow_mut(), packet)
        }

        fn take(&self) -> Option<Packet<Arc<u32>>> {
            self.queue.take(&mut self.list.borrow_mut()).ok().flatten()
        }

        fn purge(&self) {
            let all = self.queue.take_all(&mut self.list.borrow_mut());
            assert!(all.is_ok());
        }

        fn shut(&self) -> bool {
            self.list.borrow_mut().shut()
        }

        fn first_len(&self) -> usize {
            self.list.borrow().first_len()
        }

        fn peek(&self, offset: Option<usize>) -> Option<(usize, usize)> {
            let locked = |look: &mut dyn FnMut(&mut PacketList<Arc<u32>>)| {
                look(&mut self.list.borrow_mut());
            };
            self.queue.peek(locked, offset, |p, at| {
                // Nobody takes what is looked at.
                assert!(self.queue.take(&mut self.list.borrow_mut()).is_err());
                (p.len(), at)
            })
        }
    }

    fn new_queue() -> Result<Queue> {
        Ok(Queue {
            queue: KBox::pin_init(PacketQueue::new(), GFP_KERNEL)?,
            list: RefCell::new(PacketList::new()),
        })
    }

    fn packet(from: usize, len: usize, meta: &Arc<u32>) -> Result<Packet<Arc<u32>>> {
        Packet::new(&mut Buffer::pattern(from, len)?.source(), |size| {
            assert!(size >= len);
            Ok(meta.clone())
        })
    }

    /// Every part of a packet is what was put into it, wherever its chunks end.
    #[test]
    fn parts() -> Result {
        let meta = Arc::new(5, GFP_KERNEL)?;
        let mut numbers = Numbers(3);
        for len in [
            0, 1, 300, 480, 504, 4000, 4088, 5000, 12_264, 12_300, 32_760, 33_000, 150_000,
        ] {
            let p = packet(11, len, &meta)?;
            assert_eq!(p.len(), len);
            assert_eq!(**p.meta(), 5);
            for _ in 0..8 {
                let skip = numbers.below(len + 1);
                let count = numbers.below(len - skip + 1);
                let mut buffer = Buffer::zeroed(count + 3)?;
                assert!(p.copy_out(&mut buffer.room(), skip, count).is_ok());
                assert!(buffer.holds(11 + skip, count));
            }
        }
        Ok(())
    }

    /// First come, first served; counts and bytes go up and down with them.
    #[test]
    fn order_and_counts() -> Result {
        let q = new_queue()?;
        let meta = Arc::new(0, GFP_KERNEL)?;
        for i in 1..=50usize {
            assert!(q.push(packet(i, i * 10, &meta)?).is_ok());
        }
        assert_eq!(q.queue.count(), 50);
        assert_eq!(q.queue.bytes(), 10 * 50 * 51 / 2);
        assert_eq!(q.first_len(), 10);
        let arrivals = q.queue.arrivals();
        for i in 1..=25usize {
            let Some(p) = q.take() else {
                return Err(ENODATA);
            };
            assert_eq!(p.len(), i * 10);
            let mut buffer = Buffer::zeroed(p.len())?;
            assert!(p.copy_out(&mut buffer.room(), 0, p.len()).is_ok());
            assert!(buffer.holds(i, p.len()));
        }
        assert_eq!(q.queue.count(), 25);
        assert_eq!(q.queue.arrivals(), arrivals);
        // What is full closes with one packet left out in front.
        assert!(q.shut());
        assert!(q.push(packet(0, 1, &meta)?).is_err());
        q.purge();
        assert_eq!(q.queue.count(), 0);
        assert_eq!(q.queue.bytes(), 0);
        assert!(q.take().is_none());
        Ok(())
    }

    /// A shut queue says whether anything but one empty packet was lost.
    #[test]
    fn shut_tells_of_loss() -> Result {
        let meta = Arc::new(0, GFP_KERNEL)?;
        for (lens, lost) in [
            (&[][..], false),
            (&[0], false),
            (&[0, 0], true),
            (&[1], true),
        ] {
            let q = new_queue()?;
            for len in lens {
                assert!(q.push(packet(0, *len, &meta)?).is_ok());
            }
            assert_eq!(q.shut(), lost);
            q.purge();
        }
        Ok(())
    }

    /// Peeks find the packet that holds a byte, and leave all as it is.
    #[test]
    fn peeks() -> Result {
        let q = new_queue()?;
        let meta = Arc::new(0, GFP_KERNEL)?;
        assert!(q.peek(None).is_none());
        for len in [5usize, 0, 7] {
            assert!(q.push(packet(0, len, &meta)?).is_ok());
        }
        let found = |offset: Option<usize>| q.peek(offset);
        assert!(found(None) == Some((5, 0)));
        assert!(found(Some(4)) == Some((5, 4)));
        // The empty one is found once.
        assert!(found(Some(5)) == Some((0, 0)));
        assert!(found(Some(5)) == Some((7, 0)));
        assert!(found(Some(11)) == Some((7, 6)));
        assert!(found(Some(12)).is_none());
        assert_eq!(q.queue.count(), 3);
        Ok(())
    }

    /// What belongs to a packet is dropped with it, and once.
    #[test]
    fn owns_what_belongs_to_it() -> Result {
        let meta = Arc::new(0, GFP_KERNEL)?;
        let q = new_queue()?;
        for len in [0usize, 100, 20_000] {
            assert!(q.push(packet(0, len, &meta)?).is_ok());
        }
        drop(q.take());
        drop(q);
        // The only one that is left: it can be taken back.
        assert!(Arc::into_unique_or_drop(meta).is_some());
        Ok(())
    }
}
