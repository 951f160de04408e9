// SPDX-License-Identifier: GPL-2.0

//! Memory for queued bytes.

use kernel::prelude::*;

#[kunit_tests(runix_chunk)]
mod tests {
    use super::super::super::chunk::{
        Block,
        BufferCaches,
        Chunk,
        Header, //
    };
    use kernel::{
        c_str,
        prelude::*, //
    };

    /// The least block that holds what was asked for, up to the largest one.
    #[test]
    fn blocks_are_as_large_as_asked() -> Result {
        let mut last = 0;
        for wanted in [
            0,
            1,
            503,
            504,
            505,
            4088,
            4089,
            12264,
            12265,
            32760,
            1 << 20,
        ] {
            let block = Block::alloc(wanted)?;
            assert!(block.size() >= wanted.min(4088));
            assert!(block.size() >= last || block.size() == 4088);
            assert!(block.as_ptr().addr().get() % align_of::<usize>() == 0);
            // SAFETY: The block is ours, and so long.
            unsafe { block.as_ptr().write_bytes(0xa5, block.size()) };
            last = block.size();
        }
        Ok(())
    }

    /// A chunk has room for what was wanted, grows with what is queued, and
    /// begins at its position.
    #[test]
    fn chunks_grow_with_the_queue() -> Result {
        let mut last = 0;
        for queued in [0, 1000, 20000, 200_000] {
            let chunk = Chunk::alloc(100, queued, usize::MAX - 10)?.into_raw();
            // SAFETY: The chunk is ours alone.
            unsafe {
                let segment = *(*chunk.as_ptr()).segment.get();
                let room = segment.room(usize::MAX - 10);
                assert!(room >= 100);
                assert!(room >= last);
                // Behind the place where positions begin anew.
                assert_eq!(segment.room(89), room.wrapping_sub(100));
                Header::bytes(chunk).write_bytes(0x5a, room);
                assert!((*chunk.as_ptr()).next().is_none());
                drop(Chunk::from_raw(chunk));
                last = room;
            }
        }
        Ok(())
    }

    /// Chunks are linked and unlinked.
    #[test]
    fn chunks_have_a_next_one() -> Result {
        let first = Chunk::alloc(1, 0, 0)?.into_raw();
        let second = Chunk::alloc(1, 0, 0)?.into_raw();
        // SAFETY: Both are ours alone.
        unsafe {
            (*first.as_ptr()).set_next(second);
            assert!((*first.as_ptr()).next() == Some(second));
            assert!((*first.as_ptr()).take_next() == Some(second));
            assert!((*first.as_ptr()).next().is_none());
            drop(Chunk::from_raw(first));
            drop(Chunk::from_raw(second));
        }
        Ok(())
    }

    /// The module has its caches once.
    #[test]
    fn caches_are_made_once() {
        let names = [
            c_str!("runix_a"),
            c_str!("runix_b"),
            c_str!("runix_c"),
            c_str!("runix_d"),
        ];
        assert!(matches!(BufferCaches::new(names), Err(e) if e == EBUSY));
    }
}
