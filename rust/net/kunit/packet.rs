// SPDX-License-Identifier: GPL-2.0

//! A queue of packets.

use kernel::prelude::*;

#[kunit_tests(runix_packet)]
mod tests {
    use super::super::super::packet::{
        Packet,
        PacketQueue, //
    };
    use super::super::{
        Buffer,
        Numbers, //
    };
    use kernel::{
        prelude::*,
        sync::Arc, //
    };

    impl super::super::super::marks::Rider for Arc<u32> {}

    type Queue = PacketQueue<Arc<u32>>;

    fn new_queue() -> Result<Pin<KBox<Queue>>> {
        KBox::pin_init(Queue::new(), GFP_KERNEL)
    }

    fn packet(from: usize, len: usize, meta: &Arc<u32>) -> Result<Packet<Arc<u32>>> {
        Packet::new(&mut Buffer::pattern(from, len)?.source(), meta.clone())
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
            assert!(p.size() >= len);
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
        assert_eq!(q.count(), 50);
        assert_eq!(q.bytes(), 10 * 50 * 51 / 2);
        assert_eq!(q.first_len(), 10);
        let arrivals = q.arrivals();
        for i in 1..=25usize {
            let Some(p) = q.read().take() else {
                return Err(ENODATA);
            };
            assert_eq!(p.len(), i * 10);
            let mut buffer = Buffer::zeroed(p.len())?;
            assert!(p.copy_out(&mut buffer.room(), 0, p.len()).is_ok());
            assert!(buffer.holds(i, p.len()));
        }
        assert_eq!(q.count(), 25);
        assert_eq!(q.arrivals(), arrivals);
        // What is full closes with one packet left out in front.
        assert!(q.shut());
        assert!(q.push(packet(0, 1, &meta)?).is_err());
        q.purge();
        assert_eq!(q.count(), 0);
        assert_eq!(q.bytes(), 0);
        assert!(q.read().take().is_none());
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
            q.close();
        }
        Ok(())
    }

    /// Peeks find the packet that holds a byte, and leave all as it is.
    #[test]
    fn peeks() -> Result {
        let q = new_queue()?;
        let meta = Arc::new(0, GFP_KERNEL)?;
        assert!(q.read().peek(None, |_, _| ()).is_none());
        for len in [5usize, 0, 7] {
            assert!(q.push(packet(0, len, &meta)?).is_ok());
        }
        let found = |offset: Option<usize>| q.read().peek(offset, |p, at| (p.len(), at));
        assert!(found(None) == Some((5, 0)));
        assert!(found(Some(4)) == Some((5, 4)));
        // The empty one is found once.
        assert!(found(Some(5)) == Some((0, 0)));
        assert!(found(Some(5)) == Some((7, 0)));
        assert!(found(Some(11)) == Some((7, 6)));
        assert!(found(Some(12)).is_none());
        assert_eq!(q.count(), 3);
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
        drop(q.read().take());
        drop(q);
        // The only one that is left: it can be taken back.
        assert!(Arc::into_unique_or_drop(meta).is_some());
        Ok(())
    }
}
