// SPDX-License-Identifier: GPL-2.0

//! Tables of sockets, with sockets that are nothing but memory.

use kernel::prelude::*;

#[kunit_tests(runix_table)]
mod tests {
    use super::super::super::{
        compat::errno::*,
        family::{
            Family,
            FamilyDesc,
            Selection, //
        },
        live::Closing,
        phase::SockType,
        sock::{
            Layout,
            Sock, //
        },
        table::{
            AllSockets,
            Bound,
            Position,
            SockTable, //
        },
        unix::PlainHead, //
    };
    use core::mem::MaybeUninit;
    use kernel::{
        bindings as kb,
        prelude::*, //
    };

    static DESC: FamilyDesc<Mock> = FamilyDesc::new(&[], &[]);

    /// A family that is never registered.
    struct Mock;

    impl Family for Mock {
        type Head = PlainHead;
        type State = ();
        type Data = ();

        fn desc() -> &'static FamilyDesc<Self> {
            &DESC
        }

        fn select(_kind: Option<SockType>, _protocol: u32) -> Result<Selection<Self>> {
            Err(ESOCKTNOSUPPORT)
        }

        fn state() {}

        fn data(_kind: SockType) -> impl PinInit<()> {
            Ok::<(), core::convert::Infallible>(())
        }

        fn created(_sk: &Sock<Self>) -> Result {
            Ok(())
        }

        fn abandoned(_sk: Closing<'_, Self>) {}
    }

    /// The memory of a socket that nobody has opened, with one reference.
    struct Memory(KBox<MaybeUninit<Layout<Mock>>>);

    impl Memory {
        fn new() -> Result<Self> {
            let memory = KBox::new(MaybeUninit::zeroed(), GFP_KERNEL)?;
            let this = Self(memory);
            this.count().store(1, core::sync::atomic::Ordering::Relaxed);
            Ok(this)
        }

        fn raw(&self) -> *mut crate::bindings::sock {
            self.0.as_ptr().cast_mut().cast()
        }

        fn count(&self) -> &core::sync::atomic::AtomicI32 {
            // SAFETY: A `refcount_t` is an `int`; the memory is ours, and used by one thread.
            unsafe { &*(&raw const (*self.raw()).__sk_common.skc_refcnt).cast() }
        }

        fn references(&self) -> i32 {
            self.count().load(core::sync::atomic::Ordering::Relaxed)
        }

        fn sock(&self) -> &Sock<Mock> {
            // SAFETY: The memory is that of a socket, as far as tables look at it.
            unsafe { Sock::from_raw(self.raw()) }
        }
    }

    fn table<C: super::super::super::table::Chain>() -> Result<Pin<KBox<SockTable<Mock, C>>>> {
        KBox::pin_init(SockTable::new(), GFP_KERNEL)
    }

    /// What is put in is found by its hash, held, and given back.
    #[test]
    fn insert_find_remove() -> Result {
        let t = table::<Bound>()?;
        let (a, b) = (Memory::new()?, Memory::new()?);
        assert!(t.insert(5, a.sock(), |_| false, || ()).is_ok());
        assert_eq!(a.references(), 2);
        // The same hash modulo the table's size is the same bucket, and no clash.
        assert!(t.insert(5 + 256, b.sock(), |_| false, || ()).is_ok());
        assert!(t.find(5, |sk| sk.as_sk() == a.raw()).is_some());
        assert!(t.find(6, |_| true).is_none());
        assert!(t.search(|sk| sk.as_sk() == b.raw()).is_some());
        t.remove(a.sock());
        assert_eq!(a.references(), 1);
        assert!(t.find(5, |sk| sk.as_sk() == a.raw()).is_none());
        assert!(t.find(5, |sk| sk.as_sk() == b.raw()).is_some());
        // Once more does nothing.
        t.remove(a.sock());
        t.remove(b.sock());
        assert_eq!(a.references(), 1);
        assert_eq!(b.references(), 1);
        Ok(())
    }

    /// A name that is taken is refused, and so is a socket that has one; then
    /// nothing else is done.
    #[test]
    fn no_two_of_a_name() -> Result {
        let t = table::<Bound>()?;
        let (a, b) = (Memory::new()?, Memory::new()?);
        let mut told = 0;
        assert!(t.insert(1, a.sock(), |_| true, || told += 1).is_ok());
        assert!(matches!(t.insert(1, b.sock(), |_| true, || told += 1), Err(e) if e == EADDRINUSE));
        assert!(
            matches!(t.insert(2, a.sock(), |_| false, || told += 1), Err(e) if e == EADDRINUSE)
        );
        assert_eq!(told, 1);
        assert_eq!(b.references(), 1);
        t.remove(a.sock());
        assert!(t.insert(1, b.sock(), |_| true, || told += 1).is_ok());
        t.remove(b.sock());
        Ok(())
    }

    /// A socket is in two tables by two links, which don't know each other; and
    /// a table doesn't take away what is in another one.
    #[test]
    fn two_tables() -> Result {
        let (all, named, other) = (table::<AllSockets>()?, table::<Bound>()?, table::<Bound>()?);
        let a = Memory::new()?;
        assert!(all.insert(9, a.sock(), |_| false, || ()).is_ok());
        assert!(named.insert(7, a.sock(), |_| false, || ()).is_ok());
        assert_eq!(a.references(), 3);
        other.remove(a.sock());
        assert_eq!(a.references(), 3);
        named.remove(a.sock());
        assert!(all.find(9, |_| true).is_some());
        all.remove(a.sock());
        assert_eq!(a.references(), 1);
        Ok(())
    }

    /// A walk sees each socket once, in spite of what is taken away under it.
    #[test]
    fn walks() -> Result {
        let t = table::<AllSockets>()?;
        let mut socks = KVec::new();
        for i in 0..40usize {
            let memory = Memory::new()?;
            t.insert(i * 37, memory.sock(), |_| false, || ())?;
            socks.push(memory, GFP_KERNEL)?;
        }
        let mut cursor = t.cursor(Position::default());
        let mut seen = 0;
        while let Some(sk) = cursor.get() {
            seen += 1;
            if seen % 2 == 0 {
                t.remove(sk);
            }
            cursor.advance();
        }
        assert_eq!(seen, 40);
        let mut cursor = t.cursor(Position::default());
        let mut left = 0;
        while cursor.get().is_some() {
            left += 1;
            cursor.advance();
        }
        assert_eq!(left, 20);
        drop(cursor);
        for memory in &socks {
            t.remove(memory.sock());
            assert_eq!(memory.references(), 1);
        }
        Ok(())
    }

    /// One that stays is seen once, whatever comes and goes around it; and so it
    /// is when the walk goes on from where another one stopped.
    #[test]
    fn walks_while_changing() -> Result {
        let t = table::<AllSockets>()?;
        let mut stay = KVec::new();
        let mut go = KVec::new();
        let mut come = KVec::new();
        // All in one bucket, by turns.
        for i in 0..40usize {
            let memory = Memory::new()?;
            t.insert(3, memory.sock(), |_| false, || ())?;
            let list = if i % 2 == 0 { &mut go } else { &mut stay };
            list.push(memory, GFP_KERNEL)?;
        }
        let mut seen = [0; 20];
        let mut at = Position::default();
        loop {
            let mut cursor = t.cursor(at);
            let Some(sk) = cursor.get() else {
                break;
            };
            if let Some(i) = stay.iter().position(|m| m.raw() == sk.as_sk()) {
                seen[i] += 1;
            }
            // Before, behind, and under the walk.
            if let Some(memory) = go.pop() {
                t.remove(memory.sock());
                come.push(memory, GFP_KERNEL)?;
            }
            let memory = Memory::new()?;
            t.insert(3, memory.sock(), |_| false, || ())?;
            come.push(memory, GFP_KERNEL)?;
            cursor.advance();
            at = cursor.position();
        }
        assert_eq!(seen, [1; 20]);
        for memory in Iterator::chain(stay.iter(), &come) {
            t.remove(memory.sock());
            assert_eq!(memory.references(), 1);
        }
        Ok(())
    }
}
